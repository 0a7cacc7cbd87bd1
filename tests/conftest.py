"""The whole suite runs over both backends; what is not there is an error or is named, never skipped in silence.

    pytest                  both backends; an error if the compiled one is not installed
    pytest --no-native      the pure one only

Tests marked `once` run over one backend, the compiled one if it is there: they are about nothing below the seam, or
ask both backends themselves (`agreement.implementations`). Tests marked `data` need the folder that MINITOK_TEST_DATA
names. Without it they are left out, by name, at the end of the report; where CI is set in the environment that is an
error instead.
"""

from __future__ import annotations

import importlib
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import hypothesis
import pytest

import minitok
from minitok import _backend, registry

#: What is below the seam, for each backend: applying merges, counting pieces, and learning.
MODULES = {"native": "minitok._fastmerge", "python": "minitok._pymerge"}
COUNTING_MODULES = {"native": "minitok._fastlearn", "python": "minitok._pycount"}
TRAINING_MODULES = {"native": "minitok._fastlearn", "python": "minitok._pylearn"}


class Seam:
    """All names of a backend, "native" or "python"."""

    def __init__(self, name: str) -> None:
        self.__name__ = name
        for names in (MODULES, COUNTING_MODULES, TRAINING_MODULES):
            module = importlib.import_module(names[name])
            vars(self).update({public: vars(module)[public] for public in module.__all__})

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the backend {self.__name__} has no {name}")  # so that types know that it has any


@cache
def seam(name: str) -> Seam:
    """The names of a backend; `__name__` tells which it is."""
    return Seam(name)


def only_this_thread() -> bool:
    """Whether no thread is left that the process would wait for; other libraries may have such as it does not."""
    return not [
        thread for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon
    ]


def installed_seams() -> list[Seam]:
    """All names of each backend that is installed."""
    return [seam(name) for name, module in MODULES.items() if find_spec(module)]


hypothesis.settings.register_profile("dev", deadline=None, max_examples=60)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=60, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("sample", deadline=None, max_examples=12, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("sanitizers", deadline=None, max_examples=60, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("heavy", deadline=None, max_examples=5000)
PROFILE = os.environ.get("MINITOK_HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
hypothesis.settings.load_profile(PROFILE)

T = TypeVar("T")


def examples(items: Sequence[T]) -> Sequence[T]:
    """All of so many items that looking at them takes minutes under sanitizers; there, every eleventh."""
    return items[::11] if PROFILE in ("sanitizers", "sample") else items


#: Where the browser is that tests marked `browser` need; without it they are left out as those marked `data` are.
CHROMIUM = shutil.which("chromium")

left_out: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-native", action="store_true", help="leave out the compiled backend")


def pytest_report_header(config: pytest.Config) -> str:
    backends = "python" if config.getoption("--no-native") else "native, python"
    return f"minitok {minitok.__version__}: backends {backends}; test data {os.environ.get('MINITOK_TEST_DATA')}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        backends = ["python"] if metafunc.config.getoption("--no-native") else ["native", "python"]
        if metafunc.definition.get_closest_marker("once"):
            backends = backends[:1]
        metafunc.parametrize("backend", backends, indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = {"data": not os.environ.get("MINITOK_TEST_DATA"), "browser": CHROMIUM is None}
    absent = [marker for marker, is_missing in missing.items() if is_missing]
    without = [item for item in items if any(item.get_closest_marker(marker) for marker in absent)]
    if without and os.environ.get("CI"):
        raise pytest.UsageError(
            f"MINITOK_TEST_DATA is not set or there is no chromium, and {len(without)} tests need it"
        )
    left_out.extend(item.nodeid for item in without)
    config.hook.pytest_deselected(items=without)
    items[:] = [item for item in items if item not in without]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if left_out:
        terminalreporter.section("left out: MINITOK_TEST_DATA is not set, or there is no chromium")
        for nodeid in left_out:
            terminalreporter.line(nodeid)


@pytest.fixture(scope="session", autouse=True)
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The backend that everything runs on, "native" or "python"; programs that tests start use it too."""
    name: str = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINITOK_BACKEND", name)
        # What is kept in the user's cache folder goes elsewhere.
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(_backend, "BACKEND", name)
        patch.setattr(minitok, "BACKEND", name)
        for public, thing in vars(seam(name)).items():
            if public != "__name__":
                patch.setattr(_backend, public, thing)
        registry.ENCODINGS.clear()
        yield name
        registry.ENCODINGS.clear()


@pytest.fixture(scope="session")
def native(backend: str) -> Any:
    """The compiled module, for what is about its insides."""
    if backend != "native":
        pytest.skip("about the compiled core")
    return importlib.import_module(MODULES["native"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, for tests marked `browser`; no longer than for one module, as it holds an event loop."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def data_folder() -> Path:
    """The folder with published vocabularies and corpora; for tests marked `data`."""
    return Path(os.environ["MINITOK_TEST_DATA"])


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all examples of a property use."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where to write: in a folder in which nothing else is."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "ids.npy"


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read in small blocks, so that small ones have many."""
    monkeypatch.setattr("minitok.encode_file.BLOCK", 1000)
