/* The pairs that a learner may merge yet: how often each stands in the words, and where.
 *
 * A record is found by its number, which it keeps, or by its pair, through a table of slots. The places of a pair are
 * known when its record is made, in ascending order, and are never added to. Some become outdated. To look for them is
 * as dear as to come across them later, so they are dropped only when all lists together are longer than at first. One or two places stand in the record itself: most pairs have no more.
 *
 * A pair that has become rare loses its slot and its places, and is dead; its record is used again when the queue,
 * which knows records by their numbers, has come across it. */
#ifndef MINITOK_PAIR_TABLE_H
#define MINITOK_PAIR_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "hash.h"
#include "learner_words.h"
#include "status.h"

#define MT_NO_RECORD UINT32_MAX
#define MT_FEW_PLACES 2
/* So many places ahead memory is asked for. */
#define MT_PLACES_AHEAD 12

/* So many that they stand here, or a list. */
typedef union {
    uint32_t few[MT_FEW_PLACES];
    uint32_t *list;
} mt_places;

typedef struct {
    uint64_t pair;  /* left << 32 | right: orders as (left, right) does */
    int64_t count;  /* 0: dead, or free */
    mt_places places;
    uint32_t length;   /* places, outdated ones included; of a free record, the next free one */
    uint32_t outdated; /* how many are known to be so; where the first place decides ties, the first ones */
} mt_pair_record;

typedef struct {
    mt_pair_record *records;
    uint32_t count; /* free ones included */
    uint32_t room;
    uint32_t used;
    uint32_t free; /* the first free one */
    uint32_t *slots; /* pair -> record */
    size_t slot_mask;
    size_t held;      /* places of all records, outdated ones included */
    size_t held_first; /* when learning began */
} mt_pair_table;

static inline uint64_t mt_pair_of(uint32_t left, uint32_t right) {
    return (uint64_t)left << 32 | right;
}

static inline uint32_t mt_left_of(uint64_t pair) {
    return (uint32_t)(pair >> 32);
}

static inline uint32_t mt_right_of(uint64_t pair) {
    return (uint32_t)pair;
}

/* Room for the places of a record whose length is set. */
static inline mt_status mt_allocate_places(mt_pair_record *record) {
    if (record->length > MT_FEW_PLACES) {
        record->places.list = malloc(record->length * sizeof *record->places.list);
        if (record->places.list == NULL) {
            return MT_NO_MEMORY;
        }
    }
    return MT_OK;
}

static inline uint32_t *mt_places_of(mt_pair_record *record) {
    return record->length > MT_FEW_PLACES ? record->places.list : record->places.few;
}

static inline void mt_forget_places(mt_pair_table *t, mt_pair_record *record) {
    if (record->length > MT_FEW_PLACES) {
        free(record->places.list);
    }
    t->held -= record->length;
    record->length = record->outdated = 0;
}

static inline void mt_pair_table_free(mt_pair_table *t) {
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->records[i].count > 0) {
            mt_forget_places(t, &t->records[i]);
        }
    }
    free(t->records);
    free(t->slots);
    memset(t, 0, sizeof *t);
}

static inline size_t mt_pair_home(const mt_pair_table *t, uint64_t pair) {
    return mt_mix(pair) & t->slot_mask;
}

/* The record of a pair, or MT_NO_RECORD. */
static inline uint32_t mt_find_pair(const mt_pair_table *t, uint64_t pair) {
    for (size_t slot = mt_pair_home(t, pair);; slot = (slot + 1) & t->slot_mask) {
        uint32_t record = t->slots[slot];
        if (record == MT_NO_RECORD || t->records[record].pair == pair) {
            return record;
        }
    }
}

static inline void mt_index_pair(mt_pair_table *t, uint32_t record) {
    size_t slot = mt_pair_home(t, t->records[record].pair);
    while (t->slots[slot] != MT_NO_RECORD) {
        slot = (slot + 1) & t->slot_mask;
    }
    t->slots[slot] = record;
}

static inline mt_status mt_pair_table_resize(mt_pair_table *t, size_t slot_count) {
    uint32_t *slots = malloc(slot_count * sizeof *slots);
    if (slots == NULL) {
        return MT_NO_MEMORY;
    }
    free(t->slots);
    t->slots = slots;
    t->slot_mask = slot_count - 1;
    memset(slots, 0xFF, slot_count * sizeof *slots);
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->records[i].count > 0) {
            mt_index_pair(t, i);
        }
    }
    return MT_OK;
}

static inline mt_status mt_pair_table_init(mt_pair_table *t) {
    t->free = MT_NO_RECORD;
    return mt_pair_table_resize(t, 1024);
}

/* A new record, for a pair that has none; it must get a count at once. MT_NO_RECORD without memory. */
static inline uint32_t mt_add_pair_record(mt_pair_table *t, uint64_t pair) {
    if (2 * ((size_t)t->used + 1) > t->slot_mask + 1 && mt_pair_table_resize(t, 2 * (t->slot_mask + 1)) != MT_OK) {
        return MT_NO_RECORD;
    }
    uint32_t index = t->free;
    if (index != MT_NO_RECORD) {
        t->free = t->records[index].length;
    } else {
        if (t->count == t->room) {
            uint32_t more = t->room / 2 + 512;
            if (more >= MT_NO_RECORD - t->room) {
                return MT_NO_RECORD;
            }
            mt_pair_record *records = realloc(t->records, (t->room + (size_t)more) * sizeof *records);
            if (records == NULL) {
                return MT_NO_RECORD;
            }
            t->records = records;
            t->room += more;
        }
        index = t->count++;
    }
    t->records[index] = (mt_pair_record){.pair = pair};
    mt_index_pair(t, index);
    t->used++;
    return index;
}

/* The pair will not be merged any more, or has been. */
static inline void mt_kill_pair(mt_pair_table *t, uint32_t record) {
    size_t hole = mt_pair_home(t, t->records[record].pair);
    while (t->slots[hole] != record) {
        hole = (hole + 1) & t->slot_mask;
    }
    /* Close the hole: move back what was pushed beyond it. */
    for (size_t slot = (hole + 1) & t->slot_mask; t->slots[slot] != MT_NO_RECORD; slot = (slot + 1) & t->slot_mask) {
        size_t home = mt_pair_home(t, t->records[t->slots[slot]].pair);
        if (((slot - home) & t->slot_mask) >= ((slot - hole) & t->slot_mask)) {
            t->slots[hole] = t->slots[slot];
            hole = slot;
        }
    }
    t->slots[hole] = MT_NO_RECORD;
    mt_forget_places(t, &t->records[record]);
    t->records[record].count = 0;
    t->used--;
}

/* Nobody knows this dead record any more. */
static inline void mt_free_record(mt_pair_table *t, uint32_t record) {
    t->records[record].length = t->free;
    t->free = record;
}

/* -- Places ------------------------------------------------------------------------------------------------------- */

typedef struct {
    int32_t left, right;
    size_t left_length;
} mt_pair_shape;

static inline bool mt_stands_at(const mt_words *w, mt_pair_shape shape, uint32_t place) {
    return w->cells[place] == shape.left && w->cells[place + shape.left_length] == shape.right;
}

/* The first place where the pair stands; it does. */
static inline uint32_t mt_first_place(mt_pair_record *record, const mt_words *w, mt_pair_shape shape) {
    const uint32_t *places = mt_places_of(record);
    while (!mt_stands_at(w, shape, places[record->outdated])) {
        record->outdated++;
    }
    return places[record->outdated];
}

/* Drop the outdated places. */
static inline void mt_purge_places(
    mt_pair_table *t, mt_pair_record *record, const mt_words *w, mt_pair_shape shape
) {
    uint32_t *places = mt_places_of(record);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < record->length; i++) {
        if (i + MT_PLACES_AHEAD < record->length) {
            mt_prefetch(&w->cells[places[i + MT_PLACES_AHEAD]]);
        }
        if (mt_stands_at(w, shape, places[i])) {
            places[kept++] = places[i];
        }
    }
    record->outdated = 0;
    if (record->length > MT_FEW_PLACES) {
        if (kept > MT_FEW_PLACES) {
            uint32_t *list = realloc(places, kept * sizeof *places);
            record->places.list = list != NULL ? list : places;
        } else {
            mt_places few = {{0}};
            memcpy(few.few, places, kept * sizeof *places);
            free(places);
            record->places = few;
        }
    }
    t->held -= record->length - kept;
    record->length = kept;
}

#endif
