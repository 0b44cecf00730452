/* SPDX-License-Identifier: Apache-2.0 */
/* The list of derivations and what they share. */
#include "derive.h"

#include "elsewhere.h"

#include "stats/series.h"

#include <stdlib.h>
#include <string.h>

#define X(name) \
    int tare_derive_##name(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);
#include "tare_derivations.inc"
#undef X

#define X(name) {#name, tare_derive_##name},
static const struct {
    const char *name;
    tare_derive_fn derive;
} derivations[] = {
#include "tare_derivations.inc"
};
#undef X

const char *tare_derivation_name(size_t i)
{
    return i < sizeof derivations / sizeof *derivations ? derivations[i].name : NULL;
}

int tare_derive(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    int r = 0;
    struct tare_elsewhere around;
    to = tare_elsewhere_around(&around, e, to);
    for (size_t i = 0; r == 0 && i < sizeof derivations / sizeof *derivations; i++) {
        r = derivations[i].derive(e, to, err);
    }
    return r;
}

int tare_derive_one(const char *derivation, const struct tare_evidence *e, struct tare_figures *to,
                    struct tare_err *err)
{
    struct tare_elsewhere around;
    to = tare_elsewhere_around(&around, e, to);
    for (size_t i = 0; i < sizeof derivations / sizeof *derivations; i++) {
        if (strcmp(derivations[i].name, derivation) == 0) {
            return derivations[i].derive(e, to, err);
        }
    }
    return tare_err_set(err, TARE_E_USAGE, "no derivation is called \"%.40s\"", derivation);
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

/* Is the word one of a comma-separated list? */
static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',') {
        if (strncmp(at, word, n) == 0 && (at[n] == ',' || at[n] == '\0')) {
            return true;
        }
    }
    return false;
}

void tare_figure_flag(struct tare_figure *f, const char *flag)
{
    size_t used = strlen(f->flags);
    if (!has_word(f->flags, flag) && used + 1 + strlen(flag) < sizeof f->flags) { /* never half a word */
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

static const struct tare_evidence_repeat *repeat_of(const struct tare_evidence *e, int64_t id)
{
    for (size_t i = 0; i < e->n_repeats; i++) {
        if (e->repeats[i].id == id) {
            return &e->repeats[i];
        }
    }
    return NULL;
}

static double wall_s(const struct tare_evidence *e, int64_t repeat_id, const char *phase)
{
    const struct tare_reading_record *r = tare_evidence_find(e, repeat_id, phase, "wall");
    return r && !r->absent ? r->value / 1e9 : (double)NAN;
}

/* The rules that one reading of a complete repeat raises. */
static tare_noise_set judge_reading(const struct tare_evidence *e,
                                    const struct tare_evidence_reading *reading)
{
    tare_noise_set set = 0;
    for (size_t i = 0; i < tare_noise_n_rules; i++) {
        const struct tare_noise_rule *rule = &tare_noise_rules[i];
        bool share = rule->basis == TARE_NOISE_SHARE && tare_noise_names(rule, reading->r.name);
        if (tare_noise_raised(rule, &reading->r,
                              share ? wall_s(e, reading->repeat_id, reading->r.phase) : (double)NAN)) {
            set |= (tare_noise_set)1 << i;
        }
    }
    return set;
}

/* The rules that readings of a phase raise in complete repeats. */
static tare_noise_set judge_phase(const struct tare_evidence *e, const char *phase)
{
    const struct tare_evidence_repeat *of = NULL;
    tare_noise_set set = 0;
    for (size_t i = 0; i < e->n_readings; i++) {
        const struct tare_evidence_reading *r = &e->readings[i];
        if (strcmp(r->r.phase, phase) != 0 || strcmp(r->r.meter, TARE_METER_OF_BACKEND) == 0) {
            continue;
        }
        of = of && of->id == r->repeat_id ? of : repeat_of(e, r->repeat_id);
        set |= of && of->complete ? judge_reading(e, r) : 0;
    }
    return set;
}

tare_noise_set tare_evidence_disturbed(const struct tare_evidence *e)
{
    tare_noise_set set = judge_phase(e, "measure") | judge_phase(e, "sustain");
    set |= e->slow_build ? tare_noise_of_fact(TARE_FACT_SLOW_BUILD) : 0;
    set |= e->settings_changed ? tare_noise_of_fact(TARE_FACT_SETTINGS_CHANGED) : 0;
    set |= e->data_mismatch ? tare_noise_of_fact(TARE_FACT_DATA_MISMATCH) : 0;
    for (size_t i = 0; i < e->n_repeats; i++) {
        if (e->repeats[i].complete && e->repeats[i].sums.requests < TARE_MIN_REQUESTS) {
            set |= tare_noise_of_fact(TARE_FACT_TOO_FEW_REQUESTS);
        }
    }
    return set;
}

void tare_figure_flag_resumed(struct tare_figure *f, const struct tare_evidence *e)
{
    for (size_t i = 0; i < e->n_repeats; i++) {
        if (e->repeats[i].complete && e->repeats[i].attempts > 1) {
            tare_figure_flag(f, "RESUMED");
        }
    }
}

static void flag_course(struct tare_figure *f, const struct tare_evidence *e)
{
    static const char *const words[] = {[TARE_COURSE_WARM_UP] = "WARMUP_SEEN",
                                        [TARE_COURSE_SLOW_DOWN] = "SLOW_DOWN",
                                        [TARE_COURSE_NONE] = "NO_STEADY_STATE"};
    for (size_t i = 0; i < e->n_repeats; i++) {
        const struct tare_steadiness *s = &e->repeats[i].steady;
        const char *word = s->absent ? NULL : words[s->course]; /* 0: not assessed */
        if (e->repeats[i].complete && word) {
            tare_figure_flag(f, word);
        }
    }
}

static void flag_set(struct tare_figure *f, tare_noise_set set)
{
    for (size_t i = 0; i < tare_noise_n_rules; i++) {
        if ((set >> i & 1) && tare_noise_rules[i].flags_times) {
            tare_figure_flag(f, tare_noise_rules[i].code);
        }
    }
}

void tare_figure_flag_noise(struct tare_figure *f, const struct tare_evidence *e)
{
    tare_figure_flag_resumed(f, e);
    flag_set(f, tare_evidence_disturbed(e));
    flag_course(f, e);
}

void tare_figure_flag_phase(struct tare_figure *f, const struct tare_evidence *e, const char *phase)
{
    flag_set(f, judge_phase(e, phase));
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

/* temperature_begin, temperature_gpu_0_begin, ... in the measure phase of a repeat. */
static bool is_start_temperature(const struct tare_evidence_reading *r, int64_t repeat_id)
{
    static const char head[] = "temperature_", tail[] = "_begin";
    size_t n = strlen(r->r.name);
    return r->repeat_id == repeat_id && !r->r.absent && strncmp(r->r.name, head, sizeof head - 1) == 0 &&
           n >= sizeof tail && strcmp(r->r.name + n - (sizeof tail - 1), tail) == 0 &&
           strcmp(r->r.phase, "measure") == 0 && strcmp(r->r.meter, TARE_METER_OF_BACKEND) != 0;
}

void tare_figure_flag_heat(struct tare_figure *f, const struct tare_evidence *e, int64_t repeat_id,
                           int64_t base_id)
{
    enum { apart_k = 5 };
    for (size_t i = 0; i < e->n_readings; i++) {
        const struct tare_evidence_reading *a = &e->readings[i];
        for (size_t j = 0; is_start_temperature(a, repeat_id) && j < e->baseline->n_readings; j++) {
            const struct tare_evidence_reading *b = &e->baseline->readings[j];
            if (is_start_temperature(b, base_id) && strcmp(a->r.name, b->r.name) == 0 &&
                fabs(a->r.value - b->r.value) > apart_k) {
                tare_figure_flag(f, "TEMPERATURE");
            }
        }
    }
}

void tare_figure_flag_pair(struct tare_figure *f, const struct tare_evidence *e,
                           const struct tare_evidence_repeat *a, const struct tare_evidence_repeat *b)
{
    enum { apart_s = 3600 };
    tare_figure_flag_heat(f, e, a->id, b->id);
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
