"""The frames as TypeScript, from consumers as people write them."""

import dataclasses
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypedDict

import msgspec
import pytest
from channels.routing import URLRouter
from django.core.management import CommandError, call_command
from django.urls import path, re_path

from config import routing
from realtime.consumer import OtherPaths, RealtimeConsumer
from realtime.frames import ClientFrame, Connected, Frame
from realtime.tests.sample import GuestConsumer, PlainConsumer, SampleConsumer
from realtime.typescript import source


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Place(NamedTuple):
    x: int
    y: float


class Notes(TypedDict):
    text: str
    by: NotRequired[str]


@dataclasses.dataclass
class Size:
    width: int = 1


class Item[T](msgspec.Struct):
    value: T


class Branch(msgspec.Struct):
    inner: list["Branch"] = []


class Draw(ClientFrame, tag="draw"):
    """Draws.

    Not at once; */ is no end.
    """

    color: Color
    opacity: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    notes: Notes | None = None


class Error(Frame, tag="drawing_error"):
    __module__ = "mistakes.frames"


class Drawn(Frame, tag="drawn", rename={"by": "from"}):
    by: int
    at: datetime
    place: Place
    kind: Literal["line", "dot"]
    more: dict[str, Any]
    item: Item[int]
    tree: Branch
    size: Size = dataclasses.field(default_factory=Size)
    draft: bool = False
    reason: str | msgspec.UnsetType = msgspec.UNSET


class Entered(Connected, tag="connection_established"):
    drawings: int


class Made(msgspec.Struct, omit_defaults=True):
    drawing: int
    warning: str = ""


class DrawingConsumer(RealtimeConsumer):
    """What is drawn in `/ws/drawing/`."""

    sends = (Entered, Drawn, Error)

    async def draw(self, frame: Draw) -> Made:
        return Made(1)


@pytest.fixture
def write(monkeypatch):
    """Return a function that writes the types of some routes, without the spaces at the start of lines."""

    def write(*routes):
        monkeypatch.setattr(routing, "websocket_urlpatterns", [*routes, re_path("", OtherPaths.as_asgi())])
        return [line.strip() for line in source().splitlines()]

    return write


def part(lines, start):
    """Return the lines of an interface, but for the first and the last one."""
    begin = lines.index("export interface " + start + " {") + 1
    return lines[begin : lines.index("}", begin)]


def test_each_type_of_a_field_has_one_in_typescript(write):
    lines = write(path("ws/drawing/", DrawingConsumer.as_asgi()))
    assert part(lines, "Drawn") == [
        'type: "drawn";',
        "from: number;",
        "at: string;",
        "place: Place;",
        'kind: "dot" | "line";',
        "more: Record<string, unknown>;",
        "item: ItemInt;",
        "tree: Branch;",
        "size: Size;",
        "draft: boolean;",
        "reason?: string;",
    ]
    assert "export type Place = [number, number];" in lines
    assert part(lines, "Branch") == ["inner: Array<Branch>;"]
    assert part(lines, "Notes") == ["by?: string;", "text: string;"]
    assert part(lines, "Size") == ["width: number;"]


def test_a_client_may_leave_out_what_has_a_default(write):
    assert part(write(path("ws/drawing/", DrawingConsumer.as_asgi())), "Draw") == [
        'type: "draw";',
        'color: "red" | "blue";',
        "opacity?: number;",
        "notes?: Notes | null;",
        "id?: number | string | null;",
    ]


def test_docstrings_are_comments_that_end_where_they_end(write):
    lines = write(path("ws/drawing/", DrawingConsumer.as_asgi()))
    end = lines.index("export interface Draw {")
    assert lines[end - 5 : end] == ["/**", "* Draws.", "*", "* Not at once; *\\/ is no end.", "*/"]
    comment = lines[lines.index("export interface DrawingConsumer {") - 1]
    assert comment == "/** What is drawn in `/ws/drawing/`. */"


def test_replies_and_what_is_sent_belong_to_a_consumer(write):
    lines = write(path("ws/drawing/", DrawingConsumer.as_asgi()))
    text = " ".join(part(lines, "DrawingConsumer"))
    assert "client: Draw | Ping | AuthRefresh;" in text
    assert "draw: Reply & Made;" in text
    assert '"auth.refresh": Reply;' in text
    assert part(lines, "Made") == ["drawing: number;", "warning?: string;"]
    assert ("| Entered" in text, "| Connected" in text) == (True, False)  # it says all that the other says


def test_a_name_that_means_something_else_is_another(write):
    lines = write(path("ws/drawing/", DrawingConsumer.as_asgi()))
    assert part(lines, "ErrorFrame")[0] == 'type: "error";'
    assert part(lines, "MistakesErrorFrame") == ['type: "drawing_error";']


def test_two_apps_may_have_structs_of_one_name(write):
    frame = msgspec.defstruct("Drawn", [], bases=(Frame,), tag="x", module="other_app.frames")
    other = type("OtherConsumer", (RealtimeConsumer,), {"sends": (frame,)})
    lines = write(path("ws/drawing/", DrawingConsumer.as_asgi()), path("ws/other/", other.as_asgi()))
    assert part(lines, "OtherAppDrawn") == ['type: "x";']
    assert part(lines, "Drawn")[0] == 'type: "drawn";'


@pytest.mark.parametrize(
    ("route", "key"),
    [
        (lambda to: path("ws/polls/", to), '"/ws/polls/"'),
        (lambda to: path("ws/polls/<slug:name>/", to), "[path: `/ws/polls/${string}/`]"),
        (lambda to: path("ws/<int:year>/<uuid:id>/", to), "[path: `/ws/${number}/${string}/`]"),
        (lambda to: re_path(r"^ws/(?P<id>[0-9]+)/a\.b/$", to), "[path: `/ws/${string}/a.b/`]"),
        (lambda to: path("ws/<int:a>/", URLRouter([path("b/", to)])), "[path: `/ws/${number}/b/`]"),
    ],
)
def test_a_path_is_a_key(write, route, key):
    assert part(write(route(SampleConsumer.as_asgi())), "Sockets") == [f"{key}: SampleConsumer;"]


def test_one_consumer_may_have_two_paths_and_a_plain_one_is_left_out(write):
    sample = SampleConsumer.as_asgi()
    lines = write(path("ws/a/", sample), path("ws/plain/", PlainConsumer.as_asgi()), path("ws/b/", sample))
    assert part(lines, "Sockets") == ['"/ws/a/": SampleConsumer;', '"/ws/b/": SampleConsumer;']


def test_a_pattern_that_another_one_fits_has_the_types_of_both(write):
    """TypeScript would refuse the inner one otherwise; a path that fits both has what they have in common."""
    lines = write(path("ws/a/", SampleConsumer.as_asgi()), path("ws/<slug:any>/", GuestConsumer.as_asgi()))
    assert part(lines, "Sockets") == [
        '"/ws/a/": SampleConsumer;',
        "[path: `/ws/${string}/`]: SampleConsumer | GuestConsumer;",
    ]


def test_the_command_writes_a_file_only_when_it_has_changed(tmp_path, capsys):
    file = tmp_path / "frames.ts"
    with pytest.raises(CommandError, match=r"is not what the consumers say; run manage\.py frames .+\.ts"):
        call_command("frames", file, check=True)
    assert not file.exists()
    call_command("frames", file)
    written = file.stat().st_mtime_ns
    call_command("frames", file)
    call_command("frames", file, check=True)
    assert file.stat().st_mtime_ns == written
    call_command("frames")
    assert capsys.readouterr().out == file.read_text()
    file.write_text(file.read_text() + "\n")
    with pytest.raises(CommandError, match="is not what"):
        call_command("frames", file, check=True)


@pytest.mark.parametrize(
    ("file", "problem"),
    [("nowhere/frames.ts", "cannot be written: No such file"), (".", "cannot be read: Is a directory")],
)
def test_a_file_that_cannot_be_written_is_named(tmp_path, monkeypatch, file, problem):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError, match=problem):
        call_command("frames", file)


def test_to_check_takes_a_file():
    with pytest.raises(CommandError, match="--check takes the file to look at"):
        call_command("frames", check=True)
