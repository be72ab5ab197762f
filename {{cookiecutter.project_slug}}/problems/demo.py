from problems.models import Problem

STATEMENT = """Two whole numbers stand on a line each. Write their sum.

Input: two lines, each with a whole number between -1,000,000 and 1,000,000.
Output: one line with their sum."""

SUMS = ((1, 2), (-5, 5), (999_999, 1), (-1_000_000, -1_000_000))


def create_demo():
    """Make two problems to begin with."""
    Problem.objects.get_or_create(
        slug="sum",
        defaults={
            "title": "A sum",
            "statement": STATEMENT,
            "difficulty": 800,
            "tests": [{"input": f"{a}\n{b}\n", "output": f"{a + b}\n"} for a, b in SUMS],
        },
    )
    Problem.objects.get_or_create(
        slug="palindrome",
        defaults={
            "title": "Palindromes",
            "statement": "On each line stands a word. Write yes if it reads the same backwards, else no.",
            "difficulty": 1000,
            "tests": [
                {"input": "level\nlive\n", "output": "yes\nno\n"},
                {"input": "a\n", "output": "yes\n"},
                {"input": "noon\nnone\nracecar\n", "output": "yes\nno\nyes\n"},
            ],
        },
    )
