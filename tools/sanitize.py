"""The tests of the compiled core under AddressSanitizer and UndefinedBehaviorSanitizer. Linux with gcc.

    python tools/sanitize.py                                   all tests of the compiled backend
    python tools/sanitize.py --sample                          a selection, in about two minutes
    python tools/sanitize.py -- -m pytest tests/test_merge.py  any program of Python's, with the core built so

The core is built in a copy of the checkout, with an allocator that fails when a test wants it to, and nothing is
left behind. The exit status is that of the program, and not 0 if any process has made a report.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: What the build needs.
SOURCES = ("src", "tools", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
#: Compiled by some build before: not of this one.
STALE = shutil.ignore_patterns("*.so", "*.egg-info", "_fast*.c", "__pycache__")
#: A program that asks for memory without end stops before the machine does.
MOST_MEMORY = "hard_rss_limit_mb=8000"
#: Not for a core that is built so: objects at odd addresses, one of which is read too far on purpose; limits of
#: memory, of which the sanitizer takes terabytes of addresses and keeps what is freed; workers, who would use the
#: minitok that is installed. (And a browser does not start with the sanitizer's libraries loaded.)
NOT_HERE = (
    "guarded.py",
    "bad_files.py",
    "encode_file.py::test_memory_is_bounded",
    "formats.py::test_a_gigabyte_of_zeros",
    "cluster.py",
)
#: Of millions of code points a part: most of the time goes into Python, which sanitizers make many times slower.
VARIABLES = {"MINITOK_HYPOTHESIS_PROFILE": "sanitizers"}
#: The sample: what is about the core alone. Fewer examples and shorter strings too.
SAMPLE = (
    "windows",
    "merge",
    "learn",
    "piece_counter",
    "counting",
    "boundaries",
    "roundtrip",
    "threads",
    "special_rounds",
    "failing_memory",
    "failing_memory_training",
)
SAMPLE_VARIABLES = {"MINITOK_HYPOTHESIS_PROFILE": "sample", "MINITOK_CLASS_STRINGS": "3"}


def build(folder: Path) -> Path:
    """Install the package with its core under sanitizers below a folder; where it is then."""
    copy, site = folder / "copy", folder / "site"
    copy.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=STALE)
        else:
            shutil.copy(ROOT / name, copy / name)
    switches = {"MINITOK_SANITIZE": "1", "MINITOK_FAILING_ALLOCATOR": "1", "MINITOK_REQUIRE_EXTENSIONS": "1"}
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", f"--target={site}", str(copy)]
    subprocess.run(command, env={**os.environ, **switches}, check=True)
    return site


def library(name: str) -> str:
    """The path of a library that comes with the compiler."""
    done = subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def environment(site: Path, reports: Path) -> dict[str, str]:
    """What programs that use the build, and those that they start, need to find."""
    return {
        **os.environ,
        "PYTHONPATH": str(site),
        "MINITOK_BACKEND": "native",
        # Python's own allocator would hide from the sanitizer where objects end.
        "PYTHONMALLOC": "malloc",
        "LD_PRELOAD": f"{library('libasan.so')} {library('libubsan.so')}",
        # Python leaves memory behind when it ends. Too large a request is an error to be dealt with, not a report.
        "ASAN_OPTIONS": f"detect_leaks=0:allocator_may_return_null=1:log_path={reports}/address:{MOST_MEMORY}",
        "UBSAN_OPTIONS": f"print_stacktrace=1:log_path={reports}/undefined",
        "MINITOK_FAILING_ALLOCATOR": "1",
    }


def tests(sample: bool) -> list[str]:
    """The arguments of Python for the tests."""
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=5"]
    if sample:
        return [*command, "-k", "native and not real_text", *(f"tests/test_{name}.py" for name in SAMPLE)]
    left_out = (f"--{'deselect' if '::' in name else 'ignore'}=tests/test_{name}" for name in NOT_HERE)
    return [*command, "-k", "native", "-m", "not browser", "tests", *left_out]


def main() -> int:
    """Build, run, look for reports; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", action="store_true", help="not all tests")
    parser.add_argument("program", nargs="*", help="arguments of Python; default: the tests")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="minitok-sanitize-") as name:
        folder = Path(name)
        reports = folder / "reports"
        reports.mkdir()
        variables = environment(build(folder), reports)
        # (What is set already stays.)
        variables = (SAMPLE_VARIABLES if options.sample else VARIABLES) | variables
        program = options.program or tests(options.sample)
        status = subprocess.run([sys.executable, *program], cwd=ROOT, env=variables, check=False).returncode
        found = sorted(path for path in reports.iterdir() if path.stat().st_size)
        for path in found:
            print(f"\n{path.name}:\n{path.read_text(errors='replace')}", file=sys.stderr)
    print(f"sanitizers: {len(found)} reports; the program's exit status is {status}")
    return 1 if status or found else 0


if __name__ == "__main__":
    raise SystemExit(main())
