/* Decoding: ids to the bytes of their tokens.
 *
 * Two walks over the ids, which are numbers by then: the first finds how many bytes there will be, and an id that
 * nothing has; the second copies, 16 bytes at once where there is room for them. */
#ifndef MINITOK_DECODER_H
#define MINITOK_DECODER_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"

#define MT_COPIED_AT_ONCE 16

typedef struct {
    size_t count;      /* the largest id, and one */
    uint32_t *offsets; /* where each id's bytes begin and the next one's; alike where no token has the id */
    uint8_t *bytes;    /* with MT_COPIED_AT_ONCE more behind the last */
} mt_decoder;

static inline void mt_decoder_free(mt_decoder *d) {
    free(d->offsets);
    free(d->bytes);
    memset(d, 0, sizeof *d);
}

/* Room for tokens, which the caller sets in the order of ids. */
static inline mt_status mt_decoder_init(mt_decoder *d, size_t ids, size_t bytes) {
    if (bytes > UINT32_MAX) {
        return MT_TOO_MANY_TOKENS;
    }
    d->count = ids;
    d->offsets = calloc(ids + 1, sizeof *d->offsets);
    d->bytes = calloc(bytes + MT_COPIED_AT_ONCE, 1);
    return d->offsets == NULL || d->bytes == NULL ? MT_NO_MEMORY : MT_OK;
}

/* Set the bytes of the next id, which begin at `at`; none: no token has it. Returns where they end. */
static inline size_t mt_decoder_set(mt_decoder *d, size_t id, const uint8_t *token, size_t length, size_t at) {
    d->offsets[id] = (uint32_t)at;
    if (length > 0) {
        memcpy(d->bytes + at, token, length);
    }
    d->offsets[id + 1] = (uint32_t)(at + length);
    return at + length;
}

/* How many bytes the ids stand for, in *total. Returns the place of the first id that no token has, else `count`. */
static inline size_t mt_decoded_length(const mt_decoder *d, const uint32_t *ids, size_t count, size_t *total) {
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (ids[i] >= d->count) {
            return i;
        }
        uint32_t length = d->offsets[ids[i] + 1] - d->offsets[ids[i]];
        if (length == 0) {
            return i;
        }
        sum += length;
    }
    *total = sum;
    return count;
}

/* Write the bytes of the ids, `total` in all, to `out`. */
static inline void mt_decode_into(const mt_decoder *d, const uint32_t *ids, size_t count, uint8_t *out, size_t total) {
    const uint8_t *end = out + total;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *token = d->bytes + d->offsets[ids[i]];
        size_t length = d->offsets[ids[i] + 1] - d->offsets[ids[i]];
        if (length <= MT_COPIED_AT_ONCE && end - out >= MT_COPIED_AT_ONCE) {
            memcpy(out, token, MT_COPIED_AT_ONCE);
        } else {
            memcpy(out, token, length);
        }
        out += length;
    }
}

#endif
