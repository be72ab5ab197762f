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
        ready = [event]
        while self.waiting and self.waiting[key := min(self.waiting)]["after"] <= self.last:
            event = self.waiting.pop(key)
            if key > self.last:
                self.last = key
                ready.append(event)
        return ready

    def skip(self) -> int:
        """Give up what has not come; return the key up to which the database has to be read."""
        self.last = max(self.waiting)
        self.waiting.clear()
        return self.last
