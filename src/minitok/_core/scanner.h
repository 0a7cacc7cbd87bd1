/* Splitting: where the piece that begins at a place of a text ends.
 *
 * One function, mt_piece_end, does what the regular expression of the pattern does at that place, without
 * backtracking: it looks at the first character (and, where that may be a prefix, at the second) to know which
 * alternative matches, and then only runs forward. The alternatives in the order in which they are tried:
 *
 *   contraction   '(s|d|m|t|ll|ve|re), where it is a piece of its own
 *   word          a prefix if there may be one, then letters (by case: see mt_case_word_end)
 *   number        numbers
 *   punctuation   perhaps U+0020, then characters that are neither white space, letter nor number, then a tail
 *   white space   a run, less its last character if something else follows, which may take that as its prefix
 *
 * Work is linear in the text: no character is looked at more than a few times, except that a run of capitals is
 * read again once for each piece that a caseless letter or mark ends inside of it, of which there is one at most. */
#ifndef MINITOK_SCANNER_H
#define MINITOK_SCANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "pattern.h"
#include "unicode.h"

/* Where a contraction that begins at text[at] ends; `at` if there is none. */
static inline size_t mt_contraction_end(const uint8_t *text, size_t at, size_t end, bool any_case) {
    if (end - at < 2 || text[at] != '\'') {
        return at;
    }
    /* U+017F is the one character outside of ASCII that folds to one of these letters. */
    if (any_case && end - at >= 3 && text[at + 1] == 0xC5 && text[at + 2] == 0xBF) {
        return at + 3;
    }
    uint8_t fold = any_case ? 0x20 : 0;
    uint8_t first = text[at + 1] | fold;
    if (first == 's' || first == 'd' || first == 'm' || first == 't') {
        return at + 2;
    }
    if (end - at >= 3) {
        uint8_t second = text[at + 2] | fold;
        if ((first == 'l' && second == 'l') || (first == 'v' && second == 'e') || (first == 'r' && second == 'e')) {
            return at + 3;
        }
    }
    return at;
}

/* Whether a character belongs to the second of a pattern's stages. */
static inline bool mt_is_han_or_kana(mt_char c) {
    return c.length == 3 &&
           ((c.code_point >= 0x4E00 && c.code_point <= 0x9FA5) || (c.code_point >= 0x3040 && c.code_point <= 0x30FF));
}

static inline bool mt_is_word_in_stages(mt_class cls) {
    return mt_is_letter(cls) || cls == MT_MARK;
}

static inline bool mt_is_ascii_letter(uint8_t byte) {
    return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
}

/* The character at text[at] as a piece sees it: with stages, what belongs to another one is the end of the text. */
static inline mt_char mt_next_char(const mt_pattern *p, const uint8_t *text, size_t at, size_t end, bool kana) {
    mt_char c = mt_char_at(text, at, end);
    if (p->in_stages && (c.cls == MT_NUMBER || mt_is_han_or_kana(c) != kana)) {
        c.cls = MT_END;
    }
    return c;
}

/* The end of the run of letters at text[at]; `at` if there is none. */
static inline size_t mt_letters_end(const uint8_t *text, size_t at, size_t end) {
    mt_char c = mt_char_at(text, at, end);
    while (mt_is_letter(c.cls)) {
        at += c.length;
        c = mt_char_at(text, at, end);
    }
    return at;
}

/* A word by case: [upper caseless mark]* [lower caseless mark]+, or else [upper caseless mark]+ [lower ...]*.
 *
 * The first form, greedy and then backing off, ends with the small letters behind the run of capitals; without
 * any, at the last caseless letter or mark of that run; without any of those, it does not match, and the second
 * form takes the run. `strict` asks for the first form only. Returns `at` if nothing matches. */
static inline size_t mt_case_word_end(const uint8_t *text, size_t at, size_t end, bool strict) {
    size_t last_either = at; /* the end of the last character that both classes have */
    size_t run = at;
    mt_char c = mt_char_at(text, run, end);
    while (c.cls == MT_UPPER || c.cls == MT_CASELESS || c.cls == MT_MARK) {
        run += c.length;
        if (c.cls != MT_UPPER) {
            last_either = run;
        }
        c = mt_char_at(text, run, end);
    }
    if (c.cls == MT_LOWER) {
        while (c.cls == MT_LOWER || c.cls == MT_CASELESS || c.cls == MT_MARK) {
            run += c.length;
            c = mt_char_at(text, run, end);
        }
        return run;
    }
    return last_either > at || strict ? last_either : run;
}

/* The word that begins at text[at], whose first character is `first`; `at` if there is none. */
static inline size_t mt_word_end(const mt_pattern *p, const uint8_t *text, size_t at, size_t end, mt_char first) {
    bool letter = mt_is_letter(first.cls);
    bool prefix = p->any_prefix ? !letter && first.cls != MT_NEWLINE && first.cls != MT_NUMBER
                                : first.code_point == ' ' && first.cls == MT_SPACE;
    if (!p->words_by_case) {
        size_t start = prefix ? at + first.length : at;
        size_t word = prefix || letter ? mt_letters_end(text, start, end) : start;
        return word > start ? word : at;
    }
    size_t word = at;
    if (prefix) {
        size_t start = at + first.length;
        word = mt_case_word_end(text, start, end, true);
        if (word == start) {
            /* A mark may be its own word; the first form without a prefix comes before the second with one. */
            word = first.cls == MT_MARK ? start : mt_case_word_end(text, start, end, false);
            if (word == start && first.cls != MT_MARK) {
                word = at;
            }
        }
    } else if (letter) {
        word = mt_case_word_end(text, at, end, false);
    }
    if (word > at && p->contraction_ends_word) {
        return mt_contraction_end(text, word, end, p->contraction_any_case);
    }
    return word;
}

static inline size_t mt_number_end(const mt_pattern *p, const uint8_t *text, size_t at, size_t end) {
    int digits = 0;
    mt_char c = mt_char_at(text, at, end);
    while (c.cls == MT_NUMBER && (p->most_digits == 0 || digits < p->most_digits)) {
        at += c.length;
        digits++;
        c = mt_char_at(text, at, end);
    }
    return at;
}

/* Whether a character is what the pattern takes for punctuation. */
static inline bool mt_is_punctuation(const mt_pattern *p, mt_class cls) {
    return cls == MT_SIGN || (!p->in_stages && (cls == MT_OTHER || cls == MT_MARK));
}

static inline size_t mt_punctuation_end(const mt_pattern *p, const uint8_t *text, size_t at, size_t end, bool kana) {
    mt_char c = mt_next_char(p, text, at, end, kana);
    while (mt_is_punctuation(p, c.cls)) {
        at += c.length;
        c = mt_next_char(p, text, at, end, kana);
    }
    if (p->punctuation_tail != MT_TAIL_NONE && !kana) {
        bool slashes = p->punctuation_tail == MT_TAIL_NEWLINES_AND_SLASHES;
        while (at < end && (text[at] == '\n' || text[at] == '\r' || (slashes && text[at] == '/'))) {
            at++;
        }
    }
    return at;
}

static inline size_t mt_white_space_end(const mt_pattern *p, const uint8_t *text, size_t at, size_t end, bool kana) {
    size_t run = at;
    size_t last = at;            /* where the last character of the run begins */
    size_t after_newline = at;   /* the end of its last newline */
    mt_char c = mt_next_char(p, text, run, end, kana);
    while (mt_is_white_space(c.cls)) {
        last = run;
        run += c.length;
        if (c.cls == MT_NEWLINE) {
            after_newline = run;
        }
        c = mt_next_char(p, text, run, end, kana);
    }
    if (c.cls == MT_END && (p->space_to_end_first || !p->newline_ends_space || after_newline == at)) {
        return run;
    }
    if (p->newline_ends_space && after_newline > at) {
        return after_newline;
    }
    return last > at ? last : run;
}

/* What only a pattern in stages has at text[at], whose first character is neither number nor white space that no word
 * follows: a word, or characters of no class; `at` if it is something else. */
static inline size_t mt_staged_word_end(
    const mt_pattern *p, const uint8_t *text, size_t at, size_t end, bool kana, mt_char first
) {
    if (first.cls == MT_SIGN) {
        size_t word = at + 1;
        while (text[at] < 0x80 && word < end && mt_is_ascii_letter(text[word])) {
            word++;
        }
        return word > at + 1 ? word : at;
    }
    if (first.cls == MT_NEWLINE) {
        return at;
    }
    size_t start = mt_is_word_in_stages(first.cls) ? at : at + first.length;
    size_t run = start;
    mt_char c = mt_next_char(p, text, run, end, kana);
    while (mt_is_word_in_stages(c.cls)) {
        run += c.length;
        c = mt_next_char(p, text, run, end, kana);
    }
    if (run > start || first.cls == MT_SPACE) {
        return run > start ? run : at;
    }
    /* Of no class: up to the last of them if that is the prefix of a word. */
    size_t last = at;
    while (c.cls == MT_OTHER) {
        last = run;
        run += c.length;
        c = mt_next_char(p, text, run, end, kana);
    }
    return last > at && mt_is_word_in_stages(c.cls) ? last : run;
}

/* Where a piece of spaces, and all up to the next ones, ends; or before that, where letters and signs meet. */
static inline size_t mt_spaced_end(const mt_pattern *p, const uint8_t *text, size_t at, size_t end) {
    while (at < end && text[at] == ' ') {
        at++;
    }
    for (at++; at < end && text[at] != ' '; at++) {
        bool both_ascii = ((text[at - 1] | text[at]) & 0x80) == 0;
        if (p->signs_apart && both_ascii && mt_is_ascii_letter(text[at - 1]) != mt_is_ascii_letter(text[at])) {
            return at;
        }
    }
    return at < end ? at : end;
}

/* Where the piece that begins at text[at] ends. `at` < `end`; the text ends at `end`. */
static inline size_t mt_piece_end(const mt_pattern *p, const uint8_t *text, size_t at, size_t end) {
    if (p->only_spaces) {
        return mt_spaced_end(p, text, at, end);
    }
    if (p->contraction_is_piece) {
        size_t contraction = mt_contraction_end(text, at, end, p->contraction_any_case);
        if (contraction > at) {
            return contraction;
        }
    }
    mt_char first = mt_char_at(text, at, end);
    if (first.cls == MT_NUMBER) {
        return mt_number_end(p, text, at, end);
    }
    bool kana = p->in_stages && mt_is_han_or_kana(first);
    size_t word = p->in_stages ? mt_staged_word_end(p, text, at, end, kana, first)
                               : mt_word_end(p, text, at, end, first);
    if (word > at) {
        return word;
    }
    size_t start = at;
    mt_class cls = first.cls;
    if (first.cls == MT_SPACE && first.code_point == ' ') {
        start = at + 1;
        cls = mt_next_char(p, text, start, end, kana).cls;
        if (cls == MT_NUMBER && p->most_digits == 0) {
            return mt_number_end(p, text, start, end);
        }
    }
    if (mt_is_punctuation(p, cls)) {
        return mt_punctuation_end(p, text, start, end, kana);
    }
    return mt_white_space_end(p, text, at, end, kana);
}

#endif
