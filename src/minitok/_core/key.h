/* Short pieces as numbers: a piece of up to 15 bytes is its own key.
 *
 * 16 bytes are loaded at once, those that do not belong to the piece masked away, and its length put in the last. */
#ifndef MINITOK_KEY_H
#define MINITOK_KEY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MT_KEY_BYTES 15

typedef struct {
    uint64_t low;
    uint64_t high; /* the topmost byte: its length */
} mt_piece_key;

/* The length of the piece of a key. */
static inline size_t mt_key_length(mt_piece_key key) {
    return (size_t)(key.high ? key.high >> 56 : key.low);
}

/* The key of a piece; 16 bytes can be read there. That of a longer one is its length; it is never in the table. */
static inline mt_piece_key mt_load_key(const uint8_t *piece, size_t length) {
    static const uint64_t low_masks[16] = {
        0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF,
        UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
    };
    static const uint64_t high_masks[16] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0,
        0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF,
    };
    mt_piece_key key;
    if (length > MT_KEY_BYTES) {
        return (mt_piece_key){length, 0};
    }
    memcpy(&key.low, piece, 8);
    memcpy(&key.high, piece + 8, 8);
    key.low &= low_masks[length];
    key.high = (key.high & high_masks[length]) | (uint64_t)length << 56;
    return key;
}

/* The same where nothing may be read behind the piece: from its beginning and from its end, which may overlap. */
static inline mt_piece_key mt_load_key_exactly(const uint8_t *piece, size_t length) {
    uint64_t low = 0, high = 0;
    if (length > MT_KEY_BYTES) {
        return (mt_piece_key){length, 0};
    }
    if (length >= 8) {
        memcpy(&low, piece, 8);
        memcpy(&high, piece + length - 8, 8);
        high = length == 8 ? 0 : high >> 8 * (16 - length);
    } else if (length >= 4) {
        uint32_t beginning, end;
        memcpy(&beginning, piece, 4);
        memcpy(&end, piece + length - 4, 4);
        low = beginning | (uint64_t)end << 8 * (length - 4);
    } else if (length > 0) {
        size_t middle = length / 2, last = length - 1;
        low = piece[0] | (uint64_t)piece[middle] << 8 * middle | (uint64_t)piece[last] << 8 * last;
    }
    return (mt_piece_key){low, high | (uint64_t)length << 56};
}

/* Every bit of the key reaches the lower half of the result: a product's bits know only of those below them, so the
 * upper half is folded onto the lower one before the last multiplication. */
static inline size_t mt_key_hash(mt_piece_key key) {
    uint64_t hash = key.low ^ key.high * 0x9E3779B97F4A7C15u;
    hash = (hash ^ hash >> 32) * 0xD6E8FEB86659FD93u;
    return (size_t)(hash >> 32);
}

#endif
