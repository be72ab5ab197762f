from django.urls import path

from mentoring import views

app_name = "mentoring"
urlpatterns = [
    path("mentoring/", views.index, name="index"),
    path("mentoring/mentors/<int:mentor_id>/", views.mentor, name="mentor"),
    path("mentoring/students/<int:student_id>/", views.student, name="student"),
    path("mentoring/students/<int:student_id>/write/", views.write, name="write"),
]
