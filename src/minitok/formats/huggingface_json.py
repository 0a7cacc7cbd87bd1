"""`tokenizer.json`, the file of the package `tokenizers`: read, if its model is BPE.

Longer than 500 lines because its parts cannot be read one by one: what spells a space in the tokens hangs on the
normalizers, what a normalizer means on the pre-tokenizers, and what an added token is on all of them.

What stands in the file, and what it becomes:

    normalizer      `Vocabulary.normalizers`; ByteLevel there says only how tokens are spelled
    pre_tokenizer   `pattern` if it is one that is named or one expression; else `splits`
    model           tokens, merges, what pieces begin as
    added_tokens    `special_tokens` and `added_tokens`
    post_processor  `template`
    decoder         `decoded_prefix`; else only checked

Files in which a space is spelled `▁` are read into vocabularies in which it is a space, here and in the tokens: the
two cannot be told apart once a text is normalized. What is not known here is refused by its name. `truncation` and
`padding` are not a vocabulary's.

The meaning of each type is that of `tokenizers` 0.23 (its folders `normalizers`, `pre_tokenizers`, `processors`,
`decoders`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from minitok import _backend
from minitok.added_tokens import WORD, AddedToken, may_hide
from minitok.formats.byte_alphabet import unspell, unspell_all
from minitok.formats.json_documents import DAMAGED, field
from minitok.formats.space_marks import SPACE_MARK, spaces_pattern
from minitok.formats.templates_json import read_template
from minitok.formats.user_defined_splits import guard_pattern, listed_pieces
from minitok.normalizers import Lowercase, Normalizer, Prepend, Replace, Strip, UnicodeForm, compose
from minitok.patterns import PATTERNS, find_named_pattern, find_staged_pattern
from minitok.splits import Behavior, PrefixPieces, Split, Stage
from minitok.symbols import BYTES, Symbols
from minitok.unicode_forms import FORMS
from minitok.vocabulary import Merge, SpelledMerges, Vocabulary

__all__ = ["FLAGS", "from_document", "is_document"]

FLAGS = ("lstrip", "rstrip", "single_word", "normalized")
_GPT2 = PATTERNS["gpt2"].regex
#: Rust's own table of numbers, which `tokenizers` uses, is of Unicode 17.
_DIGITS = "[\\p{N}\U00011de0-\U00011de9\U00016ff4-\U00016ff6]"
#: Signs to Unicode, but not to `tokenizers`, whose table of them is older (its dependency `unicode_categories`).
_NEWER_PUNCTUATION = """
61d 9fd a76 c77 c84 1b4e-1b4f 1b7d-1b7f 2e43-2e4f 2e52-2e5d 10d6e 10ead 10f55-10f59 10f86-10f89 113d4-113d5
113d7-113d8 1144b-1144f 1145a-1145b 1145d 11660-1166c 116b9 1183b 11944-11946 119e2 11a3f-11a46 11a9a-11a9c
11a9e-11aa2 11b00-11b09 11be1 11c41-11c45 11c70-11c71 11ef7-11ef8 11f43-11f4f 11fff 12ff1-12ff2 16d6d-16d6f
16e97-16e9a 16fe2 1e5ff 1e95e-1e95f
"""
# (The characters themselves: not every engine knows an escape for them, and patterns are written to files.)
_NEWER = re.sub("[0-9a-f]+", lambda code: chr(int(code[0], 16)), _NEWER_PUNCTUATION).replace("\n", "")
#: What it takes for signs: ASCII's, and Unicode's but for these; and two that have become something else.
_PUNCTUATION = rf"(?:(?![{_NEWER.replace(' ', '')}])[!-/:-@\[-`{{-~\p{{P}}]|[" + "\u166d\U000111c9])"
_BYTE_TOKEN = re.compile("<0x([0-9A-F]{2})>")

#: Merges; the tokens that text becomes; those that are only decoded.
_Model = tuple[Sequence[Merge], Mapping[bytes, int], dict[int, bytes]]


def is_document(document: dict[str, Any]) -> bool:
    """Whether a JSON document is of this format."""
    return isinstance(document.get("model"), dict)


def from_document(
    document: dict[str, Any],
    source: str,
    *,
    name: str,
    read: tuple[_backend.RankTable, dict[str, int]] | None = None,
) -> Vocabulary:
    """The vocabulary of a document that is parsed.

    Args:
        document: all of it, or all but the tokens and merges.
        source: what messages call it.
        name: what to call the encoding.
        read: those, as `RankTable.parse_json_model` gave them.

    Raises:
        ValueError: the file is damaged, or has what minitok does not know; the message names it. Or tokens and merges
            are not of bytes alone, but were read so.
    """
    return _Reader(document, source, read).vocabulary(name)


class _Reader:
    def __init__(
        self, document: dict[str, Any], source: str, read: tuple[_backend.RankTable, dict[str, int]] | None
    ) -> None:
        self.document = document
        self.source = source
        self.table = None if read is None else read[0]
        self.model: dict[str, Any] = field(document, "model", dict, source)
        #: Of all tokens; if they are in a table, of those that are no others.
        self.ids = self._checked_ids() if read is None else self._checked_ids() | read[1]
        self.added = list(self._added_tokens())
        self.normalizers: list[Normalizer] = []
        self.stages: list[Stage] = []
        self.is_byte_level = False
        #: Whether spaces are spelled SPACE_MARK; and if so, whether only by a pre-tokenizer.
        self.marks_spaces = False
        self.marks_late = False
        #: Pieces that the first stage cuts out, and the expression of the second one.
        self.user_defined: list[str] = []
        self.guard: str | None = None

    def _refused(self, what: str, value: Any) -> ValueError:
        return ValueError(f"{self.source}: {what} {str(value)[:120]!r} is not supported")

    def _damaged(self, what: str) -> ValueError:
        return ValueError(f"{self.source}: {what}; {DAMAGED}")

    # -- The model -----------------------------------------------------------------------------------------------

    def _checked_ids(self) -> dict[str, int]:
        kind = self.model.get("type", "BPE")
        if kind != "BPE":
            raise self._refused("the model type", kind)
        ids: dict[str, int] = field(self.model, "vocab", dict, self.source)
        if ids and (set(map(type, ids.values())) != {int} or min(ids.values()) < 0):
            token, i = next((token, i) for token, i in ids.items() if type(i) is not int or i < 0)
            raise self._damaged(f"the id of {token!r} is {i!r}")
        if self.model.get("dropout"):
            raise self._refused("dropout", self.model["dropout"])
        if self.model.get("continuing_subword_prefix"):
            raise self._refused("continuing_subword_prefix", self.model["continuing_subword_prefix"])
        return ids

    def _merges(self) -> list[Merge]:
        listed: list[Any] = field(self.model, "merges", list, self.source)
        ids = self.ids
        try:
            pairs = [merge.split(" ") if type(merge) is str else merge for merge in listed]
            merges = [(ids[left], ids[right], ids[left + right]) for left, right in pairs]
        except (KeyError, TypeError, ValueError):
            raise self._wrong_merge(listed) from None
        if len({merge[:2] for merge in merges}) < len(merges):
            # Of two for one pair, the later one counts.
            last = {merge[:2]: number for number, merge in enumerate(merges)}
            merges = [merge for number, merge in enumerate(merges) if last[merge[:2]] == number]
        return SpelledMerges(merges)

    def _wrong_merge(self, listed: list[Any]) -> ValueError:
        for number, merge in enumerate(listed):
            parts = merge.split(" ") if isinstance(merge, str) else merge
            if not (isinstance(parts, list) and len(parts) == 2 and all(isinstance(part, str) for part in parts)):
                return self._damaged(f"model.merges[{number}] is {str(merge)[:60]!r}, not two tokens")
            missing = [token for token in (*parts, "".join(parts)) if token not in self.ids]
            if missing:
                return self._damaged(
                    f"model.merges[{number}] is {str(merge)[:60]!r}: there is no token {missing[0]!r}"
                )
        return self._damaged("model.merges has something that is no merge")

    def vocabulary(self, name: str) -> Vocabulary:
        """Everything, put together."""
        for part in self._chain("normalizer", "normalizers"):
            try:
                self._read_normalizer(part)
            except ValueError as error:
                raise error if self.source in str(error) else ValueError(f"{self.source}: {error}") from None
        marked_by_normalizer = self.marks_spaces
        for part in self._chain("pre_tokenizer", "pretokenizers"):
            self._read_pre_tokenizer(part, marked_by_normalizer)
        symbols = self._symbols()
        merges, tokens, only_decoded = self._read_table(symbols) if self.table else self._read_model(symbols)
        pattern, splits = self._cut(tokens)
        special = {token.content: token.id for token, is_special in self.added if is_special}
        told = self._told_all(set(special.values()), only_decoded)
        for piece in self.user_defined:
            told.append(AddedToken(piece.replace(SPACE_MARK, " "), self.ids[piece], normalized=True))
        try:
            vocabulary = Vocabulary(
                name,
                tokens,
                merges,
                special,
                pattern,
                whole_piece=self._ignores_merges() and not self.user_defined,
                symbols=symbols,
                normalizers=tuple(self.normalizers),
                splits=splits,
                added_tokens=tuple(told),
                template=read_template(self.document.get("post_processor"), self.source),
                decoded_prefix=self._decoded_prefix(),
                only_decoded=only_decoded,
            )
            if self.user_defined:
                self._check_user_defined(vocabulary)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{self.source}: {error}") from None
        return vocabulary

    def _ignores_merges(self) -> bool:
        return field(self.model, "ignore_merges", bool, self.source, False)

    def _symbols(self) -> Symbols:
        ending = self.model.get("end_of_word_suffix") or ""
        if self.is_byte_level:
            return Symbols(end_of_word=ending) if ending else BYTES
        if ending:
            raise self._refused("end_of_word_suffix without ByteLevel", ending)
        byte_ids = None
        if self.model.get("byte_fallback"):
            spelt = [f"<0x{b:02X}>" for b in range(256)]
            missing = [token for token in spelt if token not in self.ids]
            if missing:
                raise self._damaged(f"byte_fallback, but there is no token {missing[0]!r}")
            byte_ids = tuple(self.ids[token] for token in spelt)
        if byte_ids is not None:
            return Symbols(characters=True, byte_ids=byte_ids)
        unknown = self.model.get("unk_token")
        if unknown is None:
            raise self._refused(
                "a model without ByteLevel, byte_fallback and unk_token, which drops characters", "BPE"
            )
        if not isinstance(unknown, str) or unknown not in self.ids:
            raise self._damaged(f"the unk_token {str(unknown)[:60]!r} has no id")
        fuse = field(self.model, "fuse_unk", bool, self.source, False)
        return Symbols(characters=True, unknown_id=self.ids[unknown], fuse_unknown=fuse)

    def _read_table(self, symbols: Symbols) -> _Model:
        if self.table is None or self.table.merges is None or not self.is_byte_level or symbols != BYTES:
            raise self._damaged("the tokens are not spelled as bytes")
        return self.table.merges, self.table, {}

    def _read_model(self, symbols: Symbols) -> _Model:
        merges = self._merges()
        return merges, *self._tokens(merges, symbols)

    def _tokens(self, merges: Sequence[Merge], symbols: Symbols) -> tuple[dict[bytes, int], dict[int, bytes]]:
        """The tokens that text becomes, and those that are only decoded."""
        special = {token.content for token, _ in self.added} | set(self.user_defined)
        if symbols.byte_ids is not None:
            special.update(token for token in self.ids if _BYTE_TOKEN.fullmatch(token))
        merged = {i for merge in merges for i in merge} if special else set()
        apart = {token for token in special if token in self.ids and self.ids[token] not in merged}
        spelt = self.ids if not apart else {token: i for token, i in self.ids.items() if token not in apart}
        if self.is_byte_level and not symbols.end_of_word:
            listed = unspell_all(list(spelt))
            if listed is not None and "" not in spelt:
                return dict(zip(listed, spelt.values())), {}
        tokens: dict[bytes, int] = {}
        only_decoded: dict[int, bytes] = {}
        for text, i in spelt.items():
            token = self._token(text, symbols.end_of_word)
            if not token or token in tokens:
                only_decoded[i] = token or text.encode("utf-8", "surrogatepass")
            else:
                tokens[token] = i
        return tokens, only_decoded

    def _token(self, spelt: str, ending: str) -> bytes | None:
        if not self.is_byte_level:
            return (spelt.replace(SPACE_MARK, " ") if self.marks_spaces else spelt).encode("utf-8", "surrogatepass")
        if ending and spelt.endswith(ending):
            token = unspell(spelt.removesuffix(ending))
            return token and token + ending.encode()
        return unspell(spelt)

    def _told_all(self, special: set[int], only_decoded: dict[int, bytes]) -> list[AddedToken]:
        """The added tokens as they are looked for; but for special ones about which there is nothing to be told."""
        listed = [token for token, _ in self.added]
        if len({token.id for token in listed}) < len(listed):
            raise ValueError(f"{self.source}: two added tokens have the same id, which is not supported")
        # What Metaspace replaces is replaced behind all tokens.
        marked = any(SPACE_MARK in token.content for token in listed if token.normalized)
        is_raw = self.marks_late and self.normalizers == [Replace(SPACE_MARK, " ")] and not marked
        if (is_raw or not self.normalizers) and not self._order_matters(listed):
            listed = [replace(token, normalized=False) for token in listed]
        told = [self._told(token, only_decoded) for token in listed]
        for late in (False, True):
            together = [token for token in told if token.normalized == late]
            blank = next((token for token in together if token.content.isspace()), None)
            if blank is not None and any(token.rstrip for token in together):
                # `tokenizers` then reads some of the text twice.
                raise self._refused("an added token of white space beside one with rstrip,", blank.content)
        seen: set[str] = set()
        for token in told:
            if token.normalized and token.content in seen:
                raise self._refused("two added tokens that are the same when normalized,", token.content)
            seen.update([token.content] * token.normalized)
        return [token for token in told if token.id not in special or token.has_flags or token.normalized]

    @staticmethod
    def _order_matters(tokens: Sequence[AddedToken]) -> bool:
        """Whether it makes a difference that tokens with `normalized` are looked for behind all others."""
        late = [token for token in tokens if token.normalized]
        early = [token for token in tokens if not token.normalized]
        if not (late and early):
            return False
        # Those found first take their white space first, and where they end a word ends.
        if any(token.has_flags or token.content[0].isspace() for token in early) or any(t.single_word for t in late):
            return True
        return may_hide([token.content for token in late], [token.content for token in early])

    def _told(self, token: AddedToken, only_decoded: dict[int, bytes]) -> AddedToken:
        """An added token as it is looked for: in normalized text, itself normalized."""
        if not token.normalized:
            return token
        if self.marks_spaces and (token.lstrip or token.rstrip):
            # To `tokenizers` the spaces beside it are marks, and stay; or what are marks to it are spaces here.
            raise self._refused("an added token with lstrip or rstrip in text with marked spaces,", token.content)
        if self.marks_late and (SPACE_MARK in token.content or " " in token.content):
            raise self._refused("a Metaspace, and an added token with a space or a mark,", token.content)
        normalize = compose(self.normalizers)
        content = normalize(token.content) if normalize is not None else token.content
        if not content:
            raise self._refused("an added token of which normalizing leaves nothing,", token.content)
        decoded = token.content.replace(SPACE_MARK, " ") if self.marks_spaces else token.content
        if decoded != content:
            only_decoded[token.id] = decoded.encode("utf-8", "surrogatepass")
        return replace(token, content=content)

    # -- Added tokens --------------------------------------------------------------------------------------------

    def _added_tokens(self) -> Iterator[tuple[AddedToken, bool]]:
        """Each added token, and whether it is a special one."""
        seen: set[str] = set()
        for number, item in enumerate(field(self.document, "added_tokens", list, self.source, [])):
            where = f"{self.source}: added_tokens[{number}]"
            if not isinstance(item, dict):
                raise ValueError(f"{where} is not an object; {DAMAGED}")
            content = field(item, "content", str, where)
            if content in seen or not content:
                continue
            seen.add(content)
            flags = {flag: field(item, flag, bool, where, False) for flag in FLAGS}
            # A token that the model has keeps the model's id, whatever is said here.
            own_id = self.ids.get(content, field(item, "id", int, where))
            yield AddedToken(content, own_id, **flags), field(item, "special", bool, where, False)

    # -- Normalizers and pre-tokenizers --------------------------------------------------------------------------

    def _chain(self, key: str, inner: str) -> Iterator[dict[str, Any]]:
        """The parts of a normalizer, a pre-tokenizer or a decoder; those of sequences one by one."""
        waiting = [self.document.get(key)]
        while waiting:
            part = waiting.pop()
            if part is None:
                continue
            if not isinstance(part, dict) or not isinstance(part.get("type"), str):
                raise self._damaged(f"the {key} is {str(part)[:60]!r}, not an object with a type")
            if part["type"] == "Sequence":
                waiting += reversed(field(part, inner, list, self.source))
            else:
                yield part

    def _read_normalizer(self, part: dict[str, Any]) -> None:
        kind = part["type"]
        if self.is_byte_level:
            raise self._refused("a normalizer behind ByteLevel,", kind)
        if kind in FORMS:
            self.normalizers.append(UnicodeForm(kind))
        elif kind == "Lowercase":
            self.normalizers.append(Lowercase())
        elif kind == "Strip":
            sides = (field(part, side, bool, self.source, True) for side in ("strip_left", "strip_right"))
            self.normalizers.append(Strip(*sides))
        elif kind == "Prepend":
            text = field(part, "prepend", str, self.source)
            # The mark stands for a space, and what comes later makes marks of spaces.
            self.normalizers.append(Prepend(text.replace(SPACE_MARK, " ")))
        elif kind == "Replace":
            pattern, is_regex = self._pattern(part)
            content = field(part, "content", str, self.source)
            if (pattern, is_regex, content) == (" ", False, SPACE_MARK):
                self.marks_spaces = True
                # It does the same before and behind a Prepend: the order is that of SentencePiece's models.
                behind = len(self.normalizers) - (self.normalizers[-1:] == [Prepend(" ")])
                self.normalizers.insert(behind, Replace(SPACE_MARK, " "))
            else:
                self.normalizers.append(Replace(pattern, content, is_regex))
        elif kind == "ByteLevel":
            self._read_byte_level_normalizer()
        else:
            raise self._refused("the normalizer", kind)
        if kind == "Prepend" and SPACE_MARK in part["prepend"] and not self._marks_later():
            raise self._refused("a Prepend without a Replace of spaces", part["prepend"])

    def _read_byte_level_normalizer(self) -> None:
        """Bytes are spelled as characters before text is cut, if it is: an expression would see other characters."""
        self.is_byte_level = True
        if self.marks_spaces:
            raise self._refused("a ByteLevel behind a normalizer that marks spaces,", "ByteLevel")
        for token, _ in self.added:
            if token.normalized and token.has_flags:
                # They are about what is beside it, which is spelled.
                raise self._refused("behind a ByteLevel normalizer, an added token with flags,", token.content)

    def _marks_later(self) -> bool:
        return any(
            part.get("content") == SPACE_MARK and part.get("pattern") == {"String": " "}
            for part in self._chain("normalizer", "normalizers")
        )

    def _pattern(self, part: dict[str, Any]) -> tuple[str, bool]:
        pattern = field(part, "pattern", dict, self.source)
        if len(pattern) == 1 and isinstance(text := next(iter(pattern.values())), str):
            if "String" in pattern:
                return text, False
            if "Regex" in pattern:
                return text, True
        raise self._damaged(f"a pattern is {str(pattern)[:60]!r}")

    def _behavior(self, part: dict[str, Any]) -> Behavior:
        spelt = field(part, "behavior", str, self.source)
        behavior = re.sub("(?<!^)(?=[A-Z])", "_", spelt).lower()
        for known in get_args(Behavior):
            if behavior == known:
                return known  # type: ignore[no-any-return]
        raise self._refused("the behavior", spelt)

    def _read_pre_tokenizer(self, part: dict[str, Any], marked: bool) -> None:
        kind = part["type"]
        if self.is_byte_level:
            raise self._refused("a pre-tokenizer behind ByteLevel,", kind)
        reader = _PRE_TOKENIZERS.get(kind)
        if reader is None:
            raise self._refused("the pre-tokenizer", kind)
        if marked and kind == "Split" and self._pattern(part) == (" ", False):
            return  # there are no spaces left, only marks
        if marked and kind == "Split" and self._read_user_defined(part):
            return
        if marked and kind not in ("Digits", "Punctuation", "Metaspace"):
            raise self._refused("a pre-tokenizer behind a normalizer that marks spaces,", kind)
        reader(self, part)

    def _read_user_defined(self, part: dict[str, Any]) -> bool:
        """Whether a stage is one of those in `user_defined_splits`."""
        pattern, is_regex = self._pattern(part)
        inverted = field(part, "invert", bool, self.source, False)
        if not is_regex or inverted or self._behavior(part) != "isolated" or not self._ignores_merges():
            return False
        if self.user_defined:
            is_first, self.guard = self.guard is None, pattern
            return is_first
        pieces = listed_pieces(pattern) or []
        if all(piece in self.ids for piece in pieces):
            self.user_defined = pieces
        return bool(self.user_defined)

    def _check_user_defined(self, vocabulary: Vocabulary) -> None:
        apart = set(self.user_defined)
        names = {name: i for name, i in self.ids.items() if name not in apart}
        if self.stages or guard_pattern(vocabulary, names) != self.guard:
            raise ValueError(f"a Split at {self.user_defined[0]!r} that leaves other tokens whole is not supported")

    def _read_byte_level(self, part: dict[str, Any]) -> None:
        self.is_byte_level = True
        if field(part, "add_prefix_space", bool, self.source, True):
            self.stages.append(PrefixPieces(" "))
        if field(part, "use_regex", bool, self.source, True):
            self.stages.append(Split(_GPT2))

    def _read_split(self, part: dict[str, Any]) -> None:
        pattern, is_regex = self._pattern(part)
        invert = field(part, "invert", bool, self.source, False)
        self._add_split(pattern if is_regex else re.escape(pattern), self._behavior(part), invert)

    def _add_split(self, pattern: str, behavior: Behavior, invert: bool = False) -> None:
        try:
            self.stages.append(Split(pattern, behavior, invert))
        except ValueError as error:
            raise ValueError(f"{self.source}: {error}") from None

    def _read_digits(self, part: dict[str, Any]) -> None:
        individual = field(part, "individual_digits", bool, self.source, False)
        self._add_split(_DIGITS, "isolated" if individual else "contiguous")

    def _read_punctuation(self, part: dict[str, Any]) -> None:
        self._add_split(_PUNCTUATION, self._behavior(part) if part.get("behavior") else "isolated")

    def _read_white_space(self, _: dict[str, Any]) -> None:
        self._add_split(r"\s", "removed")

    def _read_words(self, _: dict[str, Any]) -> None:
        self._add_split(rf"{WORD}+|(?:(?!{WORD})\S)+", "removed", invert=True)

    def _read_bert(self, _: dict[str, Any]) -> None:
        self._add_split(r"\s", "removed")
        self._add_split(_PUNCTUATION, "isolated")

    def _read_delimiter(self, part: dict[str, Any]) -> None:
        self._add_split(re.escape(field(part, "delimiter", str, self.source)), "removed")

    def _read_metaspace(self, part: dict[str, Any]) -> None:
        if part.get("replacement") != SPACE_MARK or self.stages:
            raise self._refused(
                "a Metaspace behind other pre-tokenizers, or with the replacement", part.get("replacement")
            )
        if not self.marks_spaces:
            self.normalizers.append(Replace(SPACE_MARK, " "))
            self.marks_late = True
        self.marks_spaces = True
        scheme = part.get("prepend_scheme") or ("always" if part.get("add_prefix_space", True) else "never")
        if scheme not in ("always", "first", "never"):
            raise self._refused("the prepend_scheme", scheme)
        if scheme != "never":
            self.stages.append(PrefixPieces(" ", only_first=scheme == "first"))
        if field(part, "split", bool, self.source, True):
            self._add_split(" ", "merged_with_next")

    def _cut(self, tokens: Mapping[bytes, int]) -> tuple[str | None, tuple[Stage, ...]]:
        """The pattern, or the stages."""
        plain = [stage.pattern for stage in self.stages if stage == Split(getattr(stage, "pattern", "x"))]
        if len(plain) == len(self.stages):
            staged = find_staged_pattern(plain)
            if staged is not None:
                return staged.regex, ()
            if len(plain) == 1:
                named = find_named_pattern(plain[0])
                return plain[0] if named is None else named.regex, ()
            if not plain:
                return (None if self.is_byte_level else spaces_pattern(tokens)), ()
        # One piece, with a space before it: a normalizer's work, if nothing is cut out of the text later.
        one_piece = self.stages == [PrefixPieces(" ")] and not self.is_byte_level
        if one_piece and not any(token.normalized for token, _ in self.added):
            self.normalizers.append(Prepend(" ", once=True))
            return spaces_pattern(tokens), ()
        return None, tuple(self.stages)

    # -- Decoder -------------------------------------------------------------------------------------------------

    def _decoded_prefix(self) -> str:
        """What the decoder takes off the beginning."""
        prefix = ""
        for part in self._chain("decoder", "decoders"):
            kind = part["type"]
            if kind not in _DECODERS:
                raise self._refused("the decoder", kind)
            if kind == "Strip" and part.get("content") == " " and isinstance(part.get("start"), int):
                prefix = " " * min(part["start"], 16)
            if kind == "Metaspace" and part.get("prepend_scheme") != "never" and part.get("add_prefix_space", True):
                prefix = " "
        return prefix


_DECODERS = {"ByteLevel", "ByteFallback", "Replace", "Fuse", "Strip", "Metaspace", "BPEDecoder"}
_PRE_TOKENIZERS: dict[str, Callable[[_Reader, dict[str, Any]], None]] = {
    "ByteLevel": _Reader._read_byte_level,
    "Split": _Reader._read_split,
    "Digits": _Reader._read_digits,
    "Punctuation": _Reader._read_punctuation,
    "WhitespaceSplit": _Reader._read_white_space,
    "Whitespace": _Reader._read_words,
    "BertPreTokenizer": _Reader._read_bert,
    "CharDelimiterSplit": _Reader._read_delimiter,
    "Metaspace": _Reader._read_metaspace,
}
