/* Merging the symbols of one piece: the adjacent pair of lowest rank first, leftmost among equals, until none is left.
 *
 * Short pieces keep one number for each pair, rank << 6 | place, whose minimum is the next merge; the symbols that are
 * left are bits of a mask, so that neighbours are found without moving anything. Longer ones keep a heap of
 * (rank, place), packed into one number that orders by rank and then from the left; an entry is outdated, and passed
 * over, when the pair at its place no longer has its rank. O(n log n). */
#ifndef MINITOK_MERGE_H
#define MINITOK_MERGE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "status.h"
#include "vocabulary.h"

/* Up to this many symbols the arrays are short enough to beat a heap; no more than a mask has bits. */
#define MT_SHORT_PIECE 64
#define MT_PLACE_BITS 6
#define MT_NO_MERGE UINT32_MAX

static inline uint32_t mt_merge_key(const mt_vocabulary *v, uint32_t left, uint32_t right, int place) {
    uint32_t rank = mt_pair_rank(v, left, right);
    return rank == MT_NO_RANK ? MT_NO_MERGE : rank << MT_PLACE_BITS | (uint32_t)place;
}

/* Merge 1 to MT_SHORT_PIECE symbols in place, the keys of whose pairs are there; returns how many are left. */
static inline size_t mt_merge_by_keys(const mt_vocabulary *v, uint32_t *symbols, uint32_t *keys, size_t count) {
    uint64_t alive = mt_low_bits((int)count);
    int pairs = (int)count - 1;
    for (;;) {
        uint32_t best = MT_NO_MERGE;
        for (int i = 0; i < pairs; i++) {
            best = keys[i] < best ? keys[i] : best;
        }
        if (best == MT_NO_MERGE) {
            break;
        }
        int at = (int)(best & (MT_SHORT_PIECE - 1));
        uint64_t behind = alive & ~mt_low_bits(at + 1);
        uint64_t before = alive & mt_low_bits(at);
        uint64_t gone = behind & (0 - behind);
        symbols[at] = mt_made_by(v, best >> MT_PLACE_BITS);
        alive ^= gone;
        behind ^= gone;
        int gone_at = mt_lowest_bit(gone);
        if (gone_at < pairs) {
            keys[gone_at] = MT_NO_MERGE;
        }
        keys[at] = behind ? mt_merge_key(v, symbols[at], symbols[mt_lowest_bit(behind)], at) : MT_NO_MERGE;
        if (before) {
            int left = mt_highest_bit(before);
            keys[left] = mt_merge_key(v, symbols[left], symbols[at], left);
        }
    }
    size_t kept = 0;
    for (; alive; alive &= alive - 1) {
        symbols[kept++] = symbols[mt_lowest_bit(alive)];
    }
    return kept;
}

/* Merge 1 to MT_SHORT_PIECE symbols in place; returns how many are left. */
static inline size_t mt_merge_short(const mt_vocabulary *v, uint32_t *symbols, size_t count) {
    uint32_t keys[MT_SHORT_PIECE];
    for (int i = 0; i + 1 < (int)count; i++) {
        keys[i] = mt_merge_key(v, symbols[i], symbols[i + 1], i);
    }
    return mt_merge_by_keys(v, symbols, keys, count);
}

/* The same for bytes, whose pairs have a table of their own. */
static inline size_t mt_merge_bytes(const mt_vocabulary *v, const uint8_t *bytes, uint32_t *symbols, size_t count) {
    uint32_t keys[MT_SHORT_PIECE];
    for (int i = 0; i + 1 < (int)count; i++) {
        uint32_t rank = v->byte_pair_ranks[(size_t)bytes[i] << 8 | bytes[i + 1]];
        keys[i] = rank == MT_NO_RANK ? MT_NO_MERGE : rank << MT_PLACE_BITS | (uint32_t)i;
        symbols[i] = v->byte_symbols[bytes[i]];
    }
    symbols[count - 1] = v->byte_symbols[bytes[count - 1]];
    return mt_merge_by_keys(v, symbols, keys, count);
}

/* Scratch space of the heap, kept from piece to piece. */
typedef struct {
    void *memory;
    size_t size;
} mt_scratch;

static inline void mt_scratch_free(mt_scratch *s) {
    free(s->memory);
    s->memory = NULL;
    s->size = 0;
}

static inline mt_status mt_scratch_reserve(mt_scratch *s, size_t size) {
    if (s->size < size) {
        mt_scratch_free(s);
        s->memory = malloc(size);
        if (s->memory == NULL) {
            return MT_NO_MEMORY;
        }
        s->size = size;
    }
    return MT_OK;
}

static inline void mt_sift_down(uint64_t *heap, size_t count, size_t at) {
    uint64_t entry = heap[at];
    for (size_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && heap[child + 1] < heap[child]) {
            child++;
        }
        if (entry <= heap[child]) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = entry;
}

static inline void mt_sift_up(uint64_t *heap, size_t at) {
    uint64_t entry = heap[at];
    while (at > 0 && heap[(at - 1) / 2] > entry) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = entry;
}

/* Merge any number of symbols in place; *length is how many are left.
 *
 * `ranks[p]` is the true rank of the pair that begins at p, `after[p]` and `before[p]` link the symbols. */
static inline mt_status mt_merge_long(
    const mt_vocabulary *v, mt_scratch *scratch, uint32_t *symbols, size_t count, size_t *length
) {
    if (count >= UINT32_MAX) {
        return MT_TOO_LONG;
    }
    /* Each merge takes an entry off the heap and puts two there: never more than two for each symbol. */
    mt_status status = mt_scratch_reserve(scratch, count * (2 * sizeof(uint64_t) + 3 * sizeof(uint32_t)));
    if (status != MT_OK) {
        return status;
    }
    uint64_t *heap = scratch->memory;
    uint32_t *ranks = (uint32_t *)(heap + 2 * count);
    uint32_t *after = ranks + count;
    uint32_t *before = after + count;
    uint32_t end = (uint32_t)count;
    size_t heap_count = 0;

    for (uint32_t i = 0; i < end; i++) {
        after[i] = i + 1;
        before[i] = i - 1; /* of the first: never read, see below */
        ranks[i] = i + 1 < end ? mt_pair_rank(v, symbols[i], symbols[i + 1]) : MT_NO_RANK;
        if (ranks[i] != MT_NO_RANK) {
            heap[heap_count++] = (uint64_t)ranks[i] << 32 | i;
        }
    }
    for (size_t i = heap_count / 2; i-- > 0;) {
        mt_sift_down(heap, heap_count, i);
    }
    while (heap_count > 0) {
        uint64_t entry = heap[0];
        heap[0] = heap[--heap_count];
        mt_sift_down(heap, heap_count, 0);
        uint32_t at = (uint32_t)entry;
        if (ranks[at] != entry >> 32) {
            continue;
        }
        uint32_t gone = after[at];
        uint32_t right = after[gone];
        symbols[at] = mt_made_by(v, ranks[at]);
        symbols[gone] = MT_NO_SYMBOL;
        ranks[gone] = MT_NO_RANK;
        ranks[at] = MT_NO_RANK;
        after[at] = right;
        if (right < end) {
            before[right] = at;
        }
        /* The pairs on both sides are new. */
        uint32_t starts[2] = {at > 0 ? before[at] : at, at};
        for (int side = at > 0 ? 0 : 1; side < 2; side++) {
            uint32_t start = starts[side];
            if (after[start] >= end) {
                continue;
            }
            ranks[start] = mt_pair_rank(v, symbols[start], symbols[after[start]]);
            if (ranks[start] != MT_NO_RANK) {
                heap[heap_count] = (uint64_t)ranks[start] << 32 | start;
                mt_sift_up(heap, heap_count++);
            }
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (symbols[i] != MT_NO_SYMBOL) {
            symbols[kept++] = symbols[i];
        }
    }
    *length = kept;
    return MT_OK;
}

#endif
