/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file of a source into the folder of data: from a folder, or from its addresses in turn, tried again and
 * gone on with where a line broke. It decides and tells; it prints nothing.
 */
#ifndef TARE_FETCH_TAKE_H
#define TARE_FETCH_TAKE_H

#include "core/source.h"
#include "fetch/url.h"

#include <stdbool.h>
#include <stdint.h>

struct tare_take {
    const char *folder;  /* of data */
    const char *from;    /* a folder to copy from, and nothing else; NULL: download */
    const char *mirror;  /* address asked first, as MIRROR/FILE; NULL: none */
    const char *ca_file; /* NULL: the system's */
    int64_t connect_ns, stall_ns;
    int64_t tries;    /* of an address, at least 1 */
    int64_t pause_ns; /* before the second try; twice as long before each further one */
    bool replace;     /* a file that is there and wrong */
    void *ctx;
    /* One line about what is going on: an address that is asked, or that failed. */
    void (*say)(void *ctx, bool is_warning, const char *line);
    /* Of a file that is being downloaded. True: give up. */
    bool (*progress)(void *ctx, const struct tare_source_file *file, int64_t done_bytes);
};

enum tare_taken {
    TARE_TAKEN_KEPT,   /* it was there already, as it must be */
    TARE_TAKEN_COPIED, /* from the folder */
    TARE_TAKEN_DOWNLOADED,
};

struct tare_taken_from {
    enum tare_taken how;
    char where[TARE_URL_MAX]; /* path or address; "": kept */
};

/* NULL, or why this file cannot be taken in this way at all, before anything is asked. */
const char *tare_take_refusal(const struct tare_take *take, const struct tare_source_file *file);
/* Afterwards the file is there with the right bytes, or it is as it was and the error says why; what has come
 * of a download that broke stays beside it as NAME.part and is gone on with by the next. */
TARE_MUST_CHECK int tare_take_file(const struct tare_take *take, const struct tare_source_file *file,
                                   struct tare_taken_from *out, struct tare_err *err);

#endif
