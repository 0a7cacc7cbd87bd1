"""Special tokens at random: vocabularies in which they overlap, texts that nearly spell them, every way of asking.

    python -m tests.special_rounds [--seconds N] [--seed N]

A round is all that follows from one seed; both backends have to do the same in it, messages of errors included.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from typing import Any

import minitok
from minitok.patterns import PATTERNS
from minitok.text import has_surrogates
from tests.agreement import encoding_on, outcome
from tests.conftest import installed_seams
from tests.oracle import to_tiktoken
from tests.pieces import NAMES, TIKTOKEN_NAMES
from tests.strategies import CLASS_CHARACTERS

#: What special tokens are made of: so that one begins, ends or holds another.
PARTS = ["<|", "|>", "end", "<|end|>", "a", " ", "é", "字", "\n", "<", "|", "'s", "😀", "\ufffd", "\ud83d", "1"]
#: What texts have between them.
BETWEEN = [*CLASS_CHARACTERS, "the ", "<|en", "\ud83d", "\udc4d", "aab"]
TOKENS = [
    *(bytes([b]) for b in range(256)),
    b"ab",
    b"aab",
    b"<|",
    b"end",
    b" the",
    "é".encode(),
    "字".encode(),
    b"  ",
]

Policy = dict[str, Any]


class Round:
    """The vocabulary, the texts and the policies of one seed."""

    def __init__(self, seed: int) -> None:
        self._choose = random.Random(seed)
        choose = self._choose
        names = {"".join(choose.choices(PARTS, k=choose.randint(1, 3))) for _ in range(choose.randint(0, 6))}
        self.special = {name: 1000 + i for i, name in enumerate(sorted(names))}
        self.pattern = (
            PATTERNS[choose.choice(NAMES)].regex if choose.random() < 0.8 else choose.choice([None, r"\w+"])
        )
        self.texts = [self._text() for _ in range(6)]
        self.limit = choose.randint(0, 12)

    def _text(self) -> Any:
        choose = self._choose
        names = [*self.special, *PARTS]
        parts = []
        for _ in range(choose.randint(0, 10)):
            name = choose.choice(names)
            parts.append(name if choose.random() < 0.7 else name[: choose.randint(0, len(name))])
            parts.append("".join(choose.choices(BETWEEN, k=choose.choice([0, 0, 1, 2, 5]))))
        text = "".join(parts)
        form = choose.choice(["str", "str", "str", "bytes", "bytearray", "memoryview"])
        if form == "str":
            return text
        data = text.encode("utf-8", "surrogatepass")
        if choose.random() < 0.3:
            data = data[: choose.randint(0, len(data))] + bytes(choose.choices([0x80, 0xE5, 0xFF, 0x61], k=2))
        return {"bytes": bytes, "bytearray": bytearray, "memoryview": memoryview}[form](data)

    def some_names(self) -> set[str]:
        """Some of the special tokens, and perhaps a string that is none."""
        choose = self._choose
        return {name for name in [*self.special, "no such", "a"] if choose.random() < 0.5}

    def policy(self) -> Policy:
        """What is allowed and what is an error; or neither, which is the default."""
        choose = self._choose
        policy: Policy = {}
        if choose.random() < 0.7:
            policy["allowed_special"] = choose.choice(["all", self.some_names(), set(), frozenset(self.some_names())])
        if choose.random() < 0.7:
            policy["disallowed_special"] = choose.choice(["all", (), self.some_names(), list(self.some_names())])
        return policy

    def calls(self) -> dict[str, Callable[[minitok.Encoding], Any]]:
        """Every way of asking, each with a text and a policy of its own."""
        policy, texts, limit = self.policy(), self.texts, self.limit
        text = self._choose.choice(texts)
        threads = self._choose.choice([1, 2, 8, None])

        def to_numpy(encoding: minitok.Encoding) -> Any:
            ids, ends = encoding.encode_batch_to_numpy(texts, num_threads=threads, **policy)
            return ids.tolist(), ends.tolist()

        return {
            "encode": lambda e: e.encode(text, **policy),
            "encode with threads": lambda e: e.encode(text, num_threads=threads, **policy),
            "encode_ordinary": lambda e: e.encode_ordinary(text),
            "encode_to_numpy": lambda e: e.encode_to_numpy(text, num_threads=threads, **policy).tolist(),
            "encode_batch": lambda e: e.encode_batch(texts, num_threads=threads, **policy),
            "encode_ordinary_batch": lambda e: e.encode_ordinary_batch(texts, num_threads=threads),
            "encode_batch_to_numpy": to_numpy,
            "count": lambda e: e.count(text, num_threads=threads, **policy),
            "fits": lambda e: e.fits(text, limit, **policy),
            "truncate": lambda e: e.truncate(text, limit, **policy) if isinstance(text, str) else None,
            "encode_with_offsets": lambda e: e.encode_with_offsets(text, **policy),
            "encode_with_unstable": lambda e: (
                e.encode_with_unstable(text[:60], **policy) if isinstance(text, str) else None
            ),
        }

    def encoding(self, module: Any) -> minitok.Encoding:
        """The vocabulary on one backend."""
        ranks = {token: i for i, token in enumerate(TOKENS)}
        return encoding_on(module, pat_str=self.pattern, mergeable_ranks=ranks, special_tokens=self.special)


def run_round(seed: int, modules: list[Any]) -> int:
    """Do one round; how many calls there were.

    Raises:
        AssertionError: two backends differ, or two ways of asking the same.
    """
    this = Round(seed)
    encodings = [this.encoding(module) for module in modules]
    calls = 0
    for _ in range(4):
        results: dict[str, Any] = {}
        for name, call in this.calls().items():
            outcomes = [outcome(lambda: call(encoding)) for encoding in encodings]
            assert all(other == outcomes[0] for other in outcomes), (seed, name, outcomes)
            results[name] = outcomes[0]
            calls += 1
        check_same_question(seed, results)
    return calls + ask_tiktoken(this, encodings[0])


def ask_tiktoken(this: Round, ours: minitok.Encoding) -> int:
    """The ids of each str by tiktoken, where it has the pattern and nothing depends on the order of a set."""
    names = "".join(this.special)
    begun = any(a != b and b.startswith(a) for a in this.special for b in this.special)
    if this.pattern not in {PATTERNS[name].regex for name in TIKTOKEN_NAMES} or begun or has_surrogates(names):
        return 0
    theirs = to_tiktoken(ours)
    texts = [text for text in this.texts if isinstance(text, str)]
    for text in texts:
        policy = this.policy()
        expected = outcome(lambda: theirs.encode(text, **policy))
        given = outcome(lambda: ours.encode(text, **policy))
        # Which of several disallowed tokens tiktoken names depends on the order of a set.
        assert given == expected or given[0] == expected[0] == "ValueError", (this.special, text, policy)
    return len(texts)


def check_same_question(seed: int, results: dict[str, Any]) -> None:
    """Ways of asking the same give the same."""
    encoded = results["encode"]
    assert results["encode with threads"] == results["encode_to_numpy"] == encoded, seed
    if encoded[0] == "returned":
        kind, pair = results["encode_with_offsets"]
        assert kind == "returned", seed
        assert pair[0] == encoded[1], seed
        # Its defaults are others: no policy asks for what `encode` refuses.
        if results["count"][0] == "returned":
            kind, flat = results["encode_batch_to_numpy"]
            batch = results["encode_batch"]
            assert kind == batch[0], seed
            assert kind != "returned" or flat[0] == [i for ids in batch[1] for i in ids], seed


def main() -> int:
    """Rounds for so long; an AssertionError with the seed if backends differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None, help="of the first round; default: by the clock")
    options = parser.parse_args()
    modules = installed_seams()
    first = seed = time.time_ns() if options.seed is None else options.seed
    calls = 0
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        calls += run_round(seed, modules)
        seed += 1
    print(f"special tokens: {seed - first:,} rounds from seed {first}, {calls:,} calls; no difference")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
