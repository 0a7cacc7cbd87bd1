/* The characters of a Python str, to UTF-8, without a copy of the whole text.
 *
 * Python stores them in 1, 2 or 4 bytes each. They are turned to UTF-8 a stretch at a time, in a buffer that stays
 * in the processor's cache, and encoded up to the last place where the pattern has a boundary whatever stands
 * further left or right: behind a letter, before what is neither letter nor mark nor apostrophe (`SAFE_BOUNDARY` of
 * patterns.py, which says why); with the pattern of spaces alone, before a space. What is left stays in the buffer. A stretch without such a place grows. */
#ifndef MINITOK_TRANSCODE_H
#define MINITOK_TRANSCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "encoder.h"
#include "status.h"
#include "string_view.h"
#include "unicode.h"

#define MT_STRETCH ((size_t)1 << 14) /* characters */

#define MT_ASCII_STRETCH 16

/* Copy MT_ASCII_STRETCH characters as bytes; false if they are not all ASCII. Compilers make a few instructions of
 * it, if the sum has the type of the characters. */
MT_INLINE bool mt_copy_ascii(mt_string s, size_t at, uint8_t *out) {
    if (s.width == 2) {
        const uint16_t *from = (const uint16_t *)s.data + at;
        uint16_t all = 0;
        for (size_t i = 0; i < MT_ASCII_STRETCH; i++) {
            all |= from[i];
            out[i] = (uint8_t)from[i];
        }
        return all < 0x80;
    }
    uint32_t all = 0;
    for (size_t i = 0; i < MT_ASCII_STRETCH; i++) {
        uint32_t c = mt_code_point_at(s, at + i);
        all |= c;
        out[i] = (uint8_t)c;
    }
    return all < 0x80;
}

/* `s.width` is a constant where this is called, so that nothing is asked for each character. */
MT_INLINE mt_status mt_to_utf8_of_width(mt_string s, size_t at, size_t count, uint8_t *out, size_t *written) {
    uint8_t *to = out;
    size_t end = at + count;
    while (at < end) {
        uint32_t c = mt_code_point_at(s, at);
        if (c < 0x80) {
            if (end - at < MT_ASCII_STRETCH) {
                *to++ = (uint8_t)c;
                at++;
                continue;
            }
            while (mt_copy_ascii(s, at, to)) {
                at += MT_ASCII_STRETCH;
                to += MT_ASCII_STRETCH;
                if (end - at < MT_ASCII_STRETCH) {
                    break;
                }
            }
            if (end - at >= MT_ASCII_STRETCH) {
                /* Those before the one that is not ASCII are copied already. */
                while (mt_code_point_at(s, at) < 0x80) {
                    at++;
                    to++;
                }
            }
            continue;
        }
        at++;
        if (c < 0x800) {
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

/* Write `count` characters from `at` on as UTF-8; `out` has room for 4 bytes each, and MT_ASCII_STRETCH more.
 * Surrogates have no UTF-8. */
static inline mt_status mt_to_utf8(mt_string s, size_t at, size_t count, uint8_t *out, size_t *written) {
    switch (s.width) {
    case 1:
        return mt_to_utf8_of_width((mt_string){s.data, s.length, 1}, at, count, out, written);
    case 2:
        return mt_to_utf8_of_width((mt_string){s.data, s.length, 2}, at, count, out, written);
    default:
        return mt_to_utf8_of_width((mt_string){s.data, s.length, 4}, at, count, out, written);
    }
}

/* Whether a safe boundary may stand before a character. */
static inline bool mt_ends_word(const mt_pattern *p, mt_class cls, uint32_t code_point) {
    if (p->only_spaces) {
        return code_point == ' ';
    }
    return !mt_is_letter(cls) && cls != MT_MARK && code_point != '\'';
}

/* The last safe boundary before the end of a text, which is valid UTF-8; 0 if there is none. */
static inline size_t mt_last_safe_boundary(const mt_pattern *p, const uint8_t *text, size_t length) {
    bool ends_word = false; /* of the character behind `at` */
    for (size_t at = length, before; at > 0; at = before) {
        before = at - 1;
        while (before > 0 && mt_is_continuation(text[before])) {
            before--;
        }
        mt_char c = mt_char_at(text, before, at);
        if (ends_word && mt_is_letter(c.cls)) {
            return at;
        }
        ends_word = mt_ends_word(p, c.cls, c.code_point);
    }
    return 0;
}

/* The last safe boundary up to a place of any bytes: before an ASCII character, behind a letter; 0 if there is none. */
static inline size_t mt_bytes_boundary(const mt_pattern *p, const uint8_t *text, size_t length, size_t at) {
    for (; at > 0; at--) {
        if (at < length && text[at] < 0x80 && mt_ends_word(p, mt_classify(text[at]), text[at])) {
            for (size_t size = 1; size <= 4 && size <= at; size++) {
                mt_char c = mt_char_at(text, at - size, at);
                if (c.length == size && mt_is_letter(c.cls)) {
                    return at;
                }
            }
        }
    }
    return 0;
}

/* The same for a str. */
static inline size_t mt_string_boundary(const mt_pattern *p, mt_string s, size_t at) {
    for (; at > 0; at--) {
        if (at < s.length) {
            uint32_t behind = mt_code_point_at(s, at);
            if (mt_ends_word(p, mt_classify(behind), behind) && mt_is_letter(mt_classify(mt_code_point_at(s, at - 1)))) {
                return at;
            }
        }
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
    size_t filled = 0, stretch = MT_STRETCH, before = w->ids.length;
    for (size_t at = 0; at < s.length && w->counted + w->ids.length <= limit;) {
        size_t count = s.length - at < stretch ? s.length - at : stretch;
        size_t written = 0;
        mt_status status = mt_text_reserve(w, filled + 4 * count + MT_ASCII_STRETCH);
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
            cut = e->pattern == NULL ? 0 : mt_last_safe_boundary(e->pattern, w->text, filled);
        }
        if (cut == 0) {
            stretch *= 2;
            continue;
        }
        status = mt_encode(e, w, w->text, cut, limit, only_count);
        if (status != MT_OK) {
            return status;
        }
        mt_ids_expect(&w->ids, before, at, only_count ? 0 : s.length - at);
        filled -= cut;
        memmove(w->text, w->text + cut, filled);
    }
    return MT_OK;
}

#endif
