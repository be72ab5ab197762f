"""The hub begins with the server, not with the first socket: commands publish to it from then on."""

import logging

from django.dispatch import Signal

logger = logging.getLogger("serving")

begun = Signal()  # this process serves from now on


def start_hub() -> None:
    """Start the hub of the running event loop, in the background: the channel layer may be away."""
    from realtime.hub import get_hub  # by workers only: their parent process loads no application code

    hub = get_hub()

    async def start():
        try:
            await hub.start()
        except Exception as error:  # the next socket tries again
            logger.warning("could not start the hub: %s", error)

    hub.spawn(start())
    hub.spawn(begun.asend_robust(sender=None))
