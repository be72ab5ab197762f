import asyncio
from functools import partial

from django.core.exceptions import PermissionDenied
from django.http import Http404

from mentoring.access import get_mentor, get_student
from mentoring.frames import (
    MentorConnected,
    MentorEvent,
    MentorSnapshot,
    StudentConnected,
    StudentEvent,
    StudentNews,
    student_states,
    to_frame,
    to_info,
)
from mentoring.models import Event
from mentoring.notify import mentor_group, student_group
from realtime.codes import NOT_ALLOWED, NOT_FOUND
from realtime.consumer import HEARTBEAT, RealtimeConsumer
from realtime.database import in_database
from realtime.frames import Refused
from realtime.history import History

PAUSE = 0.1  # seconds in which all changes of a mentor's students become one snapshot


class PersonConsumer(RealtimeConsumer):
    """The events of one person, for those who may see them, and only for as long as they may."""

    resumes_by = "event_id"
    person_id: int

    def get_person(self):
        """The person, if the user of the socket may see these events; see access.py."""
        raise NotImplementedError

    async def enter(self, group_of, stream, frame):
        """Join the group of the person in the address, and return that user."""
        self.person_id = self.scope["url_route"]["kwargs"]["id"]
        await self.admit()
        events = Event.objects.filter(user=self.person_id, stream=stream)
        await self.join(group_of(self.person_id), History(events, partial(to_frame, frame)))
        return await self.admit()  # what changed before the socket was in the group is not told to it

    @in_database
    def admit(self):
        try:
            return self.get_person()
        except PermissionDenied:
            raise Refused(NOT_ALLOWED, "You may not see this") from None
        except Http404:
            raise Refused(NOT_FOUND, "There is no such person") from None

    async def access_changed(self, event):
        try:
            await self.admit()
        except Refused as refusal:
            await self.close(refusal.code, refusal.reason)


class MentorConsumer(PersonConsumer):
    """What a mentor is told, and the newest of each student, in `/ws/mentor/<id>/`: that mentor, admins."""

    sends = (MentorConnected, MentorSnapshot, MentorEvent, StudentNews)
    renewal: asyncio.Task | None = None

    def get_person(self):
        return get_mentor(self.user, self.person_id)

    async def opened(self):
        mentor = await self.enter(mentor_group, Event.Stream.MENTOR, MentorEvent)
        hello = MentorConnected(user=self.user_info, heartbeat=HEARTBEAT, mentor=to_info(mentor))
        await self.greet(hello, await self.snapshot())

    async def students_changed(self, event):
        if self.renewal is None:
            self.renewal = self.spawn(self.send_snapshot())

    async def send_snapshot(self):
        await asyncio.sleep(PAUSE)
        self.renewal = None
        await self.send_frame(await self.snapshot())

    @in_database
    def snapshot(self) -> MentorSnapshot:
        return MentorSnapshot(students=student_states(self.person_id))


class StudentConsumer(PersonConsumer):
    """What a student is told, in `/ws/student/<id>/`: the student, the student's mentors, and admins."""

    sends = (StudentConnected, StudentEvent)

    def get_person(self):
        return get_student(self.user, self.person_id)

    async def opened(self):
        student = await self.enter(student_group, Event.Stream.STUDENT, StudentEvent)
        await self.greet(StudentConnected(user=self.user_info, heartbeat=HEARTBEAT, student=to_info(student)))
