/* The pairs that a step makes, with their places.
 *
 * Each of them has the new symbol in it, and is known by the other one and the side on which that stands: so its group
 * is found by a look into an array. A group also tells how many places the pair that stood there before has lost. */
#ifndef MINITOK_PAIR_GROUPS_H
#define MINITOK_PAIR_GROUPS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pair_table.h"
#include "status.h"

/* The places that a step found for one of the pairs that it makes. */
typedef struct {
    uint32_t side; /* 2 * the neighbour's symbol, + 1 if it stands on the right */
    uint32_t length;
    uint32_t room; /* of the list */
    int64_t count;
    mt_places places; /* few while there is no room */
} mt_group;

typedef struct {
    uint32_t *of_side; /* group + 1, or 0 */
    size_t side_room;
    mt_group *list;
    size_t count;
    size_t room;
} mt_groups;

/* Give back the lists that no record has taken over. */
static inline void mt_groups_clear(mt_groups *g) {
    for (size_t i = 0; i < g->count; i++) {
        if (g->list[i].room > 0) {
            free(g->list[i].places.list);
        }
    }
    g->count = 0;
}

static inline void mt_groups_free(mt_groups *g) {
    mt_groups_clear(g);
    free(g->of_side);
    free(g->list);
    memset(g, 0, sizeof *g);
}

/* Room for neighbours up to the symbol `made`. */
static inline mt_status mt_groups_reserve(mt_groups *g, uint32_t made) {
    size_t sides = 2 * ((size_t)made + 1);
    if (sides > g->side_room) {
        size_t room = sides + sides / 2 + 1024;
        uint32_t *grown = realloc(g->of_side, room * sizeof *grown);
        if (grown == NULL) {
            return MT_NO_MEMORY;
        }
        memset(grown + g->side_room, 0, (room - g->side_room) * sizeof *grown);
        g->of_side = grown;
        g->side_room = room;
    }
    return MT_OK;
}

/* The new symbol stands beside the symbol of this side, at a place that belongs to their pair. */
static inline mt_status mt_add_to_group(mt_groups *g, uint32_t side, uint32_t place, int64_t count) {
    uint32_t index = g->of_side[side];
    if (index == 0) {
        if (g->count == g->room) {
            size_t room = g->room + g->room / 2 + 256;
            mt_group *groups = realloc(g->list, room * sizeof *groups);
            if (groups == NULL) {
                return MT_NO_MEMORY;
            }
            g->list = groups;
            g->room = room;
        }
        g->list[g->count++] = (mt_group){.side = side};
        index = g->of_side[side] = (uint32_t)g->count;
    }
    mt_group *group = &g->list[index - 1];
    group->count += count;
    if (group->length < MT_FEW_PLACES) {
        group->places.few[group->length++] = place;
        return MT_OK;
    }
    if (group->length >= group->room) {
        uint32_t room = group->length + group->length / 2 + 4;
        uint32_t *list;
        if (group->room == 0) {
            list = malloc(room * sizeof *list);
            if (list != NULL) {
                memcpy(list, group->places.few, sizeof group->places.few);
            }
        } else {
            list = realloc(group->places.list, room * sizeof *list);
        }
        if (list == NULL) {
            return MT_NO_MEMORY;
        }
        group->places.list = list;
        group->room = room;
    }
    group->places.list[group->length++] = place;
    return MT_OK;
}

#endif
