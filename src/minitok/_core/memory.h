/* Memory for tables that are read at random: zeroed, and aligned to the lines of the processor's cache.
 *
 * Large ones come from calloc as pages that the system fills in when they are first written to. */
#ifndef MINITOK_MEMORY_H
#define MINITOK_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MT_LINE ((size_t)64)

/* NULL if there is no memory. To be freed with mt_table_free. */
static inline void *mt_table_allocate(size_t size) {
    /* What calloc gave stands before what is returned. */
    if (size > SIZE_MAX - 2 * MT_LINE) {
        return NULL;
    }
    uint8_t *given = calloc(size + 2 * MT_LINE, 1);
    if (given == NULL) {
        return NULL;
    }
    uint8_t *aligned = given + 2 * MT_LINE - ((uintptr_t)given & (MT_LINE - 1));
    memcpy(aligned - sizeof given, &given, sizeof given);
    return aligned;
}

static inline void mt_table_free(void *table) {
    if (table != NULL) {
        void *given;
        memcpy(&given, (uint8_t *)table - sizeof given, sizeof given);
        free(given);
    }
}

#endif
