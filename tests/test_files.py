"""Several files that are replaced together, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from minitok.files import open_atomically, open_together


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(params=[{}, {"a": b"old a"}, {"a": b"old a", "b": b"old b", "c": b"old c"}])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder in which the files are not there, in part, or all."""
    for name, data in request.param.items():
        (tmp_path / name).write_bytes(data)
    yield tmp_path
    assert not list(tmp_path.glob(".*"))


def write(folder: Path) -> None:
    with open_together([folder / name for name in "abc"]) as files:
        for file, name in zip(files, "abc"):
            file.write(b"new " + name.encode())


def test_all(folder: Path) -> None:
    write(folder)
    assert contents(folder) == {"a": b"new a", "b": b"new b", "c": b"new c"}


@pytest.mark.parametrize("error", [OSError("no space"), KeyboardInterrupt()])
@pytest.mark.parametrize("failing", ["a", "b", "c"])
def test_none(folder: Path, failing: str, error: BaseException) -> None:
    """A rename fails; in what order does not matter."""
    before = contents(folder)
    replace = Path.replace

    def failing_replace(path: Path, target: Path) -> Path:
        if target.name == failing and path.name.startswith(f".{failing}.") and path.read_bytes().startswith(b"new"):
            raise error
        return replace(path, target)

    with mock.patch.object(Path, "replace", failing_replace), pytest.raises(type(error)):
        write(folder)
    assert contents(folder) == before


def test_interrupted_when_all_is_done(folder: Path) -> None:
    replace = Path.replace

    def interrupted_replace(path: Path, target: Path) -> Path:
        replace(path, target)
        if target.name == "c":
            raise KeyboardInterrupt
        return target

    with mock.patch.object(Path, "replace", interrupted_replace), pytest.raises(KeyboardInterrupt):
        write(folder)
    assert contents(folder) == {"a": b"new a", "b": b"new b", "c": b"new c"}


def test_the_block_fails(folder: Path) -> None:
    before = contents(folder)
    with pytest.raises(ZeroDivisionError), open_together([folder / "a", folder / "b"]) as files:
        files[0].write(bytes(1 // 0))
    assert contents(folder) == before


def test_where_no_file_can_be(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError), open_together([tmp_path / "a", tmp_path]):
        pass
    with pytest.raises(FileNotFoundError, match="there is no folder"), open_atomically(tmp_path / "no" / "a"):
        pass
    assert not contents(tmp_path)
