"""The template stays readable: few of its lines depend on an answer."""

from conditions import ALLOWED, conditions, table


def test_few_lines_are_conditional():
    counts = conditions()
    print(table(counts))
    assert sum(counts.values()) < ALLOWED, f"\n{table(counts)}"
