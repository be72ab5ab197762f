"""What chat models do for users, in a worker: they read a problem from a page, or solve one."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from itertools import chain, count
from typing import Any, cast

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.utils.text import slugify
from django.utils.timezone import now

from integrations.llm.provider import ProviderError
from problems import assistants, queue
from problems.claims import BEAT_SECONDS, Claim, Lost, Stopped
from problems.extraction import extract_problem_metadata_from_url
from problems.fetching import NotFetched, check_url
from problems.models import NO_SLUGS, Job, Problem
from problems.notify import tell
from problems.solution import generate_solution_for_problem
from problems.submitting import CODE_CHARS, NotTaken, check_plan, find, hold, store
from realtime import loops
from realtime.database import in_database

logger = logging.getLogger("problems")

AT_ONCE = 3  # jobs of a user
MOST_URL, MOST_DIFFICULTY = 500, 10_000
SECONDS = 300  # that one may take
STOP_SECONDS = 0.5  # between two looks whether the worker is to end

SHOWN = (assistants.NoAssistant, NotFetched, NotTaken, ProviderError)  # have a code and a detail for users


def extract(user_id: int, url: str, difficulty: int) -> Job:
    """Have a problem read from a page; raises `NoAssistant`, `NotFetched` or `NotTaken`."""
    assistants.check(settings.PROBLEMS_EXTRACTOR)
    if len(url) > MOST_URL or not 0 <= difficulty <= MOST_DIFFICULTY:
        detail = f"A rating is at most {MOST_DIFFICULTY}, and an address has {MOST_URL} characters at most."
        raise NotTaken("invalid_message", detail)
    check_url(url)
    return _begin(user_id, kind=Job.Kind.EXTRACT, url=url, difficulty=difficulty)


def solve(user_id: int, slug: str) -> Job:
    """Have a problem solved, and the solution judged as a submission of the user's; raises as `extract`."""
    assistants.check(settings.PROBLEMS_SOLVER)
    return _begin(user_id, kind=Job.Kind.SOLVE, problem=find(slug))


@transaction.atomic
def _begin(user_id: int, **fields: Any) -> Job:
    hold(user_id)
    if Job.objects.filter(owner=user_id).exclude(state="done").count() >= AT_ONCE:
        raise NotTaken("too_many", f"{AT_ONCE} of your jobs are not done yet. Let one end first.")
    if fields["kind"] == Job.Kind.SOLVE:
        check_plan(user_id)
    job = Job.objects.create(owner_id=user_id, heartbeat_at=now(), **fields)
    tell(job)
    queue.start(job)
    return job


# What a worker does


def work(pk: int, *, gone: bool = False, stop: Callable[[], bool] = lambda: False) -> None:
    """Do a job, unless that was done, or another worker does it; see `judging.judge`."""
    try:
        claim = Claim(Job, pk, gone=gone)
        tell(claim.row)
        if claim.is_hopeless:
            _fail(claim, "internal_error", "Each worker that tried it has died over it.")
            return
        try:
            if claim.row.kind == Job.Kind.EXTRACT:
                _extract(claim, stop)
            else:
                _solve(claim, stop)
        except Stopped:
            claim.give_back()
            tell(claim.row)
        except SHOWN as error:
            logger.warning("job %s failed: %s", pk, error.detail)
            _fail(claim, error.code, error.detail)
        except TimeoutError:
            _fail(claim, "too_slow", f"It was not done within {SECONDS} s.")
        except (Lost, OperationalError, InterfaceError):  # the database is away
            raise
        except Exception:
            logger.exception("job %s failed", pk)
            _fail(claim, "internal_error", "Something went wrong on the server.")
    except Lost:
        logger.debug("job %s is done by another worker, or gone", pk)


def _extract(claim: Claim[Job], stop: Callable[[], bool]) -> None:
    job = claim.row
    fields = _run(extract_problem_metadata_from_url(job.url, job.difficulty), claim, stop)
    try:
        _store_problem(claim, fields)
    except IntegrityError:  # another worker has just taken that slug
        _store_problem(claim, fields)


@transaction.atomic
def _store_problem(claim: Claim[Job], fields: dict[str, Any]) -> None:
    job = claim.row
    problem = Problem.objects.filter(url=job.url).first() or Problem(slug=_free_slug(fields["title"]))
    for name, value in fields.items():
        setattr(problem, name, value)
    problem.save()
    claim.store(state="done", problem=problem)
    tell(job)


def _solve(claim: Claim[Job], stop: Callable[[], bool]) -> None:
    job = claim.row
    problem = cast(Problem, job.problem)
    metadata = {field: getattr(problem, field) for field in PROBLEM_FIELDS}
    code = _run(generate_solution_for_problem(metadata, problem.difficulty), claim, stop)["solution_code"]
    if not code.strip() or len(code) > CODE_CHARS or "\0" in code:
        raise NotTaken("bad_solution", f"The model wrote no program of {CODE_CHARS} characters at most.")
    with transaction.atomic():
        claim.store(state="done", submission=store(job.owner_id, problem, code))
        tell(job)


PROBLEM_FIELDS = ("title", "statement", "difficulty", "tests", "time_limit_ms", "memory_mib")


def _fail(claim: Claim[Job], code: str, detail: str) -> None:
    claim.store(state="done", error=code, detail=detail)
    tell(claim.row)


def _free_slug(title: str) -> str:
    slug = slugify(title)[:90] or "problem"
    taken = {*NO_SLUGS, *Problem.objects.filter(slug__startswith=slug).values_list("slug", flat=True)}
    numbered = (f"{slug}-{number}" for number in count(2))
    return next(name for name in chain([slug], numbered) if name not in taken)


def _run[T](coroutine: Coroutine[Any, Any, T], claim: Claim[Job], stop: Callable[[], bool]) -> T:
    """Run async code to its end, on a loop of its own, while this worker says that it is alive."""

    async def run() -> T:
        task = asyncio.ensure_future(coroutine)
        try:
            async with asyncio.timeout(SECONDS):
                looks = 0
                while not (await asyncio.wait([task], timeout=STOP_SECONDS))[0]:
                    looks += 1
                    if stop():
                        raise Stopped
                    if looks % int(BEAT_SECONDS / STOP_SECONDS) == 0:
                        await in_database(claim.keep)()
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await loops.close()

    return asyncio.run(run())
