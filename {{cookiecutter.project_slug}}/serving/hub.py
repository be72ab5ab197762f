"""The hub begins with the server, not with the first socket: commands publish to it from then on."""

import gc
import logging

from django.conf import settings
from django.dispatch import Signal

logger = logging.getLogger("serving")

YOUNG = 10_000  # objects more, after which Python looks for garbage; by itself it does after 2,000 or less

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

    if not settings.DEBUG:  # else a reload ends this process soon
        spare_the_collector()
    hub.spawn(start())
    hub.spawn(begun.asend_robust(sender=None))


def spare_the_collector() -> None:
    """Have Python look less often for garbage, and not at what was loaded before.

    It would take a tenth of the time of requests and handshakes. A consumer that is done leaves it nothing.
    """
    gc.collect()
    gc.freeze()
    young, *others = gc.get_threshold()
    gc.set_threshold(max(young, YOUNG), *others)
