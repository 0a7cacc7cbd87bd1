"""What the documentation shows is run, all of it, and what it links to is there."""

from __future__ import annotations

import gzip
import inspect
import json
import pydoc
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import minitok
import minitok.distributed
from tests.markdown_blocks import RUN, SHOWN, Block, blocks, run_block

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
#: Their commands are what CI itself does, or take hours; only their form is looked at.
UNRUN_PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "benchmarks" / "README.md"]

pytestmark = pytest.mark.once


def runnable(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language in RUN and block.not_run is None]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the pages speak of."""
    words = "she sells sea shells by the sea shore; the shells she sells are sea shells, surely.\n"
    folders = ("corpus", "shard-1", "shard-2", "en", "code", "my-corpus")
    for folder in folders:
        (tmp_path / folder).mkdir()
        for number in range(2):
            (tmp_path / folder / f"{number}.txt").write_text(words * 20, encoding="utf-8")
        with gzip.open(tmp_path / folder / "documents.jsonl.gz", "wt") as file:
            file.write(json.dumps({"text": words}) + "\n")
        (tmp_path / folder / "lines.py").write_text("def add(a, b):\n    return a + b\n" * 20, encoding="utf-8")
    for name in ("book.txt", "prompt.txt", "NOTES.md"):
        (tmp_path / name).write_text(words, encoding="utf-8")
    enc = minitok.train([words], vocab_size=300, pattern="gpt2", special_tokens=["<|endoftext|>", "</s>"])
    enc.save(tmp_path / "tokenizer.json", format="huggingface")
    enc.save(tmp_path / "my.minitok.json")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_page(page: Path, stage: Path) -> None:
    namespace: dict[str, Any] = {"minitok": minitok}
    for block in runnable(page):
        run_block(block, stage, namespace)


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def needs_data(page: Path) -> bool:
    return any(block.needs_data for block in runnable(page))


@pytest.mark.parametrize("page", [p for p in PAGES if runnable(p) and not needs_data(p)], ids=named)
def test_what_a_page_shows(page: Path, stage: Path) -> None:
    run_page(page, stage)


@pytest.mark.data
@pytest.mark.parametrize("page", [p for p in PAGES if needs_data(p)], ids=named)
def test_what_a_page_shows_of_published_vocabularies(
    page: Path, stage: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINITOK_CACHE_DIR", str(data_folder / "vocabularies"))
    monkeypatch.setenv("MINITOK_OFFLINE", "1")
    for published in (data_folder / "vocabularies").glob("*.tiktoken"):
        (stage / published.name).symlink_to(published)
    run_page(page, stage)


@pytest.mark.parametrize("page", [*PAGES, *UNRUN_PAGES], ids=named)
def test_each_block_says_what_it_is(page: Path) -> None:
    for block in blocks(page):
        assert block.language in RUN | SHOWN, (block.line, block.language)


def test_a_page_that_is_wrong_is_found(tmp_path: Path) -> None:
    for text in (
        "```python\n>>> 1 + 1\n3\n```\n",
        "```python\nassert 1 + 1 == 3\n```\n",
        "```sh\nminitok count --no-such-option\n```\n",
        "```console\n$ echo one\ntwo\n```\n",
    ):
        page = tmp_path / "page.md"
        page.write_text(text, encoding="utf-8")
        (block,) = runnable(page)
        with pytest.raises(AssertionError):
            run_block(block, tmp_path, {})
    page.write_text("<!-- not run: it takes a day -->\n```sh\nfalse\n```\n", encoding="utf-8")
    assert blocks(page)[0].not_run == "it takes a day"


def anchor(title: str) -> str:
    """The name that a repository's page, and the site, give a heading."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def prose(page: Path) -> str:
    """A page without its blocks and comments."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```$|<!--.*?-->", "", text, flags=re.MULTILINE | re.DOTALL)


def test_links_lead_somewhere() -> None:
    """Relative ones, on the repository's pages; the build of the site checks its own."""
    for page in [*PAGES, *UNRUN_PAGES, ROOT / "CHANGELOG.md"]:
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, place = target.partition("#")
            path = (page.parent / name).resolve() if name else page
            assert path.exists(), (page.name, target)
            if place:
                headings = re.findall(r"^#+ (.+)$", prose(path), flags=re.MULTILINE)
                assert place in map(anchor, headings), (page.name, target)


def test_every_page_is_in_the_navigation() -> None:
    entries: set[Path] = set()
    for block in blocks(ROOT / "docs" / "index.md"):
        if block.language == "{toctree}":
            for line in block.text.splitlines():
                if line and not line.startswith(":"):
                    entries.update((ROOT / "docs").glob(f"{line}.md"))
    assert entries == set(PAGES) - {ROOT / "README.md", ROOT / "docs" / "index.md"}


def in_the_reference() -> list[str]:
    """The full names that the reference documents."""
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    return re.findall(r"^\.\. (?:auto|py:)\w+:: (minitok\.[\w.]+)", text, flags=re.MULTILINE)


def returned_by(thing: Any) -> set[str]:
    """The names of classes that a function, or the public methods and properties of a class, return."""
    if not inspect.isclass(thing):
        return set(re.findall(r"[A-Z]\w+", str(inspect.signature(thing).return_annotation)))
    members = [value for name, value in vars(thing).items() if not name.startswith("_")]
    functions = [getattr(member, "fget", None) or getattr(member, "__func__", member) for member in members]
    return set().union(*(returned_by(function) for function in functions if inspect.isfunction(function)))


def test_every_public_name_is_in_the_reference() -> None:
    named = in_the_reference()
    assert sorted(name.removeprefix("minitok.") for name in named if name.count(".") == 1) == minitok.__all__
    distributed = sorted(name.rpartition(".")[2] for name in named if name.startswith("minitok.distributed."))
    assert distributed == minitok.distributed.__all__


def test_what_public_names_return_is_in_the_reference() -> None:
    documented = {name: pydoc.locate(name) for name in in_the_reference()}
    known = {name.rpartition(".")[2] for name in documented}
    own = {
        name
        for module in [module for name, module in sys.modules.items() if name.startswith("minitok.")]
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__.startswith("minitok.")
    }
    for name, thing in documented.items():
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert not (returned_by(thing) & own) - known, name


def test_the_pictures_are_what_the_program_draws() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "draw_algorithm.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
