/* SPDX-License-Identifier: Apache-2.0 */
/* The comparison as a table: what each side has, B against A, p, word. Decides nothing. */
#include "compare.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum column {
    TASK,
    FIGURE,
    WORD,
    AGAINST,
    NEEDED,
    SIDE_A,
    SIDE_B,
    PAIRS,
    FLIPS,
    LOST,
    WON,
    P,
    P_ADJUSTED,
    N_COLUMNS
};

struct maker {
    struct tare_arena *arena;
    bool failed;
};

static const char *text_of(struct maker *m, const char *format, ...) __attribute__((format(printf, 2, 3)));

static const char *text_of(struct maker *m, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *copy = tare_arena_copy(m->arena, text, strlen(text) + 1);
    m->failed = m->failed || !copy;
    return copy ? copy : "";
}

static struct tare_table_cell text(const char *what)
{
    return (struct tare_table_cell){.type = TARE_CELL_TEXT, .text = what};
}

static struct tare_table_cell absent(const char *why)
{
    return (struct tare_table_cell){.type = TARE_CELL_ABSENT,
                                    .mark = "-",
                                    .text = why ? why : "no such notion",
                                    .outcome = TARE_CELL_MISSING};
}

/* Five digits that say something, whatever the unit. */
static int decimals_of(double value)
{
    double digits = value != 0 ? 4 - floor(log10(fabs(value))) : 0;
    return (int)fmin(fmax(digits, 0), 9);
}

static struct tare_table_cell side(const struct tare_figure *f)
{
    if (!f || f->absent) {
        return absent(f ? f->absent : "not derived");
    }
    struct tare_quantity q = {.value = f->value,
                              .unit = f->unit,
                              .kind = (enum tare_kind)f->kind,
                              .source = f->source,
                              .scope = f->scope,
                              .n = f->n,
                              .n_what = f->n_what,
                              .has_interval = isfinite(f->low) && isfinite(f->high),
                              .low = f->low,
                              .high = f->high,
                              .level = isfinite(f->level) ? f->level : 0,
                              .method = f->method,
                              .flags = f->flags,
                              .decimals = decimals_of(f->value)};
    q.exact = q.has_interval && q.low == q.value && q.high == q.value && q.level >= 1;
    return (struct tare_table_cell){.type = TARE_CELL_QUANTITY, .q = q};
}

static const char *pairs_of(const struct tare_compare_row *row)
{
    return row->pairing == TARE_COMPARE_ITEMS    ? "items"
           : row->pairing == TARE_COMPARE_BLOCKS ? "blocks"
                                                 : "count";
}

static struct tare_table_cell against(const struct tare_compare_row *row, const struct tare_compare_result *r)
{
    bool difference = row->pairing == TARE_COMPARE_ITEMS && row->proportion;
    if (!isfinite(r->estimate)) {
        return absent(r->why);
    }
    struct tare_quantity q = {.value = r->estimate,
                              .unit = difference ? "1" : "x",
                              .kind = row->kind,
                              .source = difference ? "B - A, same items" : "B / A",
                              .scope = "pair",
                              .n = (int64_t)row->n,
                              .n_what = pairs_of(row),
                              .has_interval = r->interval.ok,
                              .low = r->interval.low,
                              .high = r->interval.high,
                              .level = r->interval.level,
                              .method = r->interval.method ? r->interval.method : "",
                              .flags = row->doubt ? "DOUBTFUL" : "",
                              .decimals = 4,
                              .exact = row->pairing == TARE_COMPARE_EXACT};
    return (struct tare_table_cell){.type = TARE_CELL_QUANTITY, .q = q};
}

/* A number that is exact given the data: a p, a share, a count. */
static struct tare_table_cell number(double value, const char *unit, int decimals, const char *why)
{
    if (!isfinite(value)) {
        return absent(why);
    }
    struct tare_quantity q = {.value = value,
                              .unit = unit,
                              .kind = TARE_KIND_COUNTED,
                              .source = "pairs",
                              .scope = "pair",
                              .n_what = "pairs",
                              .flags = "",
                              .decimals = decimals,
                              .exact = true};
    return (struct tare_table_cell){.type = TARE_CELL_QUANTITY, .q = q};
}

static const char *word_of(struct maker *m, const struct tare_compare_row *row,
                           const struct tare_compare_result *r, const struct tare_compare_options *o)
{
    bool points = row->pairing == TARE_COMPARE_ITEMS && row->proportion;
    double margin = row->pairing == TARE_COMPARE_ITEMS ? o->quality_margin : o->margin;
    if (r->word == TARE_WORD_EQUIVALENT) {
        return row->pairing == TARE_COMPARE_EXACT
                   ? "equivalent (identical)"
                   : text_of(m, "equivalent (+-%g %s)", 100 * margin, points ? "points" : "%");
    }
    return tare_word_text(r->word);
}

static void fill(struct maker *m, const struct tare_compare_row *row, const struct tare_compare_result *r,
                 const struct tare_compare_options *o, struct tare_table_cell *to)
{
    const char *none = r->why ? r->why : "an exact comparison has none";
    static const char no_answers[] = "not a matter of right and wrong answers";
    to[TASK] = text(row->task);
    to[FIGURE] = text(row->figure);
    to[SIDE_A] = side(row->a_figure);
    to[SIDE_B] = side(row->b_figure);
    to[AGAINST] = against(row, r);
    to[P] = number(r->p, "1", 5, none);
    to[P_ADJUSTED] = number(r->p_adjusted, "1", 5, row->doubt ? row->doubt : none);
    to[FLIPS] = number(r->flips, "1", 4, no_answers);
    to[LOST] = number(r->lost, "items", 0, no_answers);
    to[WON] = number(r->won, "items", 0, no_answers);
    to[PAIRS] = text(text_of(m, "%zu %s", row->n, pairs_of(row)));
    to[WORD] = text(word_of(m, row, r, o));
    bool open = r->word == TARE_WORD_UNDECIDED && !row->doubt && row->better != TARE_BETTER_NONE;
    to[NEEDED] = number(open ? r->needed : (double)NAN, pairs_of(row), 0,
                        r->why                           ? r->why
                        : r->word == TARE_WORD_UNDECIDED ? none
                                                         : "decided");
}

static void describe(struct maker *m, const char *a, const char *b, struct tare_table_column *to)
{
    to[TASK] = (struct tare_table_column){.key = "task", .header = "Task"};
    to[FIGURE] = (struct tare_table_column){.key = "figure", .header = "Figure"};
    to[SIDE_A] = (struct tare_table_column){.key = "a", .header = text_of(m, "A: %s", a)};
    to[SIDE_B] = (struct tare_table_column){.key = "b", .header = text_of(m, "B: %s", b)};
    to[AGAINST] = (struct tare_table_column){.key = "b_against_a",
                                             .header = "B against A",
                                             .help = "ratio B / A, or difference B - A in points of quality"};
    to[P] = (struct tare_table_column){
        .key = "p", .header = "p", .unit = "1", .help = "two-sided, of no difference"};
    to[P_ADJUSTED] = (struct tare_table_column){.key = "p_adjusted",
                                                .header = "p adjusted",
                                                .unit = "1",
                                                .help = "Benjamini-Hochberg over the table"};
    to[FLIPS] = (struct tare_table_column){
        .key = "flips", .header = "Flips", .unit = "1", .help = "share of items answered otherwise"};
    to[LOST] =
        (struct tare_table_column){.key = "lost", .header = "Lost", .help = "items that A alone has right"};
    to[WON] =
        (struct tare_table_column){.key = "won", .header = "Won", .help = "items that B alone has right"};
    to[PAIRS] = (struct tare_table_column){.key = "pairs", .header = "Pairs"};
    to[WORD] = (struct tare_table_column){
        .key = "word", .header = "B is", .help = "better, worse, equivalent, undecided"};
    to[NEEDED] =
        (struct tare_table_column){.key = "needed",
                                   .header = "Would decide",
                                   .help = "blocks or items, if estimate and spread stay as they are"};
}

static const char *const *make_notes(struct maker *m, const struct tare_compare_options *o, size_t *n)
{
    const char **notes = tare_arena_array(m->arena, 4, sizeof *notes);
    if (!notes) {
        m->failed = true;
        return NULL;
    }
    notes[(*n)++] =
        "Ratios: paired by block on the log scale, Hodges-Lehmann estimate, exact signed-rank interval.";
    notes[(*n)++] =
        "Quality: paired by item; right or wrong answers by McNemar's exact test, others by the linearised "
        "ratio of sums.";
    notes[(*n)++] =
        text_of(m,
                "Words need p adjusted over the table (Benjamini-Hochberg) of at most %g; equivalent: two "
                "one-sided tests within +-%g %% (quality: %g points or %%).",
                o->alpha, 100 * o->margin, 100 * o->quality_margin);
    return notes;
}

int tare_compare_table(const struct tare_compare_row *rows, const struct tare_compare_result *results,
                       size_t n, const struct tare_compare_options *options, const char *name_a,
                       const char *name_b, const char *caption, struct tare_arena *arena,
                       struct tare_table *out, struct tare_err *err)
{
    struct maker m = {.arena = arena};
    struct tare_table_column *columns = tare_arena_array(arena, N_COLUMNS, sizeof *columns);
    struct tare_table_cell *cells = tare_arena_array(arena, n * N_COLUMNS + 1, sizeof *cells);
    if (!columns || !cells) {
        return tare_err_set(err, TARE_E_NOMEM, "compare: out of memory");
    }
    memset(columns, 0, N_COLUMNS * sizeof *columns);
    describe(&m, name_a, name_b, columns);
    for (size_t i = 0; i < n; i++) {
        fill(&m, &rows[i], &results[i], options, cells + i * N_COLUMNS);
    }
    struct tare_table table = {.title = text_of(&m, "%s against %s", name_b, name_a),
                               .caption = caption,
                               .n_columns = N_COLUMNS,
                               .n_rows = n,
                               .columns = columns,
                               .cells = cells};
    table.notes = make_notes(&m, options, &table.n_notes);
    if (m.failed) {
        return tare_err_set(err, TARE_E_NOMEM, "compare: out of memory");
    }
    *out = table;
    return 0;
}
