/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of a certificate, which is one of this machine (`tare selftest`) or of a backend (`tare verify`):
 * printed, and put into a database. Lines are JSON objects with "outcome", "unit", "note" and, under names
 * that the two kinds choose, the rest. What is checked, and what counts as a pass, is theirs.
 */
#ifndef TARE_CMD_CERTIFICATE_LINES_H
#define TARE_CMD_CERTIFICATE_LINES_H

#include "base/buf.h"
#include "store/certificate.h"

#include <tare/json.h>

/* How a kind of certificate is told. Keys of a line; then words for people. */
struct tare_certificate_kind {
    const char *lines; /* key of the root: the array */
    const char *name;  /* what a line is about, in one word */
    const char *about; /* the same in a sentence */
    const char *truth, *reading, *error, *target, *error_unit;
    const char *where;     /* where the error was seen; stored with the note. NULL: no such key */
    const char *counts[3]; /* behind how many: "passed"; "failed"; "absent" of the root */
    const char *cited;     /* who shows a stored certificate */
    /* A line more about the numbers of one; adds nothing where there are none. */
    void (*numbers)(const struct tare_json *line, struct tare_buf *to);
};

/* The number under a key; NaN if there is none. */
double tare_certificate_number(const struct tare_json *of, const char *key);

/* Takes the root: JSON as it is, or a text: its "backend" if it has one, the lines, the counts with
 * "seconds", what a first "fault" means for those behind it, and the number of the "certificate". */
TARE_MUST_CHECK int tare_certificate_print(struct tare_json *root, const struct tare_certificate_kind *kind,
                                           bool json, struct tare_err *err);

/* The row and its lines, an array, in one transaction; creates the database if need be. */
TARE_MUST_CHECK int tare_certificate_store(const char *db, const struct tare_certificate_row *row,
                                           const struct tare_certificate_kind *kind,
                                           const struct tare_json *lines, int64_t *out_id,
                                           struct tare_err *err);

#endif
