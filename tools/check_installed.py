"""Whether an installed minitok works at all: trains, saves, loads, encodes and decodes. It needs no other package.

python tools/check_installed.py native        fails if the backend in use is not the compiled one
python tools/check_installed.py python        or not the pure one
"""

import sys
import tempfile
from pathlib import Path

import minitok

TEXT = "She sells sea shells; 12 345 of them. 她在海边卖贝壳。 žluťoučký kůň 🐎\n"
#: Its ids, which every backend, system and Python has to give.
IDS = [
    1665,
    389,
    12805,
    4258,
    410,
    12805,
    59,
    32,
    7401,
    32,
    27982,
    53,
    300,
    678,
    46,
    32,
    974,
    185,
    1457,
    2359,
    13694,
    23728,
    1884,
    157,
    1072,
    179,
    305,
    32,
    7224,
    9835,
    24293,
    267,
    14939,
    107,
    25518,
    364,
    197,
    175,
    197,
    136,
    32,
    240,
    159,
    144,
    142,
    10,
]
#: What is learnt, likewise.
LEARNT = [b" s", b"he", b" se", b"ll", b" sea", b"lls"]


def main() -> None:
    """Do a little of everything."""
    assert sys.argv[1:] == [minitok.BACKEND], f"the backend is {minitok.BACKEND}, not {sys.argv[1:]}"
    where = Path(minitok.__file__).resolve().parent
    assert Path(__file__).resolve().parent.parent not in where.parents, (
        f"{where} is the checkout, not an installation"
    )
    trained = minitok.train(["she sells sea shells by the sea shore"], vocab_size=262)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.minitok.json"
        trained.save(path)
        loaded = minitok.load(path)
    assert loaded.tokens[256:] == trained.tokens[256:] == LEARNT, loaded.tokens[256:]
    for enc in (loaded, minitok.get_encoding("minitok_32k")):
        for text in (TEXT, TEXT * 5_000):
            ids = enc.encode(text)
            assert enc.decode(ids) == text
            assert list(enc.encode_to_numpy(text)) == ids
            assert enc.count(text) == len(ids)
    assert minitok.get_encoding("minitok_32k").encode(TEXT) == IDS
    print(f"minitok {minitok.__version__} ({minitok.BACKEND}) of {where} works on Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
