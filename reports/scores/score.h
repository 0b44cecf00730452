/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of a score: a table computed over a whole selection of cells by a published rule.
 *
 * A score is one file, NAME.c, that defines tare_score_NAME, and one line in meson.build. It gets the cells
 * of the selection (reports/input.h), reduces them to small structs (matrix.h) and gives a typed table. What
 * its rule needs and the database lacks is absent with a reason; nothing is guessed. A score that depends on
 * the set of systems names that set in a note. It knows neither the database nor how a table is printed.
 */
#ifndef TARE_REPORTS_SCORES_SCORE_H
#define TARE_REPORTS_SCORES_SCORE_H

#include "core/arena.h"
#include "reports/input.h"

#include <tare/opt.h>
#include <tare/report.h>

/* A table and the memory it lies in. */
struct tare_score_out {
    struct tare_arena arena;
    struct tare_table table;
};

struct tare_score {
    const char *name;    /* as on the command line: break-even */
    const char *summary; /* one line */
    const char *needs;   /* what must be in the database, one line */
    size_t options_size;
    const struct tare_opt *options; /* offsets into the options of build; never NULL */
    /* `out` is zeroed; what is in it after a failure is freed by the caller. */
    int (*build)(const struct tare_report_input *input, const void *options, struct tare_score_out *out,
                 struct tare_err *err);
};

/* NULL-terminated, in the order of meson.build. */
extern const struct tare_score *const tare_scores[];

/* By name, '_' counting as '-'; an unknown one is an error that names the nearest. */
TARE_MUST_CHECK int tare_find_score(const char *name, const struct tare_score **out, struct tare_err *err);
/* Builds with options from lines "key=value" (NULL: none). On success tare_score_fini `out`. */
TARE_MUST_CHECK int tare_score_build(const struct tare_score *score, const struct tare_report_input *input,
                                     const char *settings, struct tare_score_out *out, struct tare_err *err);
void tare_score_fini(struct tare_score_out *out);

#endif
