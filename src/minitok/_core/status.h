/* What can go wrong below the seam. Functions return a status; nothing prints, nothing aborts. */
#ifndef MINITOK_STATUS_H
#define MINITOK_STATUS_H

typedef enum {
    MT_OK = 0,
    MT_NO_MEMORY,
    MT_MISSING_BYTE, /* a byte that the vocabulary can neither merge nor emit */
    MT_TOO_LONG      /* more than 32 bits of positions */
} mt_status;

#endif
