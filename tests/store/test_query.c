/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of one cell or repeat must not walk the whole database: steps of SQLite's machine are
 * counted, which no clock disturbs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/digest.h"
#include "store/query.h"
#include "store/sql.h"

enum { cells = 60, readings = 40 };

static char folder[] = "/tmp/tare-store-XXXXXX";
static char path[64];
static struct tare_store *store;
static struct tare_err err;

static void must(int r)
{
    if (r < 0) {
        fail_msg("%s", err.msg);
    }
}

/* One repeat with one attempt, a sample, a phase and its readings. */
static void fill_cell(int64_t run_id, int64_t ordinal)
{
    int64_t cell = 0, repeat = 0, attempt = 0;
    struct tare_cell_row row = {.run_id = run_id,
                                .ordinal = ordinal,
                                .backend = "null",
                                .model = "m",
                                .technique = "baseline",
                                .task = "t",
                                .scenario = "single",
                                .spec = "{}",
                                .items = 1};
    struct tare_sample sample = {.item = 0};
    must(tare_store_add_cell(store, &row, &cell, &err));
    must(tare_store_add_repeat(store, cell, 0, ordinal, &repeat, &err));
    must(tare_store_add_attempt(store, repeat, 0, "2026-01-01T00:00:00Z", &attempt, &err));
    must(tare_store_put_phase(store, attempt, "measure", 1, 2, &err));
    must(tare_store_add_sample(store, repeat, attempt, &sample, &err));
    for (int i = 0; i < readings; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "r%d", i);
        struct tare_reading_record r = {.phase = "measure",
                                        .meter = "m",
                                        .name = name,
                                        .unit = "1",
                                        .kind = "measured",
                                        .scope = "process",
                                        .source = "here",
                                        .value = i,
                                        .u = 0,
                                        .gain = 0};
        must(tare_store_add_reading(store, attempt, &r, &err));
    }
}

static int begin(void **state)
{
    (void)state;
    int64_t run_id = 0;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/x.db", folder);
    must(tare_store_open(path, TARE_STORE_CREATE, &store, &err));
    must(tare_store_begin(store, &err));
    struct tare_run_row run = {.name = "r",
                               .plan = "{}",
                               .plan_sha256 = "0",
                               .started_utc = "2026-01-01T00:00:00Z",
                               .tare_version = "0"};
    must(tare_store_add_run(store, &run, &run_id, &err));
    for (int64_t i = 0; i < cells; i++) {
        fill_cell(run_id, i);
    }
    must(tare_store_commit(store, &err));
    return 0;
}

static int end(void **state)
{
    (void)state;
    tare_store_close(store);
    (void)unlink(path);
    (void)rmdir(folder);
    return 0;
}

static int count_steps(void *steps)
{
    ++*(int *)steps;
    return 0;
}

static int count_reading(void *n, int64_t repeat_id, const struct tare_reading_record *r, struct tare_err *e)
{
    (void)repeat_id;
    (void)r;
    (void)e;
    ++*(int *)n;
    return 0;
}

/* Some 40 steps a row that is wanted, with the sort. A walk over all readings takes over 10 a row of others.
 */
static void test_readings_of_a_cell(void **state)
{
    (void)state;
    int steps = 0, n = 0;
    sqlite3_progress_handler(store->db, 1, count_steps, &steps);
    must(tare_query_readings(store, 7, count_reading, &n, &err));
    sqlite3_progress_handler(store->db, 0, NULL, NULL);
    print_message("%d steps for %d readings\n", steps, n);
    assert_int_equal(n, readings);
    assert_true(steps < 100 * readings);
}

static void test_phases_of_a_cell(void **state)
{
    (void)state;
    int steps = 0, n = 0;
    sqlite3_progress_handler(store->db, 1, count_steps, &steps);
    must(tare_query_phases(store, 7, count_reading, &n, &err));
    sqlite3_progress_handler(store->db, 0, NULL, NULL);
    print_message("%d steps for %d phase\n", steps, n);
    assert_int_equal(n, 1);
    assert_true(steps < 20 * cells); /* the attempts are walked */
}

static void test_seal_of_a_repeat(void **state)
{
    (void)state;
    int steps = 0;
    sqlite3_progress_handler(store->db, 1, count_steps, &steps);
    must(tare_store_seal_repeat(store, 7, &err));
    sqlite3_progress_handler(store->db, 0, NULL, NULL);
    print_message("%d steps for a seal over %d readings\n", steps, readings);
    assert_true(steps < 150 * readings);
}

/* What a cell asks is said once, and never otherwise. */
static void test_prompts_of_a_cell(void **state)
{
    (void)state;
    must(tare_store_set_prompts(store, 7, "aa", &err));
    must(tare_store_set_prompts(store, 7, "aa", &err));
    assert_int_equal(tare_store_set_prompts(store, 7, "bb", &err), TARE_E_DATABASE);
}

/* By item whatever their order; what is no number leaves no row; taking a repeat back takes all of it. */
static void test_scores(void **state)
{
    double *values = NULL;
    size_t n = 0;
    int64_t committed = -1;
    (void)state;
    must(tare_store_add_score(store, 7, 1, "acc", 0.25, &err));
    must(tare_store_add_score(store, 7, 0, "acc", 1, &err));
    must(tare_store_add_score(store, 7, 2, "acc", (double)NAN, &err));
    must(tare_store_add_score(store, 7, 0, "f1", 9, &err));
    assert_true(tare_store_add_score(store, 7, 0, "acc", 1, &err) < 0); /* never twice */
    must(tare_query_scores(store, 7, "acc", &values, &n, &err));
    assert_int_equal(n, 2);
    assert_true(values[0] == 1 && values[1] == 0.25);
    free(values);
    must(tare_store_clear_repeat(store, 7, &err));
    must(tare_query_scores(store, 7, "acc", &values, &n, &err));
    assert_int_equal(n, 0);
    free(values);
    must(tare_query_committed(store, 7, &committed, &err));
    assert_int_equal(committed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readings_of_a_cell), cmocka_unit_test(test_phases_of_a_cell),
        cmocka_unit_test(test_seal_of_a_repeat), cmocka_unit_test(test_prompts_of_a_cell),
        cmocka_unit_test(test_scores)};
    return cmocka_run_group_tests(tests, begin, end);
}
