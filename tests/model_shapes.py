"""Tokenizers like those of models whose files are not among the test data, trained by the packages they are for."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sentencepiece
import tokenizers

SYSTEMS = ["bloom", "qwen", "codeparrot", "roberta", "starcoder", "metaspace", "punctuation"]

#: What models are told, by name; for `sentencepiece`.
OPTIONS: dict[str, dict[str, Any]] = {
    "llama": {
        "byte_fallback": True,
        "split_digits": True,
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
        "allow_whitespace_only_pieces": True,
        "character_coverage": 0.98,
    },
    "mistral": {
        "byte_fallback": True,
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
        "user_defined_symbols": ["[A]", "[A]b", "▁▁", "é", "x|\\", "THE"],
        "character_coverage": 0.98,
    },
    "gemma": {
        "byte_fallback": True,
        "split_digits": True,
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
        "add_dummy_prefix": False,
        "user_defined_symbols": ["\n", "\n\n", "\n\n\n", "▁▁", "▁▁▁", "▁▁▁▁", "<start_of_turn>", "<a>", "<ab"],
    },
    "grok": {
        "byte_fallback": True,
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
        "unk_id": 3,
        "pad_id": 0,
        "user_defined_symbols": ["\n" * n for n in range(1, 66)],
    },
    "plain": {
        "normalization_rule_name": "identity",
        "character_coverage": 0.98,
        "remove_extra_whitespaces": False,
    },
    "removing": {"normalization_rule_name": "identity", "character_coverage": 0.98},
    "nmt_nfkc": {"normalization_rule_name": "nmt_nfkc", "character_coverage": 0.98},
    "nfkc_cf": {
        "normalization_rule_name": "nfkc_cf",
        "byte_fallback": True,
        "user_defined_symbols": ["ﬁ", "THE", "é"],
    },
    "across": {"split_by_whitespace": False, "normalization_rule_name": "nfkc", "max_sentencepiece_length": 12},
}


def train_model(name: str, lines: Iterable[str], vocab_size: int) -> bytes:
    """A model of `sentencepiece` with the options of a name, trained on lines."""
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=out,
        model_type="bpe",
        vocab_size=vocab_size,
        hard_vocab_limit=False,
        minloglevel=2,
        **OPTIONS[name],
    )
    return out.getvalue()


def train_tokenizer(name: str, texts: Iterable[str], vocab_size: int) -> Any:
    """A tokenizer of `tokenizers` of a kind, trained on texts; with added tokens with flags."""
    from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, processors, trainers

    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer = tokenizers.Tokenizer(models.BPE())
    special = ["<unk>", "<s>", "</s>", "<pad>"]
    by_bytes = True
    match name:
        case "bloom":
            split = Regex(r" ?[^(\s|[.,!?…。，、।۔،])]+")
            tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
                [
                    pre_tokenizers.Split(split, "isolated"),
                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
                ]
            )
        case "qwen":
            split = Regex(
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
                r"|\s+(?!\S)|\s+"
            )
            tokenizer.normalizer = normalizers.NFC()
            tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
                [
                    pre_tokenizers.Split(split, "isolated"),
                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
                ]
            )
        case "codeparrot" | "roberta":
            tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=name == "roberta")
        case "starcoder":
            tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
                [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
            )
        case "metaspace":
            tokenizer = tokenizers.Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
            tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
            by_bytes = False
        case "punctuation":
            steps = [normalizers.NFKD(), normalizers.Lowercase(), normalizers.Strip()]
            tokenizer.normalizer = normalizers.Sequence(steps)
            tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
                [
                    pre_tokenizers.WhitespaceSplit(),
                    pre_tokenizers.Punctuation("merged_with_previous"),
                    pre_tokenizers.Split("a", "merged_with_next"),
                    pre_tokenizers.Digits(),
                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
                ]
            )
    tokenizer.decoder = decoders.ByteLevel() if by_bytes else decoders.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=special,
        initial_alphabet=alphabet if by_bytes else [],
        show_progress=False,
    )
    texts = [*texts]
    tokenizer.train_from_iterator(texts, trainer)
    if name == "codeparrot":
        tokenizer = _trained_again(tokenizer, texts, vocab_size)
    if name == "roberta":
        tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 1), add_prefix_space=True)
    tokenizer.add_special_tokens([tokenizers.AddedToken("<mask>", lstrip=True), "<x> y"])
    # With Metaspace, minitok refuses a token that is looked for late and takes white space, beside such an early one.
    last = tokenizers.AddedToken("Zz", rstrip=True, normalized=name != "metaspace")
    tokenizer.add_tokens([tokenizers.AddedToken("word", single_word=True), last])
    return tokenizer


def _trained_again(tokenizer: Any, texts: list[str], vocab_size: int) -> Any:
    """A tokenizer like another one, trained as CodeParrot's was: by `transformers`, from GPT-2's."""
    import transformers

    make: Any = transformers.PreTrainedTokenizerFast
    first = make(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>")
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    again = first.train_new_from_iterator(texts, vocab_size, initial_alphabet=alphabet, show_progress=False)
    return again.backend_tokenizer


def write_permuted(tokenizer: Any, folder: Path) -> Any:
    """`vocab.json` and `merges.txt` of a tokenizer, its ids in another order; and what `tokenizers` makes of them."""
    from tokenizers import models, pre_tokenizers

    vocab = tokenizer.get_vocab(with_added_tokens=False)
    ids = sorted(vocab.values(), key=lambda i: (i * 7919) % 1009)
    permuted = {token: ids[place] for place, token in enumerate(sorted(vocab, key=vocab.__getitem__))}
    merges = [f"{left} {right}\n" for left, right in json.loads(tokenizer.to_str())["model"]["merges"]]
    (folder / "vocab.json").write_text(json.dumps(permuted, ensure_ascii=False), "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(merges), "utf-8")
    reference = tokenizers.Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    reference.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return reference
