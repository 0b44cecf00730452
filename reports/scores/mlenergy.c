/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ML.ENERGY: energy and pace of serving within the window of steady state. With one request at a time (batch
 * 1) the window begins at the first token of the first request and ends one request before the last but one;
 * what is stored as energy is of the whole phase, and the table says so.
 */
#include "formulas.h"
#include "sheet.h"

#include "stats/interval.h"

bool tare_steady_window(double *first_token_s, double *end_s, size_t n, size_t max_seqs, double *out_begin_s,
                        double *out_end_s)
{
    if (max_seqs < 1 || n < max_seqs + 2) {
        return false;
    }
    tare_sort(first_token_s, n);
    tare_sort(end_s, n);
    double begin = first_token_s[max_seqs - 1], end = end_s[n - max_seqs - 2];
    if (!(end > begin)) {
        return false;
    }
    *out_begin_s = begin;
    *out_end_s = end;
    return true;
}

struct options {
    char *task;
};

static const struct tare_opt options[] = {{.name = "task",
                                           .type = TARE_OPT_STR,
                                           .def = "*",
                                           .offset = offsetof(struct options, task),
                                           .help = "shell pattern of the task, one that generates"},
                                          TARE_OPT_END};

static int build(const struct tare_report_input *input, const void *opts, struct tare_score_out *out,
                 struct tare_err *err)
{
    static const char *const figures[] = {"energy_per_output_tok",
                                          "energy_per_request",
                                          "itl_p50",
                                          "itl_p90",
                                          "itl_p95",
                                          "itl_p99",
                                          "output_throughput",
                                          "power_mean",
                                          "steady_fraction",
                                          "bits_per_weight",
                                          "params_total",
                                          "params_active"};
    const struct options *o = opts;
    struct tare_score_matrix m = {0};
    struct tare_sheet s;
    tare_sheet_systems(&s, out, input);
    const char *task = NULL, *metrics = tare_sheet_keep(&s, "itl_p50@%s", o->task);
    int r = metrics ? tare_sheet_matrix(input, metrics, out, &m, err)
                    : tare_err_set(err, TARE_E_NOMEM, "score mlenergy: out of memory");
    if (r < 0) {
        return r;
    }
    task = m.tasks[0]; /* one task for all: that generates two tokens or more */
    metrics = "";
    for (size_t i = 0; i < sizeof figures / sizeof *figures && metrics; i++) {
        const char *way = strcmp(figures[i], "steady_fraction") == 0 ? ":higher" : "";
        metrics = tare_sheet_keep(&s, "%s%s%s@%s%s", metrics, i ? "," : "", figures[i], task, way);
    }
    r = metrics ? tare_sheet_matrix(input, metrics, out, &m, err)
                : tare_err_set(err, TARE_E_NOMEM, "score mlenergy: out of memory");
    if (r < 0) {
        return r;
    }
    tare_sheet_column(&s, "batch", "Batch", "1", TARE_BETTER_NONE);
    tare_sheet_metric_columns(&s, &m);
    for (size_t i = 0; i < m.n_systems; i++) {
        struct tare_score_value batch = tare_score_plain(1, "1", TARE_KIND_COUNTED, "one request at a time");
        batch.low = batch.high = batch.level = 1;
        tare_sheet_text(&s, m.systems[i].name);
        tare_sheet_value(&s, &batch);
        tare_sheet_values(&s, &m, i);
    }
    tare_sheet_note(
        &s, "Steady state by ML.ENERGY begins when max_num_seqs requests have their first token and ends "
            "when n - max_num_seqs - 1 have finished. One request at a time is steady from the first on: "
            "energies and rates are of the whole phase, and steady_fraction says how much of it kept its "
            "pace. The trade-off over max_num_seqs needs requests side by side, which no scenario makes.");
    return tare_sheet_end(&s, "ML.ENERGY, steady state", err);
}

const struct tare_score tare_score_mlenergy = {
    .name = "mlenergy",
    .summary = "energy a token and a response, gaps between tokens, power (ML.ENERGY)",
    .needs = "a task that generates; energies need a meter",
    .options_size = sizeof(struct options),
    .options = options,
    .build = build};
