/* The tables of a vocabulary: token bytes to symbol, pairs of symbols to the merge that they make.
 *
 * A symbol is a token's place in the order of ids, so that symbols are dense where ids need not be, and in a rank
 * file a token's rank is its symbol. Behind the tokens come 256 stand-ins: symbols of the bytes that have no token of
 * their own. They may merge, and are never emitted.
 *
 * Invariants, once built:
 *   1. `token_slots`, `word_slots` and `pair_slots` are open-addressed, at most half full, with linear probing;
 *      nothing is ever removed.
 *   2. A pair's slot is one number, left << 43 | right << 22 | rank: symbols have 21 bits, ranks 22.
 *      Where `order` is not NULL, ranks are numbers of merges alone, and their order is that of `order[rank]`, in which
 *      several may be equal.
 *   3. Nothing changes any more: any number of threads may read. */
#ifndef MINITOK_VOCABULARY_H
#define MINITOK_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "hash.h"
#include "key.h"
#include "memory.h"
#include "status.h"

#define MT_LARGEST_ID (UINT32_MAX - 1024) /* MAX_ID of vocabulary.py */
#define MT_NO_SYMBOL UINT32_MAX
#define MT_NO_RANK UINT32_MAX
#define MT_SYMBOL_BITS 21
#define MT_RANK_BITS 22
#define MT_MOST_SYMBOLS ((size_t)1 << MT_SYMBOL_BITS)
#define MT_MOST_RANKS ((size_t)1 << MT_RANK_BITS)
#define MT_FILTER_BITS 20
#define MT_FILTER_WORDS ((size_t)1 << (MT_FILTER_BITS - 6))
#define MT_BEGINNING_BITS 15
#define MT_BEGINNINGS ((size_t)1 << MT_BEGINNING_BITS)
#define MT_BYTE_PAIRS ((size_t)65536)
#define MT_EMPTY_PAIR UINT64_MAX
#define MT_TOKEN_PADDING 16 /* bytes behind those of the last token, so that 16 can be read at any */

typedef struct {
    uint32_t print;  /* 32 bits of the hash that do not choose the slot */
    uint32_t symbol; /* MT_NO_SYMBOL in an empty slot */
} mt_token_slot;

/* A token of up to 15 bytes, to be found by its key with one look at memory. */
typedef struct {
    mt_piece_key key; /* 0 and 0 in an empty slot */
    uint32_t id;
    uint32_t symbol;
} mt_word;

/* What may happen to two bytes that stand side by side; see merge.h. */
typedef struct {
    uint32_t rank;         /* of their merge */
    uint32_t sure_rank;    /* the same, if all merges of what it makes have higher ranks; else MT_NO_RANK */
    uint32_t least_before; /* the lowest rank of merges of the right byte with anything that ends with the left one */
    uint32_t least_behind; /* the lowest rank of merges of the left byte with anything that begins with the right one */
} mt_byte_pair;

typedef struct {
    size_t token_count;
    uint32_t *ids;      /* of each symbol that is a token; rising */
    uint32_t *offsets;  /* where each token begins in `bytes`, and where the last one ends */
    uint8_t *bytes;
    size_t longest;     /* bytes of the longest token */

    mt_word *word_slots;        /* tokens of up to MT_KEY_BYTES */
    size_t word_mask;
    mt_token_slot *token_slots; /* longer ones */
    size_t token_mask;
    size_t indexed;             /* distinct tokens that were found on the way */

    uint16_t *beginnings; /* by a hash of the first three bytes: which lengths, as bits, tokens have that begin so */

    uint64_t *pair_slots;
    size_t pair_mask;
    size_t pair_count;
    uint64_t *pair_filter; /* a bit for each hash of MT_FILTER_BITS: most pairs are no merge, which this says */
    uint32_t *made;     /* the symbol that the merge of each rank makes; NULL: the rank is the symbol */
    size_t made_count;
    uint32_t *order;    /* which merge comes first, by rank, with equals; NULL: the ranks themselves say it */

    uint32_t byte_symbols[256];
    mt_byte_pair *byte_pairs; /* by left << 8 | right */
    uint64_t *unmade;   /* a bit for each token that its own bytes do not merge to; NULL: pieces that are tokens are
                           taken whole in any case */
    bool owns_unmade;   /* whatever else is borrowed */
    bool characters;    /* pieces begin as characters; one that is no token begins as the stand-ins of its bytes */
    bool has_byte_ids;  /* stand-ins are emitted, as these ids; */
    uint32_t byte_ids[256];
    bool has_unknown;   /* or as this one, for a character's first byte, and for each where pieces begin as bytes */
    uint32_t unknown_id;
    bool borrowed;      /* the arrays are another's */
} mt_vocabulary;

static inline void mt_vocabulary_free(mt_vocabulary *v) {
    if (v->owns_unmade) {
        free(v->unmade);
    }
    if (v->borrowed) {
        memset(v, 0, sizeof *v);
        return;
    }
    free(v->ids);
    free(v->offsets);
    free(v->bytes);
    mt_table_free(v->token_slots);
    mt_table_free(v->word_slots);
    mt_table_free(v->pair_slots);
    free(v->made);
    free(v->order);
    mt_table_free(v->byte_pairs);
    free(v->pair_filter);
    free(v->beginnings);
    memset(v, 0, sizeof *v);
}

/* Room for tokens, which the caller then fills in: `ids` rising, `offsets` from 0, `bytes`. */
static inline mt_status mt_vocabulary_init(mt_vocabulary *v, size_t tokens, size_t bytes) {
    if (tokens + 256 >= MT_MOST_SYMBOLS || bytes > UINT32_MAX - MT_TOKEN_PADDING) {
        return MT_TOO_MANY_TOKENS;
    }
    v->token_count = tokens;
    v->ids = calloc(tokens + 1, sizeof *v->ids);
    v->offsets = calloc(tokens + 1, sizeof *v->offsets);
    v->bytes = calloc(bytes + MT_TOKEN_PADDING, 1);
    v->beginnings = calloc(MT_BEGINNINGS, sizeof *v->beginnings);
    return v->ids == NULL || v->offsets == NULL || v->bytes == NULL || v->beginnings == NULL ? MT_NO_MEMORY : MT_OK;
}

static inline const uint8_t *mt_token_bytes(const mt_vocabulary *v, uint32_t symbol, size_t *length) {
    *length = v->offsets[symbol + 1] - v->offsets[symbol];
    return v->bytes + v->offsets[symbol];
}

/* The token that has this key; NULL if there is none. */
static inline const mt_word *mt_find_word(const mt_vocabulary *v, mt_piece_key key) {
    for (size_t slot = mt_key_hash(key) & v->word_mask;; slot = (slot + 1) & v->word_mask) {
        const mt_word *word = &v->word_slots[slot];
        if (((word->key.low ^ key.low) | (word->key.high ^ key.high)) == 0) {
            return word;
        }
        if (word->key.high == 0) {
            return NULL;
        }
    }
}

static inline void mt_prefetch_word(const mt_vocabulary *v, mt_piece_key key) {
    mt_prefetch(&v->word_slots[mt_key_hash(key) & v->word_mask]);
}

/* The symbol of the token that these bytes are; MT_NO_SYMBOL if they are none. */
static inline uint32_t mt_find_token(const mt_vocabulary *v, const uint8_t *bytes, size_t length) {
    if (length > v->longest) {
        return MT_NO_SYMBOL;
    }
    if (length <= MT_KEY_BYTES) {
        const mt_word *word = mt_find_word(v, mt_load_key_exactly(bytes, length));
        return word == NULL ? MT_NO_SYMBOL : word->symbol;
    }
    uint64_t hash = mt_hash_bytes(bytes, length);
    uint32_t print = (uint32_t)(hash >> 32);
    for (size_t slot = hash & v->token_mask;; slot = (slot + 1) & v->token_mask) {
        mt_token_slot found = v->token_slots[slot];
        if (found.symbol == MT_NO_SYMBOL) {
            return MT_NO_SYMBOL;
        }
        if (found.print == print) {
            size_t token_length;
            const uint8_t *token = mt_token_bytes(v, found.symbol, &token_length);
            if (token_length == length && memcmp(token, bytes, length) == 0) {
                return found.symbol;
            }
        }
    }
}

/* Whether ids are the numbers 0, 1, 2, ... as symbols are; there is a token. */
static inline bool mt_ids_are_symbols(const mt_vocabulary *v) {
    return v->ids[v->token_count - 1] == v->token_count - 1;
}

/* The symbol of an id; MT_NO_SYMBOL if no token has it. */
static inline uint32_t mt_symbol_of_id(const mt_vocabulary *v, uint64_t id) {
    size_t low = 0, high = v->token_count;
    if (high > 0 && id >= v->ids[0] && id - v->ids[0] < high && v->ids[id - v->ids[0]] == id) {
        return (uint32_t)(id - v->ids[0]); /* there is no gap before it */
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (v->ids[middle] < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < v->token_count && v->ids[low] == id ? (uint32_t)low : MT_NO_SYMBOL;
}

static inline uint64_t mt_pair(uint32_t left, uint32_t right) {
    return (uint64_t)left << MT_SYMBOL_BITS | right;
}

static inline uint64_t mt_pair_hash(uint64_t pair) {
    return pair * 0x9E3779B97F4A7C15u;
}

static inline uint64_t mt_filter_bit(uint64_t hash) {
    return hash >> (64 - MT_FILTER_BITS);
}

static inline size_t mt_merge_slot(const mt_vocabulary *v, uint64_t hash) {
    return (size_t)(hash >> 32) & v->pair_mask;
}

/* The rank of the merge of a pair of symbols; MT_NO_RANK if there is none. */
static inline uint32_t mt_pair_rank(const mt_vocabulary *v, uint32_t left, uint32_t right) {
    uint64_t pair = mt_pair(left, right);
    uint64_t hash = mt_pair_hash(pair);
    uint64_t bit = mt_filter_bit(hash);
    if (!(v->pair_filter[bit >> 6] >> (bit & 63) & 1)) {
        return MT_NO_RANK;
    }
    for (size_t slot = mt_merge_slot(v, hash);; slot = (slot + 1) & v->pair_mask) {
        uint64_t found = v->pair_slots[slot];
        if (found >> MT_RANK_BITS == pair) {
            return (uint32_t)(found & (MT_MOST_RANKS - 1));
        }
        if (found == MT_EMPTY_PAIR) {
            return MT_NO_RANK;
        }
    }
}

/* The bytes of a symbol: of a token, or of a byte's stand-in. */
static inline const uint8_t *mt_symbol_bytes(const mt_vocabulary *v, uint32_t symbol, uint8_t *byte, size_t *length) {
    if (symbol < v->token_count) {
        return mt_token_bytes(v, symbol, length);
    }
    *byte = (uint8_t)(symbol - v->token_count);
    *length = 1;
    return byte;
}

/* The bytes of the left, or right, symbol of a slot that is not empty; `byte` has room for a stand-in's. */
static inline const uint8_t *mt_left_bytes(const mt_vocabulary *v, uint64_t slot, uint8_t *byte, size_t *length) {
    return mt_symbol_bytes(v, (uint32_t)(slot >> (MT_RANK_BITS + MT_SYMBOL_BITS)), byte, length);
}

static inline const uint8_t *mt_right_bytes(const mt_vocabulary *v, uint64_t slot, uint8_t *byte, size_t *length) {
    return mt_symbol_bytes(v, (uint32_t)(slot >> MT_RANK_BITS) & (MT_MOST_SYMBOLS - 1), byte, length);
}

static inline mt_byte_pair *mt_byte_pair_of(const mt_vocabulary *v, const uint8_t *bytes) {
    return &v->byte_pairs[(size_t)bytes[0] << 8 | bytes[1]];
}

/* Where the merge of a rank stands in the order of merges. */
static inline uint32_t mt_order_of(const mt_vocabulary *v, uint32_t rank) {
    return rank == MT_NO_RANK ? MT_NO_RANK : v->order[rank];
}

/* The symbol that the merge of a rank makes. */
static inline uint32_t mt_made_by(const mt_vocabulary *v, uint32_t rank) {
    return v->made == NULL ? rank : v->made[rank];
}

/* The words of 64 bits that `unmade` has. */
static inline size_t mt_unmade_words(size_t token_count) {
    return token_count / 64 + 1;
}

/* Whether a piece that is this token is taken whole: by the rule of the vocabulary, or because it comes to the same. */
static inline bool mt_is_taken_whole(const mt_vocabulary *v, uint32_t symbol) {
    return v->unmade == NULL || !(v->unmade[symbol >> 6] >> (symbol & 63) & 1);
}

static inline uint16_t *mt_beginning(const mt_vocabulary *v, const uint8_t *bytes) {
    uint32_t first = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16;
    return &v->beginnings[first * 0x9E3779B1u >> (32 - MT_BEGINNING_BITS)];
}

static inline uint16_t mt_length_bit(size_t length) {
    return (uint16_t)(1u << (length < 15 ? length : 15));
}

/* Whether a piece may be a token; a small table that is certain only of what is none. */
static inline bool mt_may_be_token(const mt_vocabulary *v, const uint8_t *bytes, size_t length) {
    return length < 3 || (length <= v->longest && (*mt_beginning(v, bytes) & mt_length_bit(length)));
}

/* Put one token where it will be found. */
static inline void mt_index_token(mt_vocabulary *v, uint32_t symbol) {
    size_t length;
    const uint8_t *bytes = mt_token_bytes(v, symbol, &length);
    if (length >= 3) {
        *mt_beginning(v, bytes) |= mt_length_bit(length);
    }
    v->longest = length > v->longest ? length : v->longest;
    if (length <= MT_KEY_BYTES) {
        mt_piece_key key = mt_load_key(bytes, length);
        size_t slot = mt_key_hash(key) & v->word_mask;
        while (v->word_slots[slot].key.high != 0) {
            if (((v->word_slots[slot].key.low ^ key.low) | (v->word_slots[slot].key.high ^ key.high)) == 0) {
                return;
            }
            slot = (slot + 1) & v->word_mask;
        }
        v->word_slots[slot] = (mt_word){key, v->ids[symbol], symbol};
    } else {
        if (mt_find_token(v, bytes, length) != MT_NO_SYMBOL) {
            return;
        }
        uint64_t hash = mt_hash_bytes(bytes, length);
        size_t slot = hash & v->token_mask;
        while (v->token_slots[slot].symbol != MT_NO_SYMBOL) {
            slot = (slot + 1) & v->token_mask;
        }
        v->token_slots[slot] = (mt_token_slot){(uint32_t)(hash >> 32), symbol};
    }
    v->indexed++;
}

/* Index the tokens, and give bytes without a token their stand-ins. Of two alike the first is found. */
static inline mt_status mt_index_tokens(mt_vocabulary *v) {
    size_t words = 0;
    for (size_t symbol = 0; symbol < v->token_count; symbol++) {
        words += v->offsets[symbol + 1] - v->offsets[symbol] <= MT_KEY_BYTES;
    }
    size_t word_slots = mt_slots_for(words), token_slots = mt_slots_for(v->token_count - words);
    v->word_mask = word_slots - 1;
    v->token_mask = token_slots - 1;
    v->word_slots = mt_table_allocate(word_slots * sizeof *v->word_slots, MT_FILLED);
    v->token_slots = mt_table_allocate(token_slots * sizeof *v->token_slots, MT_FILLED);
    if (v->word_slots == NULL || v->token_slots == NULL) {
        return MT_NO_MEMORY;
    }
    memset(v->token_slots, 0xFF, token_slots * sizeof *v->token_slots);
    for (size_t symbol = 0; symbol < v->token_count; symbol++) {
        mt_index_token(v, (uint32_t)symbol);
    }
    for (int b = 0; b < 256; b++) {
        uint8_t byte = (uint8_t)b;
        uint32_t symbol = mt_find_token(v, &byte, 1);
        v->byte_symbols[b] = symbol == MT_NO_SYMBOL ? (uint32_t)v->token_count + (uint32_t)b : symbol;
    }
    return MT_OK;
}

/* What tells of pairs that they are no merge, still empty. */
static inline mt_status mt_init_pairs(mt_vocabulary *v) {
    v->byte_pairs = mt_table_allocate(MT_BYTE_PAIRS * sizeof *v->byte_pairs, MT_FILLED);
    v->pair_filter = calloc(MT_FILTER_WORDS, sizeof *v->pair_filter);
    if (v->byte_pairs == NULL || v->pair_filter == NULL) {
        return MT_NO_MEMORY;
    }
    memset(v->byte_pairs, 0xFF, MT_BYTE_PAIRS * sizeof *v->byte_pairs);
    return MT_OK;
}

/* Room for `count` pairs in all. */
static inline mt_status mt_reserve_pairs(mt_vocabulary *v, size_t count) {
    mt_status status = v->pair_slots == NULL ? mt_init_pairs(v) : MT_OK;
    if (status != MT_OK) {
        return status;
    }
    size_t slots = mt_slots_for(count);
    uint64_t *old = v->pair_slots;
    size_t old_slots = old == NULL ? 0 : v->pair_mask + 1;
    if (slots <= old_slots) {
        return MT_OK;
    }
    uint64_t *fresh = mt_table_allocate(slots * sizeof *fresh, MT_FILLED);
    if (fresh == NULL) {
        return MT_NO_MEMORY;
    }
    memset(fresh, 0xFF, slots * sizeof *fresh);
    v->pair_slots = fresh;
    v->pair_mask = slots - 1;
    for (size_t i = 0; i < old_slots; i++) {
        if (old[i] != MT_EMPTY_PAIR) {
            size_t slot = mt_merge_slot(v, mt_pair_hash(old[i] >> MT_RANK_BITS));
            while (fresh[slot] != MT_EMPTY_PAIR) {
                slot = (slot + 1) & v->pair_mask;
            }
            fresh[slot] = old[i];
        }
    }
    mt_table_free(old);
    return MT_OK;
}

/* Add a merge; of two for one pair the first applies. */
static inline mt_status mt_add_pair(mt_vocabulary *v, uint32_t left, uint32_t right, uint32_t rank) {
    if (2 * (v->pair_count + 1) > v->pair_mask + 1) {
        mt_status status = mt_reserve_pairs(v, 2 * (v->pair_count + 1));
        if (status != MT_OK) {
            return status;
        }
    }
    uint64_t pair = mt_pair(left, right);
    uint64_t hash = mt_pair_hash(pair);
    uint64_t bit = mt_filter_bit(hash);
    v->pair_filter[bit >> 6] |= (uint64_t)1 << (bit & 63);
    size_t slot = mt_merge_slot(v, hash);
    for (; v->pair_slots[slot] != MT_EMPTY_PAIR; slot = (slot + 1) & v->pair_mask) {
        if (v->pair_slots[slot] >> MT_RANK_BITS == pair) {
            return MT_OK;
        }
    }
    v->pair_slots[slot] = pair << MT_RANK_BITS | rank;
    v->pair_count++;
    return MT_OK;
}

/* The symbols of all merges, by rank: the left one of a merge and behind it the right one. `symbols` has room for two
 * for each of `made_count`; all have a pair of their own. */
static inline void mt_list_pairs(const mt_vocabulary *v, uint32_t *symbols) {
    for (size_t slot = 0; slot <= v->pair_mask; slot++) {
        uint64_t found = v->pair_slots[slot];
        if (found != MT_EMPTY_PAIR) {
            uint32_t *pair = symbols + 2 * (found & (MT_MOST_RANKS - 1));
            pair[0] = (uint32_t)(found >> (MT_RANK_BITS + MT_SYMBOL_BITS));
            pair[1] = (uint32_t)(found >> MT_RANK_BITS) & (MT_MOST_SYMBOLS - 1);
        }
    }
}

/* The symbol of a token or of a byte; MT_NO_SYMBOL if these bytes are neither. */
static inline uint32_t mt_find_symbol(const mt_vocabulary *v, const uint8_t *bytes, size_t length) {
    return length == 1 ? v->byte_symbols[bytes[0]] : mt_find_token(v, bytes, length);
}

static inline void mt_lower(uint32_t *least, uint32_t rank) {
    *least = rank < *least ? rank : *least;
}

/* To be called when all pairs are there. Where several merges may be equals, none is sure. */
static inline void mt_index_byte_pairs(mt_vocabulary *v) {
    if (v->order != NULL) {
        return;
    }
    for (size_t pair = 0; pair < MT_BYTE_PAIRS; pair++) {
        mt_byte_pair *p = &v->byte_pairs[pair];
        p->rank = p->sure_rank = mt_pair_rank(v, v->byte_symbols[pair >> 8], v->byte_symbols[pair & 0xFF]);
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
        mt_byte_pair *border = &v->byte_pairs[(size_t)left[left_length - 1] << 8 | right[0]];
        if (right_length == 1) {
            mt_lower(&border->least_before, rank);
        }
        if (left_length == 1) {
            mt_lower(&border->least_behind, rank);
        }
        if (left_length == 2 && rank <= mt_byte_pair_of(v, left)->sure_rank) {
            mt_byte_pair_of(v, left)->sure_rank = MT_NO_RANK;
        }
        if (right_length == 2 && rank <= mt_byte_pair_of(v, right)->sure_rank) {
            mt_byte_pair_of(v, right)->sure_rank = MT_NO_RANK;
        }
    }
}

#endif
