"""Tokenizers of other libraries to vocabularies and back, and what constrained decoding asks of a tokenizer.

Nothing of them is imported but where it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from minitok.vocabulary import Vocabulary

if TYPE_CHECKING:
    import tiktoken
    import tokenizers

__all__ = ["GrammarTokenizer", "from_huggingface", "from_tiktoken", "to_huggingface", "to_tiktoken"]


def from_tiktoken(encoding: tiktoken.Encoding) -> Vocabulary:
    """The vocabulary of an encoding of tiktoken's; see `minitok.from_tiktoken`."""
    try:
        ranks, pattern, special = encoding._mergeable_ranks, encoding._pat_str, encoding._special_tokens
    except AttributeError:
        raise TypeError(f"expected an Encoding of tiktoken, not {type(encoding).__name__}") from None
    return Vocabulary(encoding.name, dict(ranks), None, dict(special), pattern)


def to_tiktoken(vocabulary: Vocabulary) -> tiktoken.Encoding:
    """Tiktoken's encoding of a vocabulary; see `Encoding.to_tiktoken`."""
    import tiktoken

    if not vocabulary.is_rank_file():
        raise ValueError(
            f"tiktoken cannot express {vocabulary.name!r}: it is more than tokens ranked by their ids, and a pattern"
        )
    return tiktoken.Encoding(
        vocabulary.name,
        # Without a pattern a text is one piece.
        pat_str=vocabulary.pattern or r"[\s\S]+",
        mergeable_ranks=dict(vocabulary.tokens),
        special_tokens=dict(vocabulary.special_tokens),
    )


def from_huggingface(tokenizer: Any, name: str | None) -> Vocabulary:
    """The vocabulary of a tokenizer of `tokenizers` or `transformers`; see `minitok.from_huggingface`."""
    from minitok.formats import huggingface_file

    inner = getattr(tokenizer, "backend_tokenizer", tokenizer)
    to_str: Callable[[], str] | None = getattr(inner, "to_str", None)
    if to_str is None:
        raise TypeError(
            f"expected a Tokenizer of tokenizers, or a fast tokenizer of transformers, not {type(tokenizer).__name__}"
        )
    called = name or getattr(tokenizer, "name_or_path", None) or "huggingface"
    return huggingface_file.parse(to_str().encode("utf-8"), type(tokenizer).__name__, name=called)


def to_huggingface(vocabulary: Vocabulary) -> tokenizers.Tokenizer:
    """The tokenizer of `tokenizers` for a vocabulary; see `Encoding.to_huggingface`."""
    import tokenizers

    from minitok.formats import huggingface_writer

    return tokenizers.Tokenizer.from_str(json.dumps(huggingface_writer.document(vocabulary)))


class GrammarTokenizer:
    """What libraries for constrained decoding ask of a tokenizer: the bytes of each id, and which ids are special.

        llguidance      llguidance.LLTokenizer(llguidance.TokenizerWrapper(it))
        xgrammar        xgrammar.TokenizerInfo(it.tokens, xgrammar.VocabType.RAW, stop_token_ids=[it.eos_token_id])
        outlines-core   outlines_core.Vocabulary(it.eos_token_id, it.ids_of_tokens)

    Attributes:
        tokens: the bytes of each id, in their order. Where there is none, a placeholder, which is special.
        eos_token_id: the id that ends a text.
        bos_token_id: the id that begins one, or None.
        special_token_ids: the ids that no text makes, rising.
        ids_of_tokens: the ids of each token that text makes, by its bytes; several ids may have the same.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        encode: Callable[[str | bytes], list[int]],
        eos_token: str | int,
        bos_token: str | int | None,
        size: int | None,
    ) -> None:
        special = vocabulary.special_tokens
        listed = vocabulary.token_list()
        if size is not None and size < len(listed):
            raise ValueError(f"size is {size}, but {vocabulary.name!r} has {len(listed)} ids")
        listed += [None] * ((size or 0) - len(listed))
        holes = {i for i, token in enumerate(listed) if token is None}
        self._encode = encode
        self.tokens = [f"<|unused_{i}|>".encode() if token is None else token for i, token in enumerate(listed)]
        self.eos_token_id = special[eos_token] if isinstance(eos_token, str) else eos_token
        self.bos_token_id = special[bos_token] if isinstance(bos_token, str) else bos_token
        self.special_token_ids = sorted({*special.values(), *vocabulary.only_decoded, *holes})
        apart = {*self.special_token_ids, self.eos_token_id}
        self.ids_of_tokens: dict[bytes, list[int]] = {}
        for i, token in enumerate(self.tokens):
            if i not in apart:
                self.ids_of_tokens.setdefault(token, []).append(i)

    def __call__(self, text: str | bytes) -> list[int]:
        """The ids of a text, in which nothing is special."""
        return self._encode(text)
