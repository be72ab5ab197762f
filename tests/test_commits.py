"""What goes with a project's repository: hooks before a commit, updates of dependencies, editors."""

import shutil
import sys
from pathlib import Path

import pytest
from editorconfig import get_properties

from generation import GIT, run
from serving import each
from variants import first

TOOLS = Path(sys.executable).parent
COMMIT = [*GIT, "commit", "--quiet", "--message=Work"]
UPDATES = {
    "github": (".github/dependabot.yml", "vendor.dependabot"),
    "gitlab": (".gitlab/renovate.json", "vendor.renovate"),
}


# -- Hooks -------------------------------------------------------------------------------------------------


@pytest.fixture
def repository(installed):
    """Return a function that makes a git repository of an installed variant, with its hooks switched on."""
    folders = []

    def repository(variant):
        project = installed(variant)
        folders.append(project.folder)
        project.run("git", "init", "--quiet")
        project.run(".venv/bin/pre-commit", "validate-config")
        project.run(".venv/bin/pre-commit", "install")
        project.make("lock")
        project.run("git", "add", "--all")
        return project

    yield repository
    for folder in folders:
        shutil.rmtree(folder / ".git")
        (folder / "uv.lock").unlink(missing_ok=True)


@pytest.mark.parametrize("variant", each([first(ci="github"), first(ci="gitlab")]))
def test_a_commit_is_checked_by_the_project_s_own_tools(variant, repository):
    project = repository(variant)
    output = project.run(*COMMIT)
    assert output.count("Passed") == 4, output

    def commit(path, text):
        """Try to commit a file with more text; return what is said, and what then stands at its end."""
        file = project.folder / path
        before = file.read_text(encoding="utf-8")
        file.write_text(before + text, encoding="utf-8")
        project.run("git", "add", path)
        said = project.run(*COMMIT, fails=True)
        left = file.read_text(encoding="utf-8")[len(before) :]
        file.write_text(before, encoding="utf-8")
        project.run("git", "add", path)
        return said, left

    said, left = commit("config/context.py", "\n\nVALUE = { 'a' : unknown }\n")
    assert "F821" in said
    assert 'VALUE = {"a": unknown}' in left
    said, _ = commit("README.md", "Ends in blanks.  \n")
    assert "README.md" in said
    assert "trailing whitespace" in said
    said, _ = commit("pyproject.toml", '\n[tool.uv.sources]\nruff = { path = "elsewhere" }\n')
    assert "uv.lock belongs to pyproject.toml" in said
    assert project.run("git", "status", "--porcelain") == ""


# -- Files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deployment", ["docker", "none"])
@pytest.mark.parametrize("ci", UPDATES)
def test_updates_of_dependencies_fit_their_schema(ci, deployment, bake):
    path, schema = UPDATES[ci]
    file = bake(ci=ci, deployment=deployment) / path
    run(TOOLS / "check-jsonschema", "--builtin-schema", schema, file)
    if ci == "github":
        run(TOOLS / "zizmor", "--offline", "--no-progress", "--persona", "auditor", file)
        text = file.read_text(encoding="utf-8")
        assert ("docker-compose" in text) == (file.parents[1] / "compose.yaml").exists()


CODE = {".css", ".html", ".js", ".json", ".svg", ".toml", ".yaml", ".yml"}  # and Python, which ruff knows


def test_files_are_as_editors_are_told_to_write_them(bake):
    project = bake(ci="github", deployment="all", database="postgresql")
    for path in filter(Path.is_file, project.rglob("*")):
        told, text = get_properties(path), path.read_bytes().decode()
        lines = text.splitlines()
        assert "\r" not in text, path
        assert text.endswith("\n") or not text, path
        assert [line for line in lines if line != line.rstrip()] == [], path
        indents = {line[: len(line) - len(line.lstrip())] for line in lines} - {""}
        if told["indent_style"] == "tab":
            assert indents == {"\t"}, path
        elif path.suffix in CODE and indents:
            assert min(map(len, indents)) == int(told["indent_size"]), path
