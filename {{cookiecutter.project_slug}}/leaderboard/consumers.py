from leaderboard import standings
from leaderboard.frames import AskRank, AskSnapshot, Changed, Snapshot, Standing
from leaderboard.live import GROUP, publisher, table
from realtime.consumer import RealtimeConsumer
from realtime.database import in_database


class LeaderboardConsumer(RealtimeConsumer):
    """The top of the table in `/ws/leaderboard/`, as it changes, and each user's own rank."""

    sends = (Snapshot, Changed)

    async def opened(self):
        await publisher().watch(self)
        await self.join(GROUP)
        await self.greet()
        await self.send_snapshot()

    async def closed(self, code):
        publisher().leave(self)

    async def snapshot(self, frame: AskSnapshot):
        await self.send_snapshot()

    async def my_rank(self, frame: AskRank) -> Standing:
        return await self.standing()

    async def send_snapshot(self):
        """Send the table, and again if it changed meanwhile.

        A change is published after the table was stored. So one that this socket got before the snapshot is
        in it, or in the table that is found now.
        """
        sent = None
        while sent != (current := await in_database(table)()).version:
            sent = current.version
            you = await self.standing()
            await self.send_frame(Snapshot(version=sent, entries=current.entries, you=you))

    @in_database
    def standing(self) -> Standing:
        rank, score = standings.find(self.user.pk) or (None, None)
        return {"rank": rank, "score": score}
