"""C16: many WebSockets over one."""

from contract.site import PROBE
from conversation import NOTIFICATIONS
from polling import until


class Topics:
    """A conversation over `/ws/`."""

    def __init__(self, talk):
        self.talk, self.unread = talk, []

    async def subscribe(self, topic, **fields):
        """Open a topic; return the first frame that comes from there."""
        assert (await self.talk.request("subscribe", topic=topic, **fields))["ok"]
        return await self.frame(topic)

    async def frame(self, topic, *types):
        """Return the next frame of a topic, or the next of some types."""
        while True:
            for frame in self.unread:
                if frame.get("topic") == topic and (not types or frame["type"] in types):
                    self.unread.remove(frame)
                    return frame
            self.unread.append(await self.talk.frame())

    async def request(self, topic, type, **fields):
        return await self.talk.request(type, topic=topic, **fields)


async def test_c16_a_topic_does_what_its_socket_would(site):
    room, probe = site.new_room(), f"{PROBE}?run=left"
    async with site.mentor.open(room) as mentor:
        await mentor.frame("connection_established")
        async with site.student.open("/ws/") as socket:
            await socket.frame("connection_established")
            student = Topics(socket)
            hello = await student.subscribe(room)
            assert sorted(user["username"] for user in hello["present"]) == ["mentor", "student"]
            assert (await mentor.frame("presence"))["event"] == "join"
            for topic in (NOTIFICATIONS, probe):
                assert (await student.subscribe(topic))["type"] == "connection_established"
            site.student.post("/notifications/test/")
            assert (await student.frame(NOTIFICATIONS, "notification"))["notification_id"]

            # Both ways, and what was missed
            sent = [await student.request(room, "chat_message", message=str(n)) for n in range(3)]
            assert {reply["topic"] for reply in sent} == {room}
            for n in range(3):
                said = await mentor.frame("chat_message")
                assert await student.frame(room, "chat_message") == said | {"topic": room}
                assert said["message"] == str(n)
            again = f"{room}#2"
            await student.subscribe(again, since=sent[0]["message_id"])
            missed = [await student.frame(again, "chat_message") for _ in range(2)]
            assert [frame["message"] for frame in missed] == ["1", "2"]
            await mentor.request("chat_message", message="Hello")
            for topic in (room, again):
                assert (await student.frame(topic, "chat_message"))["message"] == "Hello"

            # What ends, alone
            assert (await student.request(probe, "explode"))["code"] == "internal_error"
            assert (await student.subscribe("/ws/nowhere/"))["code"] == 4404
            assert (await student.subscribe("/ws/"))["code"] == 4421
            refused = await student.request("/ws/rooms/nowhere/", "chat_message", message="x")
            assert refused["code"] == "not_subscribed"
            assert (await socket.request("unsubscribe", topic=probe))["ok"]
            await until(lambda: site.cleanups("left") == ["run=left 1000"])
            assert (await student.request(room, "chat_message", message="Still here"))["ok"]
            socket.socket.transport.abort()
        while (frame := await mentor.frame("presence"))["event"] != "leave":
            pass
        assert frame["user"]["username"] == "student"
