/* The tables of a vocabulary as one block of memory, which can be written to a file and mapped from it.
 *
 * The block is a header and, each at a multiple of 64 bytes, the arrays of mt_vocabulary and mt_borders as they are
 * in memory. Whatever has been mapped so is shared by all processes, and nothing is built anew. The header says which
 * file the tables were made of, by its SHA-256, and holds a checksum of all that follows it, so that a block that was
 * cut off or damaged is never used. It does not protect from one that was made on purpose: whoever reads a file sees
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

#define MT_TABLES_VERSION 3
#define MT_TABLES_SOURCE 32 /* bytes of a SHA-256 */
#define MT_TABLES_ALIGNMENT 64

typedef struct {
    uint8_t magic[8];
    uint32_t version;
    uint32_t byte_order; /* 0x01020304 as this machine writes it */
    uint64_t word_size;  /* of size_t */
    uint64_t size;       /* of the whole block */
    uint64_t checksum;   /* of what follows, to the end of the block */
    uint8_t source[MT_TABLES_SOURCE];
    uint64_t token_count, bytes, longest, token_mask, word_mask, pair_mask, pair_count;
    uint64_t made_count, note;
    uint32_t has_made, has_order, has_unmade, characters, has_byte_ids, has_unknown, unknown_id, unused;
    uint32_t byte_symbols[256], byte_ids[256];
    uint16_t parts[64];
} mt_tables_header;

#define MT_TABLES_CHECKED_FROM offsetof(mt_tables_header, source)

/* Four sums side by side, because one multiplication need not wait for the others. */
static inline uint64_t mt_checksum(const uint8_t *bytes, size_t length) {
    uint64_t sums[4] = {1, 2, 3, 4};
    size_t at = 0;
    for (; at + 32 <= length; at += 32) {
        uint64_t words[4];
        memcpy(words, bytes + at, 32);
        for (int i = 0; i < 4; i++) {
            sums[i] = (sums[i] ^ words[i]) * 0x9E3779B97F4A7C15u;
            sums[i] ^= sums[i] >> 29;
        }
    }
    uint64_t sum = mt_hash_bytes(bytes + at, length - at);
    for (int i = 0; i < 4; i++) {
        sum = mt_mix(sum ^ sums[i]);
    }
    return sum;
}

/* Where the next array is in a block, and whether it is to be put there. */
typedef struct {
    uint8_t *block; /* NULL: only the size is asked for */
    size_t at;
    bool copy;
} mt_tables_cursor;

static inline void *mt_tables_array(mt_tables_cursor *cursor, const void *array, size_t size) {
    size_t at = cursor->at;
    cursor->at += (size + MT_TABLES_ALIGNMENT - 1) / MT_TABLES_ALIGNMENT * MT_TABLES_ALIGNMENT;
    if (cursor->block == NULL) {
        return NULL;
    }
    if (cursor->copy && size > 0) {
        memcpy(cursor->block + at, array, size);
    }
    return cursor->block + at;
}

/* Go through all arrays, whose sizes stand in the header; point to those in the block. Returns its size. */
static inline size_t mt_tables_arrays(
    const mt_tables_header *h, mt_vocabulary *v, mt_borders *b, const uint8_t **note, uint8_t *block, bool copy
) {
    size_t header = (sizeof *h + MT_TABLES_ALIGNMENT - 1) / MT_TABLES_ALIGNMENT * MT_TABLES_ALIGNMENT;
    mt_tables_cursor cursor = {block, header, copy};
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

/* How many bytes the block of a vocabulary has, with a note of a length. */
static inline size_t mt_tables_size(const mt_vocabulary *v, const mt_borders *b, size_t note) {
    mt_tables_header h = mt_tables_header_of(v, b, note);
    mt_vocabulary v_copy = *v;
    mt_borders b_copy = *b;
    const uint8_t *note_copy = NULL;
    return mt_tables_arrays(&h, &v_copy, &b_copy, &note_copy, NULL, false);
}

/* Write the block; `source` is a SHA-256 of what the vocabulary is of. `block` is zeroed. */
static inline void mt_tables_write(
    const mt_vocabulary *v, const mt_borders *b, const uint8_t source[MT_TABLES_SOURCE], const uint8_t *note,
    size_t note_size, uint8_t *block
) {
    mt_tables_header h = mt_tables_header_of(v, b, note_size);
    mt_vocabulary v_copy = *v;
    mt_borders b_copy = *b;
    h.size = mt_tables_arrays(&h, &v_copy, &b_copy, &note, block, true);
    memcpy(h.source, source, sizeof h.source);
    memcpy(block, &h, sizeof h);
    h.checksum = mt_checksum(block + MT_TABLES_CHECKED_FROM, h.size - MT_TABLES_CHECKED_FROM);
    memcpy(block, &h, sizeof h);
}

/* Take the arrays of a block that stays where it is; false if it is not one, damaged, or of another file. */
static inline bool mt_tables_read(
    mt_vocabulary *v, mt_borders *b, const uint8_t source[MT_TABLES_SOURCE], uint8_t *block, size_t size,
    const uint8_t **note, size_t *note_size
) {
    mt_tables_header h, expected = {.magic = "minitok"};
    expected.magic[7] = '\n';
    if (size < sizeof h || (uintptr_t)block % MT_TABLES_ALIGNMENT != 0) {
        return false;
    }
    memcpy(&h, block, sizeof h);
    if (memcmp(h.magic, expected.magic, sizeof h.magic) != 0 || h.version != MT_TABLES_VERSION ||
        h.byte_order != 0x01020304 || h.word_size != sizeof(size_t) || h.size != size ||
        memcmp(h.source, source, sizeof h.source) != 0 ||
        h.checksum != mt_checksum(block + MT_TABLES_CHECKED_FROM, size - MT_TABLES_CHECKED_FROM)) {
        return false;
    }
    mt_tables_arrays(&h, v, b, note, block, false);
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
