"""Hypothesis strategies that aim at the branch points: runs, ties, lengths where code changes its ways."""

from __future__ import annotations

from hypothesis import strategies as st

#: One or more representatives of each class that patterns tell apart, and of what is easily taken for another.
CLASS_CHARACTERS = [
    *"aAzZ",  # lower, upper
    "ǅ",  # Lt
    "ʰ",  # Lm
    "א",  # Lo
    "字",  # Lo, three bytes
    "ア",
    "・",  # a sign among kana
    "\u3099",  # a mark among kana
    "\u3097",  # unassigned among kana
    "\x01",
    "\U00010400",  # Lu, four bytes
    "\U00020000",  # Lo, four bytes
    "\u0301",  # Mn
    "\u0903",  # Mc
    *"15",
    "٣",  # Nd, two bytes
    "½",  # No
    "Ⅷ",  # Nl
    *" \t\n\r\v\f",
    "\x1c",  # white space to Python, not to Unicode
    "\x85",
    "\xa0",
    "\u2028",
    "\u3000",
    "\u200b",  # looks like white space, is not
    *"'/!._-",
    "’",
    *"sdmtlrveSDMTLRVE",
    "ſ",  # folds to s
    "\u212a",  # folds to k
    "😀",
    "\u1c89",  # a letter since Unicode 16
    "\U000323b0",  # a letter since Unicode 17: not one here
    "\ufffd",
    "\x00",
]

class_text = st.text(alphabet=CLASS_CHARACTERS, max_size=24)
any_text = st.text(max_size=60)
#: Surrogates as well: alone, in pairs, in the wrong order.
surrogate_text = st.text(
    alphabet=st.one_of(
        st.sampled_from(["a", " ", "é", "\ud83d", "\udc4d", "\udc80", "\ud800"]), st.characters(categories=None)
    ),
    max_size=30,
)
#: Lengths around those where the code changes its ways.
edge_lengths = st.sampled_from([1, 2, 14, 15, 16, 17, 31, 32, 33, 63, 64, 65, 66, 95, 96, 97, 99, 100, 101, 128, 300])
runs = st.builds(
    lambda unit, n: (unit * n)[:n], st.sampled_from(["a", "ab", "abc", " ", "\n", "é", "字", "^"]), edge_lengths
)
texts = st.one_of(class_text, any_text, runs, st.builds(lambda a, b, c: a + b + c, class_text, runs, class_text))

low_entropy_bytes = st.builds(
    lambda alphabet, choices: bytes(alphabet[c % len(alphabet)] for c in choices),
    st.sampled_from([b"a", b"ab", b"abc", "aé".encode(), "字a".encode()]),
    st.one_of(
        st.lists(st.integers(0, 5), max_size=20),
        edge_lengths.flatmap(lambda n: st.lists(st.integers(0, 5), min_size=n, max_size=n)),
    ),
)
any_bytes = st.one_of(
    st.binary(max_size=60),
    low_entropy_bytes,
    st.lists(
        st.sampled_from([b"a", b" ", "é".encode(), b"\xe5", b"\xad", b"\x97", b"\xff", b"\xed\xa0\x80", b"\xc0\x80"])
    ).map(b"".join),
)

#: Words with counts: few letters and small counts, so that most pairs tie.
counted_words = st.dictionaries(
    st.builds(
        lambda alphabet, choices: bytes(alphabet[c % len(alphabet)] for c in choices),
        st.sampled_from([b"a", b"ab", b"abcd"]),
        st.lists(st.integers(0, 3), min_size=1, max_size=14),
    ),
    st.integers(1, 4),
    max_size=8,
)

#: Options of a `Learner`, as in its signature.
learner_options = st.fixed_dictionaries(
    {},
    optional={
        "min_frequency": st.integers(1, 4),
        "max_token_length": st.sampled_from([1, 2, 3, 5]),
        "ties": st.sampled_from(["ids", "first"]),
        "allowed": st.sampled_from(
            [lambda token: b"ab" not in token, lambda token: len(token) % 3 > 0, lambda token: sum(token) % 5 > 0]
        ),
    },
)


def grow(letters: bytes, choices: list[tuple[int, int]]) -> list[bytes]:
    """Tokens each of which is two earlier ones, or letters, put together; as those are that are learnt."""
    tokens = [bytes([b]) for b in letters]
    for left, right in choices:
        token = tokens[left % len(tokens)] + tokens[right % len(tokens)]
        if token not in tokens and len(token) <= 12:
            tokens.append(token)
    return tokens[len(letters) :]


grown_tokens = st.builds(
    grow,
    st.sampled_from([b"ab", "aé".encode(), "字a".encode(), "字 典".encode()]),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=14),
)


@st.composite
def rank_files(draw: st.DrawFn, *, all_bytes: bool = True) -> dict[bytes, int]:
    """Small vocabularies whose ranks say nothing: tokens that no merge makes, parts that are no tokens, any order."""
    single = range(256) if all_bytes else draw(st.sets(st.sampled_from(list(b"abc")), min_size=1))
    everything = [bytes([b]) for b in single]
    if draw(st.booleans()):
        everything += draw(grown_tokens)
    else:
        everything += sorted(draw(st.sets(low_entropy_bytes.filter(lambda t: 2 <= len(t) <= 8), max_size=12)))
    if draw(st.booleans()):
        everything = draw(st.permutations(everything))
    step = draw(st.sampled_from([1, 3]))
    return {token: step * i for i, token in enumerate(everything)}


@st.composite
def merge_lists(draw: st.DrawFn) -> tuple[dict[bytes, int], list[tuple[int, int, int]]]:
    """Tokens, and merges in an order of their own; the same token may be made in several ways."""
    tokens = [bytes([b]) for b in range(256)]
    ids = {token: i for i, token in enumerate(tokens)}
    merges: list[tuple[int, int, int]] = []
    for _ in range(draw(st.integers(0, 10))):
        candidates = [ids[b"a"], ids[b"b"], *range(256, len(tokens))]
        left, right = draw(st.sampled_from(candidates)), draw(st.sampled_from(candidates))
        token = tokens[left] + tokens[right]
        if len(token) > 12 or any(merge[:2] == (left, right) for merge in merges):
            continue
        if token not in ids:
            ids[token] = len(tokens)
            tokens.append(token)
        merges.append((left, right, ids[token]))
    return ids, draw(st.permutations(merges))
