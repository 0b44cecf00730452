/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file on its way into place: NAME.part beside NAME, held by a lock, and NAME.part.from, which remembers
 * the address and the validator of its bytes. NAME appears by a rename, with the right size and SHA-256,
 * synced to the disk, or not at all. It knows no network.
 */
#ifndef TARE_FETCH_PART_H
#define TARE_FETCH_PART_H

#include "fetch/head.h"
#include "fetch/url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

enum { TARE_PART_PATH_MAX = 4096 };

struct tare_part {
    char path[TARE_PART_PATH_MAX]; /* NAME.part */
    char note[TARE_PART_PATH_MAX]; /* NAME.part.from */
    char name[TARE_PART_PATH_MAX]; /* NAME */
    int fd;                        /* -1: closed */
    int64_t bytes;                 /* so far, and the place of the next one */
    char url[TARE_URL_MAX];        /* where they came from; "": not known, they are worth nothing */
    char validator[TARE_VALIDATOR_MAX];
};

/* Makes the folders, opens or makes NAME.part and takes its lock; held by another process: an error at once.
 */
TARE_MUST_CHECK int tare_part_open(struct tare_part *part, const char *folder, const char *file,
                                   struct tare_err *err);
/* Can what is there be gone on with from this address? */
bool tare_part_resumes(const struct tare_part *part, const char *url, int64_t total_bytes);
/* Forgets the bytes. */
TARE_MUST_CHECK int tare_part_restart(struct tare_part *part, struct tare_err *err);
/* Remembers where the bytes come from; both are one line, validator may be "". */
TARE_MUST_CHECK int tare_part_note(struct tare_part *part, const char *url, const char *validator,
                                   struct tare_err *err);
TARE_MUST_CHECK int tare_part_write(struct tare_part *part, const char *data, size_t n, struct tare_err *err);
/* Checks size and hash and puts the file into place, over what may be there. TARE_E_FORMAT: they are wrong;
 * then the bytes are gone. */
TARE_MUST_CHECK int tare_part_finish(struct tare_part *part, int64_t bytes, const char *sha256,
                                     struct tare_err *err);
/* Lets go of it. What cannot be gone on with is removed. Harmless after finish, and twice. */
void tare_part_close(struct tare_part *part);

#endif
