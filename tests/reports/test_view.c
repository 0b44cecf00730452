/* SPDX-License-Identifier: Apache-2.0 */
/* What a view file may say, and what it makes of a table: groups, ranks, ratios, means, outcomes. */
#include "reports/view/survey.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_hostile(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "view v"},
        {"[]", "is no object"},
        {"{}", "\"tare\""},
        {"{\"tare\": 2}", "\"tare\""},
        {"{\"tare\": 1, \"colums\": []}", "did you mean \"columns\""},
        {"{\"tare\": 1, \"columns\": 3}", "columns: is no list"},
        {"{\"tare\": 1, \"columns\": [3]}", "columns: is no object"},
        {"{\"tare\": 1, \"columns\": [{\"header\": \"x\"}]}", "names no figure"},
        {"{\"tare\": 1, \"columns\": [{\"figure\": \"x\", \"better\": \"up\"}]}",
         "is not higher, lower or none"},
        {"{\"tare\": 1, \"columns\": [{\"figure\": \"x\", \"unit\": \"s\"}]}", "go together"},
        {"{\"tare\": 1, \"columns\": [{\"figure\": \"x\", \"scale\": 2}]}", "go together"},
        {"{\"tare\": 1, \"notes\": \"x\"}", "notes: is no list"},
        {"{\"tare\": 1, \"notes\": [{}]}", "notes: an element is no text"},
        {"{\"tare\": 1, \"group_by\": \"colour\"}", "group_by: is none of"},
        {"{\"tare\": 1, \"group_by\": 2}", "group_by: is none of"},
        {"{\"tare\": 1, \"group_by\": \"model\", \"groups\": []}", "leave one of the two out"},
        {"{\"tare\": 1, \"columns\": [{\"figure\": \"x\", \"scale\": 0}]}", "scale"},
        {"{\"tare\": 1, \"columns\": [{\"figure\": \"x\", \"decimals\": 99}]}", "decimals"},
        {"{\"tare\": 1, \"groups\": [{\"label\": \"x\"}]}", "needs label and prefix"},
        {"{\"tare\": 1, \"averages\": [{\"of\": \"x\"}]}", "needs header and of"},
        {"{\"tare\": 1, \"plots\": [1]}", "plots"},
        {"{\"tare\": 1, \"kind\": \"pie\"}", "kind"},
        {"{\"tare\": 1, \"title\": 7}", "title: is no text"},
        {"{\"tare\": 1, \"rank_within_groups\": 1}", "neither true nor false"},
        {"{\"tare\": 1, \"filter\": {\"tasks\": \"*\"}}", "did you mean \"task\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_view view = {.name = "as before"};
        struct tare_err err = {0};
        assert_int_equal(tare_view_parse(cases[i].text, strlen(cases[i].text), "v", &view, &err),
                         TARE_E_USAGE);
        assert_string_equal(view.name, "as before");
        if (!strstr(err.msg, cases[i].says) && i > 0) {
            fail_msg("%s: says \"%s\", not \"%s\"", cases[i].text, err.msg, cases[i].says);
        }
    }
}

static void test_built_in(void **state)
{
    (void)state;
    static const char *const names[] = {"survey",    "full",          "survey1",     "survey2",
                                        "resources", "architectures", "pareto",      "scaling",
                                        "energy",    "serving",       "compression", "leaderboard"};
    struct tare_err err = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct tare_view view;
        assert_int_equal(tare_view_find(names[i], &view, &err), 0);
        assert_string_equal(view.name, names[i]);
        assert_non_null(view.about);
        tare_view_fini(&view);
    }
    struct tare_view none;
    assert_int_equal(tare_view_find("survy1", &none, &err), TARE_E_USAGE);
    assert_non_null(strstr(err.msg, "survey1"));
    assert_int_equal(tare_view_find("no/such.json", &none, &err), TARE_E_USAGE);
}

enum { max_cells = 8, max_figures = 3 };
static struct tare_figure figures[max_cells][max_figures];
static struct tare_report_cell cells[max_cells];
static struct tare_survey survey;
static struct tare_view view;

static void set(size_t cell, const char *model, const char *technique, const char *task)
{
    cells[cell] = (struct tare_report_cell){.model = model,
                                            .backend = "b",
                                            .technique = technique,
                                            .tag = technique,
                                            .task = task,
                                            .scenario = "single",
                                            .tokenizer = "same",
                                            .verdict = "VALID",
                                            .figures = figures[cell]};
}

static void add(size_t cell, const char *name, double value, double half)
{
    figures[cell][cells[cell].n_figures++] = (struct tare_figure){.name = name,
                                                                  .value = value,
                                                                  .unit = "1",
                                                                  .kind = TARE_KIND_MEASURED,
                                                                  .source = "s",
                                                                  .scope = "process",
                                                                  .n = 6,
                                                                  .n_what = "repeats",
                                                                  .low = value - half,
                                                                  .high = value + half,
                                                                  .level = 0.96,
                                                                  .method = "order statistics"};
}

static void build(const char *json, size_t n_cells)
{
    struct tare_err err = {0};
    struct tare_report_input in = {.title = "t", .caption = "c", .cells = cells, .n_cells = n_cells};
    if (tare_view_parse(json, strlen(json), "test", &view, &err) < 0 ||
        tare_survey_build(&in, &view, &survey, &err) < 0) {
        fail_msg("%s", err.msg);
    }
}

static void done(void)
{
    tare_survey_fini(&survey);
    tare_view_fini(&view);
}

static const struct tare_table_cell *at(size_t row, size_t column)
{
    return &survey.table.cells[row * survey.table.n_columns + column];
}

/* Ranks of three rows by "speedup", higher is better. */
static void test_ranks(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        double value[3], half[3];
        int best, second; /* row, or -1 */
    } cases[] = {
        {"three apart", {3, 2, 1}, {.1, .1, .1}, 0, 1},
        {"the first two overlap: nobody is best, and the second place is nobody's",
         {3, 2.9, 1},
         {.1, .1, .1},
         -1,
         -1},
        {"the last two overlap: one best, no second", {3, 2, 1.9}, {.1, .1, .1}, 0, -1},
        {"a tie", {2, 2, 1}, {0, 0, 0}, -1, -1},
        {"intervals that touch do not separate", {2, 1.8, 1}, {.1, .1, .1}, -1, -1},
        {"an interval that is missing wins nothing", {3, 2, 1}, {(double)NAN, .1, .1}, -1, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static const char *const models[] = {"x", "y", "z"};
        for (size_t row = 0; row < 3; row++) {
            set(row, models[row], "baseline", "t");
            add(row, "speedup", cases[i].value[row], cases[i].half[row]);
        }
        build("{\"tare\": 1, \"columns\": [\"speedup\"]}", 3);
        for (int row = 0; row < 3; row++) {
            const struct tare_quantity *q = &at((size_t)row, 2)->q;
            if (q->best != (row == cases[i].best) || q->second != (row == cases[i].second)) {
                fail_msg("%s: row %d best %d second %d", cases[i].why, row, q->best, q->second);
            }
        }
        done();
    }
}

/* Rows in the order of the groups, whatever the plan's; ranked within them. */
static void test_groups(void **state)
{
    (void)state;
    set(0, "m", "infer.compress.quant.weight{bits=4}", "t");
    set(1, "m", "infer.compress.prune.structured{ratio=0.5}", "t");
    set(2, "m", "infer.compress.quant.weight{bits=8}", "t");
    set(3, "m", "something.else", "t");
    set(4, "m", "baseline", "t");
    static const double speeds[] = {4, 9, 2, 1, 1};
    for (size_t i = 0; i < 5; i++) {
        add(i, "speedup", speeds[i], 0.01);
    }
    build("{\"tare\": 1, \"rank_within_groups\": true, \"columns\": [\"speedup\"], \"groups\": ["
          "{\"label\": \"Base\", \"prefix\": \"baseline\"}, {\"label\": \"Pruning\", \"prefix\": "
          "\"infer.compress.prune\"}, "
          "{\"label\": \"Quantization\", \"prefix\": \"infer.compress.quant.weight\"}]}",
          5);
    static const size_t order[] = {4, 1, 0, 2, 3};
    for (size_t row = 0; row < 5; row++) {
        assert_string_equal(at(row, 1)->text, cells[order[row]].technique);
    }
    static const struct tare_table_group groups[] = {
        {0, 1, "Base"}, {1, 1, "Pruning"}, {2, 2, "Quantization"}, {4, 1, "Other"}};
    assert_int_equal(survey.table.n_row_groups, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(survey.table.row_groups[i].label, groups[i].label);
        assert_int_equal(survey.table.row_groups[i].first, groups[i].first);
        assert_int_equal(survey.table.row_groups[i].n, groups[i].n);
    }
    assert_int_equal(survey.table.n_baseline_rows, 1);
    assert_true(at(2, 2)->q.best &&
                !at(1, 2)->q.best); /* alone in its group, there is nothing to be better than */
    done();
    assert_true(tare_view_parse("{\"tare\": 1}", 11, "v", &view, &(struct tare_err){0}) == 0);
    tare_view_fini(&view);
}

/* "infer.compress.pruned" is not below "infer.compress.prune". */
static void test_prefix(void **state)
{
    (void)state;
    set(0, "m", "infer.compress.pruned", "t");
    set(1, "m", "infer.compress.prune", "t");
    add(0, "speedup", 1, 0.1);
    add(1, "speedup", 1, 0.1);
    build("{\"tare\": 1, \"columns\": [\"speedup\"], \"groups\": [{\"label\": \"P\", \"prefix\": "
          "\"infer.compress.prune\"}]}",
          2);
    assert_string_equal(at(0, 1)->text, "infer.compress.prune");
    assert_string_equal(survey.table.row_groups[1].label, "Other");
    done();
}

/* The ratio has an interval or is not shown. */
static void test_ratio(void **state)
{
    (void)state;
    set(0, "m", "baseline", "t");
    set(1, "n", "baseline", "t");
    add(0, "decode_throughput", 100, 1);
    add(0, "decode_speedup", 2, 0.1);
    add(1, "decode_throughput", 50, 1);
    add(1, "decode_speedup", 1, (double)NAN);
    build("{\"tare\": 1, \"columns\": [{\"figure\": \"decode_throughput\", \"ratio\": \"decode_speedup\", "
          "\"header\": \"D\", "
          "\"unit\": \"per min\", \"scale\": 60, \"decimals\": 0, \"better\": \"none\"}]}",
          2);
    assert_true(at(0, 2)->q.ratio == 2 && at(0, 2)->q.ratio_low == 1.9 && at(0, 2)->q.ratio_high == 2.1);
    assert_true(at(1, 2)->q.ratio == 0);
    assert_string_equal(survey.table.columns[2].header, "D");
    assert_string_equal(survey.table.columns[2].unit, "per min");
    assert_true(at(0, 2)->q.display_scale == 60 && at(0, 2)->q.decimals == 0);
    assert_false(at(0, 2)->q.best);
    done();
}

/* Which ratios stand in brackets. */
static void test_ratio_in_doubt(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        int kind;
        double level;
        const char *flags;
        bool shown;
    } cases[] = {
        {"as good as the value", TARE_KIND_MEASURED, 0.95, "", true},
        {"a flag that voids nothing", TARE_KIND_MEASURED, 0.95, "RESUMED", true},
        {"weaker than the value: brackets have no room for a kind", TARE_KIND_MODELLED, 0.95, "", false},
        {"an interval of too low a level", TARE_KIND_MEASURED, 0.5, "", false},
        {"sides of unequal work", TARE_KIND_MEASURED, 0.95, "UNEQUAL_WORK", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set(0, "m", "baseline", "t");
        add(0, "decode_throughput", 100, 1);
        add(0, "decode_speedup", 2, 0.1);
        figures[0][1].kind = cases[i].kind;
        figures[0][1].level = cases[i].level;
        (void)snprintf(figures[0][1].flags, sizeof figures[0][1].flags, "%s", cases[i].flags);
        build("{\"tare\": 1, \"columns\": [{\"figure\": \"decode_throughput\", \"ratio\": "
              "\"decode_speedup\"}]}",
              1);
        if ((at(0, 2)->q.ratio != 0) != cases[i].shown) {
            fail_msg("%s: ratio %g", cases[i].why, at(0, 2)->q.ratio);
        }
        done();
    }
}

static bool has_note(const char *text)
{
    for (size_t i = 0; i < survey.table.n_notes; i++) {
        if (strstr(survey.table.notes[i], text)) {
            return true;
        }
    }
    return false;
}

/* The view's own come first; a column that nothing can fill says why it is not there. */
static void test_notes(void **state)
{
    (void)state;
    set(0, "m", "baseline", "t");
    add(0, "speedup", 1, 0.1);
    add(0, "energy_net", 1, 0.1);
    add(0, "energy", 1, 0.1);
    figures[0][1].absent = figures[0][2].absent = "no meter works here";
    build("{\"tare\": 1, \"notes\": [\"mine\"], \"columns\": [\"speedup\", \"energy_net\", \"energy\", "
          "\"nonsense@*\"]}",
          1);
    assert_int_equal(survey.table.n_columns, 3);
    assert_string_equal(survey.table.notes[0], "mine");
    assert_true(has_note("Not shown: energy_net, energy: no meter works here"));
    assert_int_equal(survey.table.n_notes, 3); /* one a reason */
    assert_true(has_note("Not shown: nonsense@*: no valid cell of this table has such a figure"));
    assert_false(has_note("Not shown: speedup"));
    done();
}

/* Rows by what is not their technique. A row whose first cell broke goes where its others say. */
static void test_group_by(void **state)
{
    (void)state;
    static const struct {
        const char *by;
        const char *models[4], *labels[3];
        size_t n_groups;
    } cases[] = {
        {"model", {"big", "big", "small", "odd"}, {"big", "small", "odd"}, 3},
        {"size",
         {"small", "big", "big", "odd"},
         {"About 0.5 M parameters", "About 2 M parameters", "Other"},
         3},
        {"architecture", {"big", "big", "small", "odd"}, {"llama", "rwkv", "Other"}, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[120];
        set(0, "big", "baseline", "broken");
        set(1, "small", "baseline", "t");
        set(2, "big", "int4", "t");
        set(3, "odd", "baseline", "t");
        set(4, "big", "baseline", "t");
        add(1, "params_total", 0.6e6, 0);
        add(2, "params_total", 1.8e6, 0);
        add(4, "params_total", 2.1e6, 0);
        cells[1].facts = "{\"arch\": \"rwkv\"}";
        cells[2].facts = cells[4].facts = "{\"arch\": \"llama\"}";
        for (size_t c = 0; c < 5; c++) {
            add(c, "speedup", 1, 0.1);
        }
        (void)snprintf(json, sizeof json, "{\"tare\": 1, \"columns\": [\"speedup\"], \"group_by\": \"%s\"}",
                       cases[i].by);
        build(json, 5);
        assert_int_equal(survey.table.n_rows, 4);
        for (size_t row = 0; row < 4; row++) {
            assert_string_equal(at(row, 0)->text, cases[i].models[row]);
        }
        assert_int_equal(survey.table.n_row_groups, cases[i].n_groups);
        for (size_t g = 0; g < cases[i].n_groups; g++) {
            assert_string_equal(survey.table.row_groups[g].label, cases[i].labels[g]);
        }
        done();
    }
}

/* An untreated model without attention is its architecture's row, whichever of its cells broke. */
static void test_architecture_row(void **state)
{
    (void)state;
    set(0, "m", "baseline", "broken");
    set(1, "m", "baseline", "t");
    cells[1].facts = "{\"arch\": \"rwkv4\"}";
    add(1, "speedup", 1, 0.1);
    build("{\"tare\": 1, \"columns\": [\"speedup\"], \"groups\": [{\"label\": \"B\", \"prefix\": "
          "\"baseline\"}, "
          "{\"label\": \"A\", \"prefix\": \"arch.attention-free\"}]}",
          2);
    assert_int_equal(survey.table.n_rows, 1);
    assert_string_equal(survey.table.row_groups[0].label, "A");
    done();
}

/* Two prefixes under one label are one group. */
static void test_one_label(void **state)
{
    (void)state;
    set(0, "m", "b.x", "t");
    set(1, "m", "a.x", "t");
    add(0, "speedup", 1, 0.1);
    add(1, "speedup", 1, 0.1);
    build("{\"tare\": 1, \"columns\": [\"speedup\"], \"groups\": [{\"label\": \"L\", \"prefix\": \"a\"}, "
          "{\"label\": \"L\", \"prefix\": \"b\"}]}",
          2);
    assert_int_equal(survey.table.n_row_groups, 1);
    assert_int_equal(survey.table.row_groups[0].n, 2);
    done();
}

static const struct tare_metric metrics[] = {
    {.name = "acc", .rule = TARE_METRIC_EXACT, .scale = 1, .unit = "1", .help = "share"}, {0}};

/* Means over columns; one that is missing leaves none. */
static void test_averages(void **state)
{
    (void)state;
    static const char *const tasks[] = {"a", "b", "a", "b"};
    static const double values[] = {0.5, 0.7, 0.2, 0.4};
    for (size_t i = 0; i < 4; i++) {
        set(i, i < 2 ? "x" : "y", "baseline", tasks[i]);
        cells[i].metrics = metrics;
        add(i, "acc", values[i], 0.03);
    }
    figures[3][0].absent = "broken";
    (void)snprintf(figures[0][0].flags, sizeof figures[0][0].flags, "FEW_REPEATS,RESUMED");
    (void)snprintf(figures[1][0].flags, sizeof figures[1][0].flags, "RESUMED,APART");
    build("{\"tare\": 1, \"columns\": [\"quality@*\"], \"averages\": [{\"header\": \"Avg\", \"of\": "
          "\"quality@*\"}]}",
          4);
    assert_int_equal(survey.table.n_columns, 5);
    const struct tare_quantity *mean = &at(0, 4)->q;
    assert_true(fabs(mean->value - 0.6) < 1e-12 && mean->n == 2);
    assert_true(fabs(mean->high - mean->low - 2 * 0.03 * sqrt(2) / 2) < 1e-12);
    assert_string_equal(mean->flags, "FEW_REPEATS,RESUMED,APART"); /* of all that is in it, each once */
    assert_int_equal(mean->kind, TARE_KIND_MEASURED);
    assert_int_equal(at(1, 4)->type, TARE_CELL_ABSENT);
    assert_true(has_note("Avg: mean over a acc, b acc."));
    done();
}

/* A task that every row failed is left out for all of them, and a note says so. */
static void test_average_without_failed(void **state)
{
    (void)state;
    static const char *const tasks[] = {"a", "b", "a", "b"};
    for (size_t i = 0; i < 4; i++) {
        set(i, i < 2 ? "x" : "y", "baseline", tasks[i]);
        cells[i].metrics = metrics;
        add(i, "acc", 0.5, 0.03);
    }
    cells[1].verdict = cells[3].verdict = "INVALID";
    cells[1].reasons = cells[3].reasons = "OOM";
    build("{\"tare\": 1, \"columns\": [\"quality@*\"], \"averages\": [{\"header\": \"Avg\", \"of\": "
          "\"quality\"}]}",
          4);
    assert_true(at(0, 4)->q.value == 0.5 && at(0, 4)->q.n == 1 && at(1, 4)->q.n == 1);
    assert_true(has_note("Avg: mean over a acc; left out, since no row has a value: b acc."));
    done();
}

static void test_outcomes(void **state)
{
    (void)state;
    static const struct {
        const char *verdict, *reasons;
        enum tare_cell_outcome outcome;
    } cases[] = {{"INVALID", "CRASH", TARE_CELL_CRASH},   {"INVALID", "TIMEOUT", TARE_CELL_TIMEOUT},
                 {"INVALID", "OOM", TARE_CELL_OOM},       {"INVALID", "ERROR", TARE_CELL_FAIL},
                 {"INVALID", "STEAL", TARE_CELL_INVALID}, {"SKIPPED", "cannot", TARE_CELL_SKIPPED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set(0, "x", "baseline", "t");
        set(1, "y", "baseline", "t");
        add(0, "speedup", 1, 0.1);
        add(1, "speedup", 1, 0.1);
        cells[1].verdict = cases[i].verdict;
        cells[1].reasons = cases[i].reasons;
        build("{\"tare\": 1, \"columns\": [\"speedup\", \"energy\"]}", 2);
        assert_int_equal(at(1, 2)->type, TARE_CELL_ABSENT);
        assert_int_equal(at(1, 2)->outcome, cases[i].outcome);
        assert_string_equal(at(0, 2)->verdict, "VALID");
        done();
    }
}

/* Only cells that the filter leaves. */
static void test_filter(void **state)
{
    (void)state;
    set(0, "keep-a", "baseline", "t");
    set(1, "drop", "baseline", "t");
    set(2, "keep-b", "baseline", "u");
    for (size_t i = 0; i < 3; i++) {
        add(i, "speedup", 1, 0.1);
    }
    build("{\"tare\": 1, \"columns\": [\"speedup\"], \"filter\": {\"model\": \"keep-*\", \"task\": \"t\"}}",
          3);
    assert_int_equal(survey.table.n_rows, 1);
    assert_string_equal(at(0, 0)->text, "keep-a");
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_built_in),
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_ratio),
        cmocka_unit_test(test_averages),
        cmocka_unit_test(test_average_without_failed),
        cmocka_unit_test(test_ratio_in_doubt),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_group_by),
        cmocka_unit_test(test_one_label),
        cmocka_unit_test(test_architecture_row),
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
