"""What is done to texts first, held against `tokenizers` for every code point."""

from __future__ import annotations

import pytest
import tokenizers
from hypothesis import example, given
from hypothesis import strategies as st

from minitok.normalizers import Lowercase, Normalizer, Prepend, Replace, Spaces, Strip, UnicodeForm, compose
from minitok.unicode_forms import FORMS, Form
from tests.conftest import examples
from tests.strategies import any_text, class_text

#: All of it is above the seam.
pytestmark = pytest.mark.once

REFERENCES = tokenizers.normalizers
CODE_POINTS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def reference(normalizer: Normalizer) -> tokenizers.normalizers.Normalizer:
    match normalizer:
        case UnicodeForm(form):
            return getattr(REFERENCES, form)()
        case Lowercase():
            return REFERENCES.Lowercase()
        case Strip(left, right):
            return REFERENCES.Strip(left, right)
        case Replace(pattern, content, is_regex):
            return REFERENCES.Replace(tokenizers.Regex(pattern) if is_regex else pattern, content)
        case Prepend(text):
            return REFERENCES.Prepend(text)
    raise NotImplementedError(normalizer)


def check(normalizer: Normalizer, texts: list[str]) -> None:
    ours, theirs = normalizer.function(), reference(normalizer)
    wrong = [(text, ours(text)) for text in texts if ours(text) != theirs.normalize_str(text)]
    assert not wrong, wrong[:10]


def in_stretches(near: str) -> list[str]:
    """All code points, each with something beside it, a few at a time."""
    starts = examples(range(0, len(CODE_POINTS), 64))
    return ["|".join(near.format(c) for c in CODE_POINTS[i : i + 64]) for i in starts]


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_every_code_point(form: Form) -> None:
    check(UnicodeForm(form), in_stretches("{}"))
    check(UnicodeForm(form), in_stretches("a\u0301{}\u0323"))


def test_small_letters_of_every_code_point() -> None:
    check(Lowercase(), in_stretches("{}"))


@given(
    st.sampled_from(
        [
            *map(UnicodeForm, FORMS),
            Lowercase(),
            Strip(),
            Strip(right=False),
            Strip(left=False),
            Replace(" ", "▁"),
            Replace(r"\s+", " ", True),
            Prepend("▁"),
        ]
    ),
    st.one_of(class_text, any_text, st.text(alphabet="\u0301\u0323aé가\u1161\u1100ΣσΑ \u3000\x1c\t\n", max_size=12)),
)
@example(Lowercase(), "ΑΣ ΑΣ")
@example(UnicodeForm("NFC"), "\u0344\u0301")
def test_texts(normalizer: Normalizer, text: str) -> None:
    check(normalizer, [text])


def test_chains() -> None:
    assert compose([]) is None
    chain = compose([Spaces(), Prepend(" ", once=True), Lowercase()])
    assert chain is not None
    assert [chain(text) for text in ("", "  A   b ", " ", "a")] == ["", " a b", "", " a"]
    with pytest.raises(ValueError, match="expected one of NFC"):
        UnicodeForm("NFX")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="does not compile"):
        Replace("(", "", True)
