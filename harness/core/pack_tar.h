/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a pack: a tar (POSIX ustar) of regular files without owner, time or mode, so that equal
 * content is equal bytes. Any tar reads it; what is read here must be byte for byte what is written here.
 * Each file is hashed on its way.
 */
#ifndef TARE_CORE_PACK_TAR_H
#define TARE_CORE_PACK_TAR_H

#include "base/hash.h"

#include <stdint.h>
#include <stdio.h>
#include <tare/err.h>

enum { TARE_TAR_BLOCK = 512, TARE_TAR_NAME_MAX = 100 };

struct tare_tar_entry {
    char name[TARE_TAR_NAME_MAX]; /* relative, plain (letters, digits, '.', '_', '+', '-'), no part begins
                                     with '.' */
    int64_t bytes;
    char sha256[TARE_SHA256_HEX];
};

/* Of a name and a size that can be held: below 8 GiB. */
TARE_MUST_CHECK int tare_tar_header(const char *name, int64_t bytes, unsigned char out[TARE_TAR_BLOCK],
                                    struct tare_err *err);

/* `to` must be seekable; NULL: everything is only hashed and counted. */
struct tare_tar_writer {
    FILE *to;
    const char *what; /* names `to` in messages */
    struct tare_hasher *hasher;
    struct tare_tar_entry entry;
    int64_t header_at;
};

TARE_MUST_CHECK int tare_tar_begin(struct tare_tar_writer *writer, const char *name, struct tare_err *err);
TARE_MUST_CHECK int tare_tar_add(struct tare_tar_writer *writer, const void *data, size_t n,
                                 struct tare_err *err);
/* *out is what was written since begin. */
TARE_MUST_CHECK int tare_tar_end(struct tare_tar_writer *writer, struct tare_tar_entry *out,
                                 struct tare_err *err);
/* Behind the last entry. */
TARE_MUST_CHECK int tare_tar_finish(struct tare_tar_writer *writer, struct tare_err *err);
/* Frees what a file that was begun and not ended holds. */
void tare_tar_drop(struct tare_tar_writer *writer);

/* 1: *out is the next file, hashed; of one whose name is in the NULL-terminated list `keep`, *out_data is the
 * content, which free() gives back; else, and of one over 64 MiB, it is NULL. 0: the end, which is the end of
 * the stream, too. */
TARE_MUST_CHECK int tare_tar_next(FILE *from, const char *what, const char *const *keep,
                                  struct tare_tar_entry *out, char **out_data, struct tare_err *err);

#endif
