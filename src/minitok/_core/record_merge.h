/* Several sorted streams of records made one: equal pieces become one record, and their counts add up.
 *
 * Streams come in blocks. Those that have a record are in a heap by the bytes of its piece, and their number where
 * pieces are equal. The merge goes on until a stream's block is used up, and asks for the next; a piece that may occur
 * in it too is held meanwhile, because its block may be gone by then. */
#ifndef MINITOK_RECORD_MERGE_H
#define MINITOK_RECORD_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "records.h"
#include "status.h"

typedef struct {
    mt_record_reader reader;
    mt_record record; /* the next one, if the stream is in the heap */
    uint64_t prefix;  /* its first bytes: most comparisons need no more */
} mt_record_stream;

typedef struct {
    uint8_t *data;
    size_t size;
    size_t capacity;
} mt_byte_buffer;

typedef struct {
    mt_record_stream *streams;
    size_t *heap; /* numbers of streams */
    size_t in_heap;
    mt_byte_buffer held; /* the last piece */
    uint64_t held_count;
    bool holds;
    mt_byte_buffer out; /* whole records */
} mt_record_merge;

typedef enum {
    MT_MERGE_WANTS_BLOCK, /* of the stream whose number is told */
    MT_MERGE_HAS_BLOCK,   /* in `out`, to be emptied */
    MT_MERGE_FAILED
} mt_merge_step;

static inline void mt_record_merge_free(mt_record_merge *m) {
    free(m->streams);
    free(m->heap);
    free(m->held.data);
    free(m->out.data);
    memset(m, 0, sizeof *m);
}

static inline mt_status mt_record_merge_init(mt_record_merge *m, size_t streams) {
    memset(m, 0, sizeof *m);
    m->streams = calloc(streams + 1, sizeof *m->streams);
    m->heap = calloc(streams + 1, sizeof *m->heap);
    return m->streams == NULL || m->heap == NULL ? MT_NO_MEMORY : MT_OK;
}

static inline mt_status mt_byte_buffer_reserve(mt_byte_buffer *b, size_t more) {
    if (b->capacity - b->size >= more) {
        return MT_OK;
    }
    size_t capacity = b->size + b->size / 2 + more + 256;
    uint8_t *data = realloc(b->data, capacity);
    if (data == NULL) {
        return MT_NO_MEMORY;
    }
    b->data = data;
    b->capacity = capacity;
    return MT_OK;
}

/* The first eight bytes of a piece as a number that is ordered as they are. */
static inline uint64_t mt_piece_prefix(const uint8_t *piece, size_t length) {
    uint64_t prefix = 0;
    for (size_t i = 0; i < 8; i++) {
        prefix = prefix << 8 | (i < length ? piece[i] : 0);
    }
    return prefix;
}

static inline bool mt_stream_is_before(const mt_record_merge *m, size_t a, size_t b) {
    const mt_record_stream *one = &m->streams[a], *other = &m->streams[b];
    if (one->prefix != other->prefix) {
        return one->prefix < other->prefix;
    }
    size_t shared = one->record.length < other->record.length ? one->record.length : other->record.length;
    int difference = memcmp(one->record.piece, other->record.piece, shared);
    if (difference == 0 && one->record.length != other->record.length) {
        return one->record.length < other->record.length;
    }
    return difference != 0 ? difference < 0 : a < b;
}

static inline void mt_merge_sift_down(mt_record_merge *m, size_t at) {
    size_t moving = m->heap[at];
    for (size_t child; (child = 2 * at + 1) < m->in_heap; at = child) {
        if (child + 1 < m->in_heap && mt_stream_is_before(m, m->heap[child + 1], m->heap[child])) {
            child++;
        }
        if (!mt_stream_is_before(m, m->heap[child], moving)) {
            break;
        }
        m->heap[at] = m->heap[child];
    }
    m->heap[at] = moving;
}

static inline mt_status mt_stream_advance(mt_record_stream *s) {
    mt_status status = mt_record_read(&s->reader, &s->record);
    s->prefix = status == MT_OK ? mt_piece_prefix(s->record.piece, s->record.length) : 0;
    return status;
}

/* Give a stream its next block, which is not empty and stays where it is until the stream wants another. */
static inline mt_status mt_merge_give(mt_record_merge *m, size_t stream, const uint8_t *block, size_t size) {
    mt_record_stream *s = &m->streams[stream];
    s->reader = (mt_record_reader){block, size, 0};
    mt_status status = mt_stream_advance(s);
    if (status != MT_OK) {
        return status;
    }
    /* In place of the one that wanted it, or as a new leaf. */
    size_t at = m->in_heap++;
    for (; at > 0 && mt_stream_is_before(m, stream, m->heap[(at - 1) / 2]); at = (at - 1) / 2) {
        m->heap[at] = m->heap[(at - 1) / 2];
    }
    m->heap[at] = stream;
    return MT_OK;
}

/* Put what is held into `out`. */
static inline mt_status mt_merge_release(mt_record_merge *m) {
    if (!m->holds) {
        return MT_OK;
    }
    mt_status status = mt_byte_buffer_reserve(&m->out, mt_record_size(m->held.size, m->held_count));
    if (status != MT_OK) {
        return status;
    }
    uint8_t *end = mt_record_write(m->out.data + m->out.size, m->held.data, m->held.size, m->held_count);
    m->out.size = (size_t)(end - m->out.data);
    m->holds = false;
    return MT_OK;
}

static inline mt_status mt_merge_hold(mt_record_merge *m, const mt_record *record) {
    m->held.size = 0;
    mt_status status = mt_byte_buffer_reserve(&m->held, record->length + 1);
    if (status != MT_OK) {
        return status;
    }
    memcpy(m->held.data, record->piece, record->length);
    m->held.size = record->length;
    m->held_count = 0;
    m->holds = true;
    return mt_count_add(&m->held_count, record->count);
}

/* Merge on. `*stream`: which one wants a block; the streams that have no more are not asked again. When the heap is
 * empty, all is merged: the caller releases what is held, and takes what is in `out`. */
static inline mt_merge_step mt_merge_on(mt_record_merge *m, size_t *stream, mt_status *status) {
    *status = MT_OK;
    while (m->in_heap > 0) {
        mt_record_stream *s = &m->streams[m->heap[0]];
        bool same = m->holds && s->record.length == m->held.size &&
                    memcmp(s->record.piece, m->held.data, m->held.size) == 0;
        if (same) {
            *status = mt_count_add(&m->held_count, s->record.count);
        } else {
            *status = mt_merge_release(m);
            if (*status == MT_OK && m->out.size >= MT_RECORD_BLOCK) {
                return MT_MERGE_HAS_BLOCK;
            }
            if (*status == MT_OK) {
                *status = mt_merge_hold(m, &s->record);
            }
        }
        if (*status != MT_OK) {
            return MT_MERGE_FAILED;
        }
        if (s->reader.at == s->reader.size) {
            *stream = m->heap[0];
            m->heap[0] = m->heap[--m->in_heap];
            mt_merge_sift_down(m, 0);
            return MT_MERGE_WANTS_BLOCK;
        }
        *status = mt_stream_advance(s);
        if (*status != MT_OK) {
            return MT_MERGE_FAILED;
        }
        mt_merge_sift_down(m, 0);
    }
    return MT_MERGE_HAS_BLOCK;
}

#endif
