/* SPDX-License-Identifier: Apache-2.0 */
/* Answers against the known truth of small models, and of a llama fed in every way against itself. */
#include "driven.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <tare/rng.h>

static const int32_t ids[] = {0, 5, 31, 2, 2, 17, 9, 0, 30, 3};
enum { n_ids = sizeof ids / sizeof ids[0] };

/* Rows of d against table + shift per position, exactly. */
static void check_rows(const struct driven *d, const int32_t *fed, const float *shift, const char *what)
{
    for (uint32_t i = 0; i < d->n_rows; i++) {
        uint32_t at = d->first_position + i;
        for (int32_t b = 0; b < driven_vocab; b++) {
            float want = driven_truth(fed[at], b) + (shift ? shift[at] : 0);
            float got = d->rows[i * driven_vocab + (uint32_t)b];
            if (fabsf(got - want) > 1e-5F) {
                fail_msg("%s: after token %u, id %d: %g instead of %g", what, at, b, (double)got,
                         (double)want);
            }
        }
    }
}

static void test_tables(void **state)
{
    (void)state;
    static const char *const models[] = {"bigram.onnx", "f16.onnx", "bf16.onnx", "open.onnx", "outside.onnx"};
    (void)driven_library();
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        struct driven d;
        driven_start(&d, driven_model(models[i]), NULL);
        assert_int_equal(d.facts.n_vocab, driven_vocab);
        assert_int_equal(d.facts.n_ctx, driven_ctx);
        assert_int_equal(d.facts.bos, 0);
        assert_int_equal(d.facts.kv_bytes_per_token, 0);
        assert_int_equal(d.facts.params_total, TARE_UNKNOWN);
        assert_string_equal(d.facts.arch, "table");
        driven_rows(&d, ids, n_ids, 1, 0);
        check_rows(&d, ids, NULL, models[i]);
        driven_rows(&d, ids, n_ids, 4, n_ids); /* the hint changes nothing */
        check_rows(&d, ids, NULL, models[i]);
        driven_stop(&d);
    }
}

static void test_types(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        const char *dtype;
    } rows[] = {
        {"bigram.onnx", "float32 logits"}, {"f16.onnx", "float16 logits"}, {"bf16.onnx", "bfloat16 logits"}};
    (void)driven_library();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct driven d;
        driven_start(&d, driven_model(rows[i].model), NULL);
        assert_string_equal(d.facts.dtype, rows[i].dtype);
        driven_stop(&d);
    }
}

/* A score request feeds all but the last token and answers by rows. */
static void test_scores(void **state)
{
    (void)state;
    struct driven d;
    struct tare_err err = {0};
    (void)driven_library();
    driven_start(&d, driven_model("bigram.onnx"), NULL);
    struct tare_request r = {.kind = TARE_REQUEST_SCORE, .tokens = ids, .n_tokens = n_ids, .first = 3};
    assert_int_equal(driven_submit(&d, &r, &err), 0);
    assert_int_equal(d.first_position, 2);
    assert_int_equal(d.n_rows, n_ids - 3);
    check_rows(&d, ids, NULL, "score");
    driven_stop(&d);
}

/* 0, 1, 2, ... and ones for all tokens, as the file asks for them. */
static void test_positions_and_mask(void **state)
{
    (void)state;
    struct driven d;
    float shift[n_ids];
    (void)driven_library();
    driven_start(&d, driven_model("posed.onnx"), NULL);
    for (uint32_t n = 1; n <= n_ids; n++) {
        for (uint32_t i = 0; i < n; i++) {
            shift[i] = (float)i / 2 + (float)n / 4;
        }
        driven_rows(&d, ids, n, 1, 0);
        check_rows(&d, ids, shift, "posed");
    }
    driven_stop(&d);
}

static void sums(const int32_t *fed, uint32_t n, float *shift)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        sum += fed[i];
        shift[i] = (float)sum / 8;
    }
}

/* What is kept, cut and thrown away of the cache, whatever the hint claims. */
static void test_cache_is_cut(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint32_t n, changed_from, first, hint, reused;
    } rows[] = {
        {"all new", n_ids, 0, 1, 0, 0},
        {"the same again, last row asked", n_ids, n_ids, n_ids, n_ids, n_ids - 1},
        {"a shorter one", 5, n_ids, 5, 5, 4},
        {"longer again", n_ids, n_ids, 6, n_ids, 5},
        {"another end", n_ids, 7, n_ids, n_ids, 7},
        {"the hint is too high", n_ids, 3, n_ids, n_ids, 3},
        {"the hint is lower than what is shared", n_ids, n_ids, n_ids, 2, 2},
        {"rows from the start cannot be kept", n_ids, n_ids, 1, n_ids, 0},
        {"no hint", n_ids, n_ids, n_ids, 0, 0},
        {"nothing shared", n_ids, 0, n_ids, n_ids, 0},
    };
    struct driven d;
    double before = 0;
    int32_t last[n_ids];
    (void)driven_library();
    driven_start(&d, driven_model("summed.onnx"), NULL);
    assert_int_equal(d.facts.kv_bytes_per_token, 2 * 3 * 2); /* heads, width, bytes of a half */
    memcpy(last, ids, sizeof last);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        float shift[n_ids];
        int32_t now[n_ids];
        for (uint32_t k = 0; k < n_ids; k++) { /* differs from the request before from there on */
            now[k] = k >= rows[i].changed_from ? (last[k] + 1) % driven_vocab : last[k];
        }
        sums(now, rows[i].n, shift);
        driven_rows(&d, now, rows[i].n, rows[i].first, rows[i].hint);
        check_rows(&d, now, shift, rows[i].what);
        double after = driven_reading(&d, "prefix_reused_tok");
        if (fabs(after - before - rows[i].reused) > 0.5) {
            fail_msg("%s: %g tokens were kept instead of %u", rows[i].what, after - before, rows[i].reused);
        }
        before = after;
        memcpy(last, now, sizeof last);
    }
    assert_true(fabs(driven_reading(&d, "state_bytes_max") - 12 * n_ids) < 0.5);
    driven_stop(&d);
}

static void test_cache_can_be_off(void **state)
{
    (void)state;
    struct driven d;
    float shift[n_ids];
    (void)driven_library();
    driven_start(&d, driven_model("summed.onnx"), (const char *const[]){"reuse_prefix=no", NULL});
    sums(ids, n_ids, shift);
    for (int i = 0; i < 3; i++) {
        driven_rows(&d, ids, n_ids, n_ids, n_ids);
        check_rows(&d, ids, shift, "off");
    }
    assert_true(driven_reading(&d, "prefix_reused_tok") < 0.5);
    driven_stop(&d);
}

static int32_t most_probable(int32_t a)
{
    int32_t best = 0;
    for (int32_t b = 1; b < driven_vocab; b++) {
        best = driven_truth(a, b) > driven_truth(a, best) ? b : best;
    }
    return best;
}

/* The lowest id among equals; as many as asked, or to the end of the context, or until told to stop. */
static void test_greedy(void **state)
{
    (void)state;
    static const char *const models[] = {"bigram.onnx", "f16.onnx", "summed.onnx", "posed.onnx"};
    (void)driven_library();
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        struct driven d;
        struct tare_err err = {0};
        driven_start(&d, driven_model(models[i]), NULL);
        struct tare_request r = {
            .kind = TARE_REQUEST_GENERATE, .tokens = ids, .n_tokens = n_ids, .max_output = 8};
        assert_int_equal(driven_submit(&d, &r, &err), 0);
        assert_int_equal(d.n_tokens, 8);
        int32_t a = ids[n_ids - 1];
        for (uint32_t k = 0; k < d.n_tokens; k++) {
            assert_int_equal(d.tokens[k], most_probable(a));
            a = d.tokens[k];
        }
        r.max_output = 1000; /* the one behind the last position is drawn, but never fed */
        assert_int_equal(driven_submit(&d, &r, &err), 0);
        assert_int_equal(d.n_tokens, driven_ctx - n_ids + 1);
        d.stop_after = 3;
        assert_int_equal(driven_submit(&d, &r, &err), 0);
        assert_int_equal(d.n_tokens, 3);
        assert_int_equal(d.token_bytes, 0); /* no tokenizer */
        driven_stop(&d);
    }
}

/* The third of the greedy tokens is made the one that ends a text: two are given. */
static void test_end_of_text(void **state)
{
    (void)state;
    struct driven d;
    struct tare_err err = {0};
    char option[32];
    int32_t end = ids[n_ids - 1];
    for (int i = 0; i < 3; i++) {
        end = most_probable(end);
    }
    int32_t first = most_probable(ids[n_ids - 1]);
    assert_true(end != first && end != most_probable(first));
    (void)driven_library();
    (void)snprintf(option, sizeof option, "eos=%d", end);
    driven_start(&d, driven_model("summed.onnx"), (const char *const[]){option, NULL});
    struct tare_request r = {
        .kind = TARE_REQUEST_GENERATE, .tokens = ids, .n_tokens = n_ids, .max_output = 8};
    assert_int_equal(driven_submit(&d, &r, &err), 0);
    assert_int_equal(d.n_tokens, 2);
    driven_stop(&d);
}

/* The project's rule, followed here number by number. */
static int32_t draw(int32_t a, double temperature, struct tare_rng *rng)
{
    double p[driven_vocab];
    double sum = 0;
    for (int32_t b = 0; b < driven_vocab; b++) {
        p[b] = exp((double)driven_truth(a, b) / temperature);
        sum += p[b];
    }
    double u = tare_rng_unit(rng);
    double run = 0;
    int32_t b = 0;
    while (b < driven_vocab - 1 && (run += p[b] / sum) <= u) {
        b++;
    }
    return b;
}

static void test_sampled(void **state)
{
    (void)state;
    struct driven d;
    struct tare_err err = {0};
    uint32_t different = 0;
    (void)driven_library();
    driven_start(&d, driven_model("bigram.onnx"), NULL);
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct tare_rng rng;
        struct tare_request r = {.kind = TARE_REQUEST_GENERATE,
                                 .tokens = ids,
                                 .n_tokens = n_ids,
                                 .max_output = 8,
                                 .temperature = 0.75F,
                                 .seed = seed};
        tare_rng_init(&rng, seed);
        assert_int_equal(driven_submit(&d, &r, &err), 0);
        assert_int_equal(d.n_tokens, 8);
        int32_t a = ids[n_ids - 1];
        for (uint32_t k = 0; k < d.n_tokens; k++) {
            different += d.tokens[k] != most_probable(a);
            assert_int_equal(d.tokens[k], draw(a, 0.75, &rng));
            a = d.tokens[k];
        }
    }
    assert_true(different > 500); /* of 1600: it did not just take the best */
    driven_stop(&d);
}

static float gap(const float *a, const float *b, size_t n)
{
    float most = 0;
    for (size_t i = 0; i < n; i++) {
        float here = fabsf(a[i] - b[i]);
        most = !(here <= most) ? here : most;
    }
    return most;
}

/* A trained llama: in one run, token by token over its cache, and without a cache. */
static void test_llama_in_every_way(void **state)
{
    (void)state;
    enum { n = 40 };
    static float whole[n * 1024];
    struct driven cached;
    struct driven plain;
    int32_t text[n] = {0};
    (void)driven_library();
    for (int32_t i = 1; i < n; i++) {
        text[i] = (i * 389 + 97) % 1024;
    }
    driven_start(&cached, driven_model("llama-kv.onnx"), NULL);
    assert_int_equal(cached.facts.n_vocab, 1024);
    assert_int_equal(cached.facts.n_ctx, 512);
    assert_string_equal(cached.facts.name, "llama-0.1m");
    assert_true(cached.facts.kv_bytes_per_token > 0);
    driven_rows(&cached, text, n, 1, 0);
    memcpy(whole, cached.rows, sizeof whole);
    driven_start(&plain, driven_model("llama-plain.onnx"), NULL);
    driven_rows(&plain, text, n, 1, 0);
    assert_true(gap(plain.rows, whole, (size_t)n * 1024) < 1e-3F);
    for (uint32_t k = 1; k <= n; k++) {
        driven_rows(&cached, text, k, k, k - 1);
        assert_true(gap(cached.rows, whole + (size_t)(k - 1) * 1024, 1024) < 1e-3F);
    }
    driven_rows(&cached, text, n, 20, 19); /* many behind a cache: the mask is as long as both */
    assert_true(gap(cached.rows, whole + (size_t)19 * 1024, (size_t)(n - 19) * 1024) < 1e-3F);
    assert_true(driven_reading(&cached, "prefix_reused_tok") > (n - 1) * (n - 2) / 2 - 0.5);
    driven_stop(&plain);
    driven_stop(&cached);
}

static void test_threads_and_levels(void **state)
{
    (void)state;
    static const char *const sets[][4] = {{"threads=2", "spin=yes", NULL},
                                          {"threads=2", "inter_threads=2", NULL},
                                          {"optimise=none", NULL},
                                          {"optimise=basic", "provider=CPUExecutionProvider", NULL},
                                          {"optimise=extended", "provider=CPU", NULL}};
    const int32_t text[] = {0, 300, 20, 1023, 7};
    float one[1024];
    struct driven d;
    (void)driven_library();
    driven_start(&d, driven_model("llama-kv.onnx"), NULL);
    driven_rows(&d, text, 5, 5, 0);
    memcpy(one, d.rows, sizeof one);
    driven_stop(&d);
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        driven_start(&d, driven_model("llama-kv.onnx"), sets[i]);
        driven_rows(&d, text, 5, 5, 0);
        assert_true(gap(d.rows, one, 1024) < 1e-3F);
        driven_stop(&d);
    }
}

static void test_sizes_of_files(void **state)
{
    (void)state;
    struct driven d;
    struct stat file;
    struct stat outside;
    (void)driven_library();
    assert_int_equal(stat(driven_model("outside.onnx"), &file), 0);
    assert_int_equal(stat(driven_model("outside.onnx.data"), &outside), 0);
    driven_start(&d, driven_model("outside.onnx"), NULL);
    assert_int_equal(d.facts.stored_bytes, file.st_size + outside.st_size);
    driven_stop(&d);
    assert_int_equal(stat(driven_model("bigram.onnx"), &file), 0);
    driven_start(&d, driven_model("bigram.onnx"), NULL);
    assert_int_equal(d.facts.stored_bytes, file.st_size);
    driven_stop(&d);
}

static void test_options_of_the_model(void **state)
{
    (void)state;
    struct driven d;
    (void)driven_library();
    driven_start(&d, driven_model("no-context.onnx"), (const char *const[]){"ctx_tok=9", "bos=3", NULL});
    assert_int_equal(d.facts.n_ctx, 9);
    assert_int_equal(d.facts.bos, 3);
    driven_stop(&d);
    driven_start(&d, driven_model("bigram.onnx"), (const char *const[]){"ctx_tok=9", "bos=-1", NULL});
    assert_int_equal(d.facts.n_ctx, 9);
    assert_int_equal(d.facts.bos, TARE_UNKNOWN);
    driven_stop(&d);
}

static void test_memory_is_told(void **state)
{
    (void)state;
    struct driven d;
    (void)driven_library();
    driven_start(&d, driven_model("llama-kv.onnx"), NULL);
    driven_rows(&d, ids, n_ids, 1, 0);
    double taken = driven_reading(&d, "ort_arena_bytes");
    double peak = driven_reading(&d, "ort_arena_peak_bytes");
    assert_true(peak > 100000 && taken >= peak);
    assert_true(driven_reading(&d, "ort_warnings") < 0.5);
    driven_stop(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_positions_and_mask),
        cmocka_unit_test(test_cache_is_cut),
        cmocka_unit_test(test_cache_can_be_off),
        cmocka_unit_test(test_greedy),
        cmocka_unit_test(test_end_of_text),
        cmocka_unit_test(test_sampled),
        cmocka_unit_test(test_llama_in_every_way),
        cmocka_unit_test(test_threads_and_levels),
        cmocka_unit_test(test_sizes_of_files),
        cmocka_unit_test(test_options_of_the_model),
        cmocka_unit_test(test_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
