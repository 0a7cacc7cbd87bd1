"""The viewer's page in Chromium: what is shown, found, typed; sizes, scripts, injection, notebooks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import minitok
from minitok.viewer import View
from minitok.viewer.server import MAX_BYTES, ViewServer
from tests.browsing import bytes_encoding, opened, tokens_of

pytestmark = [pytest.mark.once, pytest.mark.browser]

NASTY = "</script><img src=x onerror='window.bad=1'><!--<script>window.bad=1</script>&lt;\"'`${window.bad=1}"


def test_a_page(browser: Any, tmp_path: Path) -> None:
    enc = minitok.get_encoding("minitok_32k")
    page = opened(browser, enc.view("hello world 字🦖\x07\n", beside=[enc]), tmp_path, color_scheme="dark")
    assert page.locator(".head").count() == 2
    assert page.locator("#size").inner_text() == "16 characters · 21 bytes"
    assert page.evaluate("document.documentElement.classList.contains('dark')")
    page.locator(".t").first.hover()
    hello = enc.encode("hello")[0]
    facts = page.locator("#panel").inner_text()
    assert str(hello) in facts
    assert "68 65 6c 6c 6f" in facts
    merges = page.locator("#panel li")
    assert merges.count() == 1 + len(enc.explain(hello).steps)
    assert merges.last.inner_text().split() == ["hello", "rank", str(enc.explain(hello).rank)]
    page.locator(".t").nth(1).hover()
    assert page.locator("#panel h2").inner_text() == " world"
    page.locator(".t").nth(1).click()
    page.locator(".t").first.hover()  # what was pressed stays
    assert page.locator("#panel h2").inner_text() == " world"
    page.locator(".t").nth(1).click()
    assert page.locator("#panel h2").count() == 0
    page.close()


def test_search(browser: Any, tmp_path: Path) -> None:
    enc = minitok.get_encoding("minitok_32k")
    page = opened(browser, enc.view("hello world, one world", beside=[enc]), tmp_path)
    page.keyboard.press("/")
    page.keyboard.type("WORLD")
    assert page.locator("#found").inner_text() == "2 found"
    assert page.locator(".t.hit").count() == 4
    page.keyboard.press("Enter")
    assert page.locator("#found").inner_text() == "1 of 2"
    page.keyboard.press("Enter")
    assert page.locator("#found").inner_text() == "2 of 2"
    page.keyboard.press("Shift+Enter")
    assert page.locator("#found").inner_text() == "1 of 2"
    assert page.locator(".t.on").inner_text() == " world"
    page.click("#previous")
    assert page.locator("#found").inner_text() == "2 of 2"
    page.select_option("#by", "id")
    page.fill("#query", str(enc.encode("hello")[0]))
    assert page.locator("#found").inner_text() == "2 found"
    page.fill("#query", "999999")
    assert page.locator("#found").inner_text() == "0 found"
    assert page.locator("#next").is_hidden()
    page.close()


def test_a_megabyte(browser: Any, tmp_path: Path) -> None:
    words = "".join(f"word{k} is here, {'again' * (k % 3)}\n" for k in range(40_000))[:1_000_000]
    view = minitok.get_encoding("minitok_32k").view(words)
    seconds: list[float] = []
    while len(seconds) < 3 and (not seconds or min(seconds) > 2):  # of a machine that others use, the best of three
        start = time.perf_counter()
        page = opened(browser, view, tmp_path)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 2
    page.fill("#query", "again")
    page.keyboard.press("Shift+Enter")
    page.wait_for_timeout(200)  # until what is near has been made
    place = page.locator(".t.on").bounding_box()
    assert 0 < place["y"] < 700
    assert page.evaluate("document.querySelectorAll('.t').length") < 20_000
    page.close()


def test_ten_megabytes_in_one_line(browser: Any, tmp_path: Path) -> None:
    view = minitok.get_encoding("minitok_32k").view("0123456789abcde " * 625_000)
    page = opened(browser, view, tmp_path)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+End")
    count = len(view.ids[0])
    assert f"token {count} of {count}," in page.locator("#panel").inner_text()
    page.close()


def test_special_tokens(browser: Any, tmp_path: Path) -> None:
    enc = minitok.get_encoding("minitok_32k")
    special = min(enc.special_tokens_set)
    page = opened(browser, enc.view(f"a{special}b", allowed_special="all"), tmp_path)
    span = page.locator(".t.sp")
    assert span.inner_text() == special
    plain = span.evaluate("e => getComputedStyle(e).backgroundColor")
    page.click("#special")
    assert span.evaluate("e => getComputedStyle(e).backgroundColor") != plain
    span.click()
    facts = page.locator("#panel").inner_text()
    assert str(enc.encode_single_token(special)) in facts
    assert "Not built by merges" in facts
    assert "special token" in span.get_attribute("aria-label")
    page.close()
    page = opened(browser, enc.view(f"a{special}b"), tmp_path)
    assert page.locator("#special").is_disabled()
    assert page.locator(".t").count() > 3
    page.close()


def test_what_is_not_seen(browser: Any, tmp_path: Path) -> None:
    enc = bytes_encoding()
    text = "\0\x07\x1b\x7f\x85\u200b\u202e\ufeff\u2028 \t\r\n"
    page = opened(browser, enc.view(text), tmp_path)
    shown = ["".join(span.split()) for span in page.locator(".t").all_inner_texts()]
    for name in ("NUL", "BEL", "ESC", "DEL", "CR"):
        assert name in shown
    page.close()
    # The same, where a token is a character.
    page = opened(
        browser,
        bytes_encoding("\x85", "\u200b", "\u202e", "\ufeff", "\u2028", "a\u200d", "\r\n").view(text + "a\u200d"),
        tmp_path,
    )
    shown = page.locator(".t").all_inner_texts()
    assert shown[4:9] == ["U+0085", "U+200B", "U+202E", "U+FEFF", "U+2028"]
    assert page.locator(".t .w").count() == 0
    assert shown[-1] == "a\u200d"  # joins what is around it, as in text
    page.keyboard.press("w")
    assert page.locator(".t .space, .t .tab, .t .line").count() == 3
    assert page.locator(".t").last.inner_text() == "aU+200D"
    page.close()


def test_parts_of_characters(browser: Any, tmp_path: Path) -> None:
    view = bytes_encoding("🦖"[:1]).view(b"\xe2\x82\xac \xf0\x9f\xa6\x96 \x80\xe2\x82 \xff")
    page = opened(browser, view, tmp_path)
    shown = page.locator(".t").all_inner_texts()
    assert shown == ["€", "⋯", "⋯", " ", "🦖", " ", "80", "e2", "82", " ", "ff"]
    assert "⋯" not in page.locator("#rows").aria_snapshot()  # the character is read once
    for n, number in enumerate(view.ids[0]):
        page.locator(".t").nth(n).click()
        assert page.locator("dd").first.inner_text() == str(number)
    page.fill("#query", "€")
    assert page.locator(".t.hit").count() == 3
    page.close()


def test_right_to_left(browser: Any, tmp_path: Path) -> None:
    text = "שלום עולם, abc (123)\nabc שלום עולם 12 العربية, (abc) ;\n\u202eevil\u202c abc def\n"
    enc = bytes_encoding(
        "שלום", " עולם", "abc", " abc", " def", "العربية", "evil", "\u202e", "\u202c", "12", "123", "(", ")"
    )
    view = enc.view(text)
    page = opened(browser, view, tmp_path)
    assert "".join(tokens_of(page)).replace("U+202E", "\u202e").replace("U+202C", "\u202c") == text
    boxes = page.evaluate(
        "[...document.querySelectorAll('.t')].map(t => t.getClientRects()[0])"
        ".map(r => [r.left, r.right, r.top, r.bottom])"
    )
    names = [enc.decode([i]) for i in view.ids[0]]

    def place(name: str, after: int = 0) -> Any:
        return boxes[names.index(name, after)]

    line = names.index("\n")
    # A line that begins from right to left stands at the right, and its words go to the left;
    assert place("שלום")[0] >= place(" עולם")[1] - 1 > place("abc")[1] - 1
    assert place("שלום")[1] > 600
    # in a line from left to right only its words from right to left do.
    assert place("abc", line)[0] < 100
    assert place("abc", line)[1] <= place(" עולם", line)[0] + 1 < place("שלום", line)[0]
    # What would turn all that follows does nothing.
    assert place("\u202e")[1] <= place("evil")[0] + 1 < place("\u202c")[0] < place(" abc", line)[0] < place(" def")[0]
    # What is pressed is what is shown.
    for n, (left, right, top, bottom) in enumerate(boxes):
        page.mouse.click((left + right) / 2, (top + bottom) / 2)
        assert page.locator("#panel dd").nth(4).inner_text().startswith(f"token {n + 1} of"), names[n]
    # Ids beside the tokens do not change their order.
    page.keyboard.press("i")
    again = page.evaluate("[...document.querySelectorAll('.t')].map(t => t.getClientRects()[0].left)")
    words = range(line + 1, names.index("\n", line + 1))
    assert sorted(words, key=again.__getitem__) == sorted(words, key=lambda n: boxes[n][0])
    page.close()


def test_injection(browser: Any, tmp_path: Path) -> None:
    enc = minitok.Encoding(
        NASTY,
        pat_str=r"[\s\S]{1,200}",
        mergeable_ranks={bytes([b]): b for b in range(256)}
        | {b"</": 256, b"<img src=x onerror='window.bad=1'>": 257},
        special_tokens={"<!--<script>": 300, NASTY: 301},
    )
    text = f"{NASTY} <!--<script> <img src=x onerror='window.bad=1'> </"
    folder = tmp_path / "<img src=x onerror='window.bad=1'>"
    folder.mkdir()
    page = opened(browser, enc.view(text, beside=[enc], allowed_special="all", title=NASTY), folder)
    asked: list[str] = []
    page.on("response", lambda answer: asked.append(answer.url))
    for name in ("white", "special", "numbers"):
        page.click(f"#{name}")
    for n in range(page.locator(".t").count()):
        page.evaluate("n => { closeDetails(); document.querySelectorAll('.t')[n].click() }", n)
    page.fill("#query", NASTY)
    page.keyboard.press("Enter")
    assert page.locator("h1").inner_text() == NASTY
    assert page.locator(".head h2").first.inner_text() == NASTY
    assert page.locator("img, #rows script, #panel script").count() == 0
    assert page.locator("script").count() == 2
    # Even a script that got in would not run, nor reach anybody.
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.bad = 1' }))"
    )
    page.evaluate("document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.1:9/' }))")
    assert page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')") == "refused"
    assert page.evaluate("window.bad") is None
    assert not asked
    assert not page.troubles
    page.close()


def test_long_tokens(browser: Any, tmp_path: Path) -> None:
    runs = {b" " * 2**k: 250 + k for k in range(1, 8)}
    enc = minitok.Encoding(
        "x", pat_str=None, mergeable_ranks={bytes([b]): b for b in range(251)} | runs, special_tokens={}
    )
    page = opened(browser, enc.view(b" " * 128), tmp_path)
    page.locator(".t").first.click()
    merges = page.locator("#panel li").all_inner_texts()
    assert ["after 126 merges" in merges[0], "rank 257" in merges[1], len(merges)] == [True, True, 2]
    assert "and 64 more" in page.locator("#panel").inner_text()
    assert page.locator(".t").get_attribute("aria-label") == "128 spaces, token 1 of 1"
    page.close()


@contextmanager
def serving(text: bytes = b"") -> Iterator[ViewServer]:
    with ViewServer([minitok.get_encoding("minitok_32k")], text=text) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_typing(browser: Any) -> None:
    from playwright.sync_api import expect

    with serving(b"so") as server:
        page = browser.new_page()
        page.goto(server.url)
        assert page.locator("#typed").input_value() == "so"
        page.fill("#typed", "hello world")
        expect(page.locator(".t")).to_have_count(2)
        assert tokens_of(page) == ["hello", " world"]
        page.locator("#typed").press_sequentially("s")
        expect(page.locator("#rows")).to_contain_text("hello worlds")
        expect(page.locator("#said")).to_contain_text(
            f"minitok_32k: {page.locator('.t').count()} tokens; 12 characters"
        )
        page.evaluate("n => { document.querySelector('#typed').value = '字'.repeat(n) }", MAX_BYTES // 3 + 1)
        page.locator("#typed").press("End")
        page.locator("#typed").press("a")
        expect(page.locator("#trouble")).to_contain_text("at most 1,000,000")
        page.fill("#typed", "")
        expect(page.locator(".t")).to_have_count(0)
        assert page.locator("#trouble").inner_text() == ""
    page.fill("#typed", "nobody there")
    expect(page.locator("#trouble")).to_contain_text("still running")
    page.close()


def notebook(*views: View, trusted: bool = True) -> str:
    """A page with outputs as a notebook shows them; one that is not trusted loses frames and style sheets."""
    outputs = "".join(f"<div class='output'>{view._repr_html_()}</div>" for view in views)
    clean = "" if trusted else "document.querySelectorAll('iframe, style').forEach(e => e.remove());"
    style = (
        "<style>* { color: rgb(9, 9, 9); font-size: 7px !important } .t, .head { display: none !important }</style>"
    )
    head = f"<!doctype html>{style if trusted else ''}<h1 id='title'>Notebook</h1>"
    return f"{head}{outputs}<script>const state = 1; {clean}</script>"


def test_two_outputs_of_a_notebook(browser: Any) -> None:
    enc = minitok.get_encoding("minitok_32k")
    page = browser.new_page()
    troubles: list[Any] = []
    page.on("pageerror", lambda error: troubles.append(error))  # noqa: PLW0108 (it takes no built-in method)
    page.set_content(notebook(enc.view("hello world"), enc.view("one two three")))
    first, second = page.frame_locator("iframe >> nth=0"), page.frame_locator("iframe >> nth=1")
    first.locator(".t").first.click()
    assert first.locator("#panel h2").inner_text() == "hello"
    assert second.locator("#panel h2").count() == 0
    assert second.locator(".t").all_inner_texts() == ["one", " two", " three"]
    assert second.locator(".t").first.evaluate("e => getComputedStyle(e).fontSize") == "15px"
    first.locator("#white").click()
    assert second.locator("#white").get_attribute("aria-pressed") == "false"
    assert page.locator("h1").evaluate("e => getComputedStyle(e).color") == "rgb(9, 9, 9)"
    assert [pre.is_visible() for pre in page.locator("pre").all()] == [False, False]
    assert not troubles
    page.close()


def test_a_notebook_that_is_not_trusted(browser: Any) -> None:
    enc = minitok.get_encoding("minitok_32k")
    page = browser.new_page()
    page.set_content(notebook(enc.view("hello world"), enc.view("one two <b>"), trusted=False))
    assert page.locator("iframe").count() == 0
    assert "hello| world" in page.locator("pre").first.inner_text()
    assert "one| two| <|b|>" in page.locator("pre").last.inner_text()
    page.close()


def test_without_scripts(browser: Any, tmp_path: Path) -> None:
    page = browser.new_page(java_script_enabled=False)
    minitok.get_encoding("minitok_32k").view("hello world").save(tmp_path / "v.html")
    page.goto((tmp_path / "v.html").as_uri())
    assert "hello| world" in page.locator("noscript").inner_text()
    page.close()
