"""Encodings by name."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import tiktoken
import tiktoken.model
from tiktoken.load import load_tiktoken_bpe
from tiktoken_ext import openai_public

import minitok
from minitok import registry
from tests.agreement import outcome

SEVEN = ["gpt2", "r50k_base", "p50k_base", "p50k_edit", "cl100k_base", "o200k_base", "o200k_harmony"]


@pytest.fixture
def vocabularies(monkeypatch: pytest.MonkeyPatch, data_folder: Path) -> None:
    monkeypatch.setenv("MINITOK_CACHE_DIR", str(data_folder / "vocabularies"))
    monkeypatch.setenv("MINITOK_OFFLINE", "1")


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path whose modules are plugins."""
    folder = tmp_path / "tiktoken_ext"
    folder.mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("tiktoken_ext")]:
        monkeypatch.delitem(sys.modules, name)
    return folder


PLUGIN = """
def make():
    return {{"name": "{name}", "pat_str": "[a-z]", "mergeable_ranks": {{b"a": 0}}, "special_tokens": {{}}}}

ENCODING_CONSTRUCTORS = {{"{name}": make}}
"""


def test_models_are_tiktokens() -> None:
    models = [*tiktoken.model.MODEL_TO_ENCODING, *(f"{p}x" for p in tiktoken.model.MODEL_PREFIX_TO_ENCODING)]
    models += [
        *tiktoken.model.MODEL_PREFIX_TO_ENCODING,
        "ft:gpt-4o-mini",
        "gpt-4o-2024-05-13",
        "no model",
        "",
        "GPT-4",
    ]
    for model in models:
        ours = outcome(lambda: minitok.encoding_name_for_model(model))
        assert ours == outcome(lambda: tiktoken.encoding_name_for_model(model)), model


def test_names() -> None:
    assert minitok.list_encoding_names() == [*SEVEN, "minitok_32k"]
    assert set(openai_public.ENCODING_CONSTRUCTORS) == set(SEVEN)


def test_what_is_imported_when() -> None:
    """`import minitok` takes in neither the network nor the plugins, and nothing ever takes in tiktoken's plugin."""
    program = (
        "import sys, minitok\n"
        "heavy = {'urllib.request', 'http.client', 'ssl', 'platformdirs', 'importlib.resources', 'tiktoken_ext'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "minitok.get_encoding('minitok_32k')\n"
        "assert 'tiktoken_ext' not in sys.modules\n"
        "minitok.list_encoding_names()\n"
        "assert 'tiktoken_ext' in sys.modules and 'tiktoken_ext.openai_public' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_unknown_names() -> None:
    mistyped: Any
    for wrong in ("no such encoding", "", "GPT2"):
        kind, message = outcome(lambda: minitok.get_encoding(wrong))
        their_kind, theirs = outcome(lambda: tiktoken.get_encoding(wrong))
        assert kind == their_kind == "ValueError"
        assert message.splitlines()[0] == theirs.splitlines()[0]
    for mistyped in (None, 5, b"gpt2"):
        assert outcome(lambda: minitok.get_encoding(mistyped)) == outcome(lambda: tiktoken.get_encoding(mistyped))


@pytest.mark.data
@pytest.mark.usefixtures("vocabularies")
@pytest.mark.parametrize("name", SEVEN)
def test_the_seven(name: str, monkeypatch: pytest.MonkeyPatch, data_folder: Path) -> None:
    encoding = minitok.get_encoding(name)
    assert minitok.get_encoding(name) is encoding
    # tiktoken's own constructors, with its files from the same folder.
    read = load_tiktoken_bpe
    monkeypatch.setattr(
        openai_public,
        "load_tiktoken_bpe",
        lambda url, expected_hash=None: read(
            str(data_folder / "vocabularies" / url.rsplit("/", 1)[1]), expected_hash=expected_hash
        ),
    )
    monkeypatch.setattr(
        openai_public,
        "data_gym_to_mergeable_bpe_ranks",
        lambda **_: read(str(data_folder / "vocabularies" / "r50k_base.tiktoken")),
    )
    theirs = tiktoken.Encoding(**openai_public.ENCODING_CONSTRUCTORS[name]())
    assert encoding._special_tokens == theirs._special_tokens
    assert encoding._mergeable_ranks == theirs._mergeable_ranks
    assert encoding._pat_str == theirs._pat_str
    assert encoding.n_vocab == theirs.n_vocab
    text = "Plain words, 12345 and\n\n<|endoftext|> more'S été"
    assert encoding.encode(text, allowed_special="all") == theirs.encode(text, allowed_special="all")


@pytest.mark.data
@pytest.mark.usefixtures("vocabularies")
def test_gpt2_is_the_published_vocabulary(data_folder: Path) -> None:
    import json

    document = json.loads((data_folder / "vocabularies/gpt2.tokenizer.json").read_text(encoding="utf-8"))
    ids = document["model"]["vocab"]
    # That file writes a byte as a character: itself if it can be seen, else the next one from U+0100 on.
    seen = [b for b in range(256) if chr(b).isprintable() and chr(b) != " "]
    byte_of = {chr(b): b for b in seen}
    byte_of |= {chr(256 + i): b for i, b in enumerate(b for b in range(256) if b not in seen)}
    assert ids.pop("<|endoftext|>") == minitok.get_encoding("gpt2").eot_token
    theirs = {bytes(byte_of[c] for c in token): i for token, i in ids.items()}
    assert theirs == minitok.get_encoding("gpt2")._mergeable_ranks


@pytest.mark.data
@pytest.mark.usefixtures("vocabularies")
def test_for_models() -> None:
    assert minitok.encoding_for_model("gpt-4") is minitok.get_encoding("cl100k_base")
    with pytest.raises(KeyError, match="no model"):
        minitok.encoding_for_model("no model")


def test_embedded() -> None:
    encoding = minitok.get_encoding("minitok_32k")
    assert encoding.n_vocab == 32_768
    assert encoding.vocabulary.pattern_name == "o200k"
    sources = encoding.vocabulary.metadata["sources"]
    assert {source["file"] for source in sources} == {"english.txt", "chinese.txt", "multilingual.txt"}
    assert all(source["what"] for source in sources)
    assert encoding.encode("hello world") == encoding.encode(b"hello world")


def test_one_object_for_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    registry.ENCODINGS.pop("minitok_32k", None)
    construct = registry._construct
    constructed: list[str] = []

    def counted(name: str) -> minitok.Encoding:
        constructed.append(name)
        return construct(name)

    monkeypatch.setattr(registry, "_construct", counted)
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(minitok.get_encoding("minitok_32k"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1
    assert constructed == ["minitok_32k"]


def test_registered_encodings_pickle_by_name() -> None:
    encoding = minitok.get_encoding("minitok_32k")
    data = pickle.dumps(encoding)
    assert len(data) < 200
    assert pickle.loads(data) is encoding
    assert copy.deepcopy(encoding) is encoding
    assert copy.copy(encoding) is encoding


def test_plugins(plugins: Path) -> None:
    (plugins / "mine.py").write_text(PLUGIN.format(name="mine"))
    (plugins / "other.py").write_text(PLUGIN.format(name="other"))
    assert minitok.list_encoding_names() == [*SEVEN, "minitok_32k", "mine", "other"]
    encoding = minitok.get_encoding("mine")
    assert encoding.encode("aa") == [0, 0]
    assert minitok.get_encoding("mine") is encoding
    with pytest.raises(ValueError, match=r"tiktoken_ext\.mine.*tiktoken_ext\.other"):
        minitok.get_encoding("neither")
    registry.ENCODINGS.pop("mine")


@pytest.mark.parametrize("name", ["first", "cl100k_base", "minitok_32k"])
def test_plugins_that_clash(plugins: Path, name: str) -> None:
    (plugins / "a.py").write_text(PLUGIN.format(name="first"))
    (plugins / "b.py").write_text(PLUGIN.format(name=name))
    with pytest.raises(ValueError, match=f"Duplicate encoding name {name} in tiktoken plugin"):
        minitok.list_encoding_names()
    assert minitok.get_encoding("minitok_32k").name == "minitok_32k"


def test_plugins_that_are_none(plugins: Path) -> None:
    (plugins / "bad.py").write_text("x = 1")
    with pytest.raises(ValueError, match=r"tiktoken plugin tiktoken_ext\.bad does not define ENCODING_CONSTRUCTORS"):
        minitok.get_encoding("something")
