# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# cython: freethreading_compatible=True
"""The compiled twin of `_pycount` and `_pylearn`: the same names, over the C core in `_core/`.

Longer than 500 lines because every way of counting and learning from Python objects to the core is here, and nowhere
else.

A `PieceCounter` is for one thread; counters of several threads are added up with `merge`. So is a `Learner`.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc

from minitok._core_api cimport *

from array import array

from minitok._errors import MAX_COUNT, PROGRESS_STEP, learner_in_use, unknown_ids, words_too_late
from minitok.piece_records import check_order, check_parts
from minitok.pretokenizer import bytes_of, get_pretokenizer, text_of

__all__ = [
    "Learner",
    "PieceCounter",
    "classify_tokens",
    "count_ids",
    "count_parts",
    "measure_records",
    "merge_records",
    "partition_records",
    "utf8_prefix",
]

cdef extern from *:
    Py_ssize_t PY_SSIZE_T_MAX

#: As `PROGRESS_STEP`, which is not known when C is compiled.
cdef enum:
    STEP = 64

if PROGRESS_STEP != STEP:
    raise ImportError("minitok._fastlearn is of another version of minitok: install it again")

cdef mt_block_classifier FASTEST = mt_block_classifier_named(classifiers()[0])


cdef class PieceCounter:
    """How often each piece occurs in the texts that were fed; see `_pycount.PieceCounter`."""

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
    """What a block of records in order holds; see `_pycount.measure_records`."""
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
    """How many bytes are whole characters of valid UTF-8; see `_pycount.utf8_prefix`."""
    cdef const uint8_t *data = <const uint8_t *> PyBytes_AS_STRING(text)
    cdef size_t size = PyBytes_GET_SIZE(text)
    with nogil:
        size = mt_utf8_prefix(data, size)
    return size


def classify_tokens(tokens, bytes scripts not None):
    """What tells the scripts of tokens; see `_pycount.classify_tokens`."""
    cdef bytes joined = b"".join(tokens), lengths = array("I", map(len, tokens)).tobytes()
    cdef Py_ssize_t count = len(lengths) // sizeof(uint32_t)
    cdef bytes found = PyBytes_FromStringAndSize(NULL, count)
    cdef bytes places = PyBytes_FromStringAndSize(NULL, count * sizeof(uint32_t))
    mt_classify_tokens(
        <const uint8_t *> PyBytes_AS_STRING(joined), <const uint32_t *> PyBytes_AS_STRING(lengths), count,
        <const uint8_t *> PyBytes_AS_STRING(scripts), <uint8_t *> PyBytes_AS_STRING(found),
        <uint32_t *> PyBytes_AS_STRING(places),
    )
    return lengths, found, places


def count_ids(const uint32_t[::1] ids not None, const uint32_t[::1] lengths not None, int64_t[::1] counts not None):
    """Count ids; see `_pycount.count_ids`."""
    cdef size_t count = ids.shape[0], size = 0
    if not mt_ids_are_known(&ids[0] if count else NULL, count, min(lengths.shape[0], counts.shape[0])):
        raise unknown_ids(min(lengths.shape[0], counts.shape[0]))
    if count:
        with nogil:
            size = mt_count_ids(&ids[0], count, &lengths[0], &counts[0])
    return size


def count_parts(
    const uint32_t[::1] ids not None,
    const uint32_t[::1] lengths not None,
    const uint32_t[::1] places not None,
    bytes text not None,
    bytes scripts not None,
    int64_t[::1] tokens not None,
    int64_t[::1] sizes not None,
):
    """Count ids whose script the text tells; see `_pycount.count_parts`."""
    cdef size_t count = ids.shape[0], size = PyBytes_GET_SIZE(text)
    cdef const uint8_t *data = <const uint8_t *> PyBytes_AS_STRING(text)
    cdef const uint8_t *table = <const uint8_t *> PyBytes_AS_STRING(scripts)
    cdef mt_known_tokens known
    if not mt_ids_are_known(&ids[0] if count else NULL, count, min(lengths.shape[0], places.shape[0])):
        raise unknown_ids(min(lengths.shape[0], places.shape[0]))
    if count:
        known.lengths = &lengths[0]
        known.places = &places[0]
        with nogil:
            mt_count_parts(&ids[0], count, known, data, size, table, &tokens[0], &sizes[0])


def merge_records(streams):
    """One stream of blocks of records from several, each sorted; see `_pycount.merge_records`."""
    return _RecordMerge(streams)


def partition_records(bytes block not None, Py_ssize_t parts):
    """The records of a block in several blocks, by hash of their pieces; see `_pycount.partition_records`."""
    cdef const uint8_t *data = <const uint8_t *> PyBytes_AS_STRING(block)
    cdef size_t size = PyBytes_GET_SIZE(block)
    cdef size_t *sizes = NULL
    cdef size_t *of_record = NULL
    cdef uint8_t **ends = NULL
    cdef Py_ssize_t i
    cdef mt_status status
    check_parts(parts)
    try:
        sizes = <size_t *> calloc(parts, sizeof(size_t))
        ends = <uint8_t **> calloc(parts, sizeof(uint8_t *))
        of_record = <size_t *> malloc((mt_most_records(size) + 1) * sizeof(size_t))
        if sizes == NULL or ends == NULL or of_record == NULL:
            raise MemoryError
        with nogil:
            status = mt_measure_partitions(data, size, parts, sizes, of_record)
        check(status)
        shares = []
        for i in range(parts):
            shares.append(PyBytes_FromStringAndSize(NULL, sizes[i]))
            ends[i] = <uint8_t *> PyBytes_AS_STRING(<bytes> shares[i])
        with nogil:
            mt_write_partitions(data, size, of_record, ends)
        return shares
    finally:
        free(sizes)
        free(of_record)
        free(ends)


cdef class Learner:
    """Counted pieces -> merges; see `_pylearn.Learner`."""

    cdef mt_learner c
    cdef mt_survey survey
    cdef mt_symbols symbols
    cdef uint32_t *lengths  # of the tokens that there are, if an encoder makes the words
    cdef list blocks  # what was added; None when learning has begun
    cdef bint works  # a call is under way, which may be without the GIL
    cdef object encode_piece
    cdef object allowed

    def __init__(
        self, tokens, *, encoder=None, min_frequency=2, max_token_length=None, allowed=None, ties="ids"
    ):
        cdef Py_ssize_t i
        if self.blocks is not None or self.c.tokens.count > 0:
            raise TypeError("a Learner begins once")
        check(mt_pair_table_init(&self.c.pairs))
        self.blocks = []
        self.encode_piece = None if encoder is None else encoder.encode_piece
        self.allowed = allowed
        self.c.min_frequency = min(min_frequency, MAX_COUNT)
        self.c.longest = min(MAX_COUNT if max_token_length is None else max_token_length, PY_SSIZE_T_MAX)
        self.c.asks = allowed is not None
        self.c.by_place = ties != "ids"
        for token in tokens:
            self._add_token(b"" if token is None else token)
        if encoder is None:
            ids = {token: i for i, token in enumerate(tokens)}
            for i in range(256):
                self.symbols.of_byte[i] = ids[bytes([i])]
        else:
            self.lengths = <uint32_t *> malloc((self.c.tokens.count + 1) * sizeof(uint32_t))
            if self.lengths == NULL:
                raise MemoryError
            for i in range(<Py_ssize_t> self.c.tokens.count):
                self.lengths[i] = mt_length_of_token(&self.c.tokens, i)
            self.symbols.lengths = self.lengths

    def __dealloc__(self):
        mt_learner_free(&self.c)
        free(self.lengths)

    cdef int _add_token(self, bytes token) except -1:
        check(mt_propose_bytes(&self.c.tokens, <const uint8_t *> PyBytes_AS_STRING(token), PyBytes_GET_SIZE(token)))
        mt_accept_proposed(&self.c.tokens)
        return 0

    @property
    def words(self):
        """How many pieces were added."""
        return self.survey.words

    @property
    def total(self):
        """How many symbols all words have now, each as often as it occurs."""
        return self.survey.total if self.blocks is not None else self.c.total

    def add(self, bytes block not None):
        """Take counted pieces, each of them once in all."""
        if self.works:
            raise learner_in_use()
        if self.blocks is None:
            raise words_too_late()
        self.works = True
        try:
            self._add(block if self.encode_piece is None else self._encoded(block))
        finally:
            self.works = False

    cdef int _add(self, bytes block) except -1:
        cdef mt_status status
        cdef mt_record_reader reader = reader_of(block)
        with nogil:
            status = mt_survey_block(&self.survey, &self.symbols, reader)
        check(status)
        self.blocks.append(block)
        return 0

    cdef bytes _encoded(self, bytes block):
        """The same records, with the ids of a piece in the place of its bytes."""
        cdef mt_record_reader reader = reader_of(block)
        cdef mt_record record
        cdef Py_ssize_t i
        cdef uint64_t symbol
        # A record of n bytes is at least 2 and its piece, and becomes at most one more and four times the piece.
        cdef uint8_t *out = <uint8_t *> malloc(4 * reader.size + 1)
        cdef uint8_t *end = out
        cdef uint32_t *symbols = NULL
        if out == NULL:
            raise MemoryError
        try:
            symbols = <uint32_t *> malloc(4 * reader.size + 1)
            if symbols == NULL:
                raise MemoryError
            while reader.at < reader.size:
                check(mt_record_read(&reader, &record))
                ids = self.encode_piece(PyBytes_FromStringAndSize(<const char *> record.piece, record.length))
                for i in range(<Py_ssize_t> len(ids)):
                    symbol = ids[i]
                    if symbol >= self.c.tokens.count or self.lengths[symbol] == 0:
                        raise IndexError("the encoder has ids that are no tokens of the learner")
                    symbols[i] = <uint32_t> symbol
                end = mt_record_write(end, <const uint8_t *> symbols, 4 * len(ids), record.count)
            return PyBytes_FromStringAndSize(<const char *> out, end - out)
        finally:
            free(out)
            free(symbols)

    cdef int _begin(self) except -1:
        """Lay the words out and find all pairs in them."""
        cdef mt_status status = MT_OK
        cdef mt_record_reader reader
        cdef bint by_count = not self.c.by_place
        cdef size_t at = 1
        blocks, self.blocks = self.blocks, None
        self.c.total = self.survey.total
        if by_count:
            for block in blocks:
                reader = reader_of(block)
                with nogil:
                    status = mt_measure_runs(&self.c.words, &self.symbols, reader)
                check(status)
            mt_sort_runs(&self.c.words)
        check(mt_words_reserve(&self.c.words, &self.survey, by_count))
        blocks.reverse()
        while blocks:  # one by one, so that there are never two copies of all
            block = blocks.pop()
            reader = reader_of(block)
            with nogil:
                status = mt_put_block(&self.c.words, &self.symbols, reader, by_count, &at)
            check(status)
        with nogil:
            mt_finish_layout(&self.c.words, by_count)
            status = mt_learner_start(&self.c, self.symbols.lengths == NULL)
        return check(status)

    def learn(self, n, progress=None):
        """The next merges, in order; each makes the next id."""
        if self.works:
            raise learner_in_use()
        self.works = True
        try:
            return self._learn(n, progress)
        finally:
            self.works = False

    cdef list _learn(self, n, progress):
        cdef mt_learned learned[STEP]
        cdef mt_learner_state state = MT_PAUSE
        cdef mt_status status
        cdef size_t i, wanted, made
        cdef list merges = []
        if self.blocks is not None:
            self._begin()
        while len(merges) < n and state != MT_NO_PAIR:
            PyErr_CheckSignals()
            wanted = min(n - len(merges), STEP - len(merges) % STEP)
            with nogil:
                status = mt_learn(&self.c, learned, wanted, &made, &state)
            check(status)
            for i in range(made):
                merges.append((learned[i].left, learned[i].right, learned[i].count))
            if state == MT_ASK:
                token = PyBytes_FromStringAndSize(
                    <const char *> mt_proposed_bytes(&self.c.tokens), self.c.tokens.proposed
                )
                if not self.allowed(token):
                    mt_learner_reject(&self.c, self.c.candidate)
                    continue
                with nogil:
                    status = mt_learner_merge(&self.c, self.c.candidate, learned)
                check(status)
                merges.append((learned[0].left, learned[0].right, learned[0].count))
                made = 1
            if progress is not None and made and len(merges) % STEP == 0:
                progress(len(merges))
        if progress is not None and len(merges) % STEP:
            progress(len(merges))
        return merges


cdef inline mt_record_reader reader_of(bytes block):
    cdef mt_record_reader reader
    reader.data = <const uint8_t *> PyBytes_AS_STRING(block)
    reader.size = PyBytes_GET_SIZE(block)
    reader.at = 0
    return reader
