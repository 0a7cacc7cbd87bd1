"""What the headers in `_core/` declare, for Cython. What it means is said there."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t


cdef extern from "status.h":
    ctypedef enum mt_status:
        MT_OK
        MT_NO_MEMORY
        MT_MISSING_BYTE
        MT_TOO_LONG


cdef extern from "pattern.h":
    ctypedef struct mt_pattern:
        pass
    const mt_pattern *mt_find_pattern(const char *name)


cdef extern from "scanner.h":
    size_t mt_piece_end(const mt_pattern *p, const uint8_t *text, size_t at, size_t end) noexcept nogil


cdef extern from "ids.h":
    ctypedef struct mt_ids:
        uint32_t *data
        size_t length
        size_t capacity
    void mt_ids_free(mt_ids *ids) noexcept nogil


cdef extern from "vocabulary.h":
    ctypedef struct mt_token:
        const uint8_t *bytes
        size_t length
        uint32_t id
    ctypedef struct mt_vocabulary:
        mt_token *list
        size_t count
        uint8_t *bytes
        bint whole_piece
    void mt_vocabulary_free(mt_vocabulary *v) noexcept nogil
    mt_status mt_index_tokens(mt_vocabulary *v) noexcept nogil
    mt_status mt_reserve_merges(mt_vocabulary *v, size_t count) noexcept nogil
    mt_status mt_add_merge(
        mt_vocabulary *v, uint32_t left, uint32_t right, uint32_t rank, uint32_t made
    ) noexcept nogil
    mt_status mt_add_implied_merges(mt_vocabulary *v) noexcept nogil


cdef extern from "encoder.h":
    ctypedef struct mt_workspace:
        mt_ids ids
    mt_status mt_workspace_init(mt_workspace *w) noexcept nogil
    void mt_workspace_free(mt_workspace *w) noexcept nogil
    mt_status mt_append_merged(
        const mt_vocabulary *v, mt_workspace *w, const uint8_t *piece, size_t length
    ) noexcept nogil
    mt_status mt_append_piece(
        const mt_vocabulary *v, mt_workspace *w, const uint8_t *piece, size_t length
    ) noexcept nogil
    mt_status mt_append_cached(
        const mt_vocabulary *v, mt_workspace *w, const uint8_t *piece, size_t length
    ) noexcept nogil
    mt_status mt_encode(
        const mt_vocabulary *v, const mt_pattern *p, mt_workspace *w, const uint8_t *text, size_t *at, size_t end,
        size_t limit
    ) noexcept nogil


cdef extern from "counter.h":
    ctypedef struct mt_counted:
        uint64_t count
        size_t offset
        size_t length
    ctypedef struct mt_counter:
        mt_counted *entries
        size_t count
        uint8_t *bytes
    void mt_counter_free(mt_counter *c) noexcept nogil
    mt_counted *mt_counter_find(mt_counter *c, const uint8_t *piece, size_t length, mt_status *status) noexcept nogil
    mt_status mt_counter_feed(mt_counter *c, const mt_pattern *p, const uint8_t *text, size_t end) noexcept nogil


cdef extern from "learner.h":
    int32_t MT_BOUNDARY
    ctypedef struct mt_count_run:
        uint32_t first
        int64_t count
    ctypedef struct mt_candidate:
        int64_t count
        uint64_t pair
    ctypedef struct mt_learner:
        int32_t *cells
        uint32_t *lengths
        mt_count_run *runs
        size_t run_count
    mt_status mt_learner_init(
        mt_learner *l, size_t cell_count, size_t run_count, size_t symbols, int64_t min_frequency
    ) noexcept nogil
    void mt_learner_free(mt_learner *l) noexcept nogil
    size_t mt_put_symbol(mt_learner *l, size_t at, uint32_t symbol) noexcept nogil
    mt_status mt_learner_start(mt_learner *l) noexcept nogil
    bint mt_learner_best(mt_learner *l, mt_candidate *best) noexcept nogil
    void mt_heap_drop(mt_learner *l) noexcept nogil
    mt_status mt_learner_merge(mt_learner *l, uint64_t pair, int32_t made) noexcept nogil
