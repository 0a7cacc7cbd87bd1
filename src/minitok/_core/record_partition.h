/* Records shared out among partitions: each goes to the one whose number is the CRC-32 of its piece, modulo how many
 * there are. The checksum is that of zlib and of PNG (reflected polynomial 0xEDB88320), so that every machine, backend
 * and version of Python shares out alike; it is made four bits at a time, with a table that fits in a cache line. */
#ifndef MINITOK_RECORD_PARTITION_H
#define MINITOK_RECORD_PARTITION_H

#include <stddef.h>
#include <stdint.h>

#include "records.h"
#include "status.h"

static inline uint32_t mt_crc32(const uint8_t *data, size_t size) {
    static const uint32_t of_four_bits[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
        0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    };
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        crc = crc >> 4 ^ of_four_bits[crc & 15];
        crc = crc >> 4 ^ of_four_bits[crc & 15];
    }
    return ~crc;
}

/* How many bytes of a block each of `parts` partitions gets; `sizes` are 0 before. */
static inline mt_status mt_measure_partitions(const uint8_t *block, size_t size, size_t parts, size_t *sizes) {
    mt_record_reader reader = {block, size, 0};
    while (reader.at < size) {
        mt_record record;
        mt_status status = mt_record_read(&reader, &record);
        if (status != MT_OK) {
            return status;
        }
        sizes[mt_crc32(record.piece, record.length) % parts] += mt_record_size(record.length, record.count);
    }
    return MT_OK;
}

/* Write each record of a block that was measured where `ends` points for its partition, and go on there. */
static inline void mt_write_partitions(const uint8_t *block, size_t size, size_t parts, uint8_t **ends) {
    mt_record_reader reader = {block, size, 0};
    mt_record record;
    while (reader.at < size && mt_record_read(&reader, &record) == MT_OK) {
        uint8_t **end = &ends[mt_crc32(record.piece, record.length) % parts];
        *end = mt_record_write(*end, record.piece, record.length, record.count);
    }
}

#endif
