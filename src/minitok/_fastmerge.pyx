# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# cython: freethreading_compatible=True
"""The compiled twin of `_pymerge`: the same three names, over the C core in `_core/`.

A whole text crosses this file, not a piece; here are only the ways from Python objects to memory and back. What the
results mean is said in `_pymerge`, which is the specification.

Threads. An `Encoder` does not change after construction. What a call writes to is a workspace, which belongs to that
call alone: it is taken from the encoder's pool and put back, so that there are as many as there were calls at once.
A `PieceCounter` is for one thread; counters of several threads are added up with `merge`.
"""

from cpython.bytearray cimport PyByteArray_FromStringAndSize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_CheckSignals
from cpython.list cimport PyList_New, PyList_SET_ITEM
from cpython.ref cimport Py_INCREF
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.stdlib cimport malloc
from libc.string cimport memcpy

from minitok._core_api cimport *

from minitok._errors import MAX_COUNT, check_counts, counts_too_large, missing_byte
from minitok.patterns import find_named_pattern
from minitok.pretokenizer import bytes_of, get_pretokenizer, text_of

__all__ = ["Encoder", "PieceCounter", "learn_merges"]


cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL


#: A workspace that has grown beyond this many ids gives them back after the call.
cdef size_t KEPT_IDS = 1 << 18
#: Ids up to this number come as prebuilt int objects.
cdef uint32_t SHARED_INTS = 1 << 20


cdef int check(mt_status status) except -1:
    if status == MT_NO_MEMORY:
        raise MemoryError
    if status == MT_TOO_LONG:
        raise ValueError("a piece, or all pieces together, have 4 GiB or more; the compiled backend takes less")
    return 0


cdef const uint8_t *utf8(object text, Py_ssize_t *size) except NULL:
    """The bytes of a text; UnicodeEncodeError for a str with a lone surrogate."""
    if isinstance(text, bytes):
        size[0] = PyBytes_GET_SIZE(text)
        return <const uint8_t *> PyBytes_AS_STRING(text)
    return <const uint8_t *> PyUnicode_AsUTF8AndSize(text, size)


cdef const mt_pattern *scanner_pattern(object pattern):
    """The scanner's parameters for a regular expression; NULL if it does not know it."""
    named = find_named_pattern(pattern)
    if named is None:
        return NULL
    name = named.name.encode("ascii")
    return mt_find_pattern(name)


cdef class _Workspace:
    """What one call writes to."""

    cdef mt_workspace c

    def __cinit__(self):
        check(mt_workspace_init(&self.c))

    def __dealloc__(self):
        mt_workspace_free(&self.c)


cdef class Encoder:
    """Ordinary text to ids, for one vocabulary and pattern; see `_pymerge.Encoder`."""

    cdef mt_vocabulary vocabulary
    cdef const mt_pattern *pattern
    cdef bint splits_here  # the scanner knows the pattern, or there is none
    cdef object pretokenizer
    cdef list pool
    cdef list ints

    def __init__(self, tokens, merges, pattern, whole_piece=True):
        if self.vocabulary.list != NULL:
            raise TypeError("an Encoder never changes")
        self.pattern = scanner_pattern(pattern)
        self.splits_here = pattern is None or self.pattern != NULL
        self.pretokenizer = None if self.splits_here else get_pretokenizer(pattern)
        self.vocabulary.whole_piece = whole_piece
        self._set_tokens(tokens)
        self._set_merges(merges)
        self.pool = []
        largest = max(tokens.values(), default=0)
        self.ints = list(range(largest + 1)) if largest < SHARED_INTS else []

    def __dealloc__(self):
        mt_vocabulary_free(&self.vocabulary)

    cdef int _set_tokens(self, tokens) except -1:
        cdef mt_vocabulary *v = &self.vocabulary
        cdef size_t total = 0, at = 0, i = 0
        cdef bytes token
        for token in tokens:
            total += PyBytes_GET_SIZE(token)
        v.list = <mt_token *> malloc((len(tokens) + 1) * sizeof(mt_token))
        v.bytes = <uint8_t *> malloc(total + 1)
        if v.list == NULL or v.bytes == NULL:
            raise MemoryError
        for token, number in tokens.items():
            memcpy(v.bytes + at, PyBytes_AS_STRING(token), PyBytes_GET_SIZE(token))
            v.list[i].bytes = v.bytes + at
            v.list[i].length = PyBytes_GET_SIZE(token)
            v.list[i].id = number
            at += PyBytes_GET_SIZE(token)
            i += 1
        v.count = i
        return check(mt_index_tokens(v))

    cdef int _set_merges(self, merges) except -1:
        cdef mt_status status
        cdef uint32_t rank = 0
        if merges is None:
            with nogil:
                status = mt_add_implied_merges(&self.vocabulary)
            return check(status)
        check(mt_reserve_merges(&self.vocabulary, len(merges)))
        for left, right, made in merges:
            check(mt_add_merge(&self.vocabulary, left, right, rank, made))
            rank += 1
        return 0

    cdef _Workspace _take(self):
        try:
            return self.pool.pop()
        except IndexError:
            return _Workspace()

    cdef int _give_back(self, _Workspace w) except -1:
        w.c.ids.length = 0
        if w.c.ids.capacity > KEPT_IDS:
            mt_ids_free(&w.c.ids)
        self.pool.append(w)
        return 0

    cdef int _check(self, mt_status status, _Workspace w) except -1:
        if status == MT_MISSING_BYTE:
            raise missing_byte(w.c.ids.data[w.c.ids.length])
        return check(status)

    cdef int _encode(self, text, _Workspace w, size_t limit) except -1:
        """Leave the ids of a text in the workspace; stop when there are more than `limit`."""
        cdef Py_ssize_t size = 0
        cdef size_t at = 0
        cdef mt_status status = MT_OK
        cdef const uint8_t *data
        cdef bytes piece
        if self.splits_here:
            data = utf8(text, &size)
            with nogil:
                status = mt_encode(&self.vocabulary, self.pattern, &w.c, data, &at, size, limit)
            return self._check(status, w)
        for piece in self.split(text):
            self._check(
                mt_append_cached(
                    &self.vocabulary, &w.c, <const uint8_t *> PyBytes_AS_STRING(piece), PyBytes_GET_SIZE(piece)
                ),
                w,
            )
            if w.c.ids.length > limit:
                break
        return 0

    cdef list _to_list(self, _Workspace w):
        cdef size_t i, count = w.c.ids.length
        cdef uint32_t *data = w.c.ids.data
        cdef list ints = self.ints
        cdef list out = PyList_New(count)
        cdef object number
        cdef bint shared = len(ints) > 0
        for i in range(count):
            number = ints[<Py_ssize_t> data[i]] if shared else <object> data[i]
            Py_INCREF(number)
            PyList_SET_ITEM(out, i, number)
        return out

    def encode(self, text, limit=None):
        """The ids of a text without special tokens."""
        cdef _Workspace w = self._take()
        try:
            self._encode(text, w, <size_t> -1 if limit is None else limit)
            return self._to_list(w)
        finally:
            self._give_back(w)

    def encode_uint32(self, text):
        """The ids as unsigned 32-bit numbers in the machine's byte order."""
        cdef _Workspace w = self._take()
        try:
            self._encode(text, w, <size_t> -1)
            return PyByteArray_FromStringAndSize(<char *> w.c.ids.data, w.c.ids.length * sizeof(uint32_t))
        finally:
            self._give_back(w)

    def count(self, text, limit=None):
        """How many ids `encode` gives; with a limit, some number above it as soon as that is certain."""
        cdef _Workspace w = self._take()
        try:
            self._encode(text, w, <size_t> -1 if limit is None else limit)
            return w.c.ids.length
        finally:
            self._give_back(w)

    def split(self, text):
        """The pieces of a text, as bytes."""
        cdef Py_ssize_t size = 0
        cdef size_t at = 0, end
        cdef const uint8_t *data
        cdef list pieces = []
        if not self.splits_here:
            if isinstance(text, str):
                return [piece.encode("utf-8") for piece in self.pretokenizer.split(text)]
            return [bytes_of(piece) for piece in self.pretokenizer.split(text_of(text))]
        data = utf8(text, &size)
        while at < <size_t> size:
            end = <size_t> size if self.pattern == NULL else mt_piece_end(self.pattern, data, at, size)
            pieces.append(PyBytes_FromStringAndSize(<const char *> data + at, end - at))
            at = end
        return pieces

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
                    status = mt_append_merged(&self.vocabulary, &w.c, data, size)
                else:
                    status = mt_append_piece(&self.vocabulary, &w.c, data, size)
            self._check(status, w)
            return self._to_list(w)
        finally:
            self._give_back(w)


cdef class PieceCounter:
    """How often each piece occurs in the texts that were fed; see `_pymerge.PieceCounter`."""

    cdef mt_counter c
    cdef const mt_pattern *pattern
    cdef bint splits_here
    cdef object pretokenizer

    def __init__(self, pattern):
        self.pattern = scanner_pattern(pattern)
        self.splits_here = pattern is None or self.pattern != NULL
        self.pretokenizer = None if self.splits_here else get_pretokenizer(pattern)

    def __dealloc__(self):
        mt_counter_free(&self.c)

    def feed(self, text):
        """Count the pieces of a text."""
        cdef Py_ssize_t size = 0
        cdef const uint8_t *data = utf8(text, &size)
        cdef mt_status status
        if not self.splits_here:
            self.add(self.pretokenizer.split(text))
            return
        with nogil:
            status = mt_counter_feed(&self.c, self.pattern, data, size)
        check(status)

    def add(self, pieces):
        """Count pieces that were cut elsewhere."""
        for piece in pieces:
            self._add(bytes_of(piece), 1)

    def merge(self, counts):
        """Add what another counter counted."""
        for piece, count in counts.items():
            self._add(piece, count)

    cdef int _add(self, bytes piece, count) except -1:
        cdef mt_status status = MT_OK
        cdef mt_counted *entry = mt_counter_find(
            &self.c, <const uint8_t *> PyBytes_AS_STRING(piece), PyBytes_GET_SIZE(piece), &status
        )
        check(status)
        total = entry.count + count
        if total > MAX_COUNT:
            raise counts_too_large()
        entry.count = total
        return 0

    def counts(self):
        """Piece to count; in no particular order."""
        cdef size_t i
        return {self._piece(i): self.c.entries[i].count for i in range(self.c.count)}

    def take(self):
        """The pieces and their counts, side by side; the counter is empty afterwards."""
        cdef size_t i
        pieces = [self._piece(i) for i in range(self.c.count)]
        counts = [self.c.entries[i].count for i in range(self.c.count)]
        mt_counter_free(&self.c)
        return pieces, counts

    cdef bytes _piece(self, size_t i):
        cdef mt_counted *entry = &self.c.entries[i]
        return PyBytes_FromStringAndSize(<const char *> self.c.bytes + entry.offset, entry.length)

    def __len__(self):
        return self.c.count


cdef class _Learner:
    """Owns the memory of one `learn_merges`."""

    cdef mt_learner c

    def __dealloc__(self):
        mt_learner_free(&self.c)

    cdef int lay_out(self, words, counts, tokens, size_t n, int64_t min_frequency) except -1:
        """Put the words into cells, the most frequent first."""
        cdef size_t cells = 1, at = 1, run = 0
        cdef int64_t count
        order = sorted(range(len(words)), key=counts.__getitem__, reverse=True)
        lengths = [1 if token is None else len(token) for token in tokens]
        if lengths[:256] == [1] * 256:
            cells += sum(len(w) if isinstance(w, bytes) else sum(map(lengths.__getitem__, w)) for w in words)
        else:
            cells += sum(sum(map(lengths.__getitem__, w)) for w in words)
        cells += len(words)
        check(mt_learner_init(&self.c, cells, len(set(counts)), len(tokens) + n, min_frequency))
        for i, length in enumerate(lengths):
            self.c.lengths[i] = length
        self.c.cells[0] = MT_BOUNDARY
        for index in order:
            count = counts[index]
            if run == 0 or self.c.runs[run - 1].count != count:
                self.c.runs[run].first = at
                self.c.runs[run].count = count
                run += 1
            for symbol in words[index]:
                at = mt_put_symbol(&self.c, at, symbol)
            self.c.cells[at] = MT_BOUNDARY
            at += 1
        self.c.run_count = run
        return 0


def learn_merges(words, counts, n, tokens, *, min_frequency=2, max_token_length=None, progress=None):
    """The merges that byte-pair encoding learns, in order; see `_pymerge.learn_merges`."""
    cdef _Learner learner = _Learner()
    cdef mt_status status
    cdef mt_candidate best
    cdef bint found
    cdef uint32_t left, right
    cdef int32_t made
    check_counts(words, counts)
    learner.lay_out(words, counts, tokens, n, min(min_frequency, MAX_COUNT))
    words.clear()
    with nogil:
        status = mt_learner_start(&learner.c)
    check(status)
    token_bytes = list(tokens)
    known = {token for token in tokens if token is not None}
    merges = []
    while len(merges) < n:
        PyErr_CheckSignals()
        with nogil:
            found = mt_learner_best(&learner.c, &best)
        if not found:
            break
        left = best.pair >> 32
        right = <uint32_t> best.pair
        token = (token_bytes[left] or b"") + (token_bytes[right] or b"")
        mt_heap_drop(&learner.c)
        if token in known or (max_token_length is not None and len(token) > max_token_length):
            continue  # can never be merged: it does not come back
        made = len(token_bytes)
        token_bytes.append(token)
        known.add(token)
        merges.append((left, right))
        learner.c.lengths[made] = len(token)
        with nogil:
            status = mt_learner_merge(&learner.c, best.pair, made)
        check(status)
        if progress is not None:
            progress(len(merges))
    return merges
