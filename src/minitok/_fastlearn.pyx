# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# cython: freethreading_compatible=True
"""The compiled twin of `_pylearn`: the same names, over the C core in `_core/`.

A `PieceCounter` is for one thread; counters of several threads are added up with `merge`.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from minitok._core_api cimport *

from minitok._errors import MAX_COUNT, check_counts, counts_too_large
from minitok.pretokenizer import bytes_of, get_pretokenizer

__all__ = ["PieceCounter", "learn_merges"]

cdef mt_block_classifier FASTEST = mt_block_classifier_named(classifiers()[0])


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
            status = mt_counter_feed(&self.c, self.pattern, FASTEST, data, size)
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
