/* Reading the model of a tokenizer.json: `vocab`, spelled tokens to ids, and `merges`, a list of two tokens each.
 *
 * Only what is regular: tokens are spelled in GPT-2's alphabet of bytes, and each has an id of its own; each merge is
 * of tokens, makes a token, and occurs once. For any other there is the slower reader in Python, which accepts what
 * is harmless and says what is wrong with the rest. That one also reads all of the document that is not the values
 * of these two keys; so here the rest is only passed over, and may be no JSON at all.
 *
 * Some strings, the added tokens, are not to be tokens of the vocabulary although `vocab` has ids for them; these may
 * be spelled in any way. A merge that names one of them is not regular, nor is an id that a token has, too. */
#ifndef MINITOK_JSON_MODEL_H
#define MINITOK_JSON_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"
#include "utf8.h"
#include "vocabulary.h"

#define MT_ALPHABET ((uint32_t)0x144) /* above the last character that spells a byte */
#define MT_NO_BYTE ((uint16_t)0x100)
#define MT_MOST_SPELLED ((size_t)65536) /* bytes of a merge, or of a token with escapes; no longer one is regular */

/* Where the two values are: from their first byte to behind their last one. */
typedef struct {
    size_t vocab, vocab_end, merges, merges_end;
} mt_model_place;

typedef struct {
    const uint8_t *data;
    size_t at, size;
} mt_json;

static inline void mt_json_skip_space(mt_json *j) {
    while (j->at < j->size) {
        uint8_t c = j->data[j->at];
        if (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
            return;
        }
        j->at++;
    }
}

/* Go behind this character and what space is before it, if it is what comes next. */
static inline bool mt_json_take(mt_json *j, uint8_t c) {
    mt_json_skip_space(j);
    if (j->at == j->size || j->data[j->at] != c) {
        return false;
    }
    j->at++;
    return true;
}

/* What ends or nests something: quotes, backslashes, commas and brackets. */
static const bool mt_json_mark[256] = {
    ['"'] = true, ['\\'] = true, [','] = true, ['{'] = true, ['}'] = true, ['['] = true, [']'] = true,
};

/* Go to the next mark; false if there is none. */
static inline bool mt_json_to_mark(mt_json *j) {
    const uint8_t *at = j->data + j->at, *end = j->data + j->size;
    while (at < end && !mt_json_mark[*at]) {
        at++;
    }
    j->at = (size_t)(at - j->data);
    return at < end;
}

/* Go behind a string, whose opening quote has been passed. */
static inline bool mt_json_skip_string(mt_json *j) {
    while (mt_json_to_mark(j)) {
        uint8_t c = j->data[j->at++];
        if (c == '"') {
            return true;
        }
        j->at += c == '\\' && j->at < j->size;
    }
    return false;
}

/* Go behind a value: brackets of both kinds are taken for one. */
static inline bool mt_json_skip_value(mt_json *j) {
    size_t depth = 0;
    while (mt_json_to_mark(j)) {
        uint8_t c = j->data[j->at];
        if (depth == 0 && (c == ',' || c == '}' || c == ']')) {
            return true;
        }
        j->at++;
        if (c == '"') {
            if (!mt_json_skip_string(j)) {
                return false;
            }
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            depth--;
        }
        if (depth == 0 && (c == '"' || c == '}' || c == ']')) {
            return true;
        }
    }
    return false;
}

/* Go to the value of the next key of an object, behind whose opening brace or whose last value `j` is; `key` is as it
 * is spelled. False at the end of the object, and where this is none. */
static inline bool mt_json_next_key(mt_json *j, bool first, const uint8_t **key, size_t *length) {
    if ((!first && !mt_json_take(j, ',')) || !mt_json_take(j, '"')) {
        return false;
    }
    *key = j->data + j->at;
    if (!mt_json_skip_string(j)) {
        return false;
    }
    *length = (size_t)(j->data + j->at - *key) - 1;
    bool has_value = mt_json_take(j, ':');
    mt_json_skip_space(j);
    return has_value;
}

static inline bool mt_is_key(const uint8_t *key, size_t length, const char *wanted) {
    return length == strlen(wanted) && memcmp(key, wanted, length) == 0;
}

/* Find `vocab` and `merges` in the value of `model` of a document; false if they are not both there. */
static inline bool mt_find_model(const uint8_t *data, size_t size, mt_model_place *place) {
    mt_json j = {data, 0, size};
    const uint8_t *key;
    size_t length;
    memset(place, 0, sizeof *place);
    if (!mt_json_take(&j, '{')) {
        return false;
    }
    bool found = false;
    for (bool first = true; !found && mt_json_next_key(&j, first, &key, &length); first = false) {
        found = mt_is_key(key, length, "model");
        if (!found && !mt_json_skip_value(&j)) {
            return false;
        }
    }
    if (!found || !mt_json_take(&j, '{')) {
        return false;
    }
    for (bool first = true; mt_json_next_key(&j, first, &key, &length); first = false) {
        size_t start = j.at;
        if (!mt_json_skip_value(&j)) {
            return false;
        }
        if (mt_is_key(key, length, "vocab") && place->vocab_end == 0) {
            place->vocab = start;
            place->vocab_end = j.at;
        } else if (mt_is_key(key, length, "merges") && place->merges_end == 0) {
            place->merges = start;
            place->merges_end = j.at;
        }
    }
    return place->vocab_end > 0 && place->merges_end > 0;
}

/* The byte that each character below MT_ALPHABET spells; MT_NO_BYTE: none. */
static inline void mt_fill_alphabet(uint16_t bytes[MT_ALPHABET]) {
    uint32_t next = 0x100;
    for (uint32_t c = 0; c < MT_ALPHABET; c++) {
        bytes[c] = MT_NO_BYTE;
    }
    for (uint32_t b = 0; b < 256; b++) {
        bool printable = (b > 0x20 && b < 0x7F) || (b > 0xA0 && b != 0xAD);
        bytes[printable ? b : next++] = (uint16_t)b;
    }
}

/* The value of four hexadecimal digits; above 0xFFFF if they are none. */
static inline uint32_t mt_hexadecimal(const uint8_t *digits) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        uint32_t c = digits[i], folded = c | 0x20;
        uint32_t digit = c >= '0' && c <= '9' ? c - '0' : folded >= 'a' && folded <= 'f' ? folded - 'a' + 10 : 0x10000;
        value = value << 4 | digit;
    }
    return value;
}

/* Undo the escapes of a string: to UTF-8, never longer than it was. False if one is not regular; surrogates are not,
 * which only pairs of escapes can spell. */
static inline bool mt_unescape(const uint8_t *text, size_t length, uint8_t *out, size_t *written) {
    static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t"; /* each, and what it stands for */
    const uint8_t *end = text + length;
    uint8_t *to = out;
    while (text < end) {
        if (*text != '\\') {
            *to++ = *text++;
            continue;
        }
        if (end - text >= 6 && text[1] == 'u') {
            uint32_t c = mt_hexadecimal(text + 2);
            if (c > 0xFFFF || (c >= 0xD800 && c < 0xE000)) {
                return false;
            }
            to += mt_put_character(c, to);
            text += 6;
            continue;
        }
        size_t place = 0;
        while (escapes[place] != '\0' && (end - text < 2 || (uint8_t)escapes[place] != text[1])) {
            place += 2;
        }
        if (escapes[place] == '\0') {
            return false;
        }
        *to++ = (uint8_t)escapes[place + 1];
        text += 2;
    }
    *written = (size_t)(to - out);
    return true;
}

/* The number without a sign that comes next; above MT_LARGEST_ID if it is none, or too large. */
static inline uint64_t mt_json_number(mt_json *j) {
    mt_json_skip_space(j);
    size_t start = j->at;
    uint64_t number = 0;
    while (j->at < j->size && j->at - start < 11 && j->data[j->at] >= '0' && j->data[j->at] <= '9') {
        number = 10 * number + (uint64_t)(j->data[j->at++] - '0');
    }
    bool leading_zero = j->at - start > 1 && j->data[start] == '0';
    return j->at == start || leading_zero ? UINT64_MAX : number;
}

/* What is read, and what is needed for it. */
typedef struct {
    mt_vocabulary *v;
    const mt_vocabulary *apart; /* the strings that are not to be tokens, in UTF-8 */
    int64_t *apart_ids;         /* the id that `vocab` has for each of them; -1: none */
    uint16_t alphabet[MT_ALPHABET];
    uint8_t unescaped[MT_MOST_SPELLED];
    uint8_t joined[MT_MOST_SPELLED]; /* the bytes of a merge's tokens, one behind the other */
} mt_model_reader;

/* The string that comes next, without escapes: in `data`, or in `unescaped` until the next one. */
static inline bool mt_json_string(mt_model_reader *r, mt_json *j, const uint8_t **text, size_t *length) {
    if (!mt_json_take(j, '"')) {
        return false;
    }
    size_t start = j->at;
    bool has_escapes = false;
    for (;; j->at++) {
        if (j->at == j->size || j->data[j->at] < 0x20) {
            return false; /* control characters have to be escaped */
        }
        uint8_t c = j->data[j->at];
        if (c == '"') {
            break;
        }
        if (c == '\\') {
            has_escapes = true;
            j->at++;
            if (j->at == j->size) {
                return false;
            }
        }
    }
    *text = j->data + start;
    *length = j->at++ - start;
    if (!has_escapes) {
        return true;
    }
    const uint8_t *spelled = *text;
    *text = r->unescaped;
    return *length <= MT_MOST_SPELLED && mt_unescape(spelled, *length, r->unescaped, length);
}

/* The bytes that UTF-8 spells, as many at most as that has; false if it is not all in the alphabet, or nothing. */
static inline bool mt_unspell(const mt_model_reader *r, const uint8_t *text, size_t length, uint8_t *out, size_t *count) {
    size_t written = 0;
    for (size_t at = 0; at < length;) {
        uint32_t c = text[at++];
        if (c >= 0x80) {
            if (c < 0xC2 || c > 0xC5 || at == length || (text[at] & 0xC0) != 0x80) {
                return false;
            }
            c = (c & 0x1F) << 6 | (text[at++] & 0x3F);
        }
        if (c >= MT_ALPHABET || r->alphabet[c] == MT_NO_BYTE) {
            return false;
        }
        out[written++] = (uint8_t)r->alphabet[c];
    }
    *count = written;
    return written > 0;
}

typedef struct {
    uint32_t id, offset, length;
} mt_listed_token;

static inline int mt_compare_listed(const void *left, const void *right) {
    uint32_t l = ((const mt_listed_token *)left)->id, r = ((const mt_listed_token *)right)->id;
    return (l > r) - (l < r);
}

/* Read `vocab` to `tokens`, in the order of the file, and `bytes`. */
static inline mt_status mt_read_listed(
    mt_model_reader *r, mt_json *j, mt_listed_token *tokens, size_t *count, uint8_t *bytes
) {
    size_t token = 0, written = 0;
    if (!mt_json_take(j, '{')) {
        return MT_IRREGULAR;
    }
    do {
        const uint8_t *text;
        size_t length, size;
        if (!mt_json_string(r, j, &text, &length) || length == 0) {
            return MT_IRREGULAR;
        }
        uint32_t apart = mt_may_be_token(r->apart, text, length) ? mt_find_token(r->apart, text, length) : MT_NO_SYMBOL;
        bool spelled = apart != MT_NO_SYMBOL || mt_unspell(r, text, length, bytes + written, &size);
        uint64_t id = mt_json_take(j, ':') ? mt_json_number(j) : UINT64_MAX;
        if (!spelled || id > MT_LARGEST_ID) {
            return MT_IRREGULAR;
        }
        if (apart != MT_NO_SYMBOL) {
            if (r->apart_ids[apart] >= 0) {
                return MT_IRREGULAR; /* twice */
            }
            r->apart_ids[apart] = (int64_t)id;
        } else {
            tokens[token++] = (mt_listed_token){(uint32_t)id, (uint32_t)written, (uint32_t)size};
            written += size;
        }
    } while (mt_json_take(j, ','));
    *count = token;
    return mt_json_take(j, '}') && j->at == j->size && token > 0 ? MT_OK : MT_IRREGULAR;
}

/* Fill an empty vocabulary with the tokens of `vocab` and index them. */
static inline mt_status mt_read_json_tokens(mt_model_reader *r, const uint8_t *data, size_t size) {
    mt_vocabulary *v = r->v;
    mt_json j = {data, 0, size};
    size_t most = 0, count = 0;
    for (size_t i = 0; i < size; i++) {
        most += data[i] == ':';
    }
    mt_status status = mt_vocabulary_init(v, most, size);
    if (status != MT_OK) {
        return status;
    }
    mt_listed_token *tokens = malloc((most + 1) * sizeof *tokens);
    uint8_t *bytes = malloc(size + 1);
    status = tokens == NULL || bytes == NULL ? MT_NO_MEMORY : mt_read_listed(r, &j, tokens, &count, bytes);
    if (status == MT_OK) {
        bool rising = true;
        for (size_t i = 1; i < count; i++) {
            rising &= tokens[i - 1].id < tokens[i].id;
        }
        if (!rising) {
            qsort(tokens, count, sizeof *tokens, mt_compare_listed);
        }
        uint32_t at = 0;
        for (size_t i = 0; i < count && status == MT_OK; i++) {
            if (i > 0 && tokens[i].id == tokens[i - 1].id) {
                status = MT_IRREGULAR;
            }
            v->ids[i] = tokens[i].id;
            v->offsets[i] = at;
            memcpy(v->bytes + at, bytes + tokens[i].offset, tokens[i].length);
            at += tokens[i].length;
        }
        v->offsets[count] = at;
        v->token_count = count;
    }
    free(tokens);
    free(bytes);
    if (status == MT_OK) {
        status = mt_index_tokens(v);
    }
    return status == MT_OK && v->indexed < count ? MT_IRREGULAR : status;
}

static inline bool mt_is_token(const mt_vocabulary *v, uint32_t symbol, const uint8_t *bytes, size_t length) {
    size_t token_length = 0;
    const uint8_t *token = symbol < v->token_count ? mt_token_bytes(v, symbol, &token_length) : NULL;
    return token_length == length && memcmp(token, bytes, length) == 0;
}

/* The symbols of one merge, where those of the last one are: its two tokens, as two strings or as one with a space between, and what they make. */
static inline bool mt_read_merge(mt_model_reader *r, mt_json *j, uint32_t symbols[3]) {
    uint32_t guess = symbols[2] + 1; /* mostly ids rise with ranks */
    const uint8_t *text;
    size_t length, left, right;
    bool is_list = mt_json_take(j, '[');
    if (!mt_json_string(r, j, &text, &length) || length > MT_MOST_SPELLED / 2) {
        return false;
    }
    const uint8_t *space = is_list ? text + length : memchr(text, ' ', length);
    if (space == NULL || !mt_unspell(r, text, (size_t)(space - text), r->joined, &left)) {
        return false;
    }
    if (is_list) {
        if (!mt_json_take(j, ',') || !mt_json_string(r, j, &text, &length) || length > MT_MOST_SPELLED / 2) {
            return false;
        }
    } else {
        length -= (size_t)(space - text) + 1;
        text = space + 1;
    }
    if (!mt_unspell(r, text, length, r->joined + left, &right) || (is_list && !mt_json_take(j, ']'))) {
        return false;
    }
    symbols[0] = mt_find_token(r->v, r->joined, left);
    symbols[1] = mt_find_token(r->v, r->joined + left, right);
    if (mt_is_token(r->v, guess, r->joined, left + right)) {
        symbols[2] = guess;
    } else {
        symbols[2] = mt_find_token(r->v, r->joined, left + right);
    }
    return symbols[0] != MT_NO_SYMBOL && symbols[1] != MT_NO_SYMBOL && symbols[2] != MT_NO_SYMBOL;
}

/* Add the merges of `merges` to the tokens. */
static inline mt_status mt_read_json_merges(mt_model_reader *r, const uint8_t *data, size_t size) {
    mt_vocabulary *v = r->v;
    mt_json j = {data, 0, size};
    size_t most = 1;
    for (size_t i = 0; i < size; i++) {
        most += data[i] == ',';
    }
    uint32_t symbols[3] = {0, 0, 0}, rank = 0;
    v->made = calloc(most + 1, sizeof *v->made);
    mt_status status = v->made == NULL ? MT_NO_MEMORY : mt_reserve_pairs(v, v->token_count);
    if (status != MT_OK) {
        return status;
    }
    if (most >= MT_MOST_RANKS || !mt_json_take(&j, '[')) {
        return MT_IRREGULAR;
    }
    do {
        if (!mt_read_merge(r, &j, symbols)) {
            return MT_IRREGULAR;
        }
        v->made[rank] = symbols[2];
        status = mt_add_pair(v, symbols[0], symbols[1], rank++);
        if (status != MT_OK) {
            return status;
        }
    } while (mt_json_take(&j, ','));
    v->made_count = rank;
    return mt_json_take(&j, ']') && j.at == size && v->pair_count == rank ? MT_OK : MT_IRREGULAR;
}

/* Fill an empty vocabulary. `apart`: the strings that are not to be tokens, in UTF-8, as tokens of a vocabulary that is
 * indexed; `apart_ids` has room for the ids of these, which are -1 where there are none. MT_IRREGULAR: not regular. */
static inline mt_status mt_read_json_model(
    mt_vocabulary *v, const uint8_t *data, const mt_model_place *place, const mt_vocabulary *apart, int64_t *apart_ids
) {
    mt_model_reader *r = malloc(sizeof *r);
    if (r == NULL) {
        return MT_NO_MEMORY;
    }
    r->v = v;
    r->apart = apart;
    r->apart_ids = apart_ids;
    mt_fill_alphabet(r->alphabet);
    for (size_t i = 0; i < apart->token_count; i++) {
        apart_ids[i] = -1;
    }
    mt_status status = mt_read_json_tokens(r, data + place->vocab, place->vocab_end - place->vocab);
    for (size_t i = 0; i < apart->token_count && status == MT_OK; i++) {
        if (apart_ids[i] >= 0 && mt_symbol_of_id(v, (uint64_t)apart_ids[i]) != MT_NO_SYMBOL) {
            status = MT_IRREGULAR; /* the id of a token, too */
        }
    }
    if (status == MT_OK) {
        status = mt_read_json_merges(r, data + place->merges, place->merges_end - place->merges);
    }
    free(r);
    return status;
}

#endif
