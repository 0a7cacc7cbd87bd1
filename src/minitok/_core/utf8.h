/* UTF-8: whether bytes are valid (Unicode 16.0, table 3-7), and characters as bytes. */
#ifndef MINITOK_UTF8_H
#define MINITOK_UTF8_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bits.h"

/* The length of the character whose first byte, which is not ASCII, is text[0]; 0 if it is not whole or not valid. */
static inline size_t mt_utf8_length(const uint8_t *text, size_t left) {
    uint8_t first = text[0];
    /* Most are of these, which have no special cases. */
    if (first > 0xE0 && first < 0xED && left >= 3) {
        return ((text[1] & 0xC0) ^ 0x80) | ((text[2] & 0xC0) ^ 0x80) ? 0 : 3;
    }
    if (first < 0xC2 || first > 0xF4) {
        return 0;
    }
    size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (left < length) {
        return 0;
    }
    /* The second byte's range leaves out what has a shorter form, surrogates, and what is above U+10FFFF. */
    uint8_t lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    uint8_t highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (text[1] < lowest || text[1] > highest) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

/* Write a character of up to U+FFFF; returns how many bytes it takes, 3 at most. */
static inline size_t mt_put_character(uint32_t c, uint8_t *out) {
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xC0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3F));
        return 2;
    }
    out[0] = (uint8_t)(0xE0 | c >> 12);
    out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    out[2] = (uint8_t)(0x80 | (c & 0x3F));
    return 3;
}

/* How many bytes there are before the first that is not part of a whole, valid character. */
static inline size_t mt_utf8_prefix(const uint8_t *text, size_t length) {
    size_t at = 0;
    while (at < length) {
        if (length - at >= 8) {
            uint64_t word;
            memcpy(&word, text + at, 8);
            word &= 0x8080808080808080u;
            if (word == 0) {
                at += 8;
                continue;
            }
            at += (size_t)mt_lowest_bit(word) >> 3;
        } else if (text[at] < 0x80) {
            at++;
            continue;
        }
        do {
            size_t whole = mt_utf8_length(text + at, length - at);
            if (whole == 0) {
                return at;
            }
            at += whole;
        } while (at < length && text[at] >= 0x80);
    }
    return at;
}

#endif
