"""Make `presets/<name>/` from `presets/<name>.yaml`, for all of them: `make presets`.

Such a folder is a template of its own, with other defaults: cookiecutter and cruft take it by `--directory`
from a repository anywhere, while a `--config-file` has to be there already. All in it but `cookiecutter.json`
are links to the one template.
"""

import json
import sys
from pathlib import Path

import yaml
from cookiecutter.generate import generate_context

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent
LINKED = ("hooks", "refusals.py", "{{cookiecutter.project_slug}}")


def context(preset):
    """Return the text of a cookiecutter.json: the template's, with the answers of a preset as defaults."""
    answers = yaml.safe_load(preset.read_text(encoding="utf-8"))["default_context"]
    known = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
    for question in answers:
        if question not in known:
            sys.exit(f"{preset.name} answers {question!r}, which nobody asks; see cookiecutter.json.")
    if answers["_preset"] != preset.stem:
        sys.exit(f"{preset.name} has the _preset {answers['_preset']!r}; write {preset.stem}.")
    try:
        made = generate_context(str(ROOT / "cookiecutter.json"), extra_context=answers)
    except ValueError as error:
        sys.exit(f"{preset.name}: {error}")
    lines = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in made["cookiecutter"].items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def make(preset):
    folder = preset.with_suffix("")
    folder.mkdir(exist_ok=True)
    (folder / "cookiecutter.json").write_text(context(preset), encoding="utf-8")
    for name in LINKED:
        link = folder / name
        if not link.is_symlink():
            link.symlink_to(Path("../..") / name)


if __name__ == "__main__":
    for preset in sorted(FOLDER.glob("*.yaml")):
        make(preset)
