/* Finding special tokens: a trie of their characters, walked from every place where one may begin.
 *
 * The edges of all nodes are in one open-addressed table, by node and character. Where several tokens begin at a
 * place the longest counts; whether it is an allowed one is asked afterwards, as `special_tokens.py` says. A walk
 * ends after the longest token's length, and mostly at once, so that the search is linear in the text for a given
 * vocabulary. */
#ifndef MINITOK_SPECIAL_H
#define MINITOK_SPECIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "hash.h"
#include "status.h"
#include "string_view.h"

#define MT_NO_NODE UINT32_MAX
#define MT_NO_TOKEN UINT32_MAX

typedef struct {
    uint64_t edge; /* node << 32 | character; UINT64_MAX in an empty slot */
    uint32_t node;
    uint32_t token; /* the number of the token that ends here, or MT_NO_TOKEN */
} mt_special_edge;

typedef struct {
    mt_special_edge *edges;
    size_t mask;
    uint32_t nodes;
    uint64_t beginnings[4]; /* by the lowest 8 bits of a character: whether a token begins so */
    uint32_t first;         /* the character with which all tokens begin, or MT_NO_TOKEN */
} mt_special;

static inline void mt_special_free(mt_special *s) {
    free(s->edges);
    s->edges = NULL;
}

/* Room for tokens of `characters` in all. */
static inline mt_status mt_special_init(mt_special *s, size_t characters) {
    size_t slots = mt_slots_for(characters);
    memset(s, 0, sizeof *s);
    s->edges = malloc(slots * sizeof *s->edges);
    if (s->edges == NULL) {
        return MT_NO_MEMORY;
    }
    memset(s->edges, 0xFF, slots * sizeof *s->edges);
    s->mask = slots - 1;
    s->nodes = 1;
    s->first = MT_NO_TOKEN;
    return MT_OK;
}

/* The slot of an edge, or the empty one where it would be. */
static inline mt_special_edge *mt_special_slot(const mt_special *s, uint32_t node, uint32_t character) {
    uint64_t edge = (uint64_t)node << 32 | character;
    size_t slot = (size_t)mt_mix(edge) & s->mask;
    while (s->edges[slot].edge != edge && s->edges[slot].edge != UINT64_MAX) {
        slot = (slot + 1) & s->mask;
    }
    return &s->edges[slot];
}

/* Add a token, which is not empty. */
static inline void mt_special_add(mt_special *s, mt_string token, uint32_t number) {
    uint32_t first = mt_code_point_at(token, 0);
    s->beginnings[(first & 0xFF) >> 6] |= (uint64_t)1 << (first & 63);
    s->first = s->nodes == 1 || s->first == first ? first : MT_NO_TOKEN;
    uint32_t node = 0;
    mt_special_edge *edge = NULL;
    for (size_t i = 0; i < token.length; i++) {
        uint32_t character = mt_code_point_at(token, i);
        edge = mt_special_slot(s, node, character);
        if (edge->edge == UINT64_MAX) {
            *edge = (mt_special_edge){(uint64_t)node << 32 | character, s->nodes++, MT_NO_TOKEN};
        }
        node = edge->node;
    }
    edge->token = number;
}

/* The next place from `at` on where a token may begin; the length of the text if there is none. */
static inline size_t mt_special_candidate(const mt_special *s, mt_string text, size_t at) {
    if (text.width == 1 && s->first < 0x100) {
        const uint8_t *found = at < text.length
            ? memchr((const uint8_t *)text.data + at, (int)s->first, text.length - at) : NULL;
        return found == NULL ? text.length : (size_t)(found - (const uint8_t *)text.data);
    }
    for (; at < text.length; at++) {
        uint32_t c = mt_code_point_at(text, at) & 0xFF;
        if (s->beginnings[c >> 6] >> (c & 63) & 1) {
            break;
        }
    }
    return at;
}

/* Find the next allowed token from *start on; false if there is none. *start and *end are set to where it is, *token
 * to its number. */
static inline bool mt_special_find(
    const mt_special *s, mt_string text, const uint8_t *allowed, size_t *start, size_t *end, uint32_t *token
) {
    for (size_t at = *start;; at++) {
        at = mt_special_candidate(s, text, at);
        if (at >= text.length) {
            return false;
        }
        uint32_t node = 0;
        *token = MT_NO_TOKEN;
        for (size_t i = at; i < text.length; i++) {
            const mt_special_edge *edge = mt_special_slot(s, node, mt_code_point_at(text, i));
            if (edge->edge == UINT64_MAX) {
                break;
            }
            if (edge->token != MT_NO_TOKEN) {
                *token = edge->token;
                *end = i + 1;
            }
            node = edge->node;
        }
        if (*token != MT_NO_TOKEN && allowed[*token]) {
            *start = at;
            return true;
        }
    }
}

#endif
