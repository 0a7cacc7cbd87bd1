"""The package as a whole: backends, imports, layers."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import minitok
from tests.conftest import seam

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(minitok.__file__).parent

#: Lowest first: a module imports only from layers below its own. (Those in one line do not import each other.)
LAYERS = [
    {
        "_unicode_data",
        "_version",
        "patterns",
        "files",
        "text",
        "models",
        "colours",
        "_errors",
        "offsets",
        "progress",
        "bounded_http",
        "threads",
        "id_files",
        "symbols",
        "plain_data",
        "table_merges",
        "column_files",
    },
    {
        "pictures",
        "unicode_classes",
        "piece_records",
        "vocabulary_files",
        "input_files",
        "input_documents",
        "templates",
    },
    {"pretokenizer", "unicode_forms", "scripts"},
    {"_pymerge", "_fastmerge", "_pycount", "_pylearn", "_fastlearn", "normalizers", "splits"},
    {"_backend"},
    {"added_tokens", "table_files", "corpus", "token_use", "normalizer_streams"},
    {"token_scanner", "stage_cutters"},
    {"vocabulary", "special_tokens", "alignment"},
    {"pipeline", "explicit_merges", "merge_steps"},
    {"span_streams"},
    {"viewer.data", "viewer.page"},
    {"viewer.view"},
    {"viewer", "viewer.server"},
    {"formats.byte_alphabet", "formats.json_documents", "formats.protobuf", "formats.space_marks"},
    {"formats.templates_json", "formats.sentencepiece_pieces", "formats.user_defined_splits"},
    {
        "formats.bpeasy_json",
        "formats.clip_merges",
        "formats.compact_ranks",
        "formats.gguf",
        "formats.huggingface_json",
        "formats.minbpe_model",
        "formats.minitok_json",
        "formats.sentencepiece_model",
        "formats.tekken_json",
        "formats.tiktoken_ranks",
        "formats.vocab_merges",
    },
    {"formats.huggingface_file", "formats.huggingface_writer"},
    {"formats"},
    {"unstable", "encode_file", "bridges", "streaming"},
    {"encoding"},
    {"conversion", "read_before"},
    {"training.record_files", "training.styles", "training.token_rules", "training.report", "training.shards"},
    {"training.beginning", "training.piece_counts", "training.counter_process"},
    {"training.counting", "training.checkpoint"},
    {"training.trainer"},
    {"training", "registry"},
    {"comparison"},
    {"comparison_plot"},
    {"datasets.storage"},
    {"datasets.spans", "datasets.manifest"},
    {"datasets.checked_input", "datasets.reading"},
    {"datasets.shards"},
    {"datasets.run"},
    {"datasets"},
    {"distributed.cluster"},
    {"distributed.portions", "distributed.scratch"},
    {"distributed.counting", "distributed.encoding"},
    {"distributed"},
    {"demo", "command_io"},
    {"cluster_commands"},
    {"commands", "training_commands", "conversion_command", "view_command", "dataset_commands", "comparison_command"},
    {"cli"},
    {"__init__", "__main__"},
]
LAYER_OF = {name: number for number, names in enumerate(LAYERS) for name in names}


def run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def modules() -> dict[str, Path]:
    paths = {path.relative_to(PACKAGE): path for path in PACKAGE.rglob("*.py")}
    names = {p: ".".join(p.with_suffix("").parts) for p in paths}
    return {name.removesuffix(".__init__") if "." in name else name: paths[p] for p, name in names.items()}


def imported(path: Path) -> set[str]:
    """The modules of the package that a file imports; what is for type checkers only does not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            skipped.update(child for statement in node.body for child in ast.walk(statement))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node not in skipped and (node.module or "").startswith("minitok"):
            base = (node.module or "").removeprefix("minitok").removeprefix(".")
            for alias in node.names:
                name = f"{base}.{alias.name}".removeprefix(".")
                found.add(name if name in LAYER_OF else base or "__init__")
    return found


@pytest.mark.once
def test_imports_point_one_way() -> None:
    found = modules()
    assert set(found) <= set(LAYER_OF), "a module without a layer"
    for name, path in found.items():
        for other in imported(path):
            assert LAYER_OF[other] < LAYER_OF[name], f"{name} imports {other}"


@pytest.mark.once
def test_only_the_backend_knows_that_there_are_two() -> None:
    for name, path in modules().items():
        if name != "_backend":
            assert not imported(path) & {"_pymerge", "_fastmerge", "_pycount", "_pylearn", "_fastlearn"}, name


@pytest.mark.once
def test_no_file_is_long_without_a_reason() -> None:
    for folder in ("src", "tests", "tools", "benchmarks"):
        for path in [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.pyx")]:
            lines = path.read_text(encoding="utf-8").splitlines()
            if len(lines) > 500:
                assert any("onger than 500 lines because" in line for line in lines[:10]), path


@pytest.mark.once
def test_every_module_imports_alone() -> None:
    done = run("import sys, minitok; print(*sys.modules)")
    assert done.returncode == 0, done.stderr
    # Python imports the package first, so what that imports need not be tried: it is there, or has failed already.
    for module in {f"minitok.{name}" for name in modules()} - {"minitok.__init__", *done.stdout.split()}:
        if module != "minitok.__main__":
            done = run(f"import {module}")
            assert done.returncode == 0, (module, done.stderr)


def test_import_is_light() -> None:
    heavy = [
        "numpy",
        "tqdm",
        "urllib.request",
        "ssl",
        "platformdirs",
        "regex",
        "socket",
        "concurrent.futures",
        "argparse",
        "gzip",
        "minitok.encode_file",
    ]
    done = run(
        f"import sys, threading, minitok; print([m for m in {heavy} if m in sys.modules], threading.active_count())"
    )
    assert done.stdout.strip() == "[] 1", done
    # The class of word characters takes longer to compile than all else to import.
    done = run("import minitok, minitok.added_tokens as added; print(added._word.cache_info().currsize)")
    assert done.stdout.strip() == "0", done


def test_backend_is_as_told(backend: str) -> None:
    assert backend == minitok.BACKEND
    assert run("import minitok; print(minitok.BACKEND)").stdout.strip() == backend
    module = type(minitok.get_encoding("minitok_32k")._encoder).__module__
    assert module == {"native": "minitok._fastmerge", "python": "minitok._pymerge"}[backend]


@pytest.mark.parametrize("wanted", ["auto", ""])
def test_the_compiled_one_is_preferred(wanted: str) -> None:
    expected = "native" if find_spec("minitok._fastmerge") else "python"
    assert run("import minitok; print(minitok.BACKEND)", MINITOK_BACKEND=wanted).stdout.strip() == expected


def test_a_backend_that_does_not_exist() -> None:
    done = run("import minitok", MINITOK_BACKEND="fast")
    assert "MINITOK_BACKEND='fast': expected auto, python or native" in done.stderr


#: Makes the compiled module one that is there and does not load, or one that is not there.
BROKEN = """
import importlib.abc, importlib.machinery, sys, warnings
class Loader(importlib.abc.Loader):
    def create_module(self, spec): raise ImportError("undefined symbol: x")
    def exec_module(self, module): pass
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "minitok._fastmerge":
            return importlib.machinery.ModuleSpec(name, Loader())
sys.meta_path.insert(0, Finder())
"""
MISSING = """
import importlib.util, sys
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name.startswith("minitok._fast") else real(name, *a)
"""


def test_a_broken_extension_is_told() -> None:
    program = BROKEN + "warnings.simplefilter('always')\nimport minitok; print(minitok.BACKEND)"
    done = run(program, MINITOK_BACKEND="auto")
    assert done.stdout.strip() == "python"
    assert "RuntimeWarning: minitok._fastmerge is installed but does not load (undefined symbol: x)" in done.stderr
    assert "undefined symbol" in run(BROKEN + "import minitok", MINITOK_BACKEND="native").stderr
    assert run(BROKEN + "import minitok; print(minitok.BACKEND)", MINITOK_BACKEND="python").stdout.strip() == "python"


def test_a_missing_extension() -> None:
    program = MISSING + "import minitok; print(minitok.BACKEND)"
    assert run(program, MINITOK_BACKEND="auto").stdout.strip() == "python"
    assert "MINITOK_REQUIRE_EXTENSIONS" in run(program, MINITOK_BACKEND="native").stderr


def test_the_twins_have_the_same_names(backend: str) -> None:
    if backend == "python":
        return
    pure, compiled = seam("python"), seam("native")
    assert vars(pure).keys() == vars(compiled).keys()
    for name, ours in vars(pure).items():
        theirs = getattr(compiled, name)
        assert theirs.__doc__, name
        if inspect.isclass(ours):
            public = {n for n, _ in inspect.getmembers(ours) if not n.startswith("_")}
            assert {n for n, _ in inspect.getmembers(theirs) if not n.startswith("_")} == public, name


def test_public_names() -> None:
    for name in minitok.__all__:
        assert getattr(minitok, name) is not None
    assert minitok.__all__ == sorted(minitok.__all__)


@pytest.mark.once
def test_the_project_speaks_of_itself_alone() -> None:
    """No words from the place where it happens to be made."""
    words = ["pypi" + ".org", "MINITOK_TEST_DATA=" + "/", "/wo" + "rk/"]
    for folder in ("src", "tests", "tools", "benchmarks", "docs"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".pyx", ".h", ".md"):
                text = path.read_text(encoding="utf-8")
                assert not [word for word in words if word in text], path
