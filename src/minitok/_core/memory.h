/* Memory for tables that are read at random: zeroed, and aligned to the lines of the processor's cache.
 *
 * Large tables are written here and there, and often only a small part of them. So they come from the system as pages
 * that it fills in when they are first written to, and go back to it; calloc may give memory that was used before,
 * and would have to write zeros to all of it. */
#ifndef MINITOK_MEMORY_H
#define MINITOK_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#if defined(MAP_ANONYMOUS)
#define MT_PAGES 1
#endif
#endif

#define MT_LINE ((size_t)64)
/* From this size on tables have pages of their own. */
#define MT_OWN_PAGES ((size_t)1 << 20)

/* What stands in the line before a table. */
typedef struct {
    void *given;
    size_t mapped; /* bytes; 0: `given` is calloc's */
} mt_table_origin;

/* How a table is used: here and there, or all of it from the start. Then all pages are asked for at once, which takes a
 * fraction of the time that it takes when each is written to first. */
typedef enum { MT_SPARSE, MT_FILLED } mt_table_use;

/* NULL if there is no memory. To be freed with mt_table_free. */
static inline void *mt_table_allocate(size_t size, mt_table_use use) {
    mt_table_origin origin = {NULL, 0};
    if (size > SIZE_MAX - 2 * MT_LINE) {
        return NULL;
    }
#if defined(MT_PAGES)
    if (size >= MT_OWN_PAGES) {
        origin.mapped = size + MT_LINE;
        int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#if defined(MAP_POPULATE)
        flags |= use == MT_FILLED ? MAP_POPULATE : 0;
#endif
        origin.given = mmap(NULL, origin.mapped, PROT_READ | PROT_WRITE, flags, -1, 0);
        if (origin.given == MAP_FAILED) {
            return NULL;
        }
    }
#endif
    (void)use;
    if (origin.given == NULL) {
        origin.given = calloc(size + 2 * MT_LINE, 1);
        if (origin.given == NULL) {
            return NULL;
        }
    }
    /* The first line that has room for the origin before it; calloc's memory is aligned to 16 bytes at least. */
    uint8_t *given = origin.given;
    uint8_t *table = given + MT_LINE + (MT_LINE - ((uintptr_t)given & (MT_LINE - 1))) % MT_LINE;
    memcpy(table - sizeof origin, &origin, sizeof origin);
    return table;
}

static inline void mt_table_free(void *table) {
    if (table == NULL) {
        return;
    }
    mt_table_origin origin;
    memcpy(&origin, (uint8_t *)table - sizeof origin, sizeof origin);
#if defined(MT_PAGES)
    if (origin.mapped > 0) {
        munmap(origin.given, origin.mapped);
        return;
    }
#endif
    free(origin.given);
}

/* Memory that grows: what is large has pages of its own here too. The system moves them without copying, and gets all of
 * them back; the heap would keep much of what large blocks leave behind when they grow, more for each thread.
 *
 * `size`: how much there is to be, `before`: how much there is. NULL if there is no memory; `block` is then as it was. To
 * be freed with mt_grown_free. */
static inline void *mt_grow(void *block, size_t before, size_t size) {
#if defined(MT_PAGES)
    if (size >= MT_OWN_PAGES) {
#if defined(MREMAP_MAYMOVE)
        if (before >= MT_OWN_PAGES) {
            void *moved = mremap(block, before, size, MREMAP_MAYMOVE);
            return moved == MAP_FAILED ? NULL : moved;
        }
#endif
        void *grown = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (grown == MAP_FAILED) {
            return NULL;
        }
        if (block != NULL) {
            memcpy(grown, block, before);
            if (before >= MT_OWN_PAGES) {
                munmap(block, before);
            } else {
                free(block);
            }
        }
        return grown;
    }
#endif
    (void)before;
    return realloc(block, size);
}

/* `size`: that of the block, as it was last asked for. */
static inline void mt_grown_free(void *block, size_t size) {
#if defined(MT_PAGES)
    if (size >= MT_OWN_PAGES) {
        munmap(block, size);
        return;
    }
#endif
    (void)size;
    free(block);
}

#endif
