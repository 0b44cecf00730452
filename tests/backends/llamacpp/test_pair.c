/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libllama and the native engine on the same weights: the zoo's llama-1m as safetensors and as GGUF. Both
 * compute in float32 with keys and values in float32; sums run in another order.
 */
#include "opened.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
enum { windows_max = 3 }; /* the native engine is slow under a sanitizer */
#else
enum { windows_max = 12 };
#endif
enum { prose_files = 12, window_tok = 512 };

static const double agreed = 2e-3; /* nats, a token */

static struct opened llama, native;

static int start(void **state)
{
    static const char *const options[] = {"type_k=f32", "type_v=f32", "flash_attn=off", NULL};
    char model[512];
    (void)state;
    (void)snprintf(model, sizeof model, "%s/llama-1m.safetensors", opened_env("TARE_ZOO"));
    opened_start(&llama, "TARE_LLAMACPP", opened_env("TARE_ZOO_GGUF"), options);
    opened_start(&native, "TARE_NATIVE", model, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    opened_stop(&llama);
    opened_stop(&native);
    return 0;
}

static void test_the_facts_are_the_same(void **state)
{
    (void)state;
    const struct tare_model_facts *l = &llama.facts, *n = &native.facts;
    assert_string_equal(l->arch, n->arch);
    assert_string_equal(l->name, n->name);
    assert_int_equal(l->params_total, n->params_total);
    assert_int_equal(l->params_active, n->params_active);
    assert_int_equal(l->params_non_embedding, n->params_non_embedding);
    assert_int_equal(l->params_trainable, n->params_trainable);
    assert_int_equal(l->kv_bytes_per_token, n->kv_bytes_per_token);
    assert_int_equal(l->state_bytes, n->state_bytes);
    assert_int_equal(l->n_ctx, n->n_ctx);
    assert_int_equal(l->n_vocab, n->n_vocab);
    assert_int_equal(l->bos, n->bos);
    assert_int_equal(l->stored_bytes, 4 * n->params_total); /* the GGUF is f32, the other half of it */
    assert_string_equal(l->dtype, "all F32");
}

static void test_the_account_is_the_same(void **state)
{
    static const struct tare_work works[] = {
        {.prompt_tok = 512, .logits_rows = 512},
        {.prompt_tok = 100, .logits_rows = 1, .output_tok = 32},
        {.prompt_tok = 1, .logits_rows = 1, .output_tok = 1},
        {.prompt_tok = 7, .logits_rows = 3, .output_tok = 2},
    };
    struct tare_err err = {0};
    (void)state;
    for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
        struct tare_cost l, n;
        assert_int_equal(llama.ops.account(llama.self, &works[i], &l, &err), 0);
        assert_int_equal(native.ops.account(native.self, &works[i], &n, &err), 0);
        assert_int_equal(l.prefill_flops, n.prefill_flops);
        assert_int_equal(l.decode_flops, n.decode_flops);
        /* Bytes differ by the weights: twice as wide here, but for the norms. */
        assert_true(l.prefill_bytes > n.prefill_bytes && l.prefill_bytes < 2 * n.prefill_bytes);
    }
    const struct tare_work beyond = {.prompt_tok = 512, .logits_rows = 1, .output_tok = 2};
    struct tare_cost cost;
    assert_int_equal(llama.ops.account(llama.self, &beyond, &cost, &err), TARE_E_USAGE);
}

static int32_t ids_of[2][opened_text_max];
static uint32_t ends_of[2][opened_text_max];

/* Every document of the shipped text; ids of `native` stay in ids_of[1]. */
static void each_document(void (*look)(const char *text, size_t n))
{
    size_t documents = 0;
    for (int i = 1; i <= prose_files; i++) {
        char path[512];
        size_t n = 0;
        opened_prose(i, path, sizeof path);
        const char *text = opened_file(path, &n), *end = text + n;
        for (const char *at = text; at < end;) {
            const char *stop_at = memchr(at, '\0', (size_t)(end - at));
            stop_at = stop_at ? stop_at : end;
            if (stop_at > at) {
                look(at, (size_t)(stop_at - at));
                documents++;
            }
            at = stop_at + 1;
        }
    }
    assert_true(documents >= prose_files);
}

static void same_tokens(const char *text, size_t n)
{
    uint32_t l = opened_tokenize(&llama, text, n, ids_of[0], ends_of[0]);
    uint32_t w = opened_tokenize(&native, text, n, ids_of[1], ends_of[1]);
    assert_int_equal(l, w);
    assert_memory_equal(ids_of[0], ids_of[1], l * sizeof **ids_of);
    assert_memory_equal(ends_of[0], ends_of[1], l * sizeof **ends_of);
    assert_int_equal(ends_of[0][l - 1], n);
}

static void test_all_shipped_text_has_the_same_tokens(void **state)
{
    (void)state;
    each_document(same_tokens);
}

/* What no regular expression of libllama cuts as the zoo does must not be guessed: the ends hold anyway. */
static void test_ends_cover_odd_text(void **state)
{
    static const char *const texts[] = {"'60's",
                                        "a  b   c\n\n\n d\t\te",
                                        "na\xc3\xafve caf\xc3\xa9 \xe2\x82\xac 99 \xf0\x9f\x98\x80",
                                        " ",
                                        "\n",
                                        "x",
                                        "0123456789",
                                        "can't won't O'Brien's"};
    int32_t ids[200];
    uint32_t ends[200];
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint32_t n = opened_tokenize(&llama, texts[i], strlen(texts[i]), ids, ends);
        assert_true(n > 0);
        assert_int_equal(ends[n - 1], strlen(texts[i]));
        for (uint32_t k = 1; k < n; k++) {
            assert_true(ends[k] >= ends[k - 1]);
        }
    }
}

static double worst, sum_llama, sum_native;
static size_t scored, windows;

static void same_scores(const char *text, size_t n)
{
    int32_t fed[window_tok + 1] = {0};
    uint32_t count = opened_tokenize(&native, text, n, ids_of[1], ends_of[1]);
    count = count > window_tok ? window_tok : count;
    if (windows >= windows_max) {
        return;
    }
    windows++;
    fed[0] = (int32_t)native.facts.bos;
    memcpy(fed + 1, ids_of[1], count * sizeof *fed);
    opened_rows(&llama, TARE_REQUEST_SCORE, fed, count + 1, 1, 0);
    opened_rows(&native, TARE_REQUEST_SCORE, fed, count + 1, 1, 0);
    size_t wide = (size_t)native.facts.n_vocab;
    for (uint32_t i = 0; i < count; i++) {
        double l = opened_logprob(llama.rows + i * wide, wide, fed[i + 1]);
        double w = opened_logprob(native.rows + i * wide, wide, fed[i + 1]);
        worst = fabs(l - w) > worst ? fabs(l - w) : worst;
        sum_llama += l;
        sum_native += w;
        scored++;
    }
}

static void test_log_probabilities_agree(void **state)
{
    (void)state;
    each_document(same_scores);
    print_message("%zu tokens: largest difference %.3g nats, sums %.6f and %.6f\n", scored, worst, sum_llama,
                  sum_native);
    assert_true(scored > 1000);
    assert_true(worst <= agreed);
}

/* The scores would not see rows that are all shifted alike, or a state that stays behind. */
static void test_a_wrong_token_is_seen(void **state)
{
    int32_t ids[] = {0, 300, 301, 302, 303};
    double before, after;
    (void)state;
    opened_rows(&llama, TARE_REQUEST_SCORE, ids, 5, 4, 0);
    before = opened_logprob(llama.rows, (size_t)llama.facts.n_vocab, 303);
    ids[1] = 420;
    opened_rows(&llama, TARE_REQUEST_SCORE, ids, 5, 4, 5); /* the hint is wrong and must not be believed */
    after = opened_logprob(llama.rows, (size_t)llama.facts.n_vocab, 303);
    opened_rows(&native, TARE_REQUEST_SCORE, ids, 5, 4, 0);
    assert_true(fabs(before - after) > 10 * agreed);
    assert_true(fabs(after - opened_logprob(native.rows, (size_t)native.facts.n_vocab, 303)) <= agreed);
}

static void test_generated_text_is_the_same(void **state)
{
    char path[512];
    size_t n = 0;
    (void)state;
    for (int i = 1; i <= 4; i++) {
        int32_t prompt[64] = {(int32_t)native.facts.bos};
        opened_prose(i, path, sizeof path);
        const char *text = opened_file(path, &n);
        (void)opened_tokenize(&native, text, strnlen(text, 600), ids_of[1], ends_of[1]);
        memcpy(prompt + 1, ids_of[1], 63 * sizeof *prompt);
        for (int sampled = 0; sampled < 2; sampled++) {
            opened_generate(&llama, prompt, 64, 24, sampled ? 0.8F : 0, 11);
            opened_generate(&native, prompt, 64, 24, sampled ? 0.8F : 0, 11);
            assert_int_equal(llama.n_tokens, 24);
            assert_int_equal(native.n_tokens, 24);
            assert_memory_equal(llama.tokens, native.tokens, 24 * sizeof *llama.tokens);
            assert_int_equal(llama.n_text, native.n_text);
            assert_memory_equal(llama.text, native.text, llama.n_text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_facts_are_the_same),
        cmocka_unit_test(test_the_account_is_the_same),
        cmocka_unit_test(test_all_shipped_text_has_the_same_tokens),
        cmocka_unit_test(test_ends_cover_odd_text),
        cmocka_unit_test(test_log_probabilities_agree),
        cmocka_unit_test(test_a_wrong_token_is_seen),
        cmocka_unit_test(test_generated_text_is_the_same),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
