"""Each preset is had by one command, with cookiecutter and with cruft, from a repository elsewhere."""

import json
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from generation import files
from offered import CONFIG, QUESTIONS, TEMPLATE
from repository import commit, contents, cruft, environment, run
from systems import PRESETS, answers

MAKE = runpy.run_path(str(TEMPLATE / "presets/make.py"))
COOKIECUTTER = (sys.executable, "-m", "cookiecutter")
# What a preset has in files of its own, beside its story.
OWN = {
    "chat-arena": {Path("Makefile")},
    "interview-platform": {Path("Makefile"), Path("docs/protocol.md"), Path("rooms/routing.py")},
}
STORY = "Its story, to show to somebody:"


@pytest.fixture(params=PRESETS)
def preset(request):
    return request.param


def make(preset, template, folder, *more, **options):
    """Make a project of a preset; return its folder and what was printed."""
    folder.mkdir(exist_ok=True)
    command = (*COOKIECUTTER, template, "--directory", f"presets/{preset}", *more)
    printed = run(*command, cwd=folder, **options)
    (project,) = folder.iterdir()
    return project, printed


def test_folders_are_those_that_make_presets_makes(preset):
    folder = PRESETS[preset].with_suffix("")
    made = MAKE["context"](PRESETS[preset])
    assert (folder / "cookiecutter.json").read_text(encoding="utf-8") == made, "run `make presets`"
    links = {path.name: path.readlink() for path in folder.iterdir() if path.is_symlink()}
    assert links.keys() == set(MAKE["LINKED"])
    assert all((folder / target).resolve() == TEMPLATE / name for name, target in links.items())


def test_files_have_an_answer_and_a_comment_for_what_matters(preset):
    lines = PRESETS[preset].read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert answers(preset).keys() - {"_preset", "_env"} <= {*QUESTIONS, *CONFIG["_options"]}
    for option in ("server", "channel_layer", "database", "auth", "consumers", "deployment"):
        assert any(line.startswith(f"  {option}: ") for line in lines), option
    assert (TEMPLATE / "templates" / f"{preset}.md").is_file()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("  sever: daphne", "nowhere.yaml answers 'sever', which nobody asks; see cookiecutter.json."),
        ("  server: apache", "nowhere.yaml: apache provided for choice variable server"),
    ],
)
def test_a_wrong_answer_in_a_preset_is_named(tmp_path, line, words):
    preset = tmp_path / "nowhere.yaml"
    preset.write_text(f"default_context:\n  _preset: nowhere\n{line}\n")
    with pytest.raises(SystemExit) as refused:
        MAKE["context"](preset)
    assert str(refused.value).startswith(words)


def test_one_command_makes_it_without_questions(preset, template, tmp_path, bake):
    project, printed = make(preset, f"git+file://{template}", tmp_path / "made", "--no-input")
    chosen = answers(preset)
    told, own = chosen.pop("_preset"), {Path("README.md"), *OWN.get(preset, ())}
    if chosen.pop("_env", None):
        own.add(Path("config/dotenv.py"))
    expected = files(bake(**chosen))
    made = files(project)
    assert made.keys() == expected.keys()
    assert {path for path in made if made[path] != expected[path]} == own
    assert f" --directory presets/{told} " in printed


def test_development_begins_with_the_variables_of_the_preset(preset, template, tmp_path):
    """Who changes one, or takes it out, has it so from then on; and each is one that the project knows."""
    project, _ = make(preset, template, tmp_path / "made", "--no-input")
    expected, dotenv = answers(preset).get("_env", {}), project / ".env"
    values = dict(line.split("=", 1) for line in dotenv.read_text(encoding="utf-8").splitlines())
    assert values | expected == values
    known = (project / ".env.example").read_text(encoding="utf-8")
    assert [name for name in expected if f"\n# {name}=" not in known] == []
    dotenv.write_text("".join(f"{name}={values[name]}\n" for name in values.keys() - expected.keys()))
    assert run(sys.executable, "-m", "config.dotenv", cwd=project) == ""


def test_it_asks_with_the_preset_s_answers_as_defaults(preset, template, tmp_path):
    """Pressing Enter accepts them all; and what is answered otherwise counts."""
    project, _ = make(preset, template, tmp_path / "asked", input="\n" * len(QUESTIONS))
    made, _ = make(preset, template, tmp_path / "made", "--no-input")
    assert files(project) == files(made)
    lines = ["Harbour Lights", *[""] * (len(QUESTIONS) - 1)]
    project, _ = make(preset, template, tmp_path / "other", input="\n".join(lines) + "\n")
    assert project.name == "harbour_lights"


def test_answers_on_the_command_line_win_and_those_that_do_not_fit_are_refused(preset, template, tmp_path):
    project, _ = make(preset, template, tmp_path / "made", "--no-input", "ci=none", "license=Proprietary")
    assert not (project / ".github").exists()
    command = (*COOKIECUTTER, template / "presets" / preset, "--no-input", "auth=jwt", "rest_api=none")
    done = subprocess.run(
        list(map(str, command)), cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stdout.startswith("auth jwt needs rest_api drf; choose rest_api=drf, or another auth: ")


def test_the_same_project_again(preset, template, tmp_path):
    """By the command that it prints, and by `--replay`."""
    project, printed = make(preset, template, tmp_path / "made", "--no-input", "project_name=Bob's Site")
    again = next(line for line in printed.splitlines() if line.startswith("  cookiecutter "))
    run(sys.executable, "-m", *shlex.split(again), "--output-dir", tmp_path / "again", cwd=tmp_path)
    replay = (*COOKIECUTTER, template, "--directory", f"presets/{preset}", "--replay")
    run(*replay, "--output-dir", tmp_path / "replayed", cwd=tmp_path)
    for folder in ("again", "replayed"):
        assert files(tmp_path / folder / project.name) == files(project)


def test_a_preset_that_is_not_known_is_refused(template, tmp_path):
    command = (*COOKIECUTTER, template, "--no-input", "_preset=cluod-run")
    done = subprocess.run(
        list(map(str, command)), cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 1
    line, *_ = done.stdout.splitlines()
    assert line == f"_preset 'cluod-run' is not known; choose one of {', '.join(PRESETS)}, or leave it out."


def test_cruft_makes_the_same_and_updates_it(preset, template, tmp_path):
    made, _ = make(preset, template, tmp_path / "made", "--no-input")
    command = ("create", template, "--directory", f"presets/{preset}", "--no-input")
    cruft(*command, "--output-dir", tmp_path / "cruft", cwd=tmp_path)
    project = tmp_path / "cruft" / made.name
    state = project / ".cruft.json"
    kept = json.loads(state.read_text())["context"]["cookiecutter"]
    assert (kept["_preset"], kept["_env"]) == (preset, answers(preset).get("_env", {}))
    assert files(project).keys() - files(made).keys() == {state.relative_to(project)}
    run("git", "init", "--quiet", "--initial-branch=main", cwd=project)
    commit(project, "As generated")

    with (template / "{{cookiecutter.project_slug}}" / ".gitignore").open("a") as file:
        file.write("new-in-the-template\n")
    commit(template, "A change of the template")
    changed = json.dumps({"ci": "none"})
    cruft("update", "--skip-apply-ask", "--variables-to-update", changed, cwd=project)
    after = contents(project)
    assert b"new-in-the-template" in after[".gitignore"]
    assert ".github/workflows/ci.yml" not in after
    assert after["README.md"].startswith((made / "README.md").read_bytes().partition(b"## Run it")[0])
    assert after["config/dotenv.py"] == (made / "config/dotenv.py").read_bytes()
    assert "up to date" in cruft("check", cwd=project)


def test_without_what_its_story_needs_a_project_does_not_tell_it(preset, template, tmp_path):
    project, _ = make(preset, template, tmp_path / "made", "--no-input", "consumers=none")
    assert STORY not in (project / "README.md").read_text(encoding="utf-8")


def test_readme_tells_its_story_in_five_steps(preset, template, tmp_path):
    project, _ = make(preset, template, tmp_path / "made", "--no-input")
    story = (project / "README.md").read_text(encoding="utf-8").partition(STORY)[2].partition("\n## ")[0]
    assert [line[:3] for line in story.splitlines() if line] == [f"{n}. " for n in range(1, 6)]


def test_gallery_has_a_row_for_each_preset(preset):
    gallery = (TEMPLATE / "README.md").read_text(encoding="utf-8").partition("\n## Whole systems\n")[2]
    gallery = gallery.partition("\n## ")[0]
    assert f"--no-input --directory presets/{preset}\n" in gallery
    assert f"](docs/images/{preset}.png)" in gallery
    assert (TEMPLATE / f"docs/images/{preset}.png").is_file()
