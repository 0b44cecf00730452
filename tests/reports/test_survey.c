/* SPDX-License-Identifier: Apache-2.0 */
/* Which columns a survey has, what never shares one, and what is never called best. */
#include "reports/view/survey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { max_models = 3, max_figures = 4 };

static struct tare_figure figures[max_models][max_figures];
static struct tare_report_cell cells[max_models];
static struct tare_survey survey;

static struct tare_figure figure(const char *name, double value, int kind, const char *scope)
{
    return (struct tare_figure){.name = name,
                                .value = value,
                                .unit = "J/tok",
                                .kind = kind,
                                .source = "a meter",
                                .scope = scope,
                                .n = 6,
                                .n_what = "repeats",
                                .low = 0.99 * value,
                                .high = 1.01 * value,
                                .level = 0.969,
                                .method = "order statistics"};
}

static struct tare_figure missing(const char *name, const char *why)
{
    struct tare_figure f = figure(name, (double)NAN, TARE_KIND_MEASURED, "none");
    f.absent = why;
    return f;
}

static void build(size_t n_models, size_t n_figures)
{
    static const char *const names[] = {"a", "b", "c"};
    struct tare_err err = {0};
    for (size_t i = 0; i < n_models; i++) {
        cells[i] = (struct tare_report_cell){.model = names[i],
                                             .backend = "x",
                                             .technique = "baseline",
                                             .task = "t",
                                             .scenario = "single",
                                             .tokenizer = "same",
                                             .verdict = "VALID",
                                             .figures = figures[i],
                                             .n_figures = n_figures};
    }
    struct tare_report_input in = {.title = "t", .caption = "c", .cells = cells, .n_cells = n_models};
    assert_int_equal(tare_survey_build(&in, NULL, &survey, &err), 0);
}

/* The column of that key, or -1. */
static int column(const char *key)
{
    for (size_t i = 0; i < survey.table.n_columns; i++) {
        if (strcmp(survey.table.columns[i].key, key) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static const struct tare_table_cell *cell(size_t row, const char *key)
{
    assert_true(column(key) >= 0);
    return &survey.table.cells[row * survey.table.n_columns + (size_t)column(key)];
}

/* Readers must see that energy is missing, and why. */
static void test_always_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        figures[i][0] = missing("energy_per_tok", "no energy meter works here");
        figures[i][1] = missing("energy_modelled_per_tok", "not asked for");
        figures[i][2] = missing("cost_per_mtok", "no prices were declared");
    }
    build(2, 3);
    assert_int_equal(cell(1, "energy_per_tok@t")->type, TARE_CELL_ABSENT);
    assert_string_equal(cell(1, "energy_per_tok@t")->text, "no energy meter works here");
    assert_int_equal(column("energy_modelled_per_tok@t"), -1);
    assert_int_equal(column("cost_per_mtok@t"), -1);
    tare_survey_fini(&survey);
}

/* What another program reports is better or worse than what was measured here for nobody: the numbers share a
 * column and no ranking, whichever is larger, and none of the same name from another field or program. */
static void test_imported_apart(void **state)
{
    static const struct {
        double reported;
        const char *source;
    } rows[] = {
        {0.5, "vllm bench: output_throughput"}, {2.0, "vllm bench: output_throughput"}, {2.0, "a meter"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t k = 0; k < 2; k++) {
            figures[k][0] = figure("token_throughput", 1, TARE_KIND_MEASURED, "process");
        }
        figures[1][0].value = rows[i].reported;
        figures[1][0].low = 0.99 * rows[i].reported;
        figures[1][0].high = 1.01 * rows[i].reported;
        figures[1][0].kind = TARE_KIND_REPORTED;
        figures[1][0].source = rows[i].source;
        (void)snprintf(figures[1][0].flags, sizeof figures[1][0].flags, "IMPORTED");
        build(2, 1);
        assert_false(cell(0, "token_throughput@t")->q.best);
        assert_false(cell(1, "token_throughput@t")->q.best);
        assert_string_equal(cell(1, "token_throughput@t")->q.flags, "IMPORTED");
        assert_int_equal(survey.table.n_notes, 1); /* which says what the flag means */
        tare_survey_fini(&survey);
    }
}

/* What is measured can be best; what is modelled or declared cannot, whatever its interval says. */
static void test_never_ranked(void **state)
{
    static const struct {
        const char *name;
        int kind;
        const char *flags;
        bool best;
    } rows[] = {
        {"energy_per_tok", TARE_KIND_MEASURED, "", true},
        {"energy_per_tok", TARE_KIND_MEASURED, "NEVER_RANKED", false},
        {"energy_per_tok", TARE_KIND_MODELLED, "", false},
        {"energy_per_tok", TARE_KIND_DECLARED, "", false},
        {"energy_modelled_per_tok", TARE_KIND_MODELLED, "", false},
        {"carbon_per_tok", TARE_KIND_MODELLED, "", false},
        {"cost_per_mtok", TARE_KIND_MODELLED, "", false},
        {"token_throughput", TARE_KIND_DECLARED, "", false},
        {"token_throughput", TARE_KIND_MEASURED, "", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t k = 0; k < 2; k++) {
            figures[k][0] = figure(rows[i].name, 1 + (double)k, rows[i].kind, "package");
            (void)snprintf(figures[k][0].flags, sizeof figures[k][0].flags, "%s", rows[i].flags);
        }
        build(2, 1);
        char key[64];
        (void)snprintf(key, sizeof key, "%s@t", rows[i].name);
        bool best = cell(0, key)->q.best || cell(1, key)->q.best;
        if (best != rows[i].best) {
            fail_msg("row %zu: %s", i, best ? "ranked" : "not ranked");
        }
        tare_survey_fini(&survey);
    }
}

/* A measured and a modelled value, or a wall and a package, are never in one column. */
static void test_split(void **state)
{
    (void)state;
    figures[0][0] = figure("energy_per_tok", 1, TARE_KIND_MEASURED, "package");
    figures[1][0] = figure("energy_per_tok", 2, TARE_KIND_MODELLED, "package");
    figures[2][0] = figure("energy_per_tok", 3, TARE_KIND_MEASURED, "wall");
    build(3, 1);
    static const char *const keys[] = {"energy_per_tok@t#read#package", "energy_per_tok@t#modelled#package",
                                       "energy_per_tok@t#read#wall"};
    for (size_t row = 0; row < 3; row++) {
        for (size_t k = 0; k < 3; k++) {
            const struct tare_table_cell *c = cell(row, keys[k]);
            assert_int_equal(c->type, row == k ? TARE_CELL_QUANTITY : TARE_CELL_ABSENT);
            assert_true(row == k || strstr(c->text, "another kind or scope"));
            assert_true(row != k || c->q.value == 1 + (double)row);
        }
    }
    assert_non_null(strstr(survey.table.columns[column(keys[1])].header, "modelled or declared"));
    assert_non_null(strstr(survey.table.columns[column(keys[2])].header, "wall"));
    assert_int_equal(column("energy_per_tok@t"), -1);
    tare_survey_fini(&survey);
    figures[2][0] = figure("energy_per_tok", 3, TARE_KIND_MEASURED, "package");
    figures[1][0] = figure("energy_per_tok", 3, TARE_KIND_MEASURED, "package");
    build(3, 1);
    assert_true(column("energy_per_tok@t") >= 0);
    tare_survey_fini(&survey);
    /* any figure: read ones apart from declared ones */
    figures[0][0] = figure("peak_rss", 1, TARE_KIND_MEASURED, "process");
    figures[1][0] = figure("peak_rss", 2, TARE_KIND_DECLARED, "process");
    build(2, 1);
    assert_int_equal(cell(1, "peak_rss@t#read")->type, TARE_CELL_ABSENT);
    assert_int_equal(cell(1, "peak_rss@t#modelled")->type, TARE_CELL_QUANTITY);
    tare_survey_fini(&survey);
}

/* The currency is the unit of a column of money. */
static void test_currency(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        figures[k][0] = figure("cost_per_mtok", 1 + (double)k, TARE_KIND_MODELLED, "process");
        figures[k][0].unit = "EUR/Mtok";
    }
    build(2, 1);
    assert_string_equal(survey.table.columns[column("cost_per_mtok@t")].unit, "EUR/Mtok");
    tare_survey_fini(&survey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_always_there), cmocka_unit_test(test_imported_apart),
        cmocka_unit_test(test_never_ranked), cmocka_unit_test(test_split),
        cmocka_unit_test(test_currency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
