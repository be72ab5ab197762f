"""The order of a group's stored events, whichever process publishes them."""


class Sequence:
    """Hands out events in the order of their keys; each names the key `after` which it comes.

    `last` is the key of the newest one that is known to be stored already; None if that is not known.
    """

    __slots__ = ("last", "waiting")

    def __init__(self, last: int | None = None):
        self.last = last
        self.waiting: dict[int, dict] = {}  # events whose predecessor has not come, by key

    def accept(self, event: dict) -> list[dict]:
        """Take an event as it arrives; return those that may be handed out now, in order."""
        key, after = event["key"], event["after"]
        if self.last is not None and key <= self.last:
            return []
        if self.last is not None and after > self.last:
            self.waiting[key] = event
            return []
        self.last = key
        return [event, *self._follow()]

    def skip(self, key: int) -> list[dict]:
        """Give up what has not come up to a key; return the events that may be handed out now."""
        self.last = max(key, self.last or 0)
        return self._follow()

    @property
    def missing(self) -> int | None:
        """The key of the event that others wait for."""
        return self.waiting[min(self.waiting)]["after"] if self.waiting else None

    def _follow(self) -> list[dict]:
        ready = []
        while self.waiting and self.waiting[min(self.waiting)]["after"] <= self.last:
            event = self.waiting.pop(min(self.waiting))
            if event["key"] > self.last:
                self.last = event["key"]
                ready.append(event)
        return ready
