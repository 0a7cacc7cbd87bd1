"""Named encodings."""
from minitok import formats
from minitok.encoding import Encoding
ENCODINGS={}
def load(path, *, name=None, pattern=None, special_tokens=None):
    return Encoding.from_vocabulary(formats.load(path, name=name, pattern=pattern, special_tokens=special_tokens))
def get_encoding(encoding_name): raise ValueError
def encoding_for_model(m): raise ValueError
def encoding_name_for_model(m): raise ValueError
def list_encoding_names(): return []
