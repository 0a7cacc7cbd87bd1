/* Bits of a 64-bit mask, and what else compilers spell differently. */
#ifndef MINITOK_BITS_H
#define MINITOK_BITS_H

#include <stdint.h>

#if defined(_MSC_VER)
#include <intrin.h>
#endif

/* For functions that take constants: those must reach the body. */
#if defined(_MSC_VER)
#define MT_INLINE static __forceinline
#else
#define MT_INLINE static inline __attribute__((always_inline))
#endif

/* The place of the lowest bit that is set; `mask` is not 0. */
static inline int mt_lowest_bit(uint64_t mask) {
#if defined(_MSC_VER)
    unsigned long place;
    _BitScanForward64(&place, mask);
    return (int)place;
#else
    return __builtin_ctzll(mask);
#endif
}

/* The place of the highest bit that is set; `mask` is not 0. */
static inline int mt_highest_bit(uint64_t mask) {
#if defined(_MSC_VER)
    unsigned long place;
    _BitScanReverse64(&place, mask);
    return (int)place;
#else
    return 63 - __builtin_clzll(mask);
#endif
}

/* Ask for a line of memory that will be read soon. */
static inline void mt_prefetch(const void *address) {
#if defined(_MSC_VER)
    (void)address;
#else
    __builtin_prefetch(address);
#endif
}

/* Eight bytes as a number, the first topmost: numbers are ordered as the bytes are. Compilers make one load of it. */
static inline uint64_t mt_load_big_endian(const uint8_t *bytes) {
    return (uint64_t)bytes[0] << 56 | (uint64_t)bytes[1] << 48 | (uint64_t)bytes[2] << 40 | (uint64_t)bytes[3] << 32 |
           (uint64_t)bytes[4] << 24 | (uint64_t)bytes[5] << 16 | (uint64_t)bytes[6] << 8 | (uint64_t)bytes[7];
}

/* The lowest `count` bits, 0 to 64 of them. */
static inline uint64_t mt_low_bits(int count) {
    return count >= 64 ? UINT64_MAX : ((uint64_t)1 << count) - 1;
}

#endif
