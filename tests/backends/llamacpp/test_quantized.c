/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quantized weights in libllama: the zoo's llama-1m, rounded here to the blocks of Q8_0 and of Q4_0, against
 * the same rounded weights as floats. The two differ by what libllama rounds besides: it multiplies blocks
 * with inputs rounded to 8 bits. A control in another layout has to be far away, and size and facts are those
 * that the shapes make.
 */
#include "opened.h"
#include "requantized.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LLAMA "TARE_LLAMACPP"

enum { scored_tok = 400, vocab = 1024, d_model = 128, layers = 4, ffn = 384 };
enum {
    matrix_weights = vocab * d_model + layers * (4 * d_model * d_model + 3 * d_model * ffn),
    vector_weights = (2 * layers + 1) * d_model
};

static const char *const plain_options[] = {"type_k=f32", "type_v=f32", "flash_attn=off", NULL};
static const char *const once_options[] = {"type_k=f32", "type_v=f32", "flash_attn=off", "repack=no", NULL};

/* The begin of a shipped text behind a beginning-of-sequence token. */
static void take_text(struct opened *o, int32_t *ids)
{
    static int32_t all[opened_text_max];
    static uint32_t ends[opened_text_max];
    char path[512];
    size_t n = 0;
    opened_prose(3, path, sizeof path);
    const char *text = opened_file(path, &n);
    assert_true(opened_tokenize(o, text, strnlen(text, n < 4000 ? n : 4000), all, ends) >= scored_tok);
    ids[0] = (int32_t)o->facts.bos;
    memcpy(ids + 1, all, scored_tok * sizeof *ids);
}

/* Log-probabilities of every token of the text. */
static void score(struct opened *o, double *out)
{
    int32_t ids[scored_tok + 1];
    take_text(o, ids);
    opened_rows(o, TARE_REQUEST_SCORE, ids, scored_tok + 1, 1, 0);
    for (int i = 0; i < scored_tok; i++) {
        out[i] = opened_logprob(o->rows + (size_t)i * vocab, vocab, ids[i + 1]);
    }
}

static double mean_gap(const double *a, const double *b)
{
    double sum = 0;
    for (int i = 0; i < scored_tok; i++) {
        sum += fabs(a[i] - b[i]);
    }
    return sum / scored_tok;
}

/* A file of that form, loaded; the file is gone when this returns, for no test needs it then. */
static int64_t start(struct opened *o, enum requantized_codes codes, enum requantized_form form,
                     const char *const *options)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/tmp/tare-quantized-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    int64_t bytes = requantized_write(opened_env("TARE_ZOO_GGUF"), codes, form, path);
    opened_start(o, LLAMA, path, options);
    unlink(path);
    return bytes;
}

/* What is told of the size, and the work that goes by it. */
static void check_facts(struct opened *blocks, struct opened *whole, const char *dtype, int64_t block_bytes)
{
    const struct tare_work work = {.prompt_tok = 100, .logits_rows = 1, .output_tok = 2};
    struct tare_cost b, w;
    struct tare_err err = {0};
    int64_t bytes = matrix_weights / 32 * block_bytes + 4 * vector_weights;
    assert_int_equal(blocks->facts.stored_bytes, bytes);
    assert_int_equal(whole->facts.stored_bytes, 4 * (matrix_weights + vector_weights));
    assert_int_equal(blocks->facts.params_total, whole->facts.params_total);
    assert_int_equal(blocks->facts.params_non_embedding, whole->facts.params_non_embedding);
    assert_int_equal(blocks->facts.params_trainable, TARE_UNKNOWN); /* codes are not trained */
    assert_string_equal(blocks->facts.dtype, dtype);
    assert_int_equal(blocks->ops.account(blocks->self, &work, &b, &err), 0);
    assert_int_equal(whole->ops.account(whole->self, &work, &w, &err), 0);
    assert_int_equal(b.prefill_flops, w.prefill_flops);
    assert_int_equal(w.prefill_bytes - b.prefill_bytes, whole->facts.stored_bytes - bytes);
    assert_int_equal(w.decode_bytes - b.decode_bytes, whole->facts.stored_bytes - bytes);
}

static const struct {
    enum requantized_codes codes;
    const char *dtype;
    int64_t block_bytes;
    double rounded_least, rounded_most; /* mean nats a token, what the rounding of weights does */
} kinds[] = {
    {REQUANTIZED_Q8_0, "Q8_0", 34, 0.005, 0.06},
    {REQUANTIZED_Q4_0, "Q4_0", 18, 0.1, 1},
};

/* Inputs rounded to 8 bits, which is about what Q8_0 does to weights: mean nats a token. */
static const double inputs_rounded = 0.06;

static void check(size_t k)
{
    static double whole[scored_tok], blocks[scored_tok], floats[scored_tok], wrong[scored_tok],
        once[scored_tok];
    static struct opened o, w;
    opened_start(&w, LLAMA, opened_env("TARE_ZOO_GGUF"), plain_options);
    score(&w, whole);
    int64_t written = start(&o, kinds[k].codes, REQUANTIZED_BLOCKS, plain_options);
    assert_int_equal(o.facts.stored_bytes, written);
    check_facts(&o, &w, kinds[k].dtype, kinds[k].block_bytes);
    score(&o, blocks);
    opened_stop(&o);
    opened_stop(&w);
    (void)start(&o, kinds[k].codes, REQUANTIZED_BLOCKS, once_options);
    score(&o, once);
    assert_true(isnan(opened_reading(&o, 0, "repacked_buffer_bytes")));
    assert_true(fabs(opened_reading(&o, 0, "weights_buffer_bytes") - (double)o.facts.stored_bytes) < 20000);
    opened_stop(&o);
    (void)start(&o, kinds[k].codes, REQUANTIZED_FLOATS, plain_options);
    score(&o, floats);
    opened_stop(&o);
    (void)start(&o, kinds[k].codes, REQUANTIZED_WRONG, plain_options);
    score(&o, wrong);
    opened_stop(&o);
    double rounded = mean_gap(floats, whole), read = mean_gap(blocks, floats);
    print_message(
        "%s: weights rounded %.4f nats a token, blocks against these weights %.4f (without repacking "
        "%.4f), in a wrong layout %.4f\n",
        kinds[k].dtype, rounded, read, mean_gap(once, floats), mean_gap(wrong, floats));
    assert_true(rounded >= kinds[k].rounded_least && rounded <= kinds[k].rounded_most);
    assert_true(read > 0 && read <= inputs_rounded);
    assert_true(mean_gap(once, floats) > 0 && mean_gap(once, floats) <= inputs_rounded);
    assert_false(mean_gap(wrong, floats) <= 20 * inputs_rounded); /* NaN is wrong, too */
}

static void test_q8_0(void **state)
{
    (void)state;
    check(0);
}

static void test_q4_0(void **state)
{
    (void)state;
    check(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_q8_0), cmocka_unit_test(test_q4_0)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
