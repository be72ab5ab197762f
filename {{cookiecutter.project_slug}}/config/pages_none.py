"""This site has no pages but the admin's and those about its API."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
otherwise: list[URLPattern] = []  # asked last
