/* The bytes of all tokens, those that there were and those that are learnt, and which byte strings are tokens. */
#ifndef MINITOK_TOKEN_SET_H
#define MINITOK_TOKEN_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "status.h"

typedef struct {
    uint8_t *bytes; /* one token behind the other, and then one that may be added */
    size_t bytes_room;
    size_t *starts; /* of each token, and where the last one ends */
    size_t count;
    size_t room;
    size_t proposed; /* length of the one that may be added */
    uint32_t *slots; /* bytes -> token, or UINT32_MAX */
    size_t slot_mask;
} mt_token_set;

static inline void mt_token_set_free(mt_token_set *t) {
    free(t->bytes);
    free(t->starts);
    free(t->slots);
    memset(t, 0, sizeof *t);
}

static inline const uint8_t *mt_bytes_of_token(const mt_token_set *t, size_t token) {
    return t->bytes + t->starts[token];
}

static inline size_t mt_length_of_token(const mt_token_set *t, size_t token) {
    return t->starts[token + 1] - t->starts[token];
}

/* The slot of a byte string: that of the token that it is, or the empty one where it would be. */
static inline size_t mt_slot_of_bytes(const mt_token_set *t, const uint8_t *bytes, size_t length) {
    size_t slot = mt_hash_bytes(bytes, length) & t->slot_mask;
    for (; t->slots[slot] != UINT32_MAX; slot = (slot + 1) & t->slot_mask) {
        uint32_t token = t->slots[slot];
        if (mt_length_of_token(t, token) == length && memcmp(mt_bytes_of_token(t, token), bytes, length) == 0) {
            break;
        }
    }
    return slot;
}

/* Room for one more token. */
static inline mt_status mt_token_set_reserve(mt_token_set *t) {
    if (t->count < t->room) {
        return MT_OK;
    }
    size_t room = t->room + t->room / 2 + 1024;
    size_t slot_count = mt_slots_for(room);
    size_t *starts = realloc(t->starts, (room + 1) * sizeof *starts);
    if (starts == NULL) {
        return MT_NO_MEMORY;
    }
    t->starts = starts;
    starts[t->count] = t->count == 0 ? 0 : starts[t->count];
    uint32_t *slots = malloc(slot_count * sizeof *slots);
    if (slots == NULL) {
        return MT_NO_MEMORY;
    }
    free(t->slots);
    t->slots = slots;
    t->slot_mask = slot_count - 1;
    t->room = room;
    memset(slots, 0xFF, slot_count * sizeof *slots);
    for (size_t i = 0; i < t->count; i++) {
        if (mt_length_of_token(t, i) > 0) { /* an id may have no token */
            slots[mt_slot_of_bytes(t, mt_bytes_of_token(t, i), mt_length_of_token(t, i))] = (uint32_t)i;
        }
    }
    return MT_OK;
}

/* Propose a byte string as a token; NULL: make room for one of this length. */
static inline mt_status mt_propose_bytes(mt_token_set *t, const uint8_t *bytes, size_t length) {
    mt_status status = mt_token_set_reserve(t);
    if (status != MT_OK) {
        return status;
    }
    size_t used = t->starts[t->count];
    if (t->bytes_room - used < length) {
        size_t room = t->bytes_room + t->bytes_room / 2 + length + 4096;
        uint8_t *grown = realloc(t->bytes, room);
        if (grown == NULL) {
            return MT_NO_MEMORY;
        }
        t->bytes = grown;
        t->bytes_room = room;
    }
    if (bytes != NULL && length > 0) {
        memcpy(t->bytes + used, bytes, length);
    }
    t->proposed = length;
    return MT_OK;
}

/* Propose two tokens, one behind the other. */
static inline mt_status mt_propose_pair(mt_token_set *t, size_t left, size_t right) {
    size_t left_length = mt_length_of_token(t, left), right_length = mt_length_of_token(t, right);
    mt_status status = mt_propose_bytes(t, NULL, left_length + right_length);
    if (status != MT_OK) {
        return status;
    }
    uint8_t *out = t->bytes + t->starts[t->count];
    memcpy(out, mt_bytes_of_token(t, left), left_length);
    memcpy(out + left_length, mt_bytes_of_token(t, right), right_length);
    return MT_OK;
}

static inline const uint8_t *mt_proposed_bytes(const mt_token_set *t) {
    return t->bytes + t->starts[t->count];
}

/* Whether what is proposed is a token already. */
static inline bool mt_proposed_exists(const mt_token_set *t) {
    return t->slots[mt_slot_of_bytes(t, mt_proposed_bytes(t), t->proposed)] != UINT32_MAX;
}

/* Make what is proposed the next token; of equal ones the last is found. */
static inline void mt_accept_proposed(mt_token_set *t) {
    if (t->proposed > 0) {
        t->slots[mt_slot_of_bytes(t, mt_proposed_bytes(t), t->proposed)] = (uint32_t)t->count;
    }
    t->starts[t->count + 1] = t->starts[t->count] + t->proposed;
    t->count++;
}

#endif
