/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks out of repeats, and each rule's numbers to the pure decisions of reports/gate. */
#include "cmd/check_decide.h"

#include "cmd/score_items.h"
#include "store/query.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <tare/task.h>

struct decider {
    const struct tare_check_values *values;
    struct tare_store *store;
    int stage;
    tare_noise_set voiding;
    struct tare_check_lines *out;
    size_t cap;
    bool unknown; /* a figure that no derivation of these cells makes */
    struct tare_err *err;
};

static int no_memory(struct tare_err *err)
{
    return tare_err_set(err, TARE_E_NOMEM, "out of memory");
}

static const struct tare_metric *graded_by(const struct tare_check_cell *c, const char *figure)
{
    for (const struct tare_metric *m = c->metrics; m && m->name; m++) {
        if (strcmp(m->name, figure) == 0) {
            return m;
        }
    }
    return NULL;
}

static size_t figure_index(const struct tare_check_values *v, const char *figure)
{
    size_t i = 0;
    while (strcmp(v->figures[i], figure) != 0) {
        i++;
    }
    return i;
}

/* How the worst repeat of the pair ended; NULL: all well. */
static const struct tare_check_repeat *worst_repeat(const struct tare_check_values *v,
                                                    const struct tare_check_pair *pair, int *out_arm)
{
    const struct tare_check_repeat *found = NULL;
    for (int arm = 0; arm < TARE_CHECK_N_ARMS; arm++) {
        for (size_t b = 0; b < v->n_blocks; b++) {
            const struct tare_check_repeat *r = &pair->arms[arm]->repeats[b];
            if (r->failure && (!found || (found->skipped && !r->skipped))) {
                found = r;
                *out_arm = arm;
            }
        }
    }
    return found;
}

enum block_state { BLOCK_MISSING, BLOCK_VOID, BLOCK_GOOD };

/* All runs of the block of both arms are there, and none was disturbed. */
static enum block_state block_state(const struct decider *d, const struct tare_check_pair *pair, size_t block)
{
    size_t runs = (size_t)d->values->rules->runs_per_block;
    enum block_state state = BLOCK_GOOD;
    for (size_t b = block * runs; b < (block + 1) * runs; b++) {
        for (int arm = 0; arm < TARE_CHECK_N_ARMS; arm++) {
            const struct tare_check_repeat *r = &pair->arms[arm]->repeats[b];
            if (b >= d->values->n_blocks || !r->there || !r->complete) {
                return BLOCK_MISSING;
            }
            d->out->disturbed |= r->disturbed;
            state = r->disturbed & d->voiding ? BLOCK_VOID : state;
        }
    }
    return state;
}

/* Median of the arm's runs; NaN if one has no value. */
static double block_value(const struct decider *d, const struct tare_check_series *s, size_t block)
{
    double runs[99];
    size_t n = (size_t)d->values->rules->runs_per_block;
    for (size_t i = 0; i < n; i++) {
        runs[i] = s->values[block * n + i];
        if (isnan(runs[i])) {
            return (double)NAN;
        }
    }
    return tare_gate_block_value(runs, n);
}

/* The good blocks of a timing metric, in order, no more than the stage needs. */
struct blocks {
    double *base, *candidate, *d;
    size_t n;
};

static void free_blocks(struct blocks *b)
{
    free(b->base);
    free(b->candidate);
    free(b->d);
}

static int take_blocks(struct decider *d, const struct tare_check_pair *pair,
                       const struct tare_gate_line *line, size_t figure, struct blocks *out)
{
    const struct tare_gate_rules *rules = d->values->rules;
    size_t all = d->values->n_blocks / (size_t)rules->runs_per_block;
    size_t wanted = (size_t)rules->blocks * (size_t)d->stage;
    int64_t run = 0, voided = 0;
    struct blocks b = {calloc(all + 1, sizeof(double)), calloc(all + 1, sizeof(double)),
                       calloc(all + 1, sizeof(double)), 0};
    if (!b.base || !b.candidate || !b.d) {
        free_blocks(&b);
        return no_memory(d->err);
    }
    for (size_t i = 0; i < all && b.n < wanted; i++) {
        enum block_state state = block_state(d, pair, i);
        double x = state == BLOCK_GOOD ? block_value(d, &pair->arms[0]->series[figure], i) : (double)NAN;
        double y = state == BLOCK_GOOD ? block_value(d, &pair->arms[1]->series[figure], i) : (double)NAN;
        double ratio = tare_gate_log_ratio(x, y, line->direction > 0);
        run += state != BLOCK_MISSING;
        voided += state == BLOCK_VOID || (state == BLOCK_GOOD && isnan(ratio));
        if (!isnan(ratio)) {
            b.base[b.n] = x;
            b.candidate[b.n] = y;
            b.d[b.n++] = ratio;
        }
    }
    if (voided > d->out->blocks_voided || run > d->out->blocks_run) {
        d->out->blocks_run = run;
        d->out->blocks_voided = voided;
    }
    int64_t left = (int64_t)(wanted - b.n);
    d->out->blocks_left = left > d->out->blocks_left ? left : d->out->blocks_left;
    *out = b;
    return 0;
}

static double median_of(double *values, size_t n)
{
    return tare_gate_block_value(values, n);
}

static int decide_timing(struct decider *d, const struct tare_check_pair *pair, size_t figure,
                         struct tare_gate_line *line)
{
    const struct tare_gate_limits limits = {.margin = tare_gate_margin(line->metric, TARE_GATE_TIMING),
                                            .equivalence = line->metric->equivalence,
                                            .demand = line->metric->demand};
    size_t first = (size_t)d->values->rules->blocks;
    struct blocks b = {0};
    d->out->has_timing = true;
    int r = take_blocks(d, pair, line, figure, &b);
    if (r < 0) {
        return r;
    }
    if (b.n >= first) {
        size_t n = d->stage == 2 && b.n < 2 * first ? first : b.n; /* half a second stage is none */
        r = tare_gate_timing(b.d, n, first, &limits, &line->decision, d->err);
        d->out->suspicious = d->out->suspicious || (r == 0 && line->decision.suspicious);
    } else {
        line->decision.n = (int64_t)b.n;
        (void)snprintf(line->decision.why, sizeof line->decision.why, "%zu of %zu blocks", b.n, first);
    }
    line->base = median_of(b.base, b.n);
    line->candidate = median_of(b.candidate, b.n);
    free_blocks(&b);
    return r;
}

static size_t take_values(const struct tare_check_values *v, const struct tare_check_cell *c, size_t figure,
                          double *to)
{
    size_t n = 0;
    for (size_t b = 0; b < v->n_blocks; b++) {
        if (!isnan(c->series[figure].values[b])) {
            to[n++] = c->series[figure].values[b];
        }
    }
    return n;
}

static int decide_exact(const struct decider *d, const struct tare_check_pair *pair, size_t figure,
                        struct tare_gate_line *line)
{
    double *base = calloc(2 * (d->values->n_blocks + 1), sizeof *base);
    if (!base) {
        return no_memory(d->err);
    }
    double *candidate = base + d->values->n_blocks + 1;
    size_t n_base = take_values(d->values, pair->arms[0], figure, base);
    size_t n_candidate = take_values(d->values, pair->arms[1], figure, candidate);
    tare_gate_exact(base, n_base, candidate, n_candidate, line->direction, line->metric->tolerance,
                    &line->decision);
    line->base = median_of(base, n_base);
    line->candidate = median_of(candidate, n_candidate);
    free(base);
    return 0;
}

/* Items of a cell: score and weight, the mean over its complete repeats. */
struct items {
    double *num, *den;
    size_t n;
};

/* Adds a repeat's items to the sums; the first one makes room. den NULL: each item weighs 1. */
static int add_items(struct items *to, const double *num, const double *den, size_t n, struct tare_err *err)
{
    if (to->n == 0) {
        to->num = calloc(n, sizeof *to->num);
        to->den = calloc(n, sizeof *to->den);
        if (!to->num || !to->den) {
            return no_memory(err);
        }
        to->n = n;
    }
    for (size_t i = 0; i < n; i++) {
        to->num[i] += num[i];
        to->den[i] += den ? den[i] : 1;
    }
    return 0;
}

/* den NULL: each item weighs 1. */
static int load_items(const struct decider *d, const struct tare_metric *m, int64_t repeat_id, double **num,
                      size_t *n_num, double **den, size_t *n_den)
{
    bool ratio = m->rule == TARE_METRIC_RATIO;
    if (m->rule == TARE_METRIC_SCORES) {
        int r = tare_score_items(d->store, repeat_id, m, num, den, n_num, d->err);
        *n_den = *n_num;
        return r;
    }
    int r = tare_query_column(d->store, repeat_id, ratio ? TARE_COLUMN_NUM : TARE_COLUMN_EXACT, num, n_num,
                              d->err);
    if (r == 0 && ratio) {
        return tare_query_column(d->store, repeat_id, TARE_COLUMN_DEN, den, n_den, d->err);
    }
    *n_den = *n_num;
    return r;
}

static int add_repeat(const struct decider *d, const struct tare_metric *m, int64_t repeat_id,
                      struct items *to, size_t *n_repeats)
{
    double *num = NULL, *den = NULL;
    size_t n_num = 0, n_den = 0;
    int r = load_items(d, m, repeat_id, &num, &n_num, &den, &n_den);
    /* Another number of items cannot be laid over those that are there: the pair is refused later. */
    if (r == 0 && n_num > 0 && n_den == n_num && (to->n == 0 || to->n == n_num)) {
        r = add_items(to, num, den, n_num, d->err);
        (*n_repeats)++;
    }
    free(num);
    free(den);
    return r;
}

static int take_items(const struct decider *d, const struct tare_metric *m, const struct tare_check_cell *c,
                      struct items *out)
{
    size_t n_repeats = 0;
    int r = 0;
    for (size_t b = 0; r == 0 && b < d->values->n_blocks; b++) {
        r = c->repeats[b].complete ? add_repeat(d, m, c->repeats[b].id, out, &n_repeats) : 0;
    }
    for (size_t i = 0; i < out->n; i++) {
        out->num[i] /= (double)n_repeats;
        out->den[i] /= (double)n_repeats;
    }
    return r;
}

/* Differences in points, + is worse: of answers as they are; of other ratios, what the item adds to the
 * difference of the two, since both arms weigh the same items alike. */
static int compare_items(const struct decider *d, const struct tare_metric *m, const struct items *a,
                         const struct items *b, struct tare_gate_line *line)
{
    double sum_a = 0, sum_b = 0, weight = 0;
    double *diff = calloc(a->n + 1, sizeof *diff);
    bool same = diff && a->n == b->n && a->n > 0;
    for (size_t i = 0; same && i < a->n; i++) {
        same = a->den[i] == b->den[i];
        sum_a += a->num[i];
        sum_b += b->num[i];
        weight += a->den[i];
    }
    if (!same || weight <= 0) {
        free(diff);
        line->decision.word = TARE_GATE_INVALID;
        (void)snprintf(line->decision.why, sizeof line->decision.why,
                       "the two arms did not grade the same items: they cannot be paired");
        return diff ? 0 : no_memory(d->err);
    }
    line->base = m->scale * sum_a / weight;
    line->candidate = m->scale * sum_b / weight;
    double sign = line->direction > 0 ? -1 : 1, mean = weight / (double)a->n;
    for (size_t i = 0; i < a->n; i++) {
        diff[i] = sign * 100 * m->scale * (b->num[i] - a->num[i]) / mean;
    }
    int r = tare_gate_quality(diff, a->n, tare_gate_margin(line->metric, TARE_GATE_QUALITY), &line->decision,
                              d->err);
    free(diff);
    return r;
}

static int decide_quality(const struct decider *d, const struct tare_check_pair *pair,
                          struct tare_gate_line *line)
{
    const struct tare_metric *m = graded_by(pair->arms[0], line->metric->figure);
    struct items a = {0}, b = {0};
    int r = take_items(d, m, pair->arms[0], &a);
    r = r == 0 ? take_items(d, m, pair->arms[1], &b) : r;
    r = r == 0 ? compare_items(d, m, &a, &b, line) : r;
    free(a.num);
    free(a.den);
    free(b.num);
    free(b.den);
    return r;
}

static enum tare_gate_rule rule_of(const struct tare_gate_metric *metric, const struct tare_check_pair *pair,
                                   const struct tare_check_series *s)
{
    if (metric->rule != TARE_GATE_AUTO) {
        return (enum tare_gate_rule)metric->rule;
    }
    bool timed = metric->demand > 0 || strcmp(s->kind, "measured") == 0;
    return graded_by(pair->arms[0], metric->figure) && metric->demand == 0 ? TARE_GATE_QUALITY
           : timed                                                         ? TARE_GATE_TIMING
                                                                           : TARE_GATE_EXACT;
}

static int direction_of(const struct tare_gate_metric *metric, const struct tare_check_pair *pair,
                        const struct tare_check_series *s)
{
    const struct tare_metric *m = graded_by(pair->arms[0], metric->figure);
    switch (metric->direction) {
    case TARE_GATE_HIGHER:
        return 1;
    case TARE_GATE_LOWER:
        return -1;
    case TARE_GATE_NEITHER:
        return 0;
    default:
        return m ? (m->lower_is_better ? -1 : 1) : tare_gate_direction_of(metric->figure, s->unit);
    }
}

static bool refuse(struct tare_gate_line *line, enum tare_gate_word word, const char *fmt, ...)
    TARE_PRINTF(3, 4);

static bool refuse(struct tare_gate_line *line, enum tare_gate_word word, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    line->decision.word = word;
    (void)vsnprintf(line->decision.why, sizeof line->decision.why, fmt, args);
    va_end(args);
    return true;
}

static const char *const arm_words[] = {"base", "candidate"};

/* An arm whose repeats failed, or that has no value. */
static bool is_missing(struct decider *d, const struct tare_check_pair *pair, size_t figure,
                       struct tare_gate_line *line)
{
    int arm = 0;
    const struct tare_check_repeat *bad = worst_repeat(d->values, pair, &arm);
    if (bad) {
        d->out->failed_cell = d->out->failed_cell || !bad->skipped;
        return refuse(line, bad->skipped ? TARE_GATE_SKIPPED : TARE_GATE_ERROR, "%s: %.180s", arm_words[arm],
                      bad->failure);
    }
    const struct tare_check_series *a = &pair->arms[0]->series[figure], *b = &pair->arms[1]->series[figure];
    d->unknown = !a->known && !a->absent[0] && !b->known && !b->absent[0];
    for (arm = 0; arm < TARE_CHECK_N_ARMS; arm++) {
        const struct tare_check_series *s = arm ? b : a;
        if (!s->known) {
            return refuse(line, TARE_GATE_SKIPPED, "%s: %.180s", arm_words[arm],
                          s->absent[0] ? s->absent : "has no figure of that name");
        }
    }
    return false;
}

static bool are_alike(const struct tare_check_series *a, const struct tare_check_series *b)
{
    return !a->mixed && !b->mixed && strcmp(a->kind, b->kind) == 0 && strcmp(a->scope, b->scope) == 0 &&
           strcmp(a->unit, b->unit) == 0;
}

/* Values that must not be compared, or not by this rule. */
static bool is_unfit(const struct tare_check_pair *pair, size_t figure, struct tare_gate_line *line)
{
    const struct tare_check_series *a = &pair->arms[0]->series[figure], *b = &pair->arms[1]->series[figure];
    if (!are_alike(a, b)) {
        return refuse(line, TARE_GATE_INVALID,
                      "%.30s %.15s of %.30s against %.30s %.15s of %.30s: they cannot be compared", a->unit,
                      a->kind, a->scope, b->unit, b->kind, b->scope);
    }
    if (strcmp(a->kind, "modelled") == 0 || strcmp(a->kind, "declared") == 0) {
        return refuse(line, TARE_GATE_INVALID, "%s, not measured: such a value is never gated", a->kind);
    }
    if (pair->arms[0]->data_mismatch || pair->arms[1]->data_mismatch) {
        return refuse(line, TARE_GATE_INVALID, "an item was not the same in every repeat (DATA_MISMATCH)");
    }
    if (line->rule == TARE_GATE_QUALITY && !graded_by(pair->arms[0], line->metric->figure)) {
        return refuse(line, TARE_GATE_INVALID, "no metric of the task: the rule quality needs graded items");
    }
    const struct tare_metric *graded = graded_by(pair->arms[0], line->metric->figure);
    if (line->rule == TARE_GATE_QUALITY && graded && tare_score_unpaired(graded)) {
        return refuse(line, TARE_GATE_INVALID, "%s: it cannot be gated by items",
                      tare_score_unpaired(graded));
    }
    if (line->direction == 0 && line->rule != TARE_GATE_EXACT) {
        return refuse(line, TARE_GATE_INVALID, "say \"direction\": whether higher or lower is better");
    }
    return false;
}

static int add_line(struct decider *d, const struct tare_gate_metric *metric,
                    const struct tare_check_pair *pair)
{
    struct tare_check_lines *to = d->out;
    if (to->n == d->cap) {
        size_t cap = d->cap ? 2 * d->cap : 16;
        struct tare_gate_line *list = realloc(to->list, cap * sizeof *list);
        if (!list) {
            return no_memory(d->err);
        }
        to->list = list;
        d->cap = cap;
    }
    size_t figure = figure_index(d->values, metric->figure);
    const struct tare_check_series *s = &pair->arms[0]->series[figure];
    struct tare_gate_line *line = &to->list[to->n++];
    *line = (struct tare_gate_line){.metric = metric,
                                    .rule = rule_of(metric, pair, s),
                                    .direction = direction_of(metric, pair, s),
                                    .model = pair->arms[0]->label,
                                    .task = pair->arms[0]->task,
                                    .scenario = pair->arms[0]->scenario,
                                    .technique = pair->arms[1]->technique,
                                    .unit = s->unit,
                                    .kind = s->kind,
                                    .scope = s->scope,
                                    .base = (double)NAN,
                                    .candidate = (double)NAN,
                                    .strict = metric->strict || d->values->rules->strict,
                                    .decision = {.estimate = (double)NAN,
                                                 .low = (double)NAN,
                                                 .high = (double)NAN,
                                                 .bound = (double)NAN,
                                                 .p = (double)NAN,
                                                 .p_holm = (double)NAN,
                                                 .flips = -1}};
    if (is_missing(d, pair, figure, line) || is_unfit(pair, figure, line)) {
        return 0;
    }
    return line->rule == TARE_GATE_TIMING  ? decide_timing(d, pair, figure, line)
           : line->rule == TARE_GATE_EXACT ? decide_exact(d, pair, figure, line)
                                           : decide_quality(d, pair, line);
}

static int apply_holm(struct tare_check_lines *lines, struct tare_err *err)
{
    struct tare_gate_decision **list = calloc(lines->n + 1, sizeof *list);
    size_t n = 0;
    if (!list) {
        return no_memory(err);
    }
    for (size_t i = 0; i < lines->n; i++) {
        if (lines->list[i].rule == TARE_GATE_TIMING && lines->list[i].decision.n > 0) {
            list[n++] = &lines->list[i].decision;
        }
    }
    int r = n ? tare_gate_holm(list, n, err) : 0;
    free(list);
    return r;
}

static bool is_asked(const struct tare_gate_metric *metric, const struct tare_check_pair *pair)
{
    return fnmatch(metric->task, pair->arms[0]->task, 0) == 0 &&
           fnmatch(metric->model, pair->arms[0]->label, 0) == 0;
}

int tare_check_decide(const struct tare_check_values *values, struct tare_store *store, int stage,
                      struct tare_check_lines *out, struct tare_err *err)
{
    struct tare_check_lines lines = {0};
    struct decider d = {.values = values,
                        .store = store,
                        .stage = stage,
                        .voiding = tare_check_voiding(values->rules),
                        .out = &lines,
                        .err = err};
    int r = 0;
    for (size_t m = 0; r == 0 && m < values->rules->n_metrics; m++) {
        size_t before = lines.n;
        const struct tare_gate_metric *metric = &values->rules->metrics[m];
        for (size_t p = 0; r == 0 && p < values->n_pairs; p++) {
            r = is_asked(metric, &values->pairs[p]) ? add_line(&d, metric, &values->pairs[p]) : 0;
            if (r == 0 && d.unknown) {
                r = tare_err_set(
                    err, TARE_E_USAGE,
                    "metric %.60s: no such figure on task %.60s; 'tare report --view full' lists "
                    "those of this run",
                    metric->figure, values->pairs[p].arms[0]->task);
            }
        }
        if (r == 0 && lines.n == before) {
            r = tare_err_set(err, TARE_E_USAGE,
                             "metric %.60s: its task \"%.60s\" or model \"%.60s\" is none of the plan's",
                             metric->figure, metric->task, metric->model);
        }
    }
    r = r == 0 ? apply_holm(&lines, err) : r;
    if (r < 0) {
        tare_check_lines_fini(&lines);
        return r;
    }
    *out = lines;
    return 0;
}

void tare_check_lines_fini(struct tare_check_lines *lines)
{
    free(lines->list);
    memset(lines, 0, sizeof *lines);
}
