from accounts.mentors import make_mentor
from accounts.models import User
from dashboard.models import Event


def create_demo():
    """Make the user `mentor` a mentor, and a first event."""
    make_mentor(User.objects.get(username="mentor"))
    if not Event.objects.exists():
        Event.objects.store("welcome", {"message": "What happens on the site appears here by itself."})
