/* The characters of a Python str, as they are stored, or bytes. */
#ifndef MINITOK_STRING_VIEW_H
#define MINITOK_STRING_VIEW_H

#include <stddef.h>
#include <stdint.h>

#include "bits.h"

typedef struct {
    const void *data;
    size_t length; /* in characters */
    int width;     /* bytes a character: 1, 2 or 4 */
} mt_string;

MT_INLINE uint32_t mt_code_point_at(mt_string s, size_t at) {
    switch (s.width) {
    case 1:
        return ((const uint8_t *)s.data)[at];
    case 2:
        return ((const uint16_t *)s.data)[at];
    default:
        return ((const uint32_t *)s.data)[at];
    }
}

#endif
