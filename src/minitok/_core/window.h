/* Splitting many pieces at once: where pieces begin in 64 bytes of text, by arithmetic on class masks.
 *
 * A window begins where a piece begins. Since no pattern looks behind, what is left of the window does not matter,
 * and nothing is carried from one window to the next. Bit i of a mask tells something of byte i; all bytes of a
 * character have its class, and `lead` marks the first one. For the named patterns a piece begins at
 *
 *   letters      the first letter of a run, unless the character before it is its prefix; where words go by case,
 *                a capital after a small letter
 *   numbers      the first of a run, and as many further on as the pattern takes at once
 *   punctuation  the first of a run, unless U+0020 before it is its prefix
 *   white space  the first of a run that punctuation has not taken as its tail; what follows the last newline of the
 *                run; and its last character, which may be the prefix of what follows
 *   contraction  where it ends; where it belongs to the word before it, not where it begins
 *   stages       the first of a run of Han and kana; what is before it, or before a number, ends there
 *
 * Only some of these are certain: `mt_window_starts` gives the beginnings up to the last one that is. It stops
 *   - before white space that reaches the end of the window, because what follows it matters;
 *   - before a character that is cut by the end of the window;
 *   - before what this arithmetic does not describe ("odd"): numbers outside of ASCII; marks, and a capital after a
 *     caseless letter, where words go by case; a slash that belongs to the tail of punctuation; with stages, what has
 *     no class, and what is not a letter in Han and kana.
 * If that leaves nothing but the beginning of the window, the scanner of scanner.h finds the end of one piece. It is
 * also the specification: both give the same pieces for every text. */
#ifndef MINITOK_WINDOW_H
#define MINITOK_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bits.h"
#include "block.h"
#include "pattern.h"
#include "scanner.h"
#include "unicode.h"

/* The classes of all characters of a window; every byte of a character has its bit. */
typedef struct {
    uint64_t letter, upper, lower, caseless;
    uint64_t number;
    uint64_t space;   /* U+0020 */
    uint64_t white;   /* newlines included */
    uint64_t newline;
    uint64_t other;   /* punctuation: all else, marks included; with stages, signs only */
    uint64_t kana;    /* letters of the second stage; of no other class */
    uint64_t ascii_letter, ascii_other;
    uint64_t apostrophe, slash;
    uint64_t lead;    /* first bytes */
    uint64_t odd;     /* first bytes of characters before which the window ends */
    int length;       /* in bytes, whole characters only */
} mt_window;

/* Add the characters outside of ASCII to the masks. `left` is how much text there is, 1 byte at least. */
static inline void mt_window_add_high(
    const mt_pattern *p, const uint8_t *text, size_t left, const mt_block *block, mt_window *w
) {
    uint64_t first = block->ideograph & (block->continuation >> 1) & (block->continuation >> 2);
    first = p->in_stages ? 0 : first;
    uint64_t rest = first << 1 | first << 2;
    uint64_t high = block->high & ~(first | rest);
    w->letter |= first | rest;
    w->caseless |= first | rest;
    w->lead &= ~rest;
    while (high) {
        int at = mt_lowest_bit(high);
        mt_char c = mt_char_at(text, (size_t)at, left);
        if (at + (int)c.length > MT_BLOCK) {
            w->length = at;
            break;
        }
        uint64_t bit = (uint64_t)1 << at;
        uint64_t bytes = mt_low_bits((int)c.length) << at;
        w->lead &= ~(bytes ^ bit);
        high &= ~bytes;
        if (p->in_stages && mt_is_han_or_kana(c)) {
            w->kana |= bytes;
            w->odd |= mt_is_letter(c.cls) ? 0 : bit;
            continue;
        }
        switch (c.cls) {
        case MT_UPPER:
            w->letter |= bytes;
            w->upper |= bytes;
            break;
        case MT_LOWER:
            w->letter |= bytes;
            w->lower |= bytes;
            break;
        case MT_CASELESS:
            w->letter |= bytes;
            w->caseless |= bytes;
            break;
        case MT_SPACE:
            w->white |= bytes;
            break;
        case MT_NUMBER:
            w->number |= bytes;
            w->odd |= bit;
            break;
        case MT_MARK:
            *(p->in_stages ? &w->letter : &w->other) |= bytes;
            w->odd |= p->words_by_case ? bit : 0;
            break;
        default:
            w->other |= bytes;
            w->odd |= p->in_stages && c.cls == MT_OTHER ? bit : 0;
            break;
        }
    }
}

static inline void mt_window_classify(
    const mt_pattern *p, mt_block_classifier classify, const uint8_t *text, size_t left, mt_window *w
) {
    mt_block block;
    classify(text, &block);
    w->length = left < MT_BLOCK ? (int)left : MT_BLOCK;
    w->letter = block.letter;
    w->lower = block.letter & block.small;
    w->upper = block.letter & ~block.small;
    w->caseless = 0;
    w->number = block.digit;
    w->space = block.space;
    w->white = block.white;
    w->newline = block.newline;
    w->apostrophe = block.apostrophe;
    w->slash = block.slash;
    w->other = ~(block.letter | block.digit | block.white | block.high);
    w->ascii_letter = w->letter;
    w->ascii_other = w->other;
    w->kana = 0;
    w->lead = UINT64_MAX;
    w->odd = p->in_stages ? block.control & ~block.white : 0;
    if (block.high) {
        mt_window_add_high(p, text, left, &block, w);
    }
}

/* Move each bit from the last byte of a character to its first. */
static inline uint64_t mt_to_lead(const mt_window *w, uint64_t last) {
    uint64_t found = last & w->lead;
    for (int step = 0; step < 3 && (last &= ~w->lead); step++) {
        last >>= 1;
        found |= last & w->lead;
    }
    return found;
}

/* Spread each bit from the first byte of a character to all of them. */
static inline uint64_t mt_to_all_bytes(const mt_window *w, uint64_t first) {
    if (w->lead != UINT64_MAX) {
        for (int step = 0; step < 3; step++) {
            first |= first << 1 & ~w->lead;
        }
    }
    return first;
}

/* Where white space begins pieces; `tail` is the newlines that belong to the punctuation before them. */
static inline uint64_t mt_white_space_starts(const mt_pattern *p, const mt_window *w, uint64_t tail) {
    uint64_t white = w->white & ~tail;
    uint64_t starts = white & ~(white << 1);
    uint64_t last = white & ~(white >> 1);
    if (p->in_stages) {
        last &= ~((w->number | w->kana) >> 1);
    }
    last = mt_to_lead(w, last);
    if (!p->newline_ends_space) {
        return starts | last;
    }
    uint64_t newline = w->newline & ~tail;
    uint64_t blank = white & ~newline;
    uint64_t after_newline = blank & newline << 1;
    /* Adding the first bit of a run carries to the place behind it: a newline there means a later one ends the piece. */
    uint64_t followed = (blank + after_newline) & ~blank & newline;
    while (followed) {
        uint64_t end = followed & (0 - followed);
        after_newline ^= (uint64_t)1 << mt_highest_bit(after_newline & (end - 1));
        followed ^= end;
    }
    return starts | after_newline | (last & ~newline);
}

/* Move the starts around contractions to where the pattern has them. The apostrophes are those that may begin one. */
static inline uint64_t mt_contraction_starts(
    const mt_pattern *p, const uint8_t *text, size_t left, uint64_t apostrophes, uint64_t starts
) {
    size_t last_end = 0;
    while (apostrophes) {
        size_t at = (size_t)mt_lowest_bit(apostrophes);
        apostrophes &= apostrophes - 1;
        size_t end = mt_contraction_end(text, at, left, p->contraction_any_case);
        if (end == at) {
            continue;
        }
        if (p->contraction_ends_word && at == last_end) {
            continue; /* behind a contraction, not behind a word: the apostrophe begins a piece */
        }
        uint64_t inside = mt_low_bits((int)(end - at)) << at;
        starts &= ~(p->contraction_ends_word ? inside : inside ^ (uint64_t)1 << at);
        starts |= end < MT_BLOCK ? (uint64_t)1 << end : 0;
        last_end = end;
    }
    return starts;
}

/* Where pieces begin for the sake of words, with stages. A sign is a prefix if it and the letters are ASCII, it is
 * alone, and U+0020 has not taken it; then the word ends with those letters. */
static inline uint64_t mt_staged_starts(const mt_window *w, uint64_t letter_starts, uint64_t taken) {
    uint64_t before = w->newline | w->number | w->kana | w->other;
    uint64_t prefixed = letter_starts & w->ascii_letter & (w->ascii_other & ~taken) << 1;
    uint64_t starts = (letter_starts & before << 1 & ~prefixed) | (w->kana & ~(w->kana << 1));
    /* Adding the first bit of a run carries to the place behind it. */
    return starts | ((w->ascii_letter + prefixed) & ~w->ascii_letter & w->letter);
}

/* Where pieces begin in the window at `text`, of which `left` bytes are left; 64 may be read, those behind the text
 * are 0. Bit 0 is set; the highest bit is the last beginning that is certain, or the end of the text. */
MT_INLINE uint64_t mt_window_starts(
    const mt_pattern *p, mt_block_classifier classify, const uint8_t *text, size_t left
) {
    mt_window w;
    mt_window_classify(p, classify, text, left, &w);
    uint64_t letter_starts = w.letter & ~(w.letter << 1);
    uint64_t number_starts = w.number & ~(w.number << 1);
    uint64_t other_starts = w.other & ~(w.other << 1);
    uint64_t after_space = w.space << 1;
    uint64_t tail = 0;
    if (p->punctuation_tail != MT_TAIL_NONE) {
        /* A run of newlines to which its first bit is added turns to zeros. */
        uint64_t behind = w.newline & w.other << 1;
        tail = w.newline & ~(w.newline + behind);
        if (p->punctuation_tail == MT_TAIL_NEWLINES_AND_SLASHES) {
            w.odd |= w.slash & tail << 1;
        }
    }
    uint64_t starts = (other_starts & ~after_space) | mt_white_space_starts(p, &w, tail);
    /* Punctuation is a prefix only if it is one character alone, which U+0020 has not taken. */
    uint64_t taken = (w.other & w.lead & w.other << 1) | (other_starts & after_space);
    if (p->in_stages) {
        starts |= mt_staged_starts(&w, letter_starts, taken);
    } else if (p->any_prefix) {
        starts |= letter_starts & (w.newline | w.number | mt_to_all_bytes(&w, taken)) << 1;
    } else {
        starts |= letter_starts & ~after_space;
    }
    if (p->most_digits == 0) {
        starts |= number_starts & ~after_space;
    } else if (p->most_digits == 1) {
        starts |= w.number;
    } else {
        uint64_t cuts = number_starts;
        uint64_t far = w.number & w.number << 1 & w.number << 2 & w.number << 3;
        while (cuts) {
            starts |= cuts;
            cuts = cuts << 3 & far;
        }
    }
    if (p->words_by_case) {
        starts |= w.upper & w.lower << 1;
        w.odd |= w.upper & w.caseless << 1;
    }
    if (p->contraction_is_piece || p->contraction_ends_word) {
        uint64_t apostrophes = w.apostrophe & (p->contraction_is_piece ? starts : w.letter << 1);
        if (apostrophes) {
            starts = mt_contraction_starts(p, text, left, apostrophes, starts);
        }
    }

    uint64_t certain = mt_low_bits(w.length);
    uint64_t white_to_end = w.white & ~tail & certain;
    if (white_to_end >> (w.length - 1)) {
        /* Up to the first bit of the run of ones at the top, that one included. */
        uint64_t before = certain & ~white_to_end;
        certain = before ? mt_low_bits(mt_highest_bit(before) + 2) : 1;
    }
    if (w.odd) {
        certain &= (w.odd & (0 - w.odd)) - 1;
    }
    /* Where the text ends, and all is certain, its last piece ends. */
    uint64_t end = left < MT_BLOCK && certain == mt_low_bits((int)left) ? (uint64_t)1 << left : 0;
    return (starts & certain) | end | 1;
}

#endif
