/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log-likelihoods by number: a table that says which item and which of its requests each belongs to, so that
 * it needs no text and the same text may be answered differently.
 *
 * Tab-separated with a header line that names the columns: doc, req and loglikelihood, and greedy (0 or 1) if
 * it is known. Private to the backend replay.
 */
#ifndef TARE_BACKENDS_REPLAY_NUMBERED_H
#define TARE_BACKENDS_REPLAY_NUMBERED_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <tare/err.h>

struct tare_numbered_answer {
    uint64_t id; /* as a request has it */
    double loglik;
    bool greedy;
};

struct tare_numbered {
    struct tare_numbered_answer *all; /* by id */
    size_t n, cap;
};

/* Reads `file`, which is called `path` in errors. On failure nothing is held. */
TARE_MUST_CHECK int tare_numbered_read(FILE *file, const char *path, struct tare_numbered *out,
                                       struct tare_err *err);
void tare_numbered_free(struct tare_numbered *numbered);
/* NULL: the table has no answer to that request. */
const struct tare_numbered_answer *tare_numbered_find(const struct tare_numbered *numbered, uint64_t id);

#endif
