from leaderboard import standings
from leaderboard.frames import AskRank, AskSnapshot, LeaderboardChanged, LeaderboardSnapshot, Standing
from leaderboard.live import GROUP, publisher, table
from realtime.consumer import HEARTBEAT, RealtimeConsumer
from realtime.database import in_database
from realtime.frames import Connected


class LeaderboardConsumer(RealtimeConsumer):
    """The top of the table in `/ws/leaderboard/`, as it changes, and each user's own rank."""

    sends = (LeaderboardSnapshot, LeaderboardChanged)

    async def opened(self):
        await publisher().watch(self)
        await self.join(GROUP)
        # A change is published after its table was stored. So one that is not in this table comes after it.
        await self.greet(Connected(user=self.user_info, heartbeat=HEARTBEAT), await self.now())

    async def closed(self, code):
        publisher().leave(self)

    async def snapshot(self, frame: AskSnapshot):
        await self.send_frame(await self.now())

    async def my_rank(self, frame: AskRank) -> Standing:
        return await in_database(self.standing)()

    @in_database
    def now(self) -> LeaderboardSnapshot:
        current = table()
        return LeaderboardSnapshot(version=current.version, entries=current.entries, you=self.standing())

    def standing(self) -> Standing:
        return Standing(*standings.find(self.user.pk) or (None, None))
