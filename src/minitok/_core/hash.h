/* Hashes for the open-addressed tables. Deterministic: nothing depends on a seed. */
#ifndef MINITOK_HASH_H
#define MINITOK_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Finalizer of splitmix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit. */
static inline uint64_t mt_mix(uint64_t x) {
    x ^= x >> 30;
    x *= 0xBF58476D1CE4E5B9u;
    x ^= x >> 27;
    x *= 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

static inline uint64_t mt_hash_bytes(const uint8_t *bytes, size_t length) {
    uint64_t hash = length * 0x9E3779B97F4A7C15u;
    while (length >= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        hash = mt_mix(hash ^ word);
        bytes += 8;
        length -= 8;
    }
    uint64_t word = 0;
    memcpy(&word, bytes, length);
    return mt_mix(hash ^ word);
}

/* The number of slots for a table of `entries` that is at most half full: a power of two. */
static inline size_t mt_slots_for(size_t entries) {
    size_t slots = 16;
    while (slots < 2 * entries) {
        slots *= 2;
    }
    return slots;
}

#endif
