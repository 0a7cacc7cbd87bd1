/* Learning merges: the same steps as `learn_merges` of _pylearn.py, whose theory of operation holds here too.
 * Its layout of cells and its invariants are those here: `cells`, `records` (what is `totals` and `places` there) and
 * the heap; 4 bytes a cell, and 4 for each place of a pair. */
#ifndef MINITOK_LEARNER_H
#define MINITOK_LEARNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "status.h"

#define MT_INSIDE (-1)
#define MT_BOUNDARY INT32_MIN

typedef struct {
    uint64_t pair; /* left << 32 | right: orders as (left, right) does */
    int64_t count;
    uint32_t *places;
    uint32_t length;
    uint32_t capacity;
} mt_pair_record;

typedef struct {
    int64_t count;
    uint64_t pair;
} mt_candidate;

typedef struct {
    uint32_t first; /* the cell where words with this count begin */
    int64_t count;
} mt_count_run;

typedef struct {
    int32_t *cells;
    size_t cell_count;
    uint32_t *lengths; /* of each symbol, in bytes; room for all that will be learnt */
    int64_t min_frequency; /* rarer pairs have no places, and mostly no record */

    mt_count_run *runs;
    size_t run_count;

    mt_pair_record *records;
    size_t record_count;
    size_t record_capacity;
    size_t first_new; /* the records from here on were made in the present step */
    uint32_t *slots; /* pair -> index into `records`, or UINT32_MAX */
    size_t slot_mask;

    mt_candidate *heap;
    size_t heap_count;
    size_t heap_capacity;
} mt_learner;

static inline void mt_learner_free(mt_learner *l) {
    for (size_t i = 0; i < l->record_count; i++) {
        free(l->records[i].places);
    }
    free(l->cells);
    free(l->lengths);
    free(l->runs);
    free(l->records);
    free(l->slots);
    free(l->heap);
    memset(l, 0, sizeof *l);
}

/* -- Cells ------------------------------------------------------------------------------------------------------- */

/* Put a symbol at a place and tell where it ends. */
static inline size_t mt_put_symbol(mt_learner *l, size_t at, uint32_t symbol) {
    uint32_t length = l->lengths[symbol];
    for (uint32_t i = 1; i < length; i++) {
        l->cells[at + i] = MT_INSIDE;
    }
    if (length > 1) {
        l->cells[at + length - 1] = -(int32_t)length;
    }
    l->cells[at] = (int32_t)symbol;
    return at + length;
}

/* Where the symbol before the one at `at` begins; false if that is the first of its word. */
static inline bool mt_symbol_before(const mt_learner *l, size_t at, size_t *before) {
    int32_t cell = l->cells[at - 1];
    if (cell == MT_BOUNDARY) {
        return false;
    }
    *before = cell >= 0 ? at - 1 : at - (size_t)(-cell);
    return true;
}

/* How often the words around a place occur. Places that are asked for in ascending order move *run along. */
static inline int64_t mt_count_at(const mt_learner *l, uint32_t place, size_t *run) {
    size_t low = *run, high = low + 1, step = 1;
    while (high < l->run_count && l->runs[high].first <= place) {
        low = high;
        high += step;
        step *= 2;
    }
    high = high < l->run_count ? high : l->run_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (l->runs[middle].first <= place) {
            low = middle;
        } else {
            high = middle;
        }
    }
    *run = low;
    return l->runs[low].count;
}

/* -- The heap: highest count first, then the smallest pair -------------------------------------------------------- */

static inline bool mt_comes_first(mt_candidate a, mt_candidate b) {
    return a.count != b.count ? a.count > b.count : a.pair < b.pair;
}

static inline mt_status mt_heap_push(mt_learner *l, mt_candidate entry) {
    if (l->heap_count == l->heap_capacity) {
        size_t capacity = l->heap_capacity + l->heap_capacity / 2 + 1024;
        mt_candidate *heap = realloc(l->heap, capacity * sizeof *heap);
        if (heap == NULL) {
            return MT_NO_MEMORY;
        }
        l->heap = heap;
        l->heap_capacity = capacity;
    }
    size_t at = l->heap_count++;
    while (at > 0 && mt_comes_first(entry, l->heap[(at - 1) / 2])) {
        l->heap[at] = l->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    l->heap[at] = entry;
    return MT_OK;
}

/* Put an entry in the place of the first. */
static inline void mt_heap_replace(mt_learner *l, mt_candidate entry) {
    size_t at = 0;
    for (size_t child = 1; child < l->heap_count; child = 2 * at + 1) {
        if (child + 1 < l->heap_count && mt_comes_first(l->heap[child + 1], l->heap[child])) {
            child++;
        }
        if (!mt_comes_first(l->heap[child], entry)) {
            break;
        }
        l->heap[at] = l->heap[child];
        at = child;
    }
    l->heap[at] = entry;
}

static inline void mt_heap_drop(mt_learner *l) {
    if (--l->heap_count > 0) {
        mt_heap_replace(l, l->heap[l->heap_count]);
    }
}

/* -- Pairs ------------------------------------------------------------------------------------------------------- */

static inline uint64_t mt_pair_of(int32_t left, int32_t right) {
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

/* The slot of a pair: that which points to its record, or the empty one where it would be. */
static inline size_t mt_pair_slot(const mt_learner *l, uint64_t pair) {
    size_t slot = mt_mix(pair) & l->slot_mask;
    while (l->slots[slot] != UINT32_MAX && l->records[l->slots[slot]].pair != pair) {
        slot = (slot + 1) & l->slot_mask;
    }
    return slot;
}

/* The record of a pair; NULL if there is none. */
static inline mt_pair_record *mt_find_record(mt_learner *l, uint64_t pair) {
    uint32_t index = l->slots[mt_pair_slot(l, pair)];
    return index == UINT32_MAX ? NULL : &l->records[index];
}

/* Room for half as many records again. */
static inline mt_status mt_grow_records(mt_learner *l) {
    size_t capacity = l->record_capacity + l->record_capacity / 2;
    mt_pair_record *records = realloc(l->records, capacity * sizeof *records);
    if (records == NULL) {
        return MT_NO_MEMORY;
    }
    l->records = records;
    size_t slot_count = mt_slots_for(capacity);
    if (slot_count > l->slot_mask + 1) {
        uint32_t *slots = malloc(slot_count * sizeof *slots);
        if (slots == NULL) {
            return MT_NO_MEMORY;
        }
        free(l->slots);
        l->slots = slots;
        l->slot_mask = slot_count - 1;
        memset(slots, 0xFF, slot_count * sizeof *slots);
        for (size_t i = 0; i < l->record_count; i++) {
            slots[mt_pair_slot(l, records[i].pair)] = (uint32_t)i;
        }
    }
    l->record_capacity = capacity;
    return MT_OK;
}

/* The record of a pair, made if there is none yet; NULL without memory. */
static inline mt_pair_record *mt_record_of(mt_learner *l, uint64_t pair) {
    mt_pair_record *found = mt_find_record(l, pair);
    if (found != NULL) {
        return found;
    }
    if (l->record_count == l->record_capacity && mt_grow_records(l) != MT_OK) {
        return NULL;
    }
    l->slots[mt_pair_slot(l, pair)] = (uint32_t)l->record_count;
    mt_pair_record *record = &l->records[l->record_count++];
    *record = (mt_pair_record){.pair = pair};
    return record;
}

/* A pair that stands at a place now. */
static inline mt_status mt_add_place(mt_learner *l, uint64_t pair, uint32_t place, int64_t count) {
    mt_pair_record *record = mt_record_of(l, pair);
    if (record == NULL) {
        return MT_NO_MEMORY;
    }
    if (record->length == record->capacity) {
        uint32_t capacity = record->capacity + record->capacity / 2 + 2;
        uint32_t *places = realloc(record->places, capacity * sizeof *places);
        if (places == NULL) {
            return MT_NO_MEMORY;
        }
        record->places = places;
        record->capacity = capacity;
    }
    record->places[record->length++] = place;
    record->count += count;
    return MT_OK;
}

static inline void mt_forget_places(mt_pair_record *record) {
    free(record->places);
    record->places = NULL;
    record->length = record->capacity = 0;
}

static inline bool mt_stands_at(const mt_learner *l, uint64_t pair, uint32_t place) {
    int32_t left = (int32_t)(pair >> 32);
    return l->cells[place] == left && l->cells[place + l->lengths[left]] == (int32_t)(uint32_t)pair;
}

/* A pair that stood at a place and does no longer. */
static inline void mt_drop_place(mt_learner *l, uint64_t pair, int64_t count) {
    mt_pair_record *record = mt_find_record(l, pair);
    if (record == NULL) {
        return; /* it was rare from the beginning */
    }
    record->count -= count;
    if (record->places == NULL || (size_t)(record - l->records) >= l->first_new) {
        return; /* it is the pair that is being merged, or has been made in this step: it may rise yet */
    }
    if (record->count < l->min_frequency) {
        mt_forget_places(record);
    } else if ((int64_t)record->length / 2 > record->count) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < record->length; i++) {
            if (mt_stands_at(l, pair, record->places[i])) {
                record->places[kept++] = record->places[i];
            }
        }
        if (kept == 0) {
            mt_forget_places(record); /* the pair stands on the other side of the same merge too: dropped there next */
            return;
        }
        record->length = kept;
        uint32_t *places = realloc(record->places, kept * sizeof *places);
        if (places != NULL) {
            record->places = places;
            record->capacity = kept;
        }
    }
}

/* Take a record out of the table; the last one takes its place in the list. */
static inline void mt_remove_record(mt_learner *l, size_t index) {
    size_t hole = mt_pair_slot(l, l->records[index].pair);
    mt_forget_places(&l->records[index]);
    size_t last = --l->record_count;
    if (index != last) {
        l->slots[mt_pair_slot(l, l->records[last].pair)] = (uint32_t)index;
    }
    /* Close the hole: move back what was pushed beyond it. */
    for (size_t slot = (hole + 1) & l->slot_mask; l->slots[slot] != UINT32_MAX; slot = (slot + 1) & l->slot_mask) {
        size_t moved = l->slots[slot] == index ? last : l->slots[slot];
        size_t home = mt_mix(l->records[moved].pair) & l->slot_mask;
        if (((slot - home) & l->slot_mask) >= ((slot - hole) & l->slot_mask)) {
            l->slots[hole] = l->slots[slot];
            hole = slot;
        }
    }
    l->slots[hole] = UINT32_MAX;
    if (index != last) {
        l->records[index] = l->records[last];
    }
}

/* Put the pairs of the present step on the heap, as their counts are known now. The rare ones, which are most, are
 * not kept at all. */
static inline mt_status mt_offer_new(mt_learner *l) {
    mt_status status = MT_OK;
    while (l->first_new < l->record_count && status == MT_OK) {
        mt_pair_record *record = &l->records[l->first_new];
        if (record->count < l->min_frequency) {
            mt_remove_record(l, l->first_new);
        } else {
            status = mt_heap_push(l, (mt_candidate){record->count, record->pair});
            l->first_new++;
        }
    }
    return status;
}

/* -- Steps ------------------------------------------------------------------------------------------------------- */

/* Room for `cell_count` cells (words, and a boundary before, between and behind them) and symbols of `symbols`. */
static inline mt_status mt_learner_init(
    mt_learner *l, size_t cell_count, size_t run_count, size_t symbols, int64_t min_frequency
) {
    memset(l, 0, sizeof *l);
    l->min_frequency = min_frequency;
    if (cell_count >= UINT32_MAX) {
        return MT_TOO_LONG;
    }
    l->cell_count = cell_count;
    l->record_capacity = 1024;
    l->slot_mask = mt_slots_for(l->record_capacity) - 1;
    l->cells = malloc(cell_count * sizeof *l->cells);
    l->lengths = calloc(symbols + 1, sizeof *l->lengths);
    l->runs = malloc((run_count + 1) * sizeof *l->runs);
    l->records = malloc(l->record_capacity * sizeof *l->records);
    l->slots = malloc((l->slot_mask + 1) * sizeof *l->slots);
    if (!l->cells || !l->lengths || !l->runs || !l->records || !l->slots) {
        mt_learner_free(l);
        return MT_NO_MEMORY;
    }
    memset(l->slots, 0xFF, (l->slot_mask + 1) * sizeof *l->slots);
    return MT_OK;
}

/* Find all pairs in the cells. */
static inline mt_status mt_learner_start(mt_learner *l) {
    mt_status status = MT_OK;
    size_t run = 0;
    for (size_t at = 0; at < l->cell_count;) {
        if (l->cells[at] < 0) {
            at++;
            continue;
        }
        size_t next = at + l->lengths[l->cells[at]];
        if (l->cells[next] >= 0) {
            int64_t count = mt_count_at(l, (uint32_t)at, &run);
            status = mt_add_place(l, mt_pair_of(l->cells[at], l->cells[next]), (uint32_t)at, count);
            if (status != MT_OK) {
                return status;
            }
        }
        at = next;
    }
    return mt_offer_new(l);
}

/* The best pair, which stays first in the heap; false if there is none. */
static inline bool mt_learner_best(mt_learner *l, mt_candidate *best) {
    while (l->heap_count > 0) {
        *best = l->heap[0];
        mt_pair_record *record = mt_find_record(l, best->pair);
        if (record->count == best->count) {
            return true;
        }
        if (record->count >= l->min_frequency) {
            mt_heap_replace(l, (mt_candidate){record->count, record->pair});
        } else {
            mt_heap_drop(l);
        }
    }
    return false;
}

/* Merge a pair everywhere into the symbol `made`, whose length is known. */
static inline mt_status mt_learner_merge(mt_learner *l, uint64_t pair, int32_t made) {
    int32_t left = (int32_t)(pair >> 32), right = (int32_t)(uint32_t)pair;
    mt_pair_record *record = mt_find_record(l, pair); /* it is on the heap, so there is one */
    uint32_t *places = record->places;
    uint32_t length = record->length;
    record->places = NULL;
    record->length = record->capacity = 0;
    mt_status status = MT_OK;
    l->first_new = l->record_count; /* every pair that this step makes has the new symbol: its record is new */
    size_t run = 0;
    for (uint32_t i = 0; i < length && status == MT_OK; i++) {
        size_t at = places[i];
        if (!mt_stands_at(l, pair, places[i])) {
            continue;
        }
        size_t second = at + l->lengths[left];
        size_t end = second + l->lengths[right];
        int64_t count = mt_count_at(l, (uint32_t)at, &run);
        l->cells[second] = MT_INSIDE;
        l->cells[end - 1] = -(int32_t)(end - at);
        l->cells[at] = made;
        size_t before;
        if (mt_symbol_before(l, at, &before)) {
            mt_drop_place(l, mt_pair_of(l->cells[before], left), count);
            status = mt_add_place(l, mt_pair_of(l->cells[before], made), (uint32_t)before, count);
        }
        if (l->cells[end] >= 0 && status == MT_OK) {
            mt_drop_place(l, mt_pair_of(right, l->cells[end]), count);
            status = mt_add_place(l, mt_pair_of(made, l->cells[end]), (uint32_t)at, count);
        }
    }
    free(places);
    mt_find_record(l, pair)->count = 0;
    return status == MT_OK ? mt_offer_new(l) : status;
}

#endif
