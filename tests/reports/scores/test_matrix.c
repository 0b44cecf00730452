/* SPDX-License-Identifier: Apache-2.0 */
/* From cells to systems x metrics: which values share a column, and why others are absent. */
#include "near.h"

#include "fixture.h"
#include "matrix.h"

static struct tare_arena arena;

static struct tare_score_matrix make(const char *metrics)
{
    struct tare_score_metric *list = NULL;
    size_t n = 0;
    struct tare_score_matrix m;
    assert_int_equal(tare_score_metrics_parse(metrics, &arena, &list, &n, NULL), 0);
    assert_int_equal(tare_score_matrix(fixture_input(), list, n, &arena, &m, NULL), 0);
    return m;
}

static void test_kinds_do_not_mix(void **state)
{
    (void)state;
    fixture_begin(NULL);
    (void)fixture_cell("a", "baseline", "t");
    fixture_figure("energy", 5, "J", 1);
    fixture_last()->kind = TARE_KIND_MODELLED;
    (void)fixture_cell("b", "baseline", "t");
    fixture_figure("energy", 6, "J", 1);
    (void)fixture_cell("c", "baseline", "t");
    fixture_figure("energy", 7, "J", 1);
    fixture_last()->scope = "wall";
    (void)fixture_cell("d", "baseline", "t");
    fixture_figure("energy", 8, "Wh", 1);
    struct tare_score_matrix m = make("energy");
    assert_true(isnan(tare_score_at(&m, 0, 0)->value)); /* modelled beside measured, though it came first */
    assert_non_null(strstr(tare_score_at(&m, 0, 0)->why, "modelled"));
    assert_near(tare_score_at(&m, 1, 0)->value, 6, 0);
    assert_non_null(strstr(tare_score_at(&m, 2, 0)->why, "scope"));
    assert_non_null(strstr(tare_score_at(&m, 3, 0)->why, "unit"));
}

static void test_failures_keep_their_marks(void **state)
{
    (void)state;
    static const struct {
        const char *verdict, *reasons, *mark;
        enum tare_cell_outcome outcome;
    } cases[] = {{"INVALID", "OOM", "OOM", TARE_CELL_OOM},
                 {"INVALID", "CRASH", "CRASH", TARE_CELL_CRASH},
                 {"INVALID", "TIMEOUT", "TIMEOUT", TARE_CELL_TIMEOUT},
                 {"INVALID", "ERROR", "FAIL", TARE_CELL_FAIL},
                 {"SKIPPED", "UNSUPPORTED", "-", TARE_CELL_SKIPPED},
                 {"INVALID", "STEAL", "-", TARE_CELL_INVALID}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture_begin(NULL);
        struct tare_report_cell *c = fixture_cell("a", "baseline", "t");
        fixture_figure("acc", 0.5, "1", 0.1); /* derived all the same: an invalid cell shows no number */
        c->verdict = cases[i].verdict;
        c->reasons = cases[i].reasons;
        struct tare_score_matrix m = make("acc");
        const struct tare_score_value *v = tare_score_at(&m, 0, 0);
        assert_true(isnan(v->value));
        assert_string_equal(v->mark, cases[i].mark);
        assert_int_equal(v->outcome, cases[i].outcome);
        assert_non_null(v->why);
    }
}

/* The mean over tasks is absent where one is missing: a mean over others is another quantity. */
static void test_mean_quality(void **state)
{
    (void)state;
    fixture_begin(NULL);
    (void)fixture_cell("a", "baseline", "t1");
    fixture_figure("acc", 0.4, "1", 0.03);
    (void)fixture_cell("a", "baseline", "t2");
    fixture_figure("acc", 0.8, "1", 0.04);
    (void)fixture_cell("b", "baseline", "t1");
    fixture_figure("acc", 0.9, "1", 0.03);
    struct tare_score_matrix m = make("quality,quality@t1");
    const struct tare_score_value *v = tare_score_at(&m, 0, 0);
    assert_near(v->value, 0.6, 1e-12);
    assert_near(v->high - v->value, 0.05 / 2, 1e-12); /* sqrt(0.03^2 + 0.04^2) over two tasks */
    assert_true(isnan(tare_score_at(&m, 1, 0)->value));
    assert_near(tare_score_at(&m, 1, 1)->value, 0.9, 0);
}

/* A figure of several tasks is read from the one with the most repeats, the same for all systems. */
static void test_one_task_for_all(void **state)
{
    (void)state;
    fixture_begin(NULL);
    (void)fixture_cell("a", "baseline", "once");
    fixture_figure("speed", 1, "1/s", 0.1);
    fixture_last()->n = 1;
    (void)fixture_cell("a", "baseline", "often");
    fixture_figure("speed", 2, "1/s", 0.1);
    (void)fixture_cell("b", "baseline", "once");
    fixture_figure("speed", 3, "1/s", 0.1);
    fixture_last()->n = 1;
    struct tare_score_matrix m = make("speed,speed@once");
    assert_string_equal(m.tasks[0], "often");
    assert_near(tare_score_at(&m, 0, 0)->value, 2, 0);
    assert_true(isnan(tare_score_at(&m, 1, 0)->value)); /* not from another task */
    assert_near(tare_score_at(&m, 1, 1)->value, 3, 0);
}

static void test_parsing(void **state)
{
    (void)state;
    struct tare_score_metric *list = NULL;
    size_t n = 0;
    assert_int_equal(tare_score_metrics_parse("acc@t*:lower:2:16, peak_rss", &arena, &list, &n, NULL), 0);
    assert_int_equal(n, 2);
    assert_string_equal(list[0].figure, "acc");
    assert_string_equal(list[0].task, "t*");
    assert_int_equal(list[0].better, TARE_BETTER_LOWER);
    assert_near(list[0].weight, 2, 0);
    assert_near(list[0].offset, 16, 0);
    assert_string_equal(list[1].figure, "peak_rss");
    assert_int_equal(list[1].better, TARE_BETTER_LOWER);
    static const char *const bad[] = {"", ",", "acc:up", "acc:-1", "acc:1:2:3", "@t", "acc:nan"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tare_err err = {0};
        if (tare_score_metrics_parse(bad[i], &arena, &list, &n, &err) != TARE_E_USAGE || !*err.msg) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
    }
}

static int teardown(void **state)
{
    (void)state;
    tare_arena_fini(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds_do_not_mix), cmocka_unit_test(test_failures_keep_their_marks),
        cmocka_unit_test(test_mean_quality),     cmocka_unit_test(test_one_task_for_all),
        cmocka_unit_test(test_parsing),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
