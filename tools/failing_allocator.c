/* An allocator that fails when it is told to, and counts what is not given back: for the tests.
 *
 * MINITOK_FAILING_ALLOCATOR=1 links it in such a way (-Wl,--wrap) that the calls of this extension come here, and
 * nobody else's. Tests tell it what to do by ctypes. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>

#define EXPORT __attribute__((visibility("default")))

static atomic_long calls;          /* since the last `minitok_fail` */
static atomic_long first_failure;  /* which call is the first to fail, counted from 1; 0: none fails */
static atomic_long failing_calls;  /* how many do from there on */
static atomic_long failures;
static atomic_long blocks;         /* not freed */
static atomic_long mapped;         /* bytes, not unmapped */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__real_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);
void *__real_mremap(void *address, size_t before, size_t size, int flags);
int __real_munmap(void *address, size_t size);

/* From now on let `count` calls fail, the first of them the `first`-th. 0: none. */
EXPORT void minitok_fail(long first, long count) {
    failing_calls = count;
    first_failure = first;
    calls = 0;
    failures = 0;
}

/* How many calls have failed since. */
EXPORT long minitok_failures(void) {
    return failures;
}

EXPORT long minitok_blocks(void) {
    return blocks;
}

EXPORT long minitok_mapped(void) {
    return mapped;
}

static bool fails(void) {
    long call = atomic_fetch_add(&calls, 1) + 1;
    bool failing = first_failure > 0 && call >= first_failure && call - first_failure < failing_calls;
    failures += failing;
    return failing;
}

void *__wrap_malloc(size_t size) {
    void *block = fails() ? NULL : __real_malloc(size);
    blocks += block != NULL;
    return block;
}

void *__wrap_calloc(size_t count, size_t size) {
    void *block = fails() ? NULL : __real_calloc(count, size);
    blocks += block != NULL;
    return block;
}

void *__wrap_realloc(void *old, size_t size) {
    void *block = fails() ? NULL : __real_realloc(old, size);
    blocks += old == NULL && block != NULL;
    return block;
}

void __wrap_free(void *block) {
    blocks -= block != NULL;
    __real_free(block);
}

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
    void *block = fails() ? MAP_FAILED : __real_mmap(address, size, protection, flags, file, offset);
    mapped += block != MAP_FAILED ? (long)size : 0;
    return block;
}

/* The name that headers give to mmap where files may be large. */
void *__wrap_mmap64(void *address, size_t size, int protection, int flags, int file, off_t offset) {
    return __wrap_mmap(address, size, protection, flags, file, offset);
}

void *__wrap_mremap(void *address, size_t before, size_t size, int flags) {
    void *block = fails() ? MAP_FAILED : __real_mremap(address, before, size, flags);
    mapped += block != MAP_FAILED ? (long)size - (long)before : 0;
    return block;
}

int __wrap_munmap(void *address, size_t size) {
    mapped -= (long)size;
    return __real_munmap(address, size);
}
