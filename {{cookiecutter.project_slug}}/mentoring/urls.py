from django.urls import path

from mentoring import views

app_name = "mentoring"
urlpatterns = [
    path("", views.index, name="index"),
    path("mentors/<int:mentor_id>/", views.mentor, name="mentor"),
    path("students/<int:student_id>/", views.student, name="student"),
    path("students/<int:student_id>/write/", views.write, name="write"),
]
