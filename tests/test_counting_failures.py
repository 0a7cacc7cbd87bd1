"""What `count_pieces` does when it fails: it says so, and leaves nothing. And its commands, their errors too."""

from __future__ import annotations

import errno
import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import minitok
from minitok import PieceCounts, corpus, input_files
from minitok.training import counting, record_files
from tests.conftest import only_this_thread
from tests.interrupting import interrupt
from tests.test_cli import bad, good

TEXT = "".join(f"word{i:x} and number {i * i}, " for i in range(3000))
LIMIT = 1 << 26


@pytest.fixture
def spilled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files; each small batch is written there."""
    folder = tmp_path / "spilled"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(corpus, "BLOCK", 2000)
    monkeypatch.setattr(counting, "_COUNTS_OF_SHARE", 1e-9)
    return folder


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


#: The library as the fixture `spilled` has it, for a program of its own.
SMALL = (
    "import minitok; from minitok import corpus; from minitok.training import counting; "
    "corpus.BLOCK = 2000; counting._COUNTS_OF_SHARE = 1e-9; "
)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("progress", [0.02, 0.5, 1.0])
@pytest.mark.parametrize("threads", [1, 2])
def test_what_fails_while_it_spills(
    spilled: Path, text: Path, error: BaseException, progress: float, threads: int
) -> None:
    """In a run, in one that several runs are merged into, and in the result."""
    written = 0
    call = 1 << 30

    def failing(file: Any, data: bytes) -> None:
        nonlocal written
        written += 1
        if written >= call:
            raise error
        write_all(file, data)

    write_all = record_files._write_all
    whole = minitok.count_pieces([text] * 9)
    with mock.patch.object(record_files, "_write_all", failing):
        assert minitok.count_pieces([text] * 9, memory_limit=LIMIT) == whole
    call, written = int(progress * written), 0
    assert call > 1
    with mock.patch.object(record_files, "_write_all", failing), pytest.raises(type(error)) as raised:
        minitok.count_pieces([text] * 9, memory_limit=LIMIT, num_threads=threads)
    assert not list(spilled.iterdir())
    assert only_this_thread()
    if isinstance(error, OSError):
        found: Any = raised.value
        assert found.errno == errno.ENOSPC
        assert str(spilled) in found.filename
        assert "No space left on device while counts were written there; free space there, or set TMPDIR" in str(
            found
        )
    assert minitok.count_pieces([text] * 9, memory_limit=LIMIT, num_threads=threads) == whole


def test_a_full_disk(spilled: Path, text: Path) -> None:
    """A limit on the size of files stands for it."""
    program = (
        f"{SMALL}import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        f"minitok.count_pieces({str(text)!r}, memory_limit={LIMIT}, num_threads=2)"
    )
    done = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, check=False, text=True)
    assert done.returncode == 1
    assert "OSError: [Errno 27] File too large while counts were written there; free space there" in done.stderr
    assert not list(spilled.iterdir())


def test_a_full_disk_when_counts_are_saved(text: Path, tmp_path: Path) -> None:
    program = (
        "import minitok, resource; resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        f"minitok.count_pieces({str(text)!r}).save('counts')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], stderr=subprocess.PIPE, check=False, text=True, cwd=tmp_path
    )
    assert "OSError: [Errno 27] File too large: 'counts'" in done.stderr
    assert list(tmp_path.iterdir()) == [text]


def test_a_folder_for_temporary_files_that_is_none(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    with pytest.raises(FileNotFoundError, match="/nowhere"):
        minitok.count_pieces(text, memory_limit=LIMIT)


def test_a_run_that_vanishes_or_is_cut_off(spilled: Path, text: Path) -> None:
    """Somebody cleans up the folder of temporary files."""
    for damage, kind, message in (
        (Path.unlink, OSError, "run-1"),
        (lambda p: os.truncate(p, 100), ValueError, "cut off"),
    ):
        done: list[Path] = []

        def write(path: Path, blocks: Any, remedy: str, damage: Any = damage, done: list[Path] = done) -> None:
            record_files.write_run(path, blocks, remedy)
            done.append(path)
            if len(done) == 3:
                damage(done[0])

        with mock.patch.object(counting, "write_run", write), pytest.raises(kind, match=message):
            minitok.count_pieces(text, memory_limit=LIMIT)
        assert not list(spilled.iterdir())


def test_killed(spilled: Path, text: Path) -> None:
    """What is left is a folder of temporary files."""
    program = (
        f"{SMALL}import os, signal\n"
        "def killed(*_, **__): os.kill(os.getpid(), signal.SIGKILL)\n"
        f"counting.merged = killed; minitok.count_pieces({str(text)!r}, memory_limit={LIMIT})"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path.name[:8] for path in spilled.iterdir()] == ["minitok-"]


def test_at_exit_and_after_a_fork(spilled: Path, text: Path) -> None:
    """A result in a file lives as long as its process; a fork that ends does not take it away."""
    program = (
        f"{SMALL}import os\nc = minitok.count_pieces({str(text)!r}, memory_limit={LIMIT})\n"
        "if os.fork() == 0: raise SystemExit(0)\n"
        "os.wait(); print(len(list(c.records())), len(os.listdir(os.environ['TMPDIR'])))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("1 1\n", "")
    assert not list(spilled.iterdir())


# -- Files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("limit", [None, LIMIT])
def test_files_that_are_damaged(spilled: Path, tmp_path: Path, threads: int, limit: int | None) -> None:
    """A file that comes late is damaged: it is named, and nothing is left."""
    good_file, bad_file = tmp_path / "a.txt", tmp_path / "b.txt.gz"
    good_file.write_text(TEXT, encoding="utf-8")
    whole = gzip.compress(TEXT.encode())
    damages = {
        "b.txt.gz cannot be decompressed": whole[: len(whole) // 2],
        "b.txt.gz cannot be": whole[: len(whole) // 2] + b"x" * 100,
        "b.txt.gz is empty": b"",
        r"b.txt.gz: not valid UTF-8 at byte 80000": gzip.compress(TEXT.encode()[:80_000] + b"\xff"),
    }
    for message, data in damages.items():
        bad_file.write_bytes(data)
        with pytest.raises(ValueError, match=message):
            minitok.count_pieces([good_file, bad_file], num_threads=threads, memory_limit=limit)
        assert not list(spilled.iterdir())
        assert only_this_thread()


def test_a_file_that_vanishes_or_shrinks(spilled: Path, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b")]
    for damage, kind, message in (
        (paths[1].unlink, OSError, "'.*b'"),
        (lambda: os.truncate(paths[0], 5000), ValueError, "a has become shorter while it was read"),
    ):
        for path in paths:
            path.write_text(TEXT, encoding="utf-8")
        read = input_files.read_blocks

        def damaging(file: Any, *rest: Any, damage: Any = damage, read: Any = read) -> Any:
            for number, block in enumerate(read(file, *rest)):
                if number == 1 and file.file == paths[0]:
                    damage()
                yield block

        with (
            mock.patch.object(corpus, "read_blocks", damaging),
            mock.patch.object(corpus, "BLOCK", 1 << 14),
            pytest.raises(kind, match=message),
        ):
            minitok.count_pieces(str(tmp_path / "[ab]"), memory_limit=LIMIT)
        assert not list(spilled.iterdir())


def test_an_iterable_that_raises(spilled: Path) -> None:
    def texts() -> Any:
        yield from [TEXT, TEXT]
        raise RuntimeError("no more")

    for threads in (1, 2):
        with pytest.raises(RuntimeError, match="no more"):
            minitok.count_pieces(texts(), memory_limit=LIMIT, num_threads=threads)
        assert not list(spilled.iterdir())
        assert only_this_thread()


# -- Processes -----------------------------------------------------------------------------------------------------


def test_a_process_that_ends(monkeypatch: pytest.MonkeyPatch, spilled: Path) -> None:
    monkeypatch.setattr(counting, "PROCESSES_PAY", 1)
    started: list[subprocess.Popen[bytes]] = []

    def texts() -> Any:
        for number in range(100):
            yield TEXT
            if number == 50:
                started[0].kill()

    def start(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(popen(*arguments, **options))
        return started[-1]

    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(ChildProcessError, match="a process that counted pieces has ended with status -9"):
        minitok.count_pieces(texts(), pattern=r"\w+", num_threads=2, memory_limit=LIMIT)
    assert [process.returncode for process in started] == [-signal.SIGKILL] * 2
    assert not list(spilled.iterdir())


def test_an_error_in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    from minitok.training.counter_process import CounterProcess

    process = CounterProcess(r"\w+")
    process.wait_until_ready()
    wrong: Any = ["\ud800"]
    with pytest.raises(UnicodeEncodeError):
        process.feed_all(wrong)
    process.close()


# -- The command line ----------------------------------------------------------------------------------------------


def test_control_c(spilled: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("--memory-limit", "64MiB", "-o", out)
    interrupt("count-pieces", *options, given=TEXT.encode(), begun=lambda: any(spilled.iterdir()))
    assert not out.exists()
    assert not list(spilled.iterdir())


def test_commands(tmp_path: Path) -> None:
    for name, content in (("a.txt", "x y<s>x"), ("b.txt", "y z"), ("c.jsonl", '{"body": "x"}')):
        (tmp_path / name).write_text(content, encoding="utf-8")
    a, b, c, out, sums = (tmp_path / name for name in ("a.txt", "b.txt", "c.jsonl", "counts", "sums"))
    use = ("count-pieces", "-o", out)
    shown = good(*use, a, "--special", "<s>").decode()
    assert shown == f"{out}: 3 pieces (2 distinct)\n"
    assert PieceCounts.load(out) == minitok.count_pieces(a, special_tokens=["<s>"])
    figures = json.loads(good(*use, "--json", str(tmp_path / "*.txt"), "-", "--pattern", "cl100k", data=b"x"))
    expected = minitok.count_pieces([a, b, "x"], pattern="cl100k")
    assert figures == {"output": str(out), "pieces": expected.total, "distinct_pieces": len(expected), "scale": 1}
    assert PieceCounts.load(out) == expected
    good(*use, data=b"x")
    assert PieceCounts.load(out) == {b"x": 1}
    good(*use, c, "--field", "body", "--threads", "2", "--memory-limit", "0.1 GB")
    assert PieceCounts.load(out) == {b"x": 1}
    shown = good(*use, b, "--weight", f"{tmp_path}/a*=1/2").decode()
    expected = minitok.count_pieces({b: 1, a: 0.5})
    assert shown == f"{out}: {expected.total} pieces ({len(expected)} distinct), in units of 1/2\n"
    assert PieceCounts.load(out) == expected
    shown = good("merge-counts", out, out, "-o", sums).decode()
    assert shown == f"{sums}: {2 * expected.total} pieces ({len(expected)} distinct), in units of 1/2\n"
    assert PieceCounts.load(sums) == expected + expected
    figures = json.loads(good("merge-counts", sums, "-o", sums, "--json"))
    assert figures["pieces"] == 2 * expected.total
    assert figures["scale"] == 2


def test_command_errors(tmp_path: Path, text: Path) -> None:
    out = tmp_path / "out"
    use = ("count-pieces", "-o", out)
    assert "'2XB' is no size; expected bytes, or for example 200MB" in bad(2, *use, text, "--memory-limit", "2XB")
    assert "expected at least 32MiB" in bad(2, *use, text, "--memory-limit", "1MB")
    assert "--threads is 0" in bad(2, *use, text, "--threads", "0")
    assert "--special is empty" in bad(2, *use, text, "--special", "")
    assert "no folder" in bad(2, "count-pieces", text, "-o", tmp_path / "no" / "out")
    assert "is given twice" in bad(2, *use, text, "--weight", f"{text}=2")
    assert "standard input cannot be counted" in bad(2, *use, "-", "--weight", f"{text}=2")
    for weight in ("a", "a=", "=1", "a=b", "a=1/0"):
        assert "is no weight; expected GLOB=NUMBER" in bad(2, *use, "--weight", weight)
    assert "is -1; expected" in bad(1, *use, "--weight", f"{text}=-1").replace("Fraction(-1, 1)", "-1")
    assert "no file" in bad(2, *use, tmp_path / "missing")
    assert "is no file of piece counts" in bad(1, "merge-counts", text, "-o", out)
    assert "No such file" in bad(2, "merge-counts", tmp_path / "missing", "-o", out)
    for name, pattern in (("a", "gpt2"), ("b", "o200k")):
        good("count-pieces", text, "-o", tmp_path / name, "--pattern", pattern)
    assert "'r50k' and with the pattern 'o200k' cannot be added" in bad(
        1, "merge-counts", tmp_path / "a", tmp_path / "b", "-o", out
    )
    assert not out.exists()
