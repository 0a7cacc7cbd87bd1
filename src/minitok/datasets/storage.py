"""Files wherever fsspec reaches (local, S3, GCS, HDFS, ...): found, read in ranges, written.

A file is named by its URL. URLs and the options of the storage go from machine to machine, never open files. For
paths on this machine fsspec is not needed: what is asked of it is done here.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from glob import glob, has_magic
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import IO, Any

from minitok.files import open_atomically, write_atomically

__all__ = ["Paths", "RangeReader", "Storage", "StoredFile"]

#: Paths, URLs and globs of either.
Paths = str | PathLike[str] | Iterable[str | PathLike[str]]

#: Protocols of file systems, as against stores of objects: what is written there is seen before it is whole.
_IN_PLACE = frozenset({"hdfs", "webhdfs"})
#: What a file is called there until it is whole.
_TEMPORARY = r"\..*\.[0-9a-f]{16}\.tmp"

#: Of a file on this machine so many bytes are fetched at once, at most: what stays in the processor's cache.
_STEP_HERE = 1 << 20


@dataclass(frozen=True)
class StoredFile:
    """A file that was found.

    Attributes:
        url: its name, with the protocol where it has one.
        size: in bytes.
        version: what changes when the file does, as the storage tells it: a tag, or a time; "" if it tells nothing.
    """

    url: str
    size: int
    version: str = ""


@dataclass(frozen=True)
class Storage:
    """Where files are.

    Attributes:
        options: for fsspec's file system, such as keys or the address of an endpoint.
    """

    options: Mapping[str, Any] = field(default_factory=dict)

    def open(self, url: str) -> tuple[Any, str]:
        """The file system of a URL, and what the file is called there.

        Raises:
            ValueError: a protocol that nobody knows, or whose package is not installed.
        """
        if os.name == "posix":
            url = url.removeprefix("file://")  # so that what tells of a change is told in one way
        if "://" not in url:
            return _HERE, os.path.abspath(url)  # noqa: PTH100 (the URL of a file, not a Path)
        try:
            from fsspec.core import url_to_fs

            filesystem, path = url_to_fs(url, **self.options)
        except (ImportError, ValueError) as error:
            raise ValueError(
                f"{url} cannot be opened: {error} (what is not a path on this machine takes fsspec, and its package "
                "for that storage)"
            ) from error
        return filesystem, path

    def find(self, paths: Paths) -> list[StoredFile]:
        """The files that paths and globs name, in their order; those of a glob are sorted.

        Raises:
            FileNotFoundError: there are none.
            IsADirectoryError: a path is a directory.
            TypeError: something that is no path.
        """
        named = [paths] if isinstance(paths, (str, PathLike)) else paths
        if not isinstance(named, Iterable) or isinstance(named, (bytes, bytearray, Mapping)):
            raise TypeError(f"paths are a path, a URL, a glob, or several of these, not {type(paths).__name__}")
        found: list[StoredFile] = []
        for one in named:
            if not isinstance(one, (str, PathLike)):
                raise TypeError(f"paths are str or path objects, not {type(one).__name__}")
            found += self._find_one(os.fspath(one))
        if not found:
            raise FileNotFoundError("no paths are given; give at least one file")
        return found

    def _find_one(self, url: str) -> list[StoredFile]:
        filesystem, path = self.open(url)
        filesystem.invalidate_cache()
        try:
            infos = [filesystem.info(path)]
        except FileNotFoundError:
            infos = []
        if infos and infos[0]["type"] == "directory":
            example = url.rstrip("/") + "/**/*.txt"
            raise IsADirectoryError(f"{url} is a directory; give its files, for example {example!r}")
        if infos and infos[0]["type"] != "file":
            raise ValueError(f"{url} is no regular file (a pipe or a device?); write what it gives to a file first")
        if not infos and has_magic(path):
            listed = filesystem.glob(path, detail=True)
            infos = [listed[name] for name in sorted(listed) if listed[name]["type"] == "file"]
            if not infos:
                raise FileNotFoundError(f"no file matches {url!r}")
        if not infos:
            raise FileNotFoundError(f"there is no file {url!r}")
        # A server of web pages lists names without sizes.
        infos = [info if info.get("size") is not None else filesystem.info(info["name"]) for info in infos]
        for info in infos:
            if info.get("size") is None:
                raise ValueError(f"{info['name']}: its server does not say how large it is; fetch it first")
        # Some file systems leave out of the names of files on which machine they are (webhdfs://host:port/path).
        beginning = "" if "file" in filesystem.protocol else url.removesuffix(path)
        return [StoredFile(beginning + info["name"], info["size"], _version(info)) for info in infos]

    def size(self, url: str) -> int:
        """How many bytes a file has now.

        Raises:
            FileNotFoundError: it is not there.
        """
        return self.found(url).size

    def found(self, url: str) -> StoredFile:
        """A file as it is now.

        Raises:
            FileNotFoundError: it is not there.
        """
        filesystem, path = self.open(url)
        filesystem.invalidate_cache()
        info = filesystem.info(path)
        return StoredFile(url, info["size"], _version(info))

    def read_if_there(self, url: str) -> bytes | None:
        """The content of a small file; None if there is none."""
        filesystem, path = self.open(url)
        try:
            data: bytes = filesystem.cat_file(path)
        except FileNotFoundError:
            return None
        return data

    def write(self, url: str, data: bytes, *, durable: bool = True) -> None:
        """Write a small file, which appears when it is whole.

        Args:
            url: the file.
            data: its content.
            durable: see `minitok.files.open_atomically`.

        Raises:
            OSError: it cannot be written.
        """
        if self.is_local(url):
            write_atomically(self.open(url)[1], data, durable=durable)
            return
        filesystem, path = self.open(url)
        with _appearing(filesystem, path) as there:
            filesystem.pipe_file(there, data)

    def put(self, path: Path, url: str) -> None:
        """Copy a file of this machine, which appears when it is whole.

        Raises:
            OSError: it cannot be written.
        """
        if self.is_local(url):
            with path.open("rb") as file, open_atomically(self.open(url)[1]) as target:
                shutil.copyfileobj(file, target, 1 << 22)
            return
        filesystem, name = self.open(url)
        with _appearing(filesystem, name) as there:
            filesystem.put_file(str(path), there)

    def is_local(self, url: str) -> bool:
        """Whether a file is on this machine."""
        return "file" in self.open(url)[0].protocol

    def make_folder(self, url: str) -> None:
        """Make a folder, and those that it is in; one that is there stays."""
        filesystem, path = self.open(url)
        filesystem.makedirs(path, exist_ok=True)

    def remove(self, url: str) -> None:
        """Remove a file, if it is there."""
        filesystem, path = self.open(url)
        try:
            filesystem.rm_file(path)
        except FileNotFoundError:
            pass

    def remove_temporary(self, url: str) -> None:
        """Remove what was left in a folder by those that were killed while they wrote there."""
        filesystem, path = self.open(url)
        if _writes_in_place(filesystem):
            for name in filesystem.ls(path, detail=False):
                if re.fullmatch(_TEMPORARY, PurePosixPath(name).name):
                    self.remove(url + name.removeprefix(path))
        elif self.is_local(url):
            for left in Path(path).glob(".*.tmp"):
                left.unlink(missing_ok=True)

    def remove_folder(self, url: str) -> None:
        """Remove a folder with all that is in it, if it is there."""
        filesystem, path = self.open(url)
        filesystem.invalidate_cache()
        try:
            filesystem.rm(path, recursive=True)
        except FileNotFoundError:
            pass


def _writes_in_place(filesystem: Any) -> bool:
    """Whether a file is seen while it is written, elsewhere than here."""
    protocol = filesystem.protocol
    return not _IN_PLACE.isdisjoint([protocol] if isinstance(protocol, str) else protocol)


@contextmanager
def _appearing(filesystem: Any, path: str) -> Iterator[str]:
    """What to call a file while it is written, so that it appears when it is whole.

    That is its own name in stores of objects. HDFS renames only to what is not there, and fsspec does not tell
    whether it did; so one that is there is removed, and what somebody else has written meanwhile, too.
    """
    if not _writes_in_place(filesystem):
        yield path
        return
    folder, _, name = path.rpartition("/")
    temporary = f"{folder}/.{name}.{os.urandom(8).hex()}.tmp"
    try:
        yield temporary
        for _ in range(5):
            if filesystem.exists(path):
                filesystem.rm_file(path)
            filesystem.mv(temporary, path)
            if not filesystem.exists(temporary):
                return
        raise OSError(errno.EEXIST, f"{temporary} cannot be renamed to that", path)
    except BaseException:
        with suppress(OSError):
            filesystem.rm_file(temporary)
        raise


def _version(info: Mapping[str, Any]) -> str:
    keys = ("ETag", "etag", "generation", "md5Hash", "mtime", "LastModified", "modified", "modificationTime")
    found = map(info.get, keys)
    return str(next((one for one in found if one), "")).strip('"')


class _Here:
    """What this module uses of fsspec's file systems, for paths on this machine."""

    protocol = ("file",)

    def invalidate_cache(self) -> None:
        """Nothing is remembered."""

    def info(self, path: str) -> dict[str, Any]:
        found = Path(path).stat()
        kind = "directory" if stat.S_ISDIR(found.st_mode) else "file" if stat.S_ISREG(found.st_mode) else "other"
        return {"name": path, "size": found.st_size, "type": kind, "mtime": found.st_mtime_ns}

    def glob(self, pattern: str, **_: bool) -> dict[str, dict[str, Any]]:
        return {path: self.info(path) for path in glob(pattern, recursive=True)}

    def cat_file(self, path: str, start: int = 0, end: int | None = None) -> bytes:
        with Path(path).open("rb") as file:
            file.seek(start)
            return file.read(-1 if end is None else end - start)

    def read_into(self, path: str, start: int, buffer: memoryview) -> int:
        """As `cat_file`, into memory that is there; how many bytes there were."""
        with Path(path).open("rb") as file:
            file.seek(start)
            return file.readinto(buffer)

    def open(self, path: str, mode: str) -> IO[Any]:
        return Path(path).open(mode)

    def makedirs(self, path: str, *, exist_ok: bool) -> None:
        Path(path).mkdir(parents=True, exist_ok=exist_ok)

    def rm_file(self, path: str) -> None:
        Path(path).unlink()

    def rm(self, path: str, **_: bool) -> None:
        for _attempt in range(3):  # somebody may write there meanwhile, until the folder is gone
            try:
                shutil.rmtree(path)
                return
            except FileNotFoundError:
                if not Path(path).exists():
                    raise
            except OSError as error:
                if error.errno != errno.ENOTEMPTY:
                    raise
        shutil.rmtree(path)


_HERE = _Here()


class RangeReader:
    """A stretch of a file, read from its beginning to its end, some megabytes at a time.

    Args:
        storage: where the file is.
        url: the file.
        start: where in it the stretch begins.
        stop: where it ends.
        step: bytes that are fetched at once, at most; so much is held.
        most: bytes that are given at once.
        name: what messages call it.
    """

    def __init__(
        self,
        storage: Storage,
        url: str,
        start: int,
        stop: int,
        *,
        step: int = 1 << 23,
        most: int | None = None,
        name: str | None = None,
    ) -> None:
        self._filesystem, self._path = storage.open(url)
        self._at = start
        self._stop = stop
        self._step = step
        self._most = step if most is None else most
        self._buffer = memoryview(b"")  # what is on this machine is read into the same memory again
        self._held: bytes | memoryview = b""
        self._taken = 0  # of what is held
        self.name = url if name is None else name

    def read(self, size: int = -1) -> bytes:
        """The next bytes: at most `size`, and none only at the end.

        Raises:
            ValueError: the file is shorter than it was.
            OSError: it cannot be read.
        """
        if self._taken == len(self._held):
            self._fetch()
        size = self._most if size < 0 else min(size, self._most)
        end = min(self._taken + size, len(self._held))
        data = bytes(self._held[self._taken : end])
        self._taken = end
        return data

    def _fetch(self) -> None:
        self._taken = 0
        if self._filesystem is _HERE:
            size = max(0, min(self._step, _STEP_HERE, self._stop - self._at))
            if len(self._buffer) < size:
                self._buffer = memoryview(bytearray(size))
            self._held = self._buffer[:size]
            self._check_size(_HERE.read_into(self._path, self._at, self._held) if size else 0, size)
        else:
            self._held = self.between(self._at, min(self._at + self._step, self._stop))
        self._at += len(self._held)

    def between(self, start: int, stop: int) -> bytes:
        """The bytes of the file from one place to another, wherever reading is."""
        if start >= stop:
            return b""
        data: bytes = self._filesystem.cat_file(self._path, start=start, end=stop)
        self._check_size(len(data), stop - start)
        return data

    def _check_size(self, found: int, expected: int) -> None:
        if found != expected:
            raise ValueError(f"{self.name} has become shorter while it was read; wait until it is written")
