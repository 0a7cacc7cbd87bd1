# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# cython: freethreading_compatible=True
"""The compiled twin of `_pylearn`: the same names, over the C core in `_core/`.

A `PieceCounter` is for one thread; counters of several threads are added up with `merge`. So is a `Learner`.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from minitok._core_api cimport *

from minitok._errors import MAX_COUNT, PROGRESS_STEP, counts_too_large, words_too_late
from minitok.pretokenizer import bytes_of, get_pretokenizer

__all__ = ["Learner", "PieceCounter"]

cdef extern from *:
    Py_ssize_t PY_SSIZE_T_MAX

#: As `PROGRESS_STEP`, which is not known when C is compiled.
cdef enum:
    STEP = 64

if PROGRESS_STEP != STEP:
    raise ImportError("minitok._fastlearn is of another version of minitok: install it again")

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
        """Piece to count; in the order in which the pieces were first seen."""
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


cdef class Learner:
    """Counted pieces -> merges; see `_pylearn.Learner`."""

    cdef mt_learner c
    cdef mt_survey survey
    cdef mt_symbols symbols
    cdef uint32_t *lengths  # of the tokens that there are, if an encoder makes the words
    cdef list blocks  # what was added; None when learning has begun
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
        cdef mt_status status
        cdef mt_record_reader reader
        if self.blocks is None:
            raise words_too_late()
        if self.encode_piece is not None:
            block = self._encoded(block)
        reader = reader_of(block)
        with nogil:
            status = mt_survey_block(&self.survey, &self.symbols, reader)
        check(status)
        self.blocks.append(block)

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
