"""Sharing, forking, pickling and dropping encodings: see stress.py, whose programs run here for a short time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments: str) -> str:
    command = [sys.executable, "-W", "error", "-m", "tests.stress", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_threads_children_and_copies() -> None:
    assert run("share", "--seconds", "3").endswith("; 0 wrong\n")


def test_memory_stays_as_it_is() -> None:
    assert "120 encodings made and dropped" in run("drop", "--cycles", "120")
