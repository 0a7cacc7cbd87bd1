"""The Pythons that have the libraries: this one, and environments for what cannot be installed beside the others."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

__all__ = ["NEXT_TOKENIZERS", "ROOT", "YOUTOKENTOME", "Environment", "interpreter", "version"]

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Environment:
    """An environment of its own.

    Attributes:
        folder: its name in the project's folder.
        group: the dependency group that it is for.
        to_build: what has to be there before, for packages that do not say what they are built with.
    """

    folder: str
    group: str
    to_build: tuple[str, ...] = ()


#: A preview, which cannot be installed beside the stable version.
NEXT_TOKENIZERS = Environment(".venv-tokenizers", "bench-tokenizers")
#: Is built from its sources, with Cython, which it does not say.
YOUTOKENTOME = Environment(".venv-youtokentome", "bench-youtokentome", ("Cython", "setuptools", "wheel"))


def interpreter(environment: Environment | None) -> str:
    """The Python of an environment, which is made when it is first wanted; None: the Python that runs.

    Raises:
        CalledProcessError: something cannot be installed.
    """
    if environment is None:
        return sys.executable
    folder = ROOT / environment.folder
    python = folder / "bin" / "python"
    if not python.exists():
        try:
            venv.create(folder, with_pip=True)
            pip = [str(python), "-m", "pip", "install", "-q"]
            subprocess.run([*pip, "-U", "pip"], check=True)
            if environment.to_build:
                subprocess.run([*pip, *environment.to_build], check=True)
                pip.append("--no-build-isolation")
            subprocess.run([*pip, "--group", f"{ROOT / 'pyproject.toml'}:{environment.group}"], check=True)
        except subprocess.CalledProcessError:
            shutil.rmtree(folder)
            raise
    return str(python)


def version(library: str, environment: Environment | None) -> str:
    """The version of a distribution in an environment."""
    script = f"from importlib.metadata import version; print(version({library!r}))"
    done = subprocess.run([interpreter(environment), "-c", script], check=True, capture_output=True, text=True)
    return done.stdout.strip()
