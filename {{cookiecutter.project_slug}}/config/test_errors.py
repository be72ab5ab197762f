import threading

from asgiref.sync import sync_to_async
from django.db.backends.signals import connection_created

from accounts.models import User


async def test_an_error_page_gives_its_connection_back(async_client, student):
    opened = {}

    def note(connection, **signal):
        opened[connection] = threading.get_ident()

    await async_client.aforce_login(student)
    connection_created.connect(note)
    try:
        answer = await async_client.get("/nowhere.html")
    finally:
        connection_created.disconnect(note)
    assert (answer.status_code, "Log out" in answer.text) == (404, True)
    own = await sync_to_async(threading.get_ident)()  # that of the test
    elsewhere = [connection for connection, thread in opened.items() if thread != own]
    assert elsewhere
    assert all(connection.connection is None for connection in elsewhere)


def test_an_error_page_leaves_the_transaction_of_a_test_as_it_is(client, db):
    user = User.objects.create_user("somebody")
    assert client.get("/nowhere.html").status_code == 404
    assert User.objects.get() == user
