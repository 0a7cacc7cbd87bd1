/* What was counted as a stream of records, in the order in which pieces were first seen or by their bytes.
 *
 * Sorting is a quicksort on strings that keeps the next seven bytes of each piece beside its number (Bentley and
 * Sedgewick, "Fast algorithms for sorting and searching strings", 1997; with cached bytes: Ng and Kakehi, "Cache
 * efficient radix sort for string sorting", 2007): most comparisons are of two numbers that stand in order in memory.
 * Where seven bytes are equal and more follow, the next seven are taken. It works in place, keeps a stack of its own
 * that holds the larger parts, and so never more than one for each bit of a size; pivots are taken at places that no
 * order of the input foresees. */
#ifndef MINITOK_COUNTED_STREAM_H
#define MINITOK_COUNTED_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "counter.h"
#include "records.h"
#include "status.h"

#define MT_SORT_BYTES 7
/* So few are sorted by insertion. */
#define MT_FEW_PIECES 12
/* Entries are asked for so many pieces ahead: in the order of their bytes they are anywhere in memory. */
#define MT_PIECES_AHEAD 16

typedef struct {
    uint64_t bytes; /* seven bytes, the first topmost, zeros where there are none; then how many are left, 8 at most */
    uint32_t entry;
} mt_sorted_piece;

typedef struct {
    mt_counter counter;
    mt_sorted_piece *order; /* NULL: as first seen */
    size_t at;
} mt_counted_stream;

static inline void mt_counted_stream_free(mt_counted_stream *s) {
    mt_grown_free(s->order, s->order == NULL ? 0 : s->counter.count * sizeof *s->order);
    s->order = NULL;
    mt_counter_free(&s->counter);
}

/* What a piece is sorted by when its first `depth` bytes are known to be equal. */
static inline uint64_t mt_sort_bytes(const mt_counter *c, uint32_t number, size_t depth) {
    uint8_t copy[16];
    size_t length;
    const uint8_t *piece = mt_counted_piece(c, &c->entries[number], copy, &length);
    size_t left = length - depth;
    uint64_t bytes = 0;
    if (left > MT_SORT_BYTES) {
        return mt_load_big_endian(piece + depth) >> 8 << 8 | (MT_SORT_BYTES + 1);
    }
    for (size_t i = 0; i < MT_SORT_BYTES; i++) {
        bytes = bytes << 8 | (i < left ? piece[depth + i] : 0);
    }
    return bytes << 8 | (left > MT_SORT_BYTES ? MT_SORT_BYTES + 1 : left);
}

static inline bool mt_has_more_bytes(uint64_t bytes) {
    return (bytes & 0xFF) > MT_SORT_BYTES;
}

/* Whether one piece comes before another of which the first `depth` bytes are equal to its own. */
static inline bool mt_piece_is_before(
    const mt_counter *c, const mt_sorted_piece *one, const mt_sorted_piece *other, size_t depth
) {
    if (one->bytes != other->bytes || !mt_has_more_bytes(one->bytes)) {
        return one->bytes < other->bytes;
    }
    uint8_t copies[2][16];
    size_t lengths[2];
    const uint8_t *a = mt_counted_piece(c, &c->entries[one->entry], copies[0], &lengths[0]);
    const uint8_t *b = mt_counted_piece(c, &c->entries[other->entry], copies[1], &lengths[1]);
    size_t skip = depth + MT_SORT_BYTES;
    size_t shared = lengths[0] < lengths[1] ? lengths[0] : lengths[1];
    int difference = memcmp(a + skip, b + skip, shared - skip);
    return difference != 0 ? difference < 0 : lengths[0] < lengths[1];
}

static inline void mt_sort_few(const mt_counter *c, mt_sorted_piece *pieces, size_t count, size_t depth) {
    for (size_t i = 1; i < count; i++) {
        mt_sorted_piece moving = pieces[i];
        size_t at = i;
        for (; at > 0 && mt_piece_is_before(c, &moving, &pieces[at - 1], depth); at--) {
            pieces[at] = pieces[at - 1];
        }
        pieces[at] = moving;
    }
}

typedef struct {
    size_t first, count, depth;
} mt_sort_part;

static inline void mt_sort_pieces(const mt_counter *c, mt_sorted_piece *pieces, size_t count) {
    mt_sort_part stack[3 * 64];
    int height = 0;
    uint64_t random = 0x9E3779B97F4A7C15u;
    stack[height++] = (mt_sort_part){0, count, 0};
    while (height > 0) {
        mt_sort_part part = stack[--height];
        mt_sorted_piece *from = pieces + part.first;
        if (part.count <= MT_FEW_PIECES) {
            mt_sort_few(c, from, part.count, part.depth);
            continue;
        }
        uint64_t samples[3];
        for (int i = 0; i < 3; i++) {
            random = mt_mix(random + part.count);
            samples[i] = from[random % part.count].bytes;
        }
        uint64_t low = samples[0] < samples[1] ? samples[0] : samples[1];
        uint64_t high = samples[0] < samples[1] ? samples[1] : samples[0];
        uint64_t pivot = samples[2] < low ? low : samples[2] > high ? high : samples[2];
        /* Smaller ones, equal ones, those not looked at yet, larger ones. */
        size_t smaller = 0, at = 0, larger = part.count;
        while (at < larger) {
            mt_sorted_piece piece = from[at];
            if (piece.bytes < pivot) {
                from[at++] = from[smaller];
                from[smaller++] = piece;
            } else if (piece.bytes > pivot) {
                from[at] = from[--larger];
                from[larger] = piece;
            } else {
                at++;
            }
        }
        mt_sort_part parts[3] = {
            {part.first, smaller, part.depth},
            {part.first + smaller, larger - smaller, part.depth + MT_SORT_BYTES},
            {part.first + larger, part.count - larger, part.depth},
        };
        if (!mt_has_more_bytes(pivot)) {
            parts[1].count = 0; /* no two pieces are equal */
        }
        for (size_t i = 0; i < parts[1].count; i++) {
            mt_sorted_piece *piece = &pieces[parts[1].first + i];
            if (i + MT_PIECES_AHEAD < parts[1].count) {
                mt_prefetch(&c->entries[piece[MT_PIECES_AHEAD].entry]);
            }
            piece->bytes = mt_sort_bytes(c, piece->entry, parts[1].depth);
        }
        /* The largest at the bottom: what is above it is no more than half of it all. */
        for (int i = 1; i < 3; i++) {
            if (parts[i].count > parts[0].count) {
                mt_sort_part largest = parts[i];
                parts[i] = parts[0];
                parts[0] = largest;
            }
        }
        for (int i = 0; i < 3; i++) {
            if (parts[i].count > 1) {
                stack[height++] = parts[i];
            }
        }
    }
}

/* Take all that a counter has, and put it in order. The counter is empty afterwards, also where this fails. */
static inline mt_status mt_counted_stream_init(mt_counted_stream *s, mt_counter *c, bool by_bytes) {
    s->counter = mt_counter_take(c);
    mt_counter_free_slots(&s->counter);
    s->order = NULL;
    s->at = 0;
    size_t count = s->counter.count;
    if (!by_bytes || count == 0) {
        return MT_OK;
    }
    s->order = mt_grow(NULL, 0, count * sizeof *s->order);
    if (s->order == NULL) {
        return MT_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        s->order[i] = (mt_sorted_piece){mt_sort_bytes(&s->counter, (uint32_t)i, 0), (uint32_t)i};
    }
    mt_sort_pieces(&s->counter, s->order, count);
    return MT_OK;
}

static inline const mt_counted *mt_counted_at(const mt_counted_stream *s, size_t place) {
    return &s->counter.entries[s->order == NULL ? place : s->order[place].entry];
}

/* How large the next block is, and where in the order it ends. */
static inline mt_status mt_next_block_size(const mt_counted_stream *s, size_t *size, size_t *end) {
    *size = 0;
    for (*end = s->at; *end < s->counter.count && *size < MT_RECORD_BLOCK; ++*end) {
        uint8_t copy[16];
        size_t length;
        if (s->order != NULL && *end + MT_PIECES_AHEAD < s->counter.count) {
            mt_prefetch(mt_counted_at(s, *end + MT_PIECES_AHEAD));
        }
        const mt_counted *entry = mt_counted_at(s, *end);
        mt_counted_piece(&s->counter, entry, copy, &length);
        if (entry->count > MT_MOST_COUNT) {
            return MT_TOO_MANY;
        }
        *size += mt_record_size(length, entry->count);
    }
    return MT_OK;
}

/* Write the records up to `end` where there is room for them. */
static inline void mt_write_block(mt_counted_stream *s, size_t end, uint8_t *out) {
    for (; s->at < end; s->at++) {
        uint8_t copy[16];
        size_t length;
        const mt_counted *entry = mt_counted_at(s, s->at);
        const uint8_t *piece = mt_counted_piece(&s->counter, entry, copy, &length);
        out = mt_record_write(out, piece, length, entry->count);
    }
}

#endif
