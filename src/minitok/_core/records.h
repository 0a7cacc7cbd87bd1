/* Counted pieces as bytes: what piece_records.py describes. A record is the length of a piece and its count, as
 * varints, and the piece; a block is any number of whole records. Whatever a block holds, nothing behind it is read. */
#ifndef MINITOK_RECORDS_H
#define MINITOK_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "status.h"

/* The largest count: those of training are signed 64-bit numbers. */
#define MT_MOST_COUNT ((uint64_t)INT64_MAX)
/* A block of a stream ends with the record that brings it to this size. */
#define MT_RECORD_BLOCK ((size_t)1 << 20)

typedef struct {
    const uint8_t *piece;
    size_t length;
    uint64_t count;
} mt_record;

/* Blocks that are read one record at a time. */
typedef struct {
    const uint8_t *data;
    size_t size;
    size_t at;
} mt_record_reader;

static inline size_t mt_varint_size(uint64_t number) {
    size_t size = 1;
    while (number >= 0x80) {
        number >>= 7;
        size++;
    }
    return size;
}

static inline uint8_t *mt_varint_write(uint8_t *out, uint64_t number) {
    while (number >= 0x80) {
        *out++ = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    *out++ = (uint8_t)number;
    return out;
}

static inline size_t mt_record_size(size_t length, uint64_t count) {
    return mt_varint_size(length) + mt_varint_size(count) + length;
}

/* Write a record where there is room for it; its end. */
static inline uint8_t *mt_record_write(uint8_t *out, const uint8_t *piece, size_t length, uint64_t count) {
    out = mt_varint_write(out, length);
    out = mt_varint_write(out, count);
    memcpy(out, piece, length);
    return out + length;
}

/* A number below 2**63; false if there is none. */
static inline bool mt_varint_read(mt_record_reader *r, uint64_t *number) {
    *number = 0;
    for (int shift = 0; shift <= 56 && r->at < r->size; shift += 7) {
        uint8_t byte = r->data[r->at++];
        *number |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

/* The next record; MT_DAMAGED if there is none. The reader is not at its end. */
static inline mt_status mt_record_read(mt_record_reader *r, mt_record *record) {
    uint64_t length;
    if (!mt_varint_read(r, &length) || !mt_varint_read(r, &record->count) || length > r->size - r->at) {
        return MT_DAMAGED;
    }
    record->piece = r->data + r->at;
    record->length = (size_t)length;
    r->at += record->length;
    return MT_OK;
}

/* What a block holds. */
typedef struct {
    size_t records;
    uint64_t low, high; /* the sum of their counts: low + high * 2**32 */
    const uint8_t *last; /* the last piece */
    size_t last_length;
} mt_record_sum;

/* Read a whole block, and make sure that its pieces ascend from that of `sum` on. MT_DAMAGED, MT_UNSORTED. */
static inline mt_status mt_records_measure(const uint8_t *block, size_t size, mt_record_sum *sum) {
    mt_record_reader reader = {block, size, 0};
    while (reader.at < size) {
        mt_record record;
        mt_status status = mt_record_read(&reader, &record);
        if (status != MT_OK) {
            return status;
        }
        if (sum->last != NULL) {
            size_t shared = sum->last_length < record.length ? sum->last_length : record.length;
            int difference = memcmp(sum->last, record.piece, shared);
            if (difference > 0 || (difference == 0 && sum->last_length >= record.length)) {
                return MT_UNSORTED;
            }
        }
        sum->records++;
        sum->low += record.count & UINT32_MAX;
        sum->high += record.count >> 32;
        sum->last = record.piece;
        sum->last_length = record.length;
    }
    return MT_OK;
}

/* Add to a count. */
static inline mt_status mt_count_add(uint64_t *count, uint64_t more) {
    if (*count > MT_MOST_COUNT || more > MT_MOST_COUNT - *count) {
        return MT_TOO_MANY;
    }
    *count += more;
    return MT_OK;
}

#endif
