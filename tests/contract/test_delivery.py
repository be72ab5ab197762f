"""C3, C9, C15: who is told what, also by other processes, and what was missed."""

import asyncio
from contextlib import AsyncExitStack

from conversation import NOTIFICATIONS


async def test_c03_people_meet_in_a_room(site):
    room = site.new_room()
    async with AsyncExitStack() as stack:
        student = await stack.enter_async_context(site.student.open(room))
        assert (await student.frame())["present"] == [{"id": 3, "username": "student"}]
        await student.send("chat_message", message="Is anybody here?")
        await student.frame("chat_message")  # so what was said before it, that the student joined, is over
        admin = await stack.enter_async_context(site.admin.open(room))
        assert len((await admin.frame())["present"]) == 2
        assert (await student.frame())["user"]["username"] == "admin"
        async with site.mentor.open(room) as mentor:
            hello = await mentor.frame()
            me = hello["user"]
            assert me["username"] == "mentor"
            assert sorted(user["username"] for user in hello["present"]) == ["admin", "mentor", "student"]
            assert await student.frame() == {"type": "presence", "event": "join", "user": me}
            assert await admin.frame() == {"type": "presence", "event": "join", "user": me}

            reply = await student.request("chat_message", message="Hello")
            said = [await socket.frame("chat_message") for socket in (student, mentor, admin)]
            assert reply == {"type": "reply", "id": 1, "ok": True, "message_id": said[0]["message_id"]}
            assert said[0] == said[1] == said[2]
            assert said[0]["message"] == "Hello"
            assert said[0]["sender"] == {"id": 3, "username": "student"}

            await mentor.send("typing", active=True)
            for socket in (student, admin):
                assert await socket.frame() == {"type": "typing", "active": True, "user": me}

            signal = {"sdp": "v=0\r\n" * 100}
            answer = await student.request("webrtc_signal", to=me["id"], signal=signal)
            assert answer == {"type": "reply", "id": 2, "ok": True}
            assert await mentor.frame() == {"type": "webrtc_signal", "from": 3, "signal": signal}
            await mentor.request("webrtc_signal", signal={"ice": 1})
            await mentor.request("chat_message", message="Here")
            for socket in (student, admin):  # so admin did not see the signal that was not for admin
                assert await socket.frame() == {
                    "type": "webrtc_signal",
                    "from": me["id"],
                    "signal": {"ice": 1},
                }
                assert (await socket.frame())["message"] == "Here"
        for socket in (student, admin):
            assert await socket.frame() == {"type": "presence", "event": "leave", "user": me}
        assert not student.unread
        assert not admin.unread


async def test_c09_an_event_from_another_process_arrives(site):
    async with site.mentor.open(NOTIFICATIONS) as socket:
        me = (await socket.frame("connection_established"))["user"]["id"]
        command = ("send_test_notification", "--user-id", str(me), "--message", "from afar")
        await asyncio.to_thread(site.project.manage, *command)
        notice = await socket.frame()
        assert notice["type"] == "notification"
        assert notice["data"] == {"message": "from afar"}
        assert (await socket.request("mark_read", notification_id=notice["notification_id"]))["ok"]


async def test_c15_who_comes_back_gets_what_was_missed(site):
    """Once each and in order, also while others go on talking and the client catches up."""
    room = site.new_room()

    async def talk_on(socket, numbers):
        for number in numbers:
            assert (await socket.request("chat_message", message=str(number)))["ok"]

    async with site.student.open(room) as student:
        async with site.mentor.open(room) as mentor:
            await mentor.frame("connection_established")
            await talk_on(student, range(3))
            seen = [await mentor.frame("chat_message") for _ in range(3)]
        await talk_on(student, range(3, 20))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(talk_on(student, range(20, 40)))
            await student.frame("chat_message")
            async with site.mentor.open(room, since=seen[1]["message_id"]) as mentor:
                caught_up = [await mentor.frame("chat_message") for _ in range(38)]
                await mentor.ping()
                assert not [frame for frame in mentor.unread if frame["type"] == "chat_message"]
    assert [frame["message"] for frame in caught_up] == [str(number) for number in range(2, 40)]

    for _ in range(3):
        site.mentor.post("/notifications/test/")
    async with site.mentor.open(NOTIFICATIONS) as socket:
        unread = (await socket.frame("connection_established"))["unread"]
        missed = [(await socket.frame("notification"))["notification_id"] for _ in range(unread)]
    async with site.mentor.open(NOTIFICATIONS, since=missed[-3]) as socket:
        await socket.frame("connection_established")
        site.mentor.post("/notifications/test/")
        again = [(await socket.frame("notification"))["notification_id"] for _ in range(3)]
    assert again[:2] == missed[-2:]
    assert again[2] > again[1]
