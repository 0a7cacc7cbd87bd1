/* Encoding: a text, piece by piece, to ids; or to how many there are.
 *
 * A workspace belongs to one call at a time: the cache of short pieces, what is known of them where ids are only
 * counted, and the ids. Most pieces are in the cache; the next ones are tokens; the rest is merged. */
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
#include "tally.h"
#include "vocabulary.h"

typedef struct {
    mt_cache cache;
    mt_tally tally;
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
    mt_tally_free(&w->tally);
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

/* Pieces on their way through a table, a batch at a time: first all keys are made and their buckets asked for, then
 * they are looked up, so that the memory answers to many at once. While a table is not as large as it may become,
 * many pieces are not there but are tokens: these are asked for too. */
#define MT_BATCH 256

typedef struct {
    mt_piece_key key;
    const void *bucket;
    const uint8_t *piece;
} mt_waiting;

typedef struct {
    size_t count;
    mt_waiting pieces[MT_BATCH];
} mt_batch;

/* The table that a batch is for: its buckets are a line of the processor's cache each. */
typedef struct {
    const uint8_t *buckets;
    size_t mask;
    bool growing;
} mt_asked_table;

static inline mt_asked_table mt_asked(const mt_workspace *w, bool only_count) {
    if (only_count) {
        return (mt_asked_table){
            (const uint8_t *)w->tally.buckets, w->tally.mask, w->tally.mask + 1 < MT_MOST_TALLIES,
        };
    }
    return (mt_asked_table){(const uint8_t *)w->cache.buckets, w->cache.mask, w->cache.mask + 1 < MT_MOST_BUCKETS};
}

static inline const void *mt_bucket_in(mt_asked_table table, mt_piece_key key) {
    return table.buckets + (mt_key_hash(key) & table.mask) * MT_LINE;
}

static inline void mt_batch_add(const mt_vocabulary *v, mt_batch *batch, mt_asked_table table, const mt_piece_run *run) {
    mt_waiting *waiting = &batch->pieces[batch->count];
    size_t at = 0;
    for (uint64_t starts = run->starts & (run->starts - 1);; starts &= starts - 1) {
        size_t end = starts ? (size_t)mt_lowest_bit(starts) : run->length;
        waiting->piece = run->text + at;
        waiting->key = run->padded ? mt_load_key(waiting->piece, end - at)
                                   : mt_load_key_exactly(waiting->piece, end - at);
        waiting->bucket = mt_bucket_in(table, waiting->key);
        mt_prefetch(waiting->bucket);
        if (table.growing) {
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

/* The table has doubled: what the pieces from a place on ask for may be elsewhere. */
static void mt_batch_ask_again(mt_batch *batch, size_t from, mt_asked_table table) {
    for (size_t i = from; i < batch->count; i++) {
        batch->pieces[i].bucket = mt_bucket_in(table, batch->pieces[i].key);
    }
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

/* Append the ids of all pieces of a batch, which is empty afterwards. */
static inline mt_status mt_append_batch(const mt_encoder *e, mt_workspace *w, mt_batch *batch) {
    mt_status status = mt_ids_reserve(&w->ids, MT_BATCH * MT_CACHED_IDS);
    if (status != MT_OK) {
        return status;
    }
    uint32_t *out = w->ids.data + w->ids.length;
    for (size_t i = 0; i < batch->count; i++) {
        const mt_waiting *waiting = &batch->pieces[i];
        const mt_cache_entry *entry = mt_cache_find(&w->cache, waiting->bucket, waiting->key);
        if (entry != NULL) {
            memcpy(out, entry->ids, sizeof entry->ids);
            out += mt_cache_entry_count(entry);
            continue;
        }
        size_t mask = w->cache.mask;
        w->ids.length = (size_t)(out - w->ids.data);
        status = mt_append_missing(e, w, waiting);
        if (status == MT_OK) {
            status = mt_ids_reserve(&w->ids, (batch->count - i) * MT_CACHED_IDS);
        }
        if (status != MT_OK) {
            return status;
        }
        out = w->ids.data + w->ids.length;
        if (w->cache.mask != mask) {
            mt_batch_ask_again(batch, i + 1, mt_asked(w, false));
        }
    }
    w->ids.length = (size_t)(out - w->ids.data);
    w->cache.use.asked += batch->count;
    batch->count = 0;
    return MT_OK;
}

/* Count the ids of a piece that is not in the table of counts, and put their number there. */
static mt_status mt_count_missing(const mt_encoder *e, mt_workspace *w, const mt_waiting *waiting) {
    size_t before = w->ids.length, length = mt_key_length(waiting->key);
    mt_status status = mt_append_uncached(e, w, waiting->piece, length, waiting->key);
    if (status != MT_OK) {
        return status;
    }
    size_t count = w->ids.length - before;
    w->ids.length = before;
    w->counted += count;
    if (length <= MT_KEY_BYTES && count > 0 && count <= MT_TALLIED_IDS) {
        mt_tally_put(&w->tally, waiting->key, count);
    }
    return MT_OK;
}

/* Add to `counted` how many ids the pieces of a batch are, which is empty afterwards. */
static inline mt_status mt_tally_batch(const mt_encoder *e, mt_workspace *w, mt_batch *batch) {
    size_t counted = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const mt_waiting *waiting = &batch->pieces[i];
        size_t count = mt_tally_find(waiting->bucket, waiting->key);
        counted += count;
        if (count > 0) {
            continue;
        }
        size_t mask = w->tally.mask;
        mt_status status = mt_count_missing(e, w, waiting);
        if (status != MT_OK) {
            return status;
        }
        if (w->tally.mask != mask) {
            mt_batch_ask_again(batch, i + 1, mt_asked(w, true));
        }
    }
    w->counted += counted;
    w->tally.use.asked += batch->count;
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
    mt_status status = only_count ? mt_tally_begin(&w->tally) : MT_OK;
    if (status != MT_OK) {
        return status;
    }
    mt_splitter_init(&splitter, e->pattern, e->classify, text, length);
    size_t before = w->ids.length, done = 0;
    for (bool more = true; more && w->counted + w->ids.length <= limit;) {
        while (batch.count <= MT_BATCH - MT_BLOCK && (more = mt_split_next(&splitter, &run))) {
            mt_batch_add(&e->vocabulary, &batch, mt_asked(w, only_count), &run);
            done += run.length;
        }
        status = only_count ? mt_tally_batch(e, w, &batch) : mt_append_batch(e, w, &batch);
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

/* Whether texts that lie one behind the other, the first from offsets[0] to offsets[1], are all inside of their data. */
static inline bool mt_offsets_fit(const int64_t *offsets, size_t count, size_t size) {
    bool fit = offsets[0] >= 0;
    for (size_t i = 0; i < count; i++) {
        fit &= offsets[i] <= offsets[i + 1];
    }
    return fit && (uint64_t)offsets[count] <= size;
}

/* Append the ids of such texts, and behind each the id `behind` unless that is NULL; `counts` gets how many these are. */
static mt_status mt_encode_joined(
    const mt_encoder *e, mt_workspace *w, const uint8_t *data, const int64_t *offsets, size_t count,
    const uint32_t *behind, int64_t *counts
) {
    for (size_t i = 0; i < count; i++) {
        size_t before = w->ids.length, size = (size_t)(offsets[i + 1] - offsets[i]);
        mt_status status = mt_encode(e, w, data + offsets[i], size, SIZE_MAX, false);
        if (status == MT_OK && behind != NULL) {
            status = mt_ids_reserve(&w->ids, 1);
        }
        if (status != MT_OK) {
            return status;
        }
        if (behind != NULL) {
            w->ids.data[w->ids.length++] = *behind;
        }
        counts[i] = (int64_t)(w->ids.length - before);
    }
    return MT_OK;
}

#endif
