"""The named split patterns, as data.

A pattern is a regular expression that cuts a text into pieces; merges never cross a piece. The expressions are
those of tiktoken 0.14 (`tiktoken_ext/openai_public.py`), so that a vocabulary that carries one is recognized
and cut by the faster scanner that is known to agree with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "DEFAULT_PATTERN",
    "NUMBER_BOUNDARY",
    "PATTERNS",
    "SAFE_BOUNDARY",
    "NamedPattern",
    "find_named_pattern",
    "find_staged_pattern",
    "is_known_to_compile",
    "resolve_pattern",
]


#: A boundary that every named pattern but `spaces` and its kin makes, whatever stands further left or right: behind
#: a letter and before a character that is neither letter nor mark nor apostrophe. No alternative of any pattern goes
#: from the one to the other, and none that ends in a letter looks ahead further than that character. (The letter is
#: not the first of a contraction's two: `'l|` + ` ` is no contraction on either side of the cut.)
SAFE_BOUNDARY = (r"""\p{L}""", r"""[^\p{L}\p{M}']""")

#: Another one: behind a number and before a character that is none. In these patterns numbers are only followed by
#: numbers, and what ends in one does not look ahead.
NUMBER_BOUNDARY = (r"""\p{N}""", r"""\P{N}""")


@dataclass(frozen=True)
class NamedPattern:
    """A split pattern that has a name.

    Attributes:
        name: the name that users give, and by which the compiled scanner knows the pattern.
        regex: the expression.
        aliases: other names of the same pattern.
        spellings: other expressions that cut every text alike.
        portable: the expression without possessive quantifiers, for engines that read those differently.
        stages: expressions that cut every text alike if each cuts, at both ends of its matches, what the one before
            left.
        boundaries: two characters' classes between which the pattern cuts, whatever stands further left or right.
    """

    name: str
    regex: str
    aliases: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()
    portable: str = ""
    stages: tuple[str, ...] = ()
    boundaries: tuple[tuple[str, str], ...] = (SAFE_BOUNDARY, NUMBER_BOUNDARY)


_CONTRACTION_SUFFIX = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"

_R50K = NamedPattern(
    name="r50k",
    regex=r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s""",
    aliases=("gpt2", "p50k"),
    spellings=(
        r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+""",
        r"""'s|'t|'re|'ve|'m|'ll|'d| ?[\p{L}]+| ?[\p{N}]+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+""",
        r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+""",
    ),
)

_CL100K = NamedPattern(
    name="cl100k",
    regex=(
        r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"""
        r"""|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
    ),
    portable=(
        r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"""
        r"""|\s+\z|\s*[\r\n]|\s+(?!\S)|\s"""
    ),
)

_O200K = NamedPattern(
    name="o200k",
    regex="|".join(
        (
            r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+""" + _CONTRACTION_SUFFIX,
            r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*""" + _CONTRACTION_SUFFIX,
            r"""\p{N}{1,3}""",
            r""" ?[^\s\p{L}\p{N}]+[\r\n/]*""",
            r"""\s*[\r\n]+""",
            r"""\s+(?!\S)""",
            r"""\s+""",
        )
    ),
)

_LLAMA3 = NamedPattern(
    name="llama3",
    regex=(
        r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"""
        r"""|\s*[\r\n]+|\s+(?!\S)|\s+"""
    ),
)

_QWEN2 = NamedPattern(
    name="qwen2",
    regex=(
        r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"""
        r"""|\s*[\r\n]+|\s+(?!\S)|\s+"""
    ),
)

_TEKKEN = NamedPattern(
    name="tekken",
    regex="|".join(
        (
            r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+""",
            r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*""",
            r"""\p{N}""",
            r""" ?[^\s\p{L}\p{N}]+[\r\n/]*""",
            r"""\s*[\r\n]+""",
            r"""\s+(?!\S)""",
            r"""\s+""",
        )
    ),
)

# DeepSeek V3 splits in three stages, each of which cuts what the one before left, between its matches too
# (`pre_tokenizer` of deepseek.tokenizer.json). Here they are one expression: the classes of a later stage leave out
# the characters of an earlier one, and what the last stage does not match is cut where its next match begins.
_KANA_WORD = r"""\u4e00-\u9fa5\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"""
_KANA_SIGN = r"""\u309b\u309c\u30a0\u30fb"""
_KANA_REST = r"""\u3040\u3097\u3098"""
_EARLIER = r"""\p{N}\u4e00-\u9fa5\u3040-\u30ff"""
#: Letters and marks; signs; and what is neither, nor white space: none of them from an earlier stage.
_WORD = rf"""[^{_EARLIER}\p{{P}}\p{{S}}\p{{Z}}\p{{C}}]"""
_SIGN = rf"""[^{_EARLIER}\p{{L}}\p{{M}}\p{{Z}}\p{{C}}]"""
_REST = rf"""[^{_EARLIER}\p{{L}}\p{{M}}\p{{P}}\p{{S}}\s]"""

_DEEPSEEK = NamedPattern(
    name="deepseek",
    stages=(
        r"""\p{N}{1,3}""",
        "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
        (
            r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"""
            "|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
        ),
    ),
    regex="|".join(
        (
            r"""\p{N}{1,3}""",
            rf"""[{_KANA_REST}]?[{_KANA_WORD}]+""",
            rf"""[{_KANA_SIGN}]+""",
            rf"""(?:[{_KANA_REST}](?![{_KANA_WORD}]))+""",
            r"""[!-/:-@\[-`{-~][A-Za-z]+""",
            rf"""[^\r\n{_EARLIER}\p{{L}}\p{{P}}\p{{S}}]?{_WORD}+""",
            rf""" ?{_SIGN}+[\r\n]*""",
            r"""\s*[\r\n]+""",
            rf"""\s+(?![^\s{_EARLIER}])""",
            r"""\s+""",
            rf"""(?:{_REST}(?!{_WORD}))+""",
        )
    ),
)

# Where text may be cut for vocabularies of SentencePiece and the like: they have no pattern, but their tokens have
# spaces at the beginning alone. Then no merge ever crosses a space that something else is before.
_BEFORE_SPACE = ((r"[^ ]", r" "),)
_SPACES = NamedPattern(name="spaces", regex=r""" *[^ ]+| +""", boundaries=_BEFORE_SPACE)

# Mostly no token has an ASCII letter beside an ASCII sign or digit, either: then it may be cut there, too.
_SIGN_RUN = r"""(?:[A-Za-z]+|[\x00-\x1f!-@\[-`{-\x7f]+)"""
_SPACES_SIGNS = NamedPattern(
    name="spaces_signs",
    regex=(rf""" *{_SIGN_RUN}(?:[^\x00-\x7f]+{_SIGN_RUN}?)*| *(?:[^\x00-\x7f]+{_SIGN_RUN}?)+| +"""),
    boundaries=_BEFORE_SPACE,
)

#: Every name, aliases included.
PATTERNS: dict[str, NamedPattern] = {
    name: pattern
    for pattern in (_R50K, _CL100K, _O200K, _LLAMA3, _QWEN2, _TEKKEN, _DEEPSEEK, _SPACES, _SPACES_SIGNS)
    for name in (pattern.name, *pattern.aliases)
}

DEFAULT_PATTERN = "o200k"

_BY_REGEX = {
    regex: pattern
    for pattern in PATTERNS.values()
    for regex in (pattern.regex, *pattern.spellings, pattern.portable)
    if regex
}

_BY_STAGES = {pattern.stages: pattern for pattern in PATTERNS.values() if pattern.stages}

_KNOWN_TO_COMPILE = {*_BY_REGEX, *(stage for stages in _BY_STAGES for stage in stages)}


def is_known_to_compile(regex: str) -> bool:
    """Whether an expression is a named pattern, or a stage of one: to compile it would tell nothing."""
    return regex in _KNOWN_TO_COMPILE


def find_staged_pattern(stages: Sequence[str]) -> NamedPattern | None:
    """The named pattern that several expressions are, each of which cuts what the one before left; or None."""
    return _BY_STAGES.get(tuple(stages))


def find_named_pattern(regex: str | None) -> NamedPattern | None:
    """The named pattern that an expression spells, or None.

    >>> find_named_pattern(PATTERNS["gpt2"].regex).name
    'r50k'
    """
    return _BY_REGEX.get(regex) if regex is not None else None


def resolve_pattern(pattern: str | None) -> str | None:
    """The regular expression for what a user gives as a pattern: a name, an expression, or None (no split).

    Raises:
        TypeError: it is neither a str nor None.
        ValueError: it is one word, and no pattern's name.

    >>> resolve_pattern("gpt2") == PATTERNS["r50k"].regex
    True
    """
    if pattern is not None and not isinstance(pattern, str):
        raise TypeError(f"a pattern is a str (a name or a regular expression) or None, not {type(pattern).__name__}")
    if pattern is None:
        return None
    named = PATTERNS.get(pattern)
    if named is None and len(pattern) > 2 and pattern.isidentifier():
        # As an expression it would match this one word, which nobody means.
        raise ValueError(
            f"there is no pattern {pattern!r}; the names are {', '.join(PATTERNS)} (an expression for just that word "
            f"is '(?:{pattern})')"
        )
    return named.regex if named else pattern
