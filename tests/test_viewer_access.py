"""The viewer for keys, for those who hear or enlarge it, for phones; in Chromium."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import minitok
from minitok.viewer import View
from tests.browsing import LOW_CONTRAST, bytes_encoding, opened, tokens_of

pytestmark = [pytest.mark.once, pytest.mark.browser]

FOX = "The quick brown fox jumps over the lazy dog.\n"
LINES = FOX * 3 + "    def hello(name):\n!\n" + "and more of the same words " * 30 + "\n"


def lines_view(count: int = 1) -> View:
    encodings = [minitok.get_encoding("minitok_32k"), bytes_encoding(), bytes_encoding("quick", "same")]
    return View(LINES, encodings[:count], title="lines.txt")


def focused(page: Any) -> int:
    """The number of the token that has the focus."""
    number = page.evaluate("document.activeElement.dataset.n")
    assert number is not None
    assert f"token {int(number) + 1} of" in page.locator("#panel").inner_text()
    return int(number)


#: Left, right and middle's height of each token's first part.
BOXES = """[...document.querySelectorAll('.t')].map(t => t.getClientRects()[0])
    .map(r => ({ left: r.left, right: r.right, y: (r.top + r.bottom) / 2 + scrollY }))"""


def test_keys_move(browser: Any, tmp_path: Path) -> None:
    page = opened(browser, lines_view(), tmp_path, viewport={"width": 1000, "height": 400})
    count = page.locator(".t").count()
    boxes = page.evaluate(BOXES)

    def press(key: str) -> int:
        page.keyboard.press(key)
        return focused(page)

    page.keyboard.press("ArrowDown")  # scrolls, as no token has the focus
    assert page.evaluate("document.activeElement === document.body")
    assert [press("ArrowRight"), press("ArrowRight"), press("ArrowRight"), press("ArrowLeft")] == [0, 1, 2, 1]
    assert [press("ArrowLeft"), press("ArrowLeft")] == [0, 0]
    # The end of the line is its newline; down and up keep the place, through shorter lines too.
    for _ in range(3):
        press("ArrowRight")
    start = focused(page)
    path = [start]
    while (below := press("ArrowDown")) != path[-1]:
        path.append(below)
    assert len(path) == len({round(box["y"]) for box in boxes})
    middle = (boxes[start]["left"] + boxes[start]["right"]) / 2
    for n, before in zip(path[1:], path):
        assert 20 < boxes[n]["y"] - boxes[before]["y"] < 40
        line = [box for box in boxes if abs(box["y"] - boxes[n]["y"]) < 5]
        nearest = min(max(box["left"] - middle, middle - box["right"], 0) for box in line)
        assert max(boxes[n]["left"] - middle, middle - boxes[n]["right"], 0) == pytest.approx(nearest, abs=0.5)
    # What is chosen is never behind the bar at the top, nor out of the window.
    assert page.evaluate("document.activeElement.getBoundingClientRect().bottom <= innerHeight")
    assert [press("ArrowUp") for _ in path[1:]] == path[-2::-1]
    heads = page.locator("#heads").bounding_box()
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= heads["y"] + heads["height"] - 1
    newline = next(n for n, text in enumerate(tokens_of(page)) if text.endswith("\n"))
    assert [press("End"), press("Home"), press("Control+End"), press("Control+Home")] == [newline, 0, count - 1, 0]
    press("ArrowDown")
    assert press("Home") == newline + 1
    page.close()


def test_details_close_and_the_focus_stays(browser: Any, tmp_path: Path) -> None:
    page = opened(browser, lines_view(), tmp_path)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    assert page.locator("#panel h2").count() == 0
    assert page.evaluate("document.activeElement.dataset.n") == "1"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert focused(page) == 1
    page.keyboard.press("Enter")
    assert page.locator("#panel h2").count() == 0
    page.keyboard.press("Enter")
    page.locator("#panel .close").press("Enter")
    assert page.locator("#panel h2").count() == 0
    assert page.evaluate("document.activeElement.dataset.n") == "1"
    page.keyboard.press("w")  # makes the tokens anew
    assert page.evaluate("document.activeElement.dataset.n") == "1"
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    page.keyboard.press("w")
    assert page.locator("#white").get_attribute("aria-pressed") == "true"
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0
    assert page.evaluate("document.activeElement.dataset.n") == "1"
    assert not page.troubles
    page.close()


def test_keys_of_one_character_can_be_switched_off(browser: Any, tmp_path: Path) -> None:
    """As speech input needs it (WCAG 2.2, 2.1.4); the keys that move, and those of a field, stay."""
    page = opened(browser, lines_view(), tmp_path)
    pressed = "[...document.querySelectorAll('[aria-pressed=true]')].map((e) => e.id)"
    hints = "[...document.querySelectorAll('header [title]')].map((e) => e.title).join('')"
    closed = "!document.querySelector('#keys').open"
    page.keyboard.press("w")
    page.keyboard.press("i")
    assert page.evaluate(pressed) == ["white", "numbers"]
    assert set("/wsit?") <= set(page.evaluate(hints))
    page.keyboard.press("?")
    assert page.evaluate("document.activeElement.id") == "known"
    page.get_by_role("checkbox", name="Keys of one character").press(" ")  # (the mouse would point at a token)
    page.keyboard.press("Escape")
    page.wait_for_function(closed)
    theme = page.locator("#theme").inner_text()
    for key in "wit?/":
        page.keyboard.press(key)
    assert page.evaluate(pressed) == ["white", "numbers"]
    assert page.locator("#theme").inner_text() == theme
    # What had the focus is not to be seen any more; the browser takes it away at some time.
    assert page.evaluate("document.activeElement.id") in ("single", "")
    assert page.get_by_role("dialog").count() == 0
    assert page.locator("#query").get_attribute("placeholder") == "Search"
    assert not set("/wsit?") & set(page.evaluate(hints).replace("Shift-Enter", "").replace("Enter", ""))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert focused(page) == 1
    page.keyboard.press("Escape")
    assert page.locator("#panel h2").count() == 0
    page.locator("#help").press("Enter")
    page.get_by_role("checkbox", name="Keys of one character").press(" ")
    page.keyboard.press("Escape")
    page.wait_for_function(closed)
    page.keyboard.press("w")
    assert page.evaluate(pressed) == ["numbers"]
    assert not page.troubles
    page.close()


def test_tab(browser: Any, tmp_path: Path) -> None:
    page = opened(browser, lines_view(2), tmp_path)
    seen = []
    for _ in range(9):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("(({ id, dataset: { e, n } }) => id || `${e}:${n}`)(document.activeElement)"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", seen
    # (The text has no special tokens, so that button is not there to be used.)
    assert seen[:8] == ["by", "query", "white", "numbers", "theme", "help", "0:0", "1:0"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.e") == "1"
    assert focused(page) == len("The quick")
    page.close()


def test_what_is_heard(browser: Any, tmp_path: Path) -> None:
    page = opened(browser, lines_view(3), tmp_path)
    session = page.context.new_cdp_session(page)

    def tree() -> list[tuple[str, str]]:
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        return [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n["ignored"]]

    session.send("Accessibility.enable")
    heard = tree()
    roles = Counter(role for role, _ in heard)
    assert roles["main"] == roles["banner"] == roles["search"] == roles["complementary"] == 1
    count = len(minitok.get_encoding("minitok_32k").encode(LINES))
    named = {
        "heading": ("lines.txt", "minitok_32k"),
        "combobox": ("Search for",),
        "searchbox": ("Search tokens",),
        "group": ("Show",),
        "region": ("Counts", "Tokens"),
        "complementary": ("Details of a token",),
        "button": ("White space", "Special tokens", "Ids", "Theme: auto", "Keys", f"The, token 1 of {count}"),
    }
    assert {(role, name) for role, names in named.items() for name in names} <= set(heard)
    assert all(name for role, name in heard if role in named)
    # One button for each encoding; all other tokens are text.
    assert roles["button"] == 5 + 3
    for cell in page.locator("[role=group].cell").all():
        assert cell.get_attribute("aria-label")
    for j in range(3):
        assert "".join(page.locator(f".t[data-e='{j}']").all_text_contents()) == LINES
    assert page.locator("html").get_attribute("lang") == "en"
    assert {text.get_attribute("lang") for text in page.locator(".text").all()} == {""}
    # Details, counts and hits are announced.
    assert page.locator("#said").get_attribute("role") == "status"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    quick = minitok.get_encoding("minitok_32k").encode(" quick")[0]
    assert (
        page.locator("#said")
        .inner_text()
        .startswith(f"id {quick}, rank {quick}, 6 bytes 20 71 75 69 63 6b. Built by 5 merges, the last")
    )
    heard = tree()
    assert sum(role == "button" for role, _ in heard) == 5 + 3 + 1  # and one that closes
    assert any(role == "button" and name.startswith("space quick, token 2 of") for role, name in heard)
    assert page.locator(".t[aria-expanded=true]").count() == 1
    page.fill("#query", "lazy")
    assert "3 found" in page.locator("#found").aria_snapshot()
    assert page.locator("#found").aria_snapshot().startswith("- status")
    page.keyboard.press("Enter")
    assert page.locator("#said").inner_text().startswith("space lazy, token 9 of")
    page.close()
    page = opened(
        browser,
        bytes_encoding("  ", "\n", "\t\t", "\u200b", "\x07", ".\n").view("  \n\t\t\u200b\x07\xe9.\n"),
        tmp_path,
    )
    names = []
    for _ in range(8):
        page.keyboard.press("ArrowRight")
        names.append(page.evaluate("document.activeElement.ariaLabel").split(", token")[0])
    assert names == ["2 spaces", "newline", "2 tabs", "U+200B", "BEL", "bytes c3", "bytes a9", ". newline"]
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(browser: Any, tmp_path: Path, scheme: str) -> None:
    enc = minitok.get_encoding("minitok_32k")
    text = "one two three four five six seven eight\t\x07\u200b 🦖\xff" + min(enc.special_tokens_set) + "\r\n"
    view = enc.view(text.encode() + b"\xff" * 7, beside=[bytes_encoding()], allowed_special="all", title="t")
    page = opened(browser, view, tmp_path, color_scheme=scheme)
    page.locator(".t").nth(2).click()
    page.fill("#query", "e")
    for modes in ([], ["white", "special", "numbers"]):
        for name in modes:
            page.click(f"#{name}")
        seen, low = page.evaluate(LOW_CONTRAST)
        assert seen > 60
        assert not low
    page.evaluate(
        "document.querySelector('#trouble').textContent = 'trouble'; document.querySelector('#keys').showModal()"
    )
    seen, low = page.evaluate(LOW_CONTRAST)
    assert not low
    # It is seen by itself that the test can fail.
    page.evaluate("document.documentElement.style.setProperty('--dim', '#777')")
    assert page.evaluate(LOW_CONTRAST)[1]
    page.close()


@pytest.mark.parametrize("count", [1, 3])
def test_a_phone(browser: Any, tmp_path: Path, count: int) -> None:
    page = opened(
        browser, lines_view(count), tmp_path, viewport={"width": 360, "height": 700}, has_touch=True, is_mobile=True
    )
    wide = "[document.documentElement.scrollWidth, innerWidth]"
    assert page.evaluate(wide) == [360, 360]
    if count > 1:  # below each other, each piece of the text under the name of its encoding
        cells = [cell.bounding_box() for cell in page.locator(".row >> nth=0").locator(".cell").all()]
        assert len({cell["x"] for cell in cells}) == 1
        assert all(above["y"] + above["height"] <= below["y"] for above, below in pairwise(cells))
        names = page.locator(".row >> nth=0").locator(".name")
        assert [name.inner_text() for name in names.all() if name.is_visible()] == ["minitok_32k", "bytes", "bytes"]
    for n in (3, 12, page.locator(".t").count() // 2):
        token = page.locator(".t").nth(n)
        token.scroll_into_view_if_needed()
        token.tap()
        panel, place = page.locator("#panel").bounding_box(), token.bounding_box()
        assert page.locator("#panel h2").is_visible()
        assert place["y"] + place["height"] <= panel["y"]
        assert place["y"] >= page.locator("search").bounding_box()["height"]
        assert panel["y"] >= 350
        assert panel["y"] + panel["height"] == pytest.approx(700, abs=1)
        assert page.evaluate(wide) == [360, 360]
        page.locator("#panel .close").tap()
        assert page.locator("#panel h2").count() == 0
    for name in ("white", "numbers", "help"):
        page.locator(f"#{name}").tap()
        assert page.evaluate(wide) == [360, 360]
    close = page.locator("#known").bounding_box()
    assert close["y"] + close["height"] < 700
    page.close()
