/* SPDX-License-Identifier: Apache-2.0 */
/* What a view makes of a survey table. Finds no figures and ranks nothing. */
#include "reports/view/table.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <tare/json.h>

static bool matches(const char *pattern, const char *text)
{
    return !pattern || fnmatch(pattern, text, 0) == 0;
}

static int choose_cells(const struct tare_view *view, struct tare_report_input *input,
                        struct tare_arena *arena)
{
    struct tare_report_cell *cells = tare_arena_array(arena, input->n_cells + 1, sizeof *cells);
    size_t n = 0;
    for (size_t i = 0; cells && i < input->n_cells; i++) {
        const struct tare_report_cell *c = &input->cells[i];
        if (matches(view->model, c->model) && matches(view->technique, c->technique) &&
            matches(view->task, c->task)) {
            cells[n++] = *c;
        }
    }
    input->cells = cells;
    input->n_cells = n;
    return cells ? 0 : -1;
}

int tare_view_choose(const struct tare_view *view, struct tare_report_input *input, struct tare_arena *arena)
{
    if (!view) {
        return 0;
    }
    if (view->n_columns > 0) {
        const char **columns = tare_arena_array(arena, view->n_columns, sizeof *columns);
        for (size_t i = 0; columns && i < view->n_columns; i++) {
            columns[i] = view->columns[i].pattern;
        }
        input->columns = columns;
        input->n_columns = columns ? view->n_columns : 0;
        if (!columns) {
            return -1;
        }
    }
    return choose_cells(view, input, arena);
}

bool tare_view_is_below(const char *tag, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(tag, prefix, n) == 0 && (tag[n] == '\0' || strchr(".{+ ", tag[n]));
}

void tare_view_architecture(const struct tare_report_cell *cell, char *out, size_t n_out)
{
    struct tare_json *facts = NULL;
    struct tare_err ignored = {0};
    int r = cell->facts ? tare_json_parse(cell->facts, strlen(cell->facts), "facts", &facts, &ignored) : -1;
    const char *arch = r == 0 ? tare_json_str(tare_json_get(facts, "arch")) : NULL;
    (void)snprintf(out, n_out, "%s", arch ? arch : "");
    tare_json_destroy(facts);
}

static size_t find_group(const struct tare_view *view, const char *tag)
{
    for (size_t i = 0; i < view->n_groups; i++) {
        if (tare_view_is_below(tag, view->groups[i].prefix)) {
            return i;
        }
    }
    return view->n_groups;
}

/* An untreated model of an attention-free architecture is that architecture's row, not a baseline's. */
static size_t architecture_group(const struct tare_view *view, const struct tare_report_cell *cell)
{
    static const char *const attention_free[] = {"rwkv", "h3", "hyena", "retnet", "mamba"};
    char arch[40], tag[80];
    tare_view_architecture(cell, arch, sizeof arch);
    for (size_t i = 0; i < sizeof attention_free / sizeof *attention_free; i++) {
        if (strncmp(arch, attention_free[i], strlen(attention_free[i])) == 0) {
            (void)snprintf(tag, sizeof tag, "arch.attention-free.%s", attention_free[i]);
            size_t group = find_group(view, tag);
            return group < view->n_groups ? group : find_group(view, "arch.nontransformer.other");
        }
    }
    return view->n_groups;
}

size_t tare_view_group_of(const struct tare_view *view, const struct tare_report_cell *cell)
{
    const char *tag = cell->tag ? cell->tag : cell->technique;
    if (!view || view->n_groups == 0) {
        return 0;
    }
    size_t group = strcmp(tag, "baseline") == 0 ? architecture_group(view, cell) : view->n_groups;
    return group < view->n_groups ? group : find_group(view, tag);
}

/* What the view says of the column; NULL: nothing. */
static const struct tare_view_column *said_of(const struct tare_view *view,
                                              const struct tare_survey_column *column)
{
    return view && column->asked < view->n_columns ? &view->columns[column->asked] : NULL;
}

void tare_view_dress_column(const struct tare_view *view, const struct tare_survey_column *column,
                            struct tare_table_column *to)
{
    const struct tare_view_column *said = said_of(view, column);
    if (!said) {
        return;
    }
    to->header = said->header ? said->header : to->header;
    to->unit = said->unit ? said->unit : to->unit;
    if (said->better) {
        to->better = strcmp(said->better, "higher") == 0  ? TARE_BETTER_HIGHER
                     : strcmp(said->better, "lower") == 0 ? TARE_BETTER_LOWER
                                                          : TARE_BETTER_NONE;
    }
}

/* A quotient without an interval of the nominal level, or in doubt, is not shown: nobody could tell a
 * speed-up from noise. In brackets there is no room for a kind, so that it is at least as strong as the
 * value's. */
static void add_ratio(const struct tare_report_cell *cell, const char *figure, struct tare_quantity *q)
{
    const struct tare_figure *f = tare_report_figure(cell, figure);
    bool known = f && !f->absent && isfinite(f->low) && isfinite(f->high) && f->level >= 0.95;
    if (known && f->kind <= (int)q->kind && !tare_survey_is_doubtful(f->flags)) {
        q->ratio = f->value;
        q->ratio_low = f->low;
        q->ratio_high = f->high;
    }
}

void tare_view_dress_cell(const struct tare_view *view, const struct tare_survey_column *column,
                          const struct tare_report_cell *cell, struct tare_table_cell *to)
{
    const struct tare_view_column *said = said_of(view, column);
    if (!said || to->type != TARE_CELL_QUANTITY) {
        return;
    }
    to->q.decimals = said->decimals >= 0 ? said->decimals : to->q.decimals;
    to->q.display_scale = said->scale > 0 ? said->scale : to->q.display_scale;
    if (said->ratio) {
        add_ratio(cell, said->ratio, &to->q);
    }
}

/* Is the word one of a comma-separated list? */
static bool holds(const char *list, const char *word, size_t n)
{
    for (const char *at = list; at && *at; at += strcspn(at, ","), at += *at == ',') {
        if (strcspn(at, ",") == n && strncmp(at, word, n) == 0) {
            return true;
        }
    }
    return false;
}

const char *tare_view_join_flags(struct tare_arena *arena, const char *x, const char *y)
{
    size_t used = x ? strlen(x) : 0, most = used + (y ? strlen(y) : 0) + 2;
    char *to = tare_arena_take(arena, most);
    if (!to) {
        return NULL;
    }
    (void)snprintf(to, most, "%s", x ? x : "");
    for (const char *at = y; at && *at; at += strcspn(at, ","), at += *at == ',') {
        size_t n = strcspn(at, ",");
        if (n > 0 && !holds(to, at, n)) {
            (void)snprintf(to + used, most - used, "%s%.*s", used ? "," : "", (int)n, at);
            used = strlen(to);
        }
    }
    return to;
}
