"""Train the embedded vocabulary `minitok_32k` and write it into the package.

    MINITOK_TEST_DATA=FOLDER python tools/train_default.py [--output FILE]

`FOLDER/corpora` holds the three corpora named below. The result is the same wherever it is trained, so running this
again tells whether the file in the package is the one that these sources give. The weights bring the three closer
together: English is several times larger than the others on disk.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from pathlib import Path

import minitok
from minitok.formats import minitok_json
from minitok.vocabulary import Vocabulary

END_OF_TEXT = "<|endoftext|>"
VOCAB_SIZE = 32_768
#: File to (how many times its counts are taken, what it is and under which licence).
SOURCES = {
    "english.txt": (
        1,
        "English novels of the 18th to 20th century (European Literary Text Collection): public domain, CC BY",
    ),
    "multilingual.txt": (
        2,
        "about 100 languages: novels, New Testaments, declarations of human rights, technical documents, prose",
    ),
    "chinese.txt": (1, "classical Chinese poems, collection under the MIT licence"),
}
DEFAULT_OUTPUT = Path(__file__).resolve().parent.parent / "src/minitok/data/minitok_32k.json"


def main() -> None:
    """Count, learn, describe, write."""
    parser = argparse.ArgumentParser(description="Train the embedded vocabulary.")
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT)
    output = parser.parse_args().output
    corpora = Path(os.environ["MINITOK_TEST_DATA"]) / "corpora"
    counts: Counter[bytes] = Counter()
    for name, (weight, _) in SOURCES.items():
        counted = minitok.count_pieces(corpora / name, special_tokens=[END_OF_TEXT])
        counts.update({piece: weight * count for piece, count in counted.items()})
    trained = minitok.train(
        counts, vocab_size=VOCAB_SIZE, special_tokens=[END_OF_TEXT], name="minitok_32k"
    ).vocabulary
    described = Vocabulary(
        trained.name,
        trained.tokens,
        trained.merges,
        trained.special_tokens,
        trained.pattern,
        trained.whole_piece,
        {
            **trained.metadata,
            "sources": [{"file": name, "weight": weight, "what": what} for name, (weight, what) in SOURCES.items()],
            "licence": "MIT",
        },
    )
    output.parent.mkdir(exist_ok=True)
    output.write_bytes(minitok_json.dump(described))
    print(f"{output}: {output.stat().st_size} bytes, {described.n_vocab} ids")


if __name__ == "__main__":
    main()
