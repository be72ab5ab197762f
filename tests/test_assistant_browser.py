"""The arena in Chromium: answers that stream side by side, and text that stays text."""

import os
import re

import pytest
from playwright.sync_api import expect

from browser import OVERFLOW, Wire, expect_state, forgive, go_live
from serving import each, running
from variants import first

pytestmark = pytest.mark.browser

VARIANTS = [first(server="uvicorn", channel_layer="memory", auth="session_jwt", rest_api="drf")]
SHOTS = os.environ.get("SHOTS")
ASSISTANT = "/assistant/"
LONG = " ".join(f"word{number}" for number in range(40))  # which takes the slow echo 4 s
RICH = """\
# Plan

Some **bold**, *slanted* and ~~wrong~~ words, `code` and a [link](https://example.com/a_(b)).

1. one
   - inner
2. two

> quoted

| name | points |
|------|-------:|
| ann | 9 |

```python
print("<b>")
```"""
EVIL = """\
<img src=x onerror="window.hit = 1"> <script>window.hit = 1</script> \
[a](javascript:window.hit=1) [b](data:text/html,x) [c](//example.com) <javascript:window.hit=1>

```"><script>window.hit = 1</script>
</code></pre><script>window.hit = 1</script>
```"""
# Shows a text at once, and another time in pieces of so many characters.
SHOW = """async ([text, sizes]) => {
  const { Markdown } = await import("/static/assistant/markdown.js");
  return [[], sizes].map((sizes) => {
    const element = document.createElement("div");
    const markdown = new Markdown(element);
    let end = 0;
    for (const size of sizes) markdown.show(text.slice(0, (end += size)));
    markdown.show(text);
    return element.innerHTML;
  });
}"""
MARKDOWN = {
    "# A\nb\nc": "<h3>A</h3><p>b<br>c</p>",
    "**a *b* c** _d_ __e__ f_g_h ~~i~~": "<p><strong>a <em>b</em> c</strong> <em>d</em> <strong>e</strong> f_g_h <del>i</del></p>",
    r"2 * 3 * 4 \*no\* **open": "<p>2 * 3 * 4 *no* **open</p>",
    "`` a`b `` <b>": "<p><code>a`b</code> &lt;b&gt;</p>",
    "a\n- b\n  - c\n\n  d\n- e\n\nf": "<p>a</p><ul><li><p>b</p><ul><li>c</li></ul><p>d</p></li><li>e</li></ul><p>f</p>",
    "3. a\n4. b\n- c": '<ol start="3"><li>a</li><li>b</li></ol><ul><li>c</li></ul>',
    "> a\n> > b\n\n---": "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote><hr>",
    "foo\n**bar**\n***": "<p>foo<br><strong>bar</strong></p><hr>",
    "[a](javascript:b) ![c](data:d)": "<p>[a](javascript:b) ![c](data:d)</p>",
}


@pytest.fixture(scope="module", params=each(VARIANTS))
def site(request, installed):
    """A project whose two echoes answer without a key, as with DEBUG=true."""
    project = installed(request.param)
    with running(project) as server:
        yield project, server


@pytest.fixture
def arena(log_in):
    """A page with a new chat, and with both echoes chosen."""
    page = log_in("student")
    page.goto(ASSISTANT)
    page.get_by_role("button", name="New chat").click()
    expect_state(page, "connected")
    for name in ("echo", "echo_slowly"):
        page.get_by_role("checkbox", name=name, exact=True).check()
    return page


def ask(page, text):
    page.get_by_label("Your question").fill(text)
    page.get_by_role("button", name="Send").click()


def answer(page, provider):
    """Return the newest answer of a provider."""
    return page.locator(".turn").last.get_by_role("article", name=f"Answer of {provider}", exact=True)


def text(page, provider):
    return answer(page, provider).locator(".markdown")


def expect_ended(page, provider, words):
    expect(answer(page, provider)).to_have_attribute("data-state", "finished")
    expect(text(page, provider)).to_have_text(words)


def test_two_answers_stream_side_by_side_and_one_is_voted_for(arena):
    ask(arena, LONG)
    expect(arena.get_by_label("Your question")).to_be_empty()
    expect(arena.locator(".prompt")).to_have_text(LONG)
    expect_ended(arena, "echo", LONG)
    slow = answer(arena, "echo_slowly")
    expect(slow).to_have_attribute("data-state", "streaming")
    expect(arena.locator("#aloud")).to_have_text(f"echo has answered: {LONG}")
    left, right = [answer(arena, name).bounding_box() for name in ("echo", "echo_slowly")]
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    expect_ended(arena, "echo_slowly", LONG)
    expect(slow.locator(".figures")).to_have_text(re.compile(r"first word [\d.]+ s · [\d.]+ s · 40 tokens"))

    other = arena.context.new_page()
    go_live(other, arena.url)
    expect_ended(other, "echo_slowly", LONG)
    for voted, left in (("echo_slowly", "echo"), ("echo", "echo_slowly")):
        answer(arena, voted).get_by_role("button", name="Better").click()
        for page in (arena, other):
            expect(answer(page, voted)).to_contain_class("best")
            expect(answer(page, left)).not_to_contain_class("best")
    other.reload()
    expect(answer(other, "echo").get_by_role("button", name="Best")).to_have_attribute("aria-pressed", "true")
    expect(other.get_by_role("heading", level=1)).to_have_text(re.compile(LONG[:30]))


def test_an_answer_is_stopped_and_asked_for_again(arena):
    ask(arena, LONG * 5)
    slow = answer(arena, "echo_slowly")
    expect(slow.locator(".markdown")).to_contain_text("word3")
    slow.get_by_role("button", name="Stop", exact=True).click()
    expect(slow.locator(".notice")).to_have_text("You stopped it.")
    expect(slow.get_by_role("button", name="Stop", exact=True)).to_be_hidden()
    stopped = slow.locator(".markdown").inner_text()
    assert len(stopped) < len(LONG) * 5

    slow.get_by_role("button", name="Try again").click()
    expect(slow.locator(".versions")).to_contain_text("2 of 2")
    expect(slow).to_have_attribute("data-state", "streaming")
    arena.get_by_role("button", name="The answer before").click()
    expect(slow.locator(".markdown")).to_have_text(stopped)
    arena.get_by_role("button", name="The answer after").click()
    slow.get_by_role("button", name="Stop", exact=True).click()
    expect(slow).to_have_attribute("data-state", "finished")


def test_who_comes_back_in_the_middle_gets_the_whole_text(arena, complaints):
    ask(arena, LONG)
    expect(text(arena, "echo_slowly")).to_contain_text("word3")
    arena.reload()
    slow = answer(arena, "echo_slowly")
    expect(slow.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    expect_ended(arena, "echo_slowly", LONG)
    arena.reload()
    expect_ended(arena, "echo_slowly", LONG)
    expect(arena.locator(".turn")).to_have_count(1)


def test_text_stays_text(arena):
    ask(arena, EVIL)
    expect(answer(arena, "echo_slowly")).to_have_attribute("data-state", "finished")
    shown = text(arena, "echo_slowly")
    for words in ("<img src=x", "[a](javascript:", "[b](data:", "[c](//", "</code></pre><script>"):
        expect(shown).to_contain_text(words)
    expect(arena.locator(".markdown :is(script, img, a)")).to_have_count(0)
    assert arena.evaluate("window.hit") is None


def test_markdown_is_shown_and_copied(arena):
    arena.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(arena, RICH)
    expect(answer(arena, "echo")).to_have_attribute("data-state", "finished")
    shown = text(arena, "echo")
    for selector, words in (
        ("h3", "Plan"),
        ("strong", "bold"),
        ("em", "slanted"),
        ("del", "wrong"),
        ("ol > li:nth-child(2)", "two"),
        ("ol ul li", "inner"),
        ("blockquote", "quoted"),
        ("td.end", "9"),
        (".code span", "python"),
        ("pre code", 'print("<b>")'),
    ):
        expect(shown.locator(selector)).to_have_text(words)
    expect(shown.get_by_role("link", name="link")).to_have_attribute("href", "https://example.com/a_(b)")
    for place, copied in ((".code", 'print("<b>")'), (".actions", RICH)):
        answer(arena, "echo").locator(place).get_by_role("button", name="Copy").click()
        expect(answer(arena, "echo").locator(place).get_by_role("button", name="Copied")).to_be_visible()
        assert arena.evaluate("navigator.clipboard.readText()") == copied


def test_markdown_that_comes_in_pieces_is_the_same_in_the_end(log_in):
    page = log_in("student")
    for source, html in MARKDOWN.items():
        assert page.evaluate(SHOW, [source, [1] * len(source)]) == [html, html], source
    for source in (RICH, EVIL):
        for size in (1, 3, 7):
            whole, pieces = page.evaluate(SHOW, [source, [size] * (len(source) // size)])
            assert whole == pieces


def test_a_reader_is_left_in_peace_and_a_draft_is_kept(arena):
    arena.get_by_role("checkbox", name="echo", exact=True).uncheck()
    ask(arena, LONG.replace(" ", "\n"))
    log = arena.locator("#log")
    expect(text(arena, "echo_slowly")).to_contain_text("word30")
    assert log.evaluate("log => log.scrollHeight - log.scrollTop - log.clientHeight") < 40
    log.evaluate("log => (log.scrollTop = 0)")
    expect(text(arena, "echo_slowly")).to_contain_text("word35")
    newer = arena.get_by_role("button", name="To the newest")
    expect(newer).to_be_visible()
    assert log.evaluate("log => log.scrollTop") == 0
    newer.click()
    expect(newer).to_be_hidden()

    draft = arena.get_by_label("Your question")
    draft.fill("Half a thou")
    draft.press("Shift+Enter")
    arena.reload()
    expect(draft).to_have_value("Half a thou\n")
    expect_state(arena, "connected")
    expect(arena.get_by_role("checkbox", name="echo", exact=True)).not_to_be_checked()
    draft.press("Enter")
    expect(arena.locator(".prompt").last).to_have_text("Half a thou")


def test_lost_pieces_are_asked_for_and_errors_are_shown_with_their_cure(arena):
    """On the way from the server a delta is lost, an answer fails, and one falls silent."""
    page = arena
    page.clock.install()
    lost = []

    class Lossy(Wire):
        def received(self, frame):
            if frame["type"] == "message_delta" and frame["offset"] and not lost:
                lost.append(frame)
                return
            super().received(frame)

    wire = Lossy(page)
    page.reload()
    expect_state(page, "connected")
    page.clock.resume()
    ask(page, LONG)
    expect_ended(page, "echo", LONG)
    expect_ended(page, "echo_slowly", LONG)
    assert lost

    prompt_id = int(page.locator(".turn").get_attribute("data-id"))
    number = 1_000_000
    start = {"type": "message_started", "message_id": number, "prompt_id": prompt_id, "provider": "other"}
    wire.received(start | {"model": "x", "created_at": "2026-11-27T00:00:00Z"})
    other = answer(page, "other")
    expect(other).to_have_attribute("data-state", "streaming")
    page.clock.run_for(21_000)
    expect(other.locator(".notice")).to_contain_text("Nothing has come")
    failed = {"reason": "error", "error": "rate_limited", "detail": "Too many requests.", "length": 0}
    wire.received({"type": "message_finished", "message_id": number, "usage": {}, "ms": {}} | failed)
    expect(other.locator(".notice")).to_have_text("Too many requests. Wait a moment, then try again.")
    other.get_by_role("button", name="Try again").click()
    expect(other.locator(".notice")).not_to_contain_text("Wait a moment")  # since there is no such message


def test_another_s_chat_is_not_there(arena, log_in, complaints):
    mentor = log_in("mentor")
    assert mentor.goto(arena.url).status == 404
    mentor.goto(ASSISTANT)
    expect(mentor.locator(".session")).to_have_count(0)
    forgive(complaints, "status of 404 .*/assistant/")
    arena.goto(ASSISTANT)
    chats = arena.locator(".session").count()
    arena.on("dialog", lambda dialog: dialog.accept())
    arena.get_by_role("button", name="Delete").first.click()
    expect(arena.locator(".session")).to_have_count(chats - 1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_every_window(arena, scheme):
    arena.emulate_media(color_scheme=scheme)
    ask(arena, RICH + "\n\n" + "long" * 100)
    expect(answer(arena, "echo_slowly")).to_have_attribute("data-state", "finished")
    arena.set_viewport_size({"width": 390, "height": 780})
    assert arena.evaluate(OVERFLOW) == 0
    expect(answer(arena, "echo")).to_be_visible()
    arena.get_by_role("button", name="echo_slowly").click()
    expect(answer(arena, "echo_slowly")).to_be_visible()
    expect(answer(arena, "echo")).to_be_hidden()
    if SHOTS:
        arena.screenshot(path=f"{SHOTS}/arena-{scheme}-phone.png")
    arena.set_viewport_size({"width": 1280, "height": 780})
    assert arena.evaluate(OVERFLOW) == 0
    if SHOTS:
        arena.screenshot(path=f"{SHOTS}/arena-{scheme}.png")
    for width in (1280, 390):
        arena.set_viewport_size({"width": width, "height": 780})
        arena.goto(ASSISTANT)
        assert arena.evaluate(OVERFLOW) == 0
