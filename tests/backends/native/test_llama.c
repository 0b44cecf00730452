/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arithmetic: logits of every shipped model against the zoo's float64 references and against a
 * second implementation, blocks against single steps, and model files that lie.
 */
#include "fixture.h"
#include "reference.h"

#include "account.h"
#include "llama.h"
#include "rowmath.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TOLERANCE 1e-4 /* of a logit; the format promises about this much for float32 */

static const char *const names[] = {"llama-0.1m",    "llama-0.25m", "llama-0.5m",
                                    "llama-0.5m-kd", "llama-1m",    "llama-2m"};
enum { n_names = sizeof names / sizeof names[0] };

struct engine {
    struct tare_model model;
    struct tare_llama llama;
};

static void start(struct engine *e, const char *path)
{
    struct tare_err err = {0};
    memset(e, 0, sizeof *e);
    if (tare_model_load(&e->model, path, &err) < 0 || tare_llama_open(&e->llama, &e->model, &err) < 0) {
        fail_msg("%s", err.msg);
    }
}

static void stop(struct engine *e)
{
    tare_llama_close(&e->llama);
    tare_model_close(&e->model);
}

static void start_zoo(struct engine *e, const char *name)
{
    char file[64];
    char path[512];
    (void)snprintf(file, sizeof file, "%s.safetensors", name);
    fixture_zoo(file, path, sizeof path);
    start(e, path);
}

static double worst_f32(const float *got, const float *want, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double gap = fabs((double)got[i] - (double)want[i]);
        worst = gap <= worst ? worst : gap; /* NaN counts as worst */
    }
    return worst;
}

static void compare_reference(const char *name)
{
    char file[96];
    char path[512];
    (void)snprintf(file, sizeof file, "zoo/refs/%s.ref.safetensors", name);
    fixture_shared(file, path, sizeof path);
    struct tare_safetensors ref = {0};
    struct tare_err err = {0};
    assert_int_equal(tare_safetensors_open(&ref, path, &err), 0);
    const struct tare_tensor *tokens = tare_safetensors_find(&ref, "tokens");
    const struct tare_tensor *logits = tare_safetensors_find(&ref, "logits");
    assert_true(tokens && logits && tokens->n_elements == 64);
    int32_t ids[64];
    memcpy(ids, tokens->data, sizeof ids);
    float *want = malloc(logits->n_bytes);
    assert_non_null(want);
    memcpy(want, logits->data, logits->n_bytes);
    struct engine e;
    start_zoo(&e, name);
    size_t n_vocab = e.model.config.n_vocab;
    assert_int_equal(logits->n_elements, 64 * n_vocab);
    tare_llama_forward(&e.llama, ids, 0, 64);
    double block = worst_f32(tare_llama_logits(&e.llama, 0, 64), want, 64 * n_vocab);
    double step = 0;
    for (uint32_t t = 0; t < 64; t++) {
        tare_llama_forward(&e.llama, ids + t, t, 1);
        step = fmax(step, worst_f32(tare_llama_logits(&e.llama, 0, 1), want + t * n_vocab, n_vocab));
    }
    print_message("%s: largest difference of a logit %.1e as a block, %.1e in steps\n", name, block, step);
    assert_true(block < TOLERANCE && step < TOLERANCE);
    stop(&e);
    free(want);
    tare_safetensors_close(&ref);
}

static void test_references_of_the_zoo(void **state)
{
    (void)state;
    for (int i = 0; i < n_names; i++) {
        compare_reference(names[i]);
    }
}

static void compare_second(const char *path, const char *name, const int32_t *ids, uint32_t n)
{
    struct tare_safetensors st = {0};
    struct tare_err err = {0};
    assert_int_equal(tare_safetensors_open(&st, path, &err), 0);
    struct engine e;
    start(&e, path);
    size_t count = (size_t)n * e.model.config.n_vocab;
    double *want = malloc(count * sizeof *want);
    assert_non_null(want);
    reference_logits(&st, ids, n, want);
    tare_llama_forward(&e.llama, ids, 0, n);
    const float *got = tare_llama_logits(&e.llama, 0, n);
    double worst = 0;
    double spread = 0;
    for (size_t i = 0; i < count; i++) {
        double gap = fabs((double)got[i] - want[i]);
        worst = gap <= worst ? worst : gap;
        spread = fmax(spread, fabs(want[i]));
    }
    print_message("%s: %.1e from the second implementation (largest logit %.1f)\n", name, worst, spread);
    assert_true(worst < TOLERANCE);
    assert_true(spread > 0.01);
    free(want);
    stop(&e);
    tare_safetensors_close(&st);
}

/* Runs without any reference data; crosses the border of a block of 128 rows. */
static void test_second_implementation(void **state)
{
    (void)state;
    int32_t ids[150];
    for (int i = 0; i < 150; i++) {
        ids[i] = i * i * 31 % 1024;
    }
    for (int i = 0; i < n_names; i++) {
        char file[64];
        char path[512];
        (void)snprintf(file, sizeof file, "%s.safetensors", names[i]);
        fixture_zoo(file, path, sizeof path);
        compare_second(path, names[i], ids, i == 0 ? 150 : 8);
    }
}

/* However a window is fed, the last row comes out the same up to rounding. */
static void test_any_split(void **state)
{
    (void)state;
    enum { n = 300 };
    static const uint32_t pieces[] = {1, 2, 3, 127, 128, 129, 299};
    struct engine e;
    start_zoo(&e, "llama-0.25m");
    size_t n_vocab = e.model.config.n_vocab;
    int32_t ids[n];
    for (int i = 0; i < n; i++) {
        ids[i] = (i * 7919 + 13) % 1024;
    }
    float *whole = malloc(n_vocab * sizeof *whole);
    assert_non_null(whole);
    tare_llama_forward(&e.llama, ids, 0, n);
    memcpy(whole, tare_llama_logits(&e.llama, n - 1, 1), n_vocab * sizeof *whole);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        uint32_t last = 0;
        for (uint32_t at = 0; at < n; at += last) {
            last = n - at < pieces[i] ? n - at : pieces[i];
            tare_llama_forward(&e.llama, ids + at, at, last);
        }
        assert_true(worst_f32(tare_llama_logits(&e.llama, last - 1, 1), whole, n_vocab) < TOLERANCE);
    }
    free(whole);
    stop(&e);
}

static void test_exponential(void **state)
{
    (void)state;
    double worst = 0;
    for (double v = -86.9; v <= 0; v += 1e-3) {
        float x[19] = {0};
        x[17] = (float)v; /* in the remainder behind two vectors */
        x[3] = (float)v;
        double sum = (double)tare_row_exp(x, 19);
        double want = exp((double)(float)v);
        assert_true(x[3] == x[17] && x[0] == 1.0F); /* NOLINT: the same bits */
        assert_true(fabs(sum - (17 + 2 * want)) < 1e-5);
        worst = fmax(worst, fabs((double)x[3] / want - 1));
    }
    assert_true(worst < 2e-7);
    float far[3] = {0.0F, -1e30F, -INFINITY};
    assert_true(tare_row_exp(far, 3) == 1.0F && far[1] < 1e-37F && far[2] < 1e-37F);
    float bad[20] = {0};
    bad[5] = NAN;
    assert_true(isnan(tare_row_exp(bad, 20)));
}

static void test_swiglu(void **state)
{
    (void)state;
    float gate[] = {-1e30F, -100.0F, -3.0F, -0.5F, 0.0F, 0.5F, 3.0F, 100.0F, 1e30F, 2.0F, 1.0F};
    const float up[] = {2.0F, 2.0F, 2.0F, 2.0F, 2.0F, 2.0F, 2.0F, 2.0F, 0.5F, -1.0F, 0.0F};
    for (size_t i = 0; i < sizeof up / sizeof up[0]; i++) {
        float g[sizeof up / sizeof up[0]];
        memcpy(g, gate, sizeof g);
        tare_row_swiglu(g, up, i + 1);
        double z = (double)gate[i];
        double want = z / (1 + exp(-z)) * (double)up[i];
        assert_true(fabs((double)g[i] - want) <= 1e-6 * fabs(want) + 1e-7);
        assert_true(i + 1 == sizeof up / sizeof up[0] || g[i + 1] == gate[i + 1]);
    }
}

static void test_counts(void **state)
{
    (void)state;
    struct engine e;
    start_zoo(&e, "llama-1m");
    struct tare_cost cost = {0};
    struct tare_err err = {0};
    /* Two outputs after 511: one decode step with 512 tokens in context. 4*(2*(4*128*128+3*128*384)
     * + 4*128*512) + 2*1024*128, written out. */
    struct tare_work work = {.prompt_tok = 511, .logits_rows = 1, .output_tok = 2};
    assert_int_equal(tare_account_count(&e.model, &work, &cost, &err), 0);
    assert_int_equal(cost.decode_flops, 3014656);
    assert_int_equal(cost.decode_bytes, 984192 * 4 + 513 * 4096);
    /* 511 * 1703936 + 4 * 2*128*511*512 + 262144 */
    assert_int_equal(cost.prefill_flops, INT64_C(870711296) + 267911168 + 262144);
    assert_int_equal(cost.prefill_bytes, 984192 * 4 + 2 * 511 * 4096);
    /* Step by step and in one go are the same. */
    int64_t steps = 0;
    for (uint32_t t = 100; t < 110; t++) {
        work = (struct tare_work){.prompt_tok = t, .logits_rows = 1, .output_tok = 2};
        assert_int_equal(tare_account_count(&e.model, &work, &cost, &err), 0);
        steps += cost.decode_flops;
    }
    work = (struct tare_work){.prompt_tok = 100, .logits_rows = 1, .output_tok = 11};
    assert_int_equal(tare_account_count(&e.model, &work, &cost, &err), 0);
    assert_int_equal(cost.decode_flops, steps);
    work = (struct tare_work){.prompt_tok = 512, .logits_rows = 1, .output_tok = 1};
    assert_int_equal(tare_account_count(&e.model, &work, &cost, &err), 0);
    assert_int_equal(cost.decode_flops, 0);
    work.output_tok = 2;
    assert_int_equal(tare_account_count(&e.model, &work, &cost, &err), TARE_E_USAGE);
    stop(&e);
}

static int build(const struct edit *edit, struct tare_model *model, struct tare_err *err)
{
    struct blob b = fixture_model(edit);
    struct tare_safetensors st = {0};
    int rc = tare_safetensors_parse(&st, b.bytes, b.n, "test", err);
    if (rc == 0) {
        rc = tare_model_build(model, &st, "test", err);
        tare_safetensors_close(&st);
    }
    free(b.bytes);
    return rc;
}

static void test_small_model(void **state)
{
    (void)state;
    char folder[200];
    char path[260];
    fixture_folder(folder, sizeof folder);
    (void)snprintf(path, sizeof path, "%s/small.safetensors", folder);
    fixture_write(path, fixture_model(NULL));
    const int32_t ids[] = {0, 255, 7, 7, 128, 3};
    compare_second(path, "small", ids, 6);
    (void)remove(path);
    (void)remove(folder);
}

static const struct edit lies[] = {
    {.what = "no format", .meta_key = "format"},
    {.what = "other format", .meta_key = "format", .meta_value = "\"pt\""},
    {.what = "no arch", .meta_key = "arch"},
    {.what = "no name", .meta_key = "name"},
    {.what = "empty name", .meta_key = "name", .meta_value = "\"\""},
    {.what = "no tokenizer", .meta_key = "tokenizer_sha"},
    {.what = "no width", .meta_key = "d_model"},
    {.what = "width is zero", .meta_key = "d_model", .meta_value = "\"0\""},
    {.what = "width is negative", .meta_key = "d_model", .meta_value = "\"-8\""},
    {.what = "width is signed", .meta_key = "d_model", .meta_value = "\"+8\""},
    {.what = "width with a blank", .meta_key = "d_model", .meta_value = "\" 8\""},
    {.what = "width is hexadecimal", .meta_key = "d_model", .meta_value = "\"0x8\""},
    {.what = "width is empty", .meta_key = "d_model", .meta_value = "\"\""},
    {.what = "width is a number", .meta_key = "d_model", .meta_value = "8"},
    {.what = "width is huge", .meta_key = "d_model", .meta_value = "\"99999999999999999999\""},
    {.what = "width is another", .meta_key = "d_model", .meta_value = "\"16\""},
    {.what = "heads do not fit", .meta_key = "n_heads", .meta_value = "\"3\""},
    {.what = "heads of another width", .meta_key = "head_dim", .meta_value = "\"8\""},
    {.what = "no layers", .meta_key = "n_layers", .meta_value = "\"0\""},
    {.what = "more layers", .meta_key = "n_layers", .meta_value = "\"2\""},
    {.what = "many layers", .meta_key = "n_layers", .meta_value = "\"4294967297\""},
    {.what = "other ffn", .meta_key = "ffn", .meta_value = "\"16\""},
    {.what = "huge ffn", .meta_key = "ffn", .meta_value = "\"65536\""},
    {.what = "other vocabulary", .meta_key = "vocab", .meta_value = "\"255\""},
    {.what = "huge vocabulary", .meta_key = "vocab", .meta_value = "\"65536\""},
    {.what = "no context", .meta_key = "max_ctx"},
    {.what = "context of zero", .meta_key = "max_ctx", .meta_value = "\"0\""},
    {.what = "huge context", .meta_key = "max_ctx", .meta_value = "\"1000000000000\""},
    {.what = "bos outside the vocabulary", .meta_key = "bos", .meta_value = "\"256\""},
    {.what = "no parameters", .meta_key = "n_params"},
    {.what = "other number of parameters", .meta_key = "n_params", .meta_value = "\"2521\""},
    {.what = "no embedding", .tensor = "embed.weight", .rename = "embedding.weight"},
    {.what = "embedding turned", .tensor = "embed.weight", .shape = "[8,256]"},
    {.what = "embedding flat", .tensor = "embed.weight", .shape = "[2048]"},
    {.what = "embedding in one more dimension", .tensor = "embed.weight", .shape = "[256,8,1]"},
    {.what = "embedding in BF16", .tensor = "embed.weight", .dtype = "BF16"},
    {.what = "matrix missing", .tensor = "blocks.0.mlp.up.weight", .rename = "blocks.1.mlp.up.weight"},
    {.what = "matrix dropped", .tensor = "blocks.0.attn.v.weight", .drop = 1},
    {.what = "norm dropped", .tensor = "norm_f.weight", .drop = 1},
    {.what = "norm turned", .tensor = "blocks.0.norm2.weight", .shape = "[1,8]"},
    {.what = "norm in I32", .tensor = "blocks.0.norm1.weight", .dtype = "I32"},
    {.what = "tensor too many", .extra = 1},
};

static void test_refuses_lies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct tare_model model = {0};
        struct tare_err err = {0};
        int rc = build(&lies[i], &model, &err);
        if (rc >= 0 || err.code != rc || err.msg[0] == '\0' || strchr(err.msg, '\n')) {
            fail_msg("not refused with a reason: %s", lies[i].what);
        }
        assert_null(model.memory);
    }
}

/* What later engines may run is told from what is broken, and named. */
static void test_names_what_it_cannot_run(void **state)
{
    (void)state;
    static const struct {
        struct edit edit;
        const char *named;
    } rows[] = {
        {{.meta_key = "arch", .meta_value = "\"rwkv4\""}, "rwkv4"},
        {{.tensor = "blocks.0.attn.q.weight", .dtype = "I8", .shape = "[8,16]"}, "blocks.0.attn.q.weight"},
        {{.tensor = "embed.weight", .dtype = "U8", .shape = "[256,16]"}, "embed.weight"},
        {{.tensor = "blocks.0.mlp.up.weight", .rename = "blocks.0.mlp.up.weight.nz"},
         "blocks.0.mlp.up.weight.nz"},
        {{.tensor = "blocks.0.mlp.down.weight", .rename = "blocks.0.mlp.down.a.weight"},
         "blocks.0.mlp.down.a.weight"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tare_model model = {0};
        struct tare_err err = {0};
        assert_int_equal(build(&rows[i].edit, &model, &err), TARE_E_UNSUPPORTED);
        assert_non_null(strstr(err.msg, rows[i].named));
    }
}

/* Every beginning of a model file, and every flipped bit of its header. */
static void test_survives_damage(void **state)
{
    (void)state;
    struct blob b = fixture_model(NULL);
    size_t header = 8 + (size_t)b.bytes[0] + ((size_t)b.bytes[1] << 8);
    for (size_t i = 0; i < header; i++) {
        struct tare_safetensors st = {0};
        struct tare_model model = {0};
        struct tare_err err = {0};
        b.bytes[i] ^= (unsigned char)(1u << i % 8);
        if (tare_safetensors_parse(&st, b.bytes, b.n, "test", &err) == 0) {
            if (tare_model_build(&model, &st, "test", &err) == 0) {
                assert_int_equal(model.n_elements, small_params);
                tare_model_close(&model);
            } else {
                assert_true(err.msg[0] != '\0');
            }
            tare_safetensors_close(&st);
        }
        b.bytes[i] ^= (unsigned char)(1u << i % 8);
    }
    free(b.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_implementation),
        cmocka_unit_test(test_references_of_the_zoo),
        cmocka_unit_test(test_any_split),
        cmocka_unit_test(test_exponential),
        cmocka_unit_test(test_swiglu),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_small_model),
        cmocka_unit_test(test_refuses_lies),
        cmocka_unit_test(test_names_what_it_cannot_run),
        cmocka_unit_test(test_survives_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
