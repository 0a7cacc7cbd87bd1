"""Encoding: text to ids and back, for one vocabulary. tiktoken's API, and more.

Longer than 500 lines because it is one class whose every public method has its contract beside it; what has
substance of its own (special tokens, offsets, unstable ends, formats) is elsewhere.
"""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence, Sized
from functools import partial
from itertools import chain
from operator import index
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, TypeGuard, TypeVar

from minitok import _backend, bridges, formats, offsets, streaming, unstable
from minitok.id_files import EncodedFile, IdType
from minitok.merge_steps import MergeSteps, TokenHistory
from minitok.pipeline import AnyEncoder, PipelineEncoder, decoder_of, encoder_of, takes_bytes
from minitok.pretokenizer import text_of
from minitok.special_tokens import Allowed, Disallowed, SpecialTokens
from minitok.text import Text, decoded_text, has_surrogates, plain_text, repair_surrogates
from minitok.threads import groups, map_in_threads, thread_count
from minitok.vocabulary import Vocabulary

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import tiktoken
    import tokenizers

    from minitok.input_files import InputSource
    from minitok.viewer import View

__all__ = ["Encoding", "Text"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

#: Defaults, compared by identity: the common calls find out fast that they are common.
_NOTHING: frozenset[str] = frozenset()
_ALL: Literal["all"] = "all"


def _unknown_id(token: int, message: str) -> KeyError | OverflowError:
    """What tiktoken raises for an id that the vocabulary lacks."""
    if token < 0:
        return OverflowError(f"the id {token} is negative")
    if token >= 2**32:
        return OverflowError(f"the id {token} has more than 32 bits")
    return KeyError(message)


class Encoding:
    r"""Turns text into ids and back.

    The constructor is tiktoken's; `minitok.train`, `minitok.load` and `minitok.get_encoding` are the usual ways
    to an encoding. An encoding never changes, and any number of threads may use it.

    Args:
        name: what the encoding is called.
        pat_str: the regular expression that cuts text into pieces; None: a text is one piece.
        mergeable_ranks: token bytes to id, which is also the token's merge priority (lowest first).
        special_tokens: special token to id.
        explicit_n_vocab: if given, how many tokens there must be, special ones included, without a gap.

    Raises:
        ValueError: two tokens with one id, an id out of range, a pattern that does not compile, no tokens, or
            not `explicit_n_vocab` of them.
        TypeError: a token or an id of the wrong type.

    >>> ranks = {bytes([b]): b for b in range(256)} | {b"hi": 256}
    >>> enc = Encoding("tiny", pat_str=r"\w+|\W", mergeable_ranks=ranks, special_tokens={"<end>": 257})
    >>> enc.encode("hi you<end>", allowed_special="all")
    [256, 32, 121, 111, 117, 257]
    """

    def __init__(
        self,
        name: str,
        *,
        pat_str: str | None,
        mergeable_ranks: dict[bytes, int],
        special_tokens: dict[str, int],
        explicit_n_vocab: int | None = None,
    ) -> None:
        vocabulary = Vocabulary(name, mergeable_ranks, None, special_tokens, pat_str)
        if explicit_n_vocab:
            found = len(mergeable_ranks) + len(special_tokens)
            if found != explicit_n_vocab or vocabulary.n_vocab != explicit_n_vocab:
                raise ValueError(
                    f"encoding {name!r} should have {explicit_n_vocab} tokens without a gap (explicit_n_vocab), but "
                    f"has {found}, and its largest id is {vocabulary.n_vocab - 1}"
                )
        self._set_up(vocabulary)

    @classmethod
    def from_vocabulary(cls, vocabulary: Vocabulary) -> Encoding:
        """The encoding of a vocabulary."""
        encoding = cls.__new__(cls)
        encoding._set_up(vocabulary)
        return encoding

    def _set_up(self, vocabulary: Vocabulary) -> None:
        self.name = vocabulary.name
        self.vocabulary = vocabulary
        self.max_token_value = vocabulary.n_vocab - 1
        # Private names that other libraries read from tiktoken's class.
        self._pat_str = vocabulary.pattern
        self._special_tokens = vocabulary.special_tokens
        self._special_token_values = set(vocabulary.special_tokens.values())
        self._special = SpecialTokens(vocabulary.special_tokens, vocabulary.added_tokens)
        self._takes_bytes = takes_bytes(vocabulary)
        self._encoder: AnyEncoder = encoder_of(vocabulary)
        self._decoder = decoder_of(vocabulary)
        self._decoded_prefix = vocabulary.decoded_prefix.encode("utf-8")
        self._merge_steps: MergeSteps | None = None  # made when it is asked for
        self._pickled_as: tuple[Callable[..., Encoding], tuple[Any, ...]] = (Encoding.from_vocabulary, (vocabulary,))

    @property
    def _mergeable_ranks(self) -> Mapping[bytes, int]:
        """As in tiktoken's class, where it is a dict."""
        tokens = self.vocabulary.tokens
        return tokens.as_dict() if isinstance(tokens, _backend.RankTable) else tokens

    def __repr__(self) -> str:
        return f"<Encoding {self.name!r}>"

    def __reduce__(self) -> tuple[Callable[..., Encoding], tuple[Any, ...]]:
        return self._pickled_as

    # -- Encoding ------------------------------------------------------------------------------------------------
    #
    # The options of `encode`, `encode_ordinary` and `count` are meant to be given by name, as in tiktoken. They are
    # not keyword-only because CPython looks up the default of each such parameter in a dict: a tenth of a short call.

    def encode(
        self,
        text: Text,
        allowed_special: Allowed = _NOTHING,
        disallowed_special: Disallowed = _ALL,
        num_threads: int | None = None,
    ) -> list[int]:
        """Encode a text.

        Text that spells a special token is an error by default, because in text from a stranger it can be an
        attack on the model. Allow it, or pass `disallowed_special=()` to have it encoded as ordinary text.

        Args:
            text: a str, or bytes. Bytes that are valid UTF-8 encode like the text that they spell; each byte that
                is not is a character of its own. In a str, pairs of surrogates are joined and lone ones become
                U+FFFD.
            allowed_special: the special tokens that become their ids: a set, or "all".
            disallowed_special: those that are an error: a collection, or "all" (that are not allowed).
            num_threads: how many threads to use for a long text; default: one for each processor, as long as each
                has 64 KiB to do.

        Raises:
            ValueError: the text has a disallowed special token, or a byte that the vocabulary lacks.
            TypeError: `text` is neither str nor bytes.

        >>> import minitok
        >>> enc = minitok.get_encoding("minitok_32k")
        >>> enc.decode(enc.encode("hello world"))
        'hello world'
        """
        if allowed_special is _NOTHING and disallowed_special is _ALL and num_threads is None:
            ids = self._encoder.encode_plain(text, self._special.first_characters)
            if ids is not None:
                return ids
        if self._is_ordinary(text, allowed_special, disallowed_special):
            try:
                return self._encoder.encode(text, None, thread_count(num_threads, len(text)))
            except UnicodeEncodeError:
                pass  # surrogates: they are repaired below
        encoder, plain, places = self._places(text, allowed_special, disallowed_special)
        return encoder.encode(plain, None, thread_count(num_threads, len(plain)), places)

    def encode_ordinary(self, text: Text, num_threads: int | None = None) -> list[int]:
        """Encode a text in which nothing is a special token.

        Raises:
            ValueError: a byte that the vocabulary lacks.
            TypeError: `text` is neither str nor bytes.
        """
        if num_threads is None:
            plain = self._encoder.encode_plain(text, "")
            if plain is not None:
                return plain
        return self.encode(text, disallowed_special=(), num_threads=num_threads)

    def encode_to_numpy(
        self,
        text: Text,
        *,
        allowed_special: Allowed = _NOTHING,
        disallowed_special: Disallowed = _ALL,
        num_threads: int | None = None,
    ) -> npt.NDArray[np.uint32]:
        """Encode a text into an array of unsigned 32-bit ids; otherwise like `encode`."""
        import numpy as np

        if self._is_ordinary(text, allowed_special, disallowed_special):
            try:
                buffer = self._encoder.encode_uint32(text, thread_count(num_threads, len(text)))
            except UnicodeEncodeError:
                pass
            else:
                return np.frombuffer(buffer, dtype=np.uint32)
        encoder, plain, places = self._places(text, allowed_special, disallowed_special)
        buffer = encoder.encode_uint32(plain, thread_count(num_threads, len(plain)), places)
        return np.frombuffer(buffer, dtype=np.uint32)

    def count(
        self,
        text: Text,
        allowed_special: Allowed = _NOTHING,
        disallowed_special: Disallowed = (),
        num_threads: int | None = None,
    ) -> int:
        """How many ids a text encodes to. Unlike in `encode`, special tokens are ordinary text by default.

        >>> import minitok
        >>> minitok.get_encoding("minitok_32k").count("hello world")
        2
        """
        if allowed_special is _NOTHING and not disallowed_special and num_threads is None:
            counted = self._encoder.count_plain(text, "")
            if counted is not None:
                return counted
        if self._is_ordinary(text, allowed_special, disallowed_special):
            try:
                return self._encoder.count(text, None, thread_count(num_threads, len(text)))
            except UnicodeEncodeError:
                pass
        encoder, plain, places = self._places(text, allowed_special, disallowed_special)
        return encoder.count(plain, None, thread_count(num_threads, len(plain)), places)

    def fits(
        self,
        text: Text,
        max_tokens: int,
        *,
        allowed_special: Allowed = _NOTHING,
        disallowed_special: Disallowed = (),
    ) -> bool:
        """Whether a text encodes to at most `max_tokens` ids; looks no further than needed.

        Raises:
            ValueError: `max_tokens` is negative.
        """
        return len(self._first_ids(text, max_tokens, allowed_special, disallowed_special)) <= max_tokens

    def truncate(
        self,
        text: str,
        max_tokens: int,
        *,
        allowed_special: Allowed = _NOTHING,
        disallowed_special: Disallowed = (),
    ) -> str:
        """The beginning of a text that fits into `max_tokens` ids, cut between tokens and between characters.

        The result is a prefix of the text, and encodes to at most `max_tokens` ids.

        Raises:
            ValueError: `max_tokens` is negative.

        >>> import minitok
        >>> minitok.get_encoding("minitok_32k").truncate("one two three four", 2)
        'one two'
        """
        ids = self._first_ids(text, max_tokens, allowed_special, disallowed_special)
        if len(ids) <= max_tokens:
            return text
        if has_surrogates(text):
            text = repair_surrogates(text)
        if not self._takes_bytes:
            return self._shorten(text, max_tokens, allowed_special, disallowed_special)
        kept = max_tokens
        while kept:
            # Whole characters only: the bytes of a character that is cut do not decode.
            prefix = self.decode_bytes(ids[:kept]).decode("utf-8", "ignore")
            # Cutting may change how the pattern splits what is left, and so make it longer.
            if self.fits(prefix, max_tokens, allowed_special=allowed_special, disallowed_special=disallowed_special):
                return prefix
            kept -= 1
        return ""

    def _shorten(self, text: str, max_tokens: int, allowed: Allowed, disallowed: Disallowed) -> str:
        """The same where ids do not tell how much of the text they are: by halves, then back to where it fits."""
        options: Any = {"allowed_special": allowed, "disallowed_special": disallowed}
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.fits(text[:middle], max_tokens, **options) else (low, middle - 1)
        while low and not self.fits(text[:low], max_tokens, **options):
            low -= 1
        return text[:low]

    def _first_ids(self, text: Text, limit: int, allowed: Allowed, disallowed: Disallowed) -> list[int]:
        """The first `limit` + 1 ids of a text, or fewer if there are no more."""
        if index(limit) < 0:
            raise ValueError(f"max_tokens is {limit}; expected 0 or more")
        encoder, plain, places = self._places(text, allowed, disallowed)
        return encoder.encode(plain, limit, 1, places)[: limit + 1]

    def encode_with_offsets(
        self, text: Text, *, allowed_special: Allowed = _NOTHING, disallowed_special: Disallowed = _ALL
    ) -> tuple[list[int], list[tuple[int, int]]]:
        """Encode a text, and tell for each id which part of the text it stands for.

        Returns:
            The ids of `encode`, and for each a pair (start, end): `text[start:end]` is what the token covers; in
            characters for a str, in bytes for bytes. A character whose bytes are in several tokens belongs to
            each of them. What a vocabulary puts before a text belongs to the first character.

        Raises:
            ValueError: as `encode`; or the vocabulary changes a text so that tokens have no certain place in it.

        >>> import minitok
        >>> minitok.get_encoding("minitok_32k").encode_with_offsets("hello world")[1]
        [(0, 5), (5, 11)]
        """
        if isinstance(self._encoder, PipelineEncoder) and isinstance(text, str):
            encoder, plain, places = self._places(text, allowed_special, disallowed_special)
            found = None
            if isinstance(encoder, PipelineEncoder) and isinstance(plain, str) and not has_surrogates(text):
                found = encoder.encode_with_spans(plain, places, lambda i: len(self._decoder.token(i)))
            if found is not None:
                return found
        self._check_unchanged_text()
        ids = self.encode(text, allowed_special=allowed_special, disallowed_special=disallowed_special)
        lengths = [len(self._decoder.token(i)) for i in ids]
        plain = plain_text(text)
        if isinstance(plain, bytes):
            return ids, offsets.byte_offsets(lengths)
        return ids, offsets.character_offsets(plain, lengths)

    def encode_batch(
        self,
        text: Iterable[Text],
        *,
        num_threads: int | None = None,
        allowed_special: Allowed = _NOTHING,
        disallowed_special: Disallowed = _ALL,
    ) -> list[list[int]]:
        """Encode several texts; see `encode`. The texts are shared out among the threads."""
        allowed, disallowed = self._special.policy(allowed_special, disallowed_special)
        encode = partial(self.encode, allowed_special=allowed, disallowed_special=disallowed, num_threads=1)
        return self._map(encode, list(text), num_threads)

    def encode_ordinary_batch(self, text: Iterable[Text], *, num_threads: int | None = None) -> list[list[int]]:
        """Encode several texts in which nothing is a special token."""
        return self._map(partial(self.encode_ordinary, num_threads=1), list(text), num_threads)

    def encode_batch_to_numpy(
        self,
        text: Iterable[Text],
        *,
        num_threads: int | None = None,
        allowed_special: Allowed = _NOTHING,
        disallowed_special: Disallowed = _ALL,
    ) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
        """Encode several texts into one array.

        Returns:
            All ids, and the offsets: those of text k are `ids[offsets[k]:offsets[k + 1]]`.
        """
        import numpy as np

        allowed, disallowed = self._special.policy(allowed_special, disallowed_special)
        texts = list(text)
        without: str | None = None
        if not allowed and disallowed <= self._special.names and self._special.survive_repair:
            without = self._special.first_characters if disallowed else ""

        def encode(part: slice) -> tuple[bytes | bytearray, bytes | bytearray]:
            if isinstance(self._encoder, PipelineEncoder):
                ids = [self.encode(one, allowed, disallowed, 1) for one in texts[part]]
                return array("I", chain.from_iterable(ids)).tobytes(), array("q", map(len, ids)).tobytes()
            return self._encoder.encode_many_uint32(
                texts[part], without, partial(self._spans, allowed_special=allowed, disallowed_special=disallowed)
            )

        sizes = [len(one) for one in texts]
        threads = thread_count(num_threads, sum(sizes))
        results = map_in_threads(encode, groups(sizes, threads), threads)
        counts = [np.frombuffer(lengths, dtype=np.int64) for _, lengths in results]
        offsets = np.zeros(len(texts) + 1, dtype=np.int64)
        np.cumsum(np.concatenate([[0], *counts]), out=offsets)
        buffer = results[0][0] if len(results) == 1 else bytearray().join([ids for ids, _ in results])
        return np.frombuffer(buffer, dtype=np.uint32), offsets

    def encode_file(
        self,
        path: InputSource,
        out: str | PathLike[str],
        *,
        dtype: Literal["auto"] | IdType | npt.DTypeLike = "auto",
        separator: str | None = "<|endoftext|>",
        append: str | None = "<|endoftext|>",
        field: str | None = None,
        num_threads: int | None = None,
        progress: bool | None = None,
    ) -> EncodedFile:
        """Encode a file, or several into one, into a file of ids and an index of the documents in it.

        Files are read, encoded and written a part at a time: they may be larger than memory. A text file is cut into
        documents at `separator`; empty ones are left out. In JSON Lines (`.jsonl` or `.ndjson`) each line that is not
        blank is a document, an empty text too; so is each row of a column (`.parquet`, `.arrow`, `.feather`; takes
        `minitok[arrow]`). The end of a file ends a document. Files that end in `.gz` or `.zst` are decompressed on
        the way.

        In documents nothing is a special token, and bytes that are not valid UTF-8 are encoded as `encode` does. The
        ids of document k, the appended one included, are `ids[offsets[k]:offsets[k + 1]]`; they are those of
        `encode_ordinary`. (With a custom pattern, for documents of more than a megabyte: if no piece and no
        look-around of the pattern spans more than 65,536 characters.)

        Both files appear when all is done, or not at all. See docs/file-formats.md.

        Args:
            path: a path or a glob, a file that is open for reading bytes, or several of these.
            out: the file of ids: `.npy` is a NumPy file, `.bin` the numbers alone, little-endian. The index is beside
                it, for `ids.npy` in `ids.offsets.npy`. Files that exist are replaced.
            dtype: "uint16" or "uint32"; "auto": the first if all ids of the vocabulary fit.
            separator: what stands between documents in a text file, and is not encoded; None: a file is one document.
            append: the special token whose id follows each document; None: nothing does.
            field: the column, or the field of JSON Lines, that holds the text; if given, all files without columns
                are JSON Lines. Default: "text", if the name says that a file is.
            num_threads: how many threads to use; default: one for each processor.
            progress: show a bar on standard error. Default: if that is a terminal.

        Raises:
            ValueError: an option that does not fit, a line that is not JSON, a compressed file that is damaged or
                needs a package (`minitok[zstd]`), a byte that the vocabulary lacks.
            TypeError: a path that is none of the above.
            OSError: a file that cannot be read or written.

        >>> import minitok, numpy, pathlib, tempfile
        >>> enc = minitok.get_encoding("minitok_32k")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     text = pathlib.Path(folder, "corpus.txt")
        ...     _ = text.write_text("hello world<|endoftext|>good night")
        ...     written = enc.encode_file(text, text.with_name("ids.npy"))
        ...     ids, offsets = numpy.load(written.path), numpy.load(written.offsets_path)
        >>> written.documents, written.tokens, written.dtype
        (2, 6, 'uint16')
        >>> enc.decode(ids[offsets[1] : offsets[2]])
        'good night<|endoftext|>'
        """
        from minitok.encode_file import encode_file

        return encode_file(
            self.vocabulary,
            self._encoder,
            path,
            out,
            dtype=dtype,
            separator=separator,
            append=append,
            field=field,
            num_threads=num_threads,
            progress=progress,
        )

    def encode_with_unstable(
        self, text: str, *, allowed_special: Allowed = _NOTHING, disallowed_special: Disallowed = _ALL
    ) -> tuple[list[int], list[list[int]]]:
        """Encode a text whose end may go on.

        Returns:
            The ids that no continuation changes (by tiktoken's heuristics), and all sequences of ids that could
            follow them and begin with the rest of the text, sorted. As in tiktoken, not to be relied upon: a
            continuation may still change ids in rare cases.

        >>> ranks = {bytes([b]): b for b in range(256)} | {b"ab": 256, b"abc": 257}
        >>> Encoding("tiny", pat_str=None, mergeable_ranks=ranks, special_tokens={}).encode_with_unstable("ab")
        ([], [[256], [257]])
        """
        self._check_unchanged_text()
        allowed, disallowed = self._special.policy(allowed_special, disallowed_special)
        return unstable.encode_with_unstable(self, list(self._spans(text, allowed, disallowed)))

    def encode_single_token(self, text_or_bytes: str | bytes) -> int:
        """The id of one token, special tokens included.

        Raises:
            KeyError: there is no such token.
        """
        token = text_or_bytes.encode("utf-8") if isinstance(text_or_bytes, str) else bytes(text_or_bytes)
        found = self._mergeable_ranks.get(token)
        if found is None:
            found = self._special_tokens.get(token.decode("utf-8", "surrogateescape"))
        if found is None:
            raise KeyError(token)
        return found

    def encode_segments(self, segments: Iterable[tuple[Literal["special", "text"], str]]) -> list[int]:
        """Encode a text that is put together of special tokens and of what must never be read as such.

        Args:
            segments: ("special", a special token) or ("text", any text), one behind the other.

        Raises:
            KeyError: there is no such special token.
            ValueError: a segment is neither.

        >>> ranks = {bytes([b]): b for b in range(256)}
        >>> enc = Encoding("tiny", pat_str=None, mergeable_ranks=ranks, special_tokens={"<end>": 256})
        >>> enc.encode_segments([("text", "<end>"), ("special", "<end>")])
        [60, 101, 110, 100, 62, 256]
        """
        ids: list[int] = []
        for kind, content in segments:
            if kind == "special":
                ids.append(self._special_tokens[content])
            elif kind == "text":
                ids += self.encode_ordinary(content)
            else:
                raise ValueError(f"a segment is of the kind {kind!r}; expected 'special' or 'text'")
        return ids

    def apply_template(self, ids: Sequence[int], pair: Sequence[int] | None = None) -> list[int]:
        """The ids of a text, or of two, with what the model expects around them (`Vocabulary.template`).

        Without a template, nothing: those of two texts then come one behind the other.

        Raises:
            ValueError: the template takes no two texts.
        """
        template = self.vocabulary.template
        if template is None:
            return [*ids, *(pair or ())]
        return template.apply(ids, pair)

    # -- Decoding ------------------------------------------------------------------------------------------------

    def decode_bytes(self, tokens: Iterable[int]) -> bytes:
        """The bytes that ids stand for.

        Raises:
            KeyError: an id that the vocabulary lacks.
            OverflowError: a negative id, or one of more than 32 bits.
            TypeError: an id that is not an integer.
        """
        decoded = self._joined_bytes(tokens)
        return decoded.removeprefix(self._decoded_prefix) if self._decoded_prefix else decoded

    def decode(self, tokens: Iterable[int], errors: str = "replace") -> str:
        """The text that ids stand for.

        Args:
            tokens: ids: a sequence, an array, any buffer of integers.
            errors: what to do with bytes that are not valid UTF-8, as in `bytes.decode`. The default loses them.

        Raises:
            KeyError, OverflowError, TypeError: as `decode_bytes`.
            UnicodeDecodeError: with `errors="strict"`.
        """
        return self.decode_bytes(tokens).decode("utf-8", errors=errors)

    def decode_single_token_bytes(self, token: int) -> bytes:
        """The bytes of one id, special tokens included.

        Raises:
            KeyError, OverflowError, TypeError: as `decode_bytes`.
        """
        try:
            return self._decoder.token(token)
        except KeyError:
            raise _unknown_id(index(token), str(index(token))) from None

    def token_bytes(self, token: int) -> bytes:
        """The bytes of one id; the same as `decode_single_token_bytes`."""
        return self.decode_single_token_bytes(token)

    def decode_tokens_bytes(self, tokens: Iterable[int]) -> list[bytes]:
        """The bytes of each id.

        >>> import minitok
        >>> enc = minitok.get_encoding("minitok_32k")
        >>> enc.decode_tokens_bytes(enc.encode("hello world"))
        [b'hello', b' world']
        """
        return [self.decode_single_token_bytes(token) for token in tokens]

    def decode_with_offsets(self, tokens: Iterable[int]) -> tuple[str, list[int]]:
        """The text that ids stand for, and for each id the index of the character where it begins.

        A token that begins inside of a character has that character's index.

        Raises:
            UnicodeDecodeError: the ids do not make valid UTF-8.
            KeyError, OverflowError, TypeError: as `decode_bytes`.
        """
        token_bytes = self.decode_tokens_bytes(tokens)
        return b"".join(token_bytes).decode("utf-8"), offsets.start_offsets(token_bytes)

    def decode_batch(
        self, batch: Iterable[Sequence[int]], *, errors: str = "replace", num_threads: int | None = None
    ) -> list[str]:
        """`decode` for several sequences of ids."""
        return self._map(partial(self.decode, errors=errors), list(batch), num_threads)

    def decode_bytes_batch(self, batch: Iterable[Sequence[int]], *, num_threads: int | None = None) -> list[bytes]:
        """`decode_bytes` for several sequences of ids."""
        return self._map(self.decode_bytes, list(batch), num_threads)

    # -- Streams -------------------------------------------------------------------------------------------------

    def stream_decoder(self) -> streaming.StreamDecoder:
        """What decodes ids as they come: `feed(id or ids)` and `flush()` together give what `decode` gives.

        >>> import minitok
        >>> enc = minitok.get_encoding("minitok_32k")
        >>> decoder = enc.stream_decoder()
        >>> "".join([decoder.feed(i) for i in enc.encode("naïve")]) + decoder.flush()
        'naïve'
        """
        return streaming.StreamDecoder(self)

    def stream_encoder(
        self, *, allowed_special: Allowed = _NOTHING, disallowed_special: Disallowed = _ALL
    ) -> streaming.StreamEncoder:
        """What encodes text as it comes: `feed(text)` and `flush()` together give what `encode` gives.

        Exact for every named pattern; for others as long as no piece and no look-around spans more than 65,536
        characters. With `pat_str` None all is held until the end. Vocabularies that change a text before they cut it
        are as exact, as far as it is known of what they do which part of a text is certain before its end.

        Raises:
            ValueError: it is not known; the message says of what.

        >>> import minitok
        >>> enc = minitok.get_encoding("minitok_32k")
        >>> encoder = enc.stream_encoder()
        >>> encoder.feed("hello wor") + encoder.feed("ld") + encoder.flush() == enc.encode("hello world")
        True
        """
        return streaming.StreamEncoder(self, allowed_special, disallowed_special)

    def token_counter(
        self, *, allowed_special: Allowed = _NOTHING, disallowed_special: Disallowed = ()
    ) -> streaming.TokenCounter:
        """What counts the ids of a text that grows; special tokens are ordinary text by default, as in `count`.

        >>> import minitok
        >>> counter = minitok.get_encoding("minitok_32k").token_counter()
        >>> counter.append("hello"), counter.append(" world")
        (1, 2)
        """
        return streaming.TokenCounter(
            self.stream_encoder(allowed_special=allowed_special, disallowed_special=disallowed_special)
        )

    def encode_stream(
        self,
        texts: AsyncIterable[str] | Iterable[str],
        *,
        allowed_special: Allowed = _NOTHING,
        disallowed_special: Disallowed = _ALL,
    ) -> AsyncIterator[list[int]]:
        """Lists of ids, as texts arrive: `async for ids in enc.encode_stream(texts)`; see `stream_encoder`."""
        encoder = self.stream_encoder(allowed_special=allowed_special, disallowed_special=disallowed_special)
        return streaming.encode_stream(encoder, texts)

    def decode_stream(
        self, ids: AsyncIterable[int | Iterable[int]] | Iterable[int | Iterable[int]]
    ) -> AsyncIterator[str]:
        """Text, as ids arrive: `async for text in enc.decode_stream(ids)`; see `stream_decoder`."""
        return streaming.decode_stream(self.stream_decoder(), ids)

    # -- The vocabulary ------------------------------------------------------------------------------------------

    @property
    def tokens(self) -> list[bytes | None]:
        """The bytes of every id in order, special tokens included; None for an id that nothing has."""
        return self.vocabulary.token_list()

    def token_byte_values(self) -> list[bytes]:
        """All tokens that are not special, sorted by their bytes."""
        return sorted(self._mergeable_ranks)

    @property
    def eot_token(self) -> int:
        """The id of `<|endoftext|>`.

        Raises:
            KeyError: there is no such special token.
        """
        return self._special_tokens["<|endoftext|>"]

    @property
    def special_tokens_set(self) -> set[str]:
        """The special tokens."""
        return set(self._special.names)

    def is_special_token(self, token: int) -> bool:
        """Whether an id is a special token's.

        Raises:
            TypeError: `token` is not an integer.
        """
        return index(token) in self._special_token_values

    @property
    def n_vocab(self) -> int:
        """The largest id plus one."""
        return self.max_token_value + 1

    # -- Looking at tokens ---------------------------------------------------------------------------------------

    def explain(self, token: int) -> TokenHistory:
        """What a token is, and how merges make it out of its bytes.

        Raises:
            KeyError, OverflowError, TypeError: as `decode_bytes`.

        >>> import minitok
        >>> enc = minitok.get_encoding("minitok_32k")
        >>> history = enc.explain(enc.encode_single_token("hello"))
        >>> [(step.left, step.right) for step in history.steps]
        [(b'h', b'e'), (b'l', b'l'), (b'he', b'll'), (b'hell', b'o')]
        """
        if self._merge_steps is None:
            # (Two threads may both make it: they make the same.)
            self._merge_steps = MergeSteps(self.vocabulary)
        return self._merge_steps.history(index(token), self.decode_single_token_bytes(token))

    def token_id(self, token: bytes) -> int | None:
        """The id of a token of the vocabulary (special ones are outside of it); None if there is no such token."""
        return self.vocabulary.tokens.get(token)

    def view(
        self,
        text: Text,
        *,
        beside: Iterable[Encoding] = (),
        allowed_special: Allowed = _NOTHING,
        title: str = "",
    ) -> View:
        """The tokens of a text, to be looked at: in a notebook, a page, or a terminal.

        The last expression of a notebook's cell shows them; `View.save` writes a page, and `View.terminal` gives text
        in colours.

        Args:
            text: the text; special tokens in it are ordinary text unless they are allowed.
            beside: other encodings, to be shown beside this one.
            allowed_special: the special tokens that become their ids: a set, or "all".
            title: what stands above.

        Raises:
            ValueError: a byte that a vocabulary lacks.
            TypeError: `text` is neither str nor bytes.

        >>> import minitok
        >>> minitok.get_encoding("minitok_32k").view("hello world")
        <View of 11 characters: minitok_32k 2 tokens>
        """
        from minitok.viewer import View

        return View(text, [self, *beside], allowed_special=allowed_special, title=title)

    # -- Other libraries -----------------------------------------------------------------------------------------

    def to_tiktoken(self) -> tiktoken.Encoding:
        """The same encoding as one of the package `tiktoken`, which has to be installed.

        Raises:
            ValueError: tiktoken cannot express it.
        """
        return bridges.to_tiktoken(self.vocabulary)

    def to_huggingface(self) -> tokenizers.Tokenizer:
        """The same encoding as a tokenizer of the package `tokenizers`, which has to be installed.

        (`transformers.PreTrainedTokenizerFast(tokenizer_object=...)` makes one for `transformers` of it.)

        Raises:
            ValueError: tokenizers cannot express it.
        """
        return bridges.to_huggingface(self.vocabulary)

    def for_grammars(
        self, eos_token: str | int, *, bos_token: str | int | None = None, size: int | None = None
    ) -> bridges.GrammarTokenizer:
        """What libraries for constrained decoding ask of a tokenizer; see `GrammarTokenizer`.

        Args:
            eos_token: the special token that ends a text, or its id.
            bos_token: that which begins one, if there is such.
            size: how many ids the model has, if that is more than the vocabulary has.

        Raises:
            KeyError: there is no such special token.
            ValueError: `size` is too small.
        """
        return bridges.GrammarTokenizer(self.vocabulary, self.encode_ordinary, eos_token, bos_token, size)

    def save(self, path: str | PathLike[str], *, format: formats.Format = "minitok") -> None:
        """Write the vocabulary to a file, whole or not at all.

        Args:
            path: the file; one that exists is replaced.
            format: "minitok" holds all that defines the tokenizer. "tiktoken" holds the tokens and their ranks
                only: pattern and special tokens have to be kept elsewhere. The others (`formats.FORMATS`) are those
                of other tools; "vocab-merges" writes two files into a folder of that name.

        Raises:
            OSError: the file cannot be written.
            ValueError: the format cannot hold this vocabulary; the message says why.
        """
        formats.save(self.vocabulary, path, format=format)

    # -- Private -------------------------------------------------------------------------------------------------

    def _is_ordinary(self, text: Text, allowed: Allowed, disallowed: Disallowed) -> TypeGuard[str]:
        """Whether a text is a str in which nothing can be special: so for most calls, which need to know it fast."""
        return (
            type(text) is str
            and allowed is _NOTHING
            and (not disallowed or (disallowed is _ALL and self._special.are_absent(text)))
        )

    @staticmethod
    def _map(function: Callable[[_Item], _Result], items: Sequence[_Item], num_threads: int | None) -> list[_Result]:
        """`function` of each item, in order; each thread takes some of the items that stand side by side."""
        sizes = [len(item) if isinstance(item, Sized) else 1 for item in items]
        threads = thread_count(num_threads, sum(sizes))
        if threads == 1:
            return list(map(function, items))
        parts = map_in_threads(lambda part: list(map(function, items[part])), groups(sizes, threads), threads)
        return list(chain.from_iterable(parts))

    def _places(
        self, text: Text, allowed_special: Allowed, disallowed_special: Disallowed
    ) -> tuple[AnyEncoder, str | bytes, Sequence[tuple[int, int, int]]]:
        """What encodes a text, the text as it does so, and where allowed special tokens stand in it.

        Raises:
            ValueError: a disallowed one is there.
        """
        allowed, disallowed = self._special.policy(allowed_special, disallowed_special)
        plain = self._plain(text)
        in_normalized = allowed & self._special.in_normalized if self._special.in_normalized else _NOTHING
        if disallowed <= self._special.names and self._special.are_absent(plain):
            allowed = disallowed = _NOTHING
        if disallowed:
            self._special.check(plain if isinstance(plain, str) else text_of(plain), disallowed)
        if isinstance(plain, str) and has_surrogates(plain):
            plain = repair_surrogates(plain)
        encoder = self._encoder
        if isinstance(encoder, PipelineEncoder):
            encoder = encoder.behind(in_normalized, has_found=bool(allowed))
        return encoder, plain, self._special.places(plain, allowed)

    def _joined_bytes(self, tokens: Iterable[int]) -> bytes:
        """The bytes of tokens, one behind the other; raises as `decode_bytes` does."""
        try:
            return self._decoder.decode(tokens)
        except KeyError as error:
            raise _unknown_id(error.args[0], f"Invalid token for decoding: {error.args[0]}") from None

    def _check_unchanged_text(self) -> None:
        if not self._takes_bytes:
            raise ValueError(
                f"{self.name!r} changes a text before it cuts it, or cuts it in stages, so that its tokens have no "
                "certain place in the text"
            )

    def _plain(self, text: Text) -> str | bytes:
        """A text as special tokens are looked for in it: what is to be normalized is a str."""
        plain = plain_text(text)
        return plain if isinstance(plain, str) or self._takes_bytes else decoded_text(plain)

    def _spans(
        self, text: Text, allowed_special: Allowed, disallowed_special: Disallowed
    ) -> Iterator[tuple[str | bytes, int | None]]:
        """The ordinary spans of a text, each with the id of the allowed special token behind it, or None."""
        _, plain, places = self._places(text, allowed_special, disallowed_special)
        at = 0
        for start, end, special in places:
            yield plain[at:start], special
            at = end
        yield plain[at:], None

    def _encode_single_piece(self, text_or_bytes: str | bytes) -> list[int]:
        """One piece, without splitting; tiktoken's private method of this name."""
        piece = text_or_bytes.encode("utf-8") if isinstance(text_or_bytes, str) else text_or_bytes
        return self._encoder.encode_piece(piece)

    def _encode_only_native_bpe(self, text: str) -> list[int]:
        """Split and merge apart; tiktoken's private method of this name."""
        return [i for piece in self._encoder.split(text) for i in self._encoder.encode_piece(piece)]

    def _encode_bytes(self, text: bytes) -> list[int]:
        """Bytes by tiktoken's heuristics for a truncated character; `encode` is exact for all bytes."""
        return unstable.encode_bytes(self, text)
