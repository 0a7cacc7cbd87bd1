"""Compile the C core with the compilers of other systems, as far as they are on this machine.

    python tools/check_portability.py            with what is there; what is not is named
    python tools/check_portability.py --all      fail if one is not there

    clang                       what macOS has; it warns of what gcc does not
    aarch64-linux-gnu-gcc       the NEON form, which runs in qemu-aarch64 against the portable one
    x86_64-w64-mingw32-gcc      Windows: no mmap, `long` of 32 bits

Debian: clang gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-mingw-w64-x86-64 qemu-user. Each header is compiled as
a program of its own, so each must include what it uses. Those that include Python.h need a Python of the system that
they are for; only clang compiles them. Microsoft's compiler itself runs in the CI workflow.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path

CORE = Path(__file__).resolve().parent.parent / "src" / "minitok" / "_core"
WARNINGS = ("-Wall", "-Wextra", "-Wvla", "-pedantic", "-Werror", "-Wno-unused-function")
#: Each with the standard that setup.py asks for on its system, and whether it has this Python's headers.
COMPILERS = {
    "clang": ("-std=gnu11", True),
    "aarch64-linux-gnu-gcc": ("-std=gnu11", False),
    "x86_64-w64-mingw32-gcc": ("-std=c11", False),
}
#: Each byte 64 times, then bytes at random.
PROGRAM = """
#include "block.h"
int main(void) {
    mt_block_classifier chosen = mt_block_classifier_named("neon"), portable = mt_block_classifier_named("portable");
    uint8_t bytes[MT_BLOCK];
    uint64_t state = 1;
    for (int round = 0; round < 100000; round++) {
        for (int i = 0; i < MT_BLOCK; i++) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            bytes[i] = round < 256 ? (uint8_t)round : (uint8_t)(state >> 56);
        }
        mt_block a, b;
        chosen(bytes, &a);
        portable(bytes, &b);
        if (memcmp(&a, &b, sizeof a) != 0) {
            return 1;
        }
    }
    return 0;
}
"""


def compile_headers(compiler: str, standard: str, python: bool) -> list[str]:
    """What a compiler says of each header; nothing if all is well."""
    said = []
    for header in sorted(CORE.glob("*.h")):
        if not python and "<Python.h>" in header.read_text(encoding="utf-8"):
            continue
        command = [compiler, standard, *WARNINGS, "-fsyntax-only", f"-I{CORE}", "-x", "c", "-"]
        command += ["-isystem", sysconfig.get_paths()["include"]] if python else []
        source = f'#include "{header.name}"\nint main(void) {{ return 0; }}\n'
        done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
        if done.returncode:
            said.append(f"{compiler}: {header.name}:\n{done.stderr}")
    return said


def run_neon(compiler: str, emulator: str) -> list[str]:
    """Whether the NEON form classifies as the portable one does."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "neon"
        command = [compiler, "-O2", "-static", f"-I{CORE}", "-x", "c", "-", "-o", str(program)]
        subprocess.run(command, input=PROGRAM, text=True, check=True)
        done = subprocess.run([emulator, str(program)], check=False)
    return [f"the NEON form differs from the portable one (status {done.returncode})"] if done.returncode else []


def main() -> int:
    """Compile, and run what can be run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--all", action="store_true", help="fail if a compiler or the emulator is not there")
    arguments = parser.parse_args()
    missing = [name for name in (*COMPILERS, "qemu-aarch64") if shutil.which(name) is None]
    wrong = [f"not on this machine: {name}" for name in missing] if arguments.all else []
    for compiler, (standard, python) in COMPILERS.items():
        if compiler not in missing:
            wrong += compile_headers(compiler, standard, python)
    if not {"aarch64-linux-gnu-gcc", "qemu-aarch64"} & set(missing):
        wrong += run_neon("aarch64-linux-gnu-gcc", "qemu-aarch64")
    print("\n".join(wrong) or f"all well; not on this machine: {', '.join(missing) or 'nothing'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
