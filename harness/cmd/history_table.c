/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a history's table. */
#include "cmd/history_table.h"

#include "base/buf.h"
#include "cmd/table.h"
#include "stats/interval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SERIES, SESSIONS, LEVEL, CHANGES, ALARM, SHIFT, P, Q, POWER_5, POWER_10, N_COLUMNS };

struct maker {
    double delta;
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

static int fill(struct maker *m, const struct tare_history_found *f, struct tare_table_cell *to,
                struct tare_err *err)
{
    const struct tare_history_series *s = f->series;
    const struct tare_changes *c = &f->changes;
    const struct tare_alarm *a = &f->alarm;
    double *scratch = malloc((s->n + 1) * sizeof *scratch);
    if (!scratch) {
        return tare_err_set(err, TARE_E_NOMEM, "history: out of memory");
    }
    to[SERIES] = text(m, s->key);
    to[SESSIONS] = number((double)s->n, "sessions", s->n, 0);
    to[LEVEL] = level_of(s, c->n ? c->list[c->n - 1].at : 0, scratch);
    to[CHANGES] = changes_of(m, s, c);
    to[ALARM] = text(m, tare_alarm_text(a->state));
    to[SHIFT] = number(100 * expm1(a->shift), "%", a->n, 2);
    to[P] = number(a->p, "1", a->n, 5);
    to[Q] = number(a->q, "1", a->n, 5);
    to[POWER_5] = number(100 * tare_history_power(a, m->delta, 0.05), "%", a->n, 1);
    to[POWER_10] = number(100 * tare_history_power(a, m->delta, 0.10), "%", a->n, 1);
    free(scratch);
    return 0;
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
    [Q] = {.key = "q",
           .header = "Adjusted",
           .unit = "1",
           .help = "p of the first session off, adjusted for all series of this report"},
    [POWER_5] = {.key = "power_5", .header = "Power at 5 %", .unit = "%", .help = "that both stages find it"},
    [POWER_10] = {
        .key = "power_10", .header = "Power at 10 %", .unit = "%", .help = "that both stages find it"}};

int tare_history_table_write(const struct tare_history_found *found, size_t n, double delta,
                             const char *format, const char *path, struct tare_arena *arena,
                             struct tare_err *err)
{
    static const char *const notes[] = {
        "One value a session (a run: the median of its repeats). Another processor, microcode, kernel, model "
        "or build type begins another series.",
        "Changes: the cheapest cut into levels and lines, confirmed by ranks at p 0.001 or less; found "
        "looking back.",
        "Alarm: suspect with p below 0.01 and a shift beyond delta; confirmed by the next session with p "
        "below 0.05. Over all series Benjamini and Hochberg take back what is not below 0.05 when adjusted. "
        "The power is that of a series alone."};
    struct maker m = {delta, arena, false};
    struct tare_table_cell *cells = tare_arena_array(arena, n * N_COLUMNS + 1, sizeof *cells);
    int r = cells ? 0 : tare_err_set(err, TARE_E_NOMEM, "history: out of memory");
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = fill(&m, &found[i], cells + i * N_COLUMNS, err);
    }
    struct tare_table table = {.title = "History",
                               .caption = "Reports only: nothing here fails a build.",
                               .n_columns = N_COLUMNS,
                               .n_rows = n,
                               .columns = columns,
                               .cells = cells,
                               .n_notes = sizeof notes / sizeof *notes,
                               .notes = notes};
    r = r == 0 && m.failed ? tare_err_set(err, TARE_E_NOMEM, "history: out of memory") : r;
    return r == 0 ? tare_table_write(&table, format, path, err) : r;
}
