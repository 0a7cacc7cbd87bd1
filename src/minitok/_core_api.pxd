"""What the headers in `_core/` declare, for Cython; what it means is said there. And, at the end, what both extension
modules do between Python objects and the core."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
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
        MT_TOO_MANY
        MT_DAMAGED
        MT_UNSORTED


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
        uint64_t *unmade
        size_t pair_count
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
    void mt_list_pairs(const mt_vocabulary *v, uint32_t *symbols) noexcept nogil
    void mt_index_byte_pairs(mt_vocabulary *v) noexcept nogil


cdef extern from "implied_merges.h":
    mt_status mt_add_implied_pairs(mt_vocabulary *v) noexcept nogil
    mt_status mt_add_unordered_pairs(mt_vocabulary *v) noexcept nogil
    mt_status mt_find_unmade(mt_vocabulary *v) noexcept nogil


cdef extern from "borders.h":
    ctypedef struct mt_borders:
        bint borrowed
    void mt_borders_free(mt_borders *b) noexcept nogil
    mt_status mt_find_borders(const mt_vocabulary *v, mt_borders *b) noexcept nogil


cdef extern from "base64.h":
    size_t mt_base64_length(size_t size) noexcept nogil
    uint8_t *mt_encode_base64(const uint8_t *bytes, size_t size, uint8_t *out) noexcept nogil


cdef extern from "rank_file.h":
    mt_status mt_read_rank_file(mt_vocabulary *v, const uint8_t *data, size_t size) noexcept nogil


cdef extern from "json_model.h":
    ctypedef struct mt_model_place:
        size_t vocab, vocab_end, merges, merges_end
    bint mt_find_model(const uint8_t *data, size_t size, mt_model_place *place) noexcept nogil
    mt_status mt_read_json_model(
        mt_vocabulary *v, const uint8_t *data, const mt_model_place *place, const mt_vocabulary *apart,
        int64_t *apart_ids
    ) noexcept nogil


cdef extern from "tables.h":
    size_t MT_TABLES_SOURCE
    ctypedef struct mt_tables_header:
        uint64_t size
    ctypedef struct mt_tables:
        mt_tables_header header
    void mt_tables_list(
        mt_tables *tables, const mt_vocabulary *v, const mt_borders *b, const uint8_t *source, const uint8_t *note,
        size_t note_size
    ) noexcept nogil
    size_t mt_tables_copy(const mt_tables *tables, size_t start, uint8_t *out, size_t size) noexcept nogil
    bint mt_tables_read(
        mt_vocabulary *v, mt_borders *b, const uint8_t *source, uint8_t *block, size_t size, const uint8_t **note,
        size_t *note_size
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
    bint mt_offsets_fit(const int64_t *offsets, size_t count, size_t size) noexcept nogil
    mt_status mt_encode_joined(
        const mt_encoder *e, mt_workspace *w, const uint8_t *data, const int64_t *offsets, size_t count,
        const uint32_t *behind, int64_t *counts
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


cdef extern from "utf8.h":
    size_t mt_utf8_prefix(const uint8_t *text, size_t length) noexcept nogil


cdef extern from "token_use.h":
    ctypedef struct mt_known_tokens:
        const uint32_t *lengths
        const uint32_t *places
    void mt_classify_tokens(
        const uint8_t *tokens, const uint32_t *lengths, size_t count, const uint8_t *scripts, uint8_t *found,
        uint32_t *places
    ) noexcept nogil
    bint mt_ids_are_known(const uint32_t *ids, size_t count, size_t known) noexcept nogil
    size_t mt_count_ids(const uint32_t *ids, size_t count, const uint32_t *lengths, int64_t *counts) noexcept nogil
    void mt_count_parts(
        const uint32_t *ids, size_t count, mt_known_tokens known, const uint8_t *text, size_t size,
        const uint8_t *scripts, int64_t *tokens, int64_t *bytes
    ) noexcept nogil


cdef extern from "records.h":
    ctypedef struct mt_record:
        const uint8_t *piece
        size_t length
        uint64_t count
    ctypedef struct mt_record_reader:
        const uint8_t *data
        size_t size
        size_t at
    uint8_t *mt_record_write(uint8_t *out, const uint8_t *piece, size_t length, uint64_t count) noexcept nogil
    mt_status mt_record_read(mt_record_reader *r, mt_record *record) noexcept nogil
    ctypedef struct mt_record_sum:
        size_t records
        uint64_t low
        uint64_t high
        const uint8_t *last
        size_t last_length
    mt_status mt_records_measure(const uint8_t *block, size_t size, mt_record_sum *sum) noexcept nogil


cdef extern from "record_partition.h":
    size_t mt_most_records(size_t size) noexcept nogil
    mt_status mt_measure_partitions(
        const uint8_t *block, size_t size, size_t parts, size_t *sizes, size_t *of_record
    ) noexcept nogil
    void mt_write_partitions(
        const uint8_t *block, size_t size, const size_t *of_record, uint8_t **ends
    ) noexcept nogil


cdef extern from "counter.h":
    ctypedef struct mt_counted:
        uint64_t count
    ctypedef struct mt_counter:
        mt_counted *entries
        size_t count
    ctypedef struct mt_text:
        const uint8_t *data
        size_t length
    void mt_counter_free(mt_counter *c) noexcept nogil
    size_t mt_counter_size(const mt_counter *c) noexcept nogil
    const uint8_t *mt_counted_piece(
        const mt_counter *c, const mt_counted *entry, uint8_t *copy, size_t *length
    ) noexcept nogil
    mt_status mt_counter_feed(
        mt_counter *c, const mt_pattern *p, mt_block_classifier classify, const uint8_t *text, size_t length
    ) noexcept nogil
    mt_status mt_counter_feed_all(
        mt_counter *c, const mt_pattern *p, mt_block_classifier classify, const mt_text *texts, size_t count
    ) noexcept nogil
    mt_status mt_counter_add(mt_counter *c, const uint8_t *piece, size_t length, uint64_t amount) noexcept nogil
    mt_status mt_counter_add_records(
        mt_counter *c, const uint8_t *block, size_t size, uint64_t factor
    ) noexcept nogil
    mt_counter mt_counter_take(mt_counter *c) noexcept nogil
    mt_status mt_counter_merge(mt_counter *c, const mt_counter *other) noexcept nogil


cdef extern from "counted_stream.h":
    ctypedef struct mt_counted_stream:
        size_t at
    mt_status mt_counted_stream_init(mt_counted_stream *s, mt_counter *c, bint by_bytes) noexcept nogil
    void mt_counted_stream_free(mt_counted_stream *s) noexcept nogil
    mt_status mt_next_block_size(const mt_counted_stream *s, size_t *size, size_t *end) noexcept nogil
    void mt_write_block(mt_counted_stream *s, size_t end, uint8_t *out) noexcept nogil


cdef extern from "record_merge.h":
    ctypedef enum mt_merge_step:
        MT_MERGE_WANTS_BLOCK
        MT_MERGE_HAS_BLOCK
        MT_MERGE_FAILED
    ctypedef struct mt_byte_buffer:
        uint8_t *data
        size_t size
    ctypedef struct mt_record_merge:
        size_t in_heap
        mt_byte_buffer out
    mt_status mt_record_merge_init(mt_record_merge *m, size_t streams) noexcept nogil
    void mt_record_merge_free(mt_record_merge *m) noexcept nogil
    mt_status mt_merge_give(mt_record_merge *m, size_t stream, const uint8_t *block, size_t size) noexcept nogil
    mt_merge_step mt_merge_on(mt_record_merge *m, size_t *stream, mt_status *status) noexcept nogil
    mt_status mt_merge_release(mt_record_merge *m) noexcept nogil


cdef extern from "learner_words.h":
    ctypedef struct mt_symbols:
        int32_t of_byte[256]
        const uint32_t *lengths
    ctypedef struct mt_survey:
        size_t words
        uint64_t total
    ctypedef struct mt_words:
        pass
    mt_status mt_survey_block(mt_survey *survey, const mt_symbols *symbols, mt_record_reader block) noexcept nogil
    mt_status mt_measure_runs(mt_words *w, const mt_symbols *symbols, mt_record_reader block) noexcept nogil
    void mt_sort_runs(mt_words *w) noexcept nogil
    mt_status mt_words_reserve(mt_words *w, const mt_survey *survey, bint sorted) noexcept nogil
    mt_status mt_put_block(
        mt_words *w, const mt_symbols *symbols, mt_record_reader block, bint sorted, size_t *at
    ) noexcept nogil
    void mt_finish_layout(mt_words *w, bint sorted) noexcept nogil


cdef extern from "token_set.h":
    ctypedef struct mt_token_set:
        size_t count
        size_t proposed
    size_t mt_length_of_token(const mt_token_set *t, size_t token) noexcept nogil
    mt_status mt_propose_bytes(mt_token_set *t, const uint8_t *bytes, size_t length) noexcept nogil
    const uint8_t *mt_proposed_bytes(const mt_token_set *t) noexcept nogil
    void mt_accept_proposed(mt_token_set *t) noexcept nogil


cdef extern from "pair_table.h":
    ctypedef struct mt_pair_table:
        pass
    mt_status mt_pair_table_init(mt_pair_table *t) noexcept nogil


cdef extern from "learner.h":
    ctypedef struct mt_learned:
        uint32_t left
        uint32_t right
        int64_t count
    ctypedef enum mt_learner_state:
        MT_LEARNED_ALL
        MT_NO_PAIR
        MT_PAUSE
        MT_ASK
    ctypedef struct mt_learner:
        mt_words words
        mt_token_set tokens
        mt_pair_table pairs
        int64_t min_frequency
        size_t longest
        bint asks
        bint by_place
        uint64_t total
        uint32_t candidate
    void mt_learner_free(mt_learner *l) noexcept nogil
    mt_status mt_learner_start(mt_learner *l, bint single) noexcept nogil
    mt_status mt_learn(
        mt_learner *l, mt_learned *out, size_t wanted, size_t *made, mt_learner_state *state
    ) noexcept nogil
    mt_status mt_learner_merge(mt_learner *l, uint32_t index, mt_learned *learned) noexcept nogil
    void mt_learner_reject(mt_learner *l, uint32_t index) noexcept nogil


cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL


cdef inline list classifiers():
    """The ways to classify characters that this machine has, the fastest first."""
    return [name for name in (b"avx2", b"sse2", b"neon", b"portable") if mt_block_classifier_named(name) != NULL]


cdef inline int check(mt_status status) except -1:
    if status == MT_NO_MEMORY:
        raise MemoryError
    if status == MT_TOO_LONG:
        raise ValueError("a piece, or all pieces together, have 4 GiB or more; the compiled backend takes less")
    if status == MT_TOO_MANY_TOKENS:
        raise ValueError(
            "the vocabulary has more than 2,096,895 tokens, or 4 GiB of them, or more than 4,194,304 merges; "
            "the compiled backend takes less: set MINITOK_BACKEND=python"
        )
    if status == MT_TOO_MANY:
        from minitok._errors import counts_too_large

        raise counts_too_large()
    if status == MT_DAMAGED:
        from minitok.piece_records import damaged_records

        raise damaged_records()
    if status == MT_UNSORTED:
        from minitok.piece_records import unsorted_records

        raise unsorted_records()
    return 0


cdef inline const uint8_t *utf8(object text, Py_ssize_t *size) except NULL:
    """The bytes of a text; UnicodeEncodeError for a str with a lone surrogate."""
    if isinstance(text, bytes):
        size[0] = PyBytes_GET_SIZE(text)
        return <const uint8_t *> PyBytes_AS_STRING(text)
    return <const uint8_t *> PyUnicode_AsUTF8AndSize(text, size)


cdef inline const mt_pattern *scanner_pattern(object pattern):
    """The scanner's parameters for a regular expression; NULL if it does not know it."""
    from minitok.patterns import find_named_pattern

    named = find_named_pattern(pattern)
    if named is None:
        return NULL
    name = named.name.encode("ascii")
    return mt_find_pattern(name)
