"""Build the distributions of the checkout, look at them, install each into an empty environment and try it there.

    python tools/check_distributions.py                 all of it, with the whole suite for each; some twenty minutes
    python tools/check_distributions.py --sample        with a few tests instead of the suite
    python tools/check_distributions.py --no-tests      with a little of everything instead; half a minute
    python tools/check_distributions.py --keep dist     and keep the distributions in a folder that does not exist

Needs the dependency group `release`. What is built is the last commit, so that nothing else that is in the checkout
gets in: a source distribution, a compiled wheel made from that, and a pure wheel. Checked are the metadata and the
readme (twine), what is in each, and the files beside the code that have a schema. The tests run against the installed
package: their folder does not have the sources.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: What every wheel has, besides all modules.
DATA = {"minitok/py.typed", "minitok/_fastlearn.pyi", "minitok/_fastmerge.pyi", "minitok/data/minitok_32k.json"} | {
    f"minitok/viewer/static/{name}"
    for name in (
        "page.html",
        "viewer.css",
        "tokens.js",
        "characters.js",
        "rows.js",
        "details.js",
        "moving.js",
        "search.js",
        "controls.js",
    )
}
#: Of the checkout, what the tests need.
TEST_FILES = (
    "tests",
    "tools",
    "benchmarks",
    "docs",
    "examples",
    "pyproject.toml",
    "setup.py",
    "MANIFEST.in",
    "LICENSE",
    "*.md",
)
#: The sample: what is about the package as a whole, and one test of each layer.
SAMPLE = ("package", "documents", "merge", "objects", "cli")


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> None:
    """Run a command; if it fails, so does this program."""
    print("+", *command, flush=True)
    subprocess.run(list(map(str, command)), cwd=cwd, env={**os.environ, **environment}, check=True)


def commit(folder: Path) -> Path:
    """The last commit as files."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    path = folder / "commit.tar"
    path.write_bytes(archive)
    with tarfile.open(path) as tar:
        tar.extractall(folder / "commit", filter="data")
    return folder / "commit"


def build(checkout: Path, out: Path) -> None:
    """A source distribution, a compiled wheel from it, and a pure wheel from it."""
    command = (sys.executable, "-m", "build", "--outdir", out)
    run(*command, checkout, MINITOK_REQUIRE_EXTENSIONS="1")
    (sdist,) = out.glob("*.tar.gz")
    unpacked = out.parent / "unpacked"
    with tarfile.open(sdist) as tar:
        tar.extractall(unpacked, filter="data")
    (source,) = unpacked.iterdir()
    run(*command, "--wheel", source, MINITOK_NO_EXTENSIONS="1")


def wheels(out: Path) -> dict[str, Path]:
    """The pure wheel and the compiled one, by the name of the backend."""
    (pure,) = out.glob("*-py3-none-any.whl")
    (compiled,) = set(out.glob("*.whl")) - {pure}
    return {"native": compiled, "python": pure}


def contents_of_wheel(wheel: Path, backend: str, checkout: Path) -> list[str]:
    """What is wrong with the files in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    modules = {path.relative_to(checkout / "src").as_posix() for path in (checkout / "src").rglob("*.py")}
    wanted = modules | DATA
    extra = names - wanted
    compiled = {name for name in extra if name.endswith((".so", ".pyd"))}
    wrong = [f"{wheel.name} lacks {name}" for name in sorted(wanted - names)]
    wrong += [f"{wheel.name} has {name}" for name in sorted(extra - compiled)]
    expected = {"native": ["minitok/_fastlearn", "minitok/_fastmerge"], "python": []}[backend]
    if sorted(name.partition(".")[0] for name in compiled) != expected:
        wrong.append(f"{wheel.name} has these compiled modules: {sorted(compiled)}")
    return wrong


def contents_of_sdist(sdist: Path, checkout: Path) -> list[str]:
    """What is wrong with the files in a source distribution: all of the commit has to be there, and no more."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    kept = {"src", "tests", "tools", "docs", "benchmarks", "examples"}
    wanted = {
        path.relative_to(checkout).as_posix()
        for path in checkout.rglob("*")
        if path.is_file() and path.relative_to(checkout).parts[0] in kept
    }
    wrong = [f"{sdist.name} lacks {name}" for name in sorted(wanted - names)]
    return wrong + [
        f"{sdist.name} has {name}" for name in sorted(names) if name.endswith((".so", ".pyd", "fastmerge.c"))
    ]


def install(wheel: Path, backend: str, folder: Path) -> Path:
    """Install a wheel into an empty environment, and try it there; the environment's Python."""
    environment = folder / f"environment-{backend}"
    run(sys.executable, "-m", "venv", environment)
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(python, "-m", "pip", "install", "--quiet", "--upgrade", "pip")
    run(python, "-m", "pip", "install", "--quiet", wheel)
    run(python, "-I", ROOT / "tools" / "check_installed.py", backend)
    return python


def run_tests(python: Path, backend: str, folder: Path, sample: bool) -> None:
    """Run the tests against an installed wheel, in a folder without the sources."""
    tests = folder / f"tests-{backend}"
    tests.mkdir()
    for pattern in TEST_FILES:
        for path in (folder / "commit").glob(pattern):
            (shutil.copytree if path.is_dir() else shutil.copy)(path, tests / path.name)
    run(python, "-m", "pip", "install", "--quiet", "--group", f"{tests / 'pyproject.toml'}:test")
    chosen = [f"tests/test_{name}.py" for name in SAMPLE] if sample else []
    options = ["--no-native"] if backend == "python" else []
    run(python, "-m", "pytest", "-q", *options, *chosen, cwd=tests)


def main() -> int:
    """Build, look, try."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sample", action="store_true", help="a few tests instead of the suite")
    parser.add_argument("--no-tests", action="store_true", help="no tests: only a little of everything")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the distributions there")
    arguments = parser.parse_args()
    workflows = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    run(
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.citation-file-format",
        ROOT / "CITATION.cff",
    )
    run(sys.executable, "-m", "validate_pyproject", ROOT / "pyproject.toml")
    with tempfile.TemporaryDirectory(prefix="minitok-dist-") as name:
        folder = Path(name)
        checkout, out = commit(folder), folder / "dist"
        build(checkout, out)
        run(sys.executable, "-m", "twine", "check", "--strict", *sorted(out.iterdir()))
        (sdist,) = out.glob("*.tar.gz")
        wrong = contents_of_sdist(sdist, checkout)
        for backend, wheel in wheels(out).items():
            wrong += contents_of_wheel(wheel, backend, checkout)
        print("\n".join(wrong), file=sys.stderr)
        if wrong:
            return 1
        for backend, wheel in wheels(out).items():
            python = install(wheel, backend, folder)
            if not arguments.no_tests:
                run_tests(python, backend, folder, arguments.sample)
        if arguments.keep:
            shutil.copytree(out, arguments.keep)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
