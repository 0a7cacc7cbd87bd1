"""A `tokenizer.json` as it comes from a file; what it says is read in `huggingface_json`.

Nearly all of such a file are two values, the model's `vocab` and its `merges`. Where these are regular, the backend
makes its tables of them, and no token becomes a Python object before one is asked for; the rest of the document, with
both values left empty, is read as any other. (That is quick, and takes little memory, for any file that is not too
large to be opened.) What is not regular, in whatever respect, is read as a whole: the result is the same, and what is
wrong is said there.
"""

from __future__ import annotations

from typing import Any

from minitok import _backend
from minitok.formats.huggingface_json import from_document
from minitok.formats.json_documents import parse_json
from minitok.vocabulary import Vocabulary

__all__ = ["parse", "parse_quickly"]


def parse(data: bytes, source: str, *, name: str) -> Vocabulary:
    """The vocabulary of a `tokenizer.json`.

    Args:
        data: the file's content.
        source: what messages call it.
        name: what to call the encoding.

    Raises:
        ValueError: the file is damaged, or has what minitok does not know; the message names it.
    """
    return parse_quickly(data, source, name=name) or from_document(parse_json(data, source), source, name=name)


def parse_quickly(data: bytes, source: str, *, name: str) -> Vocabulary | None:
    """The same if the file is regular; None if it is not, or is no such file."""
    place = _backend.RankTable.find_json_model(data)
    if place is None:
        return None
    try:
        document = parse_json(_without_model(data, place), source)
        read = _backend.RankTable.parse_json_model(data, place, _added_contents(document))
        return None if read is None else from_document(document, source, name=name, read=read)
    except ValueError:
        return None


def _without_model(data: bytes, place: tuple[int, int, int, int]) -> bytes:
    vocab, vocab_end, merges, merges_end = place
    if vocab < merges:
        return b"".join((data[:vocab], b"{}", data[vocab_end:merges], b"[]", data[merges_end:]))
    return b"".join((data[:merges], b"[]", data[merges_end:vocab], b"{}", data[vocab_end:]))


def _added_contents(document: dict[str, Any]) -> dict[str, None]:
    """What is not to be a token: each once, in order. What is wrong with these is said by who reads them."""
    listed = document.get("added_tokens")
    contents = [item.get("content") for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return dict.fromkeys(content for content in contents if isinstance(content, str) and content)
