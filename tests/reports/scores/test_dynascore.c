/* SPDX-License-Identifier: Apache-2.0 */
/* Dynascore against the table of natural language inference that Dynaboard shows, to 1e-4; by the formula,
 * and through the score from cells to the printed table. */
#include "near.h"

#include "fixture.h"
#include "formulas.h"
#include "score.h"

enum { MODELS = 7, METRICS = 5 };

/* Accuracy, examples a second, GB, fairness, robustness; then the published rate and score. */
static const struct {
    const char *name;
    double v[METRICS];
    double score, score_memory_up;
} models[MODELS] = {
    {"DeBERTa", {69.54, 7.41, 5.71, 91.97, 75.70}, 38.6122, 38.7310},
    {"RoBERTa", {69.07, 9.23, 4.82, 90.94, 74.82}, 38.3925, 38.4928},
    {"ALBERT", {67.29, 9.60, 2.18, 89.94, 74.12}, 37.5032, 0},
    {"T5", {67.16, 7.10, 10.62, 91.89, 73.47}, 37.3184, 0},
    {"BERT", {64.82, 9.39, 4.13, 92.11, 66.38}, 36.1425, 0},
    {"Majority", {32.41, 77.33, 1.15, 100, 100}, 22.5283, 0},
    {"FastText", {31.29, 73.94, 2.20, 83.23, 69.14}, 20.8954, 0},
};
static const double rates_expected[METRICS] = {1, 4.90211, 12.01713, 5.51066, 6.48107};
static const double weights[METRICS] = {4, 1, 1, 1, 1};

/* Memory turned round against 16 GB, or with the same offset and not turned. */
static void make(double *x, bool memory_up)
{
    for (size_t i = 0; i < MODELS; i++) {
        for (size_t k = 0; k < METRICS; k++) {
            double v = models[i].v[k];
            x[i * METRICS + k] = k == 2 ? (memory_up ? 16 + v : 16 - v) : v;
        }
    }
}

static void test_published_table(void **state)
{
    (void)state;
    double x[MODELS * METRICS], rates[METRICS], scores[MODELS];
    make(x, false);
    assert_int_equal(tare_dynascore(x, weights, MODELS, METRICS, rates, scores, NULL), 0);
    for (size_t k = 0; k < METRICS; k++) {
        assert_near(rates[k], rates_expected[k], 1e-5);
    }
    for (size_t i = 0; i < MODELS; i++) {
        assert_near(scores[i], models[i].score, 1e-4);
    }
}

/* With memory the wrong way round, as a course's notebook has it: other scores for the same data. */
static void test_direction_matters(void **state)
{
    (void)state;
    double x[MODELS * METRICS], rates[METRICS], scores[MODELS];
    make(x, true);
    assert_int_equal(tare_dynascore(x, weights, MODELS, METRICS, rates, scores, NULL), 0);
    assert_near(scores[0], models[0].score_memory_up, 1e-4);
    assert_near(scores[1], models[1].score_memory_up, 1e-4);
}

static void test_undefined(void **state)
{
    (void)state;
    double rates[2], scores[3];
    const double same[] = {1, 5, 2, 5, 3, 5}, equal[] = {1, 5, 1, 6, 1, 7}, w[] = {1, 1}, without[] = {1, 0};
    /* A metric that is the same for all has no rate: undefined, not 0. */
    assert_int_equal(tare_dynascore(same, w, 3, 2, rates, scores, NULL), 0);
    assert_true(isnan(scores[0]));
    /* ... unless it has no weight. */
    assert_int_equal(tare_dynascore(same, without, 3, 2, rates, scores, NULL), 0);
    assert_near(scores[2], 3, 1e-12);
    /* Nobody performs better than another: there is nothing to trade against. */
    assert_int_equal(tare_dynascore(equal, w, 3, 2, rates, scores, NULL), 0);
    assert_true(isnan(scores[0]) && isnan(rates[1]));
}

static void fill(double half)
{
    fixture_begin("DeBERTa");
    for (size_t i = 0; i < MODELS; i++) {
        (void)fixture_cell(models[i].name, "baseline", "nli");
        fixture_figure("performance", models[i].v[0], "%", half);
        fixture_figure("example_throughput", models[i].v[1], "1/s", half);
        fixture_figure("memory", models[i].v[2], "GB", half);
        fixture_figure("fairness", models[i].v[3], "%", half);
        fixture_figure("robustness", models[i].v[4], "%", half);
    }
}

static const char settings[] =
    "performance=performance:higher\n"
    "metrics=example_throughput:higher,memory:lower:1:16,fairness:higher,robustness:higher\n";

static void build(struct tare_score_out *out)
{
    const struct tare_score *score = NULL;
    struct tare_err err = {0};
    assert_int_equal(tare_find_score("dynascore", &score, &err), 0);
    if (tare_score_build(score, fixture_input(), settings, out, &err) < 0) {
        fail_msg("%s", err.msg);
    }
}

static void test_through_the_table(void **state)
{
    (void)state;
    struct tare_score_out out;
    fill(0);
    build(&out);
    assert_int_equal(out.table.n_rows, MODELS);
    for (size_t i = 0; i < MODELS; i++) {
        const struct tare_table_cell *cell = &out.table.cells[i * out.table.n_columns + 1];
        assert_int_equal(cell->type, TARE_CELL_QUANTITY);
        assert_near(cell->q.value, models[i].score, 1e-4);
    }
    /* The set that the scores depend on is named. */
    bool named = false;
    for (size_t i = 0; i < out.table.n_notes; i++) {
        named = named || strstr(out.table.notes[i], "DeBERTa; RoBERTa; ALBERT; T5; BERT; Majority; FastText");
    }
    assert_true(named);
    tare_score_fini(&out);
}

/* A system that lacks a metric is left out with a reason, and changes nobody else's score by guessing. */
static void test_missing_is_left_out(void **state)
{
    (void)state;
    struct tare_score_out out;
    fill(0);
    (void)fixture_cell("Half", "baseline", "nli");
    fixture_figure("performance", 70, "%", 0);
    build(&out);
    const struct tare_table_cell *last = &out.table.cells[MODELS * out.table.n_columns + 1];
    assert_int_equal(last->type, TARE_CELL_ABSENT);
    assert_non_null(strstr(last->text, "left out"));
    assert_near(out.table.cells[1].q.value, models[0].score, 1e-4);
    tare_score_fini(&out);
}

static void test_interval(void **state)
{
    (void)state;
    struct tare_score_out out;
    fill(0.01);
    build(&out);
    const struct tare_quantity *q = &out.table.cells[1].q;
    assert_true(q->has_interval && q->low < models[0].score && q->high > models[0].score);
    assert_true(q->high - q->low < 1);
    tare_score_fini(&out);
    fill(-1); /* an input without an interval leaves the score without one */
    build(&out);
    assert_false(out.table.cells[1].q.has_interval);
    tare_score_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_table),     cmocka_unit_test(test_direction_matters),
        cmocka_unit_test(test_undefined),           cmocka_unit_test(test_through_the_table),
        cmocka_unit_test(test_missing_is_left_out), cmocka_unit_test(test_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
