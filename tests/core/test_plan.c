/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans: keys and their faults, defaults and labels, the matrix with its filters, what the command line
 * changes, and the order of blocks. Paths are made up, but for backends: empty files with their names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "core/noise.h"
#include "core/plan.h"

static struct tare_paths paths;
static const char *const backends[] = {"null", "native"};

static void backend_path(const char *name, char *out, size_t n_out)
{
    assert_in_range(snprintf(out, n_out, "%s/%s.so", paths.backends, name), 1, n_out - 1);
}

static int make_paths(void **state)
{
    (void)state;
    assert_int_equal(unsetenv("TARE_BACKEND_PATH"), 0);
    (void)strcpy(paths.exe, "/made/up/tare");
    (void)strcpy(paths.data, "/made/up/data");
    (void)strcpy(paths.zoo, "/made/up/zoo");
    (void)strcpy(paths.backends, "/tmp/tare_plan_XXXXXX");
    if (!mkdtemp(paths.backends)) {
        return -1;
    }
    for (size_t i = 0; i < 2; i++) {
        char path[TARE_PATH_MAX];
        backend_path(backends[i], path, sizeof path);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_int_equal(fclose(file), 0);
    }
    return 0;
}

static int remove_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char path[TARE_PATH_MAX];
        backend_path(backends[i], path, sizeof path);
        assert_int_equal(unlink(path), 0);
    }
    return rmdir(paths.backends);
}

static struct tare_plan read_plan(const char *text, const struct tare_json *changes)
{
    struct tare_plan plan;
    struct tare_err err = {0};
    if (tare_plan_parse(text, strlen(text), "plan.json", changes, &paths, &plan, &err) != 0) {
        fail_msg("%s\n%s", text, err.msg);
    }
    return plan;
}

static void assert_refused(const char *text, const struct tare_json *changes, const char *says)
{
    struct tare_plan plan, before;
    struct tare_err err = {0};
    memset(&plan, 0x55, sizeof plan);
    before = plan;
    int r = tare_plan_parse(text, strlen(text), "plan.json", changes, &paths, &plan, &err);
    if (r >= 0 || err.code != r || !strstr(err.msg, says)) {
        fail_msg("%s\n%d (%d), \"%s\" lacks \"%s\"", text, r, err.code, err.msg, says);
    }
    assert_memory_equal(&plan, &before, sizeof plan);
}

static struct tare_json *spec_of(const struct tare_plan *plan, size_t cell)
{
    struct tare_json *json = NULL;
    assert_int_equal(
        tare_json_parse(plan->cells[cell].spec, strlen(plan->cells[cell].spec), "spec", &json, NULL), 0);
    return json;
}

#define LEAST "\"tare\": 1, \"models\": [{\"backend\": \"null\"}], \"tasks\": [{\"task\": \"tokens\"}]"

static void test_least(void **state)
{
    (void)state;
    struct tare_plan plan = read_plan("{" LEAST "}", NULL);
    assert_string_equal(plan.options.name, "plan");
    assert_int_equal(plan.options.seed, 1);
    assert_int_equal(plan.options.repeats, 6); /* the fewest that give the median a 95 % interval */
    assert_int_equal(plan.options.time_limit_ns, INT64_C(600000000000));
    assert_int_equal(plan.options.memory_limit_bytes, 0);
    assert_null(plan.options.baseline);
    assert_int_equal(plan.options.noise, TARE_NOISE_FLAG);
    assert_int_equal(plan.n_cells, 1);
    assert_string_equal(plan.cells[0].backend, "null");
    assert_string_equal(plan.cells[0].model, "null");
    assert_string_equal(plan.cells[0].technique, "baseline");
    assert_string_equal(plan.cells[0].task, "tokens");
    assert_string_equal(plan.cells[0].scenario, "single");
    assert_null(plan.cells[0].backend_options);
    struct tare_json *spec = spec_of(&plan, 0);
    char path[TARE_PATH_MAX];
    backend_path("null", path, sizeof path);
    assert_string_equal(tare_json_str(tare_json_get(spec, "backend")), path);
    assert_string_equal(tare_json_str(tare_json_get(spec, "data_dir")), "/made/up/data");
    assert_string_equal(tare_json_str(tare_json_get(spec, "task")), "tokens");
    assert_null(tare_json_get(spec, "model"));
    assert_null(tare_json_get(spec, "technique"));
    assert_true(tare_json_num(tare_json_get(spec, "warmup")) == 2);
    assert_true(tare_json_num(tare_json_get(spec, "seed")) == 1);
    tare_json_destroy(spec);
    tare_plan_fini(&plan);
    assert_null(plan.cells);
}

static void test_full(void **state)
{
    (void)state;
    struct tare_plan plan = read_plan(
        "{\"tare\": 1, \"name\": \"n\", \"seed\": 9007199254740991, \"repeats\": 3, \"time_limit\": \"90s\","
        " \"memory_limit\": \"2GiB\", \"baseline\": \"llama-1m\", \"noise\": \"void\","
        " \"models\": [{\"backend\": \"native\", \"path\": \"zoo:llama-1m\", \"technique\": \"t{bits=4}\","
        "   \"options\": {\"threads\": 2}}, {\"backend\": \"native\", \"path\": \"/m/b.gguf\", \"name\": "
        "\"other\"}],"
        " \"tasks\": [{\"task\": \"text\", \"name\": \"prose\", \"options\": {\"items\": 4}}],"
        " \"scenarios\": [{\"name\": \"long\", \"warmup\": 0, \"window_tok\": 64}]}",
        NULL);
    assert_int_equal(plan.options.time_limit_ns, INT64_C(90000000000));
    assert_int_equal(plan.options.memory_limit_bytes, INT64_C(2147483648));
    assert_string_equal(plan.options.baseline, "llama-1m");
    assert_int_equal(plan.options.noise, TARE_NOISE_VOID);
    assert_int_equal(plan.n_cells, 2);
    assert_string_equal(plan.cells[0].model, "llama-1m");
    assert_string_equal(plan.cells[0].technique, "t{bits=4}"); /* the model embodies it */
    assert_string_equal(plan.cells[0].task, "prose");
    assert_string_equal(plan.cells[0].scenario, "long");
    assert_true(tare_json_num(tare_json_get(plan.cells[0].backend_options, "threads")) == 2);
    assert_string_equal(plan.cells[1].model, "other");
    assert_string_equal(plan.cells[1].technique, "baseline");
    struct tare_json *spec = spec_of(&plan, 0);
    assert_string_equal(tare_json_str(tare_json_get(spec, "model")), "/made/up/zoo/llama-1m.safetensors");
    assert_null(tare_json_get(spec, "technique")); /* nothing is left to apply */
    assert_string_equal(tare_json_str(tare_json_get(spec, "task")), "text");
    assert_true(tare_json_num(tare_json_get(tare_json_get(spec, "options"), "threads")) == 2);
    assert_true(tare_json_num(tare_json_get(tare_json_get(spec, "task_options"), "items")) == 4);
    assert_true(tare_json_num(tare_json_get(spec, "warmup")) == 0);
    assert_true(tare_json_num(tare_json_get(spec, "window_tok")) == 64);
    assert_true(tare_json_num(tare_json_get(spec, "memory_limit_bytes")) == 2147483648.0);
    assert_true(tare_json_num(tare_json_get(spec, "seed")) == 9007199254740991.0);
    tare_json_destroy(spec);
    tare_plan_fini(&plan);
}

static void test_labels(void **state)
{
    (void)state;
    static const struct {
        const char *model, *label;
    } cases[] = {
        {"\"path\": \"zoo:llama-0.1m\"", "llama-0.1m"}, /* the dot is no extension */
        {"\"path\": \"/models/llama-0.5m.safetensors\"", "llama-0.5m"},
        {"\"path\": \"here/model\"", "model"},
        {"\"path\": \"dir.d/model\"", "model"},
        {"\"path\": \"dir/.hidden\"", ".hidden"},
        {"\"path\": \"dir/\"", "null"},
        {"\"path\": \"x.gguf\", \"name\": \"mine\"", "mine"},
        {"\"path\": null", "null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[500];
        (void)snprintf(
            text, sizeof text,
            "{\"tare\": 1, \"models\": [{\"backend\": \"null\", %s}], \"tasks\": [{\"task\": \"tokens\"}]}",
            cases[i].model);
        struct tare_plan plan = read_plan(text, NULL);
        assert_string_equal(plan.cells[0].model, cases[i].label);
        tare_plan_fini(&plan);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "plan.json"},
        {"{\"tare\": 1,}", "line 1"},
        {"[]", "JSON object"},
        {"{}", "\"tare\""},
        {"{\"tare\": 2}", "tare"},
        {"{\"tare\": \"1\"}", "tare"},
        {"{" LEAST ", \"tare\": 1}", "twice"},
        {"{\"tare\": 1}", "\"models\""},
        {"{\"tare\": 1, \"models\": [{\"backend\": \"null\"}]}", "\"tasks\""},
        {"{\"tare\": 1, \"models\": [], \"tasks\": [{\"task\": \"tokens\"}]}", "\"models\""},
        {"{\"tare\": 1, \"models\": {}, \"tasks\": [{\"task\": \"tokens\"}]}", "\"models\""},
        {"{\"tare\": 1, \"models\": [\"null\"], \"tasks\": [{\"task\": \"tokens\"}]}", "models[0]"},
        {"{\"tare\": 1, \"models\": [{}], \"tasks\": [{\"task\": \"tokens\"}]}", "\"backend\""},
        {"{\"tare\": 1, \"models\": [{\"backend\": \"nul\"}], \"tasks\": [{\"task\": \"tokens\"}]}", "null"},
        {"{\"tare\": 1, \"models\": [{\"backend\": \"null\", \"path\": 5}], \"tasks\": [{\"task\": "
         "\"tokens\"}]}",
         "path"},
        {"{\"tare\": 1, \"models\": [{\"backend\": \"null\", \"pth\": \"x\"}], \"tasks\": [{\"task\": "
         "\"tokens\"}]}",
         "did you mean \"path\""},
        {"{\"tare\": 1, \"models\": [{\"backend\": \"null\", \"options\": []}], \"tasks\": [{\"task\": "
         "\"tokens\"}]}",
         "options"},
        {"{\"tare\": 1, \"models\": [{\"backend\": \"null\"}, {\"backend\": \"null\"}], "
         "\"tasks\": [{\"task\": \"tokens\"}]}",
         "two entries of \"models\""},
        {"{\"tare\": 1, \"models\": [{\"backend\": \"null\"}], \"tasks\": [{\"task\": \"tokens\"}, "
         "{\"task\": \"text\", \"name\": \"tokens\"}]}",
         "two entries of \"tasks\""},
        {"{\"tare\": 1, \"models\": [{\"backend\": \"null\"}], \"tasks\": [{\"task\": \"toknes\"}]}",
         "tokens"},
        {"{\"tare\": 1, \"models\": [{\"backend\": \"null\"}], \"tasks\": [{\"name\": \"x\"}]}", "\"task\""},
        {"{\"tare\": 1, \"models\": [{\"backend\": \"null\"}], \"tasks\": [{\"task\": \"tokens\", "
         "\"options\": {\"item\": 4}}]}",
         "did you mean \"items\""},
        {"{\"tare\": 1, \"models\": [{\"backend\": \"null\"}], \"tasks\": [{\"task\": \"tokens\", "
         "\"options\": {\"items\": 0}}]}",
         "tasks[0]"},
        {"{" LEAST ", \"repeat\": 2}", "did you mean \"repeats\""},
        {"{" LEAST ", \"scenario\": []}", "did you mean \"scenarios\""},
        {"{" LEAST ", \"repeats\": 0}", "repeats"},
        {"{" LEAST ", \"repeats\": 1.5}", "repeats"},
        {"{" LEAST ", \"seed\": -1}", "seed"},
        {"{" LEAST ", \"time_limit\": \"5 minutes\"}", "time_limit"},
        {"{" LEAST ", \"baseline\": \"nul\"}", "baseline"},
        {"{" LEAST ", \"scenarios\": [{\"scenario\": \"flood\"}]}", "flood"},
        {"{" LEAST ", \"scenarios\": [{\"warmup\": -1}]}", "warmup"},
        {"{" LEAST ", \"scenarios\": [{\"options\": {}}]}", "options"},
        {"{" LEAST ", \"techniques\": [{\"technique\": \"t\", \"options\": {}}]}", "options"},
        {"{" LEAST ", \"include\": {}}", "arrays"},
        {"{" LEAST ", \"include\": []}", "no cell"},
        {"{" LEAST ", \"include\": [\"null\"]}", "filter"},
        {"{" LEAST ", \"exclude\": [{\"modle\": \"*\"}]}", "modle"},
        {"{" LEAST ", \"exclude\": [{\"model\": 5}]}", "model"},
        {"{" LEAST ", \"exclude\": [{\"model\": \"*\"}]}", "no cell"},
        {"{" LEAST ", \"exclude\": [{}]}", "no cell"},
        {"{" LEAST ", \"include\": [{\"task\": \"text\"}]}", "no cell"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_refused(cases[i].text, NULL, cases[i].says);
    }
}

#define MATRIX                                                                                         \
    "\"tare\": 1, \"models\": [{\"backend\": \"null\", \"name\": \"a-1\"}, {\"backend\": \"native\", " \
    "\"name\": \"a-2\"}, {\"backend\": \"null\", \"name\": \"b\"}], \"techniques\": [{\"technique\": " \
    "\"none\", \"name\": \"plain\"}, {\"technique\": \"t{bits=4}\", \"name\": \"q4\"}], \"tasks\": "   \
    "[{\"task\": \"tokens\"}, {\"task\": \"text\"}], \"scenarios\": [{\"name\": \"s\"}, {\"name\": \"l\"}]"

/* "model technique task scenario" of each cell, in order. */
static void assert_cells(const char *filters, const char *expected)
{
    char text[2000];
    (void)snprintf(text, sizeof text, "{" MATRIX "%s}", filters);
    struct tare_plan plan = read_plan(text, NULL);
    struct tare_buf cells;
    tare_buf_init(&cells, 10000);
    for (size_t i = 0; i < plan.n_cells; i++) {
        const struct tare_cell *c = &plan.cells[i];
        tare_buf_printf(&cells, "%s %s %s %s\n", c->model, c->technique, c->task, c->scenario);
    }
    assert_string_equal(tare_buf_str(&cells), expected);
    tare_buf_fini(&cells);
    tare_plan_fini(&plan);
}

static void test_matrix(void **state)
{
    (void)state;
    static const char *const models[] = {"a-1", "a-2", "b"}, *const techniques[] = {"baseline", "q4"};
    static const char *const tasks[] = {"tokens", "text"}, *const scenarios[] = {"s", "l"};
    struct tare_buf all;
    tare_buf_init(&all, 10000);
    for (int i = 0; i < 24; i++) { /* models slowest, scenarios fastest */
        tare_buf_printf(&all, "%s %s %s %s\n", models[i / 8], techniques[i / 4 % 2], tasks[i / 2 % 2],
                        scenarios[i % 2]);
    }
    assert_cells("", tare_buf_str(&all));
    assert_cells(", \"include\": [{\"model\": \"*\"}]", tare_buf_str(&all));
    assert_cells(", \"exclude\": []", tare_buf_str(&all));
    tare_buf_fini(&all);
}

static void test_filters(void **state)
{
    (void)state;
    static const struct {
        const char *filters, *cells;
    } cases[] = {
        {"\"include\": [{\"model\": \"b\", \"technique\": \"q4\", \"scenario\": \"l\"}]",
         "b q4 tokens l\nb q4 text l\n"}, /* all keys of a filter must match */
        {"\"include\": [{\"model\": \"b\", \"task\": \"text\", \"scenario\": \"s\"}, {\"model\": \"a-2\", "
         "\"task\": \"text\", \"scenario\": \"s\"}], \"exclude\": [{\"technique\": \"q?\"}]",
         "a-2 baseline text s\nb baseline text s\n"}, /* one filter of a list must; the matrix keeps its order
                                                       */
        {"\"exclude\": [{\"model\": \"a-*\"}, {\"task\": \"to*\"}, {\"scenario\": \"s\"}]",
         "b baseline text l\nb q4 text l\n"},
        {"\"include\": [{\"technique\": \"plain\", \"model\": \"a-[1]\"}], \"exclude\": [{\"scenario\": "
         "\"l\"}]",
         "a-1 baseline tokens s\na-1 baseline text s\n"},
        {"\"include\": [{\"model\": \"b\"}], \"exclude\": [{\"model\": \"b\", \"task\": \"tokens\"}, "
         "{\"scenario\": "
         "\"l\"}]",
         "b baseline text s\nb q4 text s\n"}, /* exclude wins */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char filters[500];
        (void)snprintf(filters, sizeof filters, ", %s", cases[i].filters);
        assert_cells(filters, cases[i].cells);
    }
}

static void test_technique_is_applied(void **state)
{
    (void)state;
    struct tare_plan plan =
        read_plan("{" MATRIX ", \"include\": [{\"model\": \"b\", \"task\": \"text\"}]}", NULL);
    for (size_t i = 0; i < plan.n_cells; i++) {
        struct tare_json *spec = spec_of(&plan, i);
        const char *applied = tare_json_str(tare_json_get(spec, "technique"));
        bool q4 = strcmp(plan.cells[i].technique, "q4") == 0;
        assert_true(q4 ? applied && strcmp(applied, "t{bits=4}") == 0 : !applied);
        tare_json_destroy(spec);
    }
    tare_plan_fini(&plan);
}

static void test_too_many(void **state)
{
    (void)state;
    struct tare_buf text;
    tare_buf_init(&text, 1 << 20);
    tare_buf_add_str(&text, "{\"tare\": 1, \"models\": [");
    for (int i = 0; i < 400; i++) {
        tare_buf_printf(&text, "%s{\"backend\": \"null\", \"name\": \"m%d\"}", i ? "," : "", i);
    }
    tare_buf_add_str(&text, "], \"tasks\": [");
    for (int i = 0; i < 300; i++) {
        tare_buf_printf(&text, "%s{\"task\": \"tokens\", \"name\": \"t%d\"}", i ? "," : "", i);
    }
    tare_buf_add_str(&text, "]}");
    assert_refused(tare_buf_str(&text), NULL, "100000");
    tare_buf_fini(&text);
}

/* What the command line says replaces what the file says, be it text or numbers. */
static void test_changes(void **state)
{
    (void)state;
    for (int as_text = 0; as_text < 2; as_text++) {
        struct tare_json *changes = tare_json_new_object();
        if (as_text) {
            tare_json_add_str(changes, "repeats", "2");
            tare_json_add_str(changes, "time_limit", "5s");
        } else {
            tare_json_add_i64(changes, "repeats", 2);
            tare_json_add_i64(changes, "time_limit", 5000000000);
        }
        struct tare_json *task = tare_json_add_object(tare_json_add_array(changes, "tasks"), NULL);
        tare_json_add_str(task, "task", "text");
        struct tare_plan plan = read_plan("{" LEAST ", \"repeats\": 9, \"seed\": 4}", changes);
        tare_json_destroy(changes);
        assert_int_equal(plan.options.repeats, 2);
        assert_int_equal(plan.options.time_limit_ns, INT64_C(5000000000));
        assert_int_equal(plan.options.seed, 4); /* stays */
        assert_int_equal(plan.n_cells, 1);
        assert_string_equal(plan.cells[0].task, "text");
        assert_int_equal(tare_json_size(tare_json_get(plan.json, "tasks")),
                         1); /* what is stored is what is run */
        tare_plan_fini(&plan);
    }
    struct tare_json *changes = tare_json_new_object();
    tare_json_add_str(changes, "repeats", "few");
    assert_refused("{" LEAST "}", changes, "repeats");
    tare_json_destroy(changes);
    changes = tare_json_new_object();
    tare_json_add_str(changes, "model", "x");
    assert_refused("{" LEAST "}", changes, "did you mean \"models\"");
    tare_json_destroy(changes);
}

static void test_order(void **state)
{
    (void)state;
    enum { n = 50 };
    /* By a separate Python implementation of the generator, its split and the shuffle: seed 1, block 3. */
    static const size_t expected[] = {5, 0, 6, 1, 7, 3, 4, 2};
    size_t order[n], other[n];
    tare_plan_order(1, 3, 8, order);
    assert_memory_equal(order, expected, sizeof expected);
    for (int64_t seed = 1; seed < 4; seed++) {
        for (int64_t block = 0; block < 20; block++) {
            bool seen[n] = {false};
            tare_plan_order(seed, block, n, order);
            for (size_t i = 0; i < n; i++) {
                assert_true(order[i] < n && !seen[order[i]]);
                seen[order[i]] = true;
            }
            tare_plan_order(seed, block, n, other);
            assert_memory_equal(order, other, sizeof order); /* again the same */
            tare_plan_order(seed, block + 1, n, other);
            assert_memory_not_equal(order, other, sizeof order);
            tare_plan_order(seed + 1, block, n, other);
            assert_memory_not_equal(order, other, sizeof order);
        }
    }
    tare_plan_order(1, 0, 1, order);
    assert_int_equal(order[0], 0);
    tare_plan_order(1, 0, 0, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_least),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_matrix),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_technique_is_applied),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests(tests, make_paths, remove_paths);
}
