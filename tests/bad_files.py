"""Files that are damaged in every way, in a process whose memory is bounded: for each reader.

    python -m tests.bad_files [--mutations 1000] [--bombs] [--swollen] [FORMAT ...]

Each file gives a ValueError that names it, or a vocabulary that is what the bytes say; in less than a second of the
processor's time, and with less than 200 MB more than the process had. What the bytes say is found out by a few lines
for each format that know nothing of the reader, or by the format's own package.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import io
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import minitok
from minitok import formats
from minitok.formats import clip_merges, minitok_json, protobuf
from minitok.formats.byte_alphabet import CHARACTER_OF, unspell
from minitok.vocabulary import Vocabulary
from tests.swollen_files import fill, swollen
from tests.test_conversions import trained

SECONDS = 1.0
MORE_MEMORY = 200_000_000
PARTS = 50

Files = dict[str, bytes]


# -- Good files, small ones --------------------------------------------------------------------------------------


def _clip() -> Vocabulary:
    """CLIP's file has a fixed number of merges; here it is a smaller one."""
    clip_merges.MERGES = 100
    letters = [*CHARACTER_OF.values()]
    lines = [f"{a} {b}" for a in letters[:10] for b in letters[:5]] + [
        f"{a} {b}</w>" for a in "abcde" for b in letters[:10]
    ]
    return clip_merges.parse(b'"bpe_simple_vocab\n' + "\n".join(lines).encode(), "clip", name="clip")


def _tekken() -> Vocabulary:
    ranks = trained("llama3")
    tokens = {token: i + 8 for token, i in ranks.tokens.items()}
    return replace(ranks, tokens=tokens, special_tokens={f"<s{i}>": i for i in range(8)})


#: Format to what makes a vocabulary that it holds.
KINDS: dict[formats.Format, Callable[[], Vocabulary]] = {
    "minitok": lambda: trained("llama"),
    "huggingface": lambda: trained("gemma"),
    "sentencepiece": lambda: trained("gemma"),
    "compact": lambda: trained("cl100k"),
    "gguf": lambda: trained("llama3"),
    "minbpe": lambda: trained("llama3"),
    "bpeasy": lambda: trained("llama3"),
    "tiktoken": lambda: trained("llama3"),
    "vocab-merges": lambda: trained("gpt2"),
    "tekken": _tekken,
    "clip": _clip,
}
#: Formats that are one JSON document.
DOCUMENTS = ("minitok", "huggingface", "compact", "bpeasy", "tekken")


# -- What the bytes say ------------------------------------------------------------------------------------------

#: Each id, and what it may decode to.
Said = dict[int, set[bytes]]


def _spelt(text: str) -> set[bytes]:
    """What a token that is spelled so may be."""
    own = unspell(text)
    marked = text.replace("▁", " ").encode("utf-8", "surrogatepass")
    byte = {bytes.fromhex(text[3:5])} if len(text) == 6 and text.startswith("<0x") else set()
    return {text.encode("utf-8", "surrogatepass"), marked} | byte | ({own} if own else set())


def _listed(tokens: list[Any]) -> Said:
    said: Said = {}
    i = 0
    for item in tokens:
        if isinstance(item, int):
            i = item
        else:
            said[i] = {base64.b64decode(item)}
            i += 1
    return said


def _pieces(data: bytes) -> Said:
    pieces = [value for number, _, value in protobuf.fields(data) if number == 1]
    texts = [[v for n, _, v in protobuf.fields(piece) if n == 1] for piece in pieces if isinstance(piece, bytes)]
    return {i: _spelt(text[-1].decode()) for i, text in enumerate(texts) if isinstance(text[-1], bytes)}


def _compact(document: dict[str, Any]) -> Said:
    said: Said = {}
    for line in filter(None, document["bpe_ranks"].split("\n")):
        _, first, *tokens = line.split(" ")
        said.update({int(first) + i: {base64.b64decode(token)} for i, token in enumerate(tokens)})
    return said


def _minbpe(text: str) -> Said:
    lines = io.StringIO(text, newline=None).read().split("\n")
    tokens = [bytes([b]) for b in range(256)]
    for line in lines[3 + int(lines[2]) : None if lines[-1] else -1]:
        left, right = map(int, line.split())
        tokens.append(tokens[left] + tokens[right])
    return {i: {token} for i, token in enumerate(tokens)}


def _gguf(path: Path) -> Said:
    import gguf

    try:
        listed = gguf.GGUFReader(path).fields["tokenizer.ggml.tokens"].contents()
    except Exception:  # the package reads tensors, too, and has its own view of what is behind the vocabulary
        return {}
    return {i: _spelt(text) for i, text in enumerate(listed)}


def _clip_said(text: str) -> Said:
    letters = [*CHARACTER_OF.values()]
    spelt = [*letters, *(c + "</w>" for c in letters)]
    spelt += ["".join(line.split()) for line in text.split("\n")[1 : clip_merges.MERGES + 1]]
    return {
        i: {(unspell(token.removesuffix("</w>")) or b"?") + b" " * token.endswith("</w>")}
        for i, token in enumerate(spelt)
    }


def said(form: str, folder: Path, files: Files) -> Said:  # noqa: PLR0911
    """The tokens in files of a format."""
    data = next(iter(files.values()))
    if form in ("minitok", "huggingface", "compact", "bpeasy", "tekken", "vocab-merges"):
        document = json.loads(data.decode("utf-8-sig"))
        match form:
            case "minitok":
                return _listed(document["tokens"])
            case "huggingface":
                return {i: _spelt(text) for text, i in document["model"]["vocab"].items()}
            case "compact":
                return _compact(document)
            case "bpeasy":
                return {rank: {base64.b64decode(token)} for token, rank in document["vocab"].items()}
            case "tekken":
                config = document["config"]
                size, count = config["default_vocab_size"], config["default_num_special_tokens"]
                listed = document["vocab"][: size - count]
                return {count + i: {base64.b64decode(item["token_bytes"])} for i, item in enumerate(listed)}
            case _:
                return {i: _spelt(text) for text, i in document.items()}
    match form:
        case "tiktoken":
            lines = [line.split() for line in data.splitlines() if line.strip()]
            return {int(rank): {base64.b64decode(token)} for token, rank in lines}
        case "sentencepiece":
            return _pieces(data)
        case "minbpe":
            return _minbpe(data.decode())
        case "clip":
            return _clip_said(data.decode())
        case _:
            return _gguf(folder / "file")


# -- One file ----------------------------------------------------------------------------------------------------


class Reader:
    """Writes files of a format and reads them; remembers what came of it.

    Args:
        form: the format.
        folder: where to write.
    """

    def __init__(self, form: formats.Format, folder: Path) -> None:
        self.form = form
        self.folder = folder
        self.content = formats.dump(KINDS[form](), form)
        self.refused = self.accepted = 0
        #: Seconds, and what took them.
        self.times: list[tuple[float, str]] = [(0.0, "")]

    def check(self, files: Files, *, whole: bool = True, called: str = "", read: bool = False) -> None:
        """An AssertionError if they are not read as they should be.

        Args:
            files: name to content.
            whole: see if they are what they say.
            called: what they are, for reports.
            read: they must not be refused before they are read.
        """
        for name, data in files.items():
            (self.folder / (name or "file")).write_bytes(data)
        path = self.folder if "" not in files else self.folder / "file"
        start = time.process_time()
        try:
            vocabulary = formats.load(path, pattern="llama3" if self.form == "tiktoken" else None)
        except ValueError as error:
            assert str(self.folder) in str(error), error  # noqa: PT017
            assert "unpacked first" not in str(error) or not read, called  # noqa: PT017
            self.refused += 1
            return
        finally:
            self.times.append((time.process_time() - start, called))
            assert self.times[-1][0] < SECONDS, self.times[-1]
        self.accepted += 1
        if not whole:
            return
        # (Not the list of all: an id may be very large.)
        ending = vocabulary.symbols.end_of_word.encode()
        known = vocabulary.other_ids() | {
            i: token.removesuffix(ending) + b" " if ending and token.endswith(ending) else token
            for token, i in vocabulary.tokens.items()
        }
        for i, ways in said(self.form, self.folder, files).items():
            assert known.get(i) in ways, (i, known.get(i), ways)
        # Whatever it is now, it is one: it encodes, or says what it lacks.
        try:
            minitok.Encoding.from_vocabulary(vocabulary).encode_ordinary("The end,  字典 12\n")
        except ValueError as error:
            assert "has no token" in str(error) or "character map" in str(error), error  # noqa: PT017


# -- Ways to damage a file ---------------------------------------------------------------------------------------


def truncated(content: Files) -> Iterator[Files]:
    """Each file cut off after each fiftieth of it."""
    for part in range(PARTS):
        for name, data in content.items():
            yield {**content, name: data[: len(data) * part // PARTS]}


def flipped(content: Files, count: int, seed: str) -> Iterator[Files]:
    """A byte, or a few, that are others."""
    rng = random.Random(seed)
    for _ in range(count):
        name = rng.choice(list(content))
        data = bytearray(content[name])
        # Often where the structure is: at the beginning and the end.
        places = [rng.randrange(len(data)), rng.randrange(min(400, len(data))), len(data) - rng.randrange(1, 200)]
        place = rng.choice(places)
        for _ in range(rng.choice([1, 1, 4])):
            data[place] = rng.choice([rng.randrange(256), data[place] ^ 1 << rng.randrange(8), 0, 0xFF, *b'{}[]",:0'])
            place = min(place + 1, len(data) - 1)
        yield {**content, name: bytes(data)}


#: What stands where something else should.
OTHERS: list[Any] = [None, True, -1, 0, 2**31, 2**70, 1.5, "", "x", "\ud800", [], [[]], {}, {"type": "x"}, ["a"] * 3]
DEEP = 100_000


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value in a document; of what is long, to the first and the last two."""
    yield path
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    for key in keys if len(keys) < 12 else [*keys[:2], *keys[-2:]]:
        yield from _places(value[key], (*path, key))


def _put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copied = document.copy()
    copied[path[0]] = _put(document[path[0]], path[1:], value)
    return copied


def wrong_types(form: str, content: Files) -> Iterator[Files]:
    """Each value of a JSON document is another one, or is missing, or is nested deep."""
    name, data = next(iter(content.items()))
    if form not in DOCUMENTS and form != "vocab-merges":
        return
    document = json.loads(data)
    for path in _places(document):
        for other in OTHERS:
            changed = _put(document, path, other)
            if form == "minitok" and isinstance(changed, dict) and "checksum" in changed:
                changed["checksum"] = minitok_json._checksum(changed)
            yield {**content, name: json.dumps(changed).encode("ascii")}
        deep = json.dumps(_put(document, path, "@DEEP@")).encode("ascii")
        for nested in (b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP):
            yield {**content, name: deep.replace(b'"@DEEP@"', nested)}


def absurd_sizes(form: str, content: Files) -> Iterator[Files]:
    """Lengths in binary files that are far too large: at each of the first places, and at some others."""
    if form not in ("gguf", "sentencepiece"):
        return
    data = content[""]
    for place in [*range(300), *range(300, len(data), max(1, len(data) // 100))]:
        for size in (
            b"\xff" * 7 + b"\x7f",
            b"\xff\xff\xff\x7f",
            (1 << 40).to_bytes(8, "little"),
            b"\xff" * 9 + b"\x01",
        ):
            yield {"": data[:place] + size + data[place + len(size) :]}
            yield {"": data[:place] + size + data[place:]}


def bombs(content: Files) -> Iterator[tuple[str, bytes]]:
    """Compressed files that unpack to much more, as much as the limits let be and far above it; what each is."""
    if "" not in content:
        return
    head = content[""]
    # Behind the file, inside of it, and alone.
    fillers = [
        b" ",
        b"\n",
        b"[],",
        b"{},",
        b"0,",
        b'"",',
        b"a b\n",
        b"\0",
        b"\n\x05\n\x03abc",
        b"IQ== 0\n",
        head[:200],
    ]
    yield "300 MB behind the file", head + b" " * 300_000_000
    for filler in fillers:
        much = filler * (15_000_000 // len(filler))
        for start in (head, head[: len(head) // 2], b"", b'{"a": ['):
            yield f"15 MB of {filler[:9]!r} behind {len(start)} bytes", start + much
            yield f"{filler[:9]!r} behind {len(start)} bytes", fill(start, lambda _, filler=filler: filler)  # type: ignore[misc]


# -- The process -------------------------------------------------------------------------------------------------


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Not more than so much more memory than now, where the system can see to it."""
    if not sys.platform.startswith("linux"):
        yield
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MORE_MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def check_format(
    form: formats.Format, mutations: int, *, with_bombs: bool = False, with_swollen: bool = False
) -> Reader:
    """Damage files of a format in all ways; an AssertionError, or a MemoryError, if one is not read as it should."""
    with tempfile.TemporaryDirectory() as folder:
        reader = Reader(form, Path(folder))
        reader.check(reader.content)
        assert reader.accepted == 1
        for read, made in (
            (False, bombs(reader.content) if with_bombs else ()),
            (True, swollen(form) if with_swollen else ()),
        ):
            for called, data in made:
                packed = gzip.compress(data, 1)
                del data  # it is not the reader's
                with bounded_memory():
                    reader.check({"": packed}, whole=False, called=called, read=read)
        with bounded_memory():
            for files in truncated(reader.content):
                reader.check(files)
            for files in flipped(reader.content, mutations, form):
                reader.check(files)
            for files in wrong_types(form, reader.content):
                reader.check(files)
            for files in absurd_sizes(form, reader.content):
                reader.check(files)
    return reader


def main() -> int:
    """Check, and print a line for each format."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=", ".join(KINDS))
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--bombs", action="store_true", help="compressed files too; a minute for each format")
    parser.add_argument("--swollen", action="store_true", help="and such as readers go far in; a minute, too")
    parser.add_argument("--slowest", type=int, default=1, metavar="N", help="name the N that took longest")
    arguments = parser.parse_args()
    for form in [form for form in KINDS if form in arguments.formats or not arguments.formats]:
        start = time.perf_counter()
        reader = check_format(form, arguments.mutations, with_bombs=arguments.bombs, with_swollen=arguments.swollen)
        print(
            f"{form:14}{reader.refused:>7,} refused, {reader.accepted:>6,} are what they say; "
            f"{max(reader.times)[0]:.2f} s at most ({time.perf_counter() - start:.0f} s)",
            flush=True,
        )
        for seconds, called in sorted(reader.times, reverse=True)[: arguments.slowest]:
            print(f"    {seconds:.2f} s: {called or 'a damaged file'}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
