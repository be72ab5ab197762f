"""Keep what was chosen, drop the rest, write `.env` and say what was made."""

import json
import os
import secrets
import shlex
import shutil
import sys
from pathlib import Path

ANSWERS = dict(json.loads(r"""{{ cookiecutter.items() | list | tojson }}"""))
CONSUMERS = ANSWERS["__consumers"].split(", ")
TARGETS = ANSWERS["__deployment"].split(", ")
LAYER = ANSWERS["channel_layer"]
IN_CONTAINERS = not {"docker", "kubernetes", "cloudrun"}.isdisjoint(TARGETS)

# One of N: of the siblings `server_uvicorn.py`, `server_daphne.py`... the chosen one stays, as `server.py`.
CHOSEN = {
    "serving/server.py": ANSWERS["server"],
    "LICENSE": ANSWERS["license"],
    "realtime/layer.py": LAYER,
    "realtime/allowance.py": "memory" if LAYER == "memory" else "redis",
    "realtime/presence.py": "memory" if LAYER == "memory" else "redis",
}

# Files and folders that stand or go whole.
KEPT = {
    "realtime/auth_jwt.py": ANSWERS["auth"] != "session",
    "accounts/urls.py": ANSWERS["auth"] != "session",
    "accounts/tokens.py": ANSWERS["auth"] != "session",
    "accounts/migrations/0002_revokedlogin.py": ANSWERS["auth"] != "session",
    "serving/uvicorn_frames.py": ANSWERS["server"] in ("uvicorn", "gunicorn"),
    "serving/websocket_limits.py": ANSWERS["server"] != "granian",
    "serving/granian_sockets.py": ANSWERS["server"] == "granian",
    "realtime/redis.py": LAYER != "memory",
    "realtime/tests/test_redis.py": LAYER != "memory",
    "static/ui.js": CONSUMERS != [""],
    "realtime/presence.py": "rooms" in CONSUMERS,
    "rooms": "rooms" in CONSUMERS,
    "notifications": "notifications" in CONSUMERS,
    "problems": ANSWERS["rest_api"] == "drf",
    "Dockerfile": IN_CONTAINERS,
    ".dockerignore": IN_CONTAINERS,
    "health/probe.py": IN_CONTAINERS,
    "compose.yaml": "docker" in TARGETS,
    "deploy/docker": "docker" in TARGETS,
    "deploy/nginx": "docker" in TARGETS or "systemd" in TARGETS,
    "deploy/systemd": "systemd" in TARGETS,
    "deploy/supervisor": "supervisor" in TARGETS,
    "deploy/procfile": "procfile" in TARGETS,
    "Procfile": "procfile" in TARGETS,
    "deploy/cloudrun": "cloudrun" in TARGETS,
    "deploy/kubernetes/hpa.yaml": LAYER != "memory",
    "deploy/kubernetes/pdb.yaml": LAYER != "memory",
    "deploy/kubernetes": "kubernetes" in TARGETS,
    ".github": ANSWERS["ci"] == "github",
    ".gitlab-ci.yml": ANSWERS["ci"] == "gitlab",
}

MISSING = "{} is named in hooks/post_gen_project.py but is not in the template; mend one of them."


def choose(path, choice):
    siblings = sorted(path.parent.glob(f"{path.stem}_*{path.suffix}"))
    chosen = path.with_stem(f"{path.stem}_{choice}")
    if chosen not in siblings:
        sys.exit(MISSING.format(chosen))
    chosen.replace(path)
    for sibling in siblings:
        sibling.unlink(missing_ok=True)


def drop(path):
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        path.unlink()
    else:
        sys.exit(MISSING.format(path))
    while not any(path.parent.iterdir()):
        path = path.parent
        path.rmdir()


def write_env(path):
    """Write the secrets once: an `.env` that exists is never changed."""
    lines = ["DEBUG=true", f"SECRET_KEY={secrets.token_urlsafe(48)}"]
    if ANSWERS["database"] == "postgresql":
        slug, password = ANSWERS["project_slug"], secrets.token_urlsafe(16)
        lines.append(f"DATABASE_URL=postgresql://{slug}:{password}@127.0.0.1:5432/{slug}")
    if LAYER != "memory":
        lines.append("REDIS_URL=redis://127.0.0.1:6379/0")
    if ANSWERS["database"] == "postgresql" and "docker" in TARGETS:
        lines.append(f"POSTGRES_PASSWORD={secrets.token_hex(16)}")
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def summary():
    folder = Path.cwd()
    if str(folder.parent) == os.environ.get("PWD"):
        folder = folder.name
    questions = {key: value for key, value in ANSWERS.items() if not key.startswith("_")}
    command = ["cookiecutter", ANSWERS["_template"], "--no-input"]
    command += [f"{key}={value}" for key, value in questions.items()]
    needs = ["PostgreSQL"] * (ANSWERS["database"] == "postgresql") + ["Redis"] * (LAYER != "memory")
    parts = [
        f"Django {ANSWERS['django_version']} on {ANSWERS['server']}",
        f"channel layer {LAYER}",
        f"auth {ANSWERS['auth']}",
        f"consumers {ANSWERS['__consumers'] or 'none'}",
        f"database {ANSWERS['database']}",
        f"REST API {ANSWERS['rest_api']}",
        f"deployment {ANSWERS['__deployment'] or 'none'}",
    ]
    return f"""
Made {folder}: {"; ".join(parts)}.

Next:
  cd {shlex.quote(str(folder))}
  make run{f"    (with {' and '.join(needs)} running; .env says where)" if needs else ""}

The same project again, without questions:
  {shlex.join(command)}
"""


for path, choice in CHOSEN.items():
    choose(Path(path), choice)
for path, kept in KEPT.items():
    if not kept:
        drop(Path(path))
write_env(Path(".env"))
print(summary())
