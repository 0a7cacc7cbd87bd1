/* Counting pieces: one open-addressed table from a piece's bytes to how often it was seen.
 *
 * `entries` lists the distinct pieces in the order in which they were first seen, their bytes one behind the other
 * in `bytes`; `slots` finds them by hash. About 40 bytes for each distinct piece, and its own. */
#ifndef MINITOK_COUNTER_H
#define MINITOK_COUNTER_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "hash.h"
#include "splitter.h"
#include "status.h"

typedef struct {
    uint64_t count;
    size_t offset; /* into `bytes` */
    size_t length;
} mt_counted;

typedef struct {
    mt_counted *entries;
    size_t count;
    size_t capacity;
    uint8_t *bytes;
    size_t bytes_length;
    size_t bytes_capacity;
    uint32_t *slots; /* index into `entries`, or UINT32_MAX */
    size_t slot_mask;
} mt_counter;

static inline void mt_counter_free(mt_counter *c) {
    free(c->entries);
    free(c->bytes);
    free(c->slots);
    memset(c, 0, sizeof *c);
}

static inline mt_status mt_counter_rehash(mt_counter *c, size_t slots) {
    uint32_t *fresh = malloc(slots * sizeof *fresh);
    if (fresh == NULL) {
        return MT_NO_MEMORY;
    }
    memset(fresh, 0xFF, slots * sizeof *fresh);
    free(c->slots);
    c->slots = fresh;
    c->slot_mask = slots - 1;
    for (size_t i = 0; i < c->count; i++) {
        size_t slot = mt_hash_bytes(c->bytes + c->entries[i].offset, c->entries[i].length) & c->slot_mask;
        while (fresh[slot] != UINT32_MAX) {
            slot = (slot + 1) & c->slot_mask;
        }
        fresh[slot] = (uint32_t)i;
    }
    return MT_OK;
}

/* Make room for one more entry of `length` bytes. */
static inline mt_status mt_counter_reserve(mt_counter *c, size_t length) {
    if (c->count == UINT32_MAX) {
        return MT_TOO_LONG;
    }
    if (c->slots == NULL || 2 * (c->count + 1) > c->slot_mask + 1) {
        mt_status status = mt_counter_rehash(c, c->slots == NULL ? 1024 : 2 * (c->slot_mask + 1));
        if (status != MT_OK) {
            return status;
        }
    }
    if (c->count == c->capacity) {
        size_t capacity = c->capacity + c->capacity / 2 + 512;
        mt_counted *entries = realloc(c->entries, capacity * sizeof *entries);
        if (entries == NULL) {
            return MT_NO_MEMORY;
        }
        c->entries = entries;
        c->capacity = capacity;
    }
    if (c->bytes_capacity - c->bytes_length < length) {
        size_t capacity = c->bytes_capacity + c->bytes_capacity / 2 + length + 4096;
        uint8_t *bytes = realloc(c->bytes, capacity);
        if (bytes == NULL) {
            return MT_NO_MEMORY;
        }
        c->bytes = bytes;
        c->bytes_capacity = capacity;
    }
    return MT_OK;
}

/* Where a piece is counted; it begins with 0. NULL, with the reason in *status, if there is no room for it. */
static inline mt_counted *mt_counter_find(mt_counter *c, const uint8_t *piece, size_t length, mt_status *status) {
    *status = mt_counter_reserve(c, length);
    if (*status != MT_OK) {
        return NULL;
    }
    size_t slot = mt_hash_bytes(piece, length) & c->slot_mask;
    for (;; slot = (slot + 1) & c->slot_mask) {
        uint32_t index = c->slots[slot];
        if (index == UINT32_MAX) {
            break;
        }
        mt_counted *entry = &c->entries[index];
        if (entry->length == length && memcmp(c->bytes + entry->offset, piece, length) == 0) {
            return entry;
        }
    }
    mt_counted *entry = &c->entries[c->count];
    *entry = (mt_counted){0, c->bytes_length, length};
    memcpy(c->bytes + c->bytes_length, piece, length);
    c->bytes_length += length;
    c->slots[slot] = (uint32_t)c->count++;
    return entry;
}

/* Count the pieces of a text. */
static inline mt_status mt_counter_feed(
    mt_counter *c, const mt_pattern *p, mt_block_classifier classify, const uint8_t *text, size_t length
) {
    mt_splitter splitter;
    mt_piece_run run;
    mt_status status = MT_OK;
    mt_splitter_init(&splitter, p, classify, text, length);
    while (mt_split_next(&splitter, &run)) {
        for (size_t at = 0, next; at < run.length; at = next) {
            run.starts &= run.starts - 1;
            next = run.starts ? (size_t)mt_lowest_bit(run.starts) : run.length;
            mt_counted *entry = mt_counter_find(c, run.text + at, next - at, &status);
            if (entry == NULL) {
                return status;
            }
            entry->count++;
        }
    }
    return MT_OK;
}

#endif
