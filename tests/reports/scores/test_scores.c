/* SPDX-License-Identifier: Apache-2.0 */
/* Every score as a table: what it gives where the cells carry it, and reasons where they do not. */
#include "near.h"

#include "fixture.h"
#include "reports/table.h"
#include "score.h"

#include <stdio.h>
#include <unistd.h>

static struct tare_score_out out;

static void build(const char *name, const char *settings)
{
    const struct tare_score *score = NULL;
    struct tare_err err = {0};
    assert_int_equal(tare_find_score(name, &score, &err), 0);
    if (tare_score_build(score, fixture_input(), settings, &out, &err) < 0 ||
        tare_table_check(&out.table, &err) < 0) {
        fail_msg("%s: %s", name, err.msg);
    }
}

static void end(void)
{
    tare_score_fini(&out);
}

/* The cell of a row that begins with `row`, in the column of that key. */
static const struct tare_table_cell *at(const char *row, const char *key)
{
    for (size_t i = 0; i < out.table.n_rows; i++) {
        const struct tare_table_cell *cells = &out.table.cells[i * out.table.n_columns];
        for (size_t j = 0; strcmp(cells[0].text, row) == 0 && j < out.table.n_columns; j++) {
            if (strcmp(out.table.columns[j].key, key) == 0) {
                return &cells[j];
            }
        }
    }
    fail_msg("no row %s with a column %s", row, key);
    return NULL;
}

static bool noted(const char *text)
{
    for (size_t i = 0; i < out.table.n_notes; i++) {
        if (strstr(out.table.notes[i], text)) {
            return true;
        }
    }
    return false;
}

/* No cell and no system: every score is a table all the same, and nothing in it is a number. */
static void test_empty(void **state)
{
    (void)state;
    for (size_t i = 0; tare_scores[i]; i++) {
        fixture_begin(NULL);
        build(tare_scores[i]->name, NULL);
        for (size_t c = 0; c < out.table.n_rows * out.table.n_columns; c++) {
            assert_true(out.table.cells[c].type != TARE_CELL_QUANTITY);
            assert_true(out.table.cells[c].type != TARE_CELL_ABSENT || *out.table.cells[c].text);
        }
        end();
    }
}

/* One bare model: whatever is absent says why. */
static void test_bare(void **state)
{
    (void)state;
    for (size_t i = 0; tare_scores[i]; i++) {
        fixture_begin("a");
        (void)fixture_cell("a", "baseline", "t");
        (void)fixture_cell("a", "infer.compress.quant.weight{bits=4}", "t");
        build(tare_scores[i]->name, NULL);
        for (size_t c = 0; c < out.table.n_rows * out.table.n_columns; c++) {
            const struct tare_table_cell *cell = &out.table.cells[c];
            assert_true(cell->type != TARE_CELL_ABSENT || (cell->text && *cell->text));
        }
        end();
    }
}

static void ladder_cell(const char *model, const char *technique, double acc, double cost, double half)
{
    (void)fixture_cell(model, technique, "t");
    fixture_figure("acc", acc, "1", half);
    fixture_figure("cost", cost, "B", 0);
}

static void test_pareto(void **state)
{
    (void)state;
    fixture_begin("good");
    ladder_cell("good", "baseline", 0.9, 10, 0.01);
    ladder_cell("worse", "baseline", 0.8, 20, 0.01);
    ladder_cell("near", "baseline", 0.895, 10, 0.01);
    build("pareto", "metrics=acc:higher,cost:lower\nreference=0.5,30");
    assert_string_equal(at("good", "standing")->text, "front");
    assert_string_equal(at("worse", "standing")->text, "dominated");
    assert_string_equal(at("worse", "dominated_by")->text, "good; near");
    assert_string_equal(at("near", "standing")->text, "undecided");
    assert_string_equal(at("near", "undecided_against")->text, "good");
    assert_true(noted("Hypervolume 8 ")); /* (0.9 - 0.5) (30 - 10) */
    assert_true(noted("good; worse; near"));
    end();
}

static void test_iso_quality(void **state)
{
    (void)state;
    fixture_begin("small");
    ladder_cell("small", "baseline", 0.5, 100, 0.001);
    ladder_cell("large", "baseline", 0.7, 400, 0.001);
    ladder_cell("large", "int4", 0.6, 100, 0.001);
    ladder_cell("large", "broken", 0.3, 50, 0.001);
    build("iso-quality", "quality=acc\ncost=cost\ntarget=0.65");
    /* Half way in quality is half way in log cost: sqrt(100 x 400) = 200. */
    assert_near(at("large + int4", "front_cost")->q.value, 200, 1e-9);
    assert_near(at("large + int4", "cost_ratio")->q.value, 0.5, 1e-12);
    const struct tare_quantity *q = &at("large + int4", "cost_ratio")->q;
    assert_true(q->has_interval && q->low < 0.5 && q->high > 0.5 && q->high - q->low < 0.05);
    assert_int_equal(at("large + broken", "cost_ratio")->type, TARE_CELL_ABSENT);
    assert_non_null(strstr(at("large + broken", "cost_ratio")->text, "outside"));
    assert_near(at("front at the target", "front_cost")->q.value, 100 * pow(4, 0.75), 1e-9);
    end();
}

static void technique_cell(const char *technique, double per_token, double half, double apply)
{
    (void)fixture_cell("m", technique, "t");
    fixture_figure("tpot_p50", per_token, "s", half);
    if (apply >= 0) {
        fixture_figure("apply_time", apply, "s", 0);
    }
}

static void test_break_even(void **state)
{
    (void)state;
    fixture_begin("m");
    technique_cell("baseline", 0.003, 0.00001, -1);
    technique_cell("good", 0.001, 0.00001, 10);
    technique_cell("slow", 0.004, 0.00001, 10);
    technique_cell("maybe", 0.0029, 0.0005, 10);
    technique_cell("unknown", 0.001, 0.00001, -1);
    build("break-even", NULL);
    assert_near(at("m + good", "tokens")->q.value, 5000, 1e-6);
    assert_true(at("m + good", "least")->q.value < 5000 && at("m + good", "most")->q.value > 5000);
    assert_string_equal(at("m + slow", "tokens")->mark, "never");
    assert_int_equal(at("m + slow", "most")->type, TARE_CELL_ABSENT);
    assert_int_equal(at("m + maybe", "tokens")->type, TARE_CELL_QUANTITY);
    assert_false(at("m + maybe", "tokens")->q.has_interval);
    assert_non_null(strstr(at("m + maybe", "most")->text, "may never be"));
    assert_int_equal(at("m + unknown", "tokens")->type, TARE_CELL_ABSENT);
    end();
    build("break-even", "declared=2");
    assert_near(at("m + unknown", "tokens")->q.value, 1000, 1e-6);
    assert_int_equal(at("m + unknown", "tokens")->q.kind, TARE_KIND_DECLARED); /* the weakest of its inputs */
    end();
}

static void lra_cells(const char *model, double first, const char *end_of_image)
{
    static const char *const tasks[] = {"listops", "lra-text", "retrieval", "image", "pathfinder"};
    for (size_t i = 0; i < 5; i++) {
        struct tare_report_cell *c = fixture_cell(model, "baseline", tasks[i]);
        fixture_figure("acc", first + 0.1 * (double)i, "1", 0.01);
        if (i == 3 && end_of_image) {
            c->verdict = "INVALID";
            c->reasons = end_of_image;
        }
    }
    (void)fixture_cell(model, "baseline", "bytes-1k");
    fixture_figure("request_throughput", 10 * first, "1/s", 0.1);
    fixture_figure("peak_rss", 1e9, "B", 1);
}

static void test_lra(void **state)
{
    (void)state;
    fixture_begin("vanilla");
    lra_cells("vanilla", 0.2, NULL);
    lra_cells("fast", 0.4, "OOM");
    build("lra", NULL);
    assert_near(at("vanilla", "average")->q.value, 0.4, 1e-12);
    assert_string_equal(at("vanilla", "average")->q.flags, "");
    assert_string_equal(at("fast", "image")->mark, "OOM");
    assert_near(at("fast", "average")->q.value, (0.4 + 0.5 + 0.6 + 0.8) / 4, 1e-12);
    assert_string_equal(at("fast", "average")->q.flags, "WITHOUT_FAILED");
    assert_near(at("fast", "speed_ratio@bytes-1k#0")->q.value, 2, 1e-12);
    assert_non_null(strstr(at("vanilla", "text")->q.flags, "AT_CHANCE")); /* 0.3 of two classes */
    assert_int_equal(at("vanilla", "path_x")->type, TARE_CELL_ABSENT);
    end();
}

static void test_efficientqa(void **state)
{
    (void)state;
    fixture_begin(NULL);
    ladder_cell("huge", "baseline", 0.5, 7e9, 0.01);
    ladder_cell("medium", "baseline", 0.4, 5e9, 0.01);
    ladder_cell("small", "baseline", 0.26, 3e8, 0.02);
    ladder_cell("tiny", "baseline", 0.1, 1e6, 0.01);
    build("efficientqa", "quality=acc\nsize=cost");
    assert_string_equal(at("huge", "large")->text, "does not pass");
    assert_string_equal(at("medium", "large")->text, "passes");
    assert_string_equal(at("small", "quality_gate")->text, "passes, within the interval");
    assert_string_equal(at("tiny", "quality_gate")->text, "does not pass");
    assert_true(noted("larger size: medium") && noted("smaller size: small") &&
                noted("with the quality: small") && noted("unrestricted: huge"));
    end();
    build("efficientqa", "quality=acc\nsize=cost\nextra_bytes=400MB");
    assert_string_equal(at("small", "small")->text, "does not pass"); /* with the program it is 700 MB */
    assert_true(noted("smaller size: tiny"));
    end();
}

static void test_sustainlp(void **state)
{
    (void)state;
    fixture_begin("base");
    ladder_cell("base", "baseline", 0.8, 20, 0.001);
    ladder_cell("lean", "baseline", 0.79, 1, 0.001);
    ladder_cell("bad", "baseline", 0.7, 30, 0.001);
    build("sustainlp", "quality=acc\nenergy=cost");
    assert_near(at("lean", "energy_ratio")->q.value, 0.05, 1e-12);
    assert_near(at("lean", "quality_change")->q.value, -0.01, 1e-12);
    assert_near(at("bad", "pareto_rank")->q.value, 3, 0);
    assert_near(at("lean", "pareto_rank")->q.value, 1, 0);
    end();
}

static void write_file(char *path, const char *text)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(close(fd), 0);
}

static void test_msmarco(void **state)
{
    (void)state;
    char path[] = "/tmp/tare-ranks-XXXXXX", settings[80];
    write_file(path, "system,rank,latency_s,cost\n"
                     "# dense\ndense,1,0.1,2\ndense,2,0.3,2\ndense,0,0.2,2\ndense,11,0.2,2\n"
                     "sparse,5,0.01,1\nsparse,10,0.03,1\n");
    (void)snprintf(settings, sizeof settings, "file=%s", path);
    fixture_begin(NULL);
    build("msmarco", settings);
    assert_near(at("dense", "mrr10")->q.value, 1.5 / 4, 1e-12);
    assert_near(at("sparse", "mrr10")->q.value, 0.15, 1e-12);
    assert_near(at("dense", "latency")->q.value, 0.2, 1e-12);
    assert_int_equal(at("dense", "mrr10")->q.kind, TARE_KIND_DECLARED);
    /* One pair: rates 0.18 / 0.225 and 1 / 0.225; offsets are the set's largest, so the slow one has only
     * MRR. */
    assert_near(at("dense", "dynascore")->q.value, 0.375 / 3, 1e-12);
    assert_near(at("sparse", "dynascore")->q.value, (0.15 + 0.225 + 0.225) / 3, 1e-12);
    end();
    (void)unlink(path);
}

/* Points from a file, and what is refused in one. */
static void test_scaling_file(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } bad[] = {{"n,d\n1,2\n", "n, d and loss"},
               {"n,d,loss\n1,2\n", "line 2"},
               {"n,d,loss\n1,2,x\n", "no finite number"},
               {"n,d,loss\n1,0,3\n", "above 0"},
               {"n,d,loss\n", "no rows"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char path[] = "/tmp/tare-points-XXXXXX", settings[80];
        const struct tare_score *score = NULL;
        struct tare_err err = {0};
        write_file(path, bad[i].text);
        (void)snprintf(settings, sizeof settings, "file=%s", path);
        assert_int_equal(tare_find_score("scaling", &score, &err), 0);
        assert_int_equal(tare_score_build(score, fixture_input(), settings, &out, &err), TARE_E_FORMAT);
        if (!strstr(err.msg, bad[i].why)) {
            fail_msg("%s", err.msg);
        }
        (void)unlink(path);
    }
}

/* A ladder with one D: the law of N alone, and reasons for the rest. */
static void test_scaling_ladder(void **state)
{
    (void)state;
    fixture_begin(NULL);
    static const char *const models[] = {"1", "2", "3", "4", "5", "6"};
    for (size_t i = 0; i < 6; i++) {
        struct tare_report_cell *c = fixture_cell(models[i], "baseline", "text");
        double n = 1e5 * pow(3, (double)i);
        c->facts = "{\"arch\": \"llama\"}";
        fixture_figure("bits_per_byte", 1.2 + 60 * pow(n, -0.4), "bit/B", 0.01);
        fixture_figure("params_non_embedding", n, "1", 0);
        fixture_figure("train_tok", 1e9, "tok", 0);
    }
    fixture_cell("odd", "baseline", "text")->facts = "{\"arch\": \"rwkv4\"}";
    fixture_figure("bits_per_byte", 9, "bit/B", 0.01);
    fixture_figure("params_non_embedding", 1e6, "1", 0);
    build("scaling", "resamples=40");
    static const double expected[] = {1.2, 60, 0.4};
    size_t found = 0;
    for (size_t i = 0; i < out.table.n_rows; i++) {
        const struct tare_table_cell *row = &out.table.cells[i * out.table.n_columns];
        if (strstr(row[0].text, "alone")) {
            assert_near(row[2].q.value / expected[found++], 1, 0.01);
            assert_int_equal(row[2].q.kind, TARE_KIND_MODELLED);
        }
    }
    assert_int_equal(found, 3);
    assert_int_equal(at("Chinchilla, approach 3", "value")->type, TARE_CELL_ABSENT);
    assert_non_null(strstr(at("Kaplan L(D)", "value")->text, "same D"));
    assert_true(noted("method, not physics") && noted("another architecture"));
    end();
}

static void test_elue(void **state)
{
    (void)state;
    fixture_begin(NULL);
    ladder_cell("small", "baseline", 0.5, 100, 0.001);
    ladder_cell("large", "baseline", 0.7, 300, 0.001);
    ladder_cell("large", "infer.dynamic.early-exit{threshold=0.5}", 0.65, 200, 0.001);
    ladder_cell("large", "infer.dynamic.early-exit{threshold=0.9}", 0.71, 400, 0.001);
    build("elue", "performance=acc\nflops=cost");
    /* 0.05 above the curve at 200, and 0.01 above its end, which is clamped to: their mean. */
    const struct tare_quantity *q = &at("large + infer.dynamic.early-exit{threshold=0.5}", "elue")->q;
    assert_near(q->value, 0.03, 1e-12);
    assert_string_equal(q->flags, "CLAMPED");
    assert_true(q->has_interval && q->low < 0.03 && q->high > 0.03);
    assert_int_equal(at("small", "elue")->type, TARE_CELL_ABSENT);
    assert_true(noted("small; large"));
    end();
}

static void test_compression_law(void **state)
{
    (void)state;
    static const char *const tags[] = {"baseline",
                                       "infer.compress.prune.unstructured{method=magnitude,sparsity=0.25}",
                                       "infer.compress.prune.unstructured{method=magnitude,sparsity=0.5}",
                                       "infer.compress.prune.unstructured{sparsity=0.75,method=magnitude}",
                                       "infer.compress.prune.unstructured{pattern=2:4}"};
    static const double density[] = {1, 0.75, 0.5, 0.25, 0.5};
    fixture_begin("m");
    for (size_t i = 0; i < 5; i++) {
        (void)fixture_cell("m", tags[i], "text");
        fixture_figure("bits_per_byte", 1 + 0.5 * pow(density[i], -1.5), "bit/B", 0.01);
    }
    (void)fixture_cell("m", "infer.compress.quant.weight{bits=4}", "text"); /* another family */
    fixture_figure("bits_per_byte", 9, "bit/B", 0.01);
    build("compression-law", "axis=sparsity\nresamples=0");
    assert_int_equal(out.table.n_rows, 5 + 3);
    assert_near(at("law: E", "law")->q.value, 1, 1e-3);
    assert_near(at("law: A", "law")->q.value, 0.5, 1e-3);
    assert_near(at("law: alpha", "law")->q.value, 1.5, 1e-3);
    assert_int_equal(at("law: alpha", "law")->q.kind, TARE_KIND_MODELLED);
    assert_near(at("m", "x")->q.value, 1, 0);
    assert_near(at("m", "law")->q.value, 1.5, 1e-4);
    end();
    build("compression-law", "axis=rank");
    assert_non_null(strstr(at("m", "law")->text, "too few"));
    end();
}

/* Requests of f(100) = 1 s and f(200) = 3 s and 10 ms a token, each also once with 50 ms of contention. */
static int helm_column(void *ctx, int64_t cell_id, enum tare_column column, double **values, size_t *n,
                       struct tare_err *err)
{
    (void)ctx;
    (void)err;
    static const double first_s[] = {1, 3, 3}, n_in[] = {100, 200, 200}, n_out[] = {51, 11, 101};
    double latency = first_s[cell_id] + 0.01 * (n_out[cell_id] - 1);
    *values = malloc(3 * sizeof **values);
    assert_non_null(*values);
    *n = 3;
    for (size_t i = 0; i < 3; i++) {
        double late = i == 1 ? 0.05 : 0;
        (*values)[i] = column == TARE_COLUMN_WORK      ? 2097152 * n_in[cell_id] + 2 * n_out[cell_id]
                       : column == TARE_COLUMN_TTFT_NS ? 1e9 * (first_s[cell_id] + late)
                                                       : 1e9 * (latency + late);
    }
    return 0;
}

static void test_helm(void **state)
{
    (void)state;
    fixture_begin(NULL);
    (void)fixture_cell("m", "baseline", "a");
    (void)fixture_cell("m", "baseline", "b");
    (void)fixture_cell("m", "baseline", "c");
    struct tare_report_input input = *fixture_input();
    const struct tare_score *score = NULL;
    input.column = helm_column;
    assert_int_equal(tare_find_score("helm", &score, NULL), 0);
    assert_int_equal(tare_score_build(score, &input, "prompt_tok=150\noutput_tok=21", &out, NULL), 0);
    assert_int_equal(out.table.n_rows, 2); /* median and minimum, both free of the late ones */
    for (size_t i = 0; i < 2; i++) {
        const struct tare_table_cell *row = &out.table.cells[i * out.table.n_columns];
        assert_string_equal(row[2].text, "100 to 200");
        assert_near(row[3].q.value, 1, 1e-9);
        assert_near(row[4].q.value, 3, 1e-9);
        assert_near(row[5].q.value, 0.01, 1e-11);
        assert_near(row[7].q.value, 3 * 150 / 200.0 + 0.2, 1e-9);
        assert_int_equal(row[7].q.kind, TARE_KIND_MODELLED);
    }
    end();
}

static void test_names(void **state)
{
    (void)state;
    const struct tare_score *score = NULL;
    struct tare_err err = {0};
    assert_int_equal(tare_find_score("break_even", &score, &err), 0);
    assert_string_equal(score->name, "break-even");
    assert_int_equal(tare_find_score("paretto", &score, &err), TARE_E_USAGE);
    assert_non_null(strstr(err.msg, "pareto"));
    assert_int_equal(tare_score_build(score, fixture_input(), "nonsense", &out, &err), TARE_E_USAGE);
    assert_int_equal(tare_score_build(score, fixture_input(), "cots=1", &out, &err), TARE_E_USAGE);
    assert_non_null(strstr(err.msg, "cost"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),           cmocka_unit_test(test_bare),
        cmocka_unit_test(test_pareto),          cmocka_unit_test(test_iso_quality),
        cmocka_unit_test(test_break_even),      cmocka_unit_test(test_lra),
        cmocka_unit_test(test_efficientqa),     cmocka_unit_test(test_sustainlp),
        cmocka_unit_test(test_msmarco),         cmocka_unit_test(test_scaling_file),
        cmocka_unit_test(test_scaling_ladder),  cmocka_unit_test(test_elue),
        cmocka_unit_test(test_compression_law), cmocka_unit_test(test_helm),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
