from typing import Any

from django.conf import settings
from django.contrib.auth import login, views
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponseRedirect
from django.utils.decorators import method_decorator

from accounts import throttle
from accounts.forms import LoginForm, PasswordResetForm, SignUpForm


@method_decorator(throttle.limited, name="dispatch")
class LoginView(views.LoginView):
    form_class = LoginForm
    redirect_authenticated_user = True


class SignUpView(LoginView):
    """Makes an account and logs in."""

    form_class: Any = SignUpForm
    template_name = "registration/sign_up.html"

    def dispatch(self, request, *args, **kwargs):
        if not settings.SIGN_UP:
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def post(self, request, *args, **kwargs):
        throttle.take(request, "sign_up_by_address")
        return super().post(request, *args, **kwargs)

    def get_form_kwargs(self):
        kwargs = super().get_form_kwargs()
        del kwargs["request"]
        return kwargs

    def form_valid(self, form):
        try:
            with transaction.atomic():
                user = form.save()
        except IntegrityError:  # a double click
            form.add_error(None, "This name or email address has just been taken.")
            return self.form_invalid(form)
        login(self.request, user, settings.AUTHENTICATION_BACKENDS[0])
        throttle.remember(self.request, user.get_username())
        return HttpResponseRedirect(self.get_success_url())


@method_decorator(throttle.limited, name="dispatch")
class PasswordResetView(views.PasswordResetView):
    """Mails a link, and says the same whether there is such a user or not."""

    form_class = PasswordResetForm
    email_template_name = "registration/password_reset_email.txt"
    extra_email_context = {"site_name": settings.PROJECT_NAME}

    def form_valid(self, form):
        throttle.take(self.request, "reset_by_address")
        throttle.take(self.request, "reset_to_address", form.cleaned_data["email"].casefold())
        return super().form_valid(form)


class PasswordResetConfirmView(views.PasswordResetConfirmView):
    def form_valid(self, form):
        throttle.remember(self.request, self.user.get_username())
        throttle.forgive(self.request, self.user.get_username())
        return super().form_valid(form)
