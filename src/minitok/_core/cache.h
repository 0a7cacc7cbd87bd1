/* What pieces became: bounded tables from the piece to its ids.
 *
 * An entry holds the whole piece, so that it can never change a result. Those of up to 15 bytes and four ids are
 * found by their key; how many ids there are stands beside the length, and is 0 in an empty entry. Two entries share
 * a bucket, which is a line of the processor's cache. A piece belongs to the bucket of its hash, or to that bucket's
 * neighbour when it is full. Longer pieces, and those of more ids, have a second, simpler table.
 *
 * Both tables begin as small as a short text needs. All the memory that they may ever have is theirs from the start,
 * but the system gives it only when it is written to; so they double in place: what is in bucket i of n stays there
 * or goes to i + n, as one more bit of its hash says. They double when half as many pieces were missed as they have
 * entries, but only where that pays: when most of the pieces that were asked for were there. */
#ifndef MINITOK_CACHE_H
#define MINITOK_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "hash.h"
#include "key.h"
#include "memory.h"
#include "status.h"

#define MT_FEWEST_BUCKETS ((size_t)1 << 10) /* 64 KiB */
#define MT_MOST_BUCKETS ((size_t)1 << 17)   /* 8 MiB */
#define MT_CACHED_IDS 4

typedef struct {
    uint64_t low;
    uint64_t high; /* the topmost byte: count of ids << 4 | length of the piece */
    uint32_t ids[MT_CACHED_IDS];
} mt_cache_entry;

typedef struct {
    mt_cache_entry entries[2];
} mt_cache_bucket;

#define MT_LONG_BYTES 32
#define MT_LONG_IDS 23
#define MT_FEWEST_LONG ((size_t)1 << 9) /* 64 KiB */
#define MT_MOST_LONG ((size_t)1 << 16)  /* 8 MiB */

/* What does not fit into an entry: a longer piece, or more ids. */
typedef struct {
    uint8_t bytes[MT_LONG_BYTES];
    uint32_t ids[MT_LONG_IDS];
    uint8_t length; /* 0 in an empty entry */
    uint8_t count;
} mt_long_entry;

/* When a table is to double. */
typedef struct {
    size_t asked; /* pieces, and those that were not there, since the question last arose */
    size_t missed;
} mt_cache_use;

typedef struct {
    mt_cache_bucket *buckets;
    size_t mask;
    mt_cache_use use;
    mt_long_entry *long_entries; /* NULL until there is one */
    size_t long_mask;
    mt_cache_use long_use;
} mt_cache;

static inline mt_status mt_cache_init(mt_cache *cache) {
    memset(cache, 0, sizeof *cache);
    cache->buckets = mt_table_allocate(MT_MOST_BUCKETS * sizeof *cache->buckets, MT_SPARSE);
    cache->mask = MT_FEWEST_BUCKETS - 1;
    cache->long_mask = MT_FEWEST_LONG - 1;
    return cache->buckets == NULL ? MT_NO_MEMORY : MT_OK;
}

static inline void mt_cache_free(mt_cache *cache) {
    mt_table_free(cache->buckets);
    mt_table_free(cache->long_entries);
    cache->buckets = NULL;
    cache->long_entries = NULL;
}

/* Count one more entry; whether the table of `size` entries, less than `most`, is to double. It pays if more than one
 * piece in `worthwhile` was there. */
static inline bool mt_cache_pays(mt_cache_use *use, size_t size, size_t most, size_t worthwhile) {
    if (++use->missed < size / 2) {
        return false;
    }
    bool pays = size < most && use->asked > use->missed && (use->asked - use->missed) * worthwhile > use->asked;
    use->asked = use->missed = 0;
    return pays;
}

static inline size_t mt_cache_entry_count(const mt_cache_entry *entry) {
    return entry->high >> 60;
}

static inline mt_cache_bucket *mt_cache_bucket_of(const mt_cache *cache, mt_piece_key key) {
    return &cache->buckets[mt_key_hash(key) & cache->mask];
}

/* The bucket that takes what does not fit into this one. */
static inline mt_cache_bucket *mt_cache_neighbour(const mt_cache *cache, const mt_cache_bucket *bucket) {
    return &cache->buckets[(size_t)(bucket - cache->buckets) ^ 1];
}

/* 0 if an entry is that of a piece, else 1. By arithmetic, not by a comparison, so that no compiler makes a branch of
 * it: in which of two entries a piece is cannot be foretold. */
static inline size_t mt_cache_entry_is_not(const mt_cache_entry *entry, mt_piece_key key) {
    uint64_t difference = (entry->low ^ key.low) | (entry->high ^ key.high) << 4;
    return (size_t)((difference | (0 - difference)) >> 63);
}

/* The entry of a piece in one bucket; NULL if it is not there. */
static inline const mt_cache_entry *mt_cache_find_in(const mt_cache_bucket *bucket, mt_piece_key key) {
    size_t not_first = mt_cache_entry_is_not(&bucket->entries[0], key);
    size_t missing = not_first & mt_cache_entry_is_not(&bucket->entries[1], key);
    return missing ? NULL : &bucket->entries[not_first];
}

/* The entry of a piece, whose bucket this is; NULL if there is none. */
static inline const mt_cache_entry *mt_cache_find(
    const mt_cache *cache, const mt_cache_bucket *bucket, mt_piece_key key
) {
    const mt_cache_entry *entry = mt_cache_find_in(bucket, key);
    return entry != NULL ? entry : mt_cache_find_in(mt_cache_neighbour(cache, bucket), key);
}

static inline void mt_cache_double(mt_cache *cache) {
    size_t buckets = cache->mask + 1;
    cache->mask = 2 * buckets - 1;
    for (size_t i = 0; i < buckets; i++) {
        for (int way = 0; way < 2; way++) {
            mt_cache_entry *entry = &cache->buckets[i].entries[way];
            mt_piece_key key = {entry->low, entry->high & (UINT64_MAX >> 4)};
            if (mt_cache_entry_count(entry) && (mt_key_hash(key) & buckets)) {
                cache->buckets[i + buckets].entries[way] = *entry;
                memset(entry, 0, sizeof *entry);
            }
        }
    }
}

/* Remember 1 to MT_CACHED_IDS ids of a piece that is not there. */
static inline void mt_cache_put(mt_cache *cache, mt_piece_key key, const uint32_t *ids, size_t count) {
    if (mt_cache_pays(&cache->use, 2 * (cache->mask + 1), 2 * MT_MOST_BUCKETS, 2)) {
        mt_cache_double(cache);
    }
    mt_cache_bucket *bucket = mt_cache_bucket_of(cache, key);
    mt_cache_bucket *neighbour = mt_cache_neighbour(cache, bucket);
    mt_cache_entry *places[4] = {
        &bucket->entries[0], &bucket->entries[1], &neighbour->entries[0], &neighbour->entries[1],
    };
    size_t place = 0;
    while (place < 4 && mt_cache_entry_count(places[place])) {
        place++;
    }
    if (place == 4) {
        /* The older one makes way. */
        bucket->entries[1] = bucket->entries[0];
        place = 0;
    }
    places[place]->low = key.low;
    places[place]->high = key.high | (uint64_t)count << 60;
    memcpy(places[place]->ids, ids, count * sizeof *ids);
}

static inline size_t mt_long_hash(const uint8_t *piece, size_t length) {
    return (size_t)(mt_hash_bytes(piece, length) >> 32);
}

static inline void mt_long_double(mt_cache *cache) {
    size_t slots = cache->long_mask + 1;
    cache->long_mask = 2 * slots - 1;
    for (size_t i = 0; i < slots; i++) {
        mt_long_entry *entry = &cache->long_entries[i];
        if (entry->length && (mt_long_hash(entry->bytes, entry->length) & slots)) {
            cache->long_entries[i + slots] = *entry;
            entry->length = 0;
        }
    }
}

/* The ids of a piece of up to MT_LONG_BYTES in the second table; NULL if it is not there. */
static inline const mt_long_entry *mt_long_find(mt_cache *cache, const uint8_t *piece, size_t length) {
    if (cache->long_entries == NULL) {
        return NULL;
    }
    const mt_long_entry *entry = &cache->long_entries[mt_long_hash(piece, length) & cache->long_mask];
    if (entry->length != length || memcmp(entry->bytes, piece, length) != 0) {
        return NULL;
    }
    cache->long_use.asked++;
    return entry;
}

/* Remember up to MT_LONG_IDS ids of a piece that is not there; forget it if there is no memory for the table. */
static inline void mt_long_put(
    mt_cache *cache, const uint8_t *piece, size_t length, const uint32_t *ids, size_t count
) {
    if (cache->long_entries == NULL) {
        cache->long_entries = mt_table_allocate(MT_MOST_LONG * sizeof *cache->long_entries, MT_SPARSE);
        if (cache->long_entries == NULL) {
            return;
        }
    }
    cache->long_use.asked++;
    if (mt_cache_pays(&cache->long_use, cache->long_mask + 1, MT_MOST_LONG, 8)) {
        mt_long_double(cache);
    }
    mt_long_entry *entry = &cache->long_entries[mt_long_hash(piece, length) & cache->long_mask];
    memcpy(entry->bytes, piece, length);
    memcpy(entry->ids, ids, count * sizeof *ids);
    entry->length = (uint8_t)length;
    entry->count = (uint8_t)count;
}

#endif
