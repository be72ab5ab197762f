"""C4, C5: frames that are wrong, or too big."""

from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from conversation import NOTIFICATIONS

BAD_FRAMES = [
    (b"\x00\xff", "unsupported_data", None),
    ("{", "invalid_json", None),
    ("", "invalid_json", None),
    ('{"type": "chat_message", "message": "\\ud800"}', "invalid_json", None),
    ("[1]", "invalid_message", None),
    ("null", "invalid_message", None),
    ('{"message": "x", "id": 1}', "invalid_message", 1),
    ('{"type": 5, "id": "a"}', "invalid_message", "a"),
    ('{"type": "no_such", "id": 2}', "unknown_type", 2),
    ('{"type": "chat_message", "message": 5, "id": 3}', "invalid_message", 3),
    ('{"type": "chat_message", "message": "", "id": 4}', "invalid_message", 4),
    ('{"type": "chat_message", "id": 5}', "invalid_message", 5),
    ("[" * 30_000, "invalid_message", None),
    (
        '{"type": "webrtc_signal", "signal": {"a":' + "[" * 32_000 + "]" * 32_000 + "}}",
        "invalid_message",
        None,
    ),
]


async def test_c04_bad_frames_are_answered_and_the_socket_stays_usable(site):
    async with site.student.open(site.new_room()) as socket:
        await socket.frame("connection_established")
        for frame, code, id in BAD_FRAMES:
            await socket.socket.send(frame)
            error = await socket.frame()
            assert (error["type"], error["code"], error.get("id")) == ("error", code, id), (frame[:80], error)
            assert error["detail"]
            assert "Traceback" not in error["detail"]
            await socket.ping()
        assert (await socket.request("chat_message", message="Still here"))["ok"]


@pytest.mark.covering
async def test_c05_a_frame_of_10_mib_is_refused_with_1009(site):
    """Whole or in fragments. Once the server is warm, 80 MiB of them leave it less than 20 MiB bigger.

    If not at once, since memory is also taken for other reasons, then the next or the third time.
    """

    async def send(message):
        async with site.student.open(NOTIFICATIONS) as socket:
            await socket.frame("connection_established")
            with suppress(ConnectionClosed):
                await socket.socket.send(message)
            return await socket.closed()

    async def send_eight():
        for _ in range(4):
            assert await send(whole) == 1009
            # Who goes on with the next fragment after the refusal may find the connection reset.
            assert await send([half] * 256) in (1009, 1006)

    half, whole = "x" * 40_000, "x" * (10 * 2**20)
    assert await send([half, half]) == 1009
    await send_eight()
    growth = []
    while not growth or growth[-1] >= 20:
        assert len(growth) < 3, growth
        before = site.server.memory()
        await send_eight()
        growth.append(site.server.memory() - before)
    assert site.health().status_code == 200
