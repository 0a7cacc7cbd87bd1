/* Memory for large tables that are read at random: on large pages where the system has them, because otherwise most
 * reads would miss the processor's table of pages too. */
#ifndef MINITOK_MEMORY_H
#define MINITOK_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#define MT_LARGE_PAGE ((size_t)1 << 21)

/* Wish for large pages in memory that is about to be written for the first time. */
static inline void mt_wish_for_large_pages(void *memory, size_t size) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    uintptr_t from = ((uintptr_t)memory + MT_LARGE_PAGE - 1) & ~(uintptr_t)(MT_LARGE_PAGE - 1);
    uintptr_t to = ((uintptr_t)memory + size) & ~(uintptr_t)(MT_LARGE_PAGE - 1);
    if (from < to) {
        madvise((void *)from, to - from, MADV_HUGEPAGE); /* it does not matter if it is not granted */
    }
#else
    (void)memory;
    (void)size;
#endif
}

/* Zeroed, aligned to 64 bytes; NULL if there is no memory. To be freed with mt_table_free and the same size. */
static inline void *mt_table_allocate(size_t size) {
#if defined(__linux__)
    size_t rounded = (size + MT_LARGE_PAGE - 1) & ~(MT_LARGE_PAGE - 1);
    if (size >= MT_LARGE_PAGE / 2 && rounded >= size) {
        /* Reserve enough to cut an aligned part out of it. */
        uint8_t *all = mmap(NULL, rounded + MT_LARGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (all == MAP_FAILED) {
            return NULL;
        }
        size_t before = (MT_LARGE_PAGE - ((uintptr_t)all & (MT_LARGE_PAGE - 1))) & (MT_LARGE_PAGE - 1);
        if (before > 0) {
            munmap(all, before);
        }
        munmap(all + before + rounded, MT_LARGE_PAGE - before);
        mt_wish_for_large_pages(all + before, rounded);
        return all + before;
    }
#endif
    /* What malloc gave stands before what is returned. */
    if (size > SIZE_MAX - 128) {
        return NULL;
    }
    uint8_t *given = calloc(size + 128, 1);
    if (given == NULL) {
        return NULL;
    }
    uint8_t *aligned = given + 64 + (64 - ((uintptr_t)given & 63)) % 64;
    memcpy(aligned - sizeof given, &given, sizeof given);
    return aligned;
}

static inline void mt_table_free(void *table, size_t size) {
    if (table == NULL) {
        return;
    }
#if defined(__linux__)
    if (size >= MT_LARGE_PAGE / 2) {
        munmap(table, (size + MT_LARGE_PAGE - 1) & ~(MT_LARGE_PAGE - 1));
        return;
    }
#else
    (void)size;
#endif
    void *given;
    memcpy(&given, (uint8_t *)table - sizeof given, sizeof given);
    free(given);
}

#endif
