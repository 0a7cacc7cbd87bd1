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
} mt_ids;

/* Make room for `more` ids behind those that are there. */
static inline mt_status mt_ids_reserve(mt_ids *ids, size_t more) {
    if (ids->capacity - ids->length >= more) {
        return MT_OK;
    }
    if (more > SIZE_MAX / (2 * sizeof *ids->data) - ids->capacity) {
        return MT_NO_MEMORY;
    }
    size_t capacity = ids->capacity + ids->capacity / 2 + more;
    uint32_t *data = realloc(ids->data, capacity * sizeof *data);
    if (data == NULL) {
        return MT_NO_MEMORY;
    }
    ids->data = data;
    ids->capacity = capacity;
    return MT_OK;
}

static inline void mt_ids_free(mt_ids *ids) {
    free(ids->data);
    ids->data = NULL;
    ids->length = ids->capacity = 0;
}

#endif
