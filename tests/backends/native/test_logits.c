/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arithmetic: logits of every model and variant of the zoo against its float64 references, as a block
 * and in steps, and of every model against a second implementation.
 */
#include "loaded.h"
#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TOLERANCE 1e-4 /* of a logit; the format promises about this much for float32 */

static const char *const models[] = {"llama-0.1m", "llama-0.25m", "llama-0.5m", "llama-0.5m-kd", "llama-1m",
                                     "llama-2m",   "rwkv4-1m",    "h3-1m",      "hyena-1m",      "retnet-1m"};
enum { n_models = sizeof models / sizeof models[0] };

/* Made of a model: other storage of the same matrices, or other weights. */
static const char *const variants[] = {
    "llama-1m-int8",       "llama-1m-int4",       "llama-1m-mag50", "llama-1m-wanda50", "llama-1m-wanda24",
    "llama-1m-wanda50-ft", "llama-1m-wanda24-ft", "llama-1m-svd",   "llama-1m-svd-ft",  "rwkv4-1m-int8",
    "rwkv4-1m-int4",       "h3-1m-int8",          "h3-1m-int4",     "hyena-1m-int8",    "hyena-1m-int4",
    "retnet-1m-int8",      "retnet-1m-int4"};
enum { n_variants = sizeof variants / sizeof variants[0] };

struct published {
    int32_t ids[64];
    uint32_t n;
    float *logits; /* [n, vocab] */
};

static void read_published(const char *name, struct published *to)
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
    assert_true(tokens && logits && logits->rank == 2);
    to->n = (uint32_t)logits->shape[0];
    assert_true((to->n == 64 || to->n == 16) && tokens->n_elements >= to->n);
    memcpy(to->ids, tokens->data, to->n * sizeof to->ids[0]);
    to->logits = malloc(logits->n_bytes);
    assert_non_null(to->logits);
    memcpy(to->logits, logits->data, logits->n_bytes);
    tare_safetensors_close(&ref);
}

static size_t largest(const float *row, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++) {
        best = row[i] > row[best] ? i : best;
    }
    return best;
}

/* Largest difference; every row has its largest logit in the same place. */
static double compare_rows(const float *got, const float *want, uint32_t n, size_t n_vocab)
{
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(largest(got + i * n_vocab, n_vocab), largest(want + i * n_vocab, n_vocab));
    }
    return loaded_gap(got, want, n * n_vocab);
}

static void compare_published(const char *name)
{
    struct published p;
    struct loaded l;
    read_published(name, &p);
    loaded_start_zoo(&l, name, 0);
    size_t n_vocab = l.model.config.n_vocab;
    double block = compare_rows(loaded_feed(&l, p.ids, p.n), p.logits, p.n, n_vocab);
    double step = 0;
    tare_engine_reset(&l.engine);
    for (uint32_t t = 0; t < p.n; t++) {
        const float *row = loaded_feed(&l, p.ids + t, 1);
        step = fmax(step, compare_rows(row, p.logits + t * n_vocab, 1, n_vocab));
    }
    print_message("%s: largest difference of a logit %.1e as a block, %.1e in steps\n", name, block, step);
    assert_true(block < TOLERANCE && step < TOLERANCE);
    loaded_stop(&l);
    free(p.logits);
}

static void test_references_of_the_zoo(void **state)
{
    (void)state;
    for (int i = 0; i < n_models; i++) {
        compare_published(models[i]);
    }
}

/* Loads every storage that the format has. */
static void test_references_of_variants(void **state)
{
    (void)state;
    for (int i = 0; i < n_variants; i++) {
        compare_published(variants[i]);
    }
}

static void compare_second(const char *path, const char *name, const int32_t *ids, uint32_t n)
{
    struct tare_safetensors st = {0};
    struct tare_err err = {0};
    struct loaded l;
    assert_int_equal(tare_safetensors_open(&st, path, &err), 0);
    loaded_start(&l, path, 1, 0);
    size_t count = (size_t)n * l.model.config.n_vocab;
    double *want = malloc(count * sizeof *want);
    assert_non_null(want);
    reference_logits(&st, ids, n, want);
    const float *got = loaded_feed(&l, ids, n);
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
    loaded_stop(&l);
    tare_safetensors_close(&st);
}

/* Runs without any reference data; crosses the border of a block of each architecture. */
static void test_second_implementation(void **state)
{
    (void)state;
    int32_t ids[150];
    for (int i = 0; i < 150; i++) {
        ids[i] = i * i * 31 % 1024;
    }
    for (int i = 0; i < n_models; i++) {
        char path[512];
        loaded_find_zoo(models[i], path, sizeof path);
        compare_second(path, models[i], ids, i == 0 ? 150 : strncmp(models[i], "llama", 5) == 0 ? 8 : 70);
    }
}

/* All architectures, that which the zoo lacks too, as far as their small context goes. */
static void test_small_models(void **state)
{
    (void)state;
    static const char *const archs[] = {"llama", "rwkv4", "h3", "hyena", "retnet", "mamba"};
    char folder[200];
    char path[260];
    int32_t ids[small_ctx];
    fixture_folder(folder, sizeof folder);
    (void)snprintf(path, sizeof path, "%s/small.safetensors", folder);
    loaded_ids(ids, small_ctx, small_vocab, 77);
    for (size_t i = 0; i < sizeof archs / sizeof archs[0]; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "small %s", archs[i]);
        fixture_write(path, fixture_model_of(archs[i], NULL));
        compare_second(path, name, ids, small_ctx);
    }
    (void)remove(path);
    (void)remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_implementation),
        cmocka_unit_test(test_references_of_the_zoo),
        cmocka_unit_test(test_references_of_variants),
        cmocka_unit_test(test_small_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
