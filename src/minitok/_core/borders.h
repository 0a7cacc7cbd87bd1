/* Borders between characters that no merge crosses, so that the ids on both sides can be found apart.
 *
 * Text in Chinese characters has long pieces that hardly ever come twice, but few of its characters merge with their
 * neighbours. The first merge across the border of two characters A and B would be of a symbol that ends with A, or
 * is the end of A, with one that begins with B, or is the beginning of B. If the vocabulary has no such merge then
 * none ever crosses that border, and what is left and right of it merges as if it stood alone. A character between
 * two such borders gives the ids that it gives alone, which stand in a table.
 *
 * This is about the characters of three bytes, U+0800 to U+FFFF. For merges of whole characters at the border a
 * filter knows the pair (A, B); it may say yes too often, never too rarely. Merges of parts of characters are rare:
 * of a whole A with the beginning of B, each A knows the first bytes of such B; of the end of A with a whole B, B
 * knows that there are some; of an end with a beginning, there is a table by the last byte of A and the first of B. */
#ifndef MINITOK_BORDERS_H
#define MINITOK_BORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "merge.h"
#include "status.h"
#include "unicode.h"
#include "vocabulary.h"

#define MT_FIRST_WIDE 0x800u /* the first code point of three bytes */
#define MT_WIDE_CHARACTERS ((size_t)0x10000 - MT_FIRST_WIDE)
#define MT_BIGRAM_BITS 20
#define MT_BIGRAM_WORDS ((size_t)1 << (MT_BIGRAM_BITS - 6))

/* What a character of three bytes gives alone, and what may cross its borders. */
typedef struct {
    uint32_t ids[3];
    uint16_t leads;     /* bit b & 15: a merge takes it together with a beginning b, E0 to EF, of what follows */
    uint8_t count;      /* of ids; 0: unknown, the character has to be merged */
    bool end_before;    /* a merge takes it together with the end of what is before it */
} mt_wide;

typedef struct {
    mt_wide *wide;          /* by code point - MT_FIRST_WIDE */
    uint64_t *bigrams;
    uint16_t parts[64];     /* by the last byte of A & 63: bit b & 15 of the first byte of B */
    bool borrowed;          /* the arrays are another's */
} mt_borders;

static inline void mt_borders_free(mt_borders *b) {
    if (!b->borrowed) {
        mt_table_free(b->wide);
        free(b->bigrams);
    }
    memset(b, 0, sizeof *b);
}

static inline bool mt_is_wide_lead(uint8_t byte) {
    return byte >= 0xE0 && byte <= 0xEF;
}

/* The code point of a valid character of three bytes. */
static inline uint32_t mt_decode_wide(const uint8_t *c) {
    return (uint32_t)(c[0] & 0x0F) << 12 | (uint32_t)(c[1] & 0x3F) << 6 | (c[2] & 0x3F);
}

/* Whether the bytes at text[at] are a valid character of three bytes. */
static inline bool mt_is_wide(const uint8_t *text, size_t at, size_t end) {
    uint32_t code_point;
    return mt_is_wide_lead(text[at]) && mt_decode(text, at, end, &code_point) == 3;
}

static inline size_t mt_bigram_bit(uint32_t left, uint32_t right) {
    return (left << 16 | right) * 0x9E3779B1u >> (32 - MT_BIGRAM_BITS);
}

/* Whether a merge may cross the border between two characters of three bytes. */
static inline bool mt_may_be_crossed(const mt_borders *b, uint32_t left, uint32_t right) {
    const mt_wide *l = &b->wide[left - MT_FIRST_WIDE], *r = &b->wide[right - MT_FIRST_WIDE];
    size_t bit = mt_bigram_bit(left, right);
    return (b->bigrams[bit >> 6] >> (bit & 63) & 1) | ((l->leads | b->parts[left & 63]) >> (right >> 12) & 1) |
           r->end_before;
}

/* Mark the borders that one merge crosses. */
static inline void mt_mark_border(
    mt_borders *b, const uint8_t *left, size_t left_length, const uint8_t *right, size_t right_length
) {
    if (!mt_is_continuation(left[left_length - 1]) || !mt_is_wide_lead(right[0])) {
        return; /* not a border of two such characters */
    }
    bool whole_left = left_length >= 3 && mt_is_wide(left, left_length - 3, left_length);
    bool whole_right = right_length >= 3 && mt_is_wide(right, 0, right_length);
    bool end_left = left_length == 1 || (left_length == 2 && mt_is_continuation(left[0]));
    bool beginning_right = right_length == 1 || (right_length == 2 && mt_is_continuation(right[1]));
    uint32_t a = whole_left ? mt_decode_wide(left + left_length - 3) : 0;
    uint32_t c = whole_right ? mt_decode_wide(right) : 0;
    uint16_t lead = (uint16_t)(1u << (right[0] & 15));
    if (whole_left && whole_right) {
        size_t bit = mt_bigram_bit(a, c);
        b->bigrams[bit >> 6] |= (uint64_t)1 << (bit & 63);
    } else if (whole_left && beginning_right) {
        b->wide[a - MT_FIRST_WIDE].leads |= lead;
    } else if (end_left && whole_right) {
        b->wide[c - MT_FIRST_WIDE].end_before = true;
    } else if (end_left && beginning_right) {
        b->parts[left[left_length - 1] & 63] |= lead;
    }
}

/* Fill the table of a vocabulary whose pairs are all there. */
static inline mt_status mt_find_borders(const mt_vocabulary *v, mt_borders *b) {
    b->wide = mt_table_allocate(MT_WIDE_CHARACTERS * sizeof *b->wide, MT_FILLED);
    b->bigrams = calloc(MT_BIGRAM_WORDS, sizeof *b->bigrams);
    if (b->wide == NULL || b->bigrams == NULL) {
        return MT_NO_MEMORY;
    }
    for (uint32_t c = MT_FIRST_WIDE; c < 0x10000; c++) {
        if (c >= 0xD800 && c < 0xE000) {
            continue;
        }
        uint8_t bytes[3] = {
            (uint8_t)(0xE0 | c >> 12), (uint8_t)(0x80 | (c >> 6 & 0x3F)), (uint8_t)(0x80 | (c & 0x3F)),
        };
        uint32_t symbols[3];
        size_t count = mt_merge_short(v, symbols, mt_first_symbols(v, bytes, 3, symbols));
        mt_wide *wide = &b->wide[c - MT_FIRST_WIDE];
        bool known = true;
        for (size_t i = 0; i < count && known; i++) {
            bool token = symbols[i] < v->token_count;
            known = token || v->has_byte_ids;
            wide->ids[i] = token ? v->ids[symbols[i]] : known ? v->byte_ids[symbols[i] - v->token_count] : 0;
        }
        wide->count = known ? (uint8_t)count : 0;
    }
    for (size_t slot = 0; slot <= v->pair_mask; slot++) {
        uint64_t found = v->pair_slots[slot];
        if (found == MT_EMPTY_PAIR) {
            continue;
        }
        size_t left_length, right_length;
        uint8_t left_byte, right_byte;
        const uint8_t *left = mt_left_bytes(v, found, &left_byte, &left_length);
        const uint8_t *right = mt_right_bytes(v, found, &right_byte, &right_length);
        mt_mark_border(b, left, left_length, right, right_length);
    }
    return MT_OK;
}

#endif
