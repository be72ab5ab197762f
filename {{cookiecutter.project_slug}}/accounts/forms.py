from threading import Thread

from django.contrib.auth.forms import AuthenticationForm, UserCreationForm
from django.contrib.auth.forms import PasswordResetForm as DjangosPasswordResetForm
from django.core.exceptions import ValidationError

from accounts.models import User


class LoginForm(AuthenticationForm):
    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": "This name or email address and this password do not match."
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["username"]
        field.label = "Username or email"
        field.max_length = field.widget.attrs["maxlength"] = 254


class SignUpForm(UserCreationForm):
    """Says of a name or an address that it is taken: without a mail first, there is no way not to tell."""

    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username", "email")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = ""
        self.fields["email"].required = True
        self.fields["email"].widget.attrs["autocomplete"] = "email"

    def clean_username(self):
        username = super().clean_username()
        if username and "@" in username:  # one could take somebody else's address for a name
            raise ValidationError("Choose a name without @; you can log in with your email address, too.")
        return username

    def clean_email(self):
        email = User.objects.normalize_email(self.cleaned_data["email"])
        if User.objects.filter(email__iexact=email).exists():
            raise ValidationError("A user with that email address already exists.")
        return email


class PasswordResetForm(DjangosPasswordResetForm):
    def send_mail(self, *args, **kwargs):
        """Send it from a thread: the time that takes would tell whether an address is known."""
        Thread(target=super().send_mail, args=args, kwargs=kwargs).start()
