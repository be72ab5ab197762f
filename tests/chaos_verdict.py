"""What a round of chaos left: what is stored against what each client was sent, as figures and as a table."""

import time
from collections import Counter
from dataclasses import dataclass, field

COLUMNS = ["stored", "received", "lost", "repeated", "reordered", "reconnects"]


@dataclass
class Verdict:
    """The figures since the beginning; `wrong` says in words what must not be."""

    figures: dict
    wrong: list = field(default_factory=list)
    unsettled: bool = False  # whether waiting may still cure something


def judge(site, stored):
    """Hold what `chaos_shell.stored` tells of the database against what clients and processes have."""
    total, wrong, unsettled = Counter(), [], []
    for client in site.clients:
        ids = [row[0] for row in place_of(stored, client)]
        lost = set(ids) - client.seen if client in site.expected() else set()
        total.update(
            received=len(client.received), lost=len(lost), repeated=client.repeated,
            reordered=client.reordered, reconnects=client.reconnects,
        )  # fmt: skip
        if lost:
            unsettled.append(f"{client.name} at {client.path} lacks {brief(lost)}")
        if never := client.seen - set(ids):
            wrong.append(f"{client.name} at {client.path} was sent {brief(never)}, which are not stored")
        if client.gaps:
            wrong.append(f"{client.name} at {client.path} was sent gaps: {client.gaps}")
    total["stored"] = sum(len(rows) for table in stored.values() for rows in table.values())
    for name in ("repeated", "reordered"):
        if total[name]:
            wrong.append(f"{total[name]} were {name}")
    wrong += acknowledged(site, stored) + banned(site, stored)
    unsettled += presence(site) + strangers(site)
    return Verdict({name: total[name] for name in COLUMNS}, wrong + unsettled, bool(unsettled))


def place_of(stored, client):
    """Return the rows that belong where a client is, in order of ids."""
    if client.room is None:
        return stored["users"].get(str(client.user.id), [])
    return stored["rooms"].get(client.room, [])


def acknowledged(site, stored):
    """What was acknowledged is stored, once, and nothing is stored twice."""
    ids, wrong = {}, []
    for rows in stored["rooms"].values():
        for pk, _, body, _ in rows:
            ids.setdefault(body, []).append(pk)
    said = {key: pk for client in site.clients for key, pk in client.acknowledged.items()}
    told, posted = {}, Counter()
    for user, rows in stored["users"].items():
        posted[int(user)] = sum(number is None for _, number in rows)
        for pk, number in rows:
            if number is not None:
                told.setdefault(number, []).append(pk)
    twice = [key for key, found in (ids | told).items() if len(found) > 1]
    missing = [key for key, pk in said.items() if pk not in ids.get(key, ())]
    missing += [n for n, pk in site.told.items() if pk is not None and pk not in told.get(n, ())]
    missing += [u for u, n in site.posted.items() if n > posted[u]]
    twice += [user for user, n in posted.items() if n > site.tried[user]]
    if twice:
        wrong.append(f"stored more than once: {brief(twice)}")
    if missing:
        wrong.append(f"acknowledged, but not stored: {brief(missing)}")
    return wrong


def banned(site, stored):
    """Nothing is stored of a user who was put out."""
    bans = {user.id: user.bans for user in site.users}
    late = [
        pk
        for rows in stored["rooms"].values()
        for pk, author, _, at in rows
        if any(start < at < (end or time.time()) for start, end in bans[author])
    ]
    return [f"stored of users who had been put out: {brief(late)}"] if late else []


def presence(site):
    """Each client knows who is in its room; of oneself it is not told."""
    there, wrong = {}, []
    for client in site.talkers:
        if client.connected.is_set():
            there.setdefault(client.room, set()).add(client.user.id)
    for client in site.talkers:
        if client.connected.is_set():
            for user in (client.present ^ there[client.room]) - {client.user.id}:
                state = "there" if user in there[client.room] else "away"
                told = ", ".join(client.told.get(user, ()))
                wrong.append(
                    f"{client.name} believes that user {user} is not {state} in {client.room}, since {told}"
                )
    return wrong


def strangers(site):
    """All who should be are connected, and nobody else, as the processes have it, too."""
    expected, welcome = site.expected(), site.welcome()
    wrong = [f"{c.name} is not connected; {c.codes[-3:]}" for c in expected if not c.connected.is_set()]
    wrong += [
        f"{client.name} is connected, which has left or whose user was put out"
        for client in site.clients
        if client.connected.is_set() and client not in expected
    ]
    wrong += [f"{c.name} was refused with {c.out}" for c in site.clients if c.out and c.user in welcome]
    known = {client.port for client in expected} - {None}
    for node in site.nodes:
        if unknown := node.peers() - known:
            wrong.append(f"the {node.name} has {len(unknown)} connections of nobody")
    return wrong


def brief(items):
    items = sorted(items, key=str)
    return f"{len(items)} ({', '.join(map(str, items[:5]))}{', ...' if len(items) > 5 else ''})"
