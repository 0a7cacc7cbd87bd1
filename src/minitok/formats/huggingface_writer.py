"""`tokenizer.json`, the file of the package `tokenizers`: written.

What such a file cannot say is refused, with the reason. Special tokens stand in the model's vocabulary too:
`tokenizers` gives an id of its own choice to an added token that the model does not have.
"""

from __future__ import annotations

import json
from typing import Any

from minitok.added_tokens import AddedToken
from minitok.explicit_merges import explicit_merges
from minitok.formats.byte_alphabet import spell
from minitok.formats.huggingface_json import FLAGS
from minitok.formats.space_marks import SPACE_MARK, cuts_no_token
from minitok.formats.templates_json import write_template
from minitok.formats.user_defined_splits import guard_pattern, pieces_pattern
from minitok.normalizers import Lowercase, Normalizer, Prepend, Replace, Strip, UnicodeForm
from minitok.patterns import PATTERNS, find_named_pattern
from minitok.splits import PrefixPieces, Split
from minitok.vocabulary import Vocabulary

__all__ = ["document", "dump"]

_GPT2 = PATTERNS["gpt2"].regex
_MARKS = Replace(SPACE_MARK, " ")


def dump(vocabulary: Vocabulary) -> bytes:
    """The file of a vocabulary.

    Raises:
        ValueError: the file cannot hold it; the message says why.
    """
    return (json.dumps(document(vocabulary), ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def document(vocabulary: Vocabulary) -> dict[str, Any]:
    """The same as the object that the file is."""
    return _Writer(vocabulary).document()


class _Writer:
    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.by_bytes = not vocabulary.symbols.characters
        self.marks_spaces = _MARKS in vocabulary.normalizers
        self.ending = vocabulary.symbols.end_of_word
        #: Added tokens that are looked for behind a prefix, which stages of the pre-tokenizer cut out.
        self.user_defined: list[AddedToken] = []
        if self.marks_spaces and not vocabulary.whole_piece and vocabulary.normalizers[-1] == Prepend(" "):
            found = [token for token in vocabulary.added_tokens if token.normalized and not token.has_flags]
            self.user_defined = [token for token in found if token.content not in vocabulary.special_tokens]

    def _refused(self, why: str) -> ValueError:
        return ValueError(f"a tokenizer.json cannot hold the vocabulary {self.vocabulary.name!r}: {why}")

    def document(self) -> dict[str, Any]:
        vocabulary = self.vocabulary
        normalizers = self._normalizers()
        model = self._model()
        names = {i: token for token, i in vocabulary.special_tokens.items()}
        return {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": self._added_tokens(),
            "normalizer": _sequence("normalizers", normalizers),
            "pre_tokenizer": _sequence("pretokenizers", self._pre_tokenizers(model["vocab"])),
            "post_processor": write_template(vocabulary.template, names),
            "decoder": self._decoder(),
            "model": model,
        }

    # -- The model -----------------------------------------------------------------------------------------------

    def _spelt(self, token: bytes) -> str:
        if not self.by_bytes:
            text = token.decode("utf-8")
            return text.replace(" ", SPACE_MARK) if self.marks_spaces else text
        if self.ending and token.endswith(self.ending.encode()):
            return spell(token.removesuffix(self.ending.encode())) + self.ending
        return spell(token)

    def _model(self) -> dict[str, Any]:
        vocabulary, symbols = self.vocabulary, self.vocabulary.symbols
        name_of = {i: self._spelt(token) for token, i in vocabulary.tokens.items()}
        merges = [[name_of[left], name_of[right]] for left, right, _ in explicit_merges(vocabulary)]
        for b, i in enumerate(symbols.byte_ids or ()):
            name_of[i] = f"<0x{b:02X}>"
        for added in vocabulary.added_tokens:
            name_of.setdefault(added.id, self._content(added))
        for i, token in vocabulary.only_decoded.items():
            name_of.setdefault(i, token.decode("utf-8", "replace"))
        for content, i in vocabulary.special_tokens.items():
            name_of.setdefault(i, content)
        ids: dict[str, int] = {}
        for i, name in sorted(name_of.items()):
            if ids.setdefault(name, i) != i:
                raise self._refused(f"the ids {ids[name]} and {i} would both be spelled {name!r}")
        unknown = None if symbols.unknown_id is None else name_of[symbols.unknown_id]
        return {
            "type": "BPE",
            "dropout": None,
            "unk_token": unknown,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": self.ending or None,
            "fuse_unk": symbols.fuse_unknown,
            "byte_fallback": symbols.byte_ids is not None,
            "ignore_merges": vocabulary.whole_piece or bool(self.user_defined),
            "vocab": ids,
            "merges": merges,
        }

    # -- Added tokens --------------------------------------------------------------------------------------------

    def _content(self, token: AddedToken) -> str:
        content = self.vocabulary.only_decoded.get(token.id, token.content.encode("utf-8", "surrogatepass"))
        text = content.decode("utf-8", "surrogatepass")
        return text.replace(" ", SPACE_MARK) if self.marks_spaces and token.normalized else text

    def _added_tokens(self) -> list[dict[str, Any]]:
        vocabulary = self.vocabulary
        apart = set(self.user_defined)
        added = {token.content: token for token in vocabulary.added_tokens if token not in apart}
        for content, i in vocabulary.special_tokens.items():
            added.setdefault(content, AddedToken(content, i))
        prepends = any(isinstance(normalizer, Prepend) for normalizer in vocabulary.normalizers)
        if prepends and any(token.normalized for token in added.values()):
            raise self._refused(
                "it prepends something to a text, and has added tokens that are looked for in normalized text; "
                "`tokenizers` normalizes such a token, too, and would look for it with what is prepended"
            )
        return [
            {
                "id": token.id,
                "content": self._content(token),
                **{flag: getattr(token, flag) for flag in FLAGS},
                "special": token.content in vocabulary.special_tokens,
            }
            for token in sorted(added.values(), key=lambda token: token.id)
        ]

    # -- Normalizers and pre-tokenizers --------------------------------------------------------------------------

    def _normalizers(self) -> list[dict[str, Any]]:
        chain = list(self.vocabulary.normalizers)
        out: list[dict[str, Any]] = []
        if self.marks_spaces:
            behind = chain[chain.index(_MARKS) + 1 :]
            chain = chain[: chain.index(_MARKS)]
            if behind not in ([], [Prepend(" ")], [Prepend(" ", once=True)]):
                raise self._refused(f"its normalizers end with {behind}")
            if behind == [Prepend(" ")]:
                out.append({"type": "Prepend", "prepend": SPACE_MARK})
            out.append({"type": "Replace", "pattern": {"String": " "}, "content": SPACE_MARK})
        return [*map(self._normalizer, chain), *out]

    def _normalizer(self, normalizer: Normalizer) -> dict[str, Any]:
        match normalizer:
            case UnicodeForm(form):
                return {"type": form}
            case Lowercase():
                return {"type": "Lowercase"}
            case Strip(left, right):
                return {"type": "Strip", "strip_left": left, "strip_right": right}
            case Replace(pattern, content, is_regex):
                return {
                    "type": "Replace",
                    "pattern": {"Regex" if is_regex else "String": pattern},
                    "content": content,
                }
            case Prepend(text, False):
                return {"type": "Prepend", "prepend": text}
        raise self._refused(f"it has no normalizer {type(normalizer).__name__}")

    def _pre_tokenizers(self, ids: dict[str, int]) -> list[dict[str, Any]]:
        vocabulary = self.vocabulary
        if self.marks_spaces and vocabulary.splits:
            raise self._refused("spaces are marked, and text is cut in stages")
        stages = list(vocabulary.splits)
        pattern = vocabulary.pattern
        if pattern is not None and not (not self.by_bytes and cuts_no_token(pattern, vocabulary.tokens)):
            named = find_named_pattern(pattern)
            spelt = named.stages or (named.portable or pattern,) if named is not None else (pattern,)
            stages += map(Split, spelt)
        if not self.by_bytes:
            once = self.marks_spaces and vocabulary.normalizers[-1] == Prepend(" ", once=True)
            mark = {"type": "Metaspace", "replacement": SPACE_MARK, "prepend_scheme": "always", "split": False}
            return [*map(self._stage, stages), *self._user_defined_stages(ids, stages), *[mark] * once]
        # The last ones may be ByteLevel's own.
        use_regex = bool(stages) and stages[-1] == Split(_GPT2)
        stages = stages[:-1] if use_regex else stages
        prefixed = bool(stages) and stages[-1] == PrefixPieces(" ")
        stages = stages[:-1] if prefixed else stages
        return [*map(self._stage, stages), _byte_level(use_regex=use_regex, add_prefix_space=prefixed)]

    def _user_defined_stages(self, ids: dict[str, int], others: list[Any]) -> list[dict[str, Any]]:
        """What cuts user-defined pieces out; see `user_defined_splits`."""
        if not self.user_defined:
            return []
        if others:
            raise self._refused("text is cut in stages, and has user-defined pieces behind a prefix")
        pieces = {self._content(token): token.id for token in self.user_defined}
        try:
            guard = guard_pattern(self.vocabulary, {name: i for name, i in ids.items() if name not in pieces})
        except ValueError as error:
            raise self._refused(str(error)) from None
        return [_isolated(pattern) for pattern in (pieces_pattern(pieces), guard) if pattern is not None]

    def _stage(self, stage: Split | PrefixPieces) -> dict[str, Any]:
        if isinstance(stage, PrefixPieces):
            raise self._refused(f"it has no pre-tokenizer for {stage}")
        behavior = "".join(part.capitalize() for part in stage.behavior.split("_"))
        return {"type": "Split", "pattern": {"Regex": stage.pattern}, "behavior": behavior, "invert": stage.invert}

    def _decoder(self) -> dict[str, Any] | None:
        prefix = self.vocabulary.decoded_prefix
        if self.by_bytes:
            if prefix:
                raise self._refused(f"it has no decoder that takes {prefix!r} off")
            return _byte_level(use_regex=True, add_prefix_space=True)
        parts: list[dict[str, Any]] = []
        if self.marks_spaces:
            parts.append({"type": "Replace", "pattern": {"String": SPACE_MARK}, "content": " "})
        parts += [{"type": "ByteFallback"}, {"type": "Fuse"}]
        if prefix:
            parts.append({"type": "Strip", "content": prefix[0], "start": len(prefix), "stop": 0})
        return _sequence("decoders", parts)


def _byte_level(*, use_regex: bool, add_prefix_space: bool = False) -> dict[str, Any]:
    return {"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": True, "use_regex": use_regex}


def _isolated(pattern: str) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


def _sequence(key: str, parts: list[dict[str, Any]]) -> dict[str, Any] | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    return {"type": "Sequence", key: parts}
