/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders in the length of the context: what an architecture claims, and the slope of log(value) over
 * log(length) that was measured, over tasks of the same model that differ in their prompt. Claims: the first
 * survey's Table 1 and RetNet's Table 1. Constant parts (projections, the head) pull exponents towards those
 * of lower order at short lengths: the measured one is of these lengths, no limit.
 */
#include "reports/view/lengths.h"
#include "reports/view/table.h"

#include "stats/line.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { least_tok = 32, least_lengths = 3, most_lengths = 64 };

static const struct claim {
    const char *arch;
    const char *prefill, *step, *state, *peak; /* in the length T, width d; peak: RetNet's table alone */
} claims[] = {{"llama", "T^2 d + T d^2", "T d", "T d", "T^2"}, {"rwkv", "T d^2", "d^2", "d", "T"},
              {"retnet", "T d (C + d)", "d^2", "d^2", "T"},    {"h3", "T log T d", "d^2", "d", "T log T"},
              {"hyena", "T log T d", "T d", "T d", "T log T"}, {"mamba", "T d^2", "d^2", "d", "?"}};

/* Which length a value belongs to: the prompt's, the middle of what is decoded, or all at the end. */
enum where { at_prompt, at_middle, at_end };

/* One thing that grows with the length. */
static const struct subject {
    const char *key, *figure;
    enum where where;
} subjects[] = {{"prefill", "ttft_p50", at_prompt},
                {"step", "tpot_p50", at_middle},
                {"state", "state_bytes", at_end},
                {"peak", "peak_rss", at_end}};

enum { n_subjects = sizeof subjects / sizeof *subjects, n_columns = 2 + 2 * n_subjects + 1 };

static double length_of(const struct tare_report_cell *c, enum where where)
{
    struct tare_view_lengths l = tare_view_lengths(c);
    return where == at_prompt   ? l.prompt_tok
           : where == at_middle ? l.prompt_tok + l.output_tok / 2
                                : l.prompt_tok + l.output_tok;
}

/* What was run alike but for the task. */
static bool same_system(const struct tare_report_cell *a, const struct tare_report_cell *b)
{
    return strcmp(a->model, b->model) == 0 && strcmp(a->technique, b->technique) == 0 &&
           strcmp(a->backend, b->backend) == 0 && strcmp(a->scenario, b->scenario) == 0;
}

/* Of one system, all of one kind and scope: those of the first. */
struct points {
    double x[most_lengths], y[most_lengths]; /* log(length), log(value) */
    size_t n, n_lengths;
    const struct tare_figure *first; /* NULL: no point */
    const char *flags;               /* of any of them */
    const char *absent;              /* why a cell that could be a point has no value; NULL: none is so */
};

static bool is_alike(const struct points *p, const struct tare_figure *f)
{
    return !p->first || (f->kind == p->first->kind && strcmp(f->scope, p->first->scope) == 0);
}

static int add_point(struct points *to, const struct tare_figure *f, double length, struct tare_arena *arena)
{
    bool known = false;
    for (size_t i = 0; i < to->n; i++) {
        known = known || fabs(to->x[i] - log(length)) < 1e-9;
    }
    to->first = to->first ? to->first : f;
    to->n_lengths += known ? 0 : 1;
    to->x[to->n] = log(length);
    to->y[to->n++] = log(f->value);
    to->flags = tare_view_join_flags(arena, to->flags, f->flags);
    return to->flags ? 0 : -1;
}

/* Every valid cell of the system that has both. Returns -1 when memory is refused. */
static int find_points(const struct tare_report_input *in, const struct tare_report_cell *system,
                       const struct subject *s, struct tare_arena *arena, struct points *to)
{
    *to = (struct points){.flags = ""};
    for (size_t i = 0; i < in->n_cells && to->n < most_lengths; i++) {
        const struct tare_report_cell *c = &in->cells[i];
        const struct tare_figure *f =
            same_system(c, system) && tare_survey_is_valid(c) ? tare_report_figure(c, s->figure) : NULL;
        to->absent = !to->absent && f ? f->absent : to->absent;
        if (!f || f->absent || !(f->value > 0) || !is_alike(to, f)) {
            continue;
        }
        double length = length_of(c, s->where);
        if (length >= least_tok && add_point(to, f, length, arena) < 0) {
            return -1;
        }
    }
    return 0;
}

static struct tare_table_cell text(const char *what)
{
    return (struct tare_table_cell){.type = TARE_CELL_TEXT, .text = what};
}

static struct tare_table_cell measured(const struct points *p)
{
    struct tare_fit_line line = tare_line_fit(p->x, p->y, p->n);
    struct tare_interval range = tare_line_slope(&line, 0.95);
    if (!range.ok || p->n_lengths < least_lengths) {
        return (struct tare_table_cell){
            .type = TARE_CELL_ABSENT,
            .mark = "-",
            .outcome = TARE_CELL_MISSING,
            .text = p->absent
                        ? p->absent
                        : "fewer than 3 different lengths of 32 tokens or more: a plan needs tasks that "
                          "differ in prompt_tok"};
    }
    struct tare_quantity q = {.value = line.slope,
                              .unit = "1",
                              .kind = (enum tare_kind)p->first->kind,
                              .source = "slope of log(value) over log(length)",
                              .scope = p->first->scope,
                              .n = (int64_t)p->n_lengths,
                              .n_what = "lengths",
                              .has_interval = true,
                              .low = range.low,
                              .high = range.high,
                              .level = range.level,
                              .method = range.method,
                              .flags = p->flags,
                              .decimals = 2};
    return (struct tare_table_cell){.type = TARE_CELL_QUANTITY, .q = q};
}

static const struct claim *claim_of(const char *arch)
{
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        if (strncmp(arch, claims[i].arch, strlen(claims[i].arch)) == 0) {
            return &claims[i];
        }
    }
    return NULL;
}

/* What any cell of the system says: one that broke says nothing. */
static void find_architecture(const struct tare_report_input *in, const struct tare_report_cell *system,
                              char *out, size_t n_out)
{
    tare_view_architecture(system, out, n_out);
    for (size_t i = 0; !*out && i < in->n_cells; i++) {
        if (same_system(&in->cells[i], system)) {
            tare_view_architecture(&in->cells[i], out, n_out);
        }
    }
}

static int fill(const struct tare_report_input *in, const struct tare_report_cell *system,
                struct tare_arena *arena, struct tare_table_cell *to)
{
    char arch[40], range[80];
    double low = (double)INFINITY, high = 0;
    find_architecture(in, system, arch, sizeof arch);
    const struct claim *claim = claim_of(arch);
    const char *claimed[n_subjects] = {claim ? claim->prefill : "?", claim ? claim->step : "?",
                                       claim ? claim->state : "?", claim ? claim->peak : "?"};
    for (size_t s = 0; s < n_subjects; s++) {
        struct points p;
        if (find_points(in, system, &subjects[s], arena, &p) < 0) {
            return -1;
        }
        to[2 + 2 * s] = text(claimed[s]);
        to[3 + 2 * s] = measured(&p);
        for (size_t i = 0; i < p.n; i++) {
            low = fmin(low, exp(p.x[i]));
            high = fmax(high, exp(p.x[i]));
        }
    }
    (void)snprintf(range, sizeof range, high > 0 ? "%.0f to %.0f" : "none", low, high);
    to[0] = text(system->model);
    to[1] = text(tare_arena_copy(arena, *arch ? arch : "?", *arch ? strlen(arch) + 1 : 2));
    to[n_columns - 1] = text(tare_arena_copy(arena, range, strlen(range) + 1));
    return to[1].text && to[n_columns - 1].text ? 0 : -1;
}

static int describe(struct tare_arena *arena, struct tare_table_column *to)
{
    to[0] = (struct tare_table_column){.key = "model", .header = "Model"};
    to[1] = (struct tare_table_column){.key = "architecture", .header = "Architecture"};
    for (size_t s = 0; s < n_subjects; s++) {
        char key[40];
        (void)snprintf(key, sizeof key, "%s_claimed", subjects[s].key);
        const char *own = tare_arena_copy(arena, key, strlen(key) + 1);
        (void)snprintf(key, sizeof key, "%s_exponent", subjects[s].key);
        const char *other = tare_arena_copy(arena, key, strlen(key) + 1);
        if (!own || !other) {
            return -1;
        }
        to[2 + 2 * s] = (struct tare_table_column){.key = own, .header = "claimed"};
        to[3 + 2 * s] = (struct tare_table_column){
            .key = other, .header = "exponent", .unit = "1", .help = subjects[s].figure};
    }
    to[n_columns - 1] = (struct tare_table_column){.key = "lengths", .header = "Lengths"};
    return 0;
}

/* The first cell of every untreated model. */
static size_t find_systems(const struct tare_report_input *in, const struct tare_report_cell **to)
{
    size_t n = 0;
    for (size_t i = 0; i < in->n_cells; i++) {
        bool known = strcmp(in->cells[i].technique, "baseline") != 0;
        for (size_t j = 0; j < n && !known; j++) {
            known = same_system(to[j], &in->cells[i]);
        }
        if (!known) {
            to[n++] = &in->cells[i];
        }
    }
    return n;
}

static int build(const struct tare_report_input *in, const struct tare_view *view, struct tare_survey *out)
{
    static const char *const notes[] = {"T: length, d: width, C: length of a chunk. Claimed: of the "
                                        "architecture, per sequence (prefill), per token "
                                        "(time of a token), in all (state); of memory for long sequences "
                                        "(peak; RetNet's table).",
                                        "Exponent: slope of log(value) over log(length), least squares; 1 is "
                                        "linear, 0 does not grow. At these lengths "
                                        "parts of lower order are in it: it is no limit.",
                                        "Lengths: the prompt's for prefill; the middle of what is decoded, "
                                        "prompt included, for a token; prompt and output for state and peak, "
                                        "which has the weights in it. Below 32 "
                                        "tokens fixed costs hide the order; such lengths are left out."};
    static const struct tare_table_group groups[n_subjects] = {
        {2, 2, "Prefill time"}, {4, 2, "Time of a token"}, {6, 2, "State"}, {8, 2, "Peak memory"}};
    const struct tare_report_cell **systems = tare_arena_array(&out->arena, in->n_cells + 1, sizeof *systems);
    struct tare_table_column *columns = tare_arena_array(&out->arena, n_columns, sizeof *columns);
    size_t n = systems ? find_systems(in, systems) : 0;
    struct tare_table_cell *cells = tare_arena_array(&out->arena, n * n_columns + 1, sizeof *cells);
    if (!systems || !columns || !cells || describe(&out->arena, columns) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        if (fill(in, systems[i], &out->arena, cells + i * n_columns) < 0) {
            return -1;
        }
    }
    out->table = (struct tare_table){.title = view->title ? view->title : in->title,
                                     .caption = in->caption,
                                     .n_columns = n_columns,
                                     .n_rows = n,
                                     .columns = columns,
                                     .cells = cells,
                                     .n_notes = sizeof notes / sizeof *notes,
                                     .notes = notes,
                                     .n_column_groups = n_subjects,
                                     .column_groups = groups};
    return 0;
}

int tare_survey_build_architectures(const struct tare_report_input *input, const struct tare_view *view,
                                    struct tare_survey *out, struct tare_err *err)
{
    memset(out, 0, sizeof *out);
    if (build(input, view, out) < 0) {
        tare_survey_fini(out);
        return tare_err_set(err, TARE_E_NOMEM, "table: out of memory");
    }
    return 0;
}
