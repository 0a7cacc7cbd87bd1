"""A page that shows tokens: one file, which loads nothing.

Whatever comes from a text or a vocabulary reaches the page as JSON alone, in a script element that does not run, with
all that has meaning in HTML escaped; the page's own script puts it there as text. The content policy lets no other
script run.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from importlib.resources import files
from typing import Any

__all__ = ["json_for_html", "page"]

#: The parts of the page's script, in their order.
_SCRIPTS = ("tokens", "characters", "rows", "details", "moving", "search", "controls")

_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def json_for_html(data: Any) -> str:
    r"""JSON that can stand in any element of a page.

    >>> json_for_html("</script>")
    '"\\u003c/script\\u003e"'
    """
    return json.dumps(data, separators=(",", ":")).translate(_ESCAPES)


def page(data: dict[str, Any], plain: str = "") -> str:
    """The page of a view's data, and the text that stands in its place where no script runs."""
    script = "".join(_static(f"{name}.js") for name in _SCRIPTS)
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    parts = {
        "title": html.escape(data["title"] or "Tokens"),
        "style": _static("viewer.css"),
        "script": script,
        "data": json_for_html(data),
        "digest": digest,
        "connect": "'self'" if data["live"] else "'none'",
        "plain": html.escape(plain),
    }
    return re.sub(r"@@(\w+)@@", lambda found: parts[found[1]], _static("page.html"))


def _static(name: str) -> str:
    return files("minitok.viewer").joinpath("static", name).read_text(encoding="utf-8")
