"""Texts that end where memory ends: whatever reads behind them dies.

    python -m tests.guarded               encode such texts in every way: exit status 0 if nobody read too far
    python -m tests.guarded --overread    read one byte too far, to show that this does not pass unnoticed

The compiled core reads the very memory in which a bytes or a str object holds its characters. So it is whole objects
that are put in front of a page that cannot be read: copies of real ones, byte for byte, less the NUL at their end,
which nothing may rely upon. This holds for CPython, where the objects may lie at any address, and for systems that
have `mprotect`.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import itertools
import mmap
import random
import sys
import sysconfig
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, TypeVar

import minitok
from minitok.patterns import PATTERNS
from minitok.pretokenizer import text_of
from tests.conftest import seam
from tests.strategies import CLASS_CHARACTERS

_Text = TypeVar("_Text", bound=str | bytes)

LENGTHS = range(201)
#: Around the stretches in which a str is turned to UTF-8, and around pages.
LONG_LENGTHS = [4095, 4096, 4097, 16367, 16368, 16383, 16384, 16385, 16400, 32768, 70_001]
#: How many references a copy pretends to have: it is never freed, and never taken for an immortal one either.
REFERENCES = 1 << 30


def works_here() -> bool:
    """Whether this Python and this system are such that objects can be put there."""
    return (
        sys.implementation.name == "cpython"
        and not sysconfig.get_config_var("Py_GIL_DISABLED")
        and sys.platform != "win32"
    )


class Cliff:
    """Memory in front of a page that cannot be read. It holds one object at a time.

    Args:
        size: of the largest object.
    """

    def __init__(self, size: int) -> None:
        pages = -(-size // mmap.PAGESIZE)
        self._memory = mmap.mmap(-1, (pages + 1) * mmap.PAGESIZE)
        self.end = ctypes.addressof(ctypes.c_char.from_buffer(self._memory)) + pages * mmap.PAGESIZE
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        if libc.mprotect(self.end, mmap.PAGESIZE, 0) != 0:
            raise OSError(ctypes.get_errno(), "mprotect")

    def place(self, text: _Text) -> _Text:
        """A copy of a text whose last byte is the last that can be read."""
        width = 1 if isinstance(text, bytes) else width_of(text)
        size = sys.getsizeof(text) - width
        ctypes.memmove(self.end - size, id(text), size)
        ctypes.c_ssize_t.from_address(self.end - size).value = REFERENCES
        copied: _Text = ctypes.cast(self.end - size, ctypes.py_object).value
        return copied

    def view(self, data: bytes) -> memoryview:
        """The same as a buffer."""
        ctypes.memmove(self.end - len(data), data, len(data))
        return memoryview((ctypes.c_char * len(data)).from_address(self.end - len(data))).cast("B")


def width_of(text: str) -> int:
    """How many bytes Python stores each character of a str in."""
    highest = max(text, default="")
    return 1 if highest < "\u0100" else 2 if highest < "\U00010000" else 4


def endless_texts() -> list[str]:
    """Texts of which any beginning is taken: each kind of character at each distance from the end, and mixtures."""
    units = [
        "a",
        "A",
        "word ",
        " ",
        "\n",
        "1",
        "12 ",
        "!",
        " !",
        "!\n/",
        "é",
        "字",
        "字a",
        "ア・",
        "😀",
        "a'll",
        "x'ſ",
    ]
    rng = random.Random(4)
    mixtures = ["".join(rng.choices(CLASS_CHARACTERS, k=LONG_LENGTHS[-1])) for _ in range(4)]
    return [unit * LONG_LENGTHS[-1] for unit in units] + mixtures


def byte_texts(text: str) -> Iterator[bytes]:
    """Every beginning of a text, in bytes: characters are cut too."""
    data = text[: LONG_LENGTHS[-1]].encode()
    return (data[:length] for length in [*LENGTHS, *LONG_LENGTHS])


def str_texts(text: str, first: str, last: str) -> Iterator[str]:
    """The same in characters; what comes first decides on how Python stores them."""
    return (first + text[:length] + last for length in ([*LENGTHS, *LONG_LENGTHS] if first + last == "" else LENGTHS))


#: Before and behind the beginnings of texts: nothing, what is stored in 1, 2, 4 bytes, and what has no UTF-8.
FORMS = [("", ""), ("\xe9", ""), ("\u5b57", ""), ("\U0001f600", ""), ("\ud800", ""), ("", "\ud800")]


class Caller:
    """All that takes a text and gives it to the core, for one pattern.

    Args:
        native: the compiled module.
        pattern: a regular expression, or None.
    """

    def __init__(self, native: Any, pattern: str | None) -> None:
        self._native = native
        self._pattern = pattern
        vocabulary = minitok.get_encoding("minitok_32k").vocabulary
        self._encoding = minitok.Encoding.from_vocabulary(
            minitok.Vocabulary("cliff", vocabulary.tokens, vocabulary.merges, {}, pattern, vocabulary.whole_piece)
        )

    def results(self, text: str | bytes | memoryview) -> list[Any]:
        """What all calls give."""
        encoding = self._encoding
        results: list[Any] = [
            encoding.encode(text),
            encoding.encode_ordinary(text),
            encoding.encode_to_numpy(text).tolist(),
            encoding.count(text),
            encoding.fits(text, 3),
            encoding.encode_batch_to_numpy([text])[0].tolist(),
        ]
        if len(text) > 100:
            results.append(encoding.encode(text, num_threads=3))
        if isinstance(text, bytes):
            results += self._parts(text)
        return results

    def _parts(self, text: bytes) -> list[Any]:
        encoder = self._encoding._encoder
        counter = seam("native").PieceCounter(self._pattern)
        counter.add([text_of(text)])
        results = [encoder.split(text), encoder.encode_piece(text), encoder.merge_piece(text), counter.counts()]
        if self._pattern is not None and minitok.patterns.find_named_pattern(self._pattern):
            splitters = (None, *self._native.CLASSIFIERS)
            results += [self._native.split_with(self._pattern, splitter, text) for splitter in splitters]
            counter.feed(text)
            results.append(counter.counts())
        return results


def check_texts(native: Any, patterns: list[str | None], cliff: Cliff, every: int) -> int:
    """Ask for the same of each text and of its copy before the cliff; how many texts there were."""
    checked = 0
    for number, pattern in enumerate(patterns):
        caller = Caller(native, pattern)
        kinds = list(itertools.product(endless_texts(), [None, *FORMS]))
        for text, form in kinds[number % every :: every]:
            for part in byte_texts(text) if form is None else str_texts(text, *form):
                expected = caller.results(part)
                assert caller.results(cliff.place(part)) == expected, (pattern, part[-300:])
                if isinstance(part, bytes):
                    of_view = caller.results(cliff.view(part))
                    assert of_view == expected[: len(of_view)], (pattern, part[-300:])
                checked += 1
    return checked


def check_rank_files(native: Any, cliff: Cliff) -> int:
    """Parse rank files that end there, whole and cut anywhere; how many there were."""
    tokens = [*(bytes([b]) for b in range(256)), b"ab", b"abc", b" " * 40]
    whole = b"".join(b"%s %d\n" % (b64encode(token), rank) for rank, token in enumerate(tokens))
    for cut in range(120):
        data = whole[: len(whole) - cut]
        ours, expected = native.RankTable.parse(cliff.place(data)), native.RankTable.parse(data)
        assert (ours is None) == (expected is None)
        assert ours is None or ours.as_dict() == expected.as_dict()
    return 120


def check_json_models(native: Any, cliff: Cliff) -> int:
    """The same for the model of a tokenizer.json."""
    vocab = b", ".join(b'"%c": %d' % (letter, letter) for letter in b"abcdefgh")
    whole = b'{"model": {"vocab": {%s, "\\u0061\\u0062": 300, "<s>": 400}, "merges": ["a b"]}}' % vocab
    read = native.RankTable.parse_json_model
    for cut in range(len(whole)):
        data = whole[: len(whole) - cut]
        place = native.RankTable.find_json_model(data)
        assert native.RankTable.find_json_model(cliff.place(data)) == place
        if place is not None:
            ours, expected = read(cliff.place(data), place, ["<s>"]), read(data, place, ["<s>"])
            assert ours[0].as_dict() == expected[0].as_dict()
    # The values end where memory ends.
    found: tuple[int, int, int, int] = native.RankTable.find_json_model(whole)
    vocab_start, vocab_end, merges, merges_end = found
    for cut in range(merges_end - merges):
        place = (vocab_start, vocab_end, merges, merges_end - cut)
        assert (read(cliff.place(whole[: merges_end - cut]), place, ["<s>"]) is None) == (cut > 0)
    for cut in range(vocab_end - vocab_start):
        data = whole[merges:merges_end] + whole[vocab_start : vocab_end - cut]
        place = (merges_end - merges, len(data), 0, merges_end - merges)
        assert (read(cliff.place(data), place, ["<s>"]) is None) == (cut > 0)
    return len(whole) + merges_end - merges + vocab_end - vocab_start


def main() -> int:
    """Run all checks, or show that a byte too far is noticed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--overread", action="store_true")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="one of N kinds of text for each pattern")
    options = parser.parse_args()
    cliff = Cliff(4 * LONG_LENGTHS[-1] + 1024)
    if options.overread:
        placed = cliff.place(b"text")
        assert placed == b"text"
        assert ctypes.string_at(cliff.end - 1, 1) == b"t"
        ctypes.string_at(cliff.end, 1)
        return 0
    native = importlib.import_module("minitok._fastmerge")
    patterns: list[str | None] = [*dict.fromkeys(p.regex for p in PATTERNS.values()), None, r"\w+|\W"]
    checked = check_texts(native, patterns, cliff, options.every) + check_rank_files(native, cliff)
    checked += check_json_models(native, cliff)
    print(f"{checked:,} texts that end where memory ends: nobody read further")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
