"""The viewer's page in Chromium."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import minitok
from minitok.viewer.server import ViewServer
from tests.conftest import CHROMIUM

pytestmark = [pytest.mark.once, pytest.mark.browser]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


def opened(browser: Any, path: Path, **options: Any) -> Any:
    page = browser.new_page(**options)
    page.troubles = []
    page.on("pageerror", lambda error: page.troubles.append(error))  # noqa: PLW0108 (it takes no built-in method)
    page.goto(path.as_uri())
    page.wait_for_selector(".t")
    return page


def test_a_page(browser: Any, tmp_path: Path) -> None:
    enc = minitok.get_encoding("minitok_32k")
    text = "hello world </script><img src=x onerror='window.bad=1'> 字🦖\x07\n"
    enc.view(text, beside=[enc], title="<img src=x onerror='window.bad=1'>").save(tmp_path / "v.html")
    page = opened(browser, tmp_path / "v.html", color_scheme="dark")
    assert page.locator(".head").count() == 2
    assert page.evaluate("document.documentElement.classList.contains('dark')")
    page.locator(".t").first.hover()
    hello = enc.encode("hello")[0]
    assert str(hello) in page.locator("#panel").inner_text()
    assert "rank" in page.locator("#panel ol").inner_text()
    page.keyboard.press("ArrowRight")
    assert "token 2 of" in page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("/")
    page.keyboard.type("WORLD")
    assert page.locator("#found").inner_text() == "1 found"
    assert page.locator(".t.hit").count() == 2
    page.select_option("#by", "id")
    page.fill("#query", str(hello))
    assert page.locator("#found").inner_text() == "2 found"
    page.click("#white")
    assert page.locator(".w").count() > 0
    assert page.evaluate("window.bad") is None
    assert page.locator("img").count() == 0
    assert not page.troubles
    page.close()


def test_a_megabyte(browser: Any, tmp_path: Path) -> None:
    words = "".join(f"word{k} is here, {'again' * (k % 3)}\n" for k in range(40_000))[:1_000_000]
    minitok.get_encoding("minitok_32k").view(words).save(tmp_path / "v.html")
    start = time.perf_counter()
    page = opened(browser, tmp_path / "v.html")
    assert time.perf_counter() - start < 2
    page.close()


def test_typing(browser: Any) -> None:
    with ViewServer([minitok.get_encoding("minitok_32k")]) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        page = browser.new_page()
        page.goto(server.url)
        page.fill("#typed", "hello world")
        page.wait_for_selector(".t")
        assert page.locator(".t").all_inner_texts() == ["hello", " world"]
        page.close()
        server.shutdown()
        thread.join()
