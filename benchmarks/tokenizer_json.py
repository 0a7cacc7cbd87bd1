"""A rank file as the `tokenizer.json` that some peers read: the same tokens, merges, pattern, no special tokens."""

from __future__ import annotations

import base64
import json
from pathlib import Path

__all__ = ["byte_characters", "tokenizer_json"]


def byte_characters() -> dict[int, str]:
    """The characters that GPT-2's vocabulary spells bytes with: printable ones themselves, others from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    return {b: chr(b) for b in printable} | {b: chr(0x100 + i) for i, b in enumerate(others)}


def tokenizer_json(rank_file: Path, pattern: str | None) -> str:
    """The text of the file. Each way to cut a token into two is a merge, at the rank of the token.

    Without a pattern, it is that of GPT-2, which such files have a word for.
    """
    lines = rank_file.read_bytes().split()
    ranks = {base64.b64decode(token): int(rank) for token, rank in zip(lines[::2], lines[1::2], strict=True)}
    spell = byte_characters()
    spelt = {token: "".join(map(spell.__getitem__, token)) for token in ranks}
    merges = []
    for token in sorted(ranks, key=ranks.__getitem__):
        cuts = [(token[:i], token[i:]) for i in range(1, len(token))]
        pairs = [(ranks[a], ranks[b], spelt[a], spelt[b]) for a, b in cuts if a in ranks and b in ranks]
        merges += [[left, right] for *_, left, right in sorted(pairs)]
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": pattern is None}
    model = {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": True,
        "vocab": {spelt[token]: rank for token, rank in ranks.items()},
        "merges": merges,
    }
    return json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [],
            "normalizer": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, level]} if pattern else level,
            "post_processor": None,
            "decoder": level,
            "model": model,
        }
    )
