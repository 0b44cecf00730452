/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long Range Arena (2011.04006): accuracy on five long tasks and their mean, and the protocol of speed and
 * memory over lengths with the ratio to a vanilla Transformer. Which task of the selection stands for which
 * of the arena's is told by patterns; a task of another making is not the arena's and must not be called so.
 */
#include "draw.h"
#include "sheet.h"

enum { TASKS = 5 };

struct options {
    char *tasks[TASKS];
    char *path_x;
    char *lengths;
    char *speed;
    char *memory;
    char *vanilla;
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct options, member_)
#define TASK(name_, index_) \
    .name = name_, .type = TARE_OPT_STR, .offset = offsetof(struct options, tasks) + index_ * sizeof(char *)

static const struct tare_opt options[] = {
    {TASK("listops", 0), .def = "*listops*", .help = "shell pattern of the task ListOps"},
    {TASK("text", 1), .def = "lra-text*", .help = "shell pattern of the task of byte text"},
    {TASK("retrieval", 2), .def = "*retrieval*", .help = "shell pattern of the task retrieval"},
    {TASK("image", 3), .def = "*image*", .help = "shell pattern of the task image"},
    {TASK("pathfinder", 4), .def = "*pathfinder*", .help = "shell pattern of the task Pathfinder"},
    {MEMBER(TARE_OPT_STR, path_x), .def = "*path-x*", .help = "shell pattern of Path-X, which is in no mean"},
    {MEMBER(TARE_OPT_STR, lengths), .def = "*-1k,*-2k,*-3k,*-4k",
     .help = "shell patterns of the tasks of speed and memory, commas between"},
    {MEMBER(TARE_OPT_STR, speed), .def = "request_throughput", .help = "figure of speed, a step a request"},
    {MEMBER(TARE_OPT_STR, memory), .def = "peak_rss", .help = "figure of memory"},
    {MEMBER(TARE_OPT_STR, vanilla),
     .help = "model that ratios refer to, untreated; without it the plan's baseline"},
    TARE_OPT_END};

static const struct {
    const char *key, *name;
    double chance;
} arena[TASKS] = {{"listops", "ListOps", 0.1},
                  {"text", "Text", 0.5},
                  {"retrieval", "Retrieval", 0.5},
                  {"image", "Image", 0.1},
                  {"pathfinder", "Pathfinder", 0.5}};

/* "quality@..." of the five and Path-X, then speed and memory of each length. */
static const char *list_metrics(struct tare_sheet *s, const struct options *o, size_t *out_lengths)
{
    const char *list = "";
    for (size_t t = 0; t < TASKS && list; t++) {
        list = tare_sheet_keep(s, "%squality@%s,", list, o->tasks[t]);
    }
    list = list ? tare_sheet_keep(s, "%squality@%s", list, o->path_x) : NULL;
    *out_lengths = 0;
    for (const char *at = o->lengths; list && at && *at; at += strcspn(at, ","), at += *at == ',') {
        int n = (int)strcspn(at, ",");
        list = tare_sheet_keep(s, "%s,%s@%.*s:higher,%s@%.*s:lower", list, o->speed, n, at, o->memory, n, at);
        ++*out_lengths;
    }
    return list;
}

/* Mean of the tasks that ended; absent unless every one did or failed. What failed is left out, and said. */
static struct tare_score_value mean_of(const struct tare_score_matrix *m, size_t i)
{
    struct tare_score_value mean = tare_score_plain(0, "1", TARE_KIND_MEASURED, "mean of the five tasks");
    double below = 0, above = 0, n = 0;
    for (size_t t = 0; t < TASKS; t++) {
        const struct tare_score_value *v = tare_score_at(m, i, t);
        if (isfinite(v->value)) {
            n++;
            mean.value += v->value;
            below += (v->value - v->low) * (v->value - v->low);
            above += (v->high - v->value) * (v->high - v->value);
            mean.kind = tare_score_weaker(mean.kind, v->kind);
            mean.level = v->level;
        } else if (v->outcome < TARE_CELL_FAIL) {
            return tare_score_absent("not all five tasks are in the selection");
        } else {
            mean.flags = "WITHOUT_FAILED";
        }
    }
    if (n < 1) {
        return tare_score_absent("every task failed");
    }
    mean.value /= n;
    mean.low = mean.value - sqrt(below) / n;
    mean.high = mean.value + sqrt(above) / n;
    mean.method = "intervals of the tasks, squares added";
    mean.n = (int64_t)n;
    mean.n_what = "tasks";
    return mean;
}

static size_t find_vanilla(const struct tare_score_matrix *m, const char *model)
{
    for (size_t i = 0; i < m->n_systems; i++) {
        if (model && strcmp(m->systems[i].model, model) == 0 && tare_score_untreated(&m->systems[i])) {
            return i;
        }
    }
    return m->n_systems;
}

static struct tare_score_value ratio_of(const struct tare_score_matrix *m, size_t i, size_t vanilla,
                                        size_t column)
{
    double results[TARE_SCORE_DRAWS];
    struct tare_rng rng;
    tare_rng_init(&rng, 1);
    if (vanilla == m->n_systems) {
        return tare_score_absent("no vanilla system: name it with vanilla=MODEL");
    }
    const struct tare_score_value *a = tare_score_at(m, i, column), *b = tare_score_at(m, vanilla, column);
    if (!isfinite(a->value) || !isfinite(b->value) || !(b->value > 0)) {
        return isfinite(a->value) ? tare_score_absent("the vanilla system has no value") : *a;
    }
    struct tare_score_value v =
        tare_score_plain(a->value / b->value, "x", tare_score_weaker(a->kind, b->kind), "ratio to vanilla");
    for (size_t d = 0; d < TARE_SCORE_DRAWS; d++) {
        results[d] = tare_draw_value(a, &rng) / tare_draw_value(b, &rng);
    }
    if (i != vanilla && tare_draw_known((const struct tare_score_value *const[]){a, b}, 2)) {
        tare_draw_interval(results, TARE_SCORE_DRAWS, &v);
    }
    return v;
}

/* An accuracy that its interval does not hold apart from guessing is shown, and marked. */
static void put_accuracies(struct tare_sheet *s, const struct tare_score_matrix *m, size_t i)
{
    for (size_t t = 0; t <= TASKS; t++) {
        struct tare_score_value v = *tare_score_at(m, i, t);
        double chance = t < TASKS ? arena[t].chance : 0.5;
        if (isfinite(v.value) && !(v.low > chance)) {
            v.flags = v.flags && *v.flags ? tare_sheet_keep(s, "%s,AT_CHANCE", v.flags) : "AT_CHANCE";
        }
        tare_sheet_value(s, &v);
    }
    struct tare_score_value mean = mean_of(m, i);
    tare_sheet_value(s, &mean);
}

static void name_columns(struct tare_sheet *s, const struct tare_score_matrix *m, size_t n_lengths)
{
    for (size_t t = 0; t < TASKS; t++) {
        tare_sheet_column(s, arena[t].key, arena[t].name, "1", TARE_BETTER_HIGHER);
    }
    tare_sheet_column(s, "path_x", "Path-X", "1", TARE_BETTER_HIGHER);
    tare_sheet_column(s, "average", "Average of five", "1", TARE_BETTER_HIGHER);
    for (size_t l = 0; l < n_lengths; l++) {
        size_t j = TASKS + 1 + 2 * l;
        const char *task = m->tasks[j];
        tare_sheet_column(s, tare_sheet_keep(s, "speed@%s#%zu", task, l),
                          tare_sheet_keep(s, "Steps/s @%s", task), m->metrics[j].unit, TARE_BETTER_HIGHER);
        tare_sheet_column(s, tare_sheet_keep(s, "speed_ratio@%s#%zu", task, l),
                          tare_sheet_keep(s, "to vanilla @%s", task), "x", TARE_BETTER_HIGHER);
        tare_sheet_column(s, tare_sheet_keep(s, "memory@%s#%zu", task, l),
                          tare_sheet_keep(s, "Peak @%s", task), m->metrics[j + 1].unit, TARE_BETTER_LOWER);
    }
}

static int build(const struct tare_report_input *input, const void *opts, struct tare_score_out *out,
                 struct tare_err *err)
{
    const struct options *o = opts;
    struct tare_score_matrix m = {0};
    struct tare_sheet s;
    size_t n_lengths = 0;
    tare_sheet_systems(&s, out, input);
    const char *metrics = list_metrics(&s, o, &n_lengths);
    int r = metrics ? tare_sheet_matrix(input, metrics, out, &m, err)
                    : tare_err_set(err, TARE_E_NOMEM, "score lra: out of memory");
    if (r < 0) {
        return r;
    }
    size_t vanilla = find_vanilla(&m, o->vanilla ? o->vanilla : input->baseline);
    name_columns(&s, &m, n_lengths);
    for (size_t i = 0; i < m.n_systems; i++) {
        tare_sheet_text(&s, m.systems[i].name);
        put_accuracies(&s, &m, i);
        for (size_t j = TASKS + 1; j < m.n_metrics; j += 2) {
            struct tare_score_value ratio = ratio_of(&m, i, vanilla, j);
            tare_sheet_value(&s, tare_score_at(&m, i, j));
            tare_sheet_value(&s, &ratio);
            tare_sheet_value(&s, tare_score_at(&m, i, j + 1));
        }
    }
    tare_sheet_note(
        &s,
        "Vanilla: %s. A step is a request of inference, one at a time; the arena counts training steps "
        "of batch 32 on accelerators. Ratios compare within this table only.",
        vanilla < m.n_systems ? m.systems[vanilla].name : "none");
    tare_sheet_note(
        &s, "WITHOUT_FAILED: a task ended with an error, out of memory or of time; the mean is over the "
            "others, and no two such means compare unless the same tasks failed. Path-X is in no mean.");
    tare_sheet_note(&s, "AT_CHANCE: the interval does not lie above guessing (10, 50, 50, 10, 50 %%)");
    return tare_sheet_end(&s, "Long Range Arena", err);
}

const struct tare_score tare_score_lra = {
    .name = "lra",
    .summary = "Long Range Arena: mean accuracy of five tasks, speed and memory by length",
    .needs = "the five tasks by name, and tasks of several lengths",
    .options_size = sizeof(struct options),
    .options = options,
    .build = build};
