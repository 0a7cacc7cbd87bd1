# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# cython: freethreading_compatible=True
"""The compiled twin of `_pymerge`: the same names, over the C core in `_core/`.

Longer than 500 lines because every way from Python objects to the core's memory is here, and nowhere else.

A whole text crosses this file, not a piece; here are only the ways from Python objects to memory and back. What the
results mean is said in `_pymerge`, which is the specification.

Threads. An `Encoder` does not change after construction. What a call writes to is a workspace, which belongs to that
call alone: it is taken from the encoder's pool and put back, so that there are as many as there were calls at once.
"""

cimport cython
from cpython.buffer cimport (
    PyBUF_SIMPLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_CheckBuffer, PyObject_GetBuffer
)
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_FromStringAndSize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.list cimport PyList_New
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_DATA, PyUnicode_GET_LENGTH, PyUnicode_KIND
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memchr, memcpy, memset

from minitok._core_api cimport *

from collections.abc import Mapping
from bisect import bisect_left
from operator import index, itemgetter

from minitok._errors import bad_offsets, missing_byte
from minitok.pretokenizer import bytes_of, get_pretokenizer, text_of
from minitok.symbols import BYTES
from minitok.table_merges import TableMerges

__all__ = ["Decoder", "Encoder", "RankTable", "SpecialFinder"]


cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(object text)
    Py_UCS4 PyUnicode_READ_CHAR(object text, Py_ssize_t place)
    Py_ssize_t PyUnicode_FindChar(object text, Py_UCS4 c, Py_ssize_t start, Py_ssize_t end, int direction) except -2
    # By pointer: Cython would count references on the way.
    PyObject *list_get_item "PyList_GET_ITEM" (PyObject *sequence, Py_ssize_t place)
    void list_set_item "PyList_SET_ITEM" (PyObject *sequence, Py_ssize_t place, PyObject *item)
    void incref "Py_INCREF" (PyObject *item)
    void xdecref "Py_XDECREF" (PyObject *item)
    PyObject **PySequence_Fast_ITEMS(object sequence)
    PyObject *bytes_new "PyBytes_FromStringAndSize" (const char *bytes, Py_ssize_t size) except NULL
    int bytes_resize "_PyBytes_Resize" (PyObject **bytes, Py_ssize_t size) except -1
    PyObject *PyLong_FromUnsignedLong(unsigned long number) except NULL


#: Bytes of tables that are handed on at once. If more are written to a file at once, Linux may look for large pages
#: for its cache, which takes ten times as long as the copy (20 MB to ext4, Linux 6.18: 50 ms; in parts of 64 KiB
#: 5 ms). And these lie in memory that is used again.
cdef size_t TABLES_PART = 1 << 16
#: `encode_plain` leaves longer texts to others, as in `_pymerge`.
cdef Py_ssize_t PLAIN_LENGTH = 1 << 17
#: For shorter texts it does not pay to let other threads run.
cdef Py_ssize_t SHORT_LENGTH = 1 << 11
#: A list is made of longer texts by parts of this length.
cdef Py_ssize_t LIST_PART = 1 << 18
#: Threads that share a text take parts of this length in turn.
cdef Py_ssize_t THREAD_PART = 1 << 20
#: What stands before a text is encoded with no more of its characters than this, if it can be cut there.
cdef Py_ssize_t HEAD_LENGTH = 1 << 12
#: More ids than this are handed over as they are, not copied.
cdef size_t COPIED_IDS = 1 << 15
#: Ids up to this number come as prebuilt int objects.
cdef uint32_t SHARED_INTS = 1 << 22

#: Ids that are decoded at a time.
cdef enum:
    DECODED_AT_ONCE = 4096

#: How the integers of a buffer are stored, by its format: bytes each, negative if signed.
BUFFER_FORMATS = {"H": 2, "I": 4, "i": -4, "q": -8, "l": -8 if sizeof(long) == 8 else -4}

#: The ways to classify characters that this machine has, the fastest first; all cut every text alike.
CLASSIFIERS = [name.decode() for name in classifiers()]
cdef mt_block_classifier FASTEST = mt_block_classifier_named(classifiers()[0])


cdef int string_of(object text, mt_string *string) except -1:
    """Where the characters of a str are, or bytes."""
    if isinstance(text, str):
        string[0] = mt_string(PyUnicode_DATA(text), PyUnicode_GET_LENGTH(text), PyUnicode_KIND(text))
    elif isinstance(text, bytes):
        string[0] = mt_string(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), 1)
    else:
        raise TypeError(f"expected str or bytes, not {type(text).__name__}")
    return 0


cdef bint has_character(str text, Py_UCS4 c) noexcept:
    cdef Py_ssize_t length = PyUnicode_GET_LENGTH(text)
    if PyUnicode_KIND(text) == 1:
        return c < 256 and memchr(PyUnicode_DATA(text), <int> c, length) != NULL
    return PyUnicode_FindChar(text, c, 0, length, 1) >= 0


cdef list split_pieces(const mt_pattern *pattern, mt_block_classifier classify, object text):
    cdef Py_ssize_t size = 0
    cdef const uint8_t *data = utf8(text, &size)
    cdef mt_splitter splitter
    cdef mt_piece_run run
    cdef size_t at, end
    cdef list pieces = []
    mt_splitter_init(&splitter, pattern, classify, data, size)
    while mt_split_next(&splitter, &run):
        at = 0
        while at < run.length:
            run.starts &= run.starts - 1
            end = <size_t> mt_lowest_bit(run.starts) if run.starts else run.length
            pieces.append(PyBytes_FromStringAndSize(<const char *> run.text + at, end - at))
            at = end
    return pieces


def split_with(pattern, classifier, text):
    """The pieces of a text by one of CLASSIFIERS, or by the scanner alone (None); they are the same."""
    cdef mt_block_classifier classify = NULL
    if classifier is not None:
        name = classifier.encode()
        classify = mt_block_classifier_named(name)
        if classify == NULL:
            raise ValueError(f"no classifier {classifier!r} on this machine; there are {CLASSIFIERS}")
    return split_pieces(scanner_pattern(pattern), classify, text)


cdef class _Workspace:
    """What one call writes to."""

    cdef mt_workspace c

    def __cinit__(self):
        check(mt_workspace_init(&self.c))

    def __dealloc__(self):
        mt_workspace_free(&self.c)


cdef class _Gathered:
    """The ids of the parts of one text, in order, from threads that encode them.

    Each thread takes the next part that nobody has, encodes it in a workspace of its own, and waits until the parts
    before it have their place. It then takes its place behind them and copies its ids there, while others do the
    same: the first touch of memory is shared like the work. The array grows only when nobody copies.
    """

    cdef mt_ids ids
    cdef size_t counted
    cdef object changed  # threading.Condition
    cdef Py_ssize_t taken, placed, copying
    cdef bint failed

    def __cinit__(self):
        from threading import Condition

        self.changed = Condition()

    def __dealloc__(self):
        mt_ids_free(&self.ids)

    def take(self, Py_ssize_t count):
        """The number of the next part of so many; -1 if there is none, or a thread failed."""
        with self.changed:
            if self.failed or self.taken == count:
                return -1
            self.taken += 1
            return self.taken - 1

    def fail(self):
        """Let all threads stop."""
        with self.changed:
            self.failed = True
            self.changed.notify_all()

    def add(self, size_t counted):
        """Add to the number of ids that were only counted."""
        with self.changed:
            self.counted += counted

    cdef int put(self, Py_ssize_t number, _Workspace w, size_t done, size_t left) except -1:
        """Append the ids of a part; `done` characters of the text end with it, `left` are behind it."""
        cdef size_t at, count = w.c.ids.length
        with self.changed:
            while self.placed < number and not self.failed:
                self.changed.wait()
            if self.failed:
                return 0
            if self.ids.capacity - self.ids.length < count:
                while self.copying:
                    self.changed.wait()
                self.ids.expected = <size_t> (1.25 * (self.ids.length + count) / done * left) if done else 0
                check(mt_ids_reserve(&self.ids, count))
            at = self.ids.length
            self.ids.length += count
            self.placed += 1
            self.copying += 1
            self.changed.notify_all()
        with nogil:
            memcpy(self.ids.data + at, w.c.ids.data, count * sizeof(uint32_t))
        with self.changed:
            self.copying -= 1
            self.changed.notify_all()
        return 0


cdef class _Ids:
    """Owns ids that were handed over by a workspace; a writable buffer of bytes."""

    cdef uint32_t *data
    cdef Py_ssize_t size

    def __dealloc__(self):
        free(self.data)

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.data, self.size, 0, flags)

    def __len__(self):
        return self.size


cdef class _BytesOut:
    """A bytes object that grows."""

    cdef PyObject *object_
    cdef Py_ssize_t size
    cdef Py_ssize_t capacity

    def __dealloc__(self):
        xdecref(self.object_)

    cdef int reserve(self, Py_ssize_t more, Py_ssize_t expected) except -1:
        """Make room for `more` bytes, and if that means to grow, for as many as are expected behind them."""
        if self.capacity - self.size >= more:
            return 0
        self.capacity = self.size + more + max(expected, self.capacity // 2)
        if self.object_ == NULL:
            self.object_ = bytes_new(NULL, self.capacity)
        else:
            bytes_resize(&self.object_, self.capacity)
        return 0

    cdef uint8_t *end(self) noexcept:
        return <uint8_t *> PyBytes_AS_STRING(<object> self.object_) + self.size

    cdef bytes take(self):
        """What was written."""
        if self.object_ == NULL:
            return b""
        bytes_resize(&self.object_, self.size)
        return <bytes> self.object_


cdef int fill_tokens(mt_vocabulary *v, tokens) except -1:
    """Fill an empty vocabulary with tokens, which have an id each, and index them."""
    cdef size_t at = 0, i = 0
    cdef bytes token
    cdef mt_status status
    check(mt_vocabulary_init(v, len(tokens), sum(map(len, tokens))))
    in_order = list(tokens.values())
    items = tokens.items()
    if in_order != sorted(in_order):
        items = sorted(items, key=itemgetter(1))
    for token, number in items:
        memcpy(v.bytes + at, PyBytes_AS_STRING(token), PyBytes_GET_SIZE(token))
        v.ids[i] = number
        v.offsets[i] = <uint32_t> at
        at += PyBytes_GET_SIZE(token)
        i += 1
    v.offsets[i] = <uint32_t> at
    with nogil:
        status = mt_index_tokens(v)
    return check(status)


cdef class _Tables:
    """The parts of a block of tables, one behind the other, each of up to TABLES_PART bytes."""

    cdef mt_tables c
    cdef size_t at
    cdef object owner  # of the tables
    cdef bytes note

    def __iter__(self):
        return self

    def __next__(self):
        cdef size_t size = min(TABLES_PART, self.c.header.size - self.at)
        if size == 0:
            raise StopIteration
        cdef bytes part = PyBytes_FromStringAndSize(NULL, size)
        self.at += mt_tables_copy(&self.c, self.at, <uint8_t *> PyBytes_AS_STRING(part), size)
        return part


cdef _Tables tables_of(owner, const mt_vocabulary *v, const mt_borders *b, bytes source, bytes note):
    cdef _Tables tables = _Tables()
    if len(source) != MT_TABLES_SOURCE:
        raise ValueError(f"a SHA-256 has {MT_TABLES_SOURCE} bytes, not {len(source)}")
    tables.owner = owner
    tables.note = note
    mt_tables_list(
        &tables.c, v, b, <const uint8_t *> PyBytes_AS_STRING(source), <const uint8_t *> PyBytes_AS_STRING(note),
        len(note)
    )
    return tables


# The collector of cycles must not look into this: it would take the memory that the tables lie in, and its view, for
# part of a cycle that a table is dropped in, and clear them before `__dealloc__` gives them back. No attribute leads
# back here.
@cython.no_gc
cdef class _RankTable:
    """The tables of a vocabulary, which encoders share."""

    cdef mt_vocabulary vocabulary
    cdef mt_borders borders
    cdef Py_buffer mapped  # what the tables lie in, if that is not memory of their own
    cdef dict as_dict_
    cdef readonly tuple ranks
    cdef readonly bytes note

    def __cinit__(self):
        self.note = b""

    def __dealloc__(self):
        mt_vocabulary_free(&self.vocabulary)
        mt_borders_free(&self.borders)
        if self.mapped.buf != NULL:
            PyBuffer_Release(&self.mapped)

    cdef bint finish(self, mt_status status) except -1:
        """Make what follows from the tokens and pairs that were read; whether the file was regular."""
        if status == MT_OK:
            with nogil:
                mt_index_byte_pairs(&self.vocabulary)
                status = mt_find_borders(&self.vocabulary, &self.borders)
        if status == MT_IRREGULAR or status == MT_TOO_MANY_TOKENS:
            return False
        check(status)
        return True

    @classmethod
    def parse(cls, bytes data):
        """The tokens of a rank file; None if the file is not regular."""
        cdef _RankTable table = cls()
        cdef const uint8_t *start = <const uint8_t *> PyBytes_AS_STRING(data)
        cdef size_t size = PyBytes_GET_SIZE(data)
        cdef mt_status status
        with nogil:
            status = mt_read_rank_file(&table.vocabulary, start, size)
            if status == MT_OK:
                status = mt_add_implied_pairs(&table.vocabulary)
        return table if table.finish(status) else None

    @staticmethod
    def find_json_model(bytes data):
        """Where the vocab and the merges of a tokenizer.json are; None if they cannot be found."""
        cdef mt_model_place place
        cdef const uint8_t *start = <const uint8_t *> PyBytes_AS_STRING(data)
        cdef size_t size = PyBytes_GET_SIZE(data)
        cdef bint found = False
        with nogil:
            found = mt_find_model(start, size, &place)
        return (place.vocab, place.vocab_end, place.merges, place.merges_end) if found else None

    @classmethod
    def parse_json_model(cls, bytes data, place, apart):
        """Tokens and merges of a tokenizer.json, and the ids of strings apart; None if they are not regular."""
        cdef _RankTable table = cls(), strings = cls()
        cdef const uint8_t *start = <const uint8_t *> PyBytes_AS_STRING(data)
        cdef mt_model_place found
        cdef bytearray memory = bytearray((len(apart) + 1) * sizeof(int64_t))
        cdef int64_t *ids = <int64_t *> PyByteArray_AS_STRING(memory)
        cdef mt_status status
        found.vocab, found.vocab_end, found.merges, found.merges_end = place
        if not (found.vocab <= found.vocab_end <= len(data) and found.merges <= found.merges_end <= len(data)):
            raise ValueError(f"{place} is not in a document of {len(data)} bytes")
        fill_tokens(&strings.vocabulary, {string.encode("utf-8"): i for i, string in enumerate(apart)})
        with nogil:
            status = mt_read_json_model(&table.vocabulary, start, &found, &strings.vocabulary, ids)
        if not table.finish(status):
            return None
        return table, {string: ids[i] for i, string in enumerate(apart) if ids[i] >= 0}

    @classmethod
    def from_tables(cls, memory, bytes source):
        """The tokens whose tables are in a buffer, which is not copied; None if they are not of this source."""
        cdef _RankTable table = cls()
        cdef const uint8_t *wanted = <const uint8_t *> PyBytes_AS_STRING(source)
        cdef const uint8_t *note = NULL
        cdef size_t note_size = 0, i
        cdef bint found = False
        if len(source) != MT_TABLES_SOURCE:
            raise ValueError(f"a SHA-256 has {MT_TABLES_SOURCE} bytes, not {len(source)}")
        PyObject_GetBuffer(memory, &table.mapped, PyBUF_SIMPLE)
        table.vocabulary.borrowed = table.borders.borrowed = True
        with nogil:
            found = mt_tables_read(
                &table.vocabulary, &table.borders, wanted, <uint8_t *> table.mapped.buf, table.mapped.len,
                &note, &note_size
            )
        if not found:
            return None
        table.note = PyBytes_FromStringAndSize(<const char *> note, note_size)
        if table.vocabulary.order != NULL:
            table.ranks = tuple([table.vocabulary.order[i] for i in range(table.vocabulary.token_count)])
        return table

    def tables(self, bytes source):
        """All tables as one block, part by part."""
        return tables_of(self, &self.vocabulary, &self.borders, source, b"")

    @property
    def merges(self):
        """The merges, if they are more than what ids say; else None."""
        return None if self.vocabulary.made == NULL else TableMerges(self)

    def merge_list(self):
        """The merges as a list of (left id, right id, new id)."""
        cdef mt_vocabulary *v = &self.vocabulary
        cdef bytearray memory = bytearray(2 * v.made_count * sizeof(uint32_t))
        cdef uint32_t *symbols = <uint32_t *> PyByteArray_AS_STRING(memory)
        cdef size_t i
        mt_list_pairs(v, symbols)
        return [
            (v.ids[symbols[2 * i]], v.ids[symbols[2 * i + 1]], v.ids[v.made[i]]) for i in range(v.made_count)
        ]

    cdef bint _is_table_of(self, merges, bint whole_piece, symbols, ranks) except -1:
        """Whether the tables are those of the tokens with all this."""
        cdef mt_vocabulary *v = &self.vocabulary
        return (
            (merges is None if v.made == NULL else isinstance(merges, TableMerges) and merges.table is self)
            and ranks is self.ranks
            and (v.unmade == NULL or not whole_piece)
            and v.characters == symbols.characters
            and (tuple(v.byte_ids) if v.has_byte_ids else None) == symbols.byte_ids
            and (v.unknown_id if v.has_unknown else None) == symbols.unknown_id
        )

    @property
    def largest(self):
        """The largest id."""
        return self.vocabulary.ids[self.vocabulary.token_count - 1]

    def as_dict(self):
        """Token to id; made when it is first asked for."""
        cdef mt_vocabulary *v = &self.vocabulary
        cdef size_t i
        if self.as_dict_ is None:
            self.as_dict_ = {
                PyBytes_FromStringAndSize(<const char *> v.bytes + v.offsets[i], v.offsets[i + 1] - v.offsets[i]):
                v.ids[i]
                for i in range(v.token_count)
            }
        return self.as_dict_

    def in_base64(self):
        """The tokens in base64, in the order of their ids, with a newline behind each."""
        cdef mt_vocabulary *v = &self.vocabulary
        cdef size_t i, size = v.token_count
        cdef bytes lines
        cdef uint8_t *out
        for i in range(v.token_count):
            size += mt_base64_length(v.offsets[i + 1] - v.offsets[i])
        lines = PyBytes_FromStringAndSize(NULL, size)
        out = <uint8_t *> PyBytes_AS_STRING(lines)
        for i in range(v.token_count):
            out = mt_encode_base64(v.bytes + v.offsets[i], v.offsets[i + 1] - v.offsets[i], out)
            out[0] = c"\n"
            out += 1
        return lines

    def __len__(self):
        return self.vocabulary.token_count


class RankTable(_RankTable, Mapping):
    """The tokens of a rank file; see `_pymerge.RankTable`."""

    def __getitem__(self, token):
        return self.as_dict()[token]

    def __iter__(self):
        return iter(self.as_dict())

    def items(self):
        return self.as_dict().items()

    def values(self):
        return self.as_dict().values()

    def __reduce__(self):
        return dict, (self.as_dict(),)


cdef class SpecialFinder:
    """Where special tokens stand in a text; see `_pymerge.SpecialFinder`."""

    cdef mt_special characters  # of a str
    cdef mt_special encoded     # of bytes
    cdef tuple tokens
    cdef tuple ids

    def __init__(self, ids):
        cdef mt_string string
        cdef uint32_t number = 0
        if self.characters.edges != NULL:
            raise TypeError("a SpecialFinder never changes")
        self.tokens = tuple(ids)
        self.ids = tuple(ids.values())
        utf8 = [token.encode("utf-8", "surrogatepass") for token in self.tokens]
        check(mt_special_init(&self.characters, sum(map(len, self.tokens))))
        check(mt_special_init(&self.encoded, sum(map(len, utf8))))
        for token, spelt in zip(self.tokens, utf8):
            string_of(token, &string)
            mt_special_add(&self.characters, string, number)
            if not any("\ud800" <= c <= "\udfff" for c in token):  # no bytes spell that
                string_of(spelt, &string)
                mt_special_add(&self.encoded, string, number)
            number += 1

    def __dealloc__(self):
        mt_special_free(&self.characters)
        mt_special_free(&self.encoded)

    def places(self, text, allowed):
        """The start, end and id of each allowed special token, in order."""
        cdef mt_string string
        cdef mt_special *special = &self.characters if isinstance(text, str) else &self.encoded
        cdef bytes flags = bytes([token in allowed for token in self.tokens])
        cdef const uint8_t *is_allowed = <const uint8_t *> PyBytes_AS_STRING(flags)
        cdef size_t start = 0, end = 0
        cdef uint32_t number = 0
        cdef list found = []
        string_of(text, &string)
        while mt_special_find(special, string, is_allowed, &start, &end, &number):
            found.append((start, end, self.ids[number]))
            start = end
        return found


cdef class Encoder:
    """Ordinary text to ids, for one vocabulary and pattern; see `_pymerge.Encoder`."""

    cdef mt_encoder c
    cdef bint splits_here  # the scanner knows the pattern, or there is none
    cdef object pretokenizer
    cdef _Workspace spare  # what calls write to, when there is no call; more of them are in the pool
    cdef list pool
    cdef list ints  # every id as an int object, or None
    cdef _RankTable table  # owns the tables if they are shared

    def __init__(self, tokens, merges, pattern, whole_piece=True, symbols=BYTES, ranks=None):
        if self.c.vocabulary.ids != NULL:
            raise TypeError("an Encoder never changes")
        self.c.pattern = scanner_pattern(pattern)
        self.c.classify = FASTEST
        self.splits_here = pattern is None or self.c.pattern != NULL
        self.pretokenizer = None if self.splits_here else get_pretokenizer(pattern)
        if isinstance(tokens, _RankTable) and (<_RankTable> tokens)._is_table_of(merges, whole_piece, symbols, ranks):
            self.table = tokens
            self.c.vocabulary = self.table.vocabulary
            self.c.borders = self.table.borders
            self.c.vocabulary.borrowed = self.c.borders.borrowed = True
        else:
            fill_tokens(&self.c.vocabulary, tokens)
            self._set_symbols(symbols)
            self._set_merges(merges, ranks)
            mt_index_byte_pairs(&self.c.vocabulary)
            check(mt_find_borders(&self.c.vocabulary, &self.c.borders))
        if not whole_piece and self.c.vocabulary.unmade == NULL:
            # To take a piece whole is faster: it is done where it comes to the same.
            check(mt_find_unmade(&self.c.vocabulary))
        self.pool = []
        largest = self.c.vocabulary.ids[len(tokens) - 1] if tokens else 0
        self.ints = list(range(largest + 1)) if largest < SHARED_INTS else None

    def __dealloc__(self):
        mt_encoder_free(&self.c)

    def tables(self, bytes source, bytes note):
        """All tables and a note as one block, part by part; None if merges cannot be told from them."""
        cdef mt_vocabulary *v = &self.c.vocabulary
        if v.made != NULL and v.pair_count != v.made_count:
            return None
        return tables_of(self, v, &self.c.borders, source, note)

    cdef int _set_symbols(self, symbols) except -1:
        cdef mt_vocabulary *v = &self.c.vocabulary
        cdef int b
        v.characters = symbols.characters
        v.has_byte_ids = symbols.byte_ids is not None
        v.has_unknown = symbols.unknown_id is not None
        if v.has_unknown:
            v.unknown_id = symbols.unknown_id
        if v.has_byte_ids:
            for b in range(256):
                v.byte_ids[b] = symbols.byte_ids[b]
        return 0

    cdef int _set_merges(self, merges, ranks) except -1:
        cdef mt_vocabulary *v = &self.c.vocabulary
        cdef mt_status status
        cdef uint32_t rank = 0
        cdef size_t i
        if ranks is not None and merges is None:
            v.order = <uint32_t *> calloc(v.token_count + 1, sizeof(uint32_t))
            if v.order == NULL:
                raise MemoryError
            for i in range(v.token_count):
                v.order[i] = ranks[i]
            with nogil:
                status = mt_add_unordered_pairs(v)
            return check(status)
        if merges is None:
            with nogil:
                status = mt_add_implied_pairs(v)
            return check(status)
        if len(merges) >= MT_MOST_RANKS:
            check(MT_TOO_MANY_TOKENS)
        check(mt_reserve_pairs(v, len(merges)))
        v.made = <uint32_t *> calloc(len(merges) + 1, sizeof(uint32_t))
        if v.made == NULL:
            raise MemoryError
        v.made_count = len(merges)
        for left, right, made in merges:
            v.made[rank] = mt_symbol_of_id(v, made)
            check(mt_add_pair(v, mt_symbol_of_id(v, left), mt_symbol_of_id(v, right), rank))
            rank += 1
        return 0

    cdef _Workspace _take(self):
        cdef _Workspace w
        # One is enough while calls come one after the other. Without the GIL, only one thread at a time looks here.
        with cython.critical_section(self):
            w = self.spare
            self.spare = None
            if w is None and self.pool:
                w = self.pool.pop()
        return _Workspace() if w is None else w

    cdef int _give_back(self, _Workspace w) except -1:
        w.c.ids.length = w.c.ids.expected = 0
        w.c.counted = 0
        if w.c.ids.capacity > 2 * COPIED_IDS:
            mt_ids_free(&w.c.ids)
        with cython.critical_section(self):
            if self.spare is None:
                self.spare = w
            else:
                self.pool.append(w)
        return 0

    cdef int _check(self, mt_status status, _Workspace w) except -1:
        if status == MT_MISSING_BYTE:
            raise missing_byte(w.c.ids.data[w.c.ids.length])
        return check(status)

    cdef int _encode(self, text, _Workspace w, size_t limit, bint only_count) except -1:
        """Leave the ids of a text in the workspace, or how many there are; stop when there are more than `limit`."""
        return self._encode_span(text, 0, -1, w, limit, only_count)

    cdef int _encode_part(
        self, text, tuple part, _Workspace w, size_t limit, bint only_count, str before=None
    ) except -1:
        """The same for a part of a text, with special tokens at some places: (start, stop, places)."""
        cdef Py_ssize_t at = part[0], start, end
        cdef uint32_t special
        if before and at == 0:
            # With the beginning of the text, up to a place where it may be cut: no copy of all of it.
            end = part[2][0][0] if part[2] else part[1]
            at = self._boundary(text, min(HEAD_LENGTH, len(text) if end < 0 else end), len(text) if end < 0 else end)
            self._encode_span(before + text[:at], 0, -1, w, limit, only_count)
        for start, end, special in part[2]:
            self._encode_span(text, at, start, w, limit, only_count)
            if only_count:
                w.c.counted += 1
            else:
                check(mt_ids_reserve(&w.c.ids, 1))
                w.c.ids.data[w.c.ids.length] = special
                w.c.ids.length += 1
            if w.c.counted + w.c.ids.length > limit:
                return 0
            at = end
        return self._encode_span(text, at, part[1], w, limit, only_count)

    cdef int _encode_span(
        self, text, Py_ssize_t start, Py_ssize_t stop, _Workspace w, size_t limit, bint only_count
    ) except -1:
        """The same for a span that is ordinary text: characters of a str, or bytes; -1 is the end."""
        cdef mt_status status
        cdef const uint8_t *data
        cdef mt_string string
        cdef bytes piece
        string_of(text, &string)
        if stop < 0:
            stop = string.length
        if not self.splits_here:
            for piece in self.split(text if stop - start == <Py_ssize_t> string.length else text[start:stop]):
                data = <const uint8_t *> PyBytes_AS_STRING(piece)
                self._check(mt_append_any(&self.c, &w.c, data, PyBytes_GET_SIZE(piece)), w)
                if only_count:
                    w.c.counted += w.c.ids.length
                    w.c.ids.length = 0
                if w.c.counted + w.c.ids.length > limit:
                    break
            return 0
        data = <const uint8_t *> string.data + start * string.width
        if isinstance(text, str) and not PyUnicode_IS_ASCII(text):
            string.data = data
            string.length = stop - start
            if string.length < SHORT_LENGTH:
                status = mt_encode_string(&self.c, &w.c, string, limit, only_count)
            else:
                with nogil:
                    status = mt_encode_string(&self.c, &w.c, string, limit, only_count)
            if status == MT_SURROGATE:
                text.encode("utf-8")  # raises UnicodeEncodeError, which says where
            return self._check(status, w)
        if stop - start < SHORT_LENGTH:
            status = mt_encode(&self.c, &w.c, data, stop - start, limit, only_count)
        else:
            with nogil:
                status = mt_encode(&self.c, &w.c, data, stop - start, limit, only_count)
        return self._check(status, w)

    cdef Py_ssize_t _boundary(self, text, Py_ssize_t at, Py_ssize_t end) except -1:
        """The last place up to `at` where a text can be cut with the same result; or else its `end`."""
        cdef mt_string string
        cdef Py_ssize_t found = 0
        if at < end and self.c.pattern != NULL:
            string_of(text, &string)
            found = mt_string_boundary(self.c.pattern, string, at)
        return found if found else end

    cdef list _parts(self, text, Py_ssize_t count, places):
        """Cut a text into up to `count` parts that are encoded apart with the same result."""
        cdef mt_string string
        cdef Py_ssize_t start = 0, stop, number, first = 0, last
        cdef list parts = []
        if count > 1 and self.c.pattern != NULL:
            string_of(text, &string)
            for number in range(1, count):
                stop = <Py_ssize_t> (<double> string.length * number / count)
                if isinstance(text, str):
                    stop = mt_string_boundary(self.c.pattern, string, stop)
                else:
                    stop = mt_bytes_boundary(
                        self.c.pattern, <const uint8_t *> string.data, string.length, stop
                    )
                # A special token is not cut: it belongs to the part that it begins in.
                last = bisect_left(places, stop, key=itemgetter(0))
                if last > first:
                    stop = max(stop, places[last - 1][1])
                if stop > start:
                    parts.append((start, stop, places[first:last]))
                    start, first = stop, last
        parts.append((start, -1, places[first:]))
        return parts

    def _encode_in_threads(self, text, Py_ssize_t threads, list parts, bint only_count, str before):
        """A workspace with the ids of all parts, which threads take in turn."""
        from concurrent.futures import ThreadPoolExecutor

        cdef _Gathered gathered = _Gathered()
        cdef Py_ssize_t length = len(text)

        def work(_):
            cdef _Workspace w = self._take()
            cdef Py_ssize_t number, stop
            try:
                while (number := gathered.take(len(parts))) >= 0:
                    w.c.ids.length = 0
                    self._encode_part(text, parts[number], w, <size_t> -1, only_count, before)
                    stop = parts[number][1]
                    if not only_count:
                        gathered.put(number, w, length if stop < 0 else stop, 0 if stop < 0 else length - stop)
                gathered.add(w.c.counted)
            except BaseException:
                gathered.fail()
                raise
            finally:
                self._give_back(w)

        with ThreadPoolExecutor(threads) as pool:
            try:
                list(pool.map(work, range(threads)))
            except BaseException:
                gathered.fail()
                raise
        cdef _Workspace result = self._take()
        mt_ids_free(&result.c.ids)
        result.c.ids = gathered.ids
        memset(&gathered.ids, 0, sizeof(mt_ids))
        result.c.counted = gathered.counted
        return result

    cdef _Workspace _encode_whole(
        self, text, size_t limit, Py_ssize_t num_threads, places, bint only_count, str before
    ):
        """A workspace with the ids of a text; to be given back."""
        cdef _Workspace w
        cdef list parts
        if num_threads > 1 and limit == <size_t> -1:
            parts = self._parts(text, max(num_threads, len(text) // THREAD_PART), places)
            if len(parts) > 1:
                return self._encode_in_threads(text, min(num_threads, len(parts)), parts, only_count, before)
        w = self._take()
        try:
            self._encode_part(text, (0, -1, places), w, limit, only_count, before)
        except BaseException:
            self._give_back(w)
            raise
        return w

    cdef list _to_list(self, _Workspace w):
        cdef list out = PyList_New(w.c.ids.length)
        self._fill(out, 0, w)
        return out

    cdef int _fill(self, list out, size_t at, _Workspace w) except -1:
        """Put the ids of a workspace into a list, where there is nothing yet."""
        cdef size_t i, shared = 0 if self.ints is None else len(self.ints)
        cdef uint32_t *data = w.c.ids.data
        cdef PyObject *ints = <PyObject *> self.ints
        cdef PyObject *number
        for i in range(w.c.ids.length):
            if data[i] < shared:
                number = list_get_item(ints, data[i])
                incref(number)
            else:
                number = PyLong_FromUnsignedLong(data[i])
            list_set_item(<PyObject *> out, at + i, number)
        return 0

    cdef bint _is_listed_by_parts(self, text) except -1:
        return not mt_lists_may_change and self.c.pattern != NULL and len(text) >= 2 * LIST_PART

    cdef list _encode_by_parts(self, text, places, str before):
        """The ids of a long text, part by part, so that they go from the processor's cache into the list."""
        cdef _Workspace w = self._take()
        cdef mt_string string
        cdef size_t done = 0, expected, room = 0
        cdef list out = mt_list_new()
        string_of(text, &string)
        try:
            for part in self._parts(text, string.length // LIST_PART, places):
                w.c.ids.length = 0
                self._encode_part(text, part, w, <size_t> -1, False, before)
                if done + w.c.ids.length > room:
                    expected = 0 if part[1] < 0 else <size_t> (
                        1.125 * (done + w.c.ids.length) / part[1] * (string.length - <size_t> part[1])
                    )
                    room = done + w.c.ids.length + expected + room // 4
                    mt_list_make_room(out, room)
                self._fill(out, done, w)
                done += w.c.ids.length
                mt_list_set_size(out, done)
            mt_list_finish(out)
            return out
        finally:
            self._give_back(w)

    cdef object _to_buffer(self, _Workspace w):
        """The ids as a buffer: few are copied, many are handed over."""
        cdef _Ids ids
        cdef uint32_t *fitting
        if w.c.ids.length <= COPIED_IDS:
            return PyByteArray_FromStringAndSize(<char *> w.c.ids.data, w.c.ids.length * sizeof(uint32_t))
        ids = _Ids()
        ids.size = w.c.ids.length * sizeof(uint32_t)
        fitting = <uint32_t *> realloc(w.c.ids.data, ids.size)
        ids.data = w.c.ids.data if fitting == NULL else fitting
        memset(&w.c.ids, 0, sizeof(mt_ids))
        return ids

    def encode(self, text, limit=None, Py_ssize_t num_threads=1, places=(), str before=""):
        """The ids of a text, with special tokens at some places."""
        if limit is None and num_threads == 1 and self._is_listed_by_parts(text):
            return self._encode_by_parts(text, places, before)
        cdef _Workspace w = self._encode_whole(
            text, <size_t> -1 if limit is None else limit, num_threads, places, False, before
        )
        try:
            return self._to_list(w)
        finally:
            self._give_back(w)

    def encode_plain(self, text, str without):
        """The ids of a str of moderate length that has none of some characters and no surrogate; else None."""
        cdef _Workspace w
        if type(text) is not str or PyUnicode_GET_LENGTH(text) >= PLAIN_LENGTH:
            return None
        w = self._take()
        try:
            return self._to_list(w) if self._encode_plain(text, without, w, False) else None
        finally:
            self._give_back(w)

    def count_plain(self, text, str without):
        """How many ids `encode_plain` gives; None where it gives none."""
        cdef _Workspace w
        if type(text) is not str or PyUnicode_GET_LENGTH(text) >= PLAIN_LENGTH:
            return None
        w = self._take()
        try:
            return w.c.counted if self._encode_plain(text, without, w, True) else None
        finally:
            self._give_back(w)

    def encode_pieces(self, pieces):
        """The ids of pieces that were cut elsewhere, one behind the other."""
        cdef _Workspace w = self._take()
        cdef bytes piece
        try:
            for piece in pieces:
                self._check(
                    mt_append_any(
                        &self.c, &w.c, <const uint8_t *> PyBytes_AS_STRING(piece), PyBytes_GET_SIZE(piece)
                    ),
                    w,
                )
            return self._to_list(w)
        finally:
            self._give_back(w)

    def encode_uint32(self, text, Py_ssize_t num_threads=1, places=(), str before=""):
        """The ids as unsigned 32-bit numbers in the machine's byte order."""
        cdef _Workspace w = self._encode_whole(text, <size_t> -1, num_threads, places, False, before)
        try:
            return self._to_buffer(w)
        finally:
            self._give_back(w)

    cdef bint _encode_plain(self, text, str without, _Workspace w, bint only_count) except -1:
        """Append the ids of a str that has none of some characters and no surrogate, or count them; False if it is
        another."""
        cdef Py_ssize_t i
        cdef size_t before = w.c.ids.length
        if type(text) is not str or not self.splits_here:
            return False
        for i in range(PyUnicode_GET_LENGTH(without)):
            if has_character(text, PyUnicode_READ_CHAR(without, i)):
                return False
        try:
            self._encode(text, w, <size_t> -1, only_count)
        except UnicodeEncodeError:
            w.c.ids.length = before
            return False
        return True

    def encode_many_uint32(self, texts, str without, spans):
        """Encode several texts: their ids, and how many each has; see `_pymerge.Encoder`."""
        cdef _Workspace w = self._take()
        cdef size_t before
        cdef Py_ssize_t i, count = len(texts)
        cdef bytes counts = PyBytes_FromStringAndSize(NULL, count * sizeof(int64_t))
        cdef int64_t *lengths = <int64_t *> PyBytes_AS_STRING(counts)
        try:
            w.c.ids.expected = sum([len(text) for text in texts]) // 4
            for i in range(count):
                before = w.c.ids.length
                text = texts[i]
                if without is None or not self._encode_plain(text, without, w, False):
                    for span, special in spans(text):
                        self._encode(span, w, <size_t> -1, False)
                        if special is not None:
                            check(mt_ids_reserve(&w.c.ids, 1))
                            w.c.ids.data[w.c.ids.length] = special
                            w.c.ids.length += 1
                lengths[i] = w.c.ids.length - before
            return self._to_buffer(w), counts
        finally:
            self._give_back(w)

    def encode_joined_uint32(self, texts, behind):
        """Encode several texts that lie one behind the other in memory; see `_pymerge.Encoder`."""
        cdef const uint8_t[::1] data = texts.data
        cdef const int64_t[::1] offsets = texts.offsets
        cdef size_t count = offsets.shape[0] - 1
        cdef uint32_t special = 0 if behind is None else behind
        cdef const uint32_t *special_place = NULL if behind is None else &special
        cdef bytes counts
        cdef int64_t *lengths
        cdef _Workspace w
        cdef mt_status status
        if not mt_offsets_fit(&offsets[0], count, data.shape[0]):
            raise bad_offsets()
        if not self.splits_here:
            return self.encode_many_uint32(list(texts), None, lambda text: ((text, behind),))
        counts = PyBytes_FromStringAndSize(NULL, count * sizeof(int64_t))
        lengths = <int64_t *> PyBytes_AS_STRING(counts)
        w = self._take()
        try:
            w.c.ids.expected = <size_t> (offsets[count] - offsets[0]) // 4
            with nogil:
                status = mt_encode_joined(
                    &self.c, &w.c, &data[0] if data.shape[0] else NULL, &offsets[0], count, special_place, lengths
                )
            self._check(status, w)
            return self._to_buffer(w), counts
        finally:
            self._give_back(w)

    def count(self, text, limit=None, Py_ssize_t num_threads=1, places=(), str before=""):
        """How many ids `encode` gives; with a limit, some number above it as soon as that is certain."""
        cdef _Workspace w = self._encode_whole(
            text, <size_t> -1 if limit is None else limit, num_threads, places, True, before
        )
        cdef size_t counted = w.c.counted
        self._give_back(w)
        return counted

    def split(self, text):
        """The pieces of a text, as bytes."""
        if self.splits_here:
            return split_pieces(self.c.pattern, self.c.classify, text)
        if isinstance(text, str):
            text.encode("utf-8")  # a lone surrogate must not pass for a byte
        return [bytes_of(piece) for piece in self.pretokenizer.split(text_of(text))]

    def encode_piece(self, piece):
        """The ids of one piece; nothing is split."""
        return self._one_piece(piece, False)

    def merge_piece(self, piece):
        """The ids of one piece by merges alone, even if it is a token."""
        return self._one_piece(piece, True)

    cdef list _one_piece(self, piece, bint merges_only):
        cdef Py_ssize_t size = 0
        cdef const uint8_t *data = utf8(piece, &size)
        cdef _Workspace w
        cdef mt_status status
        if size == 0:
            return []
        w = self._take()
        try:
            with nogil:
                if merges_only:
                    status = mt_append_merged(&self.c, &w.c, data, size)
                else:
                    status = mt_append_piece(&self.c, &w.c, data, size)
            self._check(status, w)
            return self._to_list(w)
        finally:
            self._give_back(w)


cdef class Decoder:
    """Ids to bytes; see `_pymerge.Decoder`."""

    cdef mt_decoder c
    cdef dict token_of  # None if the tables hold all

    def __init__(self, tokens, special_tokens):
        if self.c.offsets != NULL or self.token_of is not None:
            raise TypeError("a Decoder never changes")
        largest = tokens.largest if isinstance(tokens, _RankTable) else max(tokens.values(), default=0)
        largest = max(largest, max(special_tokens, default=0))
        # Ids that are far apart would make a table of gaps.
        if largest >= 2 * SHARED_INTS:
            self.token_of = {**special_tokens, **{number: token for token, number in tokens.items()}}
        elif isinstance(tokens, _RankTable):
            self._set_table(tokens, special_tokens, largest + 1)
        else:
            self._set_tokens({**special_tokens, **{number: token for token, number in tokens.items()}}, largest + 1)

    def __dealloc__(self):
        mt_decoder_free(&self.c)

    cdef int _set_tokens(self, dict token_of, size_t count) except -1:
        cdef size_t at = 0, number
        cdef bytes token
        check(mt_decoder_init(&self.c, count, sum(map(len, token_of.values()))))
        for number in range(count):
            token = token_of.get(number, b"")
            at = mt_decoder_set(&self.c, number, <const uint8_t *> PyBytes_AS_STRING(token), len(token), at)
        return 0

    cdef int _set_table(self, _RankTable table, dict special_tokens, size_t count) except -1:
        """The same without an object for each token."""
        cdef const mt_vocabulary *v = &table.vocabulary
        cdef size_t at = 0, number, symbol = 0, size = v.offsets[v.token_count]
        cdef bytes token
        check(mt_decoder_init(&self.c, count, size + sum(map(len, special_tokens.values()))))
        for number in range(count):
            if symbol < v.token_count and v.ids[symbol] == number:
                size = v.offsets[symbol + 1] - v.offsets[symbol]
                at = mt_decoder_set(&self.c, number, v.bytes + v.offsets[symbol], size, at)
                symbol += 1
            else:
                token = special_tokens.get(number, b"")
                at = mt_decoder_set(&self.c, number, <const uint8_t *> PyBytes_AS_STRING(token), len(token), at)
        return 0

    def token(self, number):
        """The bytes of one id."""
        number = index(number)
        if self.token_of is not None:
            return self.token_of[number]
        if not 0 <= number < self.c.count or self.c.offsets[number] == self.c.offsets[<size_t> number + 1]:
            raise KeyError(number)
        return self._token(number)

    cdef bytes _token(self, size_t number):
        cdef uint32_t start = self.c.offsets[number]
        return PyBytes_FromStringAndSize(<const char *> self.c.bytes + start, self.c.offsets[number + 1] - start)

    def decode(self, ids):
        """The bytes of the tokens, one behind the other."""
        decoded = None
        if self.token_of is None and isinstance(ids, (list, tuple)):
            decoded = self._decode_sequence(tuple(ids) if mt_lists_may_change else ids)
        elif self.token_of is None and PyObject_CheckBuffer(ids):
            decoded = self._decode_buffer(memoryview(ids))
        return b"".join(map(self.token, ids)) if decoded is None else decoded

    cdef bytes _decode_sequence(self, ids):
        """None for what is not a list or tuple of small numbers, with which the caller deals."""
        cdef _BytesOut out = _BytesOut()
        cdef uint32_t[DECODED_AT_ONCE] chunk
        cdef PyObject **items = PySequence_Fast_ITEMS(ids)
        cdef Py_ssize_t at, i, size, count = len(ids)
        cdef int64_t number
        for at in range(0, count, DECODED_AT_ONCE):
            size = min(DECODED_AT_ONCE, count - at)
            for i in range(size):
                number = mt_small_int(items[at + i])
                if number < 0:
                    return None
                chunk[i] = <uint32_t> number
            self._decode_chunk(out, chunk, size, count - at - size, False)
        return out.take()

    cdef bytes _decode_buffer(self, view):
        """None for what is not a buffer of numbers that are ids."""
        cdef _BytesOut out = _BytesOut()
        cdef uint32_t[DECODED_AT_ONCE] chunk
        cdef const uint32_t *numbers = chunk
        cdef Py_buffer buffer
        cdef Py_ssize_t at, i, size, count
        cdef int width
        cdef bint fits = True
        if view.ndim != 1 or not view.c_contiguous or view.format not in BUFFER_FORMATS:
            return None
        width = BUFFER_FORMATS[view.format]
        count = len(view)
        PyObject_GetBuffer(view, &buffer, PyBUF_SIMPLE)
        try:
            for at in range(0, count, DECODED_AT_ONCE):
                size = min(DECODED_AT_ONCE, count - at)
                if width == 4:
                    numbers = <const uint32_t *> buffer.buf + at
                elif width == 2:
                    for i in range(size):
                        chunk[i] = (<const uint16_t *> buffer.buf)[at + i]
                elif width == -4:
                    for i in range(size):
                        chunk[i] = <uint32_t> (<const int32_t *> buffer.buf)[at + i]
                        fits &= (<const int32_t *> buffer.buf)[at + i] >= 0
                else:
                    for i in range(size):
                        chunk[i] = <uint32_t> (<const int64_t *> buffer.buf)[at + i]
                        fits &= 0 <= (<const int64_t *> buffer.buf)[at + i] <= 0xFFFFFFFF
                if not fits:
                    return None
                self._decode_chunk(out, numbers, size, count - at - size, True)
        finally:
            PyBuffer_Release(&buffer)
        return out.take()

    cdef int _decode_chunk(
        self, _BytesOut out, const uint32_t *ids, size_t count, size_t left, bint alone
    ) except -1:
        """Append the bytes of some ids, behind which there are so many more; `alone`: other threads may run."""
        cdef size_t total = 0, known = mt_decoded_length(&self.c, ids, count, &total)
        cdef uint8_t *end
        if known < count:
            raise KeyError(ids[known])
        out.reserve(total, <size_t> (1.125 * total / count * left))
        end = out.end()
        if alone:
            with nogil:
                mt_decode_into(&self.c, ids, count, end, total)
        else:
            mt_decode_into(&self.c, ids, count, end, total)
        out.size += total
        return 0
