"""Nothing behind a text is read: see guarded.py, whose programs run here in processes of their own, which may die."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import guarded

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.skipif(not guarded.works_here(), reason="objects cannot be put at any address here")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.guarded", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_byte_too_far_is_noticed(native: Any) -> None:
    assert run("--overread").returncode in (-signal.SIGSEGV, -signal.SIGBUS)


def test_nothing_behind_a_text_is_read(native: Any) -> None:
    done = run("--every", "12")
    assert done.returncode == 0, done.stderr
    assert "nobody read further" in done.stdout
