/* The classes of the ASCII characters among 64 bytes, as one bit for each byte: bit i is byte i's.
 *
 * The one place with instructions of a particular processor. `mt_classify_block` is chosen when it is first asked
 * for, by what the machine can do, never by what the compiler was told about the builder's machine. All forms give
 * the same masks; the portable one is the specification of the others. */
#ifndef MINITOK_BLOCK_H
#define MINITOK_BLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define MT_X86 1
#include <immintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON)
#define MT_NEON 1
#include <arm_neon.h>
#endif

#define MT_BLOCK 64

typedef struct {
    uint64_t letter;       /* A-Z a-z */
    uint64_t small;        /* bit 5 of the byte is set: of a letter, that it is a small one */
    uint64_t digit;        /* 0-9 */
    uint64_t space;        /* U+0020 */
    uint64_t white;        /* U+0009 to U+000D, and U+0020 */
    uint64_t newline;      /* U+000A and U+000D */
    uint64_t apostrophe;
    uint64_t slash;
    uint64_t control;      /* U+0000 to U+001F, and U+007F */
    uint64_t high;         /* not ASCII */
    uint64_t continuation; /* 80 to BF */
    uint64_t ideograph;    /* E5 to E9, EB or EC: the first of three bytes of U+5000-9FFF or U+B000-CFFF, which are
                              all of category Lo (a test holds this against the tables) */
} mt_block;

typedef void (*mt_block_classifier)(const uint8_t *bytes, mt_block *out);

static inline void mt_classify_block_portable(const uint8_t *bytes, mt_block *out) {
    memset(out, 0, sizeof *out);
    for (int i = 0; i < MT_BLOCK; i++) {
        uint8_t b = bytes[i];
        uint64_t bit = (uint64_t)1 << i;
        uint8_t folded = b | 0x20;
        out->letter |= folded >= 'a' && folded <= 'z' ? bit : 0;
        out->small |= b & 0x20 ? bit : 0;
        out->digit |= b >= '0' && b <= '9' ? bit : 0;
        out->space |= b == ' ' ? bit : 0;
        out->white |= b == ' ' || (b >= '\t' && b <= '\r') ? bit : 0;
        out->newline |= b == '\n' || b == '\r' ? bit : 0;
        out->apostrophe |= b == '\'' ? bit : 0;
        out->slash |= b == '/' ? bit : 0;
        out->control |= b < 0x20 || b == 0x7F ? bit : 0;
        out->high |= b >= 0x80 ? bit : 0;
        out->continuation |= b >= 0x80 && b < 0xC0 ? bit : 0;
        out->ideograph |= (b >= 0xE5 && b <= 0xE9) || b == 0xEB || b == 0xEC ? bit : 0;
    }
}

#if defined(MT_X86)

/* Signed comparison tells a range of `count` values that ends with `last` in one addition: those are moved to the
 * top of the signed range, where no other byte comes. */

static inline uint64_t mt_bits_sse2(__m128i mask, int part) {
    return (uint64_t)(uint16_t)_mm_movemask_epi8(mask) << (16 * part);
}

static inline __m128i mt_range_sse2(__m128i x, int last, int count) {
    return _mm_cmpgt_epi8(_mm_add_epi8(x, _mm_set1_epi8((char)(127 - last))), _mm_set1_epi8((char)(127 - count)));
}

static inline __m128i mt_equal_sse2(__m128i x, int value) {
    return _mm_cmpeq_epi8(x, _mm_set1_epi8((char)value));
}

static inline void mt_classify_block_sse2(const uint8_t *bytes, mt_block *out) {
    mt_block b;
    memset(&b, 0, sizeof b);
    for (int part = 0; part < 4; part++) {
        __m128i x = _mm_loadu_si128((const __m128i *)(bytes + 16 * part));
        __m128i space = mt_equal_sse2(x, ' ');
        b.letter |= mt_bits_sse2(mt_range_sse2(_mm_or_si128(x, _mm_set1_epi8(0x20)), 'z', 26), part);
        b.small |= mt_bits_sse2(_mm_slli_epi16(x, 2), part);
        b.digit |= mt_bits_sse2(mt_range_sse2(x, '9', 10), part);
        b.space |= mt_bits_sse2(space, part);
        b.white |= mt_bits_sse2(_mm_or_si128(space, mt_range_sse2(x, '\r', 5)), part);
        b.newline |= mt_bits_sse2(_mm_or_si128(mt_equal_sse2(x, '\n'), mt_equal_sse2(x, '\r')), part);
        b.apostrophe |= mt_bits_sse2(mt_equal_sse2(x, '\''), part);
        b.slash |= mt_bits_sse2(mt_equal_sse2(x, '/'), part);
        b.control |= mt_bits_sse2(_mm_or_si128(mt_range_sse2(x, 0x1F, 32), mt_equal_sse2(x, 0x7F)), part);
        b.high |= mt_bits_sse2(x, part);
        b.continuation |= mt_bits_sse2(_mm_cmplt_epi8(x, _mm_set1_epi8((char)0xC0)), part);
        __m128i ideograph = _mm_or_si128(mt_range_sse2(x, 0xE9, 5), mt_range_sse2(x, 0xEC, 2));
        b.ideograph |= mt_bits_sse2(ideograph, part);
    }
    *out = b;
}

#define MT_AVX2 __attribute__((target("avx2")))

MT_AVX2 static inline uint64_t mt_bits_avx2(__m256i low, __m256i high) {
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

MT_AVX2 static inline __m256i mt_range_avx2(__m256i x, int last, int count) {
    return _mm256_cmpgt_epi8(
        _mm256_add_epi8(x, _mm256_set1_epi8((char)(127 - last))), _mm256_set1_epi8((char)(127 - count))
    );
}

MT_AVX2 static inline __m256i mt_equal_avx2(__m256i x, int value) {
    return _mm256_cmpeq_epi8(x, _mm256_set1_epi8((char)value));
}

MT_AVX2 static inline __m256i mt_letter_avx2(__m256i x) {
    return mt_range_avx2(_mm256_or_si256(x, _mm256_set1_epi8(0x20)), 'z', 26);
}

MT_AVX2 static inline __m256i mt_white_avx2(__m256i x) {
    return _mm256_or_si256(mt_equal_avx2(x, ' '), mt_range_avx2(x, '\r', 5));
}

MT_AVX2 static inline __m256i mt_newline_avx2(__m256i x) {
    return _mm256_or_si256(mt_equal_avx2(x, '\n'), mt_equal_avx2(x, '\r'));
}

MT_AVX2 static inline __m256i mt_control_avx2(__m256i x) {
    return _mm256_or_si256(mt_range_avx2(x, 0x1F, 32), mt_equal_avx2(x, 0x7F));
}

MT_AVX2 static inline __m256i mt_ideograph_avx2(__m256i x) {
    return _mm256_or_si256(mt_range_avx2(x, 0xE9, 5), mt_range_avx2(x, 0xEC, 2));
}

MT_AVX2 static inline void mt_classify_block_avx2(const uint8_t *bytes, mt_block *out) {
    __m256i low = _mm256_loadu_si256((const __m256i *)bytes);
    __m256i high = _mm256_loadu_si256((const __m256i *)(bytes + 32));
    __m256i lead = _mm256_set1_epi8((char)0xC0);
    out->letter = mt_bits_avx2(mt_letter_avx2(low), mt_letter_avx2(high));
    out->small = mt_bits_avx2(_mm256_slli_epi16(low, 2), _mm256_slli_epi16(high, 2));
    out->digit = mt_bits_avx2(mt_range_avx2(low, '9', 10), mt_range_avx2(high, '9', 10));
    out->space = mt_bits_avx2(mt_equal_avx2(low, ' '), mt_equal_avx2(high, ' '));
    out->white = mt_bits_avx2(mt_white_avx2(low), mt_white_avx2(high));
    out->newline = mt_bits_avx2(mt_newline_avx2(low), mt_newline_avx2(high));
    out->apostrophe = mt_bits_avx2(mt_equal_avx2(low, '\''), mt_equal_avx2(high, '\''));
    out->slash = mt_bits_avx2(mt_equal_avx2(low, '/'), mt_equal_avx2(high, '/'));
    out->control = mt_bits_avx2(mt_control_avx2(low), mt_control_avx2(high));
    out->high = mt_bits_avx2(low, high);
    out->continuation = mt_bits_avx2(_mm256_cmpgt_epi8(lead, low), _mm256_cmpgt_epi8(lead, high));
    out->ideograph = mt_bits_avx2(mt_ideograph_avx2(low), mt_ideograph_avx2(high));
}

#elif defined(MT_NEON)

/* NEON has no movemask: each byte keeps the one bit of its place in eight, and pairwise sums bring them together. */
static inline uint64_t mt_bits_neon(const uint8x16_t mask[4]) {
    static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t place = vld1q_u8(places);
    uint8x16_t low = vpaddq_u8(vandq_u8(mask[0], place), vandq_u8(mask[1], place));
    uint8x16_t high = vpaddq_u8(vandq_u8(mask[2], place), vandq_u8(mask[3], place));
    uint8x16_t sum = vpaddq_u8(low, high);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(sum, sum)), 0);
}

static inline uint8x16_t mt_range_neon(uint8x16_t x, uint8_t last, uint8_t count) {
    return vcltq_u8(vsubq_u8(x, vdupq_n_u8((uint8_t)(last - count + 1))), vdupq_n_u8(count));
}

static inline uint8x16_t mt_equal_neon(uint8x16_t x, uint8_t value) {
    return vceqq_u8(x, vdupq_n_u8(value));
}

static inline void mt_classify_block_neon(const uint8_t *bytes, mt_block *out) {
    uint8x16_t letter[4], small[4], digit[4], space[4], white[4], newline[4], apostrophe[4], slash[4], control[4],
        high[4], continuation[4], ideograph[4];
    for (int part = 0; part < 4; part++) {
        uint8x16_t x = vld1q_u8(bytes + 16 * part);
        letter[part] = mt_range_neon(vorrq_u8(x, vdupq_n_u8(0x20)), 'z', 26);
        small[part] = vtstq_u8(x, vdupq_n_u8(0x20));
        digit[part] = mt_range_neon(x, '9', 10);
        space[part] = mt_equal_neon(x, ' ');
        white[part] = vorrq_u8(space[part], mt_range_neon(x, '\r', 5));
        newline[part] = vorrq_u8(mt_equal_neon(x, '\n'), mt_equal_neon(x, '\r'));
        apostrophe[part] = mt_equal_neon(x, '\'');
        slash[part] = mt_equal_neon(x, '/');
        control[part] = vorrq_u8(mt_range_neon(x, 0x1F, 32), mt_equal_neon(x, 0x7F));
        high[part] = vtstq_u8(x, vdupq_n_u8(0x80));
        continuation[part] = mt_range_neon(x, 0xBF, 64);
        ideograph[part] = vorrq_u8(mt_range_neon(x, 0xE9, 5), mt_range_neon(x, 0xEC, 2));
    }
    *out = (mt_block){
        .letter = mt_bits_neon(letter), .small = mt_bits_neon(small), .digit = mt_bits_neon(digit),
        .space = mt_bits_neon(space), .white = mt_bits_neon(white), .newline = mt_bits_neon(newline),
        .apostrophe = mt_bits_neon(apostrophe), .slash = mt_bits_neon(slash), .control = mt_bits_neon(control),
        .high = mt_bits_neon(high), .continuation = mt_bits_neon(continuation), .ideograph = mt_bits_neon(ideograph),
    };
}

#endif

/* The classifier of a name ("portable", "sse2", "avx2", "neon"); NULL if this machine has no such. */
static inline mt_block_classifier mt_block_classifier_named(const char *name) {
    if (strcmp(name, "portable") == 0) {
        return mt_classify_block_portable;
    }
#if defined(MT_X86)
    if (strcmp(name, "sse2") == 0) {
        return mt_classify_block_sse2;
    }
    if (strcmp(name, "avx2") == 0 && __builtin_cpu_supports("avx2")) {
        return mt_classify_block_avx2;
    }
#elif defined(MT_NEON)
    if (strcmp(name, "neon") == 0) {
        return mt_classify_block_neon;
    }
#endif
    return NULL;
}

#endif
