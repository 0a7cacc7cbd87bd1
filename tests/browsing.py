"""Pages in Chromium, and what tests of them share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import regex

import minitok
from minitok.viewer import View


def opened(browser: Any, view: View, folder: Path, **options: Any) -> Any:
    """The page of a view, once it shows tokens; `troubles` of it collects what its script raises."""
    path = folder / "view.html"
    view.save(path)
    page = browser.new_page(**options)
    page.troubles = []
    page.on("pageerror", lambda error: page.troubles.append(error))  # noqa: PLW0108 (it takes no built-in method)
    page.goto(path.as_uri())
    page.wait_for_selector(".t")
    return page


def tokens_of(page: Any) -> list[str]:
    """What the tokens that are there contain."""
    found: list[str] = page.locator(".t").all_text_contents()
    return found


def bytes_encoding(*words: str) -> minitok.Encoding:
    """An encoding of all bytes and some words, which are pieces of their own."""
    tokens: dict[bytes, int] = {bytes([b]): b for b in range(256)}
    for word in words:
        tokens.setdefault(word.encode(), len(tokens))
    longest = sorted(words, key=len, reverse=True)
    pattern = "|".join([*map(regex.escape, longest), r"[\s\S]"])
    return minitok.Encoding("bytes", pat_str=pattern, mergeable_ranks=tokens, special_tokens={})

