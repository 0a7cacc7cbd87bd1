"""Build of the optional extension modules; everything else is in pyproject.toml.

Three states:
    (nothing set)                     try to compile; if that fails, say so and install in pure Python
    MINITOK_NO_EXTENSIONS=1           do not compile: a py3-none-any wheel
    MINITOK_REQUIRE_EXTENSIONS=1      a failure to compile is an error

Two more variables are for development: MINITOK_DEBUG_BUILD=1 turns Cython's checks and C assertions on, and
MINITOK_SANITIZE=1 adds AddressSanitizer and UndefinedBehaviorSanitizer, and with it MINITOK_FAILING_ALLOCATOR=1 puts
an allocator between that fails when a test wants it to. `tools/sanitize.py` uses both.
"""

import os
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

#: What the failing allocator stands in for.
WRAPPED = ("malloc", "calloc", "realloc", "free", "mmap", "mmap64", "mremap", "munmap")


def flag(name: str) -> bool:
    """Whether an environment variable says yes."""
    return os.environ.get(name, "") not in ("", "0")


def extensions() -> list[Extension]:
    """The extension modules, or nothing."""
    if flag("MINITOK_NO_EXTENSIONS"):
        return []
    debug = flag("MINITOK_DEBUG_BUILD")
    sanitize = flag("MINITOK_SANITIZE")
    compile_args = ["/std:c11"] if os.name == "nt" else ["-std=gnu11", "-fvisibility=hidden"]
    link_args = []
    more_sources = []
    if debug or sanitize:
        compile_args += ["-O1", "-g", "-UNDEBUG"]
    if sanitize:
        checks = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer"]
        compile_args += checks
        link_args += checks
    if sanitize and flag("MINITOK_FAILING_ALLOCATOR"):
        more_sources.append("tools/failing_allocator.c")
        link_args += [f"-Wl,--wrap={name}" for name in WRAPPED]
    found = [
        Extension(
            f"minitok.{name}",
            [f"src/minitok/{name}.pyx", *more_sources],
            depends=["src/minitok/_core_api.pxd", *sorted(map(str, Path("src/minitok/_core").glob("*.h")))],
            include_dirs=["src/minitok/_core"],
            extra_compile_args=compile_args,
            extra_link_args=link_args,
            # Given to setup() itself: `cythonize` would drop `optional`.
            optional=not flag("MINITOK_REQUIRE_EXTENSIONS"),
        )
        for name in ("_fastmerge", "_fastlearn")
    ]
    if debug:
        for extension in found:
            extension.cython_directives = {"boundscheck": True, "wraparound": True, "initializedcheck": True}
    return found


class BuildExtension(build_ext):
    """Says in the build log what becomes of an install whose optional extension does not compile."""

    def build_extension(self, ext: Extension) -> None:
        """Compile one extension."""
        try:
            super().build_extension(ext)
        except Exception:
            if ext.optional:
                self.warn("minitok's compiled core did not compile: installing the slower, pure Python form")
            raise


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildExtension})
