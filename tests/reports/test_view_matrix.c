/* SPDX-License-Identifier: Apache-2.0 */
/* The two views that are no survey table: exponents over length, and category x resource. */
#include "reports/view/survey.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { max_cells = 8, max_figures = 3 };
static struct tare_figure figures[max_cells][max_figures];
static struct tare_report_cell cells[max_cells];
static char specs[max_cells][200];
static struct tare_survey survey;
static struct tare_view view;

static void set(size_t cell, const char *technique, const char *task, int prompt_tok, int output_tok)
{
    (void)snprintf(specs[cell], sizeof specs[cell],
                   "{\"backend\": \"b\", \"task\": \"generate\", \"data_dir\": \"d\", \"task_options\": "
                   "{\"prompt_tok\": %d, \"max_output\": %d}}",
                   prompt_tok, output_tok);
    cells[cell] = (struct tare_report_cell){.model = "m",
                                            .backend = "b",
                                            .technique = technique,
                                            .tag = technique,
                                            .task = task,
                                            .scenario = "single",
                                            .spec = specs[cell],
                                            .facts = "{\"arch\": \"rwkv4\"}",
                                            .verdict = "VALID",
                                            .figures = figures[cell]};
}

static struct tare_figure *add(size_t cell, const char *name, double value, double low, double high)
{
    struct tare_figure *f = &figures[cell][cells[cell].n_figures++];
    *f = (struct tare_figure){.name = name,
                              .value = value,
                              .unit = "x",
                              .kind = TARE_KIND_MEASURED,
                              .source = "s",
                              .scope = "process",
                              .n = 6,
                              .n_what = "repeats",
                              .low = low,
                              .high = high,
                              .level = 0.96,
                              .method = "order statistics"};
    return f;
}

static void build(const char *name, size_t n_cells)
{
    struct tare_err err = {0};
    struct tare_report_input in = {.title = "t", .caption = "c", .cells = cells, .n_cells = n_cells};
    if (tare_view_find(name, &view, &err) < 0 || tare_survey_view(&in, &view, &survey, &err) < 0) {
        fail_msg("%s", err.msg);
    }
}

static void done(void)
{
    tare_survey_fini(&survey);
    tare_view_fini(&view);
}

static const struct tare_table_cell *at(size_t row, const char *key)
{
    for (size_t c = 0; c < survey.table.n_columns; c++) {
        if (strcmp(survey.table.columns[c].key, key) == 0) {
            return &survey.table.cells[row * survey.table.n_columns + c];
        }
    }
    fail_msg("no column %s", key);
    return NULL;
}

/* Time grows with the square, state not at all. */
static void test_exponents(void **state)
{
    (void)state;
    static const int lengths[] = {64, 128, 256, 512};
    for (size_t i = 0; i < 4; i++) {
        set(i, "baseline", "t", lengths[i], 1);
        double t = 1e-6 * lengths[i] * lengths[i];
        add(i, "ttft_p50", t, t, t);
        add(i, "state_bytes", 4096, 4096, 4096)->kind = TARE_KIND_COUNTED;
    }
    (void)snprintf(figures[2][0].flags, sizeof figures[2][0].flags, "FEW_REPEATS");
    build("architectures", 4);
    const struct tare_quantity *time = &at(0, "prefill_exponent")->q, *held = &at(0, "state_exponent")->q;
    assert_true(fabs(time->value - 2) < 1e-9 && time->n == 4 && time->low <= time->high);
    assert_string_equal(time->flags, "FEW_REPEATS");
    assert_int_equal(time->kind, TARE_KIND_MEASURED);
    assert_true(fabs(held->value) < 1e-9);
    assert_int_equal(held->kind, TARE_KIND_COUNTED); /* not measured because it is in this table */
    assert_string_equal(at(0, "prefill_claimed")->text, "T d^2");
    assert_string_equal(at(0, "peak_claimed")->text, "T");
    assert_int_equal(at(0, "peak_exponent")->type, TARE_CELL_ABSENT);
    done();
}

/* What must not be put into one line. */
static void test_no_exponent(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        int lengths[4];
        const char *backend, *verdict; /* of the last cell */
        int kind;
        bool there;
    } cases[] = {
        {"three lengths", {64, 128, 256, 256}, "b", "VALID", TARE_KIND_MEASURED, true},
        {"two lengths, each twice", {64, 64, 256, 256}, "b", "VALID", TARE_KIND_MEASURED, false},
        {"the third length is another backend's",
         {64, 128, 128, 256},
         "c",
         "VALID",
         TARE_KIND_MEASURED,
         false},
        {"the third length is void", {64, 128, 128, 256}, "b", "INVALID", TARE_KIND_MEASURED, false},
        {"the third length is modelled", {64, 128, 128, 256}, "b", "VALID", TARE_KIND_MODELLED, false},
        {"the third length is too short", {64, 128, 128, 16}, "b", "VALID", TARE_KIND_MEASURED, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t c = 0; c < 4; c++) {
            set(c, "baseline", "t", cases[i].lengths[c], 1);
            add(c, "ttft_p50", 1e-3 * cases[i].lengths[c] + 1e-5 * (double)c, 0, 1);
        }
        cells[3].backend = cases[i].backend;
        cells[3].verdict = cases[i].verdict;
        figures[3][0].kind = cases[i].kind;
        build("architectures", 4);
        bool there = at(0, "prefill_exponent")->type == TARE_CELL_QUANTITY;
        if (there != cases[i].there || (!there && !strstr(at(0, "prefill_exponent")->text, "3 different"))) {
            fail_msg("%s: there %d", cases[i].why, there);
        }
        done();
    }
}

static size_t row_of(const char *system)
{
    for (size_t row = 0; row < survey.table.n_rows; row++) {
        const char *text = at(row, "system")->text;
        if (text && strcmp(text, system) == 0) {
            return row;
        }
    }
    fail_msg("no row %s", system);
    return 0;
}

/* A column is one figure on one task, whatever the first cell of a technique has. */
static void test_one_task(void **state)
{
    (void)state;
    static const char *const q = "infer.compress.quant.weight", *const p = "infer.compress.prune.structured";
    set(0, q, "short", 1, 1);
    set(1, q, "long", 1, 1);
    set(2, p, "long", 1, 1);
    set(3, "infer.compress.low-rank", "short", 1, 1);
    add(0, "decode_speedup", 9, 8, 10);
    add(1, "decode_speedup", 2, 1.9, 2.1);
    add(2, "decode_speedup", 3, 2.9, 3.1);
    add(3, "speedup", 5, 4, 6);
    build("resources", 4);
    size_t quant = row_of("m infer.compress.quant.weight"),
           prune = row_of("m infer.compress.prune.structured");
    size_t rank = row_of("m infer.compress.low-rank");
    assert_true(at(quant, "computation_saving")->q.value == 2);
    assert_true(at(prune, "computation_saving")->q.value == 3);
    assert_int_equal(at(rank, "computation_saving")->type, TARE_CELL_ABSENT);
    assert_string_equal(at(quant, "computation_claimed")->text, "i");
    assert_string_equal(at(quant, "memory_claimed")->text, "D");
    /* What is of the model is taken from whichever task has it. */
    add(0, "compression_ratio", 4, 4, 4);
    add(2, "compression_ratio", 2, 2, 2);
    done();
    build("resources", 4);
    assert_true(at(quant, "memory_saving")->q.value == 4 && at(prune, "memory_saving")->q.value == 2);
    bool said = false;
    for (size_t i = 0; i < survey.table.n_notes; i++) {
        said = said || strstr(survey.table.notes[i], "Computation: decode_speedup of the task long.");
    }
    assert_true(said);
    done();
}

/* A saving of energy is the inverse of a ratio, interval and all; one without an interval is none. */
static void test_savings(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        double value, low, high;
        const char *verdict;
        enum tare_cell_type type;
        double shown, shown_low, shown_high;
    } cases[] = {
        {"half the joules", 0.5, 0.4, 0.8, "VALID", TARE_CELL_QUANTITY, 2, 1.25, 2.5},
        {"no interval: a bare quotient", 0.5, (double)NAN, (double)NAN, "VALID", TARE_CELL_ABSENT, 0, 0, 0},
        {"an interval that reaches 0 has no inverse", 0.5, 0, 1, "VALID", TARE_CELL_ABSENT, 0, 0, 0},
        {"void", 0.5, 0.4, 0.8, "INVALID", TARE_CELL_ABSENT, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set(0, "infer.compress.low-rank", "t", 1, 1);
        cells[0].verdict = cases[i].verdict;
        cells[0].reasons = "STEAL";
        add(0, "energy_ratio", cases[i].value, cases[i].low, cases[i].high);
        build("resources", 1);
        const struct tare_table_cell *c = at(row_of("m infer.compress.low-rank"), "energy_saving");
        bool right = c->type != TARE_CELL_QUANTITY || (fabs(c->q.value - cases[i].shown) < 1e-12 &&
                                                       fabs(c->q.low - cases[i].shown_low) < 1e-12 &&
                                                       fabs(c->q.high - cases[i].shown_high) < 1e-12);
        if (c->type != cases[i].type || !right) {
            fail_msg("%s: type %d, %g", cases[i].why, (int)c->type, c->q.value);
        }
        assert_int_equal(at(row_of("m infer.compress.low-rank"), "network_saving")->type, TARE_CELL_ABSENT);
        done();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exponents),
        cmocka_unit_test(test_no_exponent),
        cmocka_unit_test(test_one_task),
        cmocka_unit_test(test_savings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
