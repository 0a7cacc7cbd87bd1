/* What can go wrong below the seam. Functions return a status; nothing prints, nothing aborts. */
#ifndef MINITOK_STATUS_H
#define MINITOK_STATUS_H

typedef enum {
    MT_OK = 0,
    MT_NO_MEMORY,
    MT_MISSING_BYTE, /* a byte that the vocabulary can neither merge nor emit */
    MT_TOO_LONG,     /* more than 32 bits of positions */
    MT_SURROGATE,    /* a character that has no UTF-8 */
    MT_IRREGULAR,    /* a vocabulary file that another reader has to look at */
    MT_TOO_MANY_TOKENS, /* more than the tables have bits for */
    MT_TOO_MANY, /* a count above 2**63 - 1 */
    MT_DAMAGED,  /* a block that does not hold records */
    MT_UNSORTED  /* records whose pieces do not ascend */
} mt_status;

#endif
