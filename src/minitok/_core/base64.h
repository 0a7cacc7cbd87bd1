/* Base64 with the digits of RFC 4648 (section 4), padded: what files of vocabularies spell tokens in. */
#ifndef MINITOK_BASE64_H
#define MINITOK_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* The value of a base64 digit; above 63 if it is none. */
static inline uint8_t mt_base64_digit(uint8_t c) {
    if (c >= 'A' && c <= 'Z') {
        return (uint8_t)(c - 'A');
    }
    if (c >= 'a' && c <= 'z') {
        return (uint8_t)(c - 'a' + 26);
    }
    if (c >= '0' && c <= '9') {
        return (uint8_t)(c - '0' + 52);
    }
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* Decode `length` characters of base64 to `out`; returns how many bytes they are, 0 if they are not canonical. */
static inline size_t mt_decode_base64(const uint8_t *text, size_t length, uint8_t *out) {
    if (length == 0 || length % 4 != 0) {
        return 0;
    }
    size_t padding = text[length - 1] != '=' ? 0 : text[length - 2] != '=' ? 1 : 2;
    size_t written = 0;
    for (size_t at = 0; at < length; at += 4) {
        size_t digits = at + 4 == length ? 4 - padding : 4;
        uint32_t bits = 0;
        for (size_t i = 0; i < 4; i++) {
            uint8_t digit = i < digits ? mt_base64_digit(text[at + i]) : 0;
            if (digit > 63) {
                return 0;
            }
            bits = bits << 6 | digit;
        }
        for (size_t i = 0; i + 1 < digits; i++) {
            out[written++] = (uint8_t)(bits >> (16 - 8 * i));
        }
        if (digits < 4 && bits & (digits == 3 ? 0xFF : 0xFFFF)) {
            return 0; /* bits that belong to no byte */
        }
    }
    return written;
}

/* How many characters so many bytes are. */
static inline size_t mt_base64_length(size_t size) {
    return (size + 2) / 3 * 4;
}

/* Encode bytes; returns the end of what was written. */
static inline uint8_t *mt_encode_base64(const uint8_t *bytes, size_t size, uint8_t *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t at = 0; at < size; at += 3, out += 4) {
        size_t left = size - at;
        uint32_t bits = (uint32_t)bytes[at] << 16;
        bits |= left > 1 ? (uint32_t)bytes[at + 1] << 8 : 0;
        bits |= left > 2 ? bytes[at + 2] : 0;
        out[0] = (uint8_t)digits[bits >> 18];
        out[1] = (uint8_t)digits[bits >> 12 & 63];
        out[2] = (uint8_t)(left > 1 ? digits[bits >> 6 & 63] : '=');
        out[3] = (uint8_t)(left > 2 ? digits[bits & 63] : '=');
    }
    return out;
}

#endif
