/* Counting pieces: one open-addressed table from a piece to how often it was seen.
 *
 * `entries` lists the distinct pieces in the order in which they were first seen. One of up to 15 bytes is its own key
 * (key.h); the bytes of a longer one are in `bytes`, and its entry says where. `slots` finds them: a slot has the
 * number of an entry in its lower bits, as many as there are bits of slots, and in the bits that are left above some
 * of the hash, so that another piece's entry is hardly ever looked at. Slots are at most 5/8 full. So a distinct piece
 * takes 24 bytes, 6.4 to 12.8 for its slots, and its own bytes if it is long. All three grow without a copy being there
 * meanwhile (memory.h).
 *
 * Pieces come in batches: first all keys are made and their slots asked for, then they are counted, so that the memory
 * answers to many at once. (To ask for the entries in between as well cost 3 to 10 %, also with 6 million of them.) */
#ifndef MINITOK_COUNTER_H
#define MINITOK_COUNTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "hash.h"
#include "key.h"
#include "memory.h"
#include "records.h"
#include "splitter.h"
#include "status.h"

/* In the topmost byte of a key's `high`: the piece is long; below it is its length, and `low` says where it is. */
#define MT_LONG_MARK 0xFF
#define MT_LONG_MASK (((uint64_t)1 << 56) - 1)

#define MT_FEWEST_SLOT_BITS 10
#define MT_EMPTY_SLOT UINT32_MAX
/* A batch is full when it has so many pieces; a run of the splitter has 64 at most. */
#define MT_COUNT_BATCH 256

typedef struct {
    uint64_t low;
    uint64_t high;
    uint64_t count;
} mt_counted;

typedef struct {
    mt_counted *entries;
    size_t count;
    size_t capacity;
    uint8_t *bytes; /* of the long pieces */
    size_t bytes_length;
    size_t bytes_capacity;
    uint32_t *slots; /* NULL: nothing was counted yet */
    int slot_bits;
} mt_counter;

static inline size_t mt_counter_slots_size(const mt_counter *c) {
    return c->slots == NULL ? 0 : sizeof *c->slots << c->slot_bits;
}

static inline void mt_counter_free_slots(mt_counter *c) {
    mt_grown_free(c->slots, mt_counter_slots_size(c));
    c->slots = NULL;
}

static inline void mt_counter_free(mt_counter *c) {
    mt_grown_free(c->entries, c->capacity * sizeof *c->entries);
    mt_grown_free(c->bytes, c->bytes_capacity);
    mt_counter_free_slots(c);
    memset(c, 0, sizeof *c);
}

/* How much memory is in use. */
static inline size_t mt_counter_size(const mt_counter *c) {
    return c->count * sizeof *c->entries + c->bytes_length + mt_counter_slots_size(c);
}

/* The piece of an entry; 15 bytes of `copy` may be used for it. */
static inline const uint8_t *mt_counted_piece(
    const mt_counter *c, const mt_counted *entry, uint8_t copy[16], size_t *length
) {
    if (entry->high >> 56 == MT_LONG_MARK) {
        *length = (size_t)(entry->high & MT_LONG_MASK);
        return c->bytes + entry->low;
    }
    memcpy(copy, &entry->low, 8);
    memcpy(copy + 8, &entry->high, 8);
    *length = (size_t)(entry->high >> 56);
    return copy;
}

/* -- Finding ------------------------------------------------------------------------------------------------------ */

static inline uint32_t mt_count_hash_key(uint64_t low, uint64_t high) {
    return (uint32_t)mt_key_hash((mt_piece_key){low, high});
}

static inline uint32_t mt_count_hash_long(const uint8_t *piece, size_t length) {
    return (uint32_t)(mt_hash_bytes(piece, length) >> 32);
}

static inline size_t mt_first_slot(const mt_counter *c, uint32_t hash) {
    return hash >> (32 - c->slot_bits);
}

static inline uint32_t mt_entry_mask(const mt_counter *c) {
    return UINT32_MAX >> (32 - c->slot_bits);
}

/* The part of a hash that stands in a slot, in its place. */
static inline uint32_t mt_slot_tag(const mt_counter *c, uint32_t hash) {
    return (uint32_t)((uint64_t)hash << c->slot_bits);
}

static inline void mt_put_slot(mt_counter *c, uint32_t hash, size_t entry) {
    size_t mask = mt_entry_mask(c);
    size_t slot = mt_first_slot(c, hash);
    while (c->slots[slot] != MT_EMPTY_SLOT) {
        slot = (slot + 1) & mask;
    }
    c->slots[slot] = mt_slot_tag(c, hash) | (uint32_t)entry;
}

static inline mt_status mt_counter_rehash(mt_counter *c, int bits) {
    size_t slots = (size_t)1 << bits;
    uint32_t *grown = mt_grow(c->slots, mt_counter_slots_size(c), slots * sizeof *grown);
    if (grown == NULL) {
        return MT_NO_MEMORY;
    }
    memset(grown, 0xFF, slots * sizeof *grown);
    c->slots = grown;
    c->slot_bits = bits;
    for (size_t i = 0; i < c->count; i++) {
        const mt_counted *entry = &c->entries[i];
        bool is_long = entry->high >> 56 == MT_LONG_MARK;
        uint32_t hash = is_long
            ? mt_count_hash_long(c->bytes + entry->low, (size_t)(entry->high & MT_LONG_MASK))
            : mt_count_hash_key(entry->low, entry->high);
        mt_put_slot(c, hash, i);
    }
    return MT_OK;
}

/* Make room for a batch of more entries. */
static inline mt_status mt_counter_reserve(mt_counter *c) {
    if (c->slots != NULL && (c->count + MT_COUNT_BATCH) * 8 <= ((size_t)5 << c->slot_bits) &&
        c->capacity - c->count >= MT_COUNT_BATCH) {
        return MT_OK;
    }
    if (c->capacity - c->count < MT_COUNT_BATCH) {
        size_t capacity = c->capacity + c->capacity / 2 + 2 * MT_COUNT_BATCH;
        mt_counted *entries = mt_grow(c->entries, c->capacity * sizeof *entries, capacity * sizeof *entries);
        if (entries == NULL) {
            return MT_NO_MEMORY;
        }
        c->entries = entries;
        c->capacity = capacity;
    }
    int bits = c->slots == NULL ? MT_FEWEST_SLOT_BITS : c->slot_bits;
    while ((c->count + MT_COUNT_BATCH) * 8 > ((size_t)5 << bits)) {
        bits++;
    }
    if (bits > 32) {
        return MT_TOO_LONG;
    }
    return c->slots == NULL || bits > c->slot_bits ? mt_counter_rehash(c, bits) : MT_OK;
}

/* -- Batches ------------------------------------------------------------------------------------------------------ */

/* A piece on its way to its entry. Of a long one `low` is where its bytes are. */
typedef struct {
    uint64_t low;
    uint64_t high;
    uint32_t hash;
} mt_count_waiting;

typedef struct {
    size_t count;
    mt_count_waiting pieces[MT_COUNT_BATCH];
} mt_count_batch;

static inline bool mt_entry_is(const mt_counter *c, const mt_counted *entry, const mt_count_waiting *piece) {
    if (piece->high >> 56 != MT_LONG_MARK) {
        return ((entry->low ^ piece->low) | (entry->high ^ piece->high)) == 0;
    }
    return entry->high == piece->high &&
           memcmp(c->bytes + entry->low, (const uint8_t *)(uintptr_t)piece->low,
                  (size_t)(piece->high & MT_LONG_MASK)) == 0;
}

/* A new entry, for which there is room; its count is 0. */
static inline mt_counted *mt_counter_append(
    mt_counter *c, const mt_count_waiting *piece, size_t slot, mt_status *status
) {
    uint64_t low = piece->low;
    if (piece->high >> 56 == MT_LONG_MARK) {
        size_t length = (size_t)(piece->high & MT_LONG_MASK);
        if (c->bytes_capacity - c->bytes_length < length) {
            size_t capacity = c->bytes_capacity + c->bytes_capacity / 2 + length + 4096;
            uint8_t *bytes = mt_grow(c->bytes, c->bytes_capacity, capacity);
            if (bytes == NULL) {
                *status = MT_NO_MEMORY;
                return NULL;
            }
            c->bytes = bytes;
            c->bytes_capacity = capacity;
        }
        memcpy(c->bytes + c->bytes_length, (const uint8_t *)(uintptr_t)low, length);
        low = c->bytes_length;
        c->bytes_length += length;
    }
    mt_counted *entry = &c->entries[c->count];
    *entry = (mt_counted){low, piece->high, 0};
    c->slots[slot] = mt_slot_tag(c, piece->hash) | (uint32_t)c->count++;
    return entry;
}

/* The entry of a piece, which may be new, for which there is room. NULL, with the reason in *status. */
static inline mt_counted *mt_counter_entry(mt_counter *c, const mt_count_waiting *piece, mt_status *status) {
    uint32_t mask = mt_entry_mask(c);
    uint32_t tag = mt_slot_tag(c, piece->hash);
    for (size_t slot = mt_first_slot(c, piece->hash);; slot = (slot + 1) & mask) {
        uint32_t found = c->slots[slot];
        if (((found ^ tag) & ~mask) == 0 && found != MT_EMPTY_SLOT) {
            mt_counted *entry = &c->entries[found & mask];
            if (mt_entry_is(c, entry, piece)) {
                return entry;
            }
        } else if (found == MT_EMPTY_SLOT) {
            return mt_counter_append(c, piece, slot, status);
        }
    }
}

/* Put a piece into a batch that is not full. `padded`: 16 bytes may be read where it begins. Its bytes stay where they
 * are until the batch is counted. There is room for it in the counter. */
static inline void mt_batch_put(
    const mt_counter *c, mt_count_batch *batch, const uint8_t *piece, size_t length, bool padded
) {
    mt_count_waiting *waiting = &batch->pieces[batch->count++];
    if (length <= MT_KEY_BYTES) {
        mt_piece_key key = padded ? mt_load_key(piece, length) : mt_load_key_exactly(piece, length);
        *waiting = (mt_count_waiting){key.low, key.high, mt_count_hash_key(key.low, key.high)};
    } else {
        uint64_t high = (uint64_t)MT_LONG_MARK << 56 | length;
        *waiting = (mt_count_waiting){(uint64_t)(uintptr_t)piece, high, mt_count_hash_long(piece, length)};
    }
    mt_prefetch(&c->slots[mt_first_slot(c, waiting->hash)]);
}

/* Count the pieces of a batch, which is empty afterwards. `amounts`: how often each occurs; NULL: once, and then no
 * count can pass 2**64 within the life of a machine. */
MT_INLINE mt_status mt_count_batch_pieces(mt_counter *c, mt_count_batch *batch, const uint64_t *amounts) {
    mt_status status = MT_OK;
    for (size_t i = 0; i < batch->count; i++) {
        mt_counted *entry = mt_counter_entry(c, &batch->pieces[i], &status);
        if (entry == NULL) {
            return status;
        }
        if (amounts == NULL) {
            entry->count++;
        } else if ((status = mt_count_add(&entry->count, amounts[i])) != MT_OK) {
            return status;
        }
    }
    batch->count = 0;
    return mt_counter_reserve(c);
}

/* -- Counting ----------------------------------------------------------------------------------------------------- */

/* Count the pieces of a text. */
static inline mt_status mt_counter_feed(
    mt_counter *c, const mt_pattern *p, mt_block_classifier classify, const uint8_t *text, size_t length
) {
    mt_splitter splitter;
    mt_piece_run run;
    mt_count_batch batch;
    mt_status status = mt_counter_reserve(c);
    batch.count = 0;
    mt_splitter_init(&splitter, p, classify, text, length);
    while (status == MT_OK && mt_split_next(&splitter, &run)) {
        for (size_t at = 0, next; at < run.length; at = next) {
            run.starts &= run.starts - 1;
            next = run.starts ? (size_t)mt_lowest_bit(run.starts) : run.length;
            mt_batch_put(c, &batch, run.text + at, next - at, run.padded);
        }
        if (batch.count > MT_COUNT_BATCH - MT_BLOCK) {
            status = mt_count_batch_pieces(c, &batch, NULL);
        }
    }
    return status == MT_OK ? mt_count_batch_pieces(c, &batch, NULL) : status;
}

typedef struct {
    const uint8_t *data;
    size_t length;
} mt_text;

/* Count the pieces of several texts. */
static inline mt_status mt_counter_feed_all(
    mt_counter *c, const mt_pattern *p, mt_block_classifier classify, const mt_text *texts, size_t count
) {
    mt_status status = MT_OK;
    for (size_t i = 0; i < count && status == MT_OK; i++) {
        status = mt_counter_feed(c, p, classify, texts[i].data, texts[i].length);
    }
    return status;
}

/* Count a piece `amount` times. */
static inline mt_status mt_counter_add(mt_counter *c, const uint8_t *piece, size_t length, uint64_t amount) {
    mt_count_batch batch;
    mt_status status = mt_counter_reserve(c);
    if (status != MT_OK) {
        return status;
    }
    batch.count = 0;
    mt_batch_put(c, &batch, piece, length, false);
    return mt_count_batch_pieces(c, &batch, &amount);
}

/* Add the counts of a block of records, each times `factor`. */
static inline mt_status mt_counter_add_records(
    mt_counter *c, const uint8_t *block, size_t size, uint64_t factor
) {
    mt_count_batch batch;
    uint64_t amounts[MT_COUNT_BATCH];
    mt_record_reader reader = {block, size, 0};
    mt_status status = mt_counter_reserve(c);
    batch.count = 0;
    while (status == MT_OK && reader.at < size) {
        mt_record record;
        status = mt_record_read(&reader, &record);
        if (status == MT_OK && record.count > 0 && factor > MT_MOST_COUNT / record.count) {
            status = MT_TOO_MANY;
        }
        if (status == MT_OK) {
            amounts[batch.count] = record.count * factor;
            mt_batch_put(c, &batch, record.piece, record.length, size - reader.at + record.length >= 16);
        }
        if (batch.count == MT_COUNT_BATCH) {
            status = mt_count_batch_pieces(c, &batch, amounts);
        }
    }
    return status == MT_OK ? mt_count_batch_pieces(c, &batch, amounts) : status;
}

/* What a counter has; it is empty afterwards. */
static inline mt_counter mt_counter_take(mt_counter *c) {
    mt_counter taken = *c;
    memset(c, 0, sizeof *c);
    return taken;
}

/* Add the counts of another counter. */
static inline mt_status mt_counter_merge(mt_counter *c, const mt_counter *other) {
    mt_count_batch batch;
    uint64_t amounts[MT_COUNT_BATCH];
    mt_status status = mt_counter_reserve(c);
    batch.count = 0;
    for (size_t i = 0; i < other->count && status == MT_OK; i++) {
        const mt_counted *entry = &other->entries[i];
        mt_count_waiting *waiting = &batch.pieces[batch.count];
        *waiting = (mt_count_waiting){entry->low, entry->high, 0};
        if (entry->high >> 56 == MT_LONG_MARK) {
            const uint8_t *piece = other->bytes + entry->low;
            waiting->low = (uint64_t)(uintptr_t)piece;
            waiting->hash = mt_count_hash_long(piece, (size_t)(entry->high & MT_LONG_MASK));
        } else {
            waiting->hash = mt_count_hash_key(entry->low, entry->high);
        }
        mt_prefetch(&c->slots[mt_first_slot(c, waiting->hash)]);
        amounts[batch.count++] = entry->count;
        if (batch.count == MT_COUNT_BATCH) {
            status = mt_count_batch_pieces(c, &batch, amounts);
        }
    }
    return status == MT_OK ? mt_count_batch_pieces(c, &batch, amounts) : status;
}

#endif
