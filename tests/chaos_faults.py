"""What goes wrong: the faults, in the order in which they come first."""

import asyncio

AWAY = 3  # seconds for which Redis, PostgreSQL or a process is away
HANGS = 6  # seconds for which Redis is stopped
# Seconds after which nothing of a user may be stored who was put out: `update()` tells nobody, so that one is
# found by looking once in a while.
AT_ONCE, AFTER_OUTAGE, BY_LOOKING = 3, 10, 60


async def user_deactivated(site):
    user = site.rng.choice(site.welcome())
    await site.shell.must("deactivate", user.id)
    site.ban(user, BY_LOOKING)


async def password_changed(site):
    user = site.rng.choice(site.welcome())
    await site.shell.must("change_password", user.id)
    site.ban(user, AT_ONCE)


async def logged_out_without_redis(site):
    """Kill Redis; someone logs out meanwhile."""
    await asyncio.to_thread(site.valkey.kill)
    user = site.rng.choice(site.welcome())
    url = site.nodes[0].server.url
    answer = await site.http.post(f"{url}/accounts/logout/", headers=user.headers(url))
    assert answer.status_code in (200, 302), answer.text
    await asyncio.sleep(AWAY)
    await asyncio.to_thread(site.valkey.start)
    site.ban(user, AFTER_OUTAGE)


async def redis_hangs(site):
    await asyncio.to_thread(site.valkey.stop)
    await asyncio.sleep(HANGS)
    await asyncio.to_thread(site.valkey.go_on)


async def postgresql_restarted(site):
    await asyncio.to_thread(site.postgresql.kill)
    await asyncio.sleep(AWAY)
    await asyncio.to_thread(site.postgresql.start)


async def process_killed(site):
    victim = site.nodes[1]
    await asyncio.to_thread(victim.kill)
    await asyncio.sleep(AWAY)
    await asyncio.to_thread(victim.start)


async def process_drained(site):
    victim = site.nodes[1]
    await asyncio.to_thread(victim.stop)
    await asyncio.to_thread(victim.start)


FAULTS = {
    "a user deactivated by `update()`": user_deactivated,
    "a process killed, and started": process_killed,
    "Redis killed, and started; a user logs out meanwhile": logged_out_without_redis,
    "Redis stopped, and continued": redis_hangs,
    "a password changed": password_changed,
    "PostgreSQL restarted": postgresql_restarted,
    "a process drained, and started": process_drained,
}
