/* Merging the bytes of one piece: the adjacent pair of lowest rank first, leftmost among equals, until none is left.
 *
 * Short pieces look for the least rank each time, in arrays that shrink. Longer ones keep a heap of
 * (rank, position), packed into one number so that it orders by rank and then from the left; an entry is outdated,
 * and passed over, when the pair at its position no longer has its rank. O(n log n). */
#ifndef MINITOK_MERGE_H
#define MINITOK_MERGE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"
#include "vocabulary.h"

/* Up to this many symbols the arrays are short enough to beat a heap. */
#define MT_SHORT_PIECE 64

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

/* Merge up to MT_SHORT_PIECE bytes into `out`, which has room for as many ids; returns how many there are. */
static inline size_t mt_merge_short(const mt_vocabulary *v, const uint8_t *bytes, size_t count, uint32_t *out) {
    uint32_t ranks[MT_SHORT_PIECE], made[MT_SHORT_PIECE];
    for (size_t i = 0; i < count; i++) {
        out[i] = v->byte_ids[bytes[i]];
    }
    for (size_t i = 0; i + 1 < count; i++) {
        mt_merge merge = mt_find_merge(v, out[i], out[i + 1]);
        ranks[i] = merge.rank;
        made[i] = merge.made;
    }
    while (count > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < count; i++) {
            if (ranks[i] < ranks[best]) {
                best = i;
            }
        }
        if (ranks[best] == MT_NO_RANK) {
            break;
        }
        out[best] = made[best];
        size_t moved = count - best - 2;
        memmove(&out[best + 1], &out[best + 2], moved * sizeof *out);
        memmove(&ranks[best], &ranks[best + 1], moved * sizeof *ranks);
        memmove(&made[best], &made[best + 1], moved * sizeof *made);
        count--;
        if (best + 1 < count) {
            mt_merge merge = mt_find_merge(v, out[best], out[best + 1]);
            ranks[best] = merge.rank;
            made[best] = merge.made;
        }
        if (best > 0) {
            mt_merge merge = mt_find_merge(v, out[best - 1], out[best]);
            ranks[best - 1] = merge.rank;
            made[best - 1] = merge.made;
        }
    }
    return count;
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

/* Merge any number of bytes into `out`, which has room for as many ids; *length is how many there are.
 *
 * `ranks[p]` is the true rank of the pair that begins at p, `after[p]` and `before[p]` link the symbols. */
static inline mt_status mt_merge_long(
    const mt_vocabulary *v, mt_scratch *scratch, const uint8_t *bytes, size_t count, uint32_t *out, size_t *length
) {
    if (count >= UINT32_MAX) {
        return MT_TOO_LONG;
    }
    /* Each merge takes an entry off the heap and puts two there: never more than two for each byte. */
    size_t needed = count * (2 * sizeof(uint64_t) + 4 * sizeof(uint32_t));
    if (scratch->size < needed) {
        mt_scratch_free(scratch);
        scratch->memory = malloc(needed);
        if (scratch->memory == NULL) {
            return MT_NO_MEMORY;
        }
        scratch->size = needed;
    }
    uint64_t *heap = scratch->memory;
    uint32_t *ranks = (uint32_t *)(heap + 2 * count);
    uint32_t *made = ranks + count;
    uint32_t *after = made + count;
    uint32_t *before = after + count;
    uint32_t end = (uint32_t)count;
    size_t heap_count = 0;

    for (uint32_t i = 0; i < end; i++) {
        out[i] = v->byte_ids[bytes[i]];
        after[i] = i + 1;
        before[i] = i - 1; /* of the first: never read, see below */
        ranks[i] = MT_NO_RANK;
    }
    for (uint32_t i = 0; i + 1 < end; i++) {
        mt_merge merge = mt_find_merge(v, out[i], out[i + 1]);
        ranks[i] = merge.rank;
        made[i] = merge.made;
        if (merge.rank != MT_NO_RANK) {
            heap[heap_count++] = (uint64_t)merge.rank << 32 | i;
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
        out[at] = made[at];
        out[gone] = MT_NO_ID;
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
            mt_merge merge = mt_find_merge(v, out[start], out[after[start]]);
            ranks[start] = merge.rank;
            made[start] = merge.made;
            if (merge.rank != MT_NO_RANK) {
                heap[heap_count] = (uint64_t)merge.rank << 32 | start;
                mt_sift_up(heap, heap_count++);
            }
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (out[i] != MT_NO_ID) {
            out[kept++] = out[i];
        }
    }
    *length = kept;
    return MT_OK;
}

#endif
