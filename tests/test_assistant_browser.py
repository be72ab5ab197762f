"""The arena in Chromium: answers that stream side by side, and text that stays text."""

import os
import re

import pytest
from playwright.sync_api import expect

from browser import FRONT_ENDS, OVERFLOW, Wire, expect_state, forgive, go_live
from markdown import EVIL, MARKDOWN, RICH, SHOWN
from offered import TEMPLATE
from serving import each, running

# Two echoes answer without a key, as with DEBUG=true.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("site", each(FRONT_ENDS), indirect=True),
]

WIDTHS = (1280, 390)  # pixels of a laptop and of a phone
SHOTS = os.environ.get("SHOTS")
ASSISTANT = "/assistant/"
LONG = " ".join(f"word{number}" for number in range(30))  # which takes the slow echo 3 s
SOURCE = TEMPLATE / "{{cookiecutter.project_slug}}/assistant/static/assistant/markdown.js"
# Shows a text at once, and another time in pieces of so many characters.
SHOW = """async ([text, size]) => {
  const { Markdown } = await import("/static/markdown.js");
  return [text.length, size].map((size) => {
    const element = document.createElement("div");
    const markdown = new Markdown(element);
    for (let end = size; end < text.length + size; end += size) markdown.show(text.slice(0, end));
    return element.innerHTML;
  });
}"""


@pytest.fixture
def arena(log_in):
    """A page with a new chat, in which the echo is asked."""
    return new_chat(log_in("student"))


def new_chat(page):
    page.goto(ASSISTANT)
    page.get_by_role("button", name="New chat").click()
    expect_state(page, "connected")
    page.get_by_role("checkbox", name="echo_slowly", exact=True).uncheck()
    return page


def also_slowly(page):
    page.get_by_role("checkbox", name="echo_slowly", exact=True).check()


def only_slowly(page):
    also_slowly(page)
    page.get_by_role("checkbox", name="echo", exact=True).uncheck()


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
    also_slowly(arena)
    ask(arena, LONG)
    expect(arena.locator(".prompt")).to_have_text(LONG)
    expect_ended(arena, "echo", LONG)
    slow = answer(arena, "echo_slowly")
    expect(slow).to_have_attribute("data-state", "streaming")
    expect(arena.locator("#aloud p")).to_have_text(f"echo has answered: {LONG}")
    left, right = [answer(arena, name).bounding_box() for name in ("echo", "echo_slowly")]
    assert (left["y"], left["x"] + left["width"] <= right["x"]) == (right["y"], True)
    expect_ended(arena, "echo_slowly", LONG)
    expect(slow.locator(".figures")).to_have_text(re.compile(r"first word [\d.]+ s · [\d.]+ s · 30 tokens"))

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
    for page in (arena, other):
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(LONG[:30]))


def test_an_answer_is_stopped_and_asked_for_again(arena):
    also_slowly(arena)
    ask(arena, LONG * 20)
    slow = answer(arena, "echo_slowly")
    expect(slow.locator(".markdown")).to_contain_text("word3")
    arena.get_by_role("button", name="Stop all").click()
    expect(arena.locator(".notice")).to_have_text(["You stopped it."] * 2)
    expect(arena.get_by_role("button", name="Stop")).to_have_count(0)
    stopped = slow.locator(".markdown").inner_text()
    assert len(stopped) < len(LONG) * 20

    slow.get_by_role("button", name="Try again").click()
    expect(slow.locator(".versions")).to_contain_text("2 of 2")
    expect(slow).to_have_attribute("data-state", "streaming")
    arena.get_by_role("button", name="The answer before").click()
    expect(slow.locator(".markdown")).to_have_text(stopped)
    arena.get_by_role("button", name="The answer after").click()
    slow.get_by_role("button", name="Stop").click()
    expect(slow.locator(".notice")).to_have_text("You stopped it.")


def test_who_comes_back_in_the_middle_gets_the_whole_text(arena):
    only_slowly(arena)
    ask(arena, LONG)
    expect(text(arena, "echo_slowly")).to_contain_text("word3")
    arena.reload()
    expect(answer(arena, "echo_slowly").get_by_role("button", name="Stop")).to_be_visible()
    expect_ended(arena, "echo_slowly", LONG)
    arena.reload()
    expect_ended(arena, "echo_slowly", LONG)
    expect(arena.locator(".turn")).to_have_count(1)


def test_markdown_is_shown_and_copied_and_text_stays_text(arena):
    arena.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(arena, RICH)
    expect(answer(arena, "echo")).to_have_attribute("data-state", "finished")
    shown = text(arena, "echo")
    for selector, words in SHOWN.items():
        expect(shown.locator(selector)).to_have_text(words)
    expect(shown.get_by_role("link", name="link")).to_have_attribute("href", "https://example.com/a_(b)")
    for place, copied in ((".code", 'print("<b>")'), (".actions", RICH)):
        answer(arena, "echo").locator(place).get_by_role("button", name="Copy").click()
        expect(answer(arena, "echo").locator(place).get_by_role("button", name="Copied")).to_be_visible()
        assert arena.evaluate("navigator.clipboard.readText()") == copied

    ask(arena, EVIL)
    expect(arena.locator(".turn")).to_have_count(2)
    expect(answer(arena, "echo")).to_have_attribute("data-state", "finished")
    for words in ("<img src=x", "[a](javascript:", "[b](data:", "[c](//", "</code></pre><script>"):
        expect(shown).to_contain_text(words)
    expect(shown.locator("script, img, a")).to_have_count(0)
    assert arena.evaluate("window.hit") is None


def test_markdown_that_comes_in_pieces_is_the_same_in_the_end(visit):
    page = visit()
    page.route("**/markdown.js", lambda route: route.fulfill(path=SOURCE))  # wherever it was built into
    for source, html in MARKDOWN.items():
        assert page.evaluate(SHOW, [source, 1]) == [html, html], source
    for source in (RICH, EVIL):
        for size in (1, 3, 7):
            whole, pieces = page.evaluate(SHOW, [source, size])
            assert whole == pieces


def test_a_reader_is_left_in_peace_and_a_draft_is_kept(arena):
    only_slowly(arena)
    ask(arena, "first")
    ask(arena, "\n".join(f"line{number}" for number in range(50)))
    log = arena.locator("#log")
    expect(text(arena, "echo_slowly")).to_contain_text("line20")
    assert log.evaluate("log => log.scrollHeight - log.scrollTop - log.clientHeight") < 40
    log.evaluate("log => (log.scrollTop = 0)")
    newer = arena.get_by_role("button", name="To the newest")
    expect(newer).to_be_visible()
    expect(text(arena, "echo_slowly")).to_contain_text("line25")
    assert log.evaluate("log => log.scrollTop") == 0
    newer.click()
    expect(newer).to_be_hidden()
    answer(arena, "echo_slowly").get_by_role("button", name="Stop").click()

    draft = arena.get_by_label("Your question")
    draft.fill("Half a thou")
    draft.press("Shift+Enter")
    arena.reload()
    expect(draft).to_have_value("Half a thou\n")
    expect_state(arena, "connected")
    expect(arena.get_by_role("checkbox", name="echo", exact=True)).not_to_be_checked()
    draft.press("Enter")
    expect(arena.locator(".prompt").last).to_have_text("Half a thou")
    draft.fill("x" * 8001)
    draft.press("Enter")
    expect(arena.get_by_role("alert")).to_contain_text("It has 8001 characters")
    expect(draft).to_have_value("x" * 8001)


def test_lost_pieces_are_asked_for_and_errors_are_shown_with_their_cure(arena):
    """On the way from the server a delta is lost, then the connection; an answer falls silent, and fails."""
    arena.clock.install()
    lost, connections = [], []

    class Lossy(Wire):
        def connect(self, route):
            connections.append(route)
            super().connect(route)

        def received(self, frame):
            if frame["type"] == "message_delta" and frame["offset"] and not lost:
                lost.append(frame)
                return
            super().received(frame)

    wire = Lossy(arena)
    arena.reload()
    expect_state(arena, "connected")
    arena.clock.resume()
    only_slowly(arena)
    ask(arena, LONG)
    expect(text(arena, "echo_slowly")).to_contain_text("word5")
    assert lost
    wire.cut()
    expect_ended(arena, "echo_slowly", LONG)
    expect(arena.locator(".answer")).to_have_count(1)
    assert len(connections) == 2

    prompt_id = int(arena.locator(".turn").get_attribute("data-id"))
    about = {"message_id": 1_000_000, "prompt_id": prompt_id, "provider": "other", "model": "x"}
    wire.received({"type": "message_started", **about})
    other = answer(arena, "other")
    expect(other).to_have_attribute("data-state", "streaming")
    arena.clock.run_for(21_000)
    expect(other.locator(".notice")).to_contain_text("Nothing has come")
    failed = {"reason": "error", "error": "rate_limited", "detail": "Wait a minute.", "length": 0}
    wire.received({"type": "message_finished", **about, "usage": {}, "ms": {}, **failed})
    expect(other.locator(".notice")).to_have_text("Wait a minute.")
    other.get_by_role("button", name="Try again").click()
    expect(other.locator(".notice")).to_contain_text("There is no answer 1000000")


def test_a_restart_leaves_an_answer_that_can_be_asked_for_again(site, log_in, complaints, monkeypatch):
    project, _ = site
    with running(project) as server:
        page = new_chat(log_in("student", server))
        only_slowly(page)
        ask(page, LONG * 20)
        expect(text(page, "echo_slowly")).to_contain_text("word3")
    monkeypatch.setattr("serving.free_port", lambda: server.port)  # where the page looks for it
    with running(project):
        slow = answer(page, "echo_slowly")
        expect(slow.locator(".notice")).to_contain_text("It was interrupted")
        expect(slow.locator(".markdown")).to_contain_text("word3")
        slow.get_by_role("button", name="Try again").click()
        expect(slow.locator(".versions")).to_contain_text("2 of 2")
        slow.get_by_role("button", name="Stop").click()
        expect(slow.locator(".notice")).to_have_text("You stopped it.")
        page.close()
    forgive(complaints, "ERR_CONNECTION_REFUSED")


def test_another_s_chat_is_not_there_and_one_s_own_can_be_deleted(arena, log_in, complaints):
    mentor = log_in("mentor")
    mentor.goto(arena.url)
    expect(mentor.get_by_role("heading", level=1)).to_have_text(re.compile("Nothing here|Page not found"))
    forgive(complaints, "status of 404 .*/(assistant|api/chats)/")
    other = arena.context.new_page()
    go_live(other, arena.url)
    arena.goto(ASSISTANT)
    expect(arena.locator(".session").first).to_be_visible()
    chats = arena.locator(".session").count()
    arena.on("dialog", lambda dialog: dialog.accept())
    arena.get_by_role("button", name="Delete").first.click()
    expect(arena.locator(".session")).to_have_count(chats - 1)
    expect(other.locator("#state")).to_have_text("This does not exist, or not any more.")


def test_the_pages_fit_every_window(arena):
    also_slowly(arena)
    ask(arena, RICH + "\n\n" + "long" * 100)
    expect(answer(arena, "echo")).to_have_attribute("data-state", "finished")
    for scheme in ("light", "dark"):
        arena.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            arena.set_viewport_size({"width": width, "height": 780})
            assert arena.evaluate(OVERFLOW) == 0
            if SHOTS:
                arena.screenshot(path=f"{SHOTS}/arena-{scheme}-{width}.png")
    expect(answer(arena, "echo")).to_be_visible()
    arena.get_by_role("button", name="echo_slowly", exact=True).click()
    expect(answer(arena, "echo_slowly")).to_be_visible()
    expect(answer(arena, "echo")).to_be_hidden()
    arena.goto(ASSISTANT)
    assert arena.evaluate(OVERFLOW) == 0
