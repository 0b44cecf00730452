/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence made by hand for tests of derivations, and the figures that come out of it. */
#ifndef TARE_TESTS_METRICS_EVIDENCE_H
#define TARE_TESTS_METRICS_EVIDENCE_H

#include "metrics/derive/derive.h"

enum { made_max_repeats = 8, made_max_readings = 256, made_max_figures = 128 };

/* Repeats of 10 s, 10 requests, 600 prompt and 400 output tokens each, unless changed. */
struct made {
    struct tare_evidence e; /* what is passed on */
    struct tare_evidence_repeat repeats[made_max_repeats];
    struct tare_evidence_reading readings[made_max_readings];
    double exact[made_max_repeats]; /* items answered right; NaN: no such notion */
    struct tare_declared declared;
};

void made_init(struct made *m, size_t n_repeats);
/* A reading of every repeat: value, u in its unit, relative gain. Strings must live. */
void made_all(struct made *m, const char *phase, const char *meter, const char *scope, const char *name,
              double value, double u, double gain);
/* The same of one repeat. Returned for changes. */
struct tare_reading_record *made_one(struct made *m, size_t repeat, const char *phase, const char *meter,
                                     const char *scope, const char *name, double value, double u,
                                     double gain);
/* wall of a phase in every repeat. */
void made_wall(struct made *m, const char *phase, double seconds);
/* The one reading of a repeat with that name and phase. */
struct tare_reading_record *made_find(struct made *m, size_t repeat, const char *phase, const char *name);

/* Figures as copied by the sink. */
struct made_figure {
    char name[64], unit[32], scope[80], source[1500], method[200], flags[200], absent[600];
    int kind;
    bool is_absent;
    double value, low, high, level;
    int64_t n;
};

struct made_figures {
    struct tare_figures to;
    struct made_figure list[made_max_figures];
    size_t n;
};

/* Runs one derivation. */
void made_derive(struct made *m, tare_derive_fn derive, struct made_figures *out);
/* The figure; fails the test if there is none. */
const struct made_figure *made_get(const struct made_figures *f, const char *name);
/* Its value is `value` to a relative 1e-9. */
void made_expect(const struct made_figures *f, const char *name, double value);
/* It is absent, and its reason holds `why`. */
void made_expect_absent(const struct made_figures *f, const char *name, const char *why);

#endif
