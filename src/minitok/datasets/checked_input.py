"""Input that is hashed while it is read, so that a run that goes on can tell whether it is still the same.

Sizes and times of files tell of most changes, and cost nothing. They miss a file that was replaced by one of the
same size whose time was kept, as `cp -p` and `rsync` do. So the entry of a shard has a checksum of what was read for
it: the bytes of text and JSON Lines, after decompression; of a column its texts and their lengths. It is BLAKE2b,
which is fast on every processor, cut to 16 bytes. How the input comes in blocks makes no difference to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import IO, Any

from minitok.column_files import ColumnBatch, ColumnTexts, JoinedTexts
from minitok.datasets.spans import CutRule, Span, check_unchanged, open_span
from minitok.datasets.storage import Storage

__all__ = ["CheckedInput", "check_same_input"]

#: Bytes of text that are read at once, only to compare them.
_STEP = 1 << 20


class _Digest:
    """The checksum of what has been read so far."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget what was read."""
        self._content = hashlib.blake2b(digest_size=16)
        self._lengths = hashlib.blake2b(digest_size=16)

    def update(self, data: bytes | memoryview) -> None:
        """Add bytes that were read."""
        self._content.update(data)

    def update_texts(self, texts: JoinedTexts) -> None:
        """Add texts that were read, each of which ends where it ends."""
        import numpy as np

        self.update(texts.content)
        self._lengths.update(np.diff(np.asarray(texts.offsets)).astype("<i8").tobytes())

    def __str__(self) -> str:
        return hashlib.blake2b(self._content.digest() + self._lengths.digest(), digest_size=16).hexdigest()


class _CheckedFile:
    """An open file."""

    def __init__(self, file: IO[bytes], digest: _Digest) -> None:
        self._file = file
        self._digest = digest
        self.name = file.name

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._digest.update(data)
        return data


@dataclass(frozen=True)
class _CheckedColumn(ColumnTexts):
    digest: _Digest = field(default_factory=_Digest)

    def batches(self) -> Iterator[ColumnBatch]:
        self.digest.begin()
        for batch in super().batches():
            self.digest.update_texts(batch.texts)
            yield batch


class CheckedInput:
    """What a shard is made of.

    Args:
        storage: where it is.
        portion: the spans, which are read in order.
        rule: where text may be cut.
    """

    def __init__(self, storage: Storage, portion: Sequence[Span], rule: CutRule | None) -> None:
        self._storage = storage
        self._portion = portion
        self._digests = [_Digest() for _ in portion]
        #: To be read once.
        self.files: list[Any] = []
        for span, digest in zip(portion, self._digests, strict=True):
            file = open_span(storage, span, rule)
            if isinstance(file, ColumnTexts):
                same = {one.name: getattr(file, one.name) for one in fields(file)}
                self.files.append(_CheckedColumn(**same, digest=digest))
            else:
                self.files.append(_CheckedFile(file, digest))

    def read_all(self) -> None:
        """Read it only to compare it."""
        for file in self.files:
            if isinstance(file, ColumnTexts):
                for _ in file.batches():
                    pass
            else:
                while file.read(_STEP):
                    pass

    def described(self) -> list[dict[str, Any]]:
        """What the entry of the shard says of what was read: for each span its place and its checksum.

        Raises:
            ValueError: a file changed meanwhile.
        """
        for span in self._portion:
            check_unchanged(self._storage, span)
        return [
            {"url": span.url, "start": span.start, "stop": span.stop, "blake2b": str(digest)}
            for span, digest in zip(self._portion, self._digests, strict=True)
        ]


def check_same_input(
    storage: Storage, portion: Sequence[Span], rule: CutRule | None, entry: Mapping[str, Any], shard: str
) -> None:
    """Make sure that a shard that is kept was made of what its input holds now.

    Raises:
        ValueError: it was not.
        OSError: it cannot be read.
    """
    again = CheckedInput(storage, portion, rule)
    again.read_all()
    for now, before in zip(again.described(), entry["inputs"], strict=True):
        if now != before:
            raise ValueError(
                f"{now['url']} holds something else than when {shard} was made of it, though its size and its time "
                "are the same; give another folder, or remove this one, and begin again"
            )
