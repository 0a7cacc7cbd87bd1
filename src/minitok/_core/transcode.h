/* The characters of a Python str, to UTF-8, without a copy of the whole text.
 *
 * Python stores them in 1, 2 or 4 bytes each. They are turned to UTF-8 a stretch at a time, in a buffer that stays
 * in the processor's cache, and encoded up to the last place where any named pattern has a boundary whatever stands
 * further left or right: behind a letter, before what is neither letter nor mark nor apostrophe (`SAFE_BOUNDARY` of
 * patterns.py, which says why). What is left stays in the buffer. A stretch without such a place grows. */
#ifndef MINITOK_TRANSCODE_H
#define MINITOK_TRANSCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "encoder.h"
#include "status.h"
#include "unicode.h"

#define MT_STRETCH ((size_t)1 << 14) /* characters */

typedef struct {
    const void *data;
    size_t length; /* in characters */
    int width;     /* bytes a character: 1, 2 or 4 */
} mt_string;

static inline uint32_t mt_code_point_at(mt_string s, size_t at) {
    switch (s.width) {
    case 1:
        return ((const uint8_t *)s.data)[at];
    case 2:
        return ((const uint16_t *)s.data)[at];
    default:
        return ((const uint32_t *)s.data)[at];
    }
}

/* Write `count` characters from `at` on as UTF-8; `out` has room for 4 bytes each. Surrogates have no UTF-8. */
static inline mt_status mt_to_utf8(mt_string s, size_t at, size_t count, uint8_t *out, size_t *written) {
    uint8_t *to = out;
    for (size_t end = at + count; at < end; at++) {
        uint32_t c = mt_code_point_at(s, at);
        if (c < 0x80) {
            *to++ = (uint8_t)c;
        } else if (c < 0x800) {
            *to++ = (uint8_t)(0xC0 | c >> 6);
            *to++ = (uint8_t)(0x80 | (c & 0x3F));
        } else if (c < 0x10000) {
            if (c >= 0xD800 && c < 0xE000) {
                return MT_SURROGATE;
            }
            *to++ = (uint8_t)(0xE0 | c >> 12);
            *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3F));
            *to++ = (uint8_t)(0x80 | (c & 0x3F));
        } else {
            *to++ = (uint8_t)(0xF0 | c >> 18);
            *to++ = (uint8_t)(0x80 | (c >> 12 & 0x3F));
            *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3F));
            *to++ = (uint8_t)(0x80 | (c & 0x3F));
        }
    }
    *written = (size_t)(to - out);
    return MT_OK;
}

/* The last safe boundary of valid UTF-8; 0 if there is none. */
static inline size_t mt_last_safe_boundary(const uint8_t *text, size_t length) {
    size_t at = length;
    bool ends_word = false; /* the character behind `at` is neither letter, mark nor apostrophe */
    while (at > 0) {
        size_t before = at - 1;
        while (before > 0 && mt_is_continuation(text[before])) {
            before--;
        }
        mt_char c = mt_char_at(text, before, length);
        if (mt_is_letter(c.cls)) {
            if (ends_word) {
                return at;
            }
            ends_word = false;
        } else {
            ends_word = c.cls != MT_MARK && c.code_point != '\'';
        }
        at = before;
    }
    return 0;
}

static inline mt_status mt_text_reserve(mt_workspace *w, size_t size) {
    if (w->text_size < size) {
        uint8_t *text = realloc(w->text, size);
        if (text == NULL) {
            return MT_NO_MEMORY;
        }
        w->text = text;
        w->text_size = size;
    }
    return MT_OK;
}

/* `mt_encode` for a str that is not ASCII. */
static inline mt_status mt_encode_string(
    const mt_encoder *e, mt_workspace *w, mt_string s, size_t limit, bool only_count
) {
    size_t filled = 0, stretch = MT_STRETCH;
    for (size_t at = 0; at < s.length && w->counted + w->ids.length <= limit;) {
        size_t count = s.length - at < stretch ? s.length - at : stretch;
        size_t written = 0;
        mt_status status = mt_text_reserve(w, filled + 4 * count);
        if (status == MT_OK) {
            status = mt_to_utf8(s, at, count, w->text + filled, &written);
        }
        if (status != MT_OK) {
            return status;
        }
        at += count;
        filled += written;
        size_t cut = filled;
        if (at < s.length) {
            cut = e->pattern == NULL ? 0 : mt_last_safe_boundary(w->text, filled);
        }
        if (cut == 0) {
            stretch *= 2;
            continue;
        }
        status = mt_encode(e, w, w->text, cut, limit, only_count);
        if (status != MT_OK) {
            return status;
        }
        filled -= cut;
        memmove(w->text, w->text + cut, filled);
    }
    return MT_OK;
}

#endif
