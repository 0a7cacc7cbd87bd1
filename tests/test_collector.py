"""The collector of garbage is paused, and is then what it was before."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import minitok
from minitok.collector import collector_paused

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def collector_on() -> Iterator[None]:
    assert gc.isenabled()
    yield
    gc.enable()


def test_it_is_on_again_behind_an_error() -> None:
    def interrupted() -> None:
        with collector_paused():
            assert not gc.isenabled()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert gc.isenabled()


def test_it_stays_off() -> None:
    gc.disable()
    with collector_paused():
        assert not gc.isenabled()
    assert not gc.isenabled()


def test_blocks_in_blocks() -> None:
    with collector_paused():
        with collector_paused():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_blocks_of_threads_that_overlap() -> None:
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with collector_paused():
            inside.set()
            leave.wait(30)

    thread = threading.Thread(target=other)
    with collector_paused():
        thread.start()
        assert inside.wait(30)
    assert gc.isenabled()
    leave.set()
    thread.join()
    assert gc.isenabled()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")
def test_a_fork_of_another_thread_has_it_on() -> None:
    status: list[int] = []

    def fork() -> None:
        child = os.fork()
        if child == 0:
            os._exit(3 if gc.isenabled() else 4)
        status.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    with collector_paused():
        thread = threading.Thread(target=fork)
        thread.start()
        thread.join()
        assert not gc.isenabled()
    assert status == [3]


def test_files_are_read_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states: list[bool] = []
    path = tmp_path / "x.json"
    for text in ('{"a": 1}', "{"):
        path.write_text(text, "utf-8")
        with monkeypatch.context() as patch:
            patch.setattr("minitok.formats.tiktoken_ranks.is_file", lambda _: states.append(gc.isenabled()))
            with pytest.raises(ValueError, match=r"x\.json"):
                minitok.load(path)
        assert gc.isenabled()
    assert states == [False, False]
