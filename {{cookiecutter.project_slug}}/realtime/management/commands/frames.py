"""Write the frames of all consumers as TypeScript, from realtime/typescript.py."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from realtime.typescript import source


class Command(BaseCommand):
    help = "Writes TypeScript: which frames each WebSocket takes, sends and answers, read from the consumers."
    requires_system_checks = []  # whatever else is wrong, these are the frames

    def add_arguments(self, parser):
        parser.add_argument("file", nargs="?", help="where they go; without it they are printed")
        parser.add_argument("--check", action="store_true", help="only say whether the file is current")

    def handle(self, file, check, **options):
        text = source()
        if file is None:
            if check:
                raise CommandError("--check takes the file to look at: manage.py frames frames.ts --check.")
            self.stdout.write(text, ending="")
            return
        current = read(file) == text
        if check and not current:
            raise CommandError(f"{file} is not what the consumers say; run manage.py frames {file}.")
        if not current:  # one that stays as it is has nobody build anew
            write(file, text)


def read(file):
    """Return the text of a file; None if it is not there."""
    try:
        return Path(file).read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from None


def write(file, text):
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}.") from None
