/* Characters that may be one symbol from the start.
 *
 * The bytes of a frequent character of two or three bytes merge to one token before anything else happens to them.
 * To begin with that token saves most of the work where text is not ASCII. It is exact where nothing can come
 * between. Let M be the highest rank among the merges that make the character of its bytes. While they are not all
 * done, one of rank M or lower is possible, so that a merge across the character's border happens first only if its
 * rank is below M. Such a merge joins a symbol that ends with the byte on the other side with one that the character
 * begins with (its first byte, its first two, or all), or the same at its end. For each character there is a mask
 * of the bytes before it, and one of the bytes behind it, for which the vocabulary has a merge like that; beside
 * any other neighbour, the character completes as if it stood alone. Merges elsewhere do not notice: one that takes
 * the whole character has a rank above M too (this is part of the masks), so it comes later in either case.
 *
 * Neighbours are known by the byte that is next to the border: the last byte of the character before, the first
 * byte of the one behind. All ASCII characters count as one. */
#ifndef MINITOK_CHARACTERS_H
#define MINITOK_CHARACTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"
#include "unicode.h"
#include "vocabulary.h"

#define MT_NO_CHARACTER UINT16_MAX
#define MT_CHARACTER_CODES ((size_t)65536)

typedef struct {
    uint64_t risky_before; /* bit b & 63: the character before ends with the byte b, 80 to BF */
    uint64_t risky_behind; /* bit b & 63: the character behind begins with b, C0 to FF */
    uint32_t symbol;
    uint32_t highest_rank; /* M above */
    bool risky_ascii_before;
    bool risky_ascii_behind;
} mt_character;

typedef struct {
    uint16_t *index; /* code point below U+10000 to place in `list`, or MT_NO_CHARACTER */
    mt_character *list;
    size_t count;
    bool borrowed; /* the arrays are another's */
} mt_characters;

static inline void mt_characters_free(mt_characters *c) {
    if (!c->borrowed) {
        free(c->index);
        free(c->list);
    }
    memset(c, 0, sizeof *c);
}

/* Merge the bytes of one character; false if they do not become one token of these bytes. */
static inline bool mt_merge_character(
    const mt_vocabulary *v, const uint8_t *bytes, size_t length, uint32_t *symbol, uint32_t *highest_rank
) {
    uint32_t s[3];
    for (size_t i = 0; i < length; i++) {
        s[i] = v->byte_symbols[bytes[i]];
    }
    uint32_t first = 0;
    if (length == 3) {
        uint32_t left = mt_pair_rank(v, s[0], s[1]);
        uint32_t right = mt_pair_rank(v, s[1], s[2]);
        first = left <= right ? left : right;
        if (first == MT_NO_RANK) {
            return false;
        }
        if (left <= right) {
            s[0] = mt_made_by(v, left);
            s[1] = s[2];
        } else {
            s[1] = mt_made_by(v, right);
        }
    }
    uint32_t last = mt_pair_rank(v, s[0], s[1]);
    if (last == MT_NO_RANK) {
        return false;
    }
    *symbol = mt_made_by(v, last);
    *highest_rank = first > last ? first : last;
    return true;
}

/* If a merge of this rank may come before the character is complete, mark the neighbour that it takes. */
static inline void mt_mark_before(mt_character *c, uint32_t rank, uint8_t neighbour) {
    if (rank < c->highest_rank) {
        c->risky_ascii_before |= neighbour < 0x80;
        c->risky_before |= neighbour >= 0x80 ? (uint64_t)1 << (neighbour & 63) : 0;
    }
}

static inline void mt_mark_behind(mt_character *c, uint32_t rank, uint8_t neighbour) {
    if (rank < c->highest_rank) {
        c->risky_ascii_behind |= neighbour < 0x80;
        c->risky_behind |= neighbour >= 0x80 ? (uint64_t)1 << (neighbour & 63) : 0;
    }
}

/* Whether a character can end, or begin, with a byte; other neighbours are passed over when they are met. */
static inline bool mt_ends_character(uint8_t byte) {
    return byte < 0xC0;
}

static inline bool mt_begins_character(uint8_t byte) {
    return byte < 0x80 || byte >= 0xC0;
}

/* The lowest ranks of merges of a single byte with a symbol, by the byte and by the neighbour (0: ASCII; 1 + b & 63). */
typedef struct {
    uint32_t before[256][65];
    uint32_t behind[256][65];
} mt_byte_risks;

static inline size_t mt_neighbour_place(uint8_t byte) {
    return byte < 0x80 ? 0 : 1 + (byte & 63);
}

static inline void mt_lower(uint32_t *least, uint32_t rank) {
    *least = rank < *least ? rank : *least;
}

/* Mark what one merge, of more than a single byte of a character with its neighbour, puts at risk. */
static inline void mt_mark_long(
    mt_characters *c, const uint8_t *left, size_t left_length, const uint8_t *right, size_t right_length, uint32_t rank
) {
    uint8_t before = left[left_length - 1], behind = right[0];
    uint32_t code_point;
    bool takes_before = right_length >= 2 && right_length <= 3 && mt_ends_character(before);
    bool takes_behind = left_length >= 2 && left_length <= 3 && mt_begins_character(behind);
    if (takes_before && mt_decode(right, 0, right_length, &code_point) == right_length) {
        if (c->index[code_point] != MT_NO_CHARACTER) {
            mt_mark_before(&c->list[c->index[code_point]], rank, before);
        }
    } else if (takes_before && right_length == 2 && right[0] >= 0xE0 && right[0] <= 0xEF && mt_is_continuation(right[1])) {
        code_point = (uint32_t)(right[0] & 0x0F) << 12 | (uint32_t)(right[1] & 0x3F) << 6;
        for (uint32_t last = 0; last < 64; last++) {
            if (c->index[code_point | last] != MT_NO_CHARACTER && (code_point | last) >= 0x800) {
                mt_mark_before(&c->list[c->index[code_point | last]], rank, before);
            }
        }
    }
    if (takes_behind && mt_decode(left, 0, left_length, &code_point) == left_length) {
        if (c->index[code_point] != MT_NO_CHARACTER) {
            mt_mark_behind(&c->list[c->index[code_point]], rank, behind);
        }
    } else if (takes_behind && left_length == 2 && mt_is_continuation(left[0]) && mt_is_continuation(left[1])) {
        code_point = (uint32_t)(left[0] & 0x3F) << 6 | (left[1] & 0x3F);
        for (uint32_t high = 0; high < 16; high++) {
            uint32_t whole = high << 12 | code_point;
            if (whole >= 0x800 && c->index[whole] != MT_NO_CHARACTER) {
                mt_mark_behind(&c->list[c->index[whole]], rank, behind);
            }
        }
    }
}

/* Find the characters of a vocabulary whose pairs are all there. */
static inline mt_status mt_find_characters(const mt_vocabulary *v, mt_characters *c) {
    c->index = malloc(MT_CHARACTER_CODES * sizeof *c->index);
    mt_byte_risks *risks = malloc(sizeof *risks);
    size_t capacity = 256;
    c->list = malloc(capacity * sizeof *c->list);
    mt_status status = c->index == NULL || risks == NULL || c->list == NULL ? MT_NO_MEMORY : MT_OK;
    if (status != MT_OK) {
        free(risks);
        return status;
    }
    memset(c->index, 0xFF, MT_CHARACTER_CODES * sizeof *c->index);
    memset(risks, 0xFF, sizeof *risks);
    for (uint32_t token = 0; token < v->token_count && c->count < MT_NO_CHARACTER; token++) {
        size_t length;
        uint32_t code_point, symbol, highest_rank;
        const uint8_t *bytes = mt_token_bytes(v, token, &length);
        if (length < 2 || length > 3 || mt_decode(bytes, 0, length, &code_point) != length ||
            !mt_merge_character(v, bytes, length, &symbol, &highest_rank) || symbol != token) {
            continue;
        }
        if (c->count == capacity) {
            capacity *= 2;
            mt_character *more = realloc(c->list, capacity * sizeof *more);
            if (more == NULL) {
                free(risks);
                return MT_NO_MEMORY;
            }
            c->list = more;
        }
        c->index[code_point] = (uint16_t)c->count;
        c->list[c->count++] = (mt_character){.symbol = symbol, .highest_rank = highest_rank};
    }
    for (size_t slot = 0; slot <= v->pair_mask; slot++) {
        uint64_t found = v->pair_slots[slot];
        if (found == MT_EMPTY_PAIR) {
            continue;
        }
        uint32_t rank = (uint32_t)(found & (MT_MOST_RANKS - 1));
        size_t left_length, right_length;
        uint8_t left_byte, right_byte;
        const uint8_t *left = mt_left_bytes(v, found, &left_byte, &left_length);
        const uint8_t *right = mt_right_bytes(v, found, &right_byte, &right_length);
        if (right_length == 1 && mt_ends_character(left[left_length - 1])) {
            mt_lower(&risks->before[right[0]][mt_neighbour_place(left[left_length - 1])], rank);
        }
        if (left_length == 1 && mt_begins_character(right[0])) {
            mt_lower(&risks->behind[left[0]][mt_neighbour_place(right[0])], rank);
        }
        if ((right_length <= 3 && right[0] >= 0xC0) || (left_length <= 3 && left[left_length - 1] >= 0x80)) {
            mt_mark_long(c, left, left_length, right, right_length, rank);
        }
    }
    for (size_t i = 0; i < c->count; i++) {
        size_t length;
        const uint8_t *bytes = mt_token_bytes(v, c->list[i].symbol, &length);
        for (int place = 0; place < 65; place++) {
            uint8_t neighbour = place == 0 ? 0 : (uint8_t)(0x80 | (place - 1));
            mt_mark_before(&c->list[i], risks->before[bytes[0]][place], neighbour);
            mt_mark_behind(&c->list[i], risks->behind[bytes[length - 1]][place], neighbour);
        }
    }
    free(risks);
    return MT_OK;
}

/* The symbol with which the character at piece[at] may begin; MT_NO_SYMBOL if it has to begin with its bytes. Its
 * length in bytes goes to *length. piece[at] is not ASCII. */
static inline uint32_t mt_character_symbol(
    const mt_characters *c, const uint8_t *piece, size_t at, size_t end, size_t *length
) {
    uint32_t code_point;
    *length = mt_decode(piece, at, end, &code_point);
    if (*length < 2 || *length > 3 || c->index[code_point] == MT_NO_CHARACTER) {
        return MT_NO_SYMBOL;
    }
    const mt_character *found = &c->list[c->index[code_point]];
    if (at > 0) {
        uint8_t before = piece[at - 1];
        if (before < 0x80 ? found->risky_ascii_before : before >= 0xC0 || (found->risky_before >> (before & 63) & 1)) {
            return MT_NO_SYMBOL;
        }
    }
    if (at + *length < end) {
        uint8_t behind = piece[at + *length];
        if (behind < 0x80 ? found->risky_ascii_behind : behind < 0xC0 || (found->risky_behind >> (behind & 63) & 1)) {
            return MT_NO_SYMBOL;
        }
    }
    return found->symbol;
}

#endif
