"""Signing up, logging in, and a new password by mail."""

import re
import threading

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.mail import EmailMessage
from django.db import IntegrityError

from accounts import checks
from accounts.forms import SignUpForm
from accounts.mail import ConsoleBackend
from accounts.models import User

PASSWORD = "a-good-secret-1"
SIGN_UP = "/accounts/sign-up/"
RESET = "/accounts/password_reset/"
NEW = {
    "username": "newcomer",
    "email": "Newcomer@Example.com",
    "password1": PASSWORD,
    "password2": PASSWORD,
}


@pytest.fixture
def sign_up(client, settings, transactional_db):
    """Return a function that fills in the form."""
    settings.SIGN_UP = True
    return lambda **fields: client.post(SIGN_UP, NEW | fields)


def test_signing_up_logs_in(client, sign_up):
    answer = sign_up(next="/accounts/password_change/")
    assert (answer.status_code, answer.url) == (302, "/accounts/password_change/")
    user = User.objects.get()
    assert (user.username, user.email) == ("newcomer", "Newcomer@example.com")
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert client.get(answer.url).status_code == 200
    assert client.get(SIGN_UP).url == "/"  # who is logged in needs no account
    assert sign_up(username="another", email="b@example.com").status_code == 302
    assert User.objects.count() == 1


def test_of_two_clicks_at_once_one_makes_an_account(sign_up, monkeypatch):
    monkeypatch.setattr(SignUpForm, "clean_username", lambda form: form.cleaned_data["username"])
    monkeypatch.setattr(SignUpForm, "clean_email", lambda form: form.cleaned_data["email"])
    for check in ("validate_unique", "validate_constraints"):
        monkeypatch.setattr(User, check, lambda *_, **__: None)
    User.objects.create_user("newcomer", "newcomer@example.com")  # by the first click
    answer = sign_up()
    assert answer.status_code == 200
    assert "just been taken" in answer.text


def test_a_link_leads_elsewhere_only_on_this_site(sign_up):
    assert sign_up(next="https://evil.example/").url == "/"


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("username", "STUDENT", "A user with that username already exists."),
        ("username", "a@example.com", "Choose a name without @"),
        ("email", "STUDENT@EXAMPLE.COM", "A user with that email address already exists."),
        ("email", "", "This field is required."),
        ("email", "no address", "Enter a valid email address."),
        ("password2", "another-1", "The two password fields didn’t match."),
        ("password2", "newcomer", "The password is too similar to the username."),
    ],
)
def test_what_is_wrong_is_said_where_it_is(student, sign_up, field, value, error):
    User.objects.filter(pk=student.pk).update(email="student@example.com")
    fields = {field: value}
    if value == "newcomer":
        fields["password1"] = value
    answer = sign_up(**fields)
    assert answer.status_code == 200
    assert error in str(answer.context["form"].errors[field])
    assert User.objects.count() == 1


def test_signing_up_can_be_off(client, sign_up, settings):
    pages = ("/accounts/login/", "/accounts/password_reset/")
    assert all(SIGN_UP in client.get(page).text for page in pages)
    settings.SIGN_UP = False
    assert (client.get(SIGN_UP).status_code, sign_up().status_code) == (404, 404)
    assert not any(SIGN_UP in client.get(page).text for page in pages)


def test_an_address_belongs_to_one_user_however_it_is_written(transactional_db):
    for name in ("one", "other"):
        User.objects.create_user(name)  # both without an address
    User.objects.create_user("third", "third@example.com")
    with pytest.raises(IntegrityError):
        User.objects.create_user("fourth", "THIRD@example.com")


@pytest.mark.parametrize("login", ["student", "student@example.com", "Student@EXAMPLE.com"])
def test_one_logs_in_by_name_or_address(client, student, login):
    User.objects.filter(pk=student.pk).update(email="student@example.com")
    fields = {"username": login, "password": "a-secret", "next": "/admin/"}
    assert client.post("/accounts/login/", fields).status_code == 302
    assert client.session["_auth_user_id"] == str(student.pk)
    assert client.get("/accounts/login/").status_code == 302


def test_a_name_goes_before_an_address(student, mentor):
    User.objects.filter(pk=student.pk).update(email="shared@example.com")
    User.objects.filter(pk=mentor.pk).update(username="shared@example.com")
    for login, user in (("shared@example.com", mentor), ("SHARED@example.com", student)):
        assert authenticate(username=login, password="a-secret") == user


@pytest.mark.parametrize("login", ["", "student", "nobody", "nobody@example.com", "@"])
def test_a_wrong_password_is_refused_and_takes_one_hash(client, student, monkeypatch, login):
    hashed, encode = [], MD5PasswordHasher.encode

    def counted(self, *arguments, **options):
        hashed.append(arguments)
        return encode(self, *arguments, **options)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    answer = client.post("/accounts/login/", {"username": login, "password": "wrong"})
    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session
    assert len(hashed) == (1 if login else 0)


def ask_for_a_link(client, email, follow=True):
    answer = client.post(RESET, {"email": email}, follow=follow)
    for thread in threading.enumerate():
        if "send_mail" in thread.name:
            thread.join()
    return answer


def test_a_forgotten_password_is_replaced_by_mail(client, student, settings, mailoutbox):
    User.objects.filter(pk=student.pk).update(email="student@example.com")
    unknown = ask_for_a_link(client, "nobody@example.com")
    assert not mailoutbox
    known = ask_for_a_link(client, "STUDENT@example.com")
    assert (known.text, known.redirect_chain) == (unknown.text, unknown.redirect_chain)
    (mail,) = mailoutbox
    assert mail.subject == f"A new password for {settings.PROJECT_NAME}"
    assert f"your account at {settings.PROJECT_NAME}." in mail.body
    assert (mail.to, mail.from_email) == (["student@example.com"], settings.DEFAULT_FROM_EMAIL)
    assert not mail.alternatives
    (link,) = re.findall(r"http://testserver(/\S+)", mail.body)

    form = client.get(link, follow=True)
    assert "Choose a new password" in form.text
    fields = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    done = client.post(form.request["PATH_INFO"], fields, follow=True)
    assert "Password changed" in done.text
    assert client.login(username="student", password=PASSWORD)
    assert "no longer works" in client.get(link, follow=True).text


def test_links_are_whole_where_mail_is_printed(capsys):
    link = "http://testserver/" + "long/" * 40
    ConsoleBackend().send_messages([EmailMessage("Hello", f"Follow {link}", to=["a@example.com"])])
    printed = capsys.readouterr().out
    assert "To: a@example.com\nSubject: Hello\n" in printed
    assert f"Follow {link}\n" in printed


def test_mail_without_a_server_is_warned_of(settings):
    settings.MAIL = {"EMAIL_HOST": None}
    settings.DEBUG = False
    (warning,) = checks.mail_goes_nowhere(None)
    assert "EMAIL_URL is not set" in warning.msg
    settings.DEBUG = True
    assert not checks.mail_goes_nowhere(None)
    settings.DEBUG, settings.MAIL = False, {"EMAIL_HOST": "mail.example.com"}
    settings.DEFAULT_FROM_EMAIL = "noreply@example.com"
    (warning,) = checks.mail_goes_nowhere(None)
    assert "DEFAULT_FROM_EMAIL" in warning.hint
    settings.DEFAULT_FROM_EMAIL = "noreply@example.org"
    assert not checks.mail_goes_nowhere(None)


def test_the_page_of_a_guest_asks_for_no_ticket(client):
    assert '<meta name="ws-auth" content="">' in client.get("/accounts/login/").text
