/* What short pieces became: a bounded table from the piece to its ids.
 *
 * An entry holds the whole key of the piece, so that it can never change a result, and up to four ids; how many
 * there are stands beside the length, and is 0 in an empty entry. Two entries share a bucket, which is a line of
 * the processor's cache: the newer one comes first, the older one makes way. Longer pieces, and those of more ids, have a
 * second, simpler table.
 *
 * The table begins as small as a short text needs. It grows only where that pays: when it has filled, and most of
 * the pieces that were asked for were there. */
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
#define MT_MOST_BUCKETS ((size_t)1 << 18)   /* 16 MiB */
#define MT_CACHED_IDS 4

typedef struct {
    uint64_t low;
    uint64_t high; /* the topmost byte: count of ids << 4 | length of the piece */
    uint32_t ids[MT_CACHED_IDS];
} mt_cache_entry;

#define MT_LONG_BYTES 32
#define MT_LONG_IDS 7
#define MT_LONG_SLOTS ((size_t)1 << 14) /* 1 MiB */

/* What does not fit into an entry: a longer piece, or more ids. */
typedef struct {
    uint8_t bytes[MT_LONG_BYTES];
    uint32_t ids[MT_LONG_IDS];
    uint8_t length; /* 0 in an empty entry */
    uint8_t count;
} mt_long_entry;

typedef struct {
    mt_cache_entry entries[2];
} mt_cache_bucket;

typedef struct {
    mt_cache_bucket *buckets;
    size_t mask;
    size_t asked; /* pieces, and those that were not there, since the table has its size */
    size_t missed;
    mt_long_entry *long_entries; /* NULL until there is one */
} mt_cache;

static inline mt_cache_bucket *mt_cache_bucket_of(const mt_cache *cache, mt_piece_key key) {
    return &cache->buckets[mt_key_hash(key) & cache->mask];
}

static inline bool mt_cache_entry_is_not(const mt_cache_entry *entry, mt_piece_key key) {
    return ((entry->low ^ key.low) | (entry->high ^ key.high) << 4) != 0;
}

/* The entry of a piece; NULL if it is not there. */
static inline const mt_cache_entry *mt_cache_find(const mt_cache_bucket *bucket, mt_piece_key key) {
    /* Arithmetic, not branches: which of the two it is cannot be foretold. */
    size_t way = mt_cache_entry_is_not(&bucket->entries[0], key);
    size_t missing = way & (size_t)mt_cache_entry_is_not(&bucket->entries[1], key);
    return missing ? NULL : &bucket->entries[way];
}

static inline size_t mt_cache_entry_count(const mt_cache_entry *entry) {
    return entry->high >> 60;
}

static inline mt_status mt_cache_allocate(mt_cache *cache, size_t buckets) {
    mt_cache_bucket *fresh = mt_table_allocate(buckets * sizeof *fresh);
    if (fresh == NULL) {
        return MT_NO_MEMORY;
    }
    cache->buckets = fresh;
    cache->mask = buckets - 1;
    return MT_OK;
}

static inline void mt_cache_free(mt_cache *cache) {
    mt_table_free(cache->buckets, (cache->mask + 1) * sizeof *cache->buckets);
    mt_table_free(cache->long_entries, MT_LONG_SLOTS * sizeof *cache->long_entries);
    cache->buckets = NULL;
    cache->long_entries = NULL;
}

/* Four times as large. Without memory for that it stays as it is. */
static inline void mt_cache_grow(mt_cache *cache) {
    mt_cache old = *cache;
    if (mt_cache_allocate(cache, 4 * (old.mask + 1)) != MT_OK) {
        return;
    }
    for (size_t i = 0; i <= old.mask; i++) {
        for (int way = 0; way < 2; way++) {
            const mt_cache_entry *entry = &old.buckets[i].entries[way];
            if (mt_cache_entry_count(entry)) {
                mt_piece_key key = {entry->low, entry->high & (UINT64_MAX >> 4)};
                mt_cache_bucket *bucket = mt_cache_bucket_of(cache, key);
                bucket->entries[mt_cache_entry_count(&bucket->entries[0]) ? 1 : 0] = *entry;
            }
        }
    }
    old.long_entries = NULL; /* they stay */
    mt_cache_free(&old);
}

/* Remember 1 to MT_CACHED_IDS ids of a piece that was not there. */
static inline void mt_cache_put(mt_cache *cache, mt_piece_key key, const uint32_t *ids, size_t count) {
    if (++cache->missed > cache->mask) {
        if (cache->mask < MT_MOST_BUCKETS - 1 && cache->asked > 4 * cache->missed) {
            mt_cache_grow(cache);
        }
        cache->asked = cache->missed = 0;
    }
    mt_cache_bucket *bucket = mt_cache_bucket_of(cache, key);
    bucket->entries[1] = bucket->entries[0];
    bucket->entries[0].low = key.low;
    bucket->entries[0].high = key.high | (uint64_t)count << 60;
    memcpy(bucket->entries[0].ids, ids, count * sizeof *ids);
}

/* The entry that has or would have a piece of up to MT_LONG_BYTES; NULL if there is no table and no memory for it. */
static inline mt_long_entry *mt_long_entry_of(mt_cache *cache, const uint8_t *piece, size_t length) {
    if (cache->long_entries == NULL) {
        cache->long_entries = mt_table_allocate(MT_LONG_SLOTS * sizeof *cache->long_entries);
        if (cache->long_entries == NULL) {
            return NULL;
        }
    }
    return &cache->long_entries[mt_hash_bytes(piece, length) >> 32 & (MT_LONG_SLOTS - 1)];
}

static inline bool mt_long_entry_is(const mt_long_entry *entry, const uint8_t *piece, size_t length) {
    return entry->length == length && memcmp(entry->bytes, piece, length) == 0;
}

static inline void mt_long_put(
    mt_long_entry *entry, const uint8_t *piece, size_t length, const uint32_t *ids, size_t count
) {
    memcpy(entry->bytes, piece, length);
    memcpy(entry->ids, ids, count * sizeof *ids);
    entry->length = (uint8_t)length;
    entry->count = (uint8_t)count;
}

#endif
