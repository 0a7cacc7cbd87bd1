"""Measurements in processes of their own, which nothing before has warmed or filled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.environments import ROOT

__all__ = ["ask", "peak_memory"]


def ask(module: str, *arguments: str, **environment: str) -> Any:
    """What `python -m MODULE --measure ARGUMENTS` prints, which is JSON, with these environment variables.

    Raises:
        subprocess.CalledProcessError: it failed; what it says about that is printed.
    """
    command = [sys.executable, "-m", module, "--measure", *arguments]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def peak_memory() -> float:
    """The most that this process has had, in MB. On Linux `ru_maxrss` would include what its parent had."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
