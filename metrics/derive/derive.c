/* SPDX-License-Identifier: Apache-2.0 */
/* The list of derivations and what they share. */
#include "derive.h"

#include <stdlib.h>
#include <string.h>

#define X(name) \
    int tare_derive_##name(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);
#include "tare_derivations.inc"
#undef X

#define X(name) tare_derive_##name,
static const tare_derive_fn derivations[] = {
#include "tare_derivations.inc"
};
#undef X

int tare_derive(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof derivations / sizeof *derivations; i++) {
        r = derivations[i](e, to, err);
    }
    return r;
}

struct tare_figure tare_figure_make(const char *name, const char *unit, enum tare_kind kind,
                                    const char *source, const char *scope)
{
    return (struct tare_figure){.name = name,
                                .value = (double)NAN,
                                .unit = unit,
                                .kind = (int)kind,
                                .source = source,
                                .scope = scope,
                                .n_what = "repeats",
                                .low = (double)NAN,
                                .high = (double)NAN,
                                .level = (double)NAN};
}

void tare_figure_flag(struct tare_figure *f, const char *flag)
{
    size_t used = strlen(f->flags);
    if (!strstr(f->flags, flag)) {
        (void)snprintf(f->flags + used, sizeof f->flags - used, "%s%s", used ? "," : "", flag);
    }
}

void tare_figure_pass_flags(struct tare_figure *f, const char *flags)
{
    char word[64];
    while (flags && *flags) {
        size_t n = strcspn(flags, ",");
        if (n > 0 && n < sizeof word) {
            memcpy(word, flags, n);
            word[n] = '\0';
            tare_figure_flag(f, word);
        }
        flags += n + (flags[n] == ',');
    }
}

/* A reading of the measure phase, or 0 where it is absent: absence is no sign of noise. */
static double measured(const struct tare_evidence *e, int64_t repeat_id, const char *name)
{
    const struct tare_reading_record *r = tare_evidence_find(e, repeat_id, "measure", name);
    return r && !r->absent ? r->value : 0;
}

static void flag_repeat(struct tare_figure *f, const struct tare_evidence *e,
                        const struct tare_evidence_repeat *r)
{
    double wall_s = measured(e, r->id, "wall") / 1e9;
    const struct {
        const char *flag;
        bool raised;
    } rules[] = {{"FOREIGN_CPU", measured(e, r->id, "foreign_cpu") > 2},
                 {"STEAL", measured(e, r->id, "steal") > 1},
                 {"CPU_WAIT", measured(e, r->id, "run_queue_wait") > 0.05 * wall_s},
                 {"PAGING", measured(e, r->id, "major_faults") > 0},
                 {"STREAM_STALL", measured(e, r->id, "stream_stall_time") > 0.01 * wall_s}};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (rules[i].raised) {
            tare_figure_flag(f, rules[i].flag);
        }
    }
}

void tare_figure_flag_resumed(struct tare_figure *f, const struct tare_evidence *e)
{
    for (size_t i = 0; i < e->n_repeats; i++) {
        if (e->repeats[i].complete && e->repeats[i].attempts > 1) {
            tare_figure_flag(f, "RESUMED");
        }
    }
}

void tare_figure_flag_noise(struct tare_figure *f, const struct tare_evidence *e)
{
    tare_figure_flag_resumed(f, e);
    if (e->slow_build) {
        tare_figure_flag(f, "SLOW_BUILD");
    }
    for (size_t i = 0; i < e->n_repeats; i++) {
        if (e->repeats[i].complete) {
            flag_repeat(f, e, &e->repeats[i]);
        }
    }
}

void tare_figure_interval(struct tare_figure *f, const struct tare_interval *interval)
{
    f->method = interval->method;
    if (interval->ok) {
        f->low = interval->low;
        f->high = interval->high;
        f->level = interval->level;
    }
}

int tare_figure_absent(struct tare_figure *f, const char *why, struct tare_figures *to, struct tare_err *err)
{
    f->value = f->low = f->high = f->level = (double)NAN;
    f->method = NULL;
    f->absent = why;
    return to->put(to, f, err);
}

int tare_figure_exact(struct tare_figure *f, double value, const char *n_what, const char *why,
                      struct tare_figures *to, struct tare_err *err)
{
    f->n_what = n_what;
    if (!isfinite(value)) {
        return tare_figure_absent(f, why, to, err);
    }
    f->value = f->low = f->high = value;
    f->level = 1;
    f->method = "exact count";
    return to->put(to, f, err);
}

int tare_figure_repeats(struct tare_figure *f, double *values, size_t n, const char *why,
                        struct tare_figures *to, struct tare_err *err)
{
    f->n = (int64_t)n;
    if (n == 0) {
        return tare_figure_absent(f, why, to, err);
    }
    tare_sort(values, n);
    struct tare_interval interval = tare_median_interval(values, n, TARE_LEVEL);
    f->value = tare_quantile(values, n, 0.5);
    tare_figure_interval(f, &interval);
    if (interval.ok && interval.level < TARE_LEVEL) {
        tare_figure_flag(f, "FEW_REPEATS");
    }
    return to->put(to, f, err);
}

static const struct tare_reading_record *find(const struct tare_evidence *e, int64_t repeat_id,
                                              const char *phase, const char *name, bool own)
{
    const struct tare_reading_record *found = NULL;
    for (size_t i = 0; i < e->n_readings; i++) {
        const struct tare_reading_record *r = &e->readings[i].r;
        if (e->readings[i].repeat_id == repeat_id && strcmp(r->name, name) == 0 &&
            strcmp(r->phase, phase) == 0 && (strcmp(r->meter, TARE_METER_OF_BACKEND) == 0) == own) {
            found = r;
        }
    }
    return found;
}

const struct tare_reading_record *tare_evidence_find(const struct tare_evidence *e, int64_t repeat_id,
                                                     const char *phase, const char *name)
{
    return find(e, repeat_id, phase, name, false);
}

const struct tare_reading_record *tare_evidence_find_own(const struct tare_evidence *e, int64_t repeat_id,
                                                         const char *phase, const char *name)
{
    return find(e, repeat_id, phase, name, true);
}

const char *tare_evidence_no_baseline(const struct tare_evidence *e)
{
    return e->is_baseline        ? "this is the baseline"
           : !e->baseline_name   ? "the plan names no baseline"
           : !e->baseline        ? "the baseline has no such task"
           : !e->baseline->valid ? "the baseline's cell is not valid"
                                 : NULL;
}

const struct tare_evidence_repeat *tare_evidence_partner(const struct tare_evidence *e,
                                                         const struct tare_evidence_repeat *r)
{
    for (size_t i = 0; r->complete && i < e->baseline->n_repeats; i++) {
        const struct tare_evidence_repeat *other = &e->baseline->repeats[i];
        if (other->complete && other->block == r->block) {
            return other;
        }
    }
    return NULL;
}

void tare_figure_flag_pair(struct tare_figure *f, const struct tare_evidence_repeat *a,
                           const struct tare_evidence_repeat *b)
{
    enum { apart_s = 3600 };
    if (a->sums.samples != b->sums.samples || a->sums.output_tok != b->sums.output_tok) {
        tare_figure_flag(f, "UNEQUAL_WORK");
    }
    int64_t gap_s = a->started_s > b->started_s ? a->started_s - b->started_s : b->started_s - a->started_s;
    if (a->started_s == TARE_ABSENT || b->started_s == TARE_ABSENT || gap_s > apart_s) {
        tare_figure_flag(f, "APART");
    }
}

size_t tare_evidence_complete(const struct tare_evidence *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->n_repeats; i++) {
        n += e->repeats[i].complete;
    }
    return n;
}
