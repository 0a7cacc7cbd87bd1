"""What the headers in `_core/` declare, for Cython. What it means is said there."""

from cpython.object cimport PyObject
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t


cdef extern from "status.h":
    ctypedef enum mt_status:
        MT_OK
        MT_NO_MEMORY
        MT_MISSING_BYTE
        MT_TOO_LONG
        MT_SURROGATE
        MT_IRREGULAR
        MT_TOO_MANY_TOKENS


cdef extern from "pattern.h":
    ctypedef struct mt_pattern:
        pass
    const mt_pattern *mt_find_pattern(const char *name)


cdef extern from "ids.h":
    ctypedef struct mt_ids:
        uint32_t *data
        size_t length
        size_t capacity
        size_t expected
    mt_status mt_ids_reserve(mt_ids *ids, size_t more) noexcept nogil
    void mt_ids_free(mt_ids *ids) noexcept nogil


cdef extern from "block.h":
    ctypedef struct mt_block:
        pass
    ctypedef void (*mt_block_classifier)(const uint8_t *bytes, mt_block *out) noexcept nogil
    mt_block_classifier mt_block_classifier_named(const char *name) noexcept nogil


cdef extern from "splitter.h":
    ctypedef struct mt_splitter:
        pass
    ctypedef struct mt_piece_run:
        const uint8_t *text
        uint64_t starts
        size_t length
    void mt_splitter_init(
        mt_splitter *s, const mt_pattern *p, mt_block_classifier classify, const uint8_t *text, size_t length
    ) noexcept nogil
    bint mt_split_next(mt_splitter *s, mt_piece_run *run) noexcept nogil


cdef extern from "bits.h":
    int mt_lowest_bit(uint64_t mask) noexcept nogil


cdef extern from "vocabulary.h":
    uint32_t MT_NO_SYMBOL
    size_t MT_MOST_RANKS
    ctypedef struct mt_vocabulary:
        size_t token_count
        uint32_t *ids
        uint32_t *offsets
        uint8_t *bytes
        uint32_t *made
        size_t made_count
        uint32_t *order
        bint whole_piece
        bint characters
        bint has_byte_ids
        uint32_t byte_ids[256]
        bint has_unknown
        uint32_t unknown_id
        bint borrowed
    mt_status mt_vocabulary_init(mt_vocabulary *v, size_t tokens, size_t bytes) noexcept nogil
    void mt_vocabulary_free(mt_vocabulary *v) noexcept nogil
    mt_status mt_index_tokens(mt_vocabulary *v) noexcept nogil
    uint32_t mt_symbol_of_id(const mt_vocabulary *v, uint64_t id) noexcept nogil
    mt_status mt_reserve_pairs(mt_vocabulary *v, size_t count) noexcept nogil
    mt_status mt_add_pair(mt_vocabulary *v, uint32_t left, uint32_t right, uint32_t rank) noexcept nogil
    void mt_index_byte_pairs(mt_vocabulary *v) noexcept nogil


cdef extern from "implied_merges.h":
    mt_status mt_add_implied_pairs(mt_vocabulary *v) noexcept nogil
    mt_status mt_add_unordered_pairs(mt_vocabulary *v) noexcept nogil


cdef extern from "borders.h":
    ctypedef struct mt_borders:
        bint borrowed
    void mt_borders_free(mt_borders *b) noexcept nogil
    mt_status mt_find_borders(const mt_vocabulary *v, mt_borders *b) noexcept nogil


cdef extern from "rank_file.h":
    mt_status mt_read_rank_file(mt_vocabulary *v, const uint8_t *data, size_t size) noexcept nogil


cdef extern from "tables.h":
    size_t MT_TABLES_SOURCE
    size_t mt_tables_size(const mt_vocabulary *v, const mt_borders *b) noexcept nogil
    void mt_tables_write(
        const mt_vocabulary *v, const mt_borders *b, const uint8_t *source, uint8_t *block
    ) noexcept nogil
    bint mt_tables_read(
        mt_vocabulary *v, mt_borders *b, const uint8_t *source, uint8_t *block, size_t size
    ) noexcept nogil


cdef extern from "encoder.h":
    ctypedef struct mt_encoder:
        mt_vocabulary vocabulary
        mt_borders borders
        const mt_pattern *pattern
        mt_block_classifier classify
    ctypedef struct mt_workspace:
        mt_ids ids
        size_t counted
    void mt_encoder_free(mt_encoder *e) noexcept nogil
    mt_status mt_workspace_init(mt_workspace *w) noexcept nogil
    void mt_workspace_free(mt_workspace *w) noexcept nogil
    mt_status mt_append_merged(
        const mt_encoder *e, mt_workspace *w, const uint8_t *piece, size_t length
    ) noexcept nogil
    mt_status mt_append_piece(
        const mt_encoder *e, mt_workspace *w, const uint8_t *piece, size_t length
    ) noexcept nogil
    mt_status mt_append_any(
        const mt_encoder *e, mt_workspace *w, const uint8_t *piece, size_t length
    ) noexcept nogil
    mt_status mt_encode(
        const mt_encoder *e, mt_workspace *w, const uint8_t *text, size_t length, size_t limit, bint only_count
    ) noexcept nogil


cdef extern from "string_view.h":
    ctypedef struct mt_string:
        const void *data
        size_t length
        int width


cdef extern from "special.h":
    ctypedef struct mt_special_edge:
        pass
    ctypedef struct mt_special:
        mt_special_edge *edges
    void mt_special_free(mt_special *s) noexcept nogil
    mt_status mt_special_init(mt_special *s, size_t characters) noexcept nogil
    void mt_special_add(mt_special *s, mt_string token, uint32_t number) noexcept nogil
    bint mt_special_find(
        const mt_special *s, mt_string text, const uint8_t *allowed, size_t *start, size_t *end, uint32_t *token
    ) noexcept nogil


cdef extern from "transcode.h":
    size_t mt_bytes_boundary(const mt_pattern *p, const uint8_t *text, size_t length, size_t at) noexcept nogil
    size_t mt_string_boundary(const mt_pattern *p, mt_string s, size_t at) noexcept nogil
    mt_status mt_encode_string(
        const mt_encoder *e, mt_workspace *w, mt_string s, size_t limit, bint only_count
    ) noexcept nogil


cdef extern from "decoder.h":
    ctypedef struct mt_decoder:
        size_t count
        uint32_t *offsets
        uint8_t *bytes
    void mt_decoder_free(mt_decoder *d) noexcept nogil
    mt_status mt_decoder_init(mt_decoder *d, size_t ids, size_t bytes) noexcept nogil
    size_t mt_decoder_set(mt_decoder *d, size_t id, const uint8_t *token, size_t length, size_t at) noexcept nogil
    size_t mt_decoded_length(const mt_decoder *d, const uint32_t *ids, size_t count, size_t *total) noexcept nogil
    void mt_decode_into(
        const mt_decoder *d, const uint32_t *ids, size_t count, uint8_t *out, size_t total
    ) noexcept nogil


cdef extern from "python_list.h":
    list mt_list_new()
    int mt_list_make_room(list out, Py_ssize_t room) except -1
    void mt_list_set_size(list out, Py_ssize_t size)
    void mt_list_finish(list out)


cdef extern from "python_int.h":
    bint mt_lists_may_change
    int64_t mt_small_int(PyObject *object) noexcept


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
    mt_status mt_counter_feed(
        mt_counter *c, const mt_pattern *p, mt_block_classifier classify, const uint8_t *text, size_t length
    ) noexcept nogil


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
