/* Which tokens a text uses: how often each, and of which script are those that hold parts of characters.
 *
 * A token whose bytes tell its script has the place MT_NO_PLACE. For the others the place of a character's part among
 * the token's bytes is known, and the text tells the character. The text is what the tokens spell, so that a token's
 * place in it is the length of those before. */
#ifndef MINITOK_TOKEN_USE_H
#define MINITOK_TOKEN_USE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unicode.h"

#define MT_NO_PLACE UINT32_MAX

/* What is known of each id. */
typedef struct {
    const uint32_t *lengths;
    const uint32_t *places;
} mt_known_tokens;

/* The scripts of tokens, one behind the other, or the places of the parts that they hold; `scripts` has an item for
 * each code point, of which 0 is of no script. `found` and `places` are set for each token. */
static inline void mt_classify_tokens(const uint8_t *tokens, const uint32_t *lengths, size_t count,
                                      const uint8_t *scripts, uint8_t *found, uint32_t *places) {
    for (size_t i = 0; i < count; tokens += lengths[i], i++) {
        found[i] = 0;
        places[i] = MT_NO_PLACE;
        for (size_t at = 0, length; at < lengths[i] && !found[i]; at += length) {
            uint32_t code_point;
            length = mt_decode(tokens, at, lengths[i], &code_point);
            if (!length) {
                places[i] = (uint32_t)at;
                break;
            }
            found[i] = scripts[code_point];
        }
    }
}

/* Whether all ids are known. */
static inline bool mt_ids_are_known(const uint32_t *ids, size_t count, size_t known) {
    uint32_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        largest = ids[i] > largest ? ids[i] : largest;
    }
    return count == 0 || largest < known;
}

/* Count known ids; returns how many bytes they spell. */
static inline size_t mt_count_ids(const uint32_t *ids, size_t count, const uint32_t *lengths, int64_t *counts) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        counts[ids[i]]++;
        size += lengths[ids[i]];
    }
    return size;
}

/* The code point of the character of which text[at] is a byte; 0 if that is not valid UTF-8. */
static inline uint32_t mt_character_around(const uint8_t *text, size_t at, size_t size) {
    size_t back = 0;
    if (at >= 3) { /* without branches, which nothing foretells here */
        size_t one = (size_t)mt_is_continuation(text[at]), two = one & (size_t)mt_is_continuation(text[at - 1]);
        back = one + two + (two & (size_t)mt_is_continuation(text[at - 2]));
    } else {
        while (back < at && mt_is_continuation(text[at - back])) {
            back++;
        }
    }
    uint32_t code_point = 0;
    return mt_decode(text, at - back, size, &code_point) ? code_point : 0;
}

/* Count known ids that have a place, and their bytes, by the script of the character there: `tokens` and `bytes` have
 * an item for each script, `scripts` one for each code point. */
static inline void mt_count_parts(const uint32_t *ids, size_t count, mt_known_tokens known, const uint8_t *text,
                                  size_t size, const uint8_t *scripts, int64_t *tokens, int64_t *bytes) {
    /* Those that have a place are gathered first: which they are cannot be foretold either. */
    struct {
        size_t at;
        uint32_t length;
    } parts[256];
    size_t at = 0;
    for (size_t start = 0; start < count; start += 256) {
        size_t end = count - start < 256 ? count : start + 256, found = 0;
        for (size_t i = start; i < end; i++) {
            uint32_t place = known.places[ids[i]], length = known.lengths[ids[i]];
            parts[found].at = at + place;
            parts[found].length = length;
            found += place != MT_NO_PLACE;
            at += length;
        }
        for (size_t i = 0; i < found; i++) {
            if (parts[i].at < size) {
                uint8_t script = scripts[mt_character_around(text, parts[i].at, size)];
                tokens[script]++;
                bytes[script] += parts[i].length;
            }
        }
    }
}

#endif
