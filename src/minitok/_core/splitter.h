/* A text, cut into pieces a window at a time.
 *
 * `mt_split_next` gives runs of pieces: by the arithmetic of window.h where that gets anywhere, else one piece by
 * the scanner of scanner.h. A run is where it begins, a mask of the beginnings of its pieces, and its length. So that
 * consumers may load 16 bytes wherever a short piece begins, and windows 64, the last bytes of a text are split in
 * a copy that zeros follow: nothing behind a text is ever read. */
#ifndef MINITOK_SPLITTER_H
#define MINITOK_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bits.h"
#include "block.h"
#include "pattern.h"
#include "scanner.h"
#include "window.h"

/* What may be read at the beginning of a window: the window, and the 16 bytes at its last piece. */
#define MT_READABLE (MT_BLOCK + 16)

typedef uint64_t (*mt_window_function)(mt_block_classifier classify, const uint8_t *text, size_t left);

/* One function for each pattern, so that its parameters are constants in it. */
static uint64_t mt_window_starts_r50k(mt_block_classifier classify, const uint8_t *text, size_t left) {
    return mt_window_starts(&mt_patterns[MT_R50K], classify, text, left);
}

static uint64_t mt_window_starts_cl100k(mt_block_classifier classify, const uint8_t *text, size_t left) {
    return mt_window_starts(&mt_patterns[MT_CL100K], classify, text, left);
}

static uint64_t mt_window_starts_o200k(mt_block_classifier classify, const uint8_t *text, size_t left) {
    return mt_window_starts(&mt_patterns[MT_O200K], classify, text, left);
}

static uint64_t mt_window_starts_llama3(mt_block_classifier classify, const uint8_t *text, size_t left) {
    return mt_window_starts(&mt_patterns[MT_LLAMA3], classify, text, left);
}

static uint64_t mt_window_starts_qwen2(mt_block_classifier classify, const uint8_t *text, size_t left) {
    return mt_window_starts(&mt_patterns[MT_QWEN2], classify, text, left);
}

static uint64_t mt_window_starts_tekken(mt_block_classifier classify, const uint8_t *text, size_t left) {
    return mt_window_starts(&mt_patterns[MT_TEKKEN], classify, text, left);
}

static uint64_t mt_window_starts_deepseek(mt_block_classifier classify, const uint8_t *text, size_t left) {
    return mt_window_starts(&mt_patterns[MT_DEEPSEEK], classify, text, left);
}

/* Where a space is that no space is before: all of that is certain, whatever follows. */
static uint64_t mt_window_starts_spaces(mt_block_classifier classify, const uint8_t *text, size_t left) {
    mt_block block;
    (void)left;
    classify(text, &block);
    return (block.space & ~(block.space << 1)) | 1;
}

static uint64_t mt_window_starts_spaces_signs(mt_block_classifier classify, const uint8_t *text, size_t left) {
    mt_block block;
    (void)left;
    classify(text, &block);
    uint64_t sign = ~(block.letter | block.high | block.space);
    uint64_t between = (block.letter & (sign << 1)) | (sign & (block.letter << 1));
    return (block.space & ~(block.space << 1)) | between | 1;
}

static const mt_window_function mt_window_functions[MT_PATTERNS] = {
    [MT_R50K] = mt_window_starts_r50k,
    [MT_CL100K] = mt_window_starts_cl100k,
    [MT_O200K] = mt_window_starts_o200k,
    [MT_LLAMA3] = mt_window_starts_llama3,
    [MT_QWEN2] = mt_window_starts_qwen2,
    [MT_TEKKEN] = mt_window_starts_tekken,
    [MT_DEEPSEEK] = mt_window_starts_deepseek,
    [MT_SPACES] = mt_window_starts_spaces,
    [MT_SPACES_SIGNS] = mt_window_starts_spaces_signs,
};

typedef struct {
    const mt_pattern *pattern;    /* NULL: the text is one piece */
    mt_window_function starts_in; /* NULL: the scanner alone */
    mt_block_classifier classify;
    const uint8_t *text;          /* the whole text, or its copied end */
    size_t at;
    size_t length;
    bool copied;
    uint8_t end[2 * MT_READABLE]; /* the copy: what is left when no more than MT_READABLE are */
} mt_splitter;

typedef struct {
    const uint8_t *text;
    uint64_t starts; /* bit 0 is set */
    size_t length;   /* of all pieces together */
    bool padded;     /* 16 bytes may be read where any piece begins */
} mt_piece_run;

/* Split a text. `classify` NULL: by the scanner alone. */
static inline void mt_splitter_init(
    mt_splitter *s, const mt_pattern *p, mt_block_classifier classify, const uint8_t *text, size_t length
) {
    s->pattern = p;
    s->starts_in = p != NULL && classify != NULL ? mt_window_functions[p - mt_patterns] : NULL;
    s->classify = classify;
    s->text = text;
    s->at = 0;
    s->length = length;
    s->copied = false;
}

/* The length of a piece that is longer than a window, where only spaces and signs cut: whether a piece begins at a byte
 * is said by that byte and the one before it, so that windows that share a byte tell of all. */
static inline size_t mt_spaced_length(const mt_splitter *s, const uint8_t *text, size_t left) {
    size_t at = 0;
    for (; left - at >= MT_READABLE; at += MT_BLOCK - 1) {
        uint64_t starts = s->starts_in(s->classify, text + at, left - at) ^ 1;
        if (starts) {
            return at + (size_t)mt_lowest_bit(starts);
        }
    }
    return mt_piece_end(s->pattern, text, at, left);
}

/* The next pieces; false at the end of the text. */
static inline bool mt_split_next(mt_splitter *s, mt_piece_run *run) {
    size_t left = s->length - s->at;
    if (left == 0) {
        return false;
    }
    if (left < MT_READABLE && !s->copied && s->pattern != NULL) {
        memcpy(s->end, s->text + s->at, left);
        memset(s->end + left, 0, sizeof s->end - left);
        s->text = s->end;
        s->at = 0;
        s->length = left;
        s->copied = true;
    }
    run->text = s->text + s->at;
    run->padded = s->copied || left >= MT_READABLE;
    if (s->starts_in != NULL) {
        uint64_t starts = s->starts_in(s->classify, run->text, left);
        if (starts > 1) {
            int end = mt_highest_bit(starts);
            run->starts = starts ^ (uint64_t)1 << end;
            run->length = (size_t)end;
            s->at += run->length;
            return true;
        }
    }
    run->starts = 1;
    if (s->pattern == NULL) {
        run->length = left;
    } else if (s->pattern->only_spaces && s->starts_in != NULL) {
        run->length = mt_spaced_length(s, run->text, left);
    } else {
        run->length = mt_piece_end(s->pattern, run->text, 0, left);
    }
    s->at += run->length;
    return true;
}

#endif
