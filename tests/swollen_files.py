"""Files that are as large as the limits of compressed files let them be, and spelled so that a reader goes far.

`Swollen` is a name and a content. Each has as many items as fit: one more would be refused before it is read.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from itertools import product

from minitok import formats
from minitok.formats import minitok_json, protobuf, sentencepiece_model

__all__ = ["Swollen", "fill", "largest_document", "swollen"]

Swollen = tuple[str, bytes]
Item = Callable[[int], bytes]


def fill(before: bytes, item: Item, behind: bytes = b"") -> bytes:
    """As many items as the limits allow, between two other things.

    Args:
        before: the beginning.
        item: number to item; those of high numbers are the longest.
        behind: the end.
    """
    long = item(2_000_000)
    times = (formats.MAX_UNPACKED_SIZE - len(before + behind)) // len(long)
    signs, most = [b"\n", b"\r"], formats.MAX_UNPACKED_LINES
    if before.lstrip()[:1] == b"{":
        signs, most = [b",", b":", b"[", b"{"], formats.MAX_UNPACKED_SIGNS
    own = sum(map(long.count, signs))
    if own and not sentencepiece_model.is_file(before):
        times = min(times, (most - sum(map((before + behind).count, signs))) // own)
    return before + b"".join(map(item, range(times))) + behind


def _base64(number: int) -> bytes:
    """A token of one byte for each of the first numbers, and another one for each of the others."""
    return b64encode(number.to_bytes(1 if number < 256 else 3, "big"))


# -- Documents ---------------------------------------------------------------------------------------------------


def _values() -> Iterator[Swollen]:
    """Values of each kind, in a document that is of no format."""
    for item in (b"0,", b'"ab",', b"{},", b'{"":0},', b"[],", b'["a","b"],', b"[" * 9 + b"]" * 9 + b","):
        yield f"many of {item!r}", fill(b'{"a": [', lambda _, item=item: item, b"0]}")  # type: ignore[misc]
    yield "many keys", fill(b"{", lambda n: b'"%d":0,' % n, b'"":0}')
    # A character above U+FFFF makes four bytes of each.
    yield "a long string", fill('{"a": "🐎'.encode(), lambda _: b"a" * 1000, b'"}')
    yield "keys, and a long string", fill('{"🐎":0,'.encode(), lambda n: b'"%016d":0,' % n, b'"":0}')


_BYTE_LEVEL = b'{"pre_tokenizer":{"type":"ByteLevel"},'
_MODEL = b'"model":{"type":"BPE","vocab":{"a":0,"aa":1},"merges":[]}'
_BPE = _BYTE_LEVEL + b'"model":{"type":"BPE",'


def _huggingface() -> Iterator[Swollen]:
    yield "ids", fill(_BPE + b'"merges":[],"vocab":{', lambda n: b'"%x":%d,' % (n, n), b'"z":-1}}}')
    yield "more ids", fill(_BPE + b'"merges":[],"vocab":{', lambda n: b'"%x":%d,' % (n, n), b'"z":9999999}}}')
    some = _BPE + b'"vocab":{"a":0,"aa":1},"merges":['
    yield "merges", fill(some, lambda _: b'["a","a"],', b'["a","x"]]}}')
    yield "merges in words", fill(some, lambda _: b'"a a",', b'"a x"]}}')
    added = _BYTE_LEVEL + _MODEL + b',"added_tokens":['
    yield "added tokens", fill(added, lambda n: b'{"id":%d,"content":"%d"},' % (n, n), b"{}]}")
    flags = b'"special":%s,"normalized":%s},'
    for special in (b"true", b"false"):
        for normalized in (b"true", b"false"):
            yield (
                f"added tokens, {special!r}, {normalized!r}",
                fill(
                    b'{"normalizer":{"type":"Lowercase"},' + added[1:],
                    lambda n, f=flags % (special, normalized): b'{"id":%d,"content":"A%d",' % (n, n) + f,  # type: ignore[misc]
                    b'{"id":1,"content":"x"}]}',
                ),
            )
    for key, inner in ((b"normalizer", b"normalizers"), (b"pre_tokenizer", b"pretokenizers")):
        parts = b'{"%s":{"type":"Sequence","%s":[' % (key, inner)
        end = b'{"type":"ByteLevel"}]},' + _MODEL + b"}"
        yield f"parts of a {key!r}", fill(parts, lambda _: b'{"type":"Lowercase"},', end)
        nested = b'{"type":"Sequence","%s":[{"type":"Lowercase"}]},' % inner
        yield f"nested parts of a {key!r}", fill(parts, lambda _, nested=nested: nested, end)  # type: ignore[misc]
        for kind in (b"Regex", b"String"):
            one = b'{"type":"Split","behavior":"Isolated","content":"","pattern":{"%s":"' % kind
            one = one.replace(b"Split", b"Replace") if key == b"normalizer" else one
            long = [one + b"%d" % n + b"\\\\p{L}" * 120 + b'"}},' for n in range(99)]
            yield f"long expressions of a {key!r}, {kind!r}", parts + b"".join(long) + end
            yield f"expressions of a {key!r}", fill(parts, lambda n, one=one: one + b'%d+"}},' % n, end)  # type: ignore[misc]
            for letters in (b"a|", b"\\\\p{L}", b"(", b"a*"):
                yield (
                    f"a {kind!r} of a {key!r}, {letters!r}",
                    fill(parts + one, lambda _, letters=letters: letters, b'"}},' + end),  # type: ignore[misc]
                )
    yield (
        "a template",
        fill(
            b'{"post_processor":{"type":"TemplateProcessing","special_tokens":{"a":{"ids":[',
            lambda _: b"0,",
            b'0]}},"single":['
            + b'{"SpecialToken":{"id":"a"}},' * 50_000
            + b'{"Sequence":{"id":"A"}}]},'
            + added[1:]
            + b"]}",
        ),
    )
    yield "a long token", fill(_BPE + b'"merges":[],"vocab":{"', lambda _: b"a" * 1000, b'":0}}}')
    for flag in (b"true", b"false"):
        item = b'"id":0,"normalized":%s,"content":"' % flag
        yield f"a long added token, {flag!r}", fill(added + b"{" + item, lambda _: b"a" * 1000, b'"}]}')


def _user_defined() -> Iterator[Swollen]:
    """Pieces that a first stage cuts out, and names that a second one has to cut."""
    before = b'{"normalizer":{"type":"Replace","pattern":{"String":" "},"content":"\xe2\x96\x81"},'
    before += b'"pre_tokenizer":{"type":"Split","behavior":"Isolated","pattern":{"Regex":"ab"}},'
    before += b'"model":{"type":"BPE","ignore_merges":true,"unk_token":"a","merges":[],"vocab":{"a":0,"b":1,"ab":2,'
    yield "names to cut", fill(before, lambda n: b'"<%d>":%d,' % (n, n + 3), b'"z":9999999}}}')
    yield "a long name to cut", fill(before + b'"', lambda _: b"ba" * 500, b'":9}}}')


def _minitok() -> Iterator[Swollen]:
    def document(field: str, item: Callable[[int], str], behind: str = "") -> Swollen:
        start: dict[str, object] = {
            "format": "minitok",
            "version": 2,
            "name": "x",
            "pattern": None,
            "whole_piece": True,
            "special_tokens": {},
            "tokens": ["AA=="],
            "merges": None,
            "metadata": {},
        }
        start[field] = "@"
        opened, closed = "{}" if field in ("metadata", "special_tokens") else "[]"
        before, after = json.dumps({**start, "checksum": "sha256:" + "0" * 64}).split('"@"')
        # (It is checked before all else.)
        filled = fill((before + opened).encode(), lambda n: item(n).encode(), (behind + closed + after).encode())
        filled = filled.replace(("," + closed + after).encode(), (closed + after).encode())
        right = minitok_json._checksum(json.loads(filled))
        return f"{field}, {item(7)}", filled.replace(b"sha256:" + b"0" * 64, right.encode())

    yield document("tokens", lambda n: f'"{_base64(n).decode()}",')
    yield document("tokens", lambda n: f"{n},", '"AA=="')
    yield document("merges", lambda _: "[0,0,0],")
    yield document("metadata", lambda n: f'"{n}":[],')
    yield document("special_tokens", lambda n: f'"{n}":{n + 1},')
    yield document("ranks", lambda n: f"{n},")
    yield document("only_decoded", lambda n: f'[{n + 1},"AA=="],')
    yield document("added_tokens", lambda n: f'{{"type":"AddedToken","content":"{n}","id":{n + 1}}},')
    yield document("normalizers", lambda _: '{"type":"Lowercase"},')
    yield document("splits", lambda n: f'{{"type":"Split","pattern":"{n}+"}},')
    yield document("splits", lambda _: '{"type":"Split","pattern":"' + r"\\p{L}" * 500 + '"},')


def _bpeasy() -> Iterator[Swollen]:
    before = b'{"name":"x","regex_pattern":"a","special_tokens":[],"vocab":{'
    yield "ranks", fill(before, lambda n: b'"%s":%d,' % (_base64(n), n), b'"*":0}}')
    yield "more ranks", fill(before, lambda n: b'"%s":%d,' % (_base64(n), n), b'"AAAAAAAA":9999999}}')
    special = b'{"name":"x","regex_pattern":"a","vocab":{"AA==":0},"special_tokens":['
    yield "special tokens", fill(special, lambda n: b'"%d",' % n, b'"x"]}')
    yield "a pattern", fill(b'{"name":"x","vocab":{"AA==":0},"regex_pattern":"', lambda _: b"\\\\p{L}", b'"}')


def _compact() -> Iterator[Swollen]:
    before = b'{"pat_str":"a","special_tokens":{},"bpe_ranks":"! 0'
    yield "tokens", fill(before, lambda n: b" " + _base64(n), b' *"}')
    fewer = b" ".join(map(_base64, range(499_990)))
    yield "not too many tokens", before + b" " + fewer + b'"}'
    yield "lines", fill(before, lambda n: b" %s\\n! %d" % (_base64(n), n), b'"}')
    yield "empty lines", fill(before, lambda _: b"\\n", b'"}')
    yield "lines without a token", fill(before, lambda n: b"\\n! %d" % (n % 9), b'"}')


def _tekken() -> Iterator[Swollen]:
    config = b'{"config":{"pattern":"a","version":"v3","default_vocab_size":%d,"default_num_special_tokens":%d},'
    item = b'{"rank":%d,"token_bytes":"%s"},'
    yield "tokens", fill(config % (150_000, 8) + b'"vocab":[', lambda n: item % (n, _base64(n)), b"0]}")
    special = config % (100_256, 100_000) + b'"vocab":[' + b"".join(item % (n, _base64(n)) for n in range(256))
    special = special.rstrip(b",") + b'],"special_tokens":['
    yield "special tokens", fill(special, lambda n: b'{"rank":%d,"token_str":"%d"},' % (n, n), b"0]}")
    yield "names of special tokens", config % (100_256, 100_000) + special.split(b"},", 1)[1] + b"]}"
    few = config % (2**32 - 2000, 2**32 - 2001)
    yield "special tokens that are only said to be", few + b'"vocab":[{"rank":0,"token_bytes":"AA=="}]}'


def largest_document() -> bytes:
    """A `tokenizer.json` with 262,144 tokens, 6,400 added ones, 580,000 merges as lists, spelled as in Gemma's."""
    special = [f"<unused{n}>" for n in range(6_400)]
    letters = [*"abcdefghijklmnopqrstuvwxy▁"]
    vocabulary = [*special, *(f"<0x{b:02X}>" for b in range(256)), "<unk>", "🐎", *letters]
    words = ["".join(word) for size in (2, 3, 4) for word in product(letters, repeat=size)]
    words = words[: 262_144 - len(vocabulary)]
    # (Every beginning and every end of a word is one.)
    merges = [[word[:at], word[at:]] for at in (1, 2, 3) for word in words if at < len(word)][:580_000]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    document = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": i, "content": content, **flags} for i, content in enumerate(special)],
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"String": " "},
            "behavior": "MergedWithPrevious",
            "invert": False,
        },
        "post_processor": None,
        "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]},
        "model": {
            "type": "BPE",
            "unk_token": "<unk>",
            "fuse_unk": True,
            "byte_fallback": True,
            "ignore_merges": False,
            "vocab": {token: i for i, token in enumerate([*vocabulary, *words])},
            "merges": merges,
        },
    }
    return json.dumps(document, ensure_ascii=False, indent=2).encode()


# -- Lines -------------------------------------------------------------------------------------------------------


def _tiktoken() -> Iterator[Swollen]:
    # (No token is right from a certain number on, where three bytes end.)
    yield "ranks", fill(b"", lambda n: b"%s %d\n" % (_base64(n), n))
    yield "ranks, one wrong", fill(b"", lambda n: b"%s %d\n" % (_base64(n), n), b"AA== 0\n")
    yield "ranks without bytes", fill(b"", lambda n: b"%s %d\n" % (_base64(n + 256), n))
    yield "empty lines", fill(b"AA== 0\n", lambda _: b"\n")
    yield "returns", fill(b"AA== 0\n", lambda _: b"\r")


def _minbpe() -> Iterator[Swollen]:
    head = b"minbpe v1\n\n0\n"
    yield "merges", fill(head, lambda n: b"%d %d\n" % (n // 256, n % 256))
    yield "merges, one wrong", fill(head, lambda n: b"%d %d\n" % (n // 256, n % 256), b"0 0\n")
    yield "merges that double", fill(head, lambda n: b"%d %d\n" % (255 + n, 255 + n))
    # Two of 32 KB, and many of all of these.
    double = b"".join(b"%d %d\n" % (255 + n, 255 + n) for n in range(15))
    yield "merges of long tokens", fill(head + double, lambda n: b"%d %d\n" % (270, n % 256))
    count = formats.MAX_UNPACKED_LINES - 4
    yield "special tokens", fill(b"minbpe v1\n\n%d\n" % count, lambda n: b"%d %d\n" % (n, n + 256))
    yield "other ends of lines", fill(head, lambda _: b"\x0b")
    yield "a pattern", fill(b"minbpe v1\n", lambda _: rb"\p{L}", b"\n0\n0 0\n")


def _clip() -> Iterator[Swollen]:
    yield (
        "merges",
        fill(b'"bpe_simple_vocab\n', lambda n: b"%s %s\n" % (bytes([97 + n % 26]), bytes([97 + n // 26 % 26]))),
    )


# -- Pieces ------------------------------------------------------------------------------------------------------


def _sentencepiece() -> Iterator[Swollen]:
    def piece(text: bytes, kind: int, score: float | None = None) -> bytes:
        own = protobuf.length_field(1, text) + (b"" if score is None else protobuf.float_field(2, score))
        return protobuf.length_field(1, own + (protobuf.varint_field(3, kind) if kind != 1 else b""))

    trainer = protobuf.length_field(2, protobuf.varint_field(3, 2))
    normalizer = protobuf.length_field(3, protobuf.length_field(1, b"identity"))
    end = trainer + normalizer
    digits = piece(b"<unk>", 2) + b"".join(piece(b"%d" % n, 1, -1.0) for n in range(10))
    most = sentencepiece_model.MOST_PIECES - 11
    for kind in range(1, 7):
        listed = [piece(b"%d" % n, kind, -float(n)) for n in range(10, most + 10)]
        pieces = b"".join(listed)
        yield f"pieces of the type {kind}", digits + pieces + end
        yield f"a third as many pieces of the type {kind}", digits + b"".join(listed[: most // 3]) + end
        yield f"cut off behind pieces of the type {kind}", digits + pieces
        yield f"a long piece of the type {kind}", digits + piece(b"1" * 8_000_000, kind) + end
        long = b"".join(piece(b"1" * n, kind) for n in range(2, 3_800))
        yield f"longer and longer pieces of the type {kind}", digits + long + end
        many = b"".join(piece(b"%d" % n + b"1" * 50_000, kind) for n in range(10, 160))
        yield f"long pieces of the type {kind}", digits + many + end
    yield "too many pieces", fill(digits, lambda _: piece(b"abc", 1))
    yield "pieces without a score", digits + b"".join(piece(b"%d" % n, 1) for n in range(10, most + 10))
    many = protobuf.varint_field(3, 2)
    yield "a piece of many fields", fill(digits, lambda _: many * 60)
    yield (
        "pieces of many fields",
        fill(digits, lambda n: protobuf.length_field(1, protobuf.length_field(1, b"%d" % n) + many * 20)),
    )
    yield "many trainers", fill(digits, lambda _: trainer)
    yield "a large trainer", digits + protobuf.length_field(2, many * 4_000_000) + normalizer
    yield "large trainers", digits + protobuf.length_field(2, many * 49_999) * 15 + normalizer
    yield "extensions", fill(digits, lambda _: protobuf.varint_field(201, 0))
    charsmap = (8_000_000).to_bytes(4, "little") + b"\0" * 8_000_001
    yield "a large map", digits + trainer + protobuf.length_field(3, protobuf.length_field(2, charsmap))


#: Format to what makes such files of it.
_MAKERS: dict[str, Callable[[], Iterator[Swollen]]] = {
    "minitok": _minitok,
    "compact": _compact,
    "bpeasy": _bpeasy,
    "tekken": _tekken,
    "tiktoken": _tiktoken,
    "minbpe": _minbpe,
    "clip": _clip,
    "sentencepiece": _sentencepiece,
}


def swollen(form: str) -> Iterator[Swollen]:
    """Such files of a format; there are none of those that cannot be compressed."""
    if form == "huggingface":
        for make in (_values, _huggingface, _user_defined):
            yield from make()
    elif form in _MAKERS:
        yield from _MAKERS[form]()
