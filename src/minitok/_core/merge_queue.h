/* The queue of a learner: which pair is the most frequent.
 *
 * Records wait in buckets by their counts: one bucket for each count below 32, sixteen for each power of two above.
 * The pairs of the highest bucket that has any are put into a heap, by count and what decides ties, and only these are
 * put into order; so most of the work on a pair whose count keeps falling is to put it into another bucket.
 *
 * Invariants:
 *   1. Each record has one entry, in the heap or in a bucket, that is at or above its count.
 *   2. The heap has all entries of the bucket `level` and above. */
#ifndef MINITOK_MERGE_QUEUE_H
#define MINITOK_MERGE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "status.h"

#define MT_EXACT_BUCKETS 32
#define MT_BUCKETS (MT_EXACT_BUCKETS + (63 - 5) * 16)

typedef struct {
    uint32_t *records;
    uint32_t length;
    uint32_t room;
} mt_bucket;

typedef struct {
    int64_t count;
    uint64_t tie; /* the smaller comes first */
    uint32_t record;
} mt_candidate;

typedef struct {
    mt_bucket buckets[MT_BUCKETS];
    int level;
    mt_candidate *heap;
    size_t heap_count;
    size_t heap_room;
} mt_merge_queue;

static inline void mt_queue_free(mt_merge_queue *q) {
    for (int i = 0; i < MT_BUCKETS; i++) {
        free(q->buckets[i].records);
    }
    free(q->heap);
    memset(q, 0, sizeof *q);
}

static inline int mt_bucket_of(int64_t count) {
    if (count < MT_EXACT_BUCKETS) {
        return (int)count;
    }
    int power = mt_highest_bit((uint64_t)count);
    return MT_EXACT_BUCKETS + (power - 5) * 16 + (int)(count >> (power - 4) & 15);
}

static inline bool mt_comes_first(mt_candidate a, mt_candidate b) {
    return a.count != b.count ? a.count > b.count : a.tie < b.tie;
}

static inline mt_status mt_bucket_put(mt_merge_queue *q, int64_t count, uint32_t record) {
    mt_bucket *bucket = &q->buckets[mt_bucket_of(count)];
    if (bucket->length == bucket->room) {
        uint32_t room = bucket->room + bucket->room / 2 + 16;
        uint32_t *records = realloc(bucket->records, room * sizeof *records);
        if (records == NULL) {
            return MT_NO_MEMORY;
        }
        bucket->records = records;
        bucket->room = room;
    }
    bucket->records[bucket->length++] = record;
    return MT_OK;
}

/* Put an entry behind the last of the heap, which is a heap no longer. */
static inline mt_status mt_heap_append(mt_merge_queue *q, mt_candidate entry) {
    if (q->heap_count == q->heap_room) {
        size_t room = q->heap_room + q->heap_room / 2 + 256;
        mt_candidate *heap = realloc(q->heap, room * sizeof *heap);
        if (heap == NULL) {
            return MT_NO_MEMORY;
        }
        q->heap = heap;
        q->heap_room = room;
    }
    q->heap[q->heap_count++] = entry;
    return MT_OK;
}

static inline mt_status mt_heap_push(mt_merge_queue *q, mt_candidate entry) {
    mt_status status = mt_heap_append(q, entry);
    if (status != MT_OK) {
        return status;
    }
    size_t at = q->heap_count - 1;
    for (; at > 0 && mt_comes_first(entry, q->heap[(at - 1) / 2]); at = (at - 1) / 2) {
        q->heap[at] = q->heap[(at - 1) / 2];
    }
    q->heap[at] = entry;
    return MT_OK;
}

/* Let an entry sink from a place to where it belongs. */
static inline void mt_heap_sink(mt_merge_queue *q, size_t at, mt_candidate entry) {
    for (size_t child = 2 * at + 1; child < q->heap_count; child = 2 * at + 1) {
        if (child + 1 < q->heap_count && mt_comes_first(q->heap[child + 1], q->heap[child])) {
            child++;
        }
        if (!mt_comes_first(q->heap[child], entry)) {
            break;
        }
        q->heap[at] = q->heap[child];
        at = child;
    }
    q->heap[at] = entry;
}

static inline void mt_heap_order(mt_merge_queue *q) {
    for (size_t at = q->heap_count / 2; at-- > 0;) {
        mt_heap_sink(q, at, q->heap[at]);
    }
}

static inline void mt_heap_drop(mt_merge_queue *q) {
    if (--q->heap_count > 0) {
        mt_heap_sink(q, 0, q->heap[q->heap_count]);
    }
}

#endif
