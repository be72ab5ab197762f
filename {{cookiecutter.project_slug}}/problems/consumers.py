from problems import jobs
from problems.frames import (
    Extract,
    JobBegun,
    JobChanged,
    JobInfo,
    ProblemsConnected,
    ProblemsSnapshot,
    Solve,
    SubmissionChanged,
    SubmissionInfo,
    Submit,
    Submitted,
    of_job,
    of_submission,
)
from problems.models import Job, Submission
from problems.notify import group_of
from problems.queue import wake
from problems.submitting import CODE_CHARS, submit
from realtime.consumer import HEARTBEAT, RealtimeConsumer
from realtime.database import in_database
from realtime.frames import FrameError

SHOWN = 50  # submissions that a snapshot has


class ProblemsConsumer(RealtimeConsumer):
    """A user's own submissions and jobs in `/ws/problems/`: as they are now, then what changes."""

    sends = (ProblemsConnected, ProblemsSnapshot, SubmissionChanged, JobChanged)

    async def opened(self):
        await self.join(group_of(self.user.pk))
        hello = ProblemsConnected(user=self.user_info, heartbeat=HEARTBEAT, code_chars=CODE_CHARS)
        await self.greet(hello, await self.snapshot())
        await in_database(wake)()  # another process may have left some of it

    async def submit(self, frame: Submit) -> Submitted:
        return Submitted(await self.ask(submit, frame.problem, frame.code))

    async def solve(self, frame: Solve) -> JobBegun:
        return JobBegun(await self.ask(jobs.solve, frame.problem))

    async def extract(self, frame: Extract) -> JobBegun:
        if not self.user.is_staff:
            raise FrameError("not_allowed", "Only staff may add problems.")
        return JobBegun(await self.ask(jobs.extract, frame.url, frame.difficulty_rating))

    async def ask(self, what, *arguments) -> int:
        """Have something done for the user, and return the id of what is stored of it."""
        try:
            return (await in_database(what)(self.user.pk, *arguments)).pk
        except jobs.SHOWN as refusal:
            raise FrameError(refusal.code, refusal.detail) from None

    @in_database
    def snapshot(self) -> ProblemsSnapshot:
        submissions, jobs = self.newest(Submission.objects.defer("code")), self.newest(Job.objects.all())
        return ProblemsSnapshot(
            submissions=[of_submission(SubmissionInfo, row) for row in submissions],
            jobs=[of_job(JobInfo, row) for row in jobs],
        )

    def newest(self, rows):
        """Return the user's newest rows, the newest last, without what is long."""
        own = rows.filter(owner=self.user.pk).select_related("problem").order_by("-pk")
        return reversed(own.defer("problem__statement", "problem__tests")[:SHOWN])
