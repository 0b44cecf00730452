/* SPDX-License-Identifier: Apache-2.0 */
/* From cells to systems x metrics. */
#include "matrix.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

struct tare_score_value tare_score_absent(const char *why)
{
    return (struct tare_score_value){.value = (double)NAN,
                                     .low = (double)NAN,
                                     .high = (double)NAN,
                                     .level = (double)NAN,
                                     .why = why,
                                     .mark = "-",
                                     .outcome = TARE_CELL_MISSING};
}

struct tare_score_value tare_score_plain(double value, const char *unit, enum tare_kind kind,
                                         const char *source)
{
    struct tare_score_value v = tare_score_absent(NULL);
    v.value = value;
    v.unit = unit;
    v.kind = kind;
    v.source = source;
    v.outcome = TARE_CELL_OK;
    return v;
}

enum tare_kind tare_score_weaker(enum tare_kind a, enum tare_kind b)
{
    return a > b ? a : b;
}

bool tare_score_clearly_better(const struct tare_score_value *x, const struct tare_score_value *y,
                               enum tare_better better)
{
    if (!isfinite(x->low) || !isfinite(x->high) || !isfinite(y->low) || !isfinite(y->high)) {
        return false;
    }
    return better == TARE_BETTER_LOWER ? x->high < y->low : x->low > y->high;
}

bool tare_score_untreated(const struct tare_score_system *system)
{
    return system->technique && strcmp(system->technique, "baseline") == 0;
}

/* Which way is better, of figures that are known by their names; of a quality, the task says. */
static enum tare_better better_of(const char *figure)
{
    static const char *const higher[] = {"quality", "throughput",        "speedup",   "acc",    "exact",
                                         "mrr",     "compression_ratio", "agreement", "loyalty"};
    for (size_t i = 0; i < sizeof higher / sizeof *higher; i++) {
        if (strstr(figure, higher[i])) {
            return TARE_BETTER_HIGHER;
        }
    }
    return TARE_BETTER_LOWER;
}

/* The words behind the name: a direction, a weight, an offset. */
static int parse_words(char *words, struct tare_score_metric *to, struct tare_err *err)
{
    char *rest = NULL;
    size_t numbers = 0;
    for (char *word = strtok_r(words, ":", &rest); word; word = strtok_r(NULL, ":", &rest)) {
        char *end = word;
        double number = strtod(word, &end);
        if (strcmp(word, "higher") == 0 || strcmp(word, "lower") == 0) {
            to->better = *word == 'h' ? TARE_BETTER_HIGHER : TARE_BETTER_LOWER;
        } else if (end != word && !*end && isfinite(number) && numbers < 2 && (numbers > 0 || number >= 0)) {
            *(numbers++ ? &to->offset : &to->weight) = number;
        } else {
            return tare_err_set(
                err, TARE_E_USAGE,
                "metric %.40s: \"%.40s\" is neither higher, lower, a weight of 0 or more nor an "
                "offset behind it",
                to->figure, word);
        }
    }
    return 0;
}

static int parse_metric(char *text, struct tare_score_metric *to, struct tare_err *err)
{
    text += strspn(text, " ");
    char *words = strchr(text, ':');
    if (words) {
        *words++ = '\0';
    }
    char *task = strchr(text, '@');
    if (task) {
        *task++ = '\0';
    }
    if (!*text) {
        return tare_err_set(err, TARE_E_USAGE, "metrics: a name is missing between two commas");
    }
    *to = (struct tare_score_metric){
        .figure = text, .task = task, .better = better_of(text), .weight = 1, .offset = (double)NAN};
    return words ? parse_words(words, to, err) : 0;
}

int tare_score_metrics_parse(const char *text, struct tare_arena *arena, struct tare_score_metric **out,
                             size_t *out_n, struct tare_err *err)
{
    size_t n = 1, at = 0;
    for (const char *c = text; *c; c++) {
        n += *c == ',';
    }
    char *copy = tare_arena_copy(arena, text, strlen(text) + 1), *rest = NULL;
    struct tare_score_metric *list = tare_arena_array(arena, n, sizeof *list);
    if (!copy || !list) {
        return tare_err_set(err, TARE_E_NOMEM, "score: out of memory");
    }
    for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        int r = parse_metric(word, &list[at++], err);
        if (r < 0) {
            return r;
        }
    }
    if (at == 0) {
        return tare_err_set(err, TARE_E_USAGE, "metrics: none is named");
    }
    *out = list;
    *out_n = at;
    return 0;
}

struct maker {
    const struct tare_report_input *in;
    struct tare_arena *arena;
    struct tare_score_matrix *out;
    const struct tare_report_cell **first; /* cell of each system */
    const char **tasks;                    /* distinct, in order */
    size_t n_tasks;
    bool failed;
};

static bool same_system(const struct tare_report_cell *a, const struct tare_report_cell *b)
{
    return strcmp(a->model, b->model) == 0 && strcmp(a->technique, b->technique) == 0 &&
           strcmp(a->scenario, b->scenario) == 0 && strcmp(a->backend, b->backend) == 0;
}

static bool is_valid(const struct tare_report_cell *c)
{
    return !c->verdict || strcmp(c->verdict, "VALID") == 0;
}

static void find_systems(struct maker *k)
{
    for (size_t i = 0; i < k->in->n_cells; i++) {
        const struct tare_report_cell *c = &k->in->cells[i];
        bool known = false;
        for (size_t j = 0; j < k->out->n_systems && !known; j++) {
            known = same_system(k->first[j], c);
        }
        if (!known) {
            k->first[k->out->n_systems++] = c;
        }
        known = false;
        for (size_t j = 0; j < k->n_tasks && !known; j++) {
            known = strcmp(k->tasks[j], c->task) == 0;
        }
        if (!known) {
            k->tasks[k->n_tasks++] = c->task;
        }
    }
}

/* Model, technique unless it is none, scenario and backend where they differ. */
static const char *name_of(struct maker *k, const struct tare_report_cell *c)
{
    bool scenarios = false, backends = false;
    for (size_t i = 0; i < k->in->n_cells; i++) {
        scenarios = scenarios || strcmp(k->in->cells[i].scenario, c->scenario) != 0;
        backends = backends || strcmp(k->in->cells[i].backend, c->backend) != 0;
    }
    bool treated = strcmp(c->technique, "baseline") != 0;
    size_t n = strlen(c->model) + strlen(c->technique) + strlen(c->scenario) + strlen(c->backend) + 16;
    char *text = tare_arena_take(k->arena, n);
    k->failed = k->failed || !text;
    if (text) {
        (void)snprintf(text, n, "%s%s%s%s%s%s%s", c->model, treated ? " + " : "", treated ? c->technique : "",
                       scenarios ? ", " : "", scenarios ? c->scenario : "", backends ? ", " : "",
                       backends ? c->backend : "");
    }
    return text;
}

static void describe_systems(struct maker *k)
{
    for (size_t i = 0; i < k->out->n_systems; i++) {
        const struct tare_report_cell *c = k->first[i];
        k->out->systems[i] = (struct tare_score_system){.name = name_of(k, c),
                                                        .model = c->model,
                                                        .backend = c->backend,
                                                        .technique = c->technique,
                                                        .tag = c->tag,
                                                        .scenario = c->scenario,
                                                        .tokenizer = c->tokenizer,
                                                        .facts = c->facts};
    }
}

static const struct tare_report_cell *cell_of(const struct maker *k, size_t system, const char *task)
{
    for (size_t i = 0; i < k->in->n_cells; i++) {
        const struct tare_report_cell *c = &k->in->cells[i];
        if (same_system(c, k->first[system]) && strcmp(c->task, task) == 0) {
            return c;
        }
    }
    return NULL;
}

static struct tare_score_value failed(const struct tare_report_cell *c)
{
    static const struct {
        const char *reason, *mark;
        enum tare_cell_outcome outcome;
    } ends[] = {{"CRASH", "CRASH", TARE_CELL_CRASH},
                {"TIMEOUT", "TIMEOUT", TARE_CELL_TIMEOUT},
                {"OOM", "OOM", TARE_CELL_OOM},
                {"ERROR", "FAIL", TARE_CELL_FAIL},
                {"FAILED_SAMPLES", "FAIL", TARE_CELL_FAIL}};
    struct tare_score_value v = tare_score_absent(c->message   ? c->message
                                                  : c->reasons ? c->reasons
                                                               : "not measured");
    v.outcome = strcmp(c->verdict, "SKIPPED") == 0 ? TARE_CELL_SKIPPED : TARE_CELL_INVALID;
    for (size_t i = 0; c->reasons && i < sizeof ends / sizeof *ends; i++) {
        if (strstr(c->reasons, ends[i].reason)) {
            v.mark = ends[i].mark;
            v.outcome = ends[i].outcome;
            break;
        }
    }
    return v;
}

static struct tare_score_value value_of(const struct tare_report_cell *c, const char *figure)
{
    if (!is_valid(c)) {
        return failed(c);
    }
    const struct tare_figure *f = tare_report_figure(c, figure);
    if (!f || f->absent || !isfinite(f->value)) {
        return tare_score_absent(!f ? "not derived" : f->absent ? f->absent : "no finite number");
    }
    return (struct tare_score_value){.value = f->value,
                                     .low = f->low,
                                     .high = f->high,
                                     .level = f->level,
                                     .kind = (enum tare_kind)f->kind,
                                     .unit = f->unit,
                                     .source = f->source,
                                     .scope = f->scope,
                                     .method = f->method,
                                     .flags = f->flags,
                                     .n = f->n,
                                     .n_what = f->n_what};
}

static bool is_share(const struct tare_metric *m)
{
    return !m->lower_is_better && m->unit && strcmp(m->unit, "1") == 0;
}

/* The headline of a task that is a share of 1, the larger the better: the first that any system has a value
 * of, failing that the first; NULL: it has none. */
static const struct tare_metric *share_of(const struct maker *k, const char *task)
{
    const struct tare_metric *first = NULL;
    for (size_t i = 0; i < k->in->n_cells; i++) {
        const struct tare_report_cell *c = &k->in->cells[i];
        const struct tare_metric *m = strcmp(c->task, task) == 0 ? c->metrics : NULL;
        for (; m && m->name; m++) {
            const struct tare_figure *f = tare_report_figure(c, m->name);
            if (f && !f->absent && is_share(m)) {
                return m;
            }
            first = first || !is_share(m) ? first : m;
        }
    }
    return first;
}

/* Adds up the qualities of the tasks that fit; a task that the system has no value of leaves the mean absent,
 * since the mean over other tasks is another quantity. Errors of different items are taken as independent. */
static struct tare_score_value mean_quality(const struct maker *k, size_t system,
                                            const struct tare_score_metric *metric)
{
    struct tare_score_value sum = tare_score_plain(0, "1", TARE_KIND_MEASURED, "samples");
    double below = 0, above = 0;
    size_t n = 0;
    for (size_t t = 0; t < k->n_tasks; t++) {
        const struct tare_metric *m =
            metric->task && fnmatch(metric->task, k->tasks[t], 0) != 0 ? NULL : share_of(k, k->tasks[t]);
        const struct tare_report_cell *c = m ? cell_of(k, system, k->tasks[t]) : NULL;
        if (!m) {
            continue;
        }
        struct tare_score_value v = c ? value_of(c, m->name) : tare_score_absent("a task is not in the plan");
        if (!isfinite(v.value)) {
            return v;
        }
        sum.value += v.value;
        below += (v.value - v.low) * (v.value - v.low);
        above += (v.high - v.value) * (v.high - v.value);
        sum.kind = tare_score_weaker(sum.kind, v.kind);
        sum.level = v.level;
        sum.n += v.n;
        n++;
    }
    if (n == 0) {
        return tare_score_absent("no task has a share of right answers");
    }
    double count = (double)n;
    sum.value /= count;
    sum.low = sum.value - sqrt(below) / count;
    sum.high = sum.value + sqrt(above) / count;
    sum.n_what = "items";
    sum.scope = "tasks";
    sum.method = "intervals of the tasks, squares added";
    return sum;
}

/* The task that fits and of which any system has the figure: that of the most repeats or items, the first of
 * equals. */
static const char *task_with(const struct maker *k, const struct tare_score_metric *metric)
{
    const char *best = NULL;
    int64_t most = -1;
    for (size_t t = 0; t < k->n_tasks; t++) {
        if (metric->task && fnmatch(metric->task, k->tasks[t], 0) != 0) {
            continue;
        }
        for (size_t i = 0; i < k->out->n_systems; i++) {
            const struct tare_report_cell *c = cell_of(k, i, k->tasks[t]);
            const struct tare_figure *f = c && is_valid(c) ? tare_report_figure(c, metric->figure) : NULL;
            if (f && !f->absent && f->n > most) {
                best = k->tasks[t];
                most = f->n;
            }
        }
    }
    return best;
}

/* The first task that fits at all, for the reason why there is no value. */
static const char *any_task(const struct maker *k, const struct tare_score_metric *metric)
{
    for (size_t t = 0; t < k->n_tasks; t++) {
        if (!metric->task || fnmatch(metric->task, k->tasks[t], 0) == 0) {
            return k->tasks[t];
        }
    }
    return NULL;
}

static bool is_weak(enum tare_kind kind)
{
    return kind >= TARE_KIND_MODELLED;
}

static bool differ(const char *a, const char *b)
{
    return a && b && strcmp(a, b) != 0;
}

/* Why a value may not stand in a column with another; NULL: it may. */
static const char *why_apart(const struct tare_score_value *v, const struct tare_score_value *lead)
{
    if (is_weak(v->kind) != is_weak(lead->kind)) {
        return "modelled or declared, and others of this column were measured or counted";
    }
    if (differ(v->scope, lead->scope)) {
        return "of another scope than the others of this column";
    }
    return differ(v->unit, lead->unit) ? "in another unit than the others of this column" : NULL;
}

/* Leaves one class of values in a column: that of the strongest, the first of equals. */
static void keep_one_class(const struct tare_score_matrix *m, size_t column)
{
    struct tare_score_value lead = tare_score_absent(NULL);
    for (size_t i = 0; i < m->n_systems; i++) {
        const struct tare_score_value *v = tare_score_at(m, i, column);
        bool stronger = !isfinite(lead.value) || (is_weak(lead.kind) && !is_weak(v->kind));
        lead = isfinite(v->value) && stronger ? *v : lead;
    }
    for (size_t i = 0; i < m->n_systems; i++) {
        struct tare_score_value *v = &m->values[i * m->n_metrics + column];
        const char *why = isfinite(v->value) ? why_apart(v, &lead) : NULL;
        if (why) {
            *v = tare_score_absent(why);
        }
    }
}

static const char *join(struct maker *k, const char *x, const char *between, const char *y)
{
    size_t n = strlen(x) + strlen(between) + strlen(y) + 1;
    char *text = tare_arena_take(k->arena, n);
    k->failed = k->failed || !text;
    if (text) {
        (void)snprintf(text, n, "%s%s%s", x, between, y);
    }
    return text;
}

/* What a reader must see: the figure, and the task where it is one. */
static void head_column(struct maker *k, struct tare_score_metric *metric, size_t column, const char *task)
{
    const char *unit = NULL;
    for (size_t i = 0; i < k->out->n_systems && !unit; i++) {
        const struct tare_score_value *v = tare_score_at(k->out, i, column);
        unit = isfinite(v->value) ? v->unit : NULL;
    }
    metric->unit = unit ? unit : "1";
    if (!metric->header) {
        metric->header = task ? join(k, metric->figure, " @", task) : metric->figure;
    }
}

static void fill_column(struct maker *k, size_t column, const char **tasks)
{
    struct tare_score_metric *metric = &k->out->metrics[column];
    bool quality = strcmp(metric->figure, "quality") == 0;
    const char *task = quality ? metric->task : task_with(k, metric);
    bool known = quality || task;
    task = known ? task : any_task(k, metric);
    for (size_t i = 0; i < k->out->n_systems; i++) {
        const struct tare_report_cell *c = !quality && task ? cell_of(k, i, task) : NULL;
        k->out->values[i * k->out->n_metrics + column] =
            quality ? mean_quality(k, i, metric)
            : c     ? value_of(c, metric->figure)
                    : tare_score_absent(task ? "not in the plan" : "no task of that name in the plan");
    }
    keep_one_class(k->out, column);
    head_column(k, metric, column, task);
    tasks[column] = task ? task : metric->task ? metric->task : "*";
}

int tare_score_matrix(const struct tare_report_input *input, const struct tare_score_metric *metrics,
                      size_t n_metrics, struct tare_arena *arena, struct tare_score_matrix *out,
                      struct tare_err *err)
{
    struct tare_score_matrix made = {.n_metrics = n_metrics};
    struct maker k = {.in = input, .arena = arena, .out = &made};
    size_t n = input->n_cells + 1;
    k.first = tare_arena_array(arena, n, sizeof *k.first);
    k.tasks = tare_arena_array(arena, n, sizeof *k.tasks);
    made.systems = tare_arena_array(arena, n, sizeof *made.systems);
    made.metrics = tare_arena_array(arena, n_metrics + 1, sizeof *made.metrics);
    made.values = tare_arena_array(arena, n * (n_metrics + 1), sizeof *made.values);
    const char **tasks = tare_arena_array(arena, n_metrics + 1, sizeof *tasks);
    if (!k.first || !k.tasks || !made.systems || !made.metrics || !made.values || !tasks) {
        return tare_err_set(err, TARE_E_NOMEM, "score: out of memory");
    }
    memcpy(made.metrics, metrics, n_metrics * sizeof *metrics);
    find_systems(&k);
    describe_systems(&k);
    for (size_t j = 0; j < n_metrics; j++) {
        fill_column(&k, j, tasks);
    }
    if (k.failed) {
        return tare_err_set(err, TARE_E_NOMEM, "score: out of memory");
    }
    made.tasks = tasks;
    *out = made;
    return 0;
}
