"""A program that solves a problem, as a chat model writes it."""

import msgspec
from django.conf import settings

from problems.assistants import ask

MAX_TOKENS = 8000

PROMPT = """Write a program in Python 3, with nothing but its standard library, that solves this problem. It
reads from standard input and writes to standard output. It may take {time_limit_ms} ms and {memory_mib} MiB.

{title}, rated {difficulty}

{statement}

{example}"""


class SolutionForm(msgspec.Struct):
    solution_code: str


async def generate_solution_for_problem(problem_metadata: dict, difficulty_rating: int) -> dict[str, str]:
    """Solve what the fields of a `Problem` say; raise `NoAssistant` or `ProviderError`."""
    shown = problem_metadata["tests"][:1]  # the one that users see, too
    example = "".join(f"Input:\n{test['input']}\nOutput:\n{test['output']}" for test in shown)
    prompt = PROMPT.format(**{**problem_metadata, "difficulty": difficulty_rating, "example": example})
    form = await ask(settings.PROBLEMS_SOLVER, prompt, SolutionForm, max_tokens=MAX_TOKENS)
    return {"solution_code": form.solution_code}
