/* The tables of a vocabulary as one block of memory, which can be written to a file and mapped from it.
 *
 * The block is a header and, each at a multiple of 64 bytes, the arrays of mt_vocabulary and mt_borders as they are
 * in memory. Whatever has been mapped so is shared by all processes, and nothing is built anew. The header says which
 * file the tables were made of, by its SHA-256, and holds a checksum of the whole, so that a block that was cut off or
 * damaged is never used. It does not protect from one that was made on purpose: whoever reads a file sees
 * to it that no stranger can have written it. A note, which is the caller's, goes with the tables: whatever a vocabulary
 * has beside them. MT_TABLES_VERSION changes with every change of layout, hash or meaning.
 */
#ifndef MINITOK_TABLES_H
#define MINITOK_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "borders.h"
#include "vocabulary.h"

#define MT_TABLES_VERSION 4
#define MT_TABLES_SOURCE 32 /* bytes of a SHA-256 */
#define MT_TABLES_ALIGNMENT ((size_t)64)
#define MT_TABLES_STRIPE 32 /* bytes that the checksum takes at once; two of them are the alignment */
#define MT_TABLES_PARTS 16 /* the header, the arrays, the note */

typedef struct {
    uint8_t magic[8];
    uint32_t version;
    uint32_t byte_order; /* 0x01020304 as this machine writes it */
    uint64_t word_size;  /* of size_t */
    uint64_t size;       /* of the whole block */
    uint64_t checksum;   /* of the whole block with a zero here */
    uint8_t source[MT_TABLES_SOURCE];
    uint64_t token_count, bytes, longest, token_mask, word_mask, pair_mask, pair_count;
    uint64_t made_count, note;
    uint32_t has_made, has_order, has_unmade, characters, has_byte_ids, has_unknown, unknown_id, unused[5];
    uint32_t byte_symbols[256], byte_ids[256];
    uint16_t parts[64];
} mt_tables_header;

_Static_assert(sizeof(mt_tables_header) % MT_TABLES_ALIGNMENT == 0, "nothing is between the header and what follows");

/* A part of a block, wherever it is now; in the block zeros follow up to the next multiple of MT_TABLES_ALIGNMENT. */
typedef struct {
    const uint8_t *data;
    size_t size;
} mt_tables_part;

/* A block whose parts are where they are; the header is its first. */
typedef struct {
    mt_tables_header header;
    mt_tables_part parts[MT_TABLES_PARTS];
    size_t count;
} mt_tables;

static inline size_t mt_tables_padded(size_t size) {
    return (size + MT_TABLES_ALIGNMENT - 1) / MT_TABLES_ALIGNMENT * MT_TABLES_ALIGNMENT;
}

/* Four sums side by side, because one multiplication need not wait for the others. */
typedef struct {
    uint64_t lanes[4];
} mt_checksum;

static inline mt_checksum mt_checksum_start(void) {
    return (mt_checksum){{1, 2, 3, 4}};
}

static inline void mt_checksum_mix(mt_checksum *sum, const uint8_t bytes[MT_TABLES_STRIPE]) {
    uint64_t words[4];
    memcpy(words, bytes, sizeof words);
    for (int i = 0; i < 4; i++) {
        sum->lanes[i] = (sum->lanes[i] ^ words[i]) * 0x9E3779B97F4A7C15u;
        sum->lanes[i] ^= sum->lanes[i] >> 29;
    }
}

/* Add a part, and the zeros that follow it. */
static inline void mt_checksum_add(mt_checksum *sum, mt_tables_part part) {
    size_t at = 0;
    for (; at + MT_TABLES_STRIPE <= part.size; at += MT_TABLES_STRIPE) {
        mt_checksum_mix(sum, part.data + at);
    }
    for (; at < mt_tables_padded(part.size); at += MT_TABLES_STRIPE) {
        uint8_t bytes[MT_TABLES_STRIPE] = {0};
        if (at < part.size) {
            memcpy(bytes, part.data + at, part.size - at);
        }
        mt_checksum_mix(sum, bytes);
    }
}

static inline uint64_t mt_checksum_end(const mt_checksum *sum) {
    uint64_t mixed = 0;
    for (int i = 0; i < 4; i++) {
        mixed = mt_mix(mixed ^ sum->lanes[i]);
    }
    return mixed;
}

/* Where the next array is in a block that is in memory as one, or what it is if there is no block yet. */
typedef struct {
    uint8_t *block;
    size_t at;
    mt_tables *tables;
} mt_tables_cursor;

static inline void *mt_tables_array(mt_tables_cursor *cursor, const void *array, size_t size) {
    size_t at = cursor->at;
    cursor->at += mt_tables_padded(size);
    if (cursor->block != NULL) {
        return cursor->block + at;
    }
    cursor->tables->parts[cursor->tables->count++] = (mt_tables_part){array, size};
    return NULL;
}

/* Go through all arrays, whose sizes stand in the header; point to those in the block, or list them. Returns the size
 * of the block. */
static inline size_t mt_tables_arrays(
    const mt_tables_header *h, mt_vocabulary *v, mt_borders *b, const uint8_t **note, mt_tables_cursor cursor
) {
    mt_tables_array(&cursor, h, sizeof *h);
    v->ids = mt_tables_array(&cursor, v->ids, (h->token_count + 1) * sizeof *v->ids);
    v->offsets = mt_tables_array(&cursor, v->offsets, (h->token_count + 1) * sizeof *v->offsets);
    v->bytes = mt_tables_array(&cursor, v->bytes, h->bytes + MT_TOKEN_PADDING);
    v->token_slots = mt_tables_array(&cursor, v->token_slots, (h->token_mask + 1) * sizeof *v->token_slots);
    v->word_slots = mt_tables_array(&cursor, v->word_slots, (h->word_mask + 1) * sizeof *v->word_slots);
    v->pair_slots = mt_tables_array(&cursor, v->pair_slots, (h->pair_mask + 1) * sizeof *v->pair_slots);
    v->beginnings = mt_tables_array(&cursor, v->beginnings, MT_BEGINNINGS * sizeof *v->beginnings);
    v->pair_filter = mt_tables_array(&cursor, v->pair_filter, MT_FILTER_WORDS * sizeof *v->pair_filter);
    v->byte_pairs = mt_tables_array(&cursor, v->byte_pairs, MT_BYTE_PAIRS * sizeof *v->byte_pairs);
    b->wide = mt_tables_array(&cursor, b->wide, MT_WIDE_CHARACTERS * sizeof *b->wide);
    b->bigrams = mt_tables_array(&cursor, b->bigrams, MT_BIGRAM_WORDS * sizeof *b->bigrams);
    if (h->has_made) {
        v->made = mt_tables_array(&cursor, v->made, (h->made_count + 1) * sizeof *v->made);
    }
    if (h->has_order) {
        v->order = mt_tables_array(&cursor, v->order, (h->token_count + 1) * sizeof *v->order);
    }
    if (h->has_unmade) {
        v->unmade = mt_tables_array(&cursor, v->unmade, mt_unmade_words(h->token_count) * sizeof *v->unmade);
    }
    *note = mt_tables_array(&cursor, *note, h->note);
    return cursor.at;
}

static inline mt_tables_header mt_tables_header_of(const mt_vocabulary *v, const mt_borders *b, size_t note) {
    mt_tables_header h;
    memset(&h, 0, sizeof h);
    memcpy(h.magic, "minitok\n", sizeof h.magic);
    h.version = MT_TABLES_VERSION;
    h.byte_order = 0x01020304;
    h.word_size = sizeof(size_t);
    h.token_count = v->token_count;
    h.bytes = v->offsets[v->token_count];
    h.longest = v->longest;
    h.token_mask = v->token_mask;
    h.word_mask = v->word_mask;
    h.pair_mask = v->pair_mask;
    h.pair_count = v->pair_count;
    h.made_count = v->made_count;
    h.note = note;
    h.has_made = v->made != NULL;
    h.has_order = v->order != NULL;
    h.has_unmade = v->unmade != NULL;
    h.characters = v->characters;
    h.has_byte_ids = v->has_byte_ids;
    h.has_unknown = v->has_unknown;
    h.unknown_id = v->unknown_id;
    memcpy(h.byte_ids, v->byte_ids, sizeof h.byte_ids);
    memcpy(h.byte_symbols, v->byte_symbols, sizeof h.byte_symbols);
    memcpy(h.parts, b->parts, sizeof h.parts);
    return h;
}

/* List the parts of a vocabulary's block. `source` is a SHA-256 of what the vocabulary is of. `tables` must stay where
 * it is, and nothing that it lists may change while it is used. */
static inline void mt_tables_list(
    mt_tables *tables, const mt_vocabulary *v, const mt_borders *b, const uint8_t source[MT_TABLES_SOURCE],
    const uint8_t *note, size_t note_size
) {
    mt_vocabulary v_copy = *v;
    mt_borders b_copy = *b;
    mt_checksum sum = mt_checksum_start();
    tables->header = mt_tables_header_of(v, b, note_size);
    tables->count = 0;
    memcpy(tables->header.source, source, MT_TABLES_SOURCE);
    tables->header.size =
        mt_tables_arrays(&tables->header, &v_copy, &b_copy, &note, (mt_tables_cursor){NULL, 0, tables});
    for (size_t i = 0; i < tables->count; i++) {
        mt_checksum_add(&sum, tables->parts[i]);
    }
    tables->header.checksum = mt_checksum_end(&sum);
}

/* Copy bytes of the block from `start` on, `size` at most; returns how many there were. */
static inline size_t mt_tables_copy(const mt_tables *tables, size_t start, uint8_t *out, size_t size) {
    size_t written = 0, part_start = 0;
    for (size_t i = 0; i < tables->count && written < size; i++) {
        mt_tables_part part = tables->parts[i];
        size_t part_end = part_start + mt_tables_padded(part.size);
        while (start + written < part_end && written < size) {
            size_t at = start + written - part_start;
            size_t left = at < part.size ? part.size - at : part_end - part_start - at;
            size_t count = left < size - written ? left : size - written;
            if (at < part.size) {
                memcpy(out + written, part.data + at, count);
            } else {
                memset(out + written, 0, count);
            }
            written += count;
        }
        part_start = part_end;
    }
    return written;
}

/* Take the arrays of a block that stays where it is; false if it is not one, damaged, or of another file. */
static inline bool mt_tables_read(
    mt_vocabulary *v, mt_borders *b, const uint8_t source[MT_TABLES_SOURCE], uint8_t *block, size_t size,
    const uint8_t **note, size_t *note_size
) {
    mt_tables_header h;
    if (size < sizeof h || (uintptr_t)block % MT_TABLES_ALIGNMENT != 0) {
        return false;
    }
    memcpy(&h, block, sizeof h);
    if (memcmp(h.magic, "minitok\n", sizeof h.magic) != 0 || h.version != MT_TABLES_VERSION ||
        h.byte_order != 0x01020304 || h.word_size != sizeof(size_t) || h.size != size ||
        memcmp(h.source, source, sizeof h.source) != 0) {
        return false;
    }
    uint64_t checksum = h.checksum;
    mt_checksum sum = mt_checksum_start();
    h.checksum = 0;
    mt_checksum_add(&sum, (mt_tables_part){(const uint8_t *)&h, sizeof h});
    mt_checksum_add(&sum, (mt_tables_part){block + sizeof h, size - sizeof h});
    if (checksum != mt_checksum_end(&sum)) {
        return false;
    }
    mt_tables_arrays(&h, v, b, note, (mt_tables_cursor){block, 0, NULL});
    *note_size = h.note;
    v->token_count = h.token_count;
    v->longest = h.longest;
    v->token_mask = h.token_mask;
    v->word_mask = h.word_mask;
    v->pair_mask = h.pair_mask;
    v->pair_count = h.pair_count;
    v->made_count = h.made_count;
    v->characters = h.characters;
    v->has_byte_ids = h.has_byte_ids;
    v->has_unknown = h.has_unknown;
    v->unknown_id = h.unknown_id;
    memcpy(v->byte_ids, h.byte_ids, sizeof v->byte_ids);
    memcpy(v->byte_symbols, h.byte_symbols, sizeof v->byte_symbols);
    memcpy(b->parts, h.parts, sizeof b->parts);
    return true;
}

#endif
