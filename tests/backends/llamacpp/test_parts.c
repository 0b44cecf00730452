/* SPDX-License-Identifier: Apache-2.0 */
/* What needs no model: the version, the log's lines about memory, tensors by name, options, drawing. */
#include "llamacpp.h"
#include "sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka needs the four above */
#include <cmocka.h>

static void test_another_version_is_refused(void **state)
{
    struct tare_err err = {0};
    (void)state;
    assert_int_equal(tare_llamacpp_check_version("0.5.0-dev", "0.5.0-dev", &err), 0);
    static const char *const others[] = {"0.5.0", "0.5.1-dev", "", "0.5.0-dev1", NULL};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(tare_llamacpp_check_version("0.5.0-dev", others[i], &err), TARE_E_PLUGIN);
        assert_non_null(strstr(err.msg, "0.5.0-dev"));
    }
    assert_int_equal(tare_llamacpp_start(&err), 0); /* the one that this was linked with */
}

static void test_lines_of_the_log_add_up(void **state)
{
    static const char *const lines[] = {
        "load_tensors:   CPU_Mapped model buffer size =    85.90 MiB",
        "load_tensors:   CPU_REPACK model buffer size =    67.20 MiB",
        "load_tensors:        CUDA0 model buffer size =  1000.00 MiB",
        "llama_kv_cache:        CPU KV buffer size =    11.50 MiB",
        "llama_kv_cache:        CPU KV buffer size =     1.00 MiB", /* a second cache, of a sliding window */
        "sched_reserve:        CPU compute buffer size =     3.76 MiB",
        "sched_reserve:        CPU compute buffer size =     4.00 MiB", /* made anew */
        "sched_reserve:      CUDA0 compute buffer size =     2.00 MiB",
        "load_tensors: something else",
        "x model buffer size = none",
        " model buffer size = 1.00 GiB",
    };
    struct tare_llamacpp_memory m = {0};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        tare_llamacpp_memory_line(&m, lines[i]);
    }
    const double mib = 1024 * 1024;
    assert_true(fabs(m.bytes[TARE_LLAMACPP_WEIGHTS] - 1085.9 * mib) < 1);
    assert_true(fabs(m.bytes[TARE_LLAMACPP_REPACKED] - 67.2 * mib) < 1);
    assert_true(fabs(m.bytes[TARE_LLAMACPP_KV] - 12.5 * mib) < 1);
    assert_true(fabs(m.bytes[TARE_LLAMACPP_COMPUTE] - 6.0 * mib) < 1);
    assert_int_equal(m.lines[TARE_LLAMACPP_WEIGHTS], 2);
    assert_int_equal(m.lines[TARE_LLAMACPP_RECURRENT], 0);
}

static void test_tensors_by_name(void **state)
{
    struct tare_llamacpp_tensors t = {0};
    (void)state;
    tare_llamacpp_tensors_add(&t, "token_embd.weight", (const int64_t[4]){64, 100, 1, 1}, 12800, 0.25);
    tare_llamacpp_tensors_add(&t, "blk.0.attn_q.weight", (const int64_t[4]){64, 64, 1, 1}, 8192, 0.25);
    tare_llamacpp_tensors_add(&t, "blk.0.ffn_up_exps.weight", (const int64_t[4]){64, 32, 8, 1}, 32768, 0.25);
    tare_llamacpp_tensors_add(&t, "blk.0.attn_norm.weight", (const int64_t[4]){64, 1, 1, 1}, 256, 0.25);
    struct tare_llamacpp_tensors untied = t;
    tare_llamacpp_tensors_end(&t);
    assert_true(t.tied);
    assert_int_equal(t.head, 6400);
    assert_int_equal(t.head_bytes, 12800);
    assert_int_equal(t.params, 6400 + 4096 + 16384 + 64);
    assert_int_equal(t.active, 6400 + 4096 + 4096 + 64);
    assert_int_equal(t.matrix, 4096 + 4096); /* two of eight experts */
    assert_int_equal(t.matrix_bytes, 8192 + 8192);
    assert_int_equal(t.vector_bytes, 256);
    tare_llamacpp_tensors_add(&untied, "output.weight", (const int64_t[4]){64, 100, 1, 1}, 25600, 0.25);
    tare_llamacpp_tensors_end(&untied);
    assert_false(untied.tied);
    assert_int_equal(untied.head_bytes, 25600);
}

static void test_lora_and_its_scale(void **state)
{
    static const struct {
        const char *text, *path;
        double scale;
    } cases[] = {
        {"a.gguf", "a.gguf", 1},
        {"a.gguf:0.5", "a.gguf", 0.5},
        {"/x:y/a.gguf", "/x:y/a.gguf", 1},
        {"c:/a.gguf:2", "c:/a.gguf", 2},
        {"a:-1", "a", -1},
        {"a:", "a:", 1},
    };
    char path[64];
    float scale = 0;
    struct tare_err err = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(tare_llamacpp_split_lora(cases[i].text, path, sizeof path, &scale, &err), 0);
        assert_string_equal(path, cases[i].path);
        assert_true((double)scale == cases[i].scale);
    }
    assert_int_equal(tare_llamacpp_split_lora(":1", path, sizeof path, &scale, &err), TARE_E_USAGE);
    assert_int_equal(tare_llamacpp_split_lora("a:nan", path, sizeof path, &scale, &err), TARE_E_USAGE);
}

static void test_drawing(void **state)
{
    static const float ties[] = {1, 3, 3, -INFINITY}, broken[] = {1, NAN, 2, 0}, none[] = {NAN, 1, 2, 3};
    const float two[] = {logf(3), 0, -INFINITY, -INFINITY}; /* 3/4 and 1/4 */
    double room[4];
    struct tare_rng rng, copy;
    int first = 0;
    (void)state;
    tare_rng_init(&rng, 5);
    copy = rng;
    assert_int_equal(tare_llamacpp_draw(room, ties, 4, 0, &rng), 1);
    assert_memory_equal(&rng, &copy, sizeof rng); /* greedy draws no number */
    assert_int_equal(tare_llamacpp_draw(room, broken, 4, 0, &rng), 2);
    assert_int_equal(tare_llamacpp_draw(room, none, 4, 0, &rng), -1);
    for (int i = 0; i < 4000; i++) {
        int32_t id = tare_llamacpp_draw(room, two, 4, 1, &rng);
        assert_true(id == 0 || id == 1);
        first += id == 0;
    }
    assert_in_range(first, 2890, 3110); /* 3000 within four standard deviations of 27.4 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_version_is_refused),
        cmocka_unit_test(test_lines_of_the_log_add_up),
        cmocka_unit_test(test_tensors_by_name),
        cmocka_unit_test(test_lora_and_its_scale),
        cmocka_unit_test(test_drawing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
