"""minitok: a trainable byte-level BPE tokenizer library.

>>> import minitok
>>> enc = minitok.train(["the cat, the hat"], vocab_size=260)
>>> enc.decode(enc.encode("the cat"))
'the cat'
"""

from minitok._backend import BACKEND
from minitok._version import __version__
from minitok.comparison import Comparison, compare
from minitok.datasets import Dataset, encode_dataset, open_dataset
from minitok.encoding import Encoding
from minitok.id_files import EncodedFile
from minitok.registry import (
    encoding_for_model,
    encoding_name_for_model,
    from_huggingface,
    from_tiktoken,
    get_encoding,
    list_encoding_names,
    load,
)
from minitok.training import PieceCounts, count_pieces, train
from minitok.vocabulary import Vocabulary

__all__ = [
    "BACKEND",
    "Comparison",
    "Dataset",
    "EncodedFile",
    "Encoding",
    "PieceCounts",
    "Vocabulary",
    "__version__",
    "compare",
    "count_pieces",
    "encode_dataset",
    "encoding_for_model",
    "encoding_name_for_model",
    "from_huggingface",
    "from_tiktoken",
    "get_encoding",
    "list_encoding_names",
    "load",
    "open_dataset",
    "train",
]
