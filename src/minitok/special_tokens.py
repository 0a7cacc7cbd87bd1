"""Which special tokens may appear in a text, and where they are.

The rules are tiktoken's: text that spells a special token is an error unless the caller allows it (then it is
the special token) or says that it is no matter (then it is ordinary text). Where several special tokens match
at the same place the longest wins. One that is not allowed hides no allowed one that begins inside of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from os.path import commonprefix
from typing import Literal, NoReturn

from minitok import _backend
from minitok.added_tokens import AddedToken, with_flags

__all__ = ["Allowed", "Disallowed", "SpecialTokens", "check_special_tokens"]

Allowed = Literal["all"] | AbstractSet[str]
Disallowed = Literal["all"] | Collection[str]


def check_special_tokens(special_tokens: Iterable[str]) -> list[str]:
    """The strings that are to be special tokens, as a list.

    Raises:
        TypeError: they are no strings, or one string.
        ValueError: one is empty, or given twice.
    """
    if isinstance(special_tokens, (str, bytes)):
        raise TypeError("special_tokens is a list of str, not one str")
    specials = list(special_tokens)
    for token in specials:
        if not isinstance(token, str):
            raise TypeError(f"a special token is a str, not {type(token).__name__}: {token!r}")
        if not token:
            raise ValueError("a special token is empty")
    if len(set(specials)) < len(specials):
        raise ValueError(f"a special token is given twice: {next(t for t in specials if specials.count(t) > 1)!r}")
    return specials


@lru_cache(maxsize=128)
def _any_of(tokens: frozenset[str]) -> re.Pattern[str]:
    """An expression that matches any of the strings, the longest first. For a thousand that takes 20 ms."""
    return re.compile("|".join(re.escape(token) for token in sorted(tokens, key=lambda t: (-len(t), t))))


def _raise_disallowed(token: str) -> NoReturn:
    raise ValueError(
        f"Encountered text corresponding to disallowed special token {token!r}.\n"
        "If you want this text to be encoded as a special token, "
        f"pass it to `allowed_special`, e.g. `allowed_special={{{token!r}, ...}}`.\n"
        "If you want this text to be encoded as normal text, disable the check for this token "
        f"by passing `disallowed_special=(enc.special_tokens_set - {{{token!r}}})`.\n"
        "To disable this check for all special tokens, pass `disallowed_special=()`.\n"
    )


class SpecialTokens:
    """The special tokens of one vocabulary.

    Args:
        ids: special token to id.
        added: added tokens. Those with the id of a special one say what belongs to it, and where it is looked for.

    Added tokens that are looked for in the text as it is are looked for together with the special ones, because one
    may hide another; they are among the `places`. Those that are looked for in normalized text are not, even if
    special.
    """

    def __init__(self, ids: Mapping[str, int], added: Iterable[AddedToken] = ()) -> None:
        self.ids = ids
        added = tuple(added)
        name_of = {i: name for name, i in ids.items()}
        self.names: frozenset[str] = frozenset(ids)
        #: Those that are looked for in normalized text.
        self.in_normalized = frozenset(name_of[t.id] for t in added if t.normalized and t.id in name_of)
        raw = [token for token in added if not token.normalized]
        #: Those whose place depends on what is around them.
        self.flagged = {token.id: token for token in raw if token.has_flags}
        beside = {token.content: token.id for token in raw if token.id not in name_of}
        self._beside = frozenset(beside)
        self._finder = _backend.SpecialFinder(
            {name: i for name, i in ids.items() if name not in self.in_normalized} | beside
        )
        #: What the special tokens begin with: a text without any of these characters has none of them.
        self.first_characters = "".join(sorted({token[0] for token in ids}))
        self._beginning = commonprefix(list(ids))  # noqa: RUF071 (characters are meant)
        # Repairing surrogates makes characters above U+FFFF, and U+FFFD.
        self.survive_repair = not re.search("[\ufffd\U00010000-\U0010ffff]", "".join(ids))
        self._beginning_bytes = self._beginning.encode("utf-8", "surrogatepass")

    def are_absent(self, text: str | bytes) -> bool:
        """Whether there is certainly no special token in a text: mostly, because what they all begin with is not."""
        if not self.names:
            return True
        if not isinstance(text, str):
            return bool(self._beginning_bytes) and self._beginning_bytes not in text
        if not self.survive_repair and not text.isascii():
            return False
        if not self._beginning:
            return _any_of(self.names).search(text) is None
        # To look for one character is many times faster than for two.
        return self._beginning[0] not in text or self._beginning not in text

    def policy(self, allowed: Allowed, disallowed: Disallowed) -> tuple[frozenset[str], frozenset[str]]:
        """The two arguments as sets: what becomes a special token, what is an error.

        Raises:
            TypeError: `allowed` is neither "all" nor a set.
        """
        if isinstance(allowed, str) and allowed == "all":
            allowed = self.names
        elif not isinstance(allowed, AbstractSet):
            raise TypeError(f"allowed_special is 'all' or a set of str, not {type(allowed).__name__}")
        if isinstance(disallowed, str) and disallowed == "all":
            disallowed = self.names if not allowed else self.names - allowed
        elif not isinstance(disallowed, frozenset):
            disallowed = frozenset(disallowed)
        return (self.names if allowed is self.names else self.names & allowed), disallowed

    def check(self, text: str, disallowed: frozenset[str]) -> None:
        """Raise if the text has a disallowed special token.

        Raises:
            ValueError: it has; the message names the first and the ways out.
        """
        if disallowed:
            found = _any_of(disallowed).search(text)
            if found:
                _raise_disallowed(found.group())

    def places(self, text: str | bytes, allowed: frozenset[str], before: str = "") -> Sequence[tuple[int, int, int]]:
        """Where the allowed special tokens stand, and added ones: start, end and id of each, in order.

        Nothing allowed has no places at all, added tokens neither. `before` is the character before the text, if it
        is a part of a longer one.
        """
        if not allowed:
            return ()
        if self._beside or self.in_normalized:
            allowed = (allowed - self.in_normalized) | self._beside
        places = self._finder.places(text, allowed)
        return with_flags(places, text, self.flagged, before) if self.flagged and isinstance(text, str) else places

    def looked_for(self, allowed: frozenset[str]) -> frozenset[str]:
        """What `places` looks at: of all that begin at one place the longest counts, allowed or not."""
        return (self.names - self.in_normalized) | self._beside if allowed else frozenset()
