/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Efficiency-aware MS MARCO (2212.01340): MRR@10, mean latency and cost of a query, ranked by a Dynascore
 * over the three. A retrieval system's ranks are no figure of a run: they come from a result file with a row
 * for each system and query, and so are declared. Without the file there is no score.
 */
#include "draw.h"
#include "formulas.h"
#include "rows.h"
#include "sheet.h"

#include "stats/interval.h"

#include <stdlib.h>

double tare_mrr10(const int64_t *ranks, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += ranks[i] >= 1 && ranks[i] <= 10 ? 1 / (double)ranks[i] : 0;
    }
    return n > 0 ? sum / (double)n : (double)NAN;
}

struct options {
    char *file;
    double mrr_weight, latency_weight, cost_weight;
    double latency_offset, cost_offset;
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, file),
     .help =
         "result file: a line \"system,rank,latency_s,cost\", then a row a system and query; rank: of the "
         "first relevant answer, 0 for none"},
    {MEMBER(TARE_OPT_F64, mrr_weight), .def = "1", .help = "weight of MRR@10"},
    {MEMBER(TARE_OPT_F64, latency_weight), .def = "1", .help = "weight of latency"},
    {MEMBER(TARE_OPT_F64, cost_weight), .def = "1", .help = "weight of cost"},
    {MEMBER(TARE_OPT_F64, latency_offset), .def = "0", .help = "stated maximum of latency; 0: the set's",
     .unit = "s"},
    {MEMBER(TARE_OPT_F64, cost_offset), .def = "0", .help = "stated maximum of cost; 0: the set's"},
    TARE_OPT_END};

enum { MOST = 64, METRICS = 3 };

struct set {
    const char *names[MOST];
    struct tare_score_value values[MOST][METRICS];
    size_t n;
};

/* Mean over queries with a bootstrap over them. */
static int mean_of(const double *x, size_t n, const char *unit, struct tare_score_value *out,
                   struct tare_err *err)
{
    struct tare_interval interval;
    double *ones = malloc((n + 1) * sizeof *ones);
    if (!ones) {
        return tare_err_set(err, TARE_E_NOMEM, "score msmarco: out of memory");
    }
    for (size_t i = 0; i < n; i++) {
        ones[i] = 1;
    }
    *out = tare_score_plain(tare_mean(x, n), unit, TARE_KIND_DECLARED, "result file");
    out->n = (int64_t)n;
    out->n_what = "queries";
    int r = tare_ratio_interval(x, ones, n, 0.95, 1, &interval, err);
    if (r == 0 && interval.ok) {
        out->low = interval.low;
        out->high = interval.high;
        out->level = interval.level;
        out->method = interval.method;
    }
    free(ones);
    return r;
}

struct columns {
    size_t system, of[METRICS]; /* rank, latency, cost */
};

static int find_columns(const struct tare_rows *rows, const char *path, struct columns *out,
                        struct tare_err *err)
{
    static const char *const names[METRICS] = {"rank", "latency_s", "cost"};
    out->system = tare_rows_column(rows, "system");
    bool all = out->system < rows->n_columns;
    for (size_t k = 0; k < METRICS; k++) {
        out->of[k] = tare_rows_column(rows, names[k]);
        all = all && out->of[k] < rows->n_columns;
    }
    return all ? 0
               : tare_err_set(err, TARE_E_FORMAT,
                              "%s: the first line must name system, rank, latency_s and cost", path);
}

/* The rows of one system into x[metric * n_rows]. */
static int read_system(const struct tare_rows *rows, const struct columns *columns, const char *name,
                       const char *path, double *x, size_t *out_n, struct tare_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < rows->n_rows; i++) {
        if (strcmp(rows->cells[i * rows->n_columns + columns->system], name) != 0) {
            continue;
        }
        for (size_t k = 0; k < METRICS; k++) {
            double *to = &x[k * rows->n_rows + n];
            int r = tare_rows_number(rows, i, columns->of[k], path, to, err);
            if (r == 0 && (*to < 0 || (k == 0 && *to != floor(*to)))) {
                r = tare_err_set(err, TARE_E_FORMAT,
                                 "%s: row %zu: ranks are whole numbers, and nothing is negative", path,
                                 i + 1);
            }
            if (r < 0) {
                return r;
            }
        }
        int64_t rank = (int64_t)x[n];
        x[n++] = tare_mrr10(&rank, 1); /* the reciprocal of this query */
    }
    *out_n = n;
    return 0;
}

static int read_set(const struct tare_rows *rows, const char *path, struct set *set, struct tare_err *err)
{
    static const char *const units[METRICS] = {"1", "s", "cost"};
    struct columns columns = {0};
    double *x = malloc((METRICS * rows->n_rows + 1) * sizeof *x);
    int r = x ? find_columns(rows, path, &columns, err)
              : tare_err_set(err, TARE_E_NOMEM, "score msmarco: out of memory");
    for (size_t i = 0; r == 0 && i < rows->n_rows; i++) {
        const char *name = rows->cells[i * rows->n_columns + columns.system];
        size_t known = 0, n = 0;
        while (known < set->n && strcmp(set->names[known], name) != 0) {
            known++;
        }
        if (known < set->n) {
            continue;
        }
        if (set->n == MOST) {
            r = tare_err_set(err, TARE_E_LIMIT, "%s: more than %d systems", path, MOST);
            break;
        }
        set->names[set->n] = name;
        r = read_system(rows, &columns, name, path, x, &n, err);
        for (size_t k = 0; r == 0 && k < METRICS; k++) {
            r = mean_of(x + k * rows->n_rows, n, units[k], &set->values[set->n][k], err);
        }
        set->n++;
    }
    free(x);
    return r;
}

/* Scores as the values are (rng NULL) or drawn. */
static int score_once(const struct set *set, const struct options *o, struct tare_rng *rng, double *scores,
                      double rates[METRICS], struct tare_err *err)
{
    double x[MOST * METRICS], weights[METRICS] = {o->mrr_weight, o->latency_weight, o->cost_weight};
    double offsets[METRICS] = {0, o->latency_offset, o->cost_offset};
    for (size_t k = 1; k < METRICS; k++) {
        for (size_t i = 0; i < set->n && !(k == 1 ? o->latency_offset > 0 : o->cost_offset > 0); i++) {
            offsets[k] = fmax(offsets[k], set->values[i][k].value);
        }
    }
    for (size_t i = 0; i < set->n; i++) {
        for (size_t k = 0; k < METRICS; k++) {
            double v = rng ? tare_draw_value(&set->values[i][k], rng) : set->values[i][k].value;
            x[i * METRICS + k] = k == 0 ? v : offsets[k] - v;
        }
    }
    return tare_dynascore(x, weights, set->n, METRICS, rates, scores, err);
}

static int put_set(struct tare_sheet *s, const struct set *set, const struct options *o, struct tare_err *err)
{
    enum { draws = 1000 };
    double scores[MOST], drawn[MOST], rates[METRICS], ignored[METRICS],
        *results = malloc(MOST * draws * sizeof *results);
    struct tare_rng rng;
    tare_rng_init(&rng, 1);
    int r = results ? score_once(set, o, NULL, scores, rates, err)
                    : tare_err_set(err, TARE_E_NOMEM, "score msmarco: out of memory");
    for (size_t d = 0; r == 0 && d < draws; d++) {
        r = score_once(set, o, &rng, drawn, ignored, err);
        for (size_t i = 0; i < set->n; i++) {
            results[i * draws + d] = drawn[i];
        }
    }
    const char *names = "";
    for (size_t i = 0; r == 0 && i < set->n; i++) {
        struct tare_score_value v = tare_score_plain(scores[i], "1", TARE_KIND_DECLARED, "Dynascore");
        v.why = "undefined: a metric is the same for all systems, or no two differ in MRR@10";
        if (isfinite(scores[i]) && isfinite(set->values[i][0].low)) {
            tare_draw_interval(results + i * draws, draws, &v);
            v.method = "1000 draws within the inputs' intervals, quantiles";
        }
        tare_sheet_text(s, set->names[i]);
        tare_sheet_value(s, &v);
        for (size_t k = 0; k < METRICS; k++) {
            tare_sheet_value(s, &set->values[i][k]);
        }
        names = names ? tare_sheet_keep(s, "%s%s%s", names, i ? "; " : "", set->names[i]) : NULL;
    }
    if (r == 0) {
        tare_sheet_note(
            s,
            "Rates against MRR@10: latency %.6g s, cost %.6g; they and the scores depend on the set of "
            "systems, which was: %s.",
            rates[1], rates[2], names ? names : "?");
    }
    free(results);
    return r;
}

static int build(const struct tare_report_input *input, const void *opts, struct tare_score_out *out,
                 struct tare_err *err)
{
    const struct options *o = opts;
    struct tare_sheet s;
    struct tare_rows rows = {0};
    struct set *set = tare_arena_array(&out->arena, 1, sizeof *set);
    if (!set) {
        return tare_err_set(err, TARE_E_NOMEM, "score msmarco: out of memory");
    }
    set->n = 0;
    tare_sheet_systems(&s, out, input);
    tare_sheet_column(&s, "dynascore", "Dynascore", "1", TARE_BETTER_HIGHER);
    tare_sheet_column(&s, "mrr10", "MRR@10", "1", TARE_BETTER_HIGHER);
    tare_sheet_column(&s, "latency", "Latency", "s", TARE_BETTER_LOWER);
    tare_sheet_column(&s, "cost", "Cost/query", "cost", TARE_BETTER_LOWER);
    if (!o->file) {
        tare_sheet_text(&s, "all");
        for (int i = 0; i < 4; i++) {
            tare_sheet_absent(&s, "no task ranks documents: give a result file with --set file=FILE");
        }
        return tare_sheet_end(&s, "Efficiency-aware MS MARCO", err);
    }
    int r = tare_rows_load(o->file, &out->arena, &rows, err);
    r = r == 0 ? read_set(&rows, o->file, set, err) : r;
    r = r == 0 ? put_set(&s, set, o, err) : r;
    tare_sheet_note(
        &s, "Everything here is declared by the result file. The published weights and unit of cost could "
            "not be verified: say which you took.");
    return r == 0 ? tare_sheet_end(&s, "Efficiency-aware MS MARCO", err) : r;
}

const struct tare_score tare_score_msmarco = {
    .name = "msmarco",
    .summary = "MRR@10, latency and cost of a query, ranked by a Dynascore",
    .needs = "a result file with ranks, latencies and costs of each query",
    .options_size = sizeof(struct options),
    .options = options,
    .build = build};
