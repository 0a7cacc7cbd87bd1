"""Encodings as objects: pickled, copied, shared between threads, forked; vocabularies that check themselves."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import minitok
from minitok.vocabulary import MAX_ID, Vocabulary

TEXT = "the cat sat on the mat, été 字字 " * 50
SINGLE = {bytes([b]): b for b in range(256)}


@pytest.fixture
def custom() -> minitok.Encoding:
    return minitok.Encoding(
        "custom", pat_str=r"\w+|\s", mergeable_ranks={**SINGLE, b"th": 300}, special_tokens={"<|x|>": 100_000}
    )


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickled_by_value(custom: minitok.Encoding, protocol: int) -> None:
    loaded = pickle.loads(pickle.dumps(custom, protocol))
    assert loaded.vocabulary == custom.vocabulary
    assert loaded.encode("the <|x|>", allowed_special="all") == custom.encode("the <|x|>", allowed_special="all")
    for copied in (copy.copy(custom), copy.deepcopy(custom)):
        assert copied.vocabulary == custom.vocabulary
        assert copied.encode(TEXT) == custom.encode(TEXT)


@pytest.mark.parametrize("other", ["native", "python"])
def test_pickled_on_one_backend_loaded_on_the_other(
    custom: minitok.Encoding, tmp_path: Path, other: str, request: pytest.FixtureRequest
) -> None:
    if other == "native" and request.config.getoption("--no-native"):
        other = "python"
    (tmp_path / "pickle").write_bytes(pickle.dumps([custom, minitok.get_encoding("minitok_32k")]))
    program = (
        "import pickle, sys, minitok\n"
        "custom, default = pickle.load(open(sys.argv[1], 'rb'))\n"
        "assert default is minitok.get_encoding('minitok_32k')\n"
        "print(minitok.BACKEND, custom.encode('the thing'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "pickle"],
        env={**os.environ, "MINITOK_BACKEND": other},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"{other} {custom.encode('the thing')}"


def test_threads_share_an_encoding() -> None:
    encoding = minitok.train([TEXT], vocab_size=300)
    texts = [TEXT[i:] + str(i) * 50 for i in range(40)]
    expected = [encoding.encode(text) for text in texts]
    failures: list[Any] = []

    def work(number: int) -> None:
        for _ in range(5):
            pairs = zip(texts[number:], expected[number:])
            failures.extend(
                text for text, ids in pairs if encoding.encode(text) != ids or encoding.decode(ids) != text
            )

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    copies = [pickle.loads(pickle.dumps(encoding)) for _ in range(5)]
    for thread in threads:
        thread.join()
    assert not failures
    assert all(c.encode(texts[0]) == expected[0] for c in copies)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_fork() -> None:
    encoding = minitok.train([TEXT], vocab_size=300)
    expected = encoding.encode(TEXT)
    program = os.fork()
    if program == 0:
        os._exit(0 if encoding.encode(TEXT) == expected else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(program, 0)[1]) == 0


def test_batches_leave_no_thread() -> None:
    before = threading.active_count()
    minitok.get_encoding("minitok_32k").encode_batch([TEXT] * 8, num_threads=4)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"tokens": {}}, ValueError, "no tokens"),
        ({"tokens": {b"a": 1, b"b": 1}}, ValueError, "b'a' and b'b' have the same id 1"),
        ({"tokens": {b"": 1}}, ValueError, "empty"),
        ({"tokens": {b"a": MAX_ID + 1}}, ValueError, "expected 0 to"),
        ({"tokens": {b"a": True}}, TypeError, "expected an int"),
        ({"tokens": {"a": 1}}, TypeError, "expected bytes"),
        ({"special_tokens": {b"a": 1}}, TypeError, "expected str"),
        ({"name": b"x"}, TypeError, "name"),
        ({"pattern": "["}, ValueError, "does not compile"),
        ({"merges": [(0, 1, 2)]}, ValueError, "makes"),
        ({"merges": [(97, 98, 5000)]}, ValueError, "5000"),
    ],
    ids=str,
)
def test_vocabularies_check_themselves(changes: dict[str, Any], kind: type[Exception], words: str) -> None:
    good: dict[str, Any] = {
        "name": "x",
        "tokens": {**SINGLE, b"ab": 256},
        "merges": None,
        "special_tokens": {},
        "pattern": r"\w",
    }
    assert Vocabulary(**good).missing_bytes() == []
    assert Vocabulary(**good).n_vocab == 257
    with pytest.raises(kind, match=words):
        Vocabulary(**{**good, **changes})
