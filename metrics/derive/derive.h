/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deriving: from the evidence of one cell (its samples, readings, phases) to its figures.
 *
 * A derivation is a pure function of the evidence, so that every figure can be recomputed from the
 * database (`tare derive`). What cannot be derived becomes an absent figure with the reason, never a
 * zero. The unit of inference is the repeat for times and resources, the item for quality. Each
 * derivation is one file and one line of meson.
 */
#ifndef TARE_METRICS_DERIVE_H
#define TARE_METRICS_DERIVE_H

#include "base/record.h"
#include "core/declared.h"
#include "core/noise.h"
#include "stats/interval.h"

#include <tare/meter.h>
#include <tare/task.h>

#define TARE_LEVEL 0.95         /* nominal level of every interval */
enum { TARE_MIN_REQUESTS = 6 }; /* of a repeat: below it not even a median has an interval */

/* How the latencies of a repeat went, request by request (derive/steady.c). */
struct tare_steadiness {
    const char *absent; /* why nothing is known; NULL: the rest is */
    int course;         /* enum tare_course */
    double fraction;    /* of the requests that are in the last level */
    double lag1;        /* autocorrelation of neighbours */
    double effective_n; /* requests that are independent */
    int64_t n;          /* requests looked at */
};

struct tare_evidence_repeat {
    int64_t id;
    int64_t block;
    int64_t attempts;  /* worker processes that gave samples */
    int64_t started_s; /* wall clock, seconds since 1970; TARE_ABSENT if unknown */
    bool complete;     /* every item has its sample, and the worker ended well */
    struct tare_repeat_sums sums;
    struct tare_steadiness steady; /* set by tare_steady_assess; not assessed: course 0 */
};

struct tare_evidence_reading {
    int64_t repeat_id;
    struct tare_reading_record r; /* strings owned by the evidence */
};

struct tare_evidence {
    const struct tare_task *task;
    const char *account_convention; /* NULL: nothing was counted */
    bool elsewhere;                 /* the model ran in another process than the worker */
    int account_kind;               /* enum tare_kind of what the backend's account gave */
    int64_t items;
    uint64_t seed;         /* of the bootstrap */
    bool slow_build;       /* sanitized or debug build: its times say nothing */
    bool settings_changed; /* settings of the machine were others when the run was taken up again */
    bool data_mismatch;    /* an item was not the same in every repeat */
    size_t n_repeats;
    const struct tare_evidence_repeat *repeats; /* by block */
    size_t n_readings;
    const struct tare_evidence_reading *readings;
    const struct tare_evidence *baseline; /* the same task on the baseline model; NULL for none */
    const char *baseline_name;
    const char *speedup_source; /* what the ratio is, with the baseline's name */
    double peak_flops;          /* of this machine, FLOP/s; read only if peak_kind is set */
    double peak_bytes_per_s;    /* of its memory; 0 or NaN: not known, as with peak_flops */
    const char *peak_source;
    int peak_kind; /* enum tare_kind; 0: no peak is known */
    bool valid;    /* the cell's verdict */
    bool is_baseline;
    int64_t cpus;                         /* online in the run's environment; 0: not known */
    const char *no_meter;                 /* why meters of the run could not be used; NULL: not known */
    const struct tare_declared *declared; /* what the user declares; NULL for nothing */
    /* One column of one repeat (base/record.h); *out is malloc'ed. */
    int (*column)(void *ctx, int64_t repeat_id, enum tare_column column, double **out, size_t *out_n,
                  struct tare_err *err);
    /* The task's own numbers of that name in one repeat, in item order; *out is malloc'ed. */
    int (*scores)(void *ctx, int64_t repeat_id, const char *name, double **out, size_t *out_n,
                  struct tare_err *err);
    void *ctx;
};

/* Where figures go. A later figure of the same name replaces an earlier one. */
struct tare_figures {
    int (*put)(struct tare_figures *to, const struct tare_figure *figure, struct tare_err *err);
};

typedef int (*tare_derive_fn)(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

/* Runs all derivations. */
TARE_MUST_CHECK int tare_derive(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

/* The name of derivation i, in the order in which they run; NULL behind the last. */
const char *tare_derivation_name(size_t i);

/* Runs one of them by its name: "latency". */
TARE_MUST_CHECK int tare_derive_one(const char *derivation, const struct tare_evidence *e,
                                    struct tare_figures *to, struct tare_err *err);

/* Helpers shared by the derivations. */

/* A figure whose identity is set and whose value is absent until it is filled. */
struct tare_figure tare_figure_make(const char *name, const char *unit, enum tare_kind kind,
                                    const char *source, const char *scope);
void tare_figure_flag(struct tare_figure *f, const char *flag);
/* Those of a reading that it is made of: words with commas between; NULL: none. */
void tare_figure_pass_flags(struct tare_figure *f, const char *flags);
/* The rules of core/noise.h that complete repeats raise: by readings of their phases measure and sustain, and
 * by facts. */
tare_noise_set tare_evidence_disturbed(const struct tare_evidence *e);
/* What disturbed the phases measure and sustain, as flags: the codes of core/noise.h that flag times,
 * RESUMED, and how the latencies went (WARMUP_SEEN, SLOW_DOWN, NO_STEADY_STATE). For every figure that is a
 * time, a rate or an energy. */
void tare_figure_flag_noise(struct tare_figure *f, const struct tare_evidence *e);
/* The codes alone, of what disturbed another phase of complete repeats. */
void tare_figure_flag_phase(struct tare_figure *f, const struct tare_evidence *e, const char *phase);
/* RESUMED: a repeat was put together from several worker processes. */
void tare_figure_flag_resumed(struct tare_figure *f, const struct tare_evidence *e);
/* Looks at the latencies of every complete repeat; fills `steady` of e's repeats, given once more to write
 * to. */
TARE_MUST_CHECK int tare_steady_assess(const struct tare_evidence *e, struct tare_evidence_repeat *repeats,
                                       struct tare_err *err);
void tare_figure_interval(struct tare_figure *f, const struct tare_interval *interval);
TARE_MUST_CHECK int tare_figure_absent(struct tare_figure *f, const char *why, struct tare_figures *to,
                                       struct tare_err *err);
/* A count that leaves nothing to be uncertain about, of f->n units; absent with `why` if not finite. */
TARE_MUST_CHECK int tare_figure_exact(struct tare_figure *f, double value, const char *n_what,
                                      const char *why, struct tare_figures *to, struct tare_err *err);
/* Median and interval over one value a repeat; sorts the values. Absent with `why` when n is 0. */
TARE_MUST_CHECK int tare_figure_repeats(struct tare_figure *f, double *values, size_t n, const char *why,
                                        struct tare_figures *to, struct tare_err *err);
/* The last reading of that name and phase in a repeat, or NULL. What a backend says of itself
 * (derive/technique.c) is none of them: it must not pass for a meter's. */
const struct tare_reading_record *tare_evidence_find(const struct tare_evidence *e, int64_t repeat_id,
                                                     const char *phase, const char *name);
/* The same among what the backend's own hook said. */
const struct tare_reading_record *tare_evidence_find_own(const struct tare_evidence *e, int64_t repeat_id,
                                                         const char *phase, const char *name);
/* Why nothing can be set against the baseline, or NULL. */
const char *tare_evidence_no_baseline(const struct tare_evidence *e);
/* The baseline's repeat of the same block, if both are complete; there is a baseline. */
const struct tare_evidence_repeat *tare_evidence_partner(const struct tare_evidence *e,
                                                         const struct tare_evidence_repeat *r);
/* TEMPERATURE: a sensor that both sides of a pair have, of whatever chip, was more than 5 K apart at the
 * begin of the measure phase. A hotter chip leaks more and boosts less. */
void tare_figure_flag_heat(struct tare_figure *f, const struct tare_evidence *e, int64_t repeat_id,
                           int64_t base_id);
/* UNEQUAL_WORK, APART, TEMPERATURE: what makes a pair doubtful. */
void tare_figure_flag_pair(struct tare_figure *f, const struct tare_evidence *e,
                           const struct tare_evidence_repeat *a, const struct tare_evidence_repeat *b);
size_t tare_evidence_complete(const struct tare_evidence *e);

#endif
