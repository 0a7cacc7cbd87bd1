/* The tables of a vocabulary: token bytes to id, and pairs of ids to the merge that they make.
 *
 * Invariants, once built:
 *   1. `tokens` and `pairs` are open-addressed, at most half full, with linear probing; nothing is ever removed.
 *   2. Every id that a merge makes or takes is a token's or a stand-in's. A stand-in is the id of a byte that has no
 *      token (`byte_ids` tells it): it may merge, and is never emitted. Stand-ins are the ids from `first_stand_in`.
 *   3. Nothing changes any more: any number of threads may read. */
#ifndef MINITOK_VOCABULARY_H
#define MINITOK_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "status.h"

#define MT_NO_ID UINT32_MAX
#define MT_NO_RANK UINT32_MAX
#define MT_NO_PAIR UINT64_MAX

typedef struct {
    const uint8_t *bytes;
    size_t length;
    uint32_t id;
} mt_token;

typedef struct {
    uint64_t pair; /* left id << 32 | right id; MT_NO_PAIR in an empty slot */
    uint32_t rank;
    uint32_t made;
} mt_merge;

typedef struct {
    mt_token *list; /* in the order given; owns nothing but itself */
    size_t count;
    uint8_t *bytes; /* of all tokens, one behind the other */

    uint32_t *token_slots; /* index into `list`, or UINT32_MAX */
    size_t token_mask;

    mt_merge *merge_slots;
    size_t merge_mask;
    size_t merge_count;

    uint32_t byte_ids[256];
    uint32_t first_stand_in; /* above all ids of tokens */
    bool whole_piece;
} mt_vocabulary;

static inline void mt_vocabulary_free(mt_vocabulary *v) {
    free(v->list);
    free(v->bytes);
    free(v->token_slots);
    free(v->merge_slots);
    memset(v, 0, sizeof *v);
}

/* The id of the token that these bytes are; MT_NO_ID if they are none. */
static inline uint32_t mt_token_id(const mt_vocabulary *v, const uint8_t *bytes, size_t length) {
    for (size_t slot = mt_hash_bytes(bytes, length) & v->token_mask;; slot = (slot + 1) & v->token_mask) {
        uint32_t index = v->token_slots[slot];
        if (index == UINT32_MAX) {
            return MT_NO_ID;
        }
        const mt_token *token = &v->list[index];
        if (token->length == length && memcmp(token->bytes, bytes, length) == 0) {
            return token->id;
        }
    }
}

/* The merge of a pair; its rank is MT_NO_RANK if there is none. */
static inline mt_merge mt_find_merge(const mt_vocabulary *v, uint32_t left, uint32_t right) {
    uint64_t pair = (uint64_t)left << 32 | right;
    for (size_t slot = mt_mix(pair) & v->merge_mask;; slot = (slot + 1) & v->merge_mask) {
        const mt_merge *merge = &v->merge_slots[slot];
        if (merge->pair == pair) {
            return *merge;
        }
        if (merge->pair == MT_NO_PAIR) {
            return (mt_merge){MT_NO_PAIR, MT_NO_RANK, MT_NO_ID};
        }
    }
}

/* Index the tokens in `list`, and give bytes without a token their stand-ins. */
static inline mt_status mt_index_tokens(mt_vocabulary *v) {
    size_t slots = mt_slots_for(v->count);
    v->token_slots = malloc(slots * sizeof *v->token_slots);
    if (v->token_slots == NULL) {
        return MT_NO_MEMORY;
    }
    memset(v->token_slots, 0xFF, slots * sizeof *v->token_slots);
    v->token_mask = slots - 1;
    uint32_t largest = 0;
    for (size_t i = 0; i < v->count; i++) {
        const mt_token *token = &v->list[i];
        size_t slot = mt_hash_bytes(token->bytes, token->length) & v->token_mask;
        while (v->token_slots[slot] != UINT32_MAX) {
            slot = (slot + 1) & v->token_mask;
        }
        v->token_slots[slot] = (uint32_t)i;
        largest = token->id > largest ? token->id : largest;
    }
    v->first_stand_in = largest + 1;
    for (int b = 0; b < 256; b++) {
        uint8_t byte = (uint8_t)b;
        uint32_t id = mt_token_id(v, &byte, 1);
        v->byte_ids[b] = id == MT_NO_ID ? v->first_stand_in + (uint32_t)b : id;
    }
    return MT_OK;
}

static inline mt_status mt_reserve_merges(mt_vocabulary *v, size_t count) {
    size_t slots = mt_slots_for(count);
    mt_merge *old = v->merge_slots;
    size_t old_slots = old ? v->merge_mask + 1 : 0;
    v->merge_slots = malloc(slots * sizeof *v->merge_slots);
    if (v->merge_slots == NULL) {
        v->merge_slots = old;
        return MT_NO_MEMORY;
    }
    memset(v->merge_slots, 0xFF, slots * sizeof *v->merge_slots);
    v->merge_mask = slots - 1;
    for (size_t i = 0; i < old_slots; i++) {
        if (old[i].pair != MT_NO_PAIR) {
            size_t slot = mt_mix(old[i].pair) & v->merge_mask;
            while (v->merge_slots[slot].pair != MT_NO_PAIR) {
                slot = (slot + 1) & v->merge_mask;
            }
            v->merge_slots[slot] = old[i];
        }
    }
    free(old);
    return MT_OK;
}

/* Add a merge. Of several for the same pair the first stays. */
static inline mt_status mt_add_merge(mt_vocabulary *v, uint32_t left, uint32_t right, uint32_t rank, uint32_t made) {
    if (2 * (v->merge_count + 1) > v->merge_mask + 1) {
        mt_status status = mt_reserve_merges(v, 2 * (v->merge_count + 1));
        if (status != MT_OK) {
            return status;
        }
    }
    uint64_t pair = (uint64_t)left << 32 | right;
    size_t slot = mt_mix(pair) & v->merge_mask;
    while (v->merge_slots[slot].pair != MT_NO_PAIR) {
        if (v->merge_slots[slot].pair == pair) {
            return MT_OK;
        }
        slot = (slot + 1) & v->merge_mask;
    }
    v->merge_slots[slot] = (mt_merge){pair, rank, made};
    v->merge_count++;
    return MT_OK;
}

/* The id of a token or of a byte's stand-in; MT_NO_ID if these bytes are neither. */
static inline uint32_t mt_symbol_id(const mt_vocabulary *v, const uint8_t *bytes, size_t length) {
    return length == 1 ? v->byte_ids[bytes[0]] : mt_token_id(v, bytes, length);
}

/* The merges of a rank file: each way to cut a token into two symbols, at the token's rank, which is its id. */
static inline mt_status mt_add_implied_merges(mt_vocabulary *v) {
    mt_status status = mt_reserve_merges(v, 2 * v->count);
    for (size_t i = 0; i < v->count && status == MT_OK; i++) {
        const mt_token *token = &v->list[i];
        for (size_t cut = 1; cut < token->length && status == MT_OK; cut++) {
            uint32_t left = mt_symbol_id(v, token->bytes, cut);
            if (left == MT_NO_ID) {
                continue;
            }
            uint32_t right = mt_symbol_id(v, token->bytes + cut, token->length - cut);
            if (right != MT_NO_ID) {
                status = mt_add_merge(v, left, right, token->id, token->id);
            }
        }
    }
    return status;
}

#endif
