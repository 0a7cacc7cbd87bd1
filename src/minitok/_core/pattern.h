/* The named split patterns, as parameters of one scanner. Their regular expressions are in patterns.py. */
#ifndef MINITOK_PATTERN_H
#define MINITOK_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef enum {
    MT_TAIL_NONE,                /* punctuation ends with its last character */
    MT_TAIL_NEWLINES,            /* [\r\n]* belongs to it */
    MT_TAIL_NEWLINES_AND_SLASHES /* [\r\n/]* belongs to it */
} mt_punctuation_tail;

typedef struct {
    const char *name;
    bool contraction_is_piece;  /* 's, 'll and the like are pieces */
    bool contraction_ends_word; /* they belong to the word before them */
    bool contraction_any_case;  /* in capitals too */
    bool any_prefix;            /* a word may begin with any character but newline, letter, number; else with U+0020 */
    bool words_by_case;         /* a word is capitals, then small letters; marks are part of it */
    int most_digits;            /* a number has at most so many; 0: any number, and it may begin with U+0020 */
    mt_punctuation_tail punctuation_tail;
    bool newline_ends_space;    /* white space up to the last newline of a run is a piece */
    bool space_to_end_first;    /* but at the end of the text a whole run of white space is one */
    bool in_stages;             /* numbers are cut out first, then runs of Han and kana, and only what is left between
                                   them by the rest, to which they are the end of the text: words have marks;
                                   one ASCII punctuation character begins a word of ASCII letters; what is neither
                                   letter, mark, number, punctuation, symbol nor white space may be a word's prefix,
                                   and is else a piece of its own kind */
    bool only_spaces;           /* a piece is any number of U+0020, then anything else up to the next: all there is */
    bool signs_apart;           /* but cut between an ASCII letter and any ASCII character that is none */
} mt_pattern;

enum { MT_R50K, MT_CL100K, MT_O200K, MT_LLAMA3, MT_QWEN2, MT_TEKKEN, MT_DEEPSEEK, MT_SPACES, MT_SPACES_SIGNS, MT_PATTERNS };

static const mt_pattern mt_patterns[MT_PATTERNS] = {
    [MT_R50K] =
    {.name = "r50k",
     .contraction_is_piece = true,
     .punctuation_tail = MT_TAIL_NONE},
    [MT_CL100K] =
    {.name = "cl100k",
     .contraction_is_piece = true,
     .contraction_any_case = true,
     .any_prefix = true,
     .most_digits = 3,
     .punctuation_tail = MT_TAIL_NEWLINES,
     .newline_ends_space = true,
     .space_to_end_first = true},
    [MT_O200K] =
    {.name = "o200k",
     .contraction_ends_word = true,
     .contraction_any_case = true,
     .any_prefix = true,
     .words_by_case = true,
     .most_digits = 3,
     .punctuation_tail = MT_TAIL_NEWLINES_AND_SLASHES,
     .newline_ends_space = true},
    [MT_LLAMA3] =
    {.name = "llama3",
     .contraction_is_piece = true,
     .contraction_any_case = true,
     .any_prefix = true,
     .most_digits = 3,
     .punctuation_tail = MT_TAIL_NEWLINES,
     .newline_ends_space = true},
    [MT_QWEN2] =
    {.name = "qwen2",
     .contraction_is_piece = true,
     .contraction_any_case = true,
     .any_prefix = true,
     .most_digits = 1,
     .punctuation_tail = MT_TAIL_NEWLINES,
     .newline_ends_space = true},
    [MT_TEKKEN] =
    {.name = "tekken",
     .any_prefix = true,
     .words_by_case = true,
     .most_digits = 1,
     .punctuation_tail = MT_TAIL_NEWLINES_AND_SLASHES,
     .newline_ends_space = true},
    [MT_DEEPSEEK] =
    {.name = "deepseek",
     .most_digits = 3,
     .punctuation_tail = MT_TAIL_NEWLINES,
     .newline_ends_space = true,
     .in_stages = true},
    [MT_SPACES] =
    {.name = "spaces",
     .only_spaces = true},
    [MT_SPACES_SIGNS] =
    {.name = "spaces_signs",
     .only_spaces = true,
     .signs_apart = true},
};

/* The pattern of a name; NULL if the scanner does not know it. */
static inline const mt_pattern *mt_find_pattern(const char *name) {
    for (size_t i = 0; i < sizeof mt_patterns / sizeof mt_patterns[0]; i++) {
        if (strcmp(mt_patterns[i].name, name) == 0) {
            return &mt_patterns[i];
        }
    }
    return NULL;
}

#endif
