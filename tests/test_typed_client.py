"""The types of the client, made from the frames of a project: `tsc` refuses what the server would not take.

In typed/ a line with an error says by its number which one; all other lines are right.
"""

import json
import re
from pathlib import Path

import pytest

from offered import ALL_CONSUMERS
from serving import each
from variants import first

VARIANT = first(server="uvicorn", channel_layer="memory", auth="session_jwt", rest_api="drf") | {
    "frontend": "react",
    "consumers": ALL_CONSUMERS,
}
TYPED = Path(__file__).with_name("typed")
EXPECTED = re.compile(r"// (TS\d+)$")
FOUND = re.compile(r"^(?:.*/)?([\w-]+\.ts)\((\d+),\d+\): error (TS\d+)", re.MULTILINE)


@pytest.fixture(scope="module", params=each([VARIANT]))
def project(request, installed):
    return installed(request.param)


@pytest.fixture
def compiled(project, tmp_path):
    """Return a function that has `tsc` look at files, as at those of the front end, and returns errors."""

    def compiled(include, **paths):
        settings = {
            "extends": str(project.folder / "frontend/tsconfig.json"),
            "compilerOptions": {"types": [], "paths": paths},
            "include": [include],
        }
        (tmp_path / "tsconfig.json").write_text(json.dumps(settings))
        node = f"{project.folder}/.venv/bin/node"
        tsc = f"{project.folder}/frontend/node_modules/typescript/bin/tsc"
        printed = project.run("sh", "-c", f"{node} {tsc} --pretty false --project {tmp_path} || true")
        found = sorted((file, int(line), error) for file, line, error in FOUND.findall(printed))
        assert found or not printed, printed
        return found

    return compiled


def test_what_the_server_would_not_take_does_not_compile(project, compiled):
    expected = [
        (file.name, number, found[1])
        for file in sorted(TYPED.glob("*.ts"))
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if (found := EXPECTED.search(line))
    ]
    assert len(expected) > 30
    assert compiled(f"{TYPED}/*.ts", **{"src/*": [f"{project.folder}/frontend/src/*"]}) == expected


def test_without_the_types_of_frames_any_frame_goes(project, compiled, tmp_path):
    for name in ("realtime.js", "realtime.d.ts"):
        text = (project.folder / "frontend/src/realtime" / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "loose.ts").write_text(
        'import { RealtimeSocket } from "./realtime.js";\n'
        'const socket = new RealtimeSocket("/ws/polls/");\n'
        'socket.on("posted", (frame) => socket.send({ type: "post", text: frame.text }));\n'
        'socket.request({ type: "post" }).then((reply) => reply.anything);\n'
        "new RealtimeSocket(7);\n"
    )
    assert compiled("*.ts") == [("loose.ts", 5, "TS2345")]


def test_the_file_of_frames_is_checked(project):
    project.manage("frames", "frontend/src/realtime/frames.ts", "--check")
    (line,) = project.manage("frames", "README.md", "--check", fails=True).splitlines()
    assert line == "CommandError: README.md is not what the consumers say; run manage.py frames README.md."
