/* Merging a long piece a block at a time.
 *
 * Two symbols side by side are at peace if their bytes, merged alone, give just these two. A row of symbols is what
 * its bytes merge to if and only if each symbol is what its own bytes merge to, and all neighbours are at peace. For
 * consider the first merge across a border of the row while all its bytes merge: up to then both sides have merged as
 * they do alone, so that the same merge would come when the two are merged alone; and the other way round. (The
 * argument is that of the library `bpe` of rust-gems, README, "Properties of BPE"; it needs no assumption about
 * ranks.)
 *
 * So blocks that are short enough for the processor's fast cache are merged apart and joined: where the symbols on
 * both sides of the join are not at peace, those next to it are merged again, more and more of them, until the new
 * ones are at peace with what is left and right of them. Mostly one or two are enough. If it takes too long, the
 * whole piece is merged by the heap instead; so the time stays below n log n, whatever the text.
 *
 * A long run of one byte needs no blocks: it is a run of one symbol M, if M is at peace with itself, and what the
 * run's end merges to, if that begins with M. */
#ifndef MINITOK_LONG_PIECE_H
#define MINITOK_LONG_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "merge.h"
#include "status.h"
#include "vocabulary.h"

/* Bytes of a block. */
#define MT_PIECE_BLOCK ((size_t)48)
/* A piece may be merged again as often as this, all blocks together, before the heap takes over. */
#define MT_MOST_WORK 8

/* Merge bytes; `symbols` has room for one for each. *count is how many there are. */
static inline mt_status mt_merge_whole(
    const mt_vocabulary *v, mt_scratch *scratch, const uint8_t *bytes, size_t length, uint32_t *symbols, size_t *count
) {
    *count = mt_first_symbols(v, bytes, length, symbols);
    if (*count > MT_SHORT_PIECE) {
        return mt_merge_long(v, scratch, symbols, *count, count);
    }
    *count = mt_merge_short(v, symbols, *count);
    return MT_OK;
}

static inline size_t mt_symbol_length(const mt_vocabulary *v, uint32_t symbol) {
    return symbol < v->token_count ? v->offsets[symbol + 1] - v->offsets[symbol] : 1;
}

/* What is known of a piece of which the beginning and the next block are merged. */
typedef struct {
    uint32_t *done; /* the symbols of the beginning */
    size_t done_count;
    const uint32_t *block;
    size_t block_count;
    const uint8_t *border; /* the bytes: where the block begins */
} mt_join;

/* Whether two symbols, whose bytes stand side by side, are at peace. `room` is for as many symbols. */
static inline mt_status mt_at_peace(
    const mt_vocabulary *v, mt_scratch *scratch, const uint8_t *bytes, uint32_t left, uint32_t right, uint32_t *room,
    bool *peace
) {
    size_t count;
    size_t length = mt_symbol_length(v, left) + mt_symbol_length(v, right);
    mt_status status = mt_merge_whole(v, scratch, bytes, length, room, &count);
    *peace = status == MT_OK && count == 2 && room[0] == left && room[1] == right;
    return status;
}

/* Append a block to what is done. `room` has room for one symbol for each byte of both, and for those of two
 * symbols more. Adds to *work the bytes that were merged. */
static inline mt_status mt_join_block(
    const mt_vocabulary *v, mt_scratch *scratch, mt_join *join, uint32_t *room, size_t *work, size_t most_work
) {
    /* How many symbols on each side of the border are merged again, and how many bytes they have. */
    size_t left = 1, right = 1, count = 0;
    size_t left_bytes = mt_symbol_length(v, join->done[join->done_count - 1]);
    size_t right_bytes = mt_symbol_length(v, join->block[0]);
    while (*work <= most_work) {
        *work += left_bytes + right_bytes;
        mt_status status = mt_merge_whole(
            v, scratch, join->border - left_bytes, left_bytes + right_bytes, room, &count
        );
        if (status != MT_OK) {
            return status;
        }
        /* An edge whose symbol is the old one is at peace as before. */
        uint32_t *apart = room + count;
        bool left_peace = left == join->done_count || room[0] == join->done[join->done_count - left];
        bool right_peace = right == join->block_count || room[count - 1] == join->block[right - 1];
        if (!left_peace) {
            uint32_t before = join->done[join->done_count - left - 1];
            const uint8_t *bytes = join->border - left_bytes - mt_symbol_length(v, before);
            status = mt_at_peace(v, scratch, bytes, before, room[0], apart, &left_peace);
        }
        if (!right_peace && status == MT_OK) {
            uint32_t last = room[count - 1];
            const uint8_t *bytes = join->border + right_bytes - mt_symbol_length(v, last);
            status = mt_at_peace(v, scratch, bytes, last, join->block[right], apart, &right_peace);
        }
        if (status != MT_OK) {
            return status;
        }
        if (left_peace && right_peace) {
            join->done_count -= left;
            memcpy(join->done + join->done_count, room, count * sizeof *room);
            join->done_count += count;
            memcpy(join->done + join->done_count, join->block + right, (join->block_count - right) * sizeof *room);
            join->done_count += join->block_count - right;
            return MT_OK;
        }
        if (!left_peace) {
            left++;
            left_bytes += mt_symbol_length(v, join->done[join->done_count - left]);
        }
        if (!right_peace) {
            right_bytes += mt_symbol_length(v, join->block[right]);
            right++;
        }
    }
    return MT_OK;
}

/* Merge a run of one byte, if that is as simple as it mostly is; *count is 0 if it is not. */
static inline mt_status mt_merge_run(
    const mt_vocabulary *v, mt_scratch *scratch, const uint8_t *bytes, size_t length, uint32_t *symbols, size_t *count
) {
    *count = 0;
    size_t sample = 4 * v->longest + 4 * MT_SHORT_PIECE;
    if (length < 2 * sample || memcmp(bytes, bytes + 1, length - 1) != 0) {
        return MT_OK;
    }
    size_t found;
    mt_status status = mt_merge_whole(v, scratch, bytes, sample, symbols, &found);
    if (status != MT_OK || found < 2 || symbols[0] != symbols[1]) {
        return status;
    }
    uint32_t symbol = symbols[0];
    size_t symbol_length = mt_symbol_length(v, symbol);
    size_t times = (length - sample) / symbol_length;
    status = mt_merge_whole(v, scratch, bytes, length - times * symbol_length, symbols + times, &found);
    if (status == MT_OK && symbols[times] == symbol) {
        for (size_t i = 0; i < times; i++) {
            symbols[i] = symbol;
        }
        *count = times + found;
    }
    return status;
}

/* Merge the bytes of a long piece; `symbols` has room for one for each. *count is how many there are. */
static mt_status mt_merge_long_piece(
    const mt_vocabulary *v, mt_scratch *heap, mt_scratch *blocks, const uint8_t *bytes, size_t length,
    uint32_t *symbols, size_t *count
) {
    mt_status status = mt_merge_run(v, heap, bytes, length, symbols, count);
    if (status != MT_OK || *count > 0) {
        return status;
    }
    uint32_t block[MT_PIECE_BLOCK];
    mt_join join = {symbols, 0, block, 0, bytes};
    size_t work = 0;
    status = mt_scratch_reserve(blocks, (length + 4 * v->longest + 4) * sizeof *symbols);
    for (size_t at = 0, size; at < length && status == MT_OK; at += size) {
        size = length - at < MT_PIECE_BLOCK ? length - at : MT_PIECE_BLOCK;
        for (int back = 0; v->characters && back < 3 && at + size < length && mt_is_continuation(bytes[at + size]);
             back++) {
            size--; /* a character that is a symbol is not cut */
        }
        join.border = bytes + at;
        status = mt_merge_whole(v, heap, join.border, size, at == 0 ? symbols : block, &join.block_count);
        if (at == 0) {
            join.done_count = join.block_count;
        } else if (status == MT_OK) {
            status = mt_join_block(v, heap, &join, blocks->memory, &work, MT_MOST_WORK * length);
        }
        if (work > MT_MOST_WORK * length) {
            return mt_merge_whole(v, heap, bytes, length, symbols, count);
        }
    }
    *count = join.done_count;
    return status;
}

#endif
