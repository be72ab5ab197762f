from django.http import HttpResponse
from django.urls import path


def sync_view(request, number):
    request.POST.get("password"), request.user.pk
    raise ArithmeticError("a sync view")


async def async_view(request, number):
    await request.auser()
    raise ArithmeticError("an async view")


def fine(request, number):
    return HttpResponse(request.user)


urlpatterns = [
    path("sync/<int:number>/", sync_view),
    path("async/<int:number>/", async_view),
    path("fine/<int:number>/", fine),
]
