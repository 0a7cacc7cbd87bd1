/* Reading a rank file: a line for each token, its bytes in base64, U+0020, and its rank, which is its id.
 *
 * Only files that are regular in every respect: each line ends with one newline (the last may lack it), base64 is
 * canonical, ranks are decimal, rise from line to line, and no token comes twice. For any other there is the slower
 * reader in Python, which accepts what is harmless and says what is wrong with the rest. */
#ifndef MINITOK_RANK_FILE_H
#define MINITOK_RANK_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base64.h"
#include "status.h"
#include "vocabulary.h"

/* Fill an empty vocabulary with the tokens of a file and index them. MT_IRREGULAR: the file is not regular. */
static inline mt_status mt_read_rank_file(mt_vocabulary *v, const uint8_t *data, size_t size) {
    size_t lines = 1;
    for (size_t i = 0; i < size; i++) {
        lines += data[i] == '\n';
    }
    mt_status status = mt_vocabulary_init(v, lines, size);
    if (status != MT_OK) {
        return status;
    }
    size_t token = 0, bytes = 0;
    for (size_t at = 0; at < size; token++) {
        size_t start = at;
        while (at < size && data[at] > ' ') {
            at++;
        }
        size_t length = mt_decode_base64(data + start, at - start, v->bytes + bytes);
        if (length == 0 || at == size || data[at] != ' ') {
            return MT_IRREGULAR;
        }
        size_t digits = ++at;
        uint64_t rank = 0;
        for (; at < size && data[at] >= '0' && data[at] <= '9' && at - digits < 10; at++) {
            rank = 10 * rank + (data[at] - '0');
        }
        if (at == digits || rank > MT_LARGEST_ID || (token > 0 && rank <= v->ids[token - 1]) ||
            (at < size && data[at] != '\n')) {
            return MT_IRREGULAR;
        }
        at++;
        v->ids[token] = (uint32_t)rank;
        v->offsets[token] = (uint32_t)bytes;
        bytes += length;
    }
    v->offsets[token] = (uint32_t)bytes;
    v->token_count = token;
    status = mt_index_tokens(v);
    if (status != MT_OK) {
        return status;
    }
    for (int b = 0; b < 256; b++) {
        if (v->byte_symbols[b] >= token) {
            return MT_IRREGULAR;
        }
    }
    return v->indexed == token ? MT_OK : MT_IRREGULAR;
}

#endif
