"""Refuse answers that would not work: refusals.py raises while cookiecutter renders this file."""

ACCEPTED = "{{ (cookiecutter | accept).project_slug }}"
