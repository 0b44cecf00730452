/* SPDX-License-Identifier: Apache-2.0 */
/* `tare history`: change points and alarms over many runs. A report: it never fails a build. */
#include "cmd/cmd.h"

#include "base/buf.h"
#include "cmd/history_load.h"
#include "cmd/table.h"
#include "stats/changes.h"
#include "stats/history.h"
#include "stats/interval.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct history_options {
    char *db;
    char *csv;
    char *figure;
    double min_shift;
    double delta;
    char *format;
    char *output;
};

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct history_options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, db), .unit = TARE_OPT_REPEATABLE, .help = "a further database of the same history"},
    {MEMBER(TARE_OPT_STR, csv),
     .help = "a CSV file with a column value instead, and perhaps series, time, commit"},
    {MEMBER(TARE_OPT_STR, figure), .unit = TARE_OPT_REPEATABLE,
     .help = "figure to follow instead of the usual ones"},
    {MEMBER(TARE_OPT_F64, min_shift), .def = "0.01", .help = "smallest step that is a change, as a share"},
    {MEMBER(TARE_OPT_F64, delta), .def = "0.02", .help = "smallest step that raises an alarm, as a share"},
    {MEMBER(TARE_OPT_STR, format), .def = "term", .help = "any format of 'tare report'"},
    {MEMBER(TARE_OPT_STR, output), .help = "file to write; standard output without it"},
    TARE_OPT_END};

enum { SERIES, SESSIONS, LEVEL, CHANGES, ALARM, SHIFT, P, POWER_5, POWER_10, N_COLUMNS };

struct maker {
    const struct history_options *o;
    struct tare_arena *arena;
    bool failed;
};

static struct tare_table_cell text(struct maker *m, const char *what)
{
    const char *copy = tare_arena_copy(m->arena, what, strlen(what) + 1);
    m->failed = m->failed || !copy;
    return (struct tare_table_cell){.type = TARE_CELL_TEXT, .text = copy};
}

static struct tare_table_cell number(double value, const char *unit, size_t n, int decimals)
{
    if (!isfinite(value)) {
        return (struct tare_table_cell){.type = TARE_CELL_ABSENT,
                                        .mark = "-",
                                        .outcome = TARE_CELL_MISSING,
                                        .text = "fewer than 11 sessions since the last change"};
    }
    struct tare_quantity q = {.value = value,
                              .unit = unit,
                              .kind = TARE_KIND_COUNTED,
                              .source = "sessions",
                              .scope = "series",
                              .n = (int64_t)n,
                              .n_what = "sessions",
                              .flags = "",
                              .decimals = decimals,
                              .exact = true};
    return (struct tare_table_cell){.type = TARE_CELL_QUANTITY, .q = q};
}

/* "at NAME (builds): +5.1 % [4.2, 6.0], or 2 before to 1 behind; ..." */
static struct tare_table_cell changes_of(struct maker *m, const struct tare_history_series *s,
                                         const struct tare_changes *c)
{
    struct tare_buf all;
    tare_buf_init(&all, 1 << 20);
    for (size_t i = 0; i < c->n; i++) {
        const struct tare_change *one = &c->list[i];
        const struct tare_session *before = &s->list[one->at - 1], *at = &s->list[one->at];
        tare_buf_printf(&all, "%sat %s%s%s%s: %+.2f %%", i ? "; " : "", at->name, *at->build ? " (" : "",
                        at->build, *at->build ? ")" : "", 100 * expm1(one->shift));
        if (isfinite(one->low) && isfinite(one->high)) {
            tare_buf_printf(&all, " [%.2f, %.2f]", 100 * expm1(one->low), 100 * expm1(one->high));
        }
        tare_buf_printf(&all, ", p %.1e, behind %s, perhaps %zu earlier to %zu later", one->p, before->name,
                        one->at - one->earliest, one->latest - one->at);
    }
    struct tare_table_cell cell = text(m, c->n ? tare_buf_str(&all) : "none");
    m->failed = m->failed || tare_buf_check(&all, "history", NULL) < 0;
    tare_buf_fini(&all);
    return cell;
}

/* Median of the sessions since the last change, with its interval. Sorts a copy. */
static struct tare_table_cell level_of(const struct tare_history_series *s, size_t from, double *scratch)
{
    size_t n = s->n - from;
    for (size_t i = 0; i < n; i++) {
        scratch[i] = s->list[from + i].value;
    }
    tare_sort(scratch, n);
    struct tare_interval range = tare_median_interval(scratch, n, 0.95);
    struct tare_quantity q = {.value = tare_quantile(scratch, n, 0.5),
                              .unit = s->unit,
                              .kind = (enum tare_kind)s->kind,
                              .source = "figures of the sessions",
                              .scope = "series",
                              .n = (int64_t)n,
                              .n_what = "sessions",
                              .has_interval = range.ok,
                              .low = range.low,
                              .high = range.high,
                              .level = range.level,
                              .method = range.method ? range.method : "",
                              .flags = "",
                              .decimals = 6};
    return (struct tare_table_cell){.type = TARE_CELL_QUANTITY, .q = q};
}

static int fill(struct maker *m, const struct tare_history_series *s, struct tare_table_cell *to,
                struct tare_err *err)
{
    struct tare_changes c;
    struct tare_alarm alarm;
    double *logs = malloc(2 * s->n * sizeof *logs);
    if (!logs) {
        return tare_err_set(err, TARE_E_NOMEM, "history: out of memory");
    }
    for (size_t i = 0; i < s->n; i++) {
        logs[i] = log(s->list[i].value);
    }
    int r = tare_changes_find(logs, s->n, log1p(m->o->min_shift), &c, err);
    if (r == 0) {
        size_t level = c.n ? c.list[c.n - 1].at : 0;
        tare_history_alarm(logs, s->n, level, m->o->delta, &alarm);
        to[SERIES] = text(m, s->key);
        to[SESSIONS] = number((double)s->n, "sessions", s->n, 0);
        to[LEVEL] = level_of(s, level, logs + s->n);
        to[CHANGES] = changes_of(m, s, &c);
        to[ALARM] = text(m, tare_alarm_text(alarm.state));
        to[SHIFT] = number(100 * expm1(alarm.shift), "%", alarm.n, 2);
        to[P] = number(alarm.p, "1", alarm.n, 5);
        to[POWER_5] = number(100 * tare_history_power(&alarm, m->o->delta, 0.05), "%", alarm.n, 1);
        to[POWER_10] = number(100 * tare_history_power(&alarm, m->o->delta, 0.10), "%", alarm.n, 1);
        free(c.list);
    }
    free(logs);
    return r;
}

static const struct tare_table_column columns[N_COLUMNS] = {
    [SERIES] = {.key = "series", .header = "Series", .help = "what is alike in all sessions"},
    [SESSIONS] = {.key = "sessions", .header = "Sessions", .unit = "sessions"},
    [LEVEL] = {.key = "level", .header = "Level now", .help = "median since the last change"},
    [CHANGES] = {.key = "changes", .header = "Changes"},
    [ALARM] = {.key = "alarm", .header = "Newest session", .help = "none, suspect or confirmed"},
    [SHIFT] = {.key = "shift",
               .header = "Shift",
               .unit = "%",
               .help = "of the newest session against the level"},
    [P] = {.key = "p", .header = "p", .unit = "1", .help = "robust, two-sided"},
    [POWER_5] = {.key = "power_5", .header = "Power at 5 %", .unit = "%", .help = "that both stages find it"},
    [POWER_10] = {
        .key = "power_10", .header = "Power at 10 %", .unit = "%", .help = "that both stages find it"}};

static int print(const struct history_options *o, bool json, struct tare_histories *h, struct tare_err *err)
{
    static const char *const notes[] = {
        "One value a session (a run: the median of its repeats). Another processor, microcode, kernel, model "
        "or build "
        "type begins another series.",
        "Changes: the cheapest cut into levels and lines, confirmed by ranks at p 0.001 or less; found "
        "looking back.",
        "Alarm: suspect with p below 0.01 and a shift beyond delta; confirmed by the next session with p "
        "below 0.05. "
        "p is of each series alone: of many series some are suspect by chance."};
    struct maker m = {o, &h->arena, false};
    struct tare_table_cell *cells = tare_arena_array(&h->arena, h->n * N_COLUMNS + 1, sizeof *cells);
    int r = cells ? 0 : tare_err_set(err, TARE_E_NOMEM, "history: out of memory");
    for (size_t i = 0; r == 0 && i < h->n; i++) {
        r = fill(&m, &h->list[i], cells + i * N_COLUMNS, err);
    }
    struct tare_table table = {.title = "History",
                               .caption = "Reports only: nothing here fails a build.",
                               .n_columns = N_COLUMNS,
                               .n_rows = h->n,
                               .columns = columns,
                               .cells = cells,
                               .n_notes = sizeof notes / sizeof *notes,
                               .notes = notes};
    r = r == 0 && m.failed ? tare_err_set(err, TARE_E_NOMEM, "history: out of memory") : r;
    return r == 0 ? tare_table_write(&table, json ? "json" : o->format, o->output, err) : r;
}

/* The lines of a repeatable option, NULL-terminated, in the arena; NULL for none. */
static const char **lines_of(char *list, struct tare_arena *arena)
{
    size_t n = 2, used = 0;
    for (const char *c = list; c && *c; c++) {
        n += *c == '\n';
    }
    const char **lines = list ? tare_arena_array(arena, n, sizeof *lines) : NULL;
    for (char *rest = list, *line; lines && (line = strsep(&rest, "\n")) != NULL;) {
        lines[used++] = line;
        lines[used] = NULL;
    }
    return lines;
}

static int load(const struct history_options *o, const struct tare_command_args *args,
                struct tare_histories *h, struct tare_err *err)
{
    const char **wanted = lines_of(o->figure, &h->arena), **more = lines_of(o->db, &h->arena);
    int r = o->csv ? tare_history_add_csv(h, o->csv, err) : 0;
    bool default_db = !o->csv && args->n_words == 0 && !more;
    if (default_db) {
        r = tare_history_add_database(h, "tare.db", wanted, err);
    }
    for (int i = 0; r == 0 && i < args->n_words; i++) {
        r = tare_history_add_database(h, args->words[i], wanted, err);
    }
    for (size_t i = 0; r == 0 && more && more[i]; i++) {
        r = tare_history_add_database(h, more[i], wanted, err);
    }
    return r == 0 && h->n == 0
               ? tare_err_set(err, TARE_E_USAGE, "history: no session of a VALID cell has such a figure")
               : r;
}

static int history(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    const struct history_options *o = opts;
    struct tare_histories h = {.n = 0};
    int r = o->min_shift > 0 && o->delta > 0
                ? load(o, args, &h, err)
                : tare_err_set(err, TARE_E_USAGE, "history: --min-shift and --delta lie above 0");
    if (r == 0) {
        tare_history_order(&h);
        r = print(o, args->json, &h, err);
    }
    tare_history_free(&h);
    return r;
}

const struct tare_command tare_command_history = {
    .name = "history",
    .summary = "change points and alarms over many runs",
    .arguments = "[DB]",
    .text =
        "Every run is a session with one value of each figure. Sessions on the same processor, microcode and "
        "kernel "
        "with the same model make a series. Its changes are found looking back; the newest session is held "
        "against those since the last change, and an alarm needs a second, independent session. Beside it "
        "stands "
        "how likely a 5 % or 10 % change would have been found.\n\n"
        "A history says what happened between sessions; it cannot tell a change of the code from one of the "
        "machine's "
        "state, and never fails a build: 'tare check' does.",
    .max_words = 1,
    .options_size = sizeof(struct history_options),
    .options = options,
    .run = history};
