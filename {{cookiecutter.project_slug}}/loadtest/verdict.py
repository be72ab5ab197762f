"""What a load test has found: the table, and which limits were missed."""

from argparse import Namespace

from loadtest.live import ms
from loadtest.measures import Durations, Figures

BUSY_CPU = 0.9  # of a core
BUSY_LAG = 0.01  # seconds, on average
BUSY_SHARE = 0.05  # of the time, from which on figures are not the site's


def table(figures: Figures) -> str:
    """Return what was measured, one line for each."""
    rows = dict(measured(figures))
    rows |= {f"  {kind}": f"{count:,}" for kind, count in figures.errors.most_common(10)}
    width = max(map(len, rows))
    return "\n".join(f"{label:<{width}}  {value}" for label, value in rows.items())


def measured(figures: Figures) -> list[tuple[str, str]]:
    """Return what was measured, as pairs of what and how much."""
    seconds = figures.ticks[-1].start + figures.ticks[-1].seconds
    open_at_end = figures.ticks[-1].sockets
    sent_for = max(min(seconds, figures.sending[1]) - figures.sending[0], 1e-9)
    codes = ", ".join(f"{code}: {count:,}" for code, count in figures.close_codes.most_common())
    put_off = f"; {figures.logins_put_off} times too soon" if figures.logins_put_off else ""
    deliveries = [
        ("deliveries", spread(figures.deliveries)),
        ("  expected", f"{figures.expected:,}; {figures.lost:,} lost, {figures.repeated:,} repeated"),
    ]
    return [
        ("site", figures.site),
        ("time", f"{seconds:.0f} s, of which {figures.ramp or seconds:.0f} s ramp"),
        ("users", f"{figures.users}, by {figures.asked['by']}"),
        ("logins", spread(figures.logins) + put_off),
        ("sockets", f"{figures.most:,} of {figures.asked['sockets']:,}, {open_at_end:,} at the end"),
        ("handshakes", spread(figures.handshakes)),
        ("messages sent", f"{figures.sent:,}" + f", {figures.sent / sent_for:,.1f}/s" * bool(figures.sent)),
        ("replies", spread(figures.replies)),
        *(deliveries if figures.expected else []),
        ("reconnections", f"{figures.reconnects:,}"),
        ("close codes", codes or "none"),
        ("errors", f"{figures.errors.total():,}"),
    ]


def spread(durations: Durations) -> str:
    if not len(durations):
        return "none"
    parts = [f"p{percent} {ms(durations.percentile(percent))}" for percent in (50, 95, 99)]
    return f"{len(durations):,}: {', '.join(parts)}, max {ms(durations.longest)}"


def judge(figures: Figures, options: Namespace) -> list[str]:
    """Return what was missed, in a line each; add to the remarks what makes the figures doubtful."""
    measured = {
        "p99_ms": figures.deliveries.percentile(99) * 1000,
        "reply_ms": figures.replies.percentile(99) * 1000,
        "handshake_ms": figures.handshakes.percentile(99) * 1000,
        "errors": figures.errors.total(),
        "lost": figures.lost,
        "reconnects": figures.reconnects,
    }
    missed = []
    for name, value in measured.items():
        limit = getattr(options, f"max_{name}")
        if limit is not None and value > limit:
            missed.append(f"--max-{name.replace('_', '-')} {limit:g}: it was {value:,.4g}.")
    if figures.gone:
        missed.append(f"no socket was open for {options.give_up:g} s, so it ended early (--give-up).")
    elif figures.most and not figures.ticks[-1].sockets:
        missed.append("no socket was open at the end: the site went away.")
    if options.max_p99_ms is not None and not len(figures.deliveries):
        missed.append("--max-p99-ms: nothing was delivered.")
    figures.remarks += doubts(figures)
    if away := options.sockets - figures.ticks[-1].sockets:
        owed = "; what they had not got counts as lost" if figures.lost else ""
        figures.remarks.append(f"{away:,} sockets were not open at the end{owed}.")
    return missed


def doubts(figures: Figures) -> list[str]:
    """Say so if this process could not keep up, since then the figures are its own."""
    busy = [tick for tick in figures.ticks if tick.cpu > BUSY_CPU or tick.lag > BUSY_LAG]
    if len(busy) <= BUSY_SHARE * len(figures.ticks):
        return []
    cpu, lag = max(tick.cpu for tick in busy), max(tick.lag for tick in busy)
    return [
        f"The load generator itself was late in {len(busy)} of {len(figures.ticks)} intervals, by up to"
        f" {ms(lag)} (it took up to {cpu:.0%} of a core). So durations are partly its own: take another"
        " machine, fewer sockets or a lower rate."
    ]
