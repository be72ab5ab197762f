"""What the installed apps add to the site. None of it is required of an app.

An app says in its apps.py where its urls.py is mounted (`url_prefix`), what the menu and the home page show
of it (`nav`), to whom, if not to all (`is_for`), and which of its pages are for developers (`endpoints`). Its
routing.py has its WebSocket routes (`websocket_urlpatterns`), its demo.py makes the data that `manage.py
createdemo` shows (`create_demo`), and what its users need for a load test (`set_up_loadtest`); its
loadtest.py says what these do (`Scenario`). Its health.py checks what the site can do without (`checks`).
"""

from importlib import import_module

from django.apps import apps
from django.shortcuts import resolve_url
from django.urls import include, path
from django.utils.module_loading import module_has_submodule


def urls():
    """Return the pages of each app, under its prefix."""
    prefixes = {app.name: getattr(app, "url_prefix", None) for app in apps.get_app_configs()}
    return [path(prefix, include(f"{name}.urls")) for name, prefix in prefixes.items() if prefix is not None]


def websocket_routes():
    """Return the WebSocket routes of each app."""
    return [route for module in modules("routing") for route in getattr(module, "websocket_urlpatterns", ())]


def links(kind, user):
    """Return (address, label, description) of each of the `nav` or `endpoints` of the apps for this user.

    There the address is the name of a URL, or a path.
    """
    linked = [app for app in apps.get_app_configs() if hasattr(app, kind)]
    found = [
        link
        for app in linked
        if not hasattr(app, "is_for") or app.is_for(user)
        for link in getattr(app, kind)
    ]
    return [(resolve_url(to), label, description) for to, label, description in found]


def create_demo():
    """Make the demo data of each app."""
    for module in modules("demo"):
        if hasattr(module, "create_demo"):
            module.create_demo()


def set_up_loadtest(users):
    """Make what these users need for a load test in each app, or remove it if there are none."""
    for module in modules("demo"):
        if hasattr(module, "set_up_loadtest"):
            module.set_up_loadtest(users)


def modules(name):
    """Yield the module of that name of each app that has one."""
    for app in apps.get_app_configs():
        if module_has_submodule(app.module, name):
            yield import_module(f"{app.name}.{name}")
