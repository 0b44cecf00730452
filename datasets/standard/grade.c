/* SPDX-License-Identifier: Apache-2.0 */
#include "grade.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define X(name) extern const struct tare_metric_kind *const tare_metric_family_##name[];
#include "tare_metric_families.inc"
#undef X

#define X(name) tare_metric_family_##name,
static const struct tare_metric_kind *const *const families[] = {
#include "tare_metric_families.inc"
};
#undef X

const struct tare_metric_kind *tare_metric_kind_find(const char *name, enum tare_output_type output)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        for (const struct tare_metric_kind *const *k = families[i]; *k; k++) {
            if (strcmp((*k)->name, name) == 0 && ((*k)->outputs & (1U << output))) {
                return *k;
            }
        }
    }
    return NULL;
}

static char *joined(const char *a, const char *b, const char *c)
{
    size_t n = strlen(a) + strlen(b) + strlen(c) + 1;
    char *text = malloc(n);
    if (text) {
        (void)snprintf(text, n, "%s%s%s", a, b, c);
    }
    return text;
}

/* acc; exact_match.strict-match where there are filters of that name. */
static char *name_of(const struct tare_wanted_metric *m)
{
    const char *as = tare_json_str(tare_json_get(m->options, "as"));
    return joined(as ? as : m->metric, m->filter ? "." : "", m->filter ? m->filter : "");
}

/* "acc", or "bleu.3" of a metric whose columns have no names. */
static char *column_name(const char *metric, const struct tare_metric_kind *kind, uint32_t c)
{
    char number[16];
    const char *name = kind->columns[0] ? kind->columns[c] : number;
    (void)snprintf(number, sizeof number, "%u", c);
    return joined(metric, *name ? "." : "", name);
}

/* The metric's own options: without the keys that every metric may have. */
static int prepare(struct tare_grading *g, size_t i, struct tare_err *err)
{
    static const char *const common[] = {"metric", "aggregation", "higher_is_better", "as", NULL};
    const struct tare_wanted_metric *m = &g->definition->metrics[i];
    if (!g->kinds[i]->prepare) {
        return 0;
    }
    struct tare_json *own = tare_json_new_object();
    for (const struct tare_json *v = tare_json_first(m->options); v; v = tare_json_next(v)) {
        bool is_common = false;
        for (size_t k = 0; common[k]; k++) {
            is_common = is_common || strcmp(common[k], tare_json_key(v)) == 0;
        }
        if (!is_common) {
            tare_json_add_copy(own, tare_json_key(v), v);
        }
    }
    int r = g->kinds[i]->prepare(own, g->definition->path, &g->states[i], err);
    tare_json_destroy(own);
    return r;
}

static int add_metric(struct tare_grading *g, size_t i, struct tare_err *err)
{
    const struct tare_wanted_metric *m = &g->definition->metrics[i];
    const struct tare_metric_kind *kind = tare_metric_kind_find(m->metric, g->definition->output);
    const char *aggregation = tare_json_str(tare_json_get(m->options, "aggregation"));
    if (!kind) {
        return tare_err_set(err, TARE_E_FORMAT, "task file %s: metric \"%.60s\" is unknown for this output",
                            g->definition->path, m->metric);
    }
    if (g->n_columns + kind->n_columns > TARE_MAX_COLUMNS) {
        return tare_err_set(err, TARE_E_LIMIT, "task file %s: its metrics need more than %u columns",
                            g->definition->path, TARE_MAX_COLUMNS);
    }
    g->kinds[i] = kind;
    g->names[i] = name_of(m);
    for (uint32_t c = 0; g->names[i] && c < kind->n_columns; c++) {
        g->columns[g->n_columns + c] = column_name(g->names[i], kind, c);
        if (!g->columns[g->n_columns + c]) {
            return tare_err_set(err, TARE_E_NOMEM, "out of memory");
        }
    }
    g->metrics[i] = (struct tare_metric){.name = g->names[i],
                                         .rule = TARE_METRIC_SCORES,
                                         .scale = kind->scale,
                                         .unit = kind->unit,
                                         .lower_is_better = kind->lower_is_better,
                                         .help = kind->help,
                                         .aggregation = aggregation ? aggregation : kind->aggregation,
                                         .column = (uint32_t)g->n_columns,
                                         .n_columns = kind->n_columns};
    g->n_columns += kind->n_columns;
    return g->names[i] ? prepare(g, i, err) : tare_err_set(err, TARE_E_NOMEM, "out of memory");
}

/* One chain that changes nothing where the file names none. */
static int add_filters(struct tare_grading *g, struct tare_err *err)
{
    const struct tare_json *chain = tare_json_first(tare_json_get(g->definition->json, "filters"));
    int r = 0;
    do {
        r = tare_filters_parse(tare_json_get(chain, "chain"), g->definition->path, &g->filters[g->n_filters],
                               err);
        g->n_filters += r == 0;
        chain = tare_json_next(chain);
    } while (r == 0 && chain);
    return r;
}

int tare_grading_init(const struct tare_definition *d, struct tare_grading *out, struct tare_err *err)
{
    struct tare_grading g = {.definition = d};
    g.kinds = calloc(d->n_metrics + 1, sizeof *g.kinds);
    g.metrics = calloc(d->n_metrics + 1, sizeof *g.metrics);
    g.names = calloc(d->n_metrics + 1, sizeof *g.names);
    g.columns = calloc(TARE_MAX_COLUMNS + 1, sizeof *g.columns);
    g.states = calloc(d->n_metrics + 1, sizeof *g.states);
    g.filters = calloc(d->n_metrics + 1, sizeof(struct tare_filters *));
    int r = g.kinds && g.metrics && g.names && g.columns && g.states && g.filters
                ? 0
                : tare_err_set(err, TARE_E_NOMEM, "task file %s: out of memory", d->path);
    for (size_t i = 0; r == 0 && i < d->n_metrics; i++) {
        r = add_metric(&g, i, err);
    }
    r = r == 0 ? add_filters(&g, err) : r;
    if (r < 0) {
        tare_grading_fini(&g);
        return r;
    }
    *out = g;
    return 0;
}

void tare_grading_fini(struct tare_grading *g)
{
    for (size_t i = 0; g->names && i < g->definition->n_metrics; i++) {
        free(g->names[i]);
        if (g->states && g->states[i]) {
            g->kinds[i]->release(g->states[i]);
        }
    }
    for (size_t i = 0; i < g->n_filters; i++) {
        tare_filters_destroy(g->filters[i]);
    }
    for (size_t i = 0; g->columns && i < TARE_MAX_COLUMNS; i++) {
        free(g->columns[i]);
    }
    free(g->kinds);
    free(g->states);
    free(g->filters);
    free(g->metrics);
    free(g->names);
    free(g->columns);
    memset(g, 0, sizeof *g);
}

bool tare_grading_needs_documents(const struct tare_grading *g)
{
    bool needs = false;
    for (size_t i = 0; i < g->definition->n_metrics; i++) {
        needs = needs || g->kinds[i]->needs_document;
    }
    return needs;
}

/* The metrics of one filter chain; what the chain makes of the output is made once. */
static int score_chain(const struct tare_grading *grading, size_t chain, struct tare_graded *g,
                       double *scores, struct tare_err *err)
{
    const struct tare_definition *d = grading->definition;
    char *filtered = NULL;
    size_t n_filtered = 0;
    int r = 0;
    if (d->output == TARE_OUTPUT_GENERATE) {
        r = tare_filters_apply(grading->filters[chain], g->answers[0].output, &filtered, &n_filtered, err);
        g->output = (struct tare_bytes){filtered, n_filtered};
    }
    for (size_t i = 0; r == 0 && i < d->n_metrics; i++) {
        if (d->metrics[i].chain == chain) {
            g->options = d->metrics[i].options;
            g->state = grading->states[i];
            r = grading->kinds[i]->score(g, scores + grading->metrics[i].column, err);
        }
    }
    free(filtered);
    return r;
}

bool tare_grading_needs_alone(const struct tare_grading *g)
{
    bool needs = false;
    for (size_t i = 0; i < g->definition->n_metrics; i++) {
        needs = needs || g->kinds[i]->needs_alone;
    }
    return needs;
}

int tare_grading_score(const struct tare_grading *grading, const struct tare_rendered_documents *documents,
                       size_t index, const struct tare_answer *answers, size_t n, double *scores,
                       struct tare_err *err)
{
    struct tare_graded g = {.definition = grading->definition,
                            .documents = documents,
                            .document = &documents->all[index],
                            .answers = answers,
                            .n = n};
    int r = 0;
    for (size_t i = 0; i < grading->n_columns; i++) {
        scores[i] = (double)NAN;
    }
    for (size_t chain = 0; r == 0 && n > 0 && chain < grading->n_filters; chain++) {
        r = score_chain(grading, chain, &g, scores, err);
    }
    return r;
}
