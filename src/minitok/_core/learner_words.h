/* The words that are learnt from, as cells, and how often each occurs. `_pylearn` tells the layout.
 *
 * A block of records is first surveyed, when it is added, and laid out when all have been: sorted by count, the words
 * of one count are one run, and the count of a place is found among few. Where the order of the words decides ties
 * they stay in it, and a run is as long as it happens to be: there may be as many as words, so that an index tells for
 * every 64th cell which run it is in. */
#ifndef MINITOK_LEARNER_WORDS_H
#define MINITOK_LEARNER_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "records.h"
#include "status.h"

/* A cell of the index of runs stands for so many cells, as a power of two. */
#define MT_RUN_INDEX_BITS 6
#define MT_INSIDE (-1)
#define MT_BOUNDARY INT32_MIN

/* What a piece begins as: its bytes as symbols, each of one byte; or, where `lengths` is not NULL, symbols that stand
 * in the place of its bytes, in four bytes each, and have these lengths. */
typedef struct {
    int32_t of_byte[256];
    const uint32_t *lengths;
} mt_symbols;

/* What blocks have in them. */
typedef struct {
    size_t words;
    uint64_t total;    /* symbols, each as often as its word occurs */
    size_t cell_count; /* for the words that occur, each with a boundary behind it */
    size_t run_count;  /* in the order in which they came */
    uint64_t last_count;
} mt_survey;

/* Words of one count that stand side by side. */
typedef struct {
    size_t first; /* the cell where they begin; while words are laid out, where the next one goes */
    uint64_t count;
} mt_count_run;

typedef struct {
    int32_t *cells;
    size_t cell_count;
    mt_count_run *runs;
    size_t run_count;
    size_t run_room;
    uint32_t *run_index; /* of words that are not sorted; NULL if they are */
    uint32_t *slots; /* count -> index into `runs`, or UINT32_MAX; while words that are sorted are laid out */
    size_t slot_mask;
} mt_words;

static inline void mt_words_free(mt_words *w) {
    free(w->cells);
    free(w->runs);
    free(w->run_index);
    free(w->slots);
    memset(w, 0, sizeof *w);
}

/* How many symbols a word has. */
static inline size_t mt_word_length(const mt_symbols *symbols, const mt_record *record) {
    return symbols->lengths == NULL ? record->length : record->length / sizeof(uint32_t);
}

static inline uint32_t mt_word_symbol(const mt_record *record, size_t i) {
    uint32_t symbol;
    memcpy(&symbol, record->piece + i * sizeof symbol, sizeof symbol);
    return symbol;
}

static inline size_t mt_cells_of(const mt_symbols *symbols, const mt_record *record) {
    if (symbols->lengths == NULL) {
        return record->length;
    }
    size_t cells = 0;
    for (size_t i = 0; i < mt_word_length(symbols, record); i++) {
        cells += symbols->lengths[mt_word_symbol(record, i)];
    }
    return cells;
}

/* Survey one more block. If that fails the survey is as before. */
static inline mt_status mt_survey_block(mt_survey *survey, const mt_symbols *symbols, mt_record_reader block) {
    mt_survey s = *survey;
    while (block.at < block.size) {
        mt_record record;
        mt_status status = mt_record_read(&block, &record);
        if (status != MT_OK) {
            return status;
        }
        s.words++;
        if (record.count == 0 || record.length == 0) {
            continue;
        }
        size_t length = mt_word_length(symbols, &record);
        if (record.count > (MT_MOST_COUNT - s.total) / length) {
            return MT_TOO_MANY;
        }
        s.total += record.count * length;
        s.cell_count += mt_cells_of(symbols, &record) + 1;
        s.run_count += record.count != s.last_count;
        s.last_count = record.count;
    }
    *survey = s;
    return MT_OK;
}

/* -- Runs of a sorted layout -------------------------------------------------------------------------------------- */

static inline size_t mt_run_slot(const mt_words *w, uint64_t count) {
    size_t slot = mt_mix(count) & w->slot_mask;
    while (w->slots[slot] != UINT32_MAX && w->runs[w->slots[slot]].count != count) {
        slot = (slot + 1) & w->slot_mask;
    }
    return slot;
}

static inline void mt_index_runs(mt_words *w) {
    memset(w->slots, 0xFF, (w->slot_mask + 1) * sizeof *w->slots);
    for (size_t i = 0; i < w->run_count; i++) {
        w->slots[mt_run_slot(w, w->runs[i].count)] = (uint32_t)i;
    }
}

static inline mt_status mt_grow_runs(mt_words *w) {
    size_t room = 2 * w->run_room + 64;
    size_t slot_count = mt_slots_for(room);
    mt_count_run *runs = realloc(w->runs, room * sizeof *runs);
    if (runs == NULL) {
        return MT_NO_MEMORY;
    }
    w->runs = runs;
    uint32_t *slots = malloc(slot_count * sizeof *slots);
    if (slots == NULL) {
        return MT_NO_MEMORY;
    }
    free(w->slots);
    w->slots = slots;
    w->slot_mask = slot_count - 1;
    w->run_room = room;
    mt_index_runs(w);
    return MT_OK;
}

/* First pass over a block of what will be sorted: how many cells the words of each count take (in `first`). */
static inline mt_status mt_measure_runs(mt_words *w, const mt_symbols *symbols, mt_record_reader block) {
    while (block.at < block.size) {
        mt_record record;
        mt_status status = mt_record_read(&block, &record);
        if (status != MT_OK) {
            return status;
        }
        if (record.count == 0 || record.length == 0) {
            continue;
        }
        if (w->run_count == w->run_room && (status = mt_grow_runs(w)) != MT_OK) {
            return status;
        }
        size_t slot = mt_run_slot(w, record.count);
        if (w->slots[slot] == UINT32_MAX) {
            w->slots[slot] = (uint32_t)w->run_count;
            w->runs[w->run_count++] = (mt_count_run){0, record.count};
        }
        w->runs[w->slots[slot]].first += mt_cells_of(symbols, &record) + 1;
    }
    return MT_OK;
}

static inline int mt_by_falling_count(const void *a, const void *b) {
    uint64_t left = ((const mt_count_run *)a)->count, right = ((const mt_count_run *)b)->count;
    return (left < right) - (left > right);
}

/* From how many cells each run takes to where it begins. */
static inline void mt_sort_runs(mt_words *w) {
    if (w->run_count == 0) {
        return;
    }
    qsort(w->runs, w->run_count, sizeof *w->runs, mt_by_falling_count);
    size_t at = 1; /* behind the first boundary */
    for (size_t i = 0; i < w->run_count; i++) {
        size_t cells = w->runs[i].first;
        w->runs[i].first = at;
        at += cells;
    }
    mt_index_runs(w);
}

/* -- Layout ------------------------------------------------------------------------------------------------------- */

/* Room for what was surveyed, in the order in which it came unless the runs have been measured and sorted. */
static inline mt_status mt_words_reserve(mt_words *w, const mt_survey *survey, bool sorted) {
    w->cell_count = survey->cell_count + 1;
    if (w->cell_count >= UINT32_MAX) {
        return MT_TOO_LONG;
    }
    w->cells = malloc(w->cell_count * sizeof *w->cells);
    if (!sorted) {
        w->runs = malloc((survey->run_count + 1) * sizeof *w->runs);
        w->run_index = malloc(((w->cell_count >> MT_RUN_INDEX_BITS) + 1) * sizeof *w->run_index);
    }
    if (w->cells == NULL || (!sorted && (w->runs == NULL || w->run_index == NULL))) {
        return MT_NO_MEMORY;
    }
    w->cells[0] = MT_BOUNDARY;
    return MT_OK;
}

/* Put a word at a place; where the next one goes. */
static inline size_t mt_put_word(mt_words *w, const mt_symbols *symbols, const mt_record *record, size_t at) {
    int32_t *cells = w->cells;
    for (size_t i = 0; i < mt_word_length(symbols, record); i++) {
        if (symbols->lengths == NULL) {
            cells[at++] = symbols->of_byte[record->piece[i]];
            continue;
        }
        uint32_t symbol = mt_word_symbol(record, i), length = symbols->lengths[symbol];
        for (uint32_t j = 1; j < length; j++) {
            cells[at + j] = MT_INSIDE;
        }
        if (length > 1) {
            cells[at + length - 1] = -(int32_t)length;
        }
        cells[at] = (int32_t)symbol;
        at += length;
    }
    cells[at] = MT_BOUNDARY;
    return at + 1;
}

/* Put the words of a block; *at is where the next one goes if they stay in their order. */
static inline mt_status mt_put_block(
    mt_words *w, const mt_symbols *symbols, mt_record_reader block, bool sorted, size_t *at
) {
    while (block.at < block.size) {
        mt_record record;
        mt_status status = mt_record_read(&block, &record);
        if (status != MT_OK) {
            return status;
        }
        if (record.count == 0 || record.length == 0) {
            continue;
        }
        if (sorted) {
            mt_count_run *run = &w->runs[w->slots[mt_run_slot(w, record.count)]];
            run->first = mt_put_word(w, symbols, &record, run->first);
        } else {
            if (w->run_count == 0 || w->runs[w->run_count - 1].count != record.count) {
                w->runs[w->run_count++] = (mt_count_run){*at, record.count};
            }
            *at = mt_put_word(w, symbols, &record, *at);
        }
    }
    return MT_OK;
}

/* When all blocks have been put: sorted runs say again where they begin, and others get their index. */
static inline void mt_finish_layout(mt_words *w, bool sorted) {
    free(w->slots);
    w->slots = NULL;
    size_t first = 1, cell = 0;
    for (size_t i = 0; i < w->run_count && sorted; i++) {
        size_t end = w->runs[i].first;
        w->runs[i].first = first;
        first = end;
    }
    for (size_t i = 0; i < w->run_count && !sorted; i++) {
        size_t end = i + 1 < w->run_count ? w->runs[i + 1].first : w->cell_count;
        for (; cell << MT_RUN_INDEX_BITS < end; cell++) {
            w->run_index[cell] = (uint32_t)i;
        }
    }
}

/* -- Reading ------------------------------------------------------------------------------------------------------ */

/* How often the words around a place occur. Places that are asked for in ascending order move *run along. */
static inline uint64_t mt_count_at(const mt_words *w, size_t place, size_t *run) {
    if (w->run_index != NULL) {
        size_t at = w->run_index[place >> MT_RUN_INDEX_BITS];
        while (at + 1 < w->run_count && w->runs[at + 1].first <= place) {
            at++;
        }
        return w->runs[at].count;
    }
    size_t low = *run, high = low + 1, step = 1;
    while (high < w->run_count && w->runs[high].first <= place) {
        low = high;
        high += step;
        step *= 2;
    }
    high = high < w->run_count ? high : w->run_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (w->runs[middle].first <= place) {
            low = middle;
        } else {
            high = middle;
        }
    }
    *run = low;
    return w->runs[low].count;
}

/* Where the symbol before the one at `at` begins; false if that is the first of its word. */
static inline bool mt_symbol_before(const mt_words *w, size_t at, size_t *before) {
    int32_t cell = w->cells[at - 1];
    if (cell == MT_BOUNDARY) {
        return false;
    }
    *before = cell >= 0 ? at - 1 : at - (size_t)(-cell);
    return true;
}

#endif
