from django.urls import path

from mentoring import views_json

app_name = "mentoring"
urlpatterns = [
    path("api/mentoring/", views_json.index, name="json"),
    path("api/mentoring/mentors/<int:mentor_id>/", views_json.mentor, name="json-mentor"),
    path("api/mentoring/students/<int:student_id>/", views_json.student, name="json-student"),
    path("api/mentoring/students/<int:student_id>/write/", views_json.write, name="json-write"),
]
