/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Efficiency Pentathlon (2307.09701): throughput, latency, memory, energy with carbon, and model size, in
 * four scenarios. A scenario that was not run is absent; one request at a time is the scenario single stream,
 * and stands for no other.
 */
#include "sheet.h"

#include <fnmatch.h>

enum { SCENARIOS = 4 };

struct options {
    char *scenarios[SCENARIOS];
    char *task;
};

#define SCENARIO(name_, index_)          \
    .name = name_, .type = TARE_OPT_STR, \
    .offset = offsetof(struct options, scenarios) + index_ * sizeof(char *)

static const struct tare_opt options[] = {
    {SCENARIO("fixed", 0), .def = "fixed*",
     .help = "shell pattern of the scenario of batches that the user chose"},
    {SCENARIO("poisson", 1), .def = "poisson*", .help = "shell pattern of the scenario of random batches"},
    {SCENARIO("single", 2), .def = "single*", .help = "shell pattern of the scenario of batch 1"},
    {SCENARIO("offline", 3), .def = "offline*", .help = "shell pattern of the scenario of a whole file"},
    {.name = "task",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct options, task),
     .def = "*",
     .help = "shell pattern of the task"},
    TARE_OPT_END};

static const char *const names[SCENARIOS] = {"fixed batching", "Poisson batching", "single stream",
                                             "offline"};

static bool same_system(const struct tare_score_system *a, const struct tare_score_system *b)
{
    return strcmp(a->model, b->model) == 0 && strcmp(a->technique, b->technique) == 0 &&
           strcmp(a->backend, b->backend) == 0;
}

static bool is_first(const struct tare_score_matrix *m, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (same_system(&m->systems[i], &m->systems[j])) {
            return false;
        }
    }
    return true;
}

static void put_scenario(struct tare_sheet *s, const struct tare_score_matrix *m, const struct options *o,
                         size_t system, size_t scenario)
{
    const struct tare_score_system *of = &m->systems[system];
    size_t row = 0;
    while (row < m->n_systems && !(same_system(of, &m->systems[row]) &&
                                   fnmatch(o->scenarios[scenario], m->systems[row].scenario, 0) == 0)) {
        row++;
    }
    bool treated = !tare_score_untreated(of);
    tare_sheet_textf(s, "%s%s%s", of->model, treated ? " + " : "", treated ? of->technique : "");
    tare_sheet_text(s, names[scenario]);
    for (size_t j = 0; j < m->n_metrics; j++) {
        if (row < m->n_systems) {
            tare_sheet_value(s, tare_score_at(m, row, j));
        } else {
            tare_sheet_absent(s, "the scenario was not run");
        }
    }
}

static int build(const struct tare_report_input *input, const void *opts, struct tare_score_out *out,
                 struct tare_err *err)
{
    const struct options *o = opts;
    struct tare_score_matrix m = {0};
    struct tare_sheet s;
    tare_sheet_systems(&s, out, input);
    tare_sheet_column(&s, "scenario", "Scenario", NULL, TARE_BETTER_NONE);
    const char *metrics = tare_sheet_keep(
        &s,
        "request_throughput@%s,token_throughput@%s,latency_p50@%s,peak_rss@%s,energy_wall@%s,energy_net@%s,"
        "carbon_operational@%s,params_total@%s",
        o->task, o->task, o->task, o->task, o->task, o->task, o->task, o->task);
    int r = metrics ? tare_sheet_matrix(input, metrics, out, &m, err)
                    : tare_err_set(err, TARE_E_NOMEM, "score pentathlon: out of memory");
    if (r < 0) {
        return r;
    }
    tare_sheet_metric_columns(&s, &m);
    for (size_t i = 0; i < m.n_systems; i++) {
        for (size_t scenario = 0; is_first(&m, i) && scenario < SCENARIOS; scenario++) {
            put_scenario(&s, &m, o, i, scenario);
        }
    }
    tare_sheet_note(
        &s, "The Pentathlon's latency is total time over batches, in batch 1 that of a request; its energy "
            "is a wall meter's less idle power times time (energy_net says which scope it has). Words a "
            "second need a count of words and are not given; tokens of different tokenizers do not compare.");
    return tare_sheet_end(&s, "Efficiency Pentathlon", err);
}

const struct tare_score tare_score_pentathlon = {.name = "pentathlon",
                                                 .summary =
                                                     "five metrics in four scenarios (Efficiency Pentathlon)",
                                                 .needs = "runs in the scenarios; energy needs a meter",
                                                 .options_size = sizeof(struct options),
                                                 .options = options,
                                                 .build = build};
