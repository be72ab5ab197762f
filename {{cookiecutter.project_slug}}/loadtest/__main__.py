"""`make loadtest`: put a site under load that agrees to it, and say how it did."""

import os
import signal
import sys

import django

signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is something to tell at Ctrl+C
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()  # which the imports below need

import uvloop

from loadtest.arguments import parse
from loadtest.problems import Problem
from loadtest.report import write
from loadtest.run import Run
from loadtest.verdict import judge, table

INTERRUPTED = 130


def main() -> int:
    options = parse(sys.argv[1:])
    try:
        figures = uvloop.run(Run(options).run())
    except Problem as problem:
        print(f"loadtest: {problem}", file=sys.stderr)
        return 2
    missed = judge(figures, options)
    print(f"\n{table(figures)}\n", write(options.report, figures, missed), *figures.remarks, sep="\n")
    for line in missed:
        print(f"Missed: {line}")
    return INTERRUPTED if figures.interrupted else int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
