/* A growing array of ids. */
#ifndef MINITOK_IDS_H
#define MINITOK_IDS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "status.h"

typedef struct {
    uint32_t *data;
    size_t length;
    size_t capacity;
    size_t expected; /* how many more will probably come: when the array has to grow, it grows for them too */
} mt_ids;

/* Make room for `more` ids behind those that are there. */
static inline mt_status mt_ids_reserve(mt_ids *ids, size_t more) {
    if (ids->capacity - ids->length >= more) {
        return MT_OK;
    }
    size_t most = SIZE_MAX / (4 * sizeof *ids->data);
    if (more > most || ids->capacity > most) {
        return MT_NO_MEMORY;
    }
    size_t growth = ids->expected > ids->capacity / 2 && ids->expected <= most ? ids->expected : ids->capacity / 2;
    size_t capacity = ids->capacity + growth + more;
    uint32_t *data = realloc(ids->data, capacity * sizeof *data);
    if (data == NULL) {
        return MT_NO_MEMORY;
    }
    ids->data = data;
    ids->capacity = capacity;
    return MT_OK;
}

/* After `done` of a text gave the ids from `before` on, expect as many from what is left of it, and a quarter more:
 * memory that is never written to costs nothing, while to grow late may mean to copy. */
static inline void mt_ids_expect(mt_ids *ids, size_t before, size_t done, size_t left) {
    double rest = (double)(ids->length - before) / (double)(done ? done : 1) * (double)left;
    ids->expected = (size_t)(1.25 * rest);
}

static inline void mt_ids_free(mt_ids *ids) {
    free(ids->data);
    ids->data = NULL;
    ids->length = ids->capacity = ids->expected = 0;
}

#endif
