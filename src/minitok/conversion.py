"""From one vocabulary file to another, with a look at whether the ids stay the same before anything is written."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path

from minitok import formats
from minitok.encoding import Encoding
from minitok.files import write_all_atomically, write_atomically
from minitok.vocabulary import Vocabulary

__all__ = ["convert"]

#: Some of everything that vocabularies treat in different ways.
_SAMPLE = (
    "The quick  brown fox's 12345 jumps.\n\n\tover the\r\n lazy dog,    THE END; it'll 'VE been 1st \u00bd way",
    "Größe, naïve façade; Привет 世界字典、日本語のテキスト 가나다 مرحبا",
    "def f(x):\n        return x ** 2  # ok\n\n\n" + " " * 40 + "\t\t\t//--**==" + "a" * 50,
    "\ufb01 \u2460 e\u0301 \u0344 \u1e9b\u0323 \u2581\u2581 \U0001f468\u200d\U0001f469 \U00100000 \x00\x85\u2028",
    " leading, trailing ",
    "",
)
#: Tokens of a vocabulary that are texts of the sample, too.
_TOKENS = 20_000


def convert(
    source: str | PathLike[str],
    target: str | PathLike[str],
    *,
    to: formats.Format | None = None,
    pattern: str | None = None,
    special_tokens: Mapping[str, int] | None = None,
) -> Vocabulary:
    """Write a vocabulary file in another format.

    Args:
        source: the file that is read, or a folder; see `load`.
        target: what is written; for the two files of "vocab-merges", a folder.
        to: the format; default: what the target's name says.
        pattern: for a rank file, which holds none.
        special_tokens: for a rank file, which holds none.

    Returns:
        The vocabulary.

    Raises:
        ValueError: a file is damaged or unknown, or the format cannot hold the vocabulary, or what was written would
            give other ids: the message says why, and nothing is written.
        OSError: a file cannot be read or written.
    """
    vocabulary = formats.load(source, pattern=pattern, special_tokens=special_tokens)
    format_ = to or formats.format_of(target)
    files = formats.dump(vocabulary, format_)
    _check(vocabulary, files, format_)
    if "" in files:
        write_atomically(target, files[""])
    else:
        Path(target).mkdir(exist_ok=True)
        write_all_atomically({Path(target) / name: data for name, data in files.items()})
    return vocabulary


def _check(vocabulary: Vocabulary, files: Mapping[str, bytes], format_: formats.Format) -> None:
    """Read what would be written, and compare the ids of a sample."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            Path(folder, name or "file").write_bytes(data)
        path = Path(folder) if "" not in files else Path(folder, "file")
        if format_ == "tiktoken":
            # It holds no more than tokens: what it lacks is given, as whoever loads it has to.
            again = formats.load(path, pattern=vocabulary.pattern, special_tokens=vocabulary.special_tokens)
        else:
            again = formats.load(path)
    ours, theirs = Encoding.from_vocabulary(vocabulary), Encoding.from_vocabulary(again)
    for text in _sample(vocabulary):
        for special in ((), "all"):
            ids = _ids(ours, text, special), _ids(theirs, text, special)
            if ids[0] != ids[1]:
                raise ValueError(
                    f"as {format_!r} the vocabulary {vocabulary.name!r} would give other ids: for {text[:60]!r} "
                    f"{_shown(ids[1])}, not {_shown(ids[0])}"
                )
    if vocabulary.special_tokens.items() - again.special_tokens.items():
        lost = min(vocabulary.special_tokens.items() - again.special_tokens.items())
        raise ValueError(f"as {format_!r} the vocabulary {vocabulary.name!r} would lose the special token {lost}")


def _ids(encoding: Encoding, text: str, special: str | tuple[()]) -> list[int]:
    if special:
        return encoding.encode(text, allowed_special="all")
    return encoding.encode_ordinary(text)


def _shown(ids: list[int]) -> str:
    return str(ids) if len(ids) <= 12 else f"[{', '.join(map(str, ids[:12]))}, ...]"


def _sample(vocabulary: Vocabulary) -> Iterator[str]:
    yield from _SAMPLE
    step = max(1, len(vocabulary.tokens) // _TOKENS)
    texts = [token.decode("utf-8", "replace") for token in list(vocabulary.tokens)[::step]]
    for i in range(0, len(texts), 50):
        yield " ".join(texts[i : i + 50])
        yield "".join(texts[i : i + 50])
    for special in [*vocabulary.special_tokens][:100]:
        yield f"a {special} b{special}"
    for added in vocabulary.added_tokens[:100]:
        yield f"a {added.content} b{added.content}c {added.content}"
