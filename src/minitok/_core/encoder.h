/* Encoding: a text, piece by piece, to ids.
 *
 * A workspace belongs to one call at a time: the cache of short pieces, and the ids. Most pieces are in the cache;
 * the next ones are tokens; the rest is merged. */
#ifndef MINITOK_ENCODER_H
#define MINITOK_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "borders.h"
#include "cache.h"
#include "ids.h"
#include "long_piece.h"
#include "merge.h"
#include "pattern.h"
#include "splitter.h"
#include "status.h"
#include "vocabulary.h"

typedef struct {
    mt_cache cache;
    mt_scratch heap, blocks;
    mt_ids ids;
    uint8_t *text; /* a stretch of UTF-8 */
    size_t text_size;
    size_t counted; /* ids that were only counted */
} mt_workspace;

/* All that encoding needs and never changes. */
typedef struct {
    mt_vocabulary vocabulary;
    mt_borders borders;
    const mt_pattern *pattern;
    mt_block_classifier classify;
} mt_encoder;

static inline void mt_encoder_free(mt_encoder *e) {
    mt_vocabulary_free(&e->vocabulary);
    mt_borders_free(&e->borders);
}

static inline mt_status mt_workspace_init(mt_workspace *w) {
    memset(w, 0, sizeof *w);
    return mt_cache_init(&w->cache);
}

static inline void mt_workspace_free(mt_workspace *w) {
    mt_cache_free(&w->cache);
    free(w->text);
    mt_scratch_free(&w->heap);
    mt_scratch_free(&w->blocks);
    mt_ids_free(&w->ids);
    memset(w, 0, sizeof *w);
}

/* Turn symbols into ids from a place on where a byte's stand-in is: the ids of such bytes, or of what is unknown. */
static mt_status mt_emit_from(const mt_vocabulary *v, uint32_t *out, size_t at, size_t *count) {
    size_t kept = at;
    for (size_t i = at; i < *count; i++) {
        if (out[i] < v->token_count) {
            out[kept++] = v->ids[out[i]];
            continue;
        }
        uint8_t byte = (uint8_t)(out[i] - v->token_count);
        if (v->has_byte_ids) {
            out[kept++] = v->byte_ids[byte];
        } else if (!v->has_unknown) {
            out[0] = byte; /* for the message */
            return MT_MISSING_BYTE;
        } else if (!v->characters || !mt_is_continuation(byte)) {
            out[kept++] = v->unknown_id;
        }
    }
    *count = kept;
    return MT_OK;
}

/* Append the ids of bytes that merge among themselves only, whatever borders there are in them. */
static mt_status mt_append_stretch(const mt_encoder *e, mt_workspace *w, const uint8_t *piece, size_t length) {
    const mt_vocabulary *v = &e->vocabulary;
    mt_status status = mt_ids_reserve(&w->ids, length);
    if (status != MT_OK) {
        return status;
    }
    uint32_t *out = w->ids.data + w->ids.length;
    size_t count;
    if (length <= MT_SHORT_PIECE) {
        count = mt_merge_short(v, out, mt_first_symbols(v, piece, length, out));
    } else {
        status = mt_merge_long_piece(v, &w->heap, &w->blocks, piece, length, out, &count);
        if (status != MT_OK) {
            return status;
        }
    }
    bool same = v->token_count > 0 && mt_ids_are_symbols(v);
    for (size_t i = 0; i < count; i++) {
        if (out[i] >= v->token_count) {
            status = mt_emit_from(v, out, i, &count);
            break;
        }
        out[i] = same ? out[i] : v->ids[out[i]];
    }
    w->ids.length += status == MT_OK ? count : 0;
    return status;
}

/* The code point of the character of three bytes at text[at]; 0 if there is none. */
static inline uint32_t mt_wide_at(const uint8_t *text, size_t at, size_t end) {
    return end - at >= 3 && mt_is_wide(text, at, end) ? mt_decode_wide(text + at) : 0;
}

/* Append the ids of a piece with characters of three bytes: between borders that nothing crosses, one by one. */
static mt_status mt_append_wide(const mt_encoder *e, mt_workspace *w, const uint8_t *piece, size_t length) {
    mt_status status = mt_ids_reserve(&w->ids, length + 3);
    size_t start = 0; /* of what has no ids yet */
    uint32_t next = mt_wide_at(piece, 0, length);
    for (size_t at = 0; at < length && status == MT_OK;) {
        uint32_t c = next;
        at += c ? 3 : 1;
        next = mt_wide_at(piece, at, length);
        if (at < length && (!c || !next || mt_may_be_crossed(&e->borders, c, next))) {
            continue;
        }
        const mt_wide *alone = &e->borders.wide[c ? c - MT_FIRST_WIDE : 0];
        if (c && at - start == 3 && alone->count) {
            memcpy(w->ids.data + w->ids.length, alone->ids, sizeof alone->ids);
            w->ids.length += alone->count;
        } else {
            status = mt_append_stretch(e, w, piece + start, at - start);
            if (status == MT_OK) {
                status = mt_ids_reserve(&w->ids, length - at + 3);
            }
        }
        start = at;
    }
    return status;
}

/* Whether a piece begins with characters of three bytes, perhaps behind U+0020. */
static inline bool mt_has_wide(const uint8_t *piece, size_t length) {
    return length > 3 && (mt_is_wide_lead(piece[0]) || mt_is_wide_lead(piece[1]));
}

/* Append the ids of a piece by merges alone. */
static inline mt_status mt_append_merged(const mt_encoder *e, mt_workspace *w, const uint8_t *piece, size_t length) {
    /* Where only spaces cut, what is long hardly has them: it is Chinese and the like, whatever it begins with. */
    if (mt_has_wide(piece, length) || (e->vocabulary.characters && length > MT_LONG_BYTES)) {
        return mt_append_wide(e, w, piece, length);
    }
    return mt_append_stretch(e, w, piece, length);
}

/* Append the ids of a piece, whose key this is; nothing is remembered. */
static inline mt_status mt_append_keyed(
    const mt_encoder *e, mt_workspace *w, const uint8_t *piece, size_t length, mt_piece_key key
) {
    const mt_vocabulary *v = &e->vocabulary;
    if (mt_may_be_token(v, piece, length)) {
        const mt_word *word = length <= MT_KEY_BYTES ? mt_find_word(v, key) : NULL;
        uint32_t symbol = length > MT_KEY_BYTES ? mt_find_token(v, piece, length)
                          : word != NULL        ? word->symbol
                                                : MT_NO_SYMBOL;
        if (symbol != MT_NO_SYMBOL && mt_is_taken_whole(v, symbol)) {
            mt_status status = mt_ids_reserve(&w->ids, 1);
            if (status == MT_OK) {
                w->ids.data[w->ids.length++] = word != NULL ? word->id : v->ids[symbol];
            }
            return status;
        }
    }
    return mt_append_merged(e, w, piece, length);
}

/* Append the ids of a piece. */
static inline mt_status mt_append_piece(const mt_encoder *e, mt_workspace *w, const uint8_t *piece, size_t length) {
    return mt_append_keyed(e, w, piece, length, mt_load_key_exactly(piece, length));
}

/* Append the ids of a piece that the table of short ones does not have; the second table remembers them. */
static mt_status mt_append_uncached(
    const mt_encoder *e, mt_workspace *w, const uint8_t *piece, size_t length, mt_piece_key key
) {
    bool remembered = length <= MT_LONG_BYTES && !mt_has_wide(piece, length);
    const mt_long_entry *entry = remembered ? mt_long_find(&w->cache, piece, length) : NULL;
    if (entry != NULL) {
        mt_status status = mt_ids_reserve(&w->ids, MT_LONG_IDS);
        if (status == MT_OK) {
            memcpy(w->ids.data + w->ids.length, entry->ids, entry->count * sizeof *entry->ids);
            w->ids.length += entry->count;
        }
        return status;
    }
    size_t before = w->ids.length;
    mt_status status = mt_append_keyed(e, w, piece, length, key);
    size_t count = w->ids.length - before;
    if (status == MT_OK && remembered && count <= MT_LONG_IDS && (length > MT_KEY_BYTES || count > MT_CACHED_IDS)) {
        mt_long_put(&w->cache, piece, length, w->ids.data + before, count);
    }
    return status;
}

/* Append the ids of a piece that was cut elsewhere, and behind which nothing can be read. */
static inline mt_status mt_append_any(const mt_encoder *e, mt_workspace *w, const uint8_t *piece, size_t length) {
    mt_piece_key key = mt_load_key_exactly(piece, length);
    const mt_cache_entry *entry = mt_cache_find(&w->cache, mt_cache_bucket_of(&w->cache, key), key);
    size_t before = w->ids.length;
    w->cache.use.asked++;
    if (entry == NULL) {
        mt_status status = mt_append_uncached(e, w, piece, length, key);
        size_t count = w->ids.length - before;
        if (status == MT_OK && length <= MT_KEY_BYTES && count <= MT_CACHED_IDS) {
            mt_cache_put(&w->cache, key, w->ids.data + before, count);
        }
        return status;
    }
    size_t count = mt_cache_entry_count(entry);
    mt_status status = mt_ids_reserve(&w->ids, count);
    if (status == MT_OK) {
        memcpy(w->ids.data + before, entry->ids, count * sizeof *entry->ids);
        w->ids.length += count;
    }
    return status;
}

/* Pieces on their way through the cache, a batch at a time: first all keys are made and their buckets asked for, then
 * they are looked up, so that the memory answers to many at once. While the cache is not as large as it may become,
 * many pieces are not there but are tokens: these are asked for too. */
#define MT_BATCH 256

typedef struct {
    mt_piece_key key;
    const mt_cache_bucket *bucket;
    const uint8_t *piece;
} mt_waiting;

typedef struct {
    size_t count;
    mt_waiting pieces[MT_BATCH];
} mt_batch;

static inline void mt_batch_add(
    const mt_vocabulary *v, mt_batch *batch, const mt_cache *cache, const mt_piece_run *run
) {
    bool growing = cache->mask + 1 < MT_MOST_BUCKETS;
    mt_waiting *waiting = &batch->pieces[batch->count];
    size_t at = 0;
    for (uint64_t starts = run->starts & (run->starts - 1);; starts &= starts - 1) {
        size_t end = starts ? (size_t)mt_lowest_bit(starts) : run->length;
        waiting->piece = run->text + at;
        waiting->key = run->padded ? mt_load_key(waiting->piece, end - at)
                                   : mt_load_key_exactly(waiting->piece, end - at);
        waiting->bucket = mt_cache_bucket_of(cache, waiting->key);
        mt_prefetch(waiting->bucket);
        if (growing) {
            mt_prefetch_word(v, waiting->key);
        }
        waiting++;
        at = end;
        if (!starts) {
            break;
        }
    }
    batch->count = (size_t)(waiting - batch->pieces);
}

/* Append the ids of a piece that is not in the cache, and put them there. */
static mt_status mt_append_missing(const mt_encoder *e, mt_workspace *w, const mt_waiting *waiting) {
    size_t before = w->ids.length, length = mt_key_length(waiting->key);
    mt_status status = mt_append_uncached(e, w, waiting->piece, length, waiting->key);
    size_t count = w->ids.length - before;
    if (status == MT_OK && length <= MT_KEY_BYTES && count <= MT_CACHED_IDS) {
        mt_cache_put(&w->cache, waiting->key, w->ids.data + before, count);
    }
    return status;
}

/* Append the ids of all pieces of a batch, which is empty afterwards; or add to `counted` how many they are. */
MT_INLINE mt_status mt_append_batch(const mt_encoder *e, mt_workspace *w, mt_batch *batch, bool only_count) {
    mt_status status = mt_ids_reserve(&w->ids, MT_BATCH * MT_CACHED_IDS);
    if (status != MT_OK) {
        return status;
    }
    uint32_t *out = w->ids.data + w->ids.length;
    size_t counted = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const mt_waiting *waiting = &batch->pieces[i];
        const mt_cache_entry *entry = mt_cache_find_in(waiting->bucket, waiting->key);
        if (entry == NULL) {
            entry = mt_cache_find_in(mt_cache_neighbour(&w->cache, waiting->bucket), waiting->key);
        }
        if (entry != NULL) {
            size_t count = mt_cache_entry_count(entry);
            if (only_count) {
                counted += count;
            } else {
                memcpy(out, entry->ids, sizeof entry->ids);
                out += count;
            }
            continue;
        }
        size_t mask = w->cache.mask;
        w->ids.length = (size_t)(out - w->ids.data);
        status = mt_append_missing(e, w, waiting);
        if (only_count && status == MT_OK) {
            counted += w->ids.length;
            w->ids.length = 0;
        }
        if (status == MT_OK) {
            status = mt_ids_reserve(&w->ids, (batch->count - i) * MT_CACHED_IDS);
        }
        if (status != MT_OK) {
            return status;
        }
        out = w->ids.data + w->ids.length;
        if (w->cache.mask != mask) {
            /* The table has doubled: entries may be elsewhere. */
            for (size_t j = i + 1; j < batch->count; j++) {
                batch->pieces[j].bucket = mt_cache_bucket_of(&w->cache, batch->pieces[j].key);
            }
        }
    }
    w->ids.length = (size_t)(out - w->ids.data);
    w->counted += counted;
    w->cache.use.asked += batch->count;
    batch->count = 0;
    return MT_OK;
}

/* From this length on it pays to guess how many ids there will be. */
#define MT_LONG_TEXT ((size_t)1 << 16)

MT_INLINE mt_status mt_encode_or_count(
    const mt_encoder *e, mt_workspace *w, const uint8_t *text, size_t length, size_t limit, bool only_count
) {
    mt_splitter splitter;
    mt_piece_run run;
    mt_batch batch;
    batch.count = 0;
    mt_splitter_init(&splitter, e->pattern, e->classify, text, length);
    size_t before = w->ids.length, done = 0;
    for (bool more = true; more && w->counted + w->ids.length <= limit;) {
        while (batch.count <= MT_BATCH - MT_BLOCK && (more = mt_split_next(&splitter, &run))) {
            mt_batch_add(&e->vocabulary, &batch, &w->cache, &run);
            done += run.length;
        }
        mt_status status = mt_append_batch(e, w, &batch, only_count);
        if (status != MT_OK) {
            return status;
        }
        if (!only_count && length > MT_LONG_TEXT) {
            mt_ids_expect(&w->ids, before, done, length - done);
        }
    }
    return MT_OK;
}

/* Append the ids of a text, or add to `counted` how many there are. Stops at any time after there are more than
 * `limit`. */
static mt_status mt_encode(
    const mt_encoder *e, mt_workspace *w, const uint8_t *text, size_t length, size_t limit, bool only_count
) {
    return only_count ? mt_encode_or_count(e, w, text, length, limit, true)
                      : mt_encode_or_count(e, w, text, length, limit, false);
}

#endif
