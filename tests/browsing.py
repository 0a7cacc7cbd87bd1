"""Pages in Chromium, and what tests of them share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import regex

import minitok
from minitok.viewer import View

#: How much text is looked at; and of it, with the rings of tokens, what has less contrast with what is behind it than
#: it should (WCAG 2.2, 1.4.3 and 1.4.11, with the formulas given there).
LOW_CONTRAST = r"""() => {
  const parse = (colour) => colour.match(/[\d.]+/g).map(Number);
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const behind = (e) => {
    const colour = parse(getComputedStyle(e).backgroundColor);
    return colour.length === 3 || colour[3] === 1 ? colour : behind(e.parentElement);
  };
  const low = [];
  let seen = 0;
  const check = (e, pseudo) => {
    const found = ratio(parse(getComputedStyle(e, pseudo).color), behind(e));
    seen++;
    if (found < 4.5) low.push([e.id || e.className || e.tagName, pseudo, e.textContent.slice(0, 20), found]);
  };
  const ring = parse(getComputedStyle(document.querySelector(".bar")).backgroundColor);
  for (const e of document.body.querySelectorAll("*")) {
    if (!e.checkVisibility() || e.disabled || e.closest("option, noscript, .unseen")) continue;
    if ([...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim()) || e.value) check(e, null);
    if (e.placeholder) check(e, "::placeholder");
    for (const pseudo of ["::before", "::after"])
      if (!["none", "normal"].includes(getComputedStyle(e, pseudo).content)) check(e, pseudo);
    if (e.matches(".t") && ratio(ring, behind(e.parentElement)) < 3) low.push(["ring"]);
  }
  return [seen, low];
}"""


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
