"""A front end elsewhere: login, sign-up, new passwords, with the limits of all logins."""

import re
import threading
from uuid import uuid4

import pytest
from django.test import Client

from accounts import throttle
from accounts.models import User

PASSWORD = "a-good-secret-1"
FRONT_END = "https://app.example.com"
NEW = {"username": "newcomer", "email": "Newcomer@Example.com", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture(autouse=True)
def set_up(settings, monkeypatch):
    settings.SIGN_UP = True
    settings.FRONTEND_ORIGINS = settings.CORS_ALLOWED_ORIGINS = settings.CSRF_TRUSTED_ORIGINS = [FRONT_END]
    monkeypatch.setattr(throttle, "PREFIX", uuid4().hex)  # counts of the test's own


def post(client, path, **fields):
    return client.post(f"/api/{path}/", fields, "application/json")


def test_a_page_elsewhere_logs_in_and_out_with_a_token_against_forgery(student):
    client = Client(enforce_csrf_checks=True)

    def ask(path, token, **fields):
        headers = {"X-CSRFToken": token, "Origin": FRONT_END}
        return client.post(f"/api/{path}/", fields, "application/json", headers=headers)

    token = client.get("/api/site/").json()["csrf_token"]
    known = {"username": "student", "password": "a-secret"}
    assert ask("login", "wrong", **known).status_code == 403
    answer = ask("login", token, **known)
    assert (answer.status_code, answer.json()["user"]["username"]) == (200, "student")
    token = answer.json()["csrf_token"]
    assert client.get("/api/site/").json()["user"]["id"] == student.pk
    assert ask("logout", token).json()["user"] is None
    assert ask("password", token).status_code == 401


def test_a_front_end_may_ask_and_others_may_not(client):
    for origin, allowed in ((FRONT_END, FRONT_END), ("https://elsewhere.example", None)):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        answer = client.options("/api/login/", headers=asked)
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed
        assert answer.headers.get("Access-Control-Allow-Credentials") == (allowed and "true")
    forged = Client(enforce_csrf_checks=True)
    token = forged.get("/api/site/").json()["csrf_token"]
    headers = {"X-CSRFToken": token, "Origin": "https://elsewhere.example"}
    assert forged.post("/api/login/", {}, "application/json", headers=headers).status_code == 403


def test_a_wrong_password_says_so_and_after_some_one_has_to_wait(client, student, settings):
    settings.THROTTLE = settings.THROTTLE | {"failed_by_address_at_account": (2, 900)}
    answers = [post(client, "login", username="student", password="wrong") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 429]
    assert answers[0].json()["detail"] == "This name or email address and this password do not match."
    assert 0 < int(answers[2].headers["Retry-After"]) <= 900
    assert post(client, "login", username="student", password="a-secret").status_code == 429


def test_signing_up_logs_in_where_it_may_be_done(client, transactional_db, settings):
    assert "password2" in post(client, "sign-up", **NEW | {"password2": "another"}).json()["errors"]
    answer = post(client, "sign-up", **NEW)
    assert (answer.status_code, answer.json()["user"]["username"]) == (200, "newcomer")
    assert post(client, "sign-up", **NEW).status_code == 403  # who is logged in
    settings.SIGN_UP = False
    assert post(Client(), "sign-up", **NEW).status_code == 404
    settings.SIGN_UP, settings.THROTTLE = True, settings.THROTTLE | {"sign_up_by_address": (0, 3600)}
    assert post(Client(), "sign-up", **NEW).status_code == 429


def test_a_password_is_changed_and_the_login_goes_on(client, student):
    client.force_login(student)
    new = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    assert "old_password" in post(client, "password", old_password="wrong", **new).json()["errors"]
    assert post(client, "password", old_password="a-secret", **new).status_code == 200
    assert client.get("/api/site/").json()["user"]["id"] == student.pk


def test_a_forgotten_password_is_replaced_through_the_front_end(client, student, settings, mailoutbox):
    User.objects.filter(pk=student.pk).update(email="student@example.com")
    settings.THROTTLE = settings.THROTTLE | {"reset_to_address": (2, 3600)}

    def ask(email):
        answer = post(client, "password-reset", email=email)
        for thread in threading.enumerate():
            if "send_mail" in thread.name:
                thread.join()
        return answer

    unknown = ask("nobody@example.com")
    assert not mailoutbox
    known = ask("STUDENT@example.com")
    assert (known.status_code, known.content) == (200, unknown.content)
    (mail,) = mailoutbox
    ((uid, token),) = re.findall(rf"{FRONT_END}/password-reset/(.+)/(.+)/", mail.body)
    fields = {"uid": uid, "token": token, "new_password1": PASSWORD, "new_password2": PASSWORD}

    def choose(**fields):
        return post(client, "password-reset/confirm", **fields)

    for wrong in ({}, fields | {"token": "x"}, fields | {"uid": "x"}):
        assert "no longer works" in choose(**wrong).json()["detail"]
    assert "new_password2" in choose(**fields | {"new_password2": "x"}).json()["errors"]
    assert choose(**fields).status_code == 200
    assert "no longer works" in choose(**fields).json()["detail"]
    assert post(client, "login", username="student", password=PASSWORD).status_code == 200
    assert [ask("student@example.com").status_code for _ in range(2)] == [200, 429]
