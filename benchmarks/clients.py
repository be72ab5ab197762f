"""Measure what clients of WebSockets weigh: minified, and minified and gzipped. Needs npm.

`python -m benchmarks.clients` installs them into a folder that goes again, bundles each alone, as a page that
uses all of it would get it, and prints the table that stands in docs/client.md.
"""

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from .common import HERE

OURS = HERE.parent / "{{cookiecutter.project_slug}}"
PACKAGES = ["phoenix", "centrifuge", "socket.io-client", "chanx-js"]
BUNDLE = """
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
const bundle = await rolldown({ input: process.argv[1], platform: "browser", logLevel: "silent" });
const { output } = await bundle.generate({ minify: true });
console.log(JSON.stringify([output[0].code.length, gzipSync(output[0].code, { level: 9 }).length]));
"""


def main():
    print("| client | version | minified | gzipped |\n|---|---|--:|--:|")
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        install(folder, "rolldown")
        row("`realtime.js`", "", bundle(folder, OURS / "static/realtime.js"))
        for package in PACKAGES:
            if not install(folder, package):
                print(f"| {package} | could not be installed | | |")
                continue
            entry = folder / f"{package}.js"
            entry.write_text(f'export * from "{package}";')
            about = json.loads((folder / "node_modules" / package / "package.json").read_text())
            row(package, about["version"], bundle(folder, entry))


def install(folder, package):
    """Install a package; say whether there is one."""
    command = ["npm", "install", "--no-audit", "--no-fund", package]
    return subprocess.run(command, cwd=folder, capture_output=True).returncode == 0


def bundle(folder, entry):
    """Return the bytes of a module with all that it imports: minified, and gzipped."""
    command = ["node", "--input-type=module", "--eval", BUNDLE, entry]
    return json.loads(subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout)


def row(name, version, sizes):
    print(f"| {name} | {version} |", *(f"{size:,} |" for size in sizes))


if __name__ == "__main__":
    main()
