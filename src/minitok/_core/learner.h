/* Learning merges: the same steps as `Learner` of _pylearn.py, whose theory of operation holds here too.
 *
 *     learner_words.h   the words, as cells
 *     token_set.h       the bytes of all tokens
 *     pair_table.h      how often each pair occurs, and where
 *     pair_groups.h     the pairs that one step makes
 *     merge_queue.h     which pair is next
 *
 * A step replaces a pair everywhere, and gathers the pairs that it makes. Only when all places have been replaced are
 * pairs looked for in the table, once for each group of places; the rare ones, which are most, never get there.
 *
 * Memory: 4 bytes a cell and 4 for each place of a pair that is frequent enough, and 32 for each such pair, besides its slots. */
#ifndef MINITOK_LEARNER_H
#define MINITOK_LEARNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "learner_words.h"
#include "merge_queue.h"
#include "pair_groups.h"
#include "pair_table.h"
#include "status.h"
#include "token_set.h"

/* So many groups ahead memory is asked for. */
#define MT_GROUPS_AHEAD 16
/* After so many places a learner pauses. */
#define MT_PLACES_BEFORE_PAUSE ((size_t)1 << 21)

/* A merge that was learnt. */
typedef struct {
    uint32_t left, right;
    int64_t count; /* places that were replaced, each as often as its word occurs */
} mt_learned;

typedef enum {
    MT_LEARNED_ALL, /* as many as were wanted */
    MT_NO_PAIR,     /* no pair is frequent enough */
    MT_PAUSE,       /* after some work: to be called again */
    MT_ASK          /* whether the proposed token is allowed: to be told by mt_learner_answer */
} mt_learner_state;

typedef struct {
    mt_words words;
    mt_token_set tokens;
    mt_pair_table pairs;
    mt_merge_queue queue;
    int64_t min_frequency;
    size_t longest; /* token, in bytes */
    bool asks;      /* whether each token is allowed */
    bool by_place;  /* ties are decided by the first place, not by ids */
    bool failed;    /* for want of memory, amidst a step */
    uint64_t total; /* symbols, each as often as its word occurs */
    uint32_t candidate; /* the record that a question is about */
    mt_groups groups;   /* of the present step */
} mt_learner;

static inline void mt_learner_free(mt_learner *l) {
    mt_groups_free(&l->groups);
    mt_words_free(&l->words);
    mt_token_set_free(&l->tokens);
    mt_pair_table_free(&l->pairs);
    mt_queue_free(&l->queue);
    memset(l, 0, sizeof *l);
}

static inline mt_pair_shape mt_shape_of(const mt_learner *l, uint64_t pair) {
    return (mt_pair_shape){
        (int32_t)mt_left_of(pair), (int32_t)mt_right_of(pair), mt_length_of_token(&l->tokens, mt_left_of(pair))
    };
}

/* -- The queue ---------------------------------------------------------------------------------------------------- */

static inline mt_candidate mt_candidate_of(mt_learner *l, uint32_t index) {
    mt_pair_record *record = &l->pairs.records[index];
    uint64_t tie = record->pair;
    if (l->by_place) {
        tie = mt_first_place(record, &l->words, mt_shape_of(l, record->pair));
    }
    return (mt_candidate){record->count, tie, index};
}

/* Put the entry of a record where it belongs now. */
static inline mt_status mt_queue_put(mt_learner *l, uint32_t record) {
    int64_t count = l->pairs.records[record].count;
    if (mt_bucket_of(count) >= l->queue.level) {
        return mt_heap_push(&l->queue, mt_candidate_of(l, record));
    }
    return mt_bucket_put(&l->queue, count, record);
}

/* Make a heap of the highest bucket that has pairs; *found tells whether there is one. */
static inline mt_status mt_queue_descend(mt_learner *l, bool *found) {
    mt_merge_queue *q = &l->queue;
    *found = false;
    while (!*found && q->level > 0) {
        q->level--;
        mt_bucket bucket = q->buckets[q->level];
        q->buckets[q->level] = (mt_bucket){NULL, 0, 0};
        for (uint32_t i = 0; i < bucket.length; i++) {
            uint32_t index = bucket.records[i];
            int64_t count = l->pairs.records[index].count;
            mt_status status = MT_OK;
            if (count == 0) {
                mt_free_record(&l->pairs, index);
            } else if (mt_bucket_of(count) == q->level) {
                status = mt_heap_append(q, mt_candidate_of(l, index));
            } else {
                status = mt_bucket_put(q, count, index);
            }
            if (status != MT_OK) {
                free(bucket.records);
                return status;
            }
        }
        free(bucket.records);
        mt_heap_order(q);
        *found = q->heap_count > 0;
    }
    return MT_OK;
}

/* Take the best pair out of the queue: its record, or MT_NO_RECORD if there is none. */
static inline mt_status mt_take_best(mt_learner *l, uint32_t *best) {
    mt_merge_queue *q = &l->queue;
    for (;;) {
        if (q->heap_count == 0) {
            bool found;
            mt_status status = mt_queue_descend(l, &found);
            if (status != MT_OK || !found) {
                *best = MT_NO_RECORD;
                return status;
            }
        }
        mt_candidate top = q->heap[0];
        int64_t count = l->pairs.records[top.record].count;
        if (count == top.count) { /* what decides ties holds as long as the count does */
            mt_heap_drop(q);
            *best = top.record;
            return MT_OK;
        }
        if (count > 0 && mt_bucket_of(count) >= q->level) {
            mt_heap_sink(q, 0, mt_candidate_of(l, top.record));
            continue;
        }
        mt_heap_drop(q);
        if (count == 0) {
            mt_free_record(&l->pairs, top.record);
        } else {
            mt_status status = mt_bucket_put(q, count, top.record);
            if (status != MT_OK) {
                return status;
            }
        }
    }
}

/* -- The first pairs ---------------------------------------------------------------------------------------------- */

/* Pairs to records, while the first pairs are counted: of bytes, which most of them are, by a look into an array. */
typedef struct {
    uint32_t of_bytes[1 << 16];
} mt_byte_pairs;

static inline uint32_t mt_find_first_pair(const mt_learner *l, const mt_byte_pairs *known, uint32_t a, uint32_t b) {
    return (a | b) < 256 ? known->of_bytes[a << 8 | b] : mt_find_pair(&l->pairs, mt_pair_of(a, b));
}

/* Go through all pairs of symbols, each of which is one cell if they are `single`. First (`fill` false) each gets a
 * record, its count and how many places it has; then the places are filled in, and `outdated` tells how many are. */
MT_INLINE mt_status mt_walk_pairs(mt_learner *l, mt_byte_pairs *known, const bool single, const bool fill) {
    const mt_words *w = &l->words;
    for (size_t run = 0; run < w->run_count; run++) {
        size_t end = run + 1 < w->run_count ? w->runs[run + 1].first : w->cell_count;
        int64_t count = (int64_t)w->runs[run].count;
        for (size_t at = w->runs[run].first; at < end;) {
            int32_t left = w->cells[at];
            if (left < 0) {
                at++;
                continue;
            }
            size_t next = at + (single ? 1 : mt_length_of_token(&l->tokens, (size_t)left));
            int32_t right = w->cells[next];
            if (right >= 0) {
                uint32_t index = mt_find_first_pair(l, known, (uint32_t)left, (uint32_t)right);
                if (index == MT_NO_RECORD && !fill) {
                    index = mt_add_pair_record(&l->pairs, mt_pair_of((uint32_t)left, (uint32_t)right));
                    if (index == MT_NO_RECORD) {
                        return MT_NO_MEMORY;
                    }
                    if ((left | right) < 256) {
                        known->of_bytes[left << 8 | right] = index;
                    }
                }
                if (index != MT_NO_RECORD) {
                    mt_pair_record *record = &l->pairs.records[index];
                    if (fill) {
                        mt_places_of(record)[record->outdated++] = (uint32_t)at;
                    } else {
                        record->count += count;
                        record->length++;
                    }
                }
            }
            at = next;
        }
    }
    return MT_OK;
}

/* Find all pairs in the words that have been laid out, whose symbols may all be `single` bytes. */
static inline mt_status mt_learner_start(mt_learner *l, bool single) {
    l->queue.level = MT_BUCKETS;
    mt_byte_pairs *known = malloc(sizeof *known);
    if (known == NULL) {
        return MT_NO_MEMORY;
    }
    memset(known, 0xFF, sizeof *known);
    mt_status status = single ? mt_walk_pairs(l, known, true, false) : mt_walk_pairs(l, known, false, false);
    for (uint32_t i = 0; i < l->pairs.count && status == MT_OK; i++) {
        mt_pair_record *record = &l->pairs.records[i];
        if (record->count < l->min_frequency) {
            uint32_t left = mt_left_of(record->pair), right = mt_right_of(record->pair);
            if ((left | right) < 256) {
                known->of_bytes[left << 8 | right] = MT_NO_RECORD;
            }
            record->length = 0;
            mt_kill_pair(&l->pairs, i);
            mt_free_record(&l->pairs, i);
        } else {
            status = mt_allocate_places(record);
            if (status == MT_OK) {
                l->pairs.held += record->length;
                status = mt_bucket_put(&l->queue, record->count, i);
            }
        }
    }
    if (status == MT_OK) {
        status = single ? mt_walk_pairs(l, known, true, true) : mt_walk_pairs(l, known, false, true);
    }
    for (uint32_t i = 0; i < l->pairs.count; i++) {
        l->pairs.records[i].outdated = 0;
    }
    l->pairs.held_first = l->pairs.held;
    free(known);
    return status;
}

/* -- Steps -------------------------------------------------------------------------------------------------------- */

/* Replace all places of a pair by the symbol `made`, and gather the pairs that it makes. */
static inline mt_status mt_replace_places(
    mt_learner *l, mt_pair_shape shape, const uint32_t *places, size_t length, uint32_t made, uint64_t *replaced
) {
    const mt_words *w = &l->words;
    int32_t *cells = w->cells;
    size_t right_length = mt_length_of_token(&l->tokens, (size_t)shape.right), run = 0;
    /* What stands on the right of a replaced place is known when the next place is: it may be the same pair. */
    size_t last = 0, last_end = 0;
    int64_t last_count = 0;
    mt_status status = MT_OK;
    for (size_t i = 0; i <= length && status == MT_OK; i++) {
        if (i + MT_PLACES_AHEAD < length) {
            mt_prefetch(&cells[places[i + MT_PLACES_AHEAD]]);
        }
        if (i < length && !mt_stands_at(w, shape, places[i])) {
            continue;
        }
        bool touch = i < length && last_end == places[i];
        if (last_end != 0) {
            if (touch) {
                status = mt_add_to_group(&l->groups, 2 * made, (uint32_t)last, last_count);
            } else if (cells[last_end] >= 0) {
                status = mt_add_to_group(&l->groups, 2 * (uint32_t)cells[last_end] + 1, (uint32_t)last, last_count);
            }
        }
        if (i == length || status != MT_OK) {
            break;
        }
        size_t at = places[i], second = at + shape.left_length, end = second + right_length, before;
        int64_t count = (int64_t)mt_count_at(w, at, &run);
        *replaced += (uint64_t)count;
        if (!touch && mt_symbol_before(w, at, &before)) {
            status = mt_add_to_group(&l->groups, 2 * (uint32_t)cells[before], (uint32_t)before, count);
        }
        cells[second] = MT_INSIDE;
        cells[end - 1] = -(int32_t)(end - at);
        cells[at] = (int32_t)made;
        last = at;
        last_end = end;
        last_count = count;
    }
    return status;
}

/* A pair has lost places. */
static inline void mt_lose_places(mt_learner *l, uint64_t pair, int64_t count, uint32_t places) {
    uint32_t index = mt_find_pair(&l->pairs, pair);
    if (index == MT_NO_RECORD) {
        return; /* it was rare from the beginning */
    }
    mt_pair_record *record = &l->pairs.records[index];
    record->count -= count;
    if (!l->by_place) {
        record->outdated += places;
    }
    if (record->count < l->min_frequency) {
        mt_kill_pair(&l->pairs, index);
    } else if (l->pairs.held > l->pairs.held_first && record->outdated > record->length / 2) {
        mt_purge_places(&l->pairs, record, &l->words, mt_shape_of(l, pair));
    }
}

/* A group becomes a pair that may be merged. */
static inline mt_status mt_keep_group(mt_learner *l, mt_group *group, uint64_t pair) {
    uint32_t index = mt_add_pair_record(&l->pairs, pair);
    if (index == MT_NO_RECORD) {
        return MT_NO_MEMORY;
    }
    mt_pair_record *record = &l->pairs.records[index];
    record->count = group->count;
    record->length = group->length;
    l->pairs.held += group->length;
    record->places = group->places;
    if (group->length < group->room) {
        uint32_t *list = realloc(group->places.list, group->length * sizeof *list);
        if (list != NULL) {
            record->places.list = list;
        }
    }
    group->room = 0; /* the list is the record's */
    return mt_queue_put(l, index);
}

/* The pair that stood where this group is now. */
static inline uint64_t mt_pair_before(const mt_group *group, mt_pair_shape shape, uint32_t made) {
    uint32_t neighbour = group->side / 2;
    if (group->side & 1) {
        return mt_pair_of((uint32_t)shape.right, neighbour);
    }
    return mt_pair_of(neighbour == made ? (uint32_t)shape.right : neighbour, (uint32_t)shape.left);
}

/* What the groups tell about pairs that were, and those that are now. */
static inline mt_status mt_settle_groups(mt_learner *l, mt_pair_shape shape, uint32_t made) {
    mt_status status = MT_OK;
    for (size_t i = 0; i < l->groups.count + MT_GROUPS_AHEAD; i++) {
        /* Ask for the slot, later for the record that it names, and then look. */
        if (i < l->groups.count) {
            mt_prefetch(&l->pairs.slots[mt_pair_home(&l->pairs, mt_pair_before(&l->groups.list[i], shape, made))]);
        }
        if (i >= MT_GROUPS_AHEAD / 2 && i - MT_GROUPS_AHEAD / 2 < l->groups.count) {
            uint64_t pair = mt_pair_before(&l->groups.list[i - MT_GROUPS_AHEAD / 2], shape, made);
            uint32_t record = l->pairs.slots[mt_pair_home(&l->pairs, pair)];
            if (record != MT_NO_RECORD) {
                mt_prefetch(&l->pairs.records[record]);
            }
        }
        if (i >= MT_GROUPS_AHEAD) {
            mt_group *group = &l->groups.list[i - MT_GROUPS_AHEAD];
            mt_lose_places(l, mt_pair_before(group, shape, made), group->count, group->length);
            l->groups.of_side[group->side] = 0;
        }
    }
    for (size_t i = 0; i < l->groups.count && status == MT_OK; i++) {
        mt_group *group = &l->groups.list[i];
        if (group->count >= l->min_frequency) {
            uint32_t neighbour = group->side / 2;
            bool on_right = group->side & 1;
            status = mt_keep_group(l, group, on_right ? mt_pair_of(made, neighbour) : mt_pair_of(neighbour, made));
        }
    }
    mt_groups_clear(&l->groups);
    return status;
}

/* Merge the pair of a record, which has left the queue, into the token that is proposed. */
static inline mt_status mt_learner_merge(mt_learner *l, uint32_t index, mt_learned *learned) {
    uint32_t made = (uint32_t)l->tokens.count;
    uint64_t pair = l->pairs.records[index].pair, replaced = 0;
    mt_pair_shape shape = mt_shape_of(l, pair);
    mt_status status = mt_groups_reserve(&l->groups, made);
    if (status != MT_OK) {
        return status;
    }
    if (l->tokens.proposed > INT32_MAX || made >= INT32_MAX / 2) {
        return MT_TOO_LONG;
    }
    mt_accept_proposed(&l->tokens);
    l->failed = true;
    /* The pair itself has no slot while it is replaced: what it loses beside itself, as in `aaa`, is nothing. */
    mt_pair_record record = l->pairs.records[index];
    l->pairs.records[index].length = 0;
    mt_kill_pair(&l->pairs, index);
    mt_free_record(&l->pairs, index);
    status = mt_replace_places(l, shape, mt_places_of(&record), record.length, made, &replaced);
    mt_forget_places(&l->pairs, &record);
    if (status == MT_OK) {
        status = mt_settle_groups(l, shape, made);
    }
    if (status == MT_OK) {
        l->failed = false;
        l->total -= replaced;
        *learned = (mt_learned){(uint32_t)shape.left, (uint32_t)shape.right, (int64_t)replaced};
    }
    return status;
}

/* The pair of a record, which has left the queue, is not to be merged: it does not come back. */
static inline void mt_learner_reject(mt_learner *l, uint32_t index) {
    mt_kill_pair(&l->pairs, index);
    mt_free_record(&l->pairs, index);
}

/* Learn up to `wanted` merges; *made tells how many they are, and *state why there are no more. */
static inline mt_status mt_learn(
    mt_learner *l, mt_learned *out, size_t wanted, size_t *made, mt_learner_state *state
) {
    size_t work = 0;
    *made = 0;
    *state = MT_LEARNED_ALL;
    if (l->failed) {
        return MT_NO_MEMORY;
    }
    while (*made < wanted) {
        if (work >= MT_PLACES_BEFORE_PAUSE) {
            *state = MT_PAUSE;
            return MT_OK;
        }
        mt_status status = mt_take_best(l, &l->candidate);
        if (status != MT_OK) {
            l->failed = true;
            return status;
        }
        if (l->candidate == MT_NO_RECORD) {
            *state = MT_NO_PAIR;
            return MT_OK;
        }
        const mt_pair_record *best = &l->pairs.records[l->candidate];
        work += best->length + 64;
        status = mt_propose_pair(&l->tokens, mt_left_of(best->pair), mt_right_of(best->pair));
        if (status != MT_OK) {
            l->failed = true;
            return status;
        }
        if (l->tokens.proposed > l->longest || mt_proposed_exists(&l->tokens)) {
            mt_learner_reject(l, l->candidate);
            continue;
        }
        if (l->asks) {
            *state = MT_ASK;
            return MT_OK;
        }
        status = mt_learner_merge(l, l->candidate, &out[*made]);
        if (status != MT_OK) {
            return status;
        }
        ++*made;
    }
    return MT_OK;
}

#endif
