/* Records shared out among partitions: each goes to the one whose number is the CRC-32 of its piece, modulo how many
 * there are. The checksum is that of zlib and of PNG (reflected polynomial 0xEDB88320), so that every machine, backend
 * and version of Python shares out alike; it is made a byte at a time (Sarwate, "Computation of cyclic redundancy checks
 * via table look-up", 1988). A block is gone through twice, to measure the parts and to write them; checksums are made the
 * first time only, and kept. */
#ifndef MINITOK_RECORD_PARTITION_H
#define MINITOK_RECORD_PARTITION_H

#include <stddef.h>
#include <stdint.h>

#include "records.h"
#include "status.h"

/* What each byte does to a checksum. */
typedef struct {
    uint32_t of_byte[256];
} mt_crc32_table;

static inline void mt_crc32_table_fill(mt_crc32_table *table) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (0xEDB88320 & (0 - (crc & 1)));
        }
        table->of_byte[byte] = crc;
    }
}

static inline uint32_t mt_crc32(const mt_crc32_table *table, const uint8_t *data, size_t size) {
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < size; i++) {
        crc = crc >> 8 ^ table->of_byte[(crc ^ data[i]) & 0xFF];
    }
    return ~crc;
}

/* A block has at most so many records: each has two bytes before its piece. */
static inline size_t mt_most_records(size_t size) {
    return size / 2;
}

/* How many bytes of a block each of `parts` partitions gets, and to which each record goes; `sizes` are 0 before, and
 * there is room for `mt_most_records` in `of_record`. */
static inline mt_status mt_measure_partitions(
    const uint8_t *block, size_t size, size_t parts, size_t *sizes, size_t *of_record
) {
    mt_crc32_table table;
    mt_record_reader reader = {block, size, 0};
    mt_crc32_table_fill(&table);
    while (reader.at < size) {
        mt_record record;
        mt_status status = mt_record_read(&reader, &record);
        if (status != MT_OK) {
            return status;
        }
        *of_record = mt_crc32(&table, record.piece, record.length) % parts;
        sizes[*of_record++] += mt_record_size(record.length, record.count);
    }
    return MT_OK;
}

/* Write each record of a block that was measured where `ends` points for its partition, and go on there. */
static inline void mt_write_partitions(const uint8_t *block, size_t size, const size_t *of_record, uint8_t **ends) {
    mt_record_reader reader = {block, size, 0};
    mt_record record;
    while (reader.at < size && mt_record_read(&reader, &record) == MT_OK) {
        uint8_t **end = &ends[*of_record++];
        *end = mt_record_write(*end, record.piece, record.length, record.count);
    }
}

#endif
