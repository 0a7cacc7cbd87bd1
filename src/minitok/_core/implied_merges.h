/* The merges of a rank file, which has no list of them: every pair of tokens whose concatenation is a token.
 *
 * Most of those pairs never stand side by side while a piece is merged. Symbols A and B do only if the merges inside
 * of their bytes, taken alone, come to A and B too: up to then nothing has crossed their borders, so nothing else
 * had a part in it. For a token T = AB whose bytes merge, by ranks below T's own, to exactly two symbols, these two
 * are thus the one pair that can ever make T, and the others are left out: the table is several times smaller. Tokens
 * are taken in the order of their ranks, so that all merges below are known. A token of which more than two symbols
 * are left keeps all its pairs; so whatever the vocabulary, nothing is lost. */
#ifndef MINITOK_IMPLIED_MERGES_H
#define MINITOK_IMPLIED_MERGES_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "merge.h"
#include "status.h"
#include "vocabulary.h"

static inline mt_status mt_add_all_pairs(mt_vocabulary *v, const uint8_t *bytes, size_t length, uint32_t rank) {
    mt_status status = MT_OK;
    for (size_t cut = 1; cut < length && status == MT_OK; cut++) {
        uint32_t left = mt_find_symbol(v, bytes, cut);
        uint32_t right = mt_find_symbol(v, bytes + cut, length - cut);
        if (left != MT_NO_SYMBOL && right != MT_NO_SYMBOL) {
            status = mt_add_pair(v, left, right, rank);
        }
    }
    return status;
}

/* All pairs, where the order of tokens is not that of ranks. */
static inline mt_status mt_add_unordered_pairs(mt_vocabulary *v) {
    mt_status status = mt_reserve_pairs(v, v->token_count);
    for (uint32_t token = 0; token < v->token_count && status == MT_OK; token++) {
        size_t length;
        const uint8_t *bytes = mt_token_bytes(v, token, &length);
        status = mt_add_all_pairs(v, bytes, length, token);
    }
    return status;
}

/* Whether a token is what its own bytes merge to. */
static inline bool mt_is_made(const mt_vocabulary *v, uint32_t token) {
    uint32_t symbols[MT_SHORT_PIECE];
    size_t length;
    const uint8_t *bytes = mt_token_bytes(v, token, &length);
    return length > 0 && length <= MT_SHORT_PIECE &&
           mt_merge_short(v, symbols, mt_first_symbols(v, bytes, length, symbols)) == 1 && symbols[0] == token;
}

/* Find the tokens that no piece is, for vocabularies in which only merges make tokens. To be called when all pairs are
 * indexed. What is too long for a quick answer counts as such: it is merged whenever it comes. */
static inline mt_status mt_find_unmade(mt_vocabulary *v) {
    v->unmade = calloc(mt_unmade_words(v->token_count), sizeof *v->unmade);
    if (v->unmade == NULL) {
        return MT_NO_MEMORY;
    }
    v->owns_unmade = true;
    for (uint32_t token = 0; token < v->token_count; token++) {
        if (!mt_is_made(v, token)) {
            v->unmade[token >> 6] |= (uint64_t)1 << (token & 63);
        }
    }
    return MT_OK;
}

static inline mt_status mt_add_implied_pairs(mt_vocabulary *v) {
    mt_scratch scratch = {NULL, 0};
    uint32_t *symbols = malloc((v->longest + 1) * sizeof *symbols);
    mt_status status = symbols == NULL ? MT_NO_MEMORY : mt_reserve_pairs(v, v->token_count);
    for (uint32_t token = 0; token < v->token_count && status == MT_OK; token++) {
        size_t length;
        const uint8_t *bytes = mt_token_bytes(v, token, &length);
        if (length < 2) {
            continue;
        }
        for (size_t i = 0; i < length; i++) {
            symbols[i] = v->byte_symbols[bytes[i]];
        }
        size_t count = length;
        if (length <= MT_SHORT_PIECE) {
            count = mt_merge_short(v, symbols, length);
        } else {
            status = mt_merge_long(v, &scratch, symbols, length, &count);
        }
        if (status == MT_OK) {
            status = count == 2 ? mt_add_pair(v, symbols[0], symbols[1], token)
                                : mt_add_all_pairs(v, bytes, length, token);
        }
    }
    mt_scratch_free(&scratch);
    free(symbols);
    return status;
}

#endif
