"""Who may see whose events: a person, the admins, and of a student also the mentors by a `Mentorship`.

Others are not told whether there is such a person.
"""

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404

from accounts.mentors import MENTORS, is_mentor


def get_mentor(viewer, mentor_id: int):
    """Return a mentor whose events a user may see; raises `PermissionDenied`, or `Http404` for an admin."""
    if viewer.is_superuser:
        return get_object_or_404(get_user_model(), pk=mentor_id, groups__name=MENTORS)
    if viewer.pk != mentor_id or not is_mentor(viewer):
        raise PermissionDenied
    return viewer


def get_student(viewer, student_id: int):
    """Return a student whose events a user may see; raises `PermissionDenied`, or `Http404` for an admin."""
    users = get_user_model().objects
    if viewer.is_superuser:
        return get_object_or_404(users, pk=student_id)
    if viewer.pk == student_id:
        return viewer
    student = users.filter(pk=student_id, mentorships_as_student__mentor=viewer).first()
    if student is None or not is_mentor(viewer):
        raise PermissionDenied
    return student
