from django import forms
from django.contrib.auth import get_user_model

from leaderboard.models import MOST
from leaderboard.scores import add_score


class PointsForm(forms.Form):
    user = forms.ModelChoiceField(
        get_user_model().objects,
        to_field_name="username",
        widget=forms.TextInput,
        error_messages={"invalid_choice": "There is no such user."},
    )
    points = forms.FloatField(initial=1, min_value=-MOST, max_value=MOST)

    def give(self) -> bool:
        """Give the points; return whether the form is valid and the user could have them."""
        if not self.is_valid():
            return False
        try:
            add_score(self.cleaned_data["user"].pk, self.cleaned_data["points"])
        except ValueError as error:
            self.add_error("points", str(error))
        return not self.errors


def may_give(user) -> bool:
    return user.has_perm("leaderboard.change_score")
