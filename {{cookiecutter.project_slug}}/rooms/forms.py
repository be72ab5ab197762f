from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import User
from rooms.models import Room


class LocalTimeInput(forms.DateTimeInput):
    """The browser's own input, whose value has no time zone."""

    input_type = "datetime-local"

    def __init__(self):
        super().__init__(format="%Y-%m-%dT%H:%M")


class RoomForm(forms.ModelForm):
    """A room as its host wants it. Times are those of `time_zone`, which the page fills in, else UTC."""

    by_invitation = forms.BooleanField(required=False, help_text="Only those whom you invite may come in.")
    time_zone = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Room
        fields = ("name", "waits", "starts_at", "ends_at")
        widgets = {"starts_at": LocalTimeInput(), "ends_at": LocalTimeInput()}
        help_texts = {
            "waits": "Who comes waits until you let them in.",
            "starts_at": "Before it nobody may come in.",
            "ends_at": "It closes the room for all who are in it.",
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["by_invitation"].initial = not self.instance.is_open
        for name in ("by_invitation", "waits"):
            self.fields[name].label_suffix = ""  # behind a box no colon

    def full_clean(self):
        with timezone.override(zone_of(self.data.get("time_zone"))):
            super().full_clean()

    def clean_time_zone(self):
        name = self.cleaned_data["time_zone"]
        if name and zone_of(name) is None:
            raise ValidationError("This time zone is not known here; leave it out for times in UTC.")
        return name

    def clean_starts_at(self):
        return storable(self.cleaned_data["starts_at"])

    def clean_ends_at(self):
        return storable(self.cleaned_data["ends_at"])

    def clean(self):
        self.instance.is_open = not self.cleaned_data.get("by_invitation")
        return super().clean()


class InvitationForm(forms.Form):
    """Whom to invite, in `user`."""

    login = forms.CharField(max_length=254, label="Username or email")

    def clean_login(self):
        login = self.cleaned_data["login"]
        self.user = User.objects.filter(username=User.name_of(login), is_active=True).first()
        if self.user is None:
            raise ValidationError("Nobody here has this name or address. Send them the link instead.")
        return login


def storable(moment):
    """Return a moment, unless it is none in another time zone: those end with the years 1 and 9999."""
    if moment is not None and moment.year not in range(1900, 9000):
        raise ValidationError("There is no such year here.")
    return moment


def zone_of(name):
    """Return the time zone of that name, or None if there is none."""
    try:
        return ZoneInfo(name or "")
    except (ValueError, LookupError, OSError):
        return None
