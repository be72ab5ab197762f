"""Login by session, sign-up and passwords, for a front end elsewhere: with the rules and limits of pages.

What changes who is logged in tells what `site` tells, with the CSRF token that counts from now on.
"""

from functools import partial, wraps

from django.conf import settings
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.tokens import default_token_generator
from django.contrib.auth.views import PasswordResetConfirmView
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404
from django.middleware.csrf import get_token

from accounts import throttle
from accounts.forms import LoginForm, PasswordResetForm, SignUpForm
from config.json_views import Problem, json_view, read_form
from config.site import describe


def told(request):
    """What a page has to know: a page elsewhere cannot read the cookie with the CSRF token."""
    return describe(request.user) | {"csrf_token": get_token(request)}


def limited(view):
    """Have whoever failed too often answered 429, not with what is wrong with the form."""

    @wraps(view)
    def answer(request):
        try:
            return view(request)
        except Problem:
            if throttle.wait_of(request):
                raise PermissionDenied from None
            raise

    return answer


@json_view("GET", guests=True)
def site(request):
    """The name of the site, who is logged in, and the token to send as X-CSRFToken."""
    return told(request)


@json_view("POST", guests=True)
@limited
def log_in(request):
    """Log in with `username`, which may be an email address, and `password`."""
    login(request, read_form(request, partial(LoginForm, request)).get_user())
    return told(request)


@json_view("POST", guests=True)
def log_out(request):
    logout(request)
    return told(request)


@json_view("POST", guests=True)
def sign_up(request):
    """Make an account of `username`, `email`, `password1` and `password2`, and log in."""
    if not settings.SIGN_UP:
        raise Http404
    if request.user.is_authenticated:
        raise Problem(403, "not_allowed", "You have an account: log out first")
    throttle.take(request, "sign_up_by_address")
    form = read_form(request, SignUpForm)
    try:
        with transaction.atomic():
            user = form.save()
    except IntegrityError:  # a double click
        raise Problem(400, "invalid", "This name or email address has just been taken.") from None
    login(request, user, settings.AUTHENTICATION_BACKENDS[0])
    throttle.remember(request, user.get_username())
    return told(request)


@json_view("POST")
def change_password(request):
    """Change the password: `old_password`, `new_password1` and `new_password2`. Other logins end."""
    user = read_form(request, partial(PasswordChangeForm, request.user)).save()
    update_session_auth_hash(request, user)
    return told(request)


@json_view("POST", guests=True)
def reset_password(request):
    """Mail a link to the front end to `email`, and say the same whether there is such a user or not."""
    form = read_form(request, PasswordResetForm)
    throttle.take(request, "reset_by_address")
    throttle.take(request, "reset_to_address", form.cleaned_data["email"].casefold())
    context = {"site_name": settings.PROJECT_NAME, "front_end": settings.FRONTEND_ORIGINS[0]}
    template = "registration/password_reset_email.txt"
    form.save(request=request, email_template_name=template, extra_email_context=context)


@json_view("POST", guests=True)
def choose_password(request):
    """Set `new_password1` and `new_password2` with the `uid` and the `token` of the link that was mailed."""
    form = read_form(request, ResetForm)
    throttle.remember(request, form.user.get_username())
    throttle.forgive(request, form.user.get_username())
    form.save()


class ResetForm(SetPasswordForm):
    """A new password, for whom a link was mailed."""

    def __init__(self, data):
        user = PasswordResetConfirmView().get_user(data.get("uid", ""))
        super().__init__(user, data)
        self.link_holds = user is not None and default_token_generator.check_token(user, data.get("token"))

    def is_valid(self):
        if not self.link_holds:
            raise Problem(400, "invalid", "This link no longer works; ask for a new one.")
        return super().is_valid()
