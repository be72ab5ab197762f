from django.urls import path

from config import spa
from mentoring import urls_json

app_name = "mentoring"
urlpatterns = [
    path("mentoring/", spa.page, name="index"),
    path("mentoring/mentors/<int:mentor_id>/", spa.page, name="mentor"),
    path("mentoring/students/<int:student_id>/", spa.page, name="student"),
    *urls_json.urlpatterns,
]
