# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# cython: freethreading_compatible=True
"""The compiled twin of `_pylearn`: the same names, over the C core in `_core/`.

A `PieceCounter` is for one thread; counters of several threads are added up with `merge`.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from minitok._core_api cimport *

from minitok._errors import MAX_COUNT, check_counts
from minitok.piece_records import check_order
from minitok.pretokenizer import bytes_of, get_pretokenizer, text_of

__all__ = ["PieceCounter", "learn_merges", "measure_records", "merge_records", "utf8_prefix"]

cdef mt_block_classifier FASTEST = mt_block_classifier_named(classifiers()[0])


cdef class PieceCounter:
    """How often each piece occurs in the texts that were fed; see `_pylearn.PieceCounter`."""

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
            self.add(self.pretokenizer.split(text_of(text)))
            return
        with nogil:
            status = mt_counter_feed(&self.c, self.pattern, FASTEST, data, size)
        check(status)

    def feed_all(self, texts):
        """Count the pieces of several texts."""
        cdef Py_ssize_t i, size = 0, n = len(texts)
        cdef mt_text *views
        cdef mt_status status = MT_OK
        if not self.splits_here:
            for text in texts:
                self.feed(text)
            return
        kept = tuple(texts)  # whatever becomes of them meanwhile
        views = <mt_text *> malloc((n + 1) * sizeof(mt_text))
        if views == NULL:
            raise MemoryError
        try:
            for i in range(n):
                views[i].data = utf8(kept[i], &size)
                views[i].length = size
            with nogil:
                status = mt_counter_feed_all(&self.c, self.pattern, FASTEST, views, n)
            check(status)
        finally:
            free(views)

    def add(self, pieces):
        """Count pieces that were cut elsewhere."""
        cdef bytes data
        for piece in pieces:
            data = bytes_of(piece)
            check(mt_counter_add(&self.c, <const uint8_t *> PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), 1))

    def add_records(self, bytes block not None, factor=1):
        """Add the counts of a block of records, each times `factor`."""
        cdef const uint8_t *data = <const uint8_t *> PyBytes_AS_STRING(block)
        cdef size_t size = PyBytes_GET_SIZE(block)
        cdef uint64_t times = min(factor, MAX_COUNT + 1)
        cdef mt_status status
        with nogil:
            status = mt_counter_add_records(&self.c, data, size, times)
        check(status)

    def merge(self, PieceCounter other not None):
        """Add what another counter counted, which is empty afterwards."""
        cdef mt_counter theirs = mt_counter_take(&other.c)
        cdef mt_status status
        with nogil:
            status = mt_counter_merge(&self.c, &theirs)
            mt_counter_free(&theirs)
        check(status)

    def records(self, order="bytes"):
        """The pieces and their counts as a stream of blocks of records; the counter is empty from now on."""
        cdef _CountedStream stream = _CountedStream()
        cdef bint by_bytes = order == "bytes"
        cdef mt_status status
        check_order(order)
        with nogil:
            status = mt_counted_stream_init(&stream.c, &self.c, by_bytes)
        check(status)
        return stream

    def counts(self):
        """Piece to count; in the order in which they were first seen."""
        cdef size_t i, length = 0
        cdef const uint8_t *piece
        cdef uint8_t copy[16]
        counts = {}
        for i in range(self.c.count):
            piece = mt_counted_piece(&self.c, &self.c.entries[i], copy, &length)
            counts[PyBytes_FromStringAndSize(<const char *> piece, length)] = self.c.entries[i].count
        return counts

    @property
    def total(self):
        """How many pieces were counted."""
        cdef size_t i
        cdef uint64_t low = 0, high = 0
        for i in range(self.c.count):
            low += self.c.entries[i].count & 0xFFFFFFFF
            high += self.c.entries[i].count >> 32
        return (int(high) << 32) + low

    @property
    def nbytes(self):
        """How much memory the counts take, about."""
        return mt_counter_size(&self.c)

    def __len__(self):
        return self.c.count


cdef class _CountedStream:
    """What was counted as an iterator of blocks of records."""

    cdef mt_counted_stream c

    def __dealloc__(self):
        mt_counted_stream_free(&self.c)

    def __iter__(self):
        return self

    def __next__(self):
        cdef size_t size = 0, end = 0
        cdef mt_status status
        cdef uint8_t *out
        with nogil:
            status = mt_next_block_size(&self.c, &size, &end)
        check(status)
        if size == 0:
            mt_counted_stream_free(&self.c)
            raise StopIteration
        block = PyBytes_FromStringAndSize(NULL, size)
        out = <uint8_t *> PyBytes_AS_STRING(block)
        with nogil:
            mt_write_block(&self.c, end, out)
        return block


cdef class _RecordMerge:
    """Several sorted streams of blocks of records as one; an iterator."""

    cdef mt_record_merge c
    cdef list streams
    cdef list blocks  # what is read of each
    cdef bint started

    def __init__(self, streams):
        self.streams = list(map(iter, streams))
        self.blocks = [None] * len(self.streams)
        check(mt_record_merge_init(&self.c, len(self.streams)))

    def __dealloc__(self):
        mt_record_merge_free(&self.c)

    cdef int _give(self, size_t number) except -1:
        """The next block of a stream, if there is one."""
        self.blocks[number] = None
        for block in self.streams[number]:
            if block:
                self.blocks[number] = block
                check(
                    mt_merge_give(
                        &self.c, number, <const uint8_t *> PyBytes_AS_STRING(<bytes?> block), len(block)
                    )
                )
                break
        return 0

    def __iter__(self):
        return self

    def __next__(self):
        cdef size_t number = 0
        cdef mt_status status
        cdef mt_merge_step step = MT_MERGE_WANTS_BLOCK
        if not self.started:
            self.started = True
            for number in range(len(self.streams)):
                self._give(number)
        while self.c.in_heap:
            with nogil:
                step = mt_merge_on(&self.c, &number, &status)
            if step == MT_MERGE_HAS_BLOCK:
                break
            check(status)
            self._give(number)
        if step != MT_MERGE_HAS_BLOCK:
            check(mt_merge_release(&self.c))
        if self.c.out.size == 0:
            raise StopIteration
        block = PyBytes_FromStringAndSize(<const char *> self.c.out.data, self.c.out.size)
        self.c.out.size = 0
        return block


def measure_records(bytes block not None, bytes after):
    """What a block of records in order holds; see `_pylearn.measure_records`."""
    cdef mt_record_sum total
    cdef const uint8_t *data = <const uint8_t *> PyBytes_AS_STRING(block)
    cdef size_t size = PyBytes_GET_SIZE(block)
    cdef mt_status status
    total.records = total.low = total.high = total.last_length = 0
    total.last = NULL
    if after is not None:
        total.last = <const uint8_t *> PyBytes_AS_STRING(after)
        total.last_length = PyBytes_GET_SIZE(after)
    with nogil:
        status = mt_records_measure(data, size, &total)
    check(status)
    last = after if total.records == 0 else PyBytes_FromStringAndSize(<const char *> total.last, total.last_length)
    return total.records, (int(total.high) << 32) + total.low, last


def utf8_prefix(bytes text not None):
    """How many bytes are whole characters of valid UTF-8; see `_pylearn.utf8_prefix`."""
    cdef const uint8_t *data = <const uint8_t *> PyBytes_AS_STRING(text)
    cdef size_t size = PyBytes_GET_SIZE(text)
    with nogil:
        size = mt_utf8_prefix(data, size)
    return size


def merge_records(streams):
    """One stream of blocks of records from several, each sorted; see `_pylearn.merge_records`."""
    return _RecordMerge(streams)


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
