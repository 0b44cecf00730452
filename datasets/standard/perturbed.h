/* SPDX-License-Identifier: Apache-2.0 */
/* A document with its texts perturbed, for questions that a robust model answers alike. Private to datasets/.
 */
#ifndef TARE_DATASETS_STANDARD_PERTURBED_H
#define TARE_DATASETS_STANDARD_PERTURBED_H

#include "datasets/perturb/perturb.h"

#include <tare/json.h>

/* What is done to the fields of a document that are texts; those within lists and objects are left alone. */
struct tare_perturbing {
    enum tare_perturb_kind kind;
    double rate;          /* 0: nothing is done */
    struct tare_rng seed; /* document i draws from split(seed, "perturb", i) */
};

/* By name; an unknown one is an error that lists all. NULL and "" are none: the rate becomes 0. */
int tare_perturbing_init(const char *kind, double rate, const struct tare_rng *seed,
                         struct tare_perturbing *out, struct tare_err *err);
/* A copy; tare_json_destroy(*out). */
int tare_perturbed_document(const struct tare_perturbing *how, const struct tare_json *document, size_t index,
                            struct tare_json **out, struct tare_err *err);

#endif
