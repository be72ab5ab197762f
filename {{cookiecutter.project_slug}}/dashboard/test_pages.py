from accounts.mentors import make_mentor
from dashboard.models import Event


def test_the_page_and_its_entry_in_the_menu_are_for_them(client, mentor, student):
    make_mentor(mentor)
    assert client.get("/dashboard/").url == "/accounts/login/?next=/dashboard/"
    assert 'href="/dashboard/"' not in client.get("/").content.decode()
    for user, status in ((student, 403), (mentor, 200)):
        client.force_login(user)
        assert client.get("/dashboard/").status_code == status
        assert ('href="/dashboard/"' in client.get("/").content.decode()) == (status == 200)
        assert client.get("/dashboard/test/").status_code == 405
        client.post("/dashboard/test/", {"message": "Hel\0lo"})
    assert [event.data for event in Event.objects.all()] == [{"message": "Hello", "from": "mentor"}]
