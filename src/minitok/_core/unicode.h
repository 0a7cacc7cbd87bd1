/* Characters: UTF-8 to code points, and code points to the classes that split patterns tell apart.
 *
 * Text is any bytes. Bytes that are not valid UTF-8 (overlong forms, surrogates and code points above U+10FFFF
 * included) are characters of one byte each, of the class "other"; so a decoder of valid text and this one see the
 * same characters, and every byte belongs to exactly one. */
#ifndef MINITOK_UNICODE_H
#define MINITOK_UNICODE_H

#include <stddef.h>
#include <stdint.h>

#include "unicode_data.h"

typedef enum {
    MT_END,      /* the end of the text; no character */
    MT_OTHER,    /* what is none of those below, and bytes that are not text */
    MT_SPACE,    /* white space that is not a newline */
    MT_NEWLINE,  /* U+000A and U+000D */
    MT_UPPER,    /* Lu, Lt */
    MT_LOWER,    /* Ll */
    MT_CASELESS, /* Lm, Lo */
    MT_MARK,     /* M */
    MT_NUMBER,   /* N */
    MT_SIGN      /* P, S */
} mt_class;

typedef struct {
    mt_class cls;
    uint32_t code_point; /* of MT_OTHER: meaningless if the byte is not valid UTF-8 */
    size_t length;       /* in bytes; 0 at the end of the text */
} mt_char;

static const uint8_t mt_class_of_category[32] = {
    [MT_CATEGORY_CN] = MT_OTHER,    [MT_CATEGORY_CC] = MT_OTHER,    [MT_CATEGORY_CF] = MT_OTHER,
    [MT_CATEGORY_CO] = MT_OTHER,    [MT_CATEGORY_CS] = MT_OTHER,    [MT_CATEGORY_LL] = MT_LOWER,
    [MT_CATEGORY_LM] = MT_CASELESS, [MT_CATEGORY_LO] = MT_CASELESS, [MT_CATEGORY_LT] = MT_UPPER,
    [MT_CATEGORY_LU] = MT_UPPER,    [MT_CATEGORY_MC] = MT_MARK,     [MT_CATEGORY_ME] = MT_MARK,
    [MT_CATEGORY_MN] = MT_MARK,     [MT_CATEGORY_ND] = MT_NUMBER,   [MT_CATEGORY_NL] = MT_NUMBER,
    [MT_CATEGORY_NO] = MT_NUMBER,   [MT_CATEGORY_PC] = MT_SIGN,    [MT_CATEGORY_PD] = MT_SIGN,
    [MT_CATEGORY_PE] = MT_SIGN,    [MT_CATEGORY_PF] = MT_SIGN,    [MT_CATEGORY_PI] = MT_SIGN,
    [MT_CATEGORY_PO] = MT_SIGN,    [MT_CATEGORY_PS] = MT_SIGN,    [MT_CATEGORY_SC] = MT_SIGN,
    [MT_CATEGORY_SK] = MT_SIGN,    [MT_CATEGORY_SM] = MT_SIGN,    [MT_CATEGORY_SO] = MT_SIGN,
    [MT_CATEGORY_ZL] = MT_OTHER,    [MT_CATEGORY_ZP] = MT_OTHER,    [MT_CATEGORY_ZS] = MT_OTHER,
};

static inline mt_class mt_classify(uint32_t code_point) {
    uint8_t info = mt_unicode_blocks[mt_unicode_block_index[code_point >> 8]][code_point & 0xFF];
    if (info & 0x80) {
        return code_point == '\n' || code_point == '\r' ? MT_NEWLINE : MT_SPACE;
    }
    return (mt_class)mt_class_of_category[info & 0x1F];
}

static inline int mt_is_continuation(uint8_t byte) {
    return (byte & 0xC0) == 0x80;
}

/* The length in bytes of the valid UTF-8 character at text[at], and its code point; 0 if there is none. */
static inline size_t mt_decode(const uint8_t *text, size_t at, size_t end, uint32_t *code_point) {
    uint8_t lead = text[at];
    size_t left = end - at;
    if (lead < 0x80) {
        *code_point = lead;
        return 1;
    }
    if (lead < 0xC2 || lead > 0xF4) {
        return 0;
    }
    if (lead < 0xE0) {
        if (left < 2 || !mt_is_continuation(text[at + 1])) {
            return 0;
        }
        *code_point = (uint32_t)(lead & 0x1F) << 6 | (text[at + 1] & 0x3F);
        return 2;
    }
    if (lead < 0xF0) {
        if (left < 3 || !mt_is_continuation(text[at + 1]) || !mt_is_continuation(text[at + 2])) {
            return 0;
        }
        uint32_t c = (uint32_t)(lead & 0x0F) << 12 | (uint32_t)(text[at + 1] & 0x3F) << 6 | (text[at + 2] & 0x3F);
        *code_point = c;
        return c < 0x800 || (c >= 0xD800 && c <= 0xDFFF) ? 0 : 3;
    }
    if (left < 4 || !mt_is_continuation(text[at + 1]) || !mt_is_continuation(text[at + 2]) ||
        !mt_is_continuation(text[at + 3])) {
        return 0;
    }
    uint32_t c = (uint32_t)(lead & 0x07) << 18 | (uint32_t)(text[at + 1] & 0x3F) << 12 |
                 (uint32_t)(text[at + 2] & 0x3F) << 6 | (text[at + 3] & 0x3F);
    *code_point = c;
    return c < 0x10000 || c > 0x10FFFF ? 0 : 4;
}

/* The character at text[at]; MT_END at the end. */
static inline mt_char mt_char_at(const uint8_t *text, size_t at, size_t end) {
    mt_char c = {MT_END, 0, 0};
    if (at < end) {
        c.length = mt_decode(text, at, end, &c.code_point);
        if (c.length) {
            c.cls = mt_classify(c.code_point);
        } else {
            c.cls = MT_OTHER;
            c.length = 1;
        }
    }
    return c;
}

static inline int mt_is_letter(mt_class cls) {
    return cls == MT_UPPER || cls == MT_LOWER || cls == MT_CASELESS;
}

static inline int mt_is_white_space(mt_class cls) {
    return cls == MT_SPACE || cls == MT_NEWLINE;
}

#endif
