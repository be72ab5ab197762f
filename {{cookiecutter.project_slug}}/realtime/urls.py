from django.urls import path

from realtime import views

urlpatterns = [
#% if cookiecutter.auth == "session"
    path("ws-ticket/", views.ticket, name="ws-ticket"),
#% else
    path("ws-ticket/", views.TicketView.as_view(), name="ws-ticket"),
#% endif
    path("asyncapi.json", views.asyncapi, name="asyncapi"),
]
