/* Merging the symbols of one piece: the adjacent pair of lowest rank first, leftmost among equals, until none is
 * left.
 *
 * A piece does not begin with its bytes alone. Two bytes a b are sure to merge, whatever else happens, if their rank
 * is lower than that of any merge of the single byte a with something that ends with the byte before it, and of any
 * of b with something that begins with the byte behind it: then nothing else can take a or b first. To merge them at
 * once changes nothing if all merges of what they make have higher ranks, so that those come later in either case.
 * About half of all merges are of this kind, and cost no search.
 *
 * Where pieces begin as characters, each that is a token is a symbol from the beginning, and nothing is sure.
 *
 * Short pieces keep the rank of each pair, whose minimum is the next merge; the symbols that are left are bits of a
 * mask, so that neighbours are found without moving anything. Longer ones keep a heap of (rank, place), packed into
 * one number that orders by rank and then from the left; an entry is outdated, and passed over, when the pair at its
 * place no longer has its rank. O(n log n). */
#ifndef MINITOK_MERGE_H
#define MINITOK_MERGE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "status.h"
#include "unicode.h"
#include "vocabulary.h"

/* The symbols that a piece begins with if those are its characters. Returns how many. */
static inline size_t mt_first_characters(
    const mt_vocabulary *v, const uint8_t *bytes, size_t length, uint32_t *symbols
) {
    size_t count = 0;
    for (size_t at = 0; at < length;) {
        size_t size = 1;
        if (bytes[at] >= 0x80) {
            uint32_t code_point;
            size = mt_decode(bytes, at, length, &code_point);
            size = size > 0 ? size : 1;
        }
        uint32_t symbol = size > 1 ? mt_find_token(v, bytes + at, size) : v->byte_symbols[bytes[at]];
        if (symbol != MT_NO_SYMBOL) {
            symbols[count++] = symbol;
        } else {
            for (size_t i = 0; i < size; i++) {
                symbols[count++] = v->byte_symbols[bytes[at + i]];
            }
        }
        at += size;
    }
    return count;
}

/* The symbols that a piece begins with: bytes, and pairs of them that are sure to merge; or characters. Returns how
 * many. */
static inline size_t mt_first_symbols(const mt_vocabulary *v, const uint8_t *bytes, size_t length, uint32_t *symbols) {
    if (v->characters) {
        return mt_first_characters(v, bytes, length, symbols);
    }
    static const mt_byte_pair none = {MT_NO_RANK, MT_NO_RANK, MT_NO_RANK, MT_NO_RANK};
    const mt_byte_pair *before = &none;
    const mt_byte_pair *here = length > 1 ? mt_byte_pair_of(v, bytes) : &none;
    size_t count = 0;
    for (size_t at = 0; at < length;) {
        const mt_byte_pair *behind = at + 2 < length ? mt_byte_pair_of(v, bytes + at + 1) : &none;
        uint32_t rank = here->sure_rank;
        if (rank < before->least_before && rank < behind->least_behind) {
            symbols[count++] = mt_made_by(v, rank);
            at += 2;
            before = behind;
            here = at + 1 < length ? mt_byte_pair_of(v, bytes + at) : &none;
        } else {
            symbols[count++] = v->byte_symbols[bytes[at]];
            at += 1;
            before = here;
            here = behind;
        }
    }
    return count;
}

/* Up to this many symbols the arrays are short enough to beat a heap; no more than a mask has bits. */
#define MT_SHORT_PIECE 64

/* What orders the merge of a pair among others: its rank, or where there is an order of ranks, that. */
MT_INLINE uint32_t mt_pair_order(const mt_vocabulary *v, uint32_t left, uint32_t right, bool ordered) {
    uint32_t rank = mt_pair_rank(v, left, right);
    return ordered ? mt_order_of(v, rank) : rank;
}

/* The symbol that a pair makes whose rank, or order, this is. */
MT_INLINE uint32_t mt_made_from(const mt_vocabulary *v, uint32_t rank, uint32_t left, uint32_t right, bool ordered) {
    return mt_made_by(v, ordered ? mt_pair_rank(v, left, right) : rank);
}

/* `ordered` is a constant where this is called, and so costs nothing where there is no order of ranks. */
MT_INLINE size_t mt_merge_short_by(const mt_vocabulary *v, uint32_t *symbols, size_t count, bool ordered) {
    uint32_t ranks[MT_SHORT_PIECE]; /* of the pair that begins at each symbol */
    uint64_t alive = mt_low_bits((int)count);
    int pairs = (int)count - 1;
    for (int i = 0; i < pairs; i++) {
        ranks[i] = mt_pair_order(v, symbols[i], symbols[i + 1], ordered);
    }
    ranks[pairs] = MT_NO_RANK;
    for (;;) {
        uint32_t best = MT_NO_RANK;
        int at = 0;
        for (int i = 0; i < pairs; i++) {
            bool lower = ranks[i] < best;
            best = lower ? ranks[i] : best;
            at = lower ? i : at;
        }
        if (best == MT_NO_RANK) {
            break;
        }
        uint64_t behind = alive & ~mt_low_bits(at + 1);
        uint64_t before = alive & mt_low_bits(at);
        uint64_t gone = behind & (0 - behind);
        symbols[at] = mt_made_from(v, best, symbols[at], symbols[mt_lowest_bit(gone)], ordered);
        alive ^= gone;
        behind ^= gone;
        ranks[mt_lowest_bit(gone)] = MT_NO_RANK;
        ranks[at] = behind ? mt_pair_order(v, symbols[at], symbols[mt_lowest_bit(behind)], ordered) : MT_NO_RANK;
        if (before) {
            int left = mt_highest_bit(before);
            ranks[left] = mt_pair_order(v, symbols[left], symbols[at], ordered);
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
    return v->order == NULL ? mt_merge_short_by(v, symbols, count, false)
                            : mt_merge_short_by(v, symbols, count, true);
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

/* `mt_merge_long`, where `ordered` is a constant.
 *
 * `ranks[p]` is the true rank of the pair that begins at p, `after[p]` and `before[p]` link the symbols. */
MT_INLINE mt_status mt_merge_long_by(
    const mt_vocabulary *v, mt_scratch *scratch, uint32_t *symbols, size_t count, size_t *length, bool ordered
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
        ranks[i] = i + 1 < end ? mt_pair_order(v, symbols[i], symbols[i + 1], ordered) : MT_NO_RANK;
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
        symbols[at] = mt_made_from(v, ranks[at], symbols[at], symbols[gone], ordered);
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
            ranks[start] = mt_pair_order(v, symbols[start], symbols[after[start]], ordered);
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

/* Merge any number of symbols in place; *length is how many are left. */
static inline mt_status mt_merge_long(
    const mt_vocabulary *v, mt_scratch *scratch, uint32_t *symbols, size_t count, size_t *length
) {
    return v->order == NULL ? mt_merge_long_by(v, scratch, symbols, count, length, false)
                            : mt_merge_long_by(v, scratch, symbols, count, length, true);
}

#endif
