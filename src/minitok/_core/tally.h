/* How many ids pieces have: what is remembered of them where ids are only counted.
 *
 * As in the table of ids (cache.h) an entry holds the whole piece, as its key, with the count beside the length; and
 * the table begins small, grows in place, and forgets. But without ids four entries share a bucket, a line of the
 * processor's cache, so that the same memory knows twice as many pieces, and a full bucket needs no neighbour. All four
 * are looked at without a branch: in which of them a piece is cannot be foretold. */
#ifndef MINITOK_TALLY_H
#define MINITOK_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache.h"
#include "key.h"
#include "memory.h"
#include "status.h"

#define MT_TALLY_WAYS 4
#define MT_FEWEST_TALLIES ((size_t)1 << 10) /* 64 KiB */
#define MT_MOST_TALLIES ((size_t)1 << 17)   /* 8 MiB */
#define MT_TALLIED_IDS 15

typedef struct {
    uint64_t low[MT_TALLY_WAYS];
    uint64_t high[MT_TALLY_WAYS]; /* the topmost byte: count of ids << 4 | length of the piece; 0 in an empty entry */
} mt_tally_bucket;

typedef struct {
    mt_tally_bucket *buckets; /* NULL until ids are counted */
    size_t mask;
    mt_cache_use use;
} mt_tally;

/* Make the table ready, if it is not. */
static inline mt_status mt_tally_begin(mt_tally *tally) {
    if (tally->buckets == NULL) {
        tally->buckets = mt_table_allocate(MT_MOST_TALLIES * sizeof *tally->buckets, MT_SPARSE);
        tally->mask = MT_FEWEST_TALLIES - 1;
    }
    return tally->buckets == NULL ? MT_NO_MEMORY : MT_OK;
}

static inline void mt_tally_free(mt_tally *tally) {
    mt_table_free(tally->buckets);
    tally->buckets = NULL;
}

/* How many ids a piece has, whose bucket this is; 0 if it is not there. */
static inline size_t mt_tally_find(const mt_tally_bucket *bucket, mt_piece_key key) {
    uint64_t found = key.high; /* no count in it */
    for (int way = 0; way < MT_TALLY_WAYS; way++) {
        uint64_t high = bucket->high[way];
        uint64_t difference = (bucket->low[way] ^ key.low) | (high ^ key.high) << 4;
        found = difference ? found : high;
    }
    return (size_t)(found >> 60);
}

static inline void mt_tally_double(mt_tally *tally) {
    size_t buckets = tally->mask + 1;
    tally->mask = 2 * buckets - 1;
    for (size_t i = 0; i < buckets; i++) {
        mt_tally_bucket *from = &tally->buckets[i], *to = &tally->buckets[i + buckets];
        for (int way = 0; way < MT_TALLY_WAYS; way++) {
            mt_piece_key key = {from->low[way], from->high[way] & (UINT64_MAX >> 4)};
            if (from->high[way] && (mt_key_hash(key) & buckets)) {
                to->low[way] = from->low[way];
                to->high[way] = from->high[way];
                from->low[way] = from->high[way] = 0;
            }
        }
    }
}

/* Remember the count of a piece that is not there, 1 to MT_TALLIED_IDS. */
static inline void mt_tally_put(mt_tally *tally, mt_piece_key key, size_t count) {
    if (mt_cache_pays(
            &tally->use, MT_TALLY_WAYS * (tally->mask + 1), MT_TALLY_WAYS * MT_MOST_TALLIES, 2
        )) {
        mt_tally_double(tally);
    }
    mt_tally_bucket *bucket = &tally->buckets[mt_key_hash(key) & tally->mask];
    int way = 0;
    while (way < MT_TALLY_WAYS && bucket->high[way]) {
        way++;
    }
    if (way == MT_TALLY_WAYS) {
        /* The oldest one makes way. */
        for (way = MT_TALLY_WAYS - 1; way > 0; way--) {
            bucket->low[way] = bucket->low[way - 1];
            bucket->high[way] = bucket->high[way - 1];
        }
    }
    bucket->low[way] = key.low;
    bucket->high[way] = key.high | (uint64_t)count << 60;
}

#endif
