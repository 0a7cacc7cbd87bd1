/* Encoding: a text, piece by piece, to ids.
 *
 * A workspace belongs to one call at a time. It holds a cache of what short pieces became: a direct-mapped table, so
 * that it is bounded and needs no bookkeeping; a piece that collides with another takes its place. It never changes
 * a result, because an entry holds the whole piece. */
#ifndef MINITOK_ENCODER_H
#define MINITOK_ENCODER_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ids.h"
#include "merge.h"
#include "pattern.h"
#include "scanner.h"
#include "status.h"
#include "vocabulary.h"

#define MT_CACHE_SLOTS (1u << 15)
#define MT_CACHED_BYTES 15
#define MT_CACHED_IDS 3

typedef struct {
    uint64_t key[2];             /* the piece, zeros, and its length in the last byte; 0 in an empty slot */
    uint32_t ids[MT_CACHED_IDS];
    uint32_t count;
} mt_cache_entry;

typedef struct {
    mt_cache_entry *cache;
    mt_scratch scratch;
    mt_ids ids;
} mt_workspace;

static inline mt_status mt_workspace_init(mt_workspace *w) {
    memset(w, 0, sizeof *w);
    w->cache = calloc(MT_CACHE_SLOTS, sizeof *w->cache);
    return w->cache == NULL ? MT_NO_MEMORY : MT_OK;
}

static inline void mt_workspace_free(mt_workspace *w) {
    free(w->cache);
    mt_scratch_free(&w->scratch);
    mt_ids_free(&w->ids);
    memset(w, 0, sizeof *w);
}

/* Append the ids of a piece by merges alone. */
static inline mt_status mt_append_merged(const mt_vocabulary *v, mt_workspace *w, const uint8_t *piece, size_t length) {
    mt_status status = mt_ids_reserve(&w->ids, length);
    if (status != MT_OK) {
        return status;
    }
    uint32_t *out = w->ids.data + w->ids.length;
    size_t count = length;
    if (length <= MT_SHORT_PIECE) {
        count = mt_merge_short(v, piece, length, out);
    } else {
        status = mt_merge_long(v, &w->scratch, piece, length, out, &count);
    }
    if (status != MT_OK) {
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        if (out[i] >= v->first_stand_in) {
            out[0] = out[i] - v->first_stand_in; /* the byte, for the message */
            return MT_MISSING_BYTE;
        }
    }
    w->ids.length += count;
    return MT_OK;
}

/* Append the ids of a piece. */
static inline mt_status mt_append_piece(const mt_vocabulary *v, mt_workspace *w, const uint8_t *piece, size_t length) {
    if (v->whole_piece) {
        uint32_t id = mt_token_id(v, piece, length);
        if (id != MT_NO_ID) {
            mt_status status = mt_ids_reserve(&w->ids, 1);
            if (status == MT_OK) {
                w->ids.data[w->ids.length++] = id;
            }
            return status;
        }
    }
    return mt_append_merged(v, w, piece, length);
}

static inline mt_status mt_append_cached(const mt_vocabulary *v, mt_workspace *w, const uint8_t *piece, size_t length) {
    if (length > MT_CACHED_BYTES) {
        return mt_append_piece(v, w, piece, length);
    }
    uint8_t key_bytes[16] = {0};
    memcpy(key_bytes, piece, length);
    key_bytes[15] = (uint8_t)length;
    uint64_t key[2];
    memcpy(key, key_bytes, sizeof key);
    mt_cache_entry *entry = &w->cache[mt_mix(key[0] ^ mt_mix(key[1])) & (MT_CACHE_SLOTS - 1)];
    if (entry->key[0] != key[0] || entry->key[1] != key[1]) {
        size_t before = w->ids.length;
        mt_status status = mt_append_piece(v, w, piece, length);
        size_t count = w->ids.length - before;
        if (status == MT_OK && count <= MT_CACHED_IDS) {
            memcpy(entry->key, key, sizeof key);
            memcpy(entry->ids, w->ids.data + before, count * sizeof *entry->ids);
            entry->count = (uint32_t)count;
        }
        return status;
    }
    mt_status status = mt_ids_reserve(&w->ids, MT_CACHED_IDS);
    if (status == MT_OK) {
        memcpy(w->ids.data + w->ids.length, entry->ids, sizeof entry->ids);
        w->ids.length += entry->count;
    }
    return status;
}

/* Append the ids of a text from *at on, until its end or until there are more than `limit` ids; *at tells where
 * encoding goes on. `p` NULL: the text is one piece. */
static inline mt_status mt_encode(
    const mt_vocabulary *v, const mt_pattern *p, mt_workspace *w, const uint8_t *text, size_t *at, size_t end, size_t limit
) {
    while (*at < end && w->ids.length <= limit) {
        size_t piece_end = p == NULL ? end : mt_piece_end(p, text, *at, end);
        mt_status status = mt_append_cached(v, w, text + *at, piece_end - *at);
        if (status != MT_OK) {
            return status;
        }
        *at = piece_end;
    }
    return MT_OK;
}

#endif
