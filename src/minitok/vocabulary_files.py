"""Published vocabulary files: found on this machine, or downloaded; checked by hash either way.

Where a file is looked for, in this order:

    1. the folders that MINITOK_CACHE_DIR, TIKTOKEN_CACHE_DIR and DATA_GYM_CACHE_DIR name
    2. the user's cache folder

in each under the file's own name (`cl100k_base.tiktoken`) and under the name that tiktoken gives it in its cache (the
SHA-1 of its address). A file whose SHA-256 is wrong is passed over, with a warning; it is never used.

Only then is it downloaded, unless MINITOK_OFFLINE forbids it, and kept in the first of these folders. A folder that
every user of the machine may write to is not written to: whoever can exchange the file between our check and our next
look could do the same to the folder's other users. The vocabulary still loads from what was downloaded.
"""

from __future__ import annotations

import hashlib
import os
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minitok.files import write_atomically

__all__ = ["PUBLISHED", "PublishedFile", "find_or_download", "own_folder"]

_FOLDER_VARIABLES = ("MINITOK_CACHE_DIR", "TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR")
_OFFLINE = "MINITOK_OFFLINE"

#: Seconds that a server may be silent, and that a whole download may take.
SILENCE = 30.0
WHOLE = 600.0
#: No published rank file is half as large.
MOST_BYTES = 1 << 24
_BLOCK = 1 << 16


@dataclass(frozen=True)
class PublishedFile:
    """A vocabulary file as its owner publishes it.

    Attributes:
        name: the file's own name.
        url: its address.
        sha256: the hash of its content, in hexadecimal.
    """

    name: str
    url: str
    sha256: str

    @property
    def cache_name(self) -> str:
        """The name that tiktoken gives the file in its cache."""
        return hashlib.sha1(self.url.encode(), usedforsecurity=False).hexdigest()

    def is_content(self, data: bytes) -> bool:
        """Whether these bytes are the file."""
        return hashlib.sha256(data).hexdigest() == self.sha256


_BASE = "https://openaipublic.blob.core.windows.net/encodings/"
#: Facts from `tiktoken_ext/openai_public.py` of tiktoken 0.14.
PUBLISHED = {
    name: PublishedFile(f"{name}.tiktoken", f"{_BASE}{name}.tiktoken", sha256)
    for name, sha256 in {
        "r50k_base": "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930",
        "p50k_base": "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069",
        "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    }.items()
}


def find_or_download(file: PublishedFile, *, schemes: tuple[str, ...] = ("https",)) -> bytes:
    """The content of a published file.

    Args:
        file: which.
        schemes: what an address may begin with; for tests of the download.

    Raises:
        OSError: the file is not on this machine and cannot be downloaded; the message tells where it may be put.
    """
    for path in _candidates(file):
        data = _read_checked(path, file)
        if data is not None:
            return data
    if os.environ.get(_OFFLINE, "") not in ("", "0"):
        raise _not_had(file, f"{_OFFLINE} forbids the download")
    try:
        data = _download(file, schemes)
    except OSError as error:
        raise _not_had(file, f"the download failed: {error}") from error
    _keep(file, data)
    return data


def _user_folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("minitok", appauthor=False)


def own_folder() -> Path:
    """Where minitok keeps what it makes: the folder that MINITOK_CACHE_DIR names, or the user's cache folder if that
    one is not to be written to.
    """
    named = Path(os.environ.get(_FOLDER_VARIABLES[0]) or os.devnull)
    # The administrator may write anywhere; a folder that nobody is meant to write to is left alone all the same.
    writable = named.is_dir() and os.access(named, os.W_OK) and named.stat().st_mode & stat.S_IWUSR
    return named if writable and not _open_to_all(named.stat().st_mode) else _user_folder()


def _folders() -> list[Path]:
    named = [Path(os.environ[variable]) for variable in _FOLDER_VARIABLES if os.environ.get(variable)]
    return [*named, _user_folder()]


def _candidates(file: PublishedFile) -> list[Path]:
    return [folder / name for folder in _folders() for name in (file.name, file.cache_name)]


def _read_checked(path: Path, file: PublishedFile) -> bytes | None:
    """The content of a file on this machine, if it is there and is the one that is meant."""
    try:
        data = path.read_bytes() if path.stat().st_size <= MOST_BYTES else b""
    except OSError:
        return None
    if file.is_content(data):
        return data
    warnings.warn(
        f"{path} is not {file.name} as it is published (its SHA-256 is not {file.sha256}); it is passed over. "
        "Remove it, or put the right file there.",
        RuntimeWarning,
        stacklevel=4,
    )
    return None


def _download(file: PublishedFile, schemes: tuple[str, ...]) -> bytes:
    """The content at the file's address, checked.

    Raises:
        OSError: no connection, an error from the server, silence, too much, or the wrong content.
    """
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    from minitok.bounded_http import bounded_handlers

    class SameSchemes(HTTPRedirectHandler):
        """Follows redirections only to addresses that would have been allowed at first."""

        def redirect_request(self, request: Request, response: Any, *rest: Any) -> Request | None:
            try:
                _check_scheme(rest[-1], schemes)
            except OSError:
                response.close()
                raise
            return super().redirect_request(request, response, *rest)

    _check_scheme(file.url, schemes)
    handlers = bounded_handlers(WHOLE)
    data = bytearray()
    try:
        with build_opener(SameSchemes, *handlers).open(Request(file.url), timeout=SILENCE) as response:
            while block := response.read1(_BLOCK):
                data += block
                if len(data) > MOST_BYTES:
                    raise OSError(f"{file.url} is larger than {MOST_BYTES} bytes")
    except HTTPError as error:
        error.close()
        raise OSError(f"{file.url}: {error}") from None
    except HTTPException as error:
        raise OSError(f"{file.url}: {error!r}") from error
    if not file.is_content(bytes(data)):
        raise OSError(
            f"{file.url}: what came ({len(data)} bytes) has not the expected SHA-256 {file.sha256}; "
            "the download was cut off or changed on the way"
        )
    return bytes(data)


def _check_scheme(url: str, schemes: tuple[str, ...]) -> None:
    if url.split(":", 1)[0] not in schemes:
        raise OSError(f"{url} does not begin with {' or '.join(schemes)}")


def _keep(file: PublishedFile, data: bytes) -> None:
    """Write a downloaded file where it will be found; if that cannot be, say so and go on."""
    folder = _folders()[0]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _open_to_all(folder.stat().st_mode):
            raise PermissionError(f"every user may write to {folder}")
        write_atomically(folder / file.name, data)
    except OSError as error:
        warnings.warn(
            f"{file.name} was downloaded but is not kept: {error}. "
            f"Name a folder of your own in {_FOLDER_VARIABLES[0]}.",
            RuntimeWarning,
            stacklevel=4,
        )


def _open_to_all(mode: int, system: str = os.name) -> bool:
    """Whether every user may write to a folder. On Windows the mode does not tell: every folder has 0o777."""
    return system == "posix" and bool(mode & stat.S_IWOTH)


def _not_had(file: PublishedFile, reason: str) -> FileNotFoundError:
    places = "\n".join(f"  {path}" for path in _candidates(file))
    return FileNotFoundError(
        f"the vocabulary file {file.name} is not on this machine, and {reason}.\n"
        f"Get it from {file.url} and put it at one of these places:\n{places}\n"
        f"or set {_FOLDER_VARIABLES[0]} to the folder that holds it."
    )
