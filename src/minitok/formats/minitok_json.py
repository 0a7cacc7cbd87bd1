"""minitok's own format: one JSON document that holds all that defines a tokenizer.

    {"format": "minitok", "version": 1, "name": …, "pattern": regular expression or null,
     "whole_piece": true or false, "special_tokens": {token: id}, "tokens": […], "merges": null or […],
     "metadata": {…}, "checksum": "sha256:…"}

and in version 2, of which a file is only if it has any of them:

    {"ranks": […], "symbols": {…}, "normalizers": […], "splits": […], "added_tokens": […], "template": {…},
     "decoded_prefix": …, "only_decoded": [[id, base64], …]}

`tokens` lists the tokens in the order of their ids, in base64, from id 0 on; a number among them is the id of
the token that follows it, where ids have a gap. `merges` is null where each pair of tokens whose concatenation
is a token is a merge, ranked by its id; otherwise it lists [left id, right id, new id] in rank order. What is new in
version 2 is a dataclass of minitok's as an object with its class as "type" (`plain_data`). The checksum is over the
document without it, with sorted keys, no white space and ASCII only.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any, get_args

from minitok import _backend
from minitok.added_tokens import AddedToken
from minitok.formats.json_documents import check_parts, parse_json
from minitok.normalizers import Normalizer
from minitok.plain_data import from_plain, to_plain
from minitok.splits import Stage
from minitok.symbols import BYTES, Symbols
from minitok.templates import Template
from minitok.vocabulary import MAX_ID, Vocabulary

__all__ = ["dump", "from_document", "is_document", "other_fields", "parse", "with_other_fields"]

VERSIONS = (1, 2)
_REMEDY = "the file is damaged or was edited; save it anew"
#: Fields that are long, and have no objects in them.
_LISTS = ("tokens", "merges", "ranks")
#: Field to the types of its value.
_FIELDS: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "pattern": (str, type(None)),
    "whole_piece": (bool,),
    "special_tokens": (dict,),
    "tokens": (list,),
    "merges": (list, type(None)),
    "metadata": (dict,),
}


def dump(vocabulary: Vocabulary) -> bytes:
    """The document of a vocabulary: the same bytes for the same vocabulary.

    Raises:
        ValueError: its metadata is not what JSON can hold.
    """
    extras = _extras(vocabulary)
    document: dict[str, Any] = {
        "format": "minitok",
        "version": 2 if extras else 1,
        "name": vocabulary.name,
        "pattern": vocabulary.pattern,
        "whole_piece": vocabulary.whole_piece,
        "special_tokens": dict(vocabulary.special_tokens),
        "tokens": None,
        "merges": None if vocabulary.merges is None else list(vocabulary.merges),
        "metadata": dict(vocabulary.metadata),
        **extras,
    }
    try:
        written = {key: _compact(value) for key, value in document.items()}
        written["tokens"] = _listed(vocabulary)
        # To write lists of tokens and numbers takes long, and nothing in them has keys to sort.
        canonical = {
            key: written[key] if key in _LISTS else _compact(value, sort_keys=True) for key, value in document.items()
        }
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"the metadata of {vocabulary.name!r} cannot be written as JSON: {error}") from None
    content = ",".join(f'"{key}":{canonical[key]}' for key in sorted(canonical))
    written["checksum"] = _compact(_hash("{" + content + "}"))
    # A line for each field: small differences stay small for tools that compare lines.
    return ("{\n" + ",\n".join(f'"{key}": {value}' for key, value in written.items()) + "\n}\n").encode("ascii")


#: What version 2 has, and of which classes it is; the default of each is left out.
_CLASSES: dict[str, tuple[type, ...]] = {
    "symbols": (Symbols,),
    "normalizers": get_args(Normalizer),
    "splits": get_args(Stage),
    "added_tokens": (AddedToken,),
    "template": (Template,),
}


def other_fields(vocabulary: Vocabulary) -> dict[str, Any]:
    """All of a vocabulary but its tokens, merges and ranks, as a document."""
    extras = _extras(vocabulary)
    extras.pop("ranks", None)
    return {
        "name": vocabulary.name,
        "pattern": vocabulary.pattern,
        "whole_piece": vocabulary.whole_piece,
        "special_tokens": dict(vocabulary.special_tokens),
        "metadata": dict(vocabulary.metadata),
        **extras,
    }


def with_other_fields(
    document: dict[str, Any],
    tokens: Mapping[bytes, int],
    merges: Sequence[tuple[int, int, int]] | None,
    ranks: Sequence[int] | None,
) -> Vocabulary:
    """The vocabulary of `other_fields` and of what those leave out."""
    fields = {key: document[key] for key in ("name", "pattern", "whole_piece", "special_tokens", "metadata")}
    return Vocabulary(tokens=tokens, merges=merges, ranks=ranks, **fields, **_parse_extras(document))


def _extras(vocabulary: Vocabulary) -> dict[str, Any]:
    extras: dict[str, Any] = {}
    if vocabulary.ranks is not None:
        extras["ranks"] = list(vocabulary.ranks)
    if vocabulary.decoded_prefix:
        extras["decoded_prefix"] = vocabulary.decoded_prefix
    if vocabulary.only_decoded:
        extras["only_decoded"] = [
            [i, b64encode(token).decode("ascii")] for i, token in sorted(vocabulary.only_decoded.items())
        ]
    for key in _CLASSES:
        value = getattr(vocabulary, key)
        if isinstance(value, tuple) and value:
            extras[key] = [to_plain(item) for item in value]
        elif value not in (BYTES, None, ()):
            extras[key] = to_plain(value)
    return extras


def _parse_extras(document: dict[str, Any]) -> dict[str, Any]:
    extras: dict[str, Any] = {}
    for key, classes in _CLASSES.items():
        if key not in document:
            continue
        value = document[key]
        if isinstance(value, list) and key != "added_tokens":
            check_parts(value, key)
        extras[key] = (
            tuple(from_plain(item, classes) for item in value)
            if isinstance(value, list)
            else from_plain(value, classes)
        )
    if "ranks" in document:
        if not isinstance(document["ranks"], list):
            raise ValueError(f"the field 'ranks' is of the wrong type; {_REMEDY}")
        extras["ranks"] = tuple(document["ranks"])
    if "decoded_prefix" in document:
        extras["decoded_prefix"] = str(document["decoded_prefix"])
    if "only_decoded" in document:
        try:
            extras["only_decoded"] = {i: a2b_base64(spelt, strict_mode=True) for i, spelt in document["only_decoded"]}
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"the field 'only_decoded' is not a list of ids and base64 ({error}); {_REMEDY}"
            ) from None
    return extras


def _listed(vocabulary: Vocabulary) -> str:
    """The tokens as JSON."""
    spelt, ids = _in_base64(vocabulary.tokens)
    has_gaps = bool(ids) and ids[-1] != len(ids) - 1
    gaps = [at for at, (before, i) in enumerate(pairwise([-1, *ids])) if i != before + 1] if has_gaps else []
    parts = []
    for start, stop in pairwise([0, *gaps, len(ids)]):
        if start < stop:
            number = [b"%d" % ids[start]] if ids[start] != start else []  # there was a gap before
            parts += [*number, b'"' + b'","'.join(spelt[start:stop]) + b'"']
    return (b"[" + b",".join(parts) + b"]").decode("ascii")


def _in_base64(tokens: Mapping[bytes, int]) -> tuple[list[bytes], Sequence[int]]:
    """Tokens in base64, and their ids, which rise."""
    if isinstance(tokens, _backend.RankTable) and tokens.largest == len(tokens) - 1:
        return tokens.in_base64().splitlines(), range(len(tokens))
    items = sorted(tokens.items(), key=itemgetter(1))
    return [b2a_base64(token, newline=False) for token, _ in items], [i for _, i in items]


def _compact(value: Any, *, sort_keys: bool = False) -> str:
    return json.dumps(value, sort_keys=sort_keys, separators=(",", ":"), allow_nan=False)


def _checksum(document: dict[str, Any]) -> str:
    content = {key: value for key, value in document.items() if key != "checksum"}
    return _hash(_compact(content, sort_keys=True))


def _hash(canonical: str) -> str:
    return "sha256:" + hashlib.sha256(canonical.encode("ascii")).hexdigest()


def parse(data: bytes, source: str, *, name: str | None = None) -> Vocabulary:
    """The vocabulary in a document.

    Args:
        data: the whole document.
        source: the file's name, for messages.
        name: what to call the encoding instead of the name in the document.

    Raises:
        ValueError: the document is not valid; the message names the place.
    """
    return from_document(parse_json(data, source, _REMEDY), source, name=name)


def is_document(document: dict[str, Any]) -> bool:
    """Whether a JSON document is of this format."""
    return document.get("format") == "minitok"


def from_document(document: dict[str, Any], source: str, *, name: str | None = None) -> Vocabulary:
    """The same for a document that is parsed already."""
    if not is_document(document):
        raise ValueError(f'{source}: a JSON document, but without "format": "minitok"; this format is not known here')
    if document.get("version") not in VERSIONS:
        raise ValueError(
            f"{source}: version {document.get('version')!r} of the format, but this minitok reads versions 1 and 2; "
            "update minitok"
        )
    for key, types in _FIELDS.items():
        if key not in document:
            raise ValueError(f"{source}: the field {key!r} is missing; {_REMEDY}")
        if not isinstance(document[key], types):
            raise ValueError(f"{source}: the field {key!r} is of the wrong type; {_REMEDY}")
    if document.get("checksum") != _checksum(document):
        raise ValueError(f"{source}: the checksum does not match the content; {_REMEDY}")
    tokens = _parse_tokens(document["tokens"], source)
    merges = None if document["merges"] is None else _parse_merges(document["merges"], source)
    try:
        return Vocabulary(
            document["name"] if name is None else name,
            tokens,
            merges,
            document["special_tokens"],
            document["pattern"],
            document["whole_piece"],
            document["metadata"],
            **(_parse_extras(document) if document["version"] > 1 else {}),
        )
    except (ValueError, TypeError) as error:
        raise ValueError(f"{source}: {error}") from None


def _parse_tokens(listed: list[Any], source: str) -> dict[bytes, int]:
    tokens: dict[bytes, int] = {}
    next_id = 0
    for place, item in enumerate(listed):
        where = f"{source}: tokens[{place}]"
        if isinstance(item, int) and not isinstance(item, bool):
            if not next_id <= item <= MAX_ID:
                raise ValueError(f"{where}: the id {item} is not above those before it; {_REMEDY}")
            next_id = item
            continue
        try:
            token = a2b_base64(item, strict_mode=True)
        except (Base64Error, TypeError, ValueError) as error:
            raise ValueError(f"{where}: bad base64 {str(item)[:60]!r} ({error}); {_REMEDY}") from None
        if token in tokens:
            raise ValueError(f"{where}: the token {token!r} has the id {tokens[token]} already; {_REMEDY}")
        tokens[token] = next_id
        next_id += 1
    return tokens


def _parse_merges(listed: list[Any], source: str) -> list[tuple[int, int, int]]:
    merges = []
    for place, item in enumerate(listed):
        if not (isinstance(item, list) and len(item) == 3 and all(type(i) is int for i in item)):
            raise ValueError(f"{source}: merges[{place}] is not [left id, right id, new id]; {_REMEDY}")
        merges.append((item[0], item[1], item[2]))
    return merges
