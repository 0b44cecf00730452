/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pruning of prompts: scores against the same in double, the choice against sorting, and answers against
 * those of the plain model on what was left.
 */
#include "answering.h"

#include "decoding/prompt_select.h"
#include "loaded.h"
#include "reference.h"

#include <math.h>
#include <string.h>

enum { n_vocab = 1024 };

#define PROMPT "infer.dynamic.input-pruning{method=prompt,"

static struct tare_prompt *self_of(struct answering *t)
{
    return t->treatment.decoding_self;
}

static void test_wanted(void **state)
{
    (void)state;
    const struct tare_prompt_options how = {.keep = 0.5, .tail = 3};
    static const uint32_t cases[][2] = {{1, 1}, {3, 3}, {4, 4}, {5, 4}, {7, 4}, {9, 5}, {10, 5}, {11, 6}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(tare_prompt_wanted(&how, cases[i][0]), cases[i][1]);
    }
}

/* A position stays if fewer than so many others have a better claim. */
static void test_choice(void **state)
{
    (void)state;
    enum { n_all = 50, tail = 4 };
    double score[n_all];
    uint32_t order[n_all];
    int32_t ids[n_all];
    int32_t tokens[n_all];
    struct tare_prompt p = {.how = {.tail = tail}, .score = score, .order = order, .ids = ids};
    uint32_t seed = 4;
    for (uint32_t n = 1; n <= n_all; n++) {
        for (uint32_t i = 0; i < n; i++) {
            seed = seed * 1664525u + 1013904223u;
            score[i] = seed >> 29; /* many are equal */
            tokens[i] = (int32_t)(1000 + i);
        }
        for (uint32_t wanted = n < tail + 1 ? n : tail + 1; wanted <= n; wanted++) {
            uint32_t kept = 0;
            tare_prompt_choose(&p, tokens, n, wanted);
            for (uint32_t i = 0; i < n; i++) {
                uint32_t better = tail + 1;
                for (uint32_t j = 1; j + tail < n; j++) {
                    better += score[j] > score[i] || (!(score[j] < score[i]) && j < i);
                }
                bool stays = i == 0 || i + tail >= n || better < wanted;
                if (stays) {
                    assert_int_equal(ids[kept++], tokens[i]);
                }
            }
            assert_int_equal(kept, wanted);
        }
    }
}

static void test_surprisal(void **state)
{
    (void)state;
    enum { n = 40 };
    struct answering t;
    struct tare_safetensors st = {0};
    struct tare_err err = {0};
    int32_t ids[n];
    double worst = 0;
    answering_start(&t, "llama-0.1m", PROMPT "keep=0.5}", 0);
    assert_int_equal(answering_text(&t, ids, n), n);
    double *want = malloc(sizeof(double[n][n_vocab]));
    assert_non_null(want);
    assert_int_equal(tare_safetensors_open(&st, t.path, &err), 0);
    reference_logits(&st, ids, n, want);
    tare_prompt_rate(self_of(&t), &t.session, ids, n);
    for (uint32_t i = 1; i < n; i++) {
        const double *row = want + (size_t)(i - 1) * n_vocab;
        double sum = 0;
        for (int j = 0; j < n_vocab; j++) {
            sum += exp(row[j] - row[ids[i]]);
        }
        worst = fmax(worst, fabs(self_of(&t)->score[i] - log(sum)));
    }
    print_message("largest difference of a surprisal %.1e nats\n", worst);
    assert_true(worst < 1e-4);
    free(want);
    tare_safetensors_close(&st);
    answering_stop(&t);
}

/* Attention in the first layer, straight from the tensors. */
static void received_in_double(const struct tare_safetensors *st, const int32_t *ids, uint32_t n,
                               double *received)
{
    struct ref r = {.st = st, .n = n};
    r.d = ref_number(&r, "d_model");
    uint32_t heads = ref_number(&r, "n_heads");
    uint32_t width = r.d / heads;
    const struct tare_tensor *embed = tare_safetensors_find(st, "embed.weight");
    double *q = calloc((size_t)n * r.d, sizeof *q);
    double *k = calloc((size_t)n * r.d, sizeof *k);
    assert_true(q && k && embed);
    for (r.t = 0; r.t < n; r.t++) {
        double x[ref_wide];
        double square = 0;
        for (uint32_t i = 0; i < r.d; i++) {
            uint16_t half;
            memcpy(&half, embed->data + 2 * ((size_t)ids[r.t] * r.d + i), 2);
            int e = half >> 10 & 31;
            double size = e ? ldexp(1024 + (half & 1023), e - 25) : ldexp(half & 1023, -24);
            x[i] = half & 0x8000 ? -size : size;
            square += x[i] * x[i] / r.d;
        }
        for (uint32_t i = 0; i < r.d; i++) {
            x[i] *= ref_at(&r, "norm1.weight", i) / sqrt(square + 1e-5);
        }
        ref_multiply(&r, "attn.q", x, q + (size_t)r.t * r.d);
        ref_multiply(&r, "attn.k", x, k + (size_t)r.t * r.d);
        ref_rotate(&r, q + (size_t)r.t * r.d, heads, width);
        ref_rotate(&r, k + (size_t)r.t * r.d, heads, width);
    }
    for (uint32_t head = 0; head < heads; head++) {
        for (uint32_t t = 0; t < n; t++) {
            double e[64];
            double sum = 0;
            for (uint32_t j = 0; j <= t; j++) {
                double dot = 0;
                for (uint32_t i = head * width; i < (head + 1) * width; i++) {
                    dot += q[(size_t)t * r.d + i] * k[(size_t)j * r.d + i];
                }
                e[j] = exp(dot / sqrt(width));
                sum += e[j];
            }
            for (uint32_t j = 0; j <= t; j++) {
                received[j] += e[j] / sum;
            }
        }
    }
    free(q);
    free(k);
}

static void test_attention(void **state)
{
    (void)state;
    enum { n = 33 };
    static const uint32_t blocks[] = {0, 1, 5, 32};
    struct tare_safetensors st = {0};
    struct tare_err err = {0};
    for (size_t b = 0; b < sizeof blocks / sizeof blocks[0]; b++) {
        struct answering t;
        int32_t ids[n];
        double want[n] = {0};
        double worst = 0;
        answering_start(&t, "llama-0.1m", PROMPT "score=attention,layer=1}", blocks[b]);
        assert_int_equal(answering_text(&t, ids, n), n);
        assert_int_equal(tare_safetensors_open(&st, t.path, &err), 0);
        received_in_double(&st, ids, n, want);
        tare_prompt_rate(self_of(&t), &t.session, ids, n);
        for (uint32_t i = 1; i < n; i++) {
            worst = fmax(worst, fabs(self_of(&t)->score[i] - want[i] / (n - i)));
        }
        print_message("blocks of %u: largest difference of attention received %.1e\n", blocks[b], worst);
        assert_true(worst < 1e-5);
        tare_safetensors_close(&st);
        answering_stop(&t);
    }
}

/* Keeping all is the plain model, to the bit. */
static void test_keep_all(void **state)
{
    (void)state;
    enum { n = 80 };
    struct answering t;
    struct answering plain;
    int32_t ids[n];
    answering_start(&t, "llama-0.25m", PROMPT "keep=1}", 0);
    answering_start(&plain, "llama-0.25m", NULL, 0);
    assert_int_equal(answering_text(&t, ids, n), n);
    answering_rows(&t, ids, n, 60, 0);
    answering_rows(&plain, ids, n, 60, 0);
    assert_memory_equal(t.rows, plain.rows, 21 * n_vocab * sizeof *t.rows);
    answering_generate(&t, ids, n, 20, 0.5, 2);
    answering_generate(&plain, ids, n, 20, 0.5, 2);
    assert_memory_equal(t.tokens, plain.tokens, 20 * sizeof *t.tokens);
    assert_true(fabs(answering_reading(&t, "prompt_tok_in") - 140) < 1e-12);
    assert_true(fabs(answering_reading(&t, "kept_tok") - 140) < 1e-12);
    assert_true(fabs(answering_reading(&t, "scoring_flops")) < 1e-12);
    assert_true(fabs(answering_reading(&t, "executed_flops") - answering_reading(&t, "dense_flops")) < 0.5);
    answering_stop(&plain);
    answering_stop(&t);
}

/* The plain model on what is left gives the same, and every answer is there. */
static void check_pruned(const char *technique)
{
    enum { n = 120, first = 100, kept = 40 };
    struct answering t;
    struct answering plain;
    int32_t ids[n];
    int32_t shorter[n];
    answering_start(&t, "llama-0.25m", technique, 0);
    answering_start(&plain, "llama-0.25m", NULL, 0);
    assert_int_equal(answering_text(&t, ids, n), n);
    answering_rows(&t, ids, n, first, 0);
    assert_int_equal(self_of(&t)->n_kept, kept);
    memcpy(shorter, self_of(&t)->ids, kept * sizeof *shorter);
    assert_int_equal(shorter[0], ids[0]);
    assert_memory_equal(shorter + kept - 8, ids + first - 8, 8 * sizeof *ids);
    memcpy(shorter + kept, ids + first, (n - first) * sizeof *ids);
    answering_rows(&plain, shorter, kept + n - first, kept, 0);
    assert_true(loaded_gap(t.rows, plain.rows, (n - first + 1) * n_vocab) < 1e-4);
    double scoring = answering_reading(&t, "scoring_flops");
    assert_true(scoring > 0);
    assert_true(fabs(answering_reading(&t, "prompt_compression") - 2.5) < 1e-12);
    float *before = malloc((n - first + 1) * n_vocab * sizeof *before);
    assert_non_null(before);
    memcpy(before, t.rows, (n - first + 1) * n_vocab * sizeof *before);
    answering_rows(&t, ids, n, first, first); /* a continuation: nothing is rated again */
    assert_true(fabs(answering_reading(&t, "scoring_flops") - scoring) < 1e-12);
    assert_true(loaded_gap(t.rows, before, (n - first + 1) * n_vocab) < 1e-4);
    ids[3] ^= 1;
    answering_rows(&t, ids, n, first, first); /* the hint is wrong, and found out */
    assert_true(answering_reading(&t, "scoring_flops") > scoring);
    ids[3] ^= 1;
    answering_generate(&t, ids, first, 20, 0, 1);
    answering_generate(&plain, shorter, kept, 20, 0, 1);
    assert_memory_equal(t.tokens, plain.tokens, 20 * sizeof *t.tokens);
    free(before);
    answering_stop(&plain);
    answering_stop(&t);
}

static void test_pruned(void **state)
{
    (void)state;
    check_pruned(PROMPT "keep=0.4}");
    check_pruned(PROMPT "keep=0.4,draft=llama-0.1m.safetensors}");
    check_pruned(PROMPT "keep=0.4,score=attention,layer=2}");
    check_pruned(PROMPT "keep=0.4,score=attention,draft=llama-0.1m.safetensors}");
}

/* Any architecture may be scored by its own surprisal or by a draft. */
static void test_other_architectures(void **state)
{
    (void)state;
    static const char *const names[] = {"rwkv4-1m", "retnet-1m", "h3-1m", "hyena-1m"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct answering t;
        int32_t ids[60];
        answering_start(&t, names[i], PROMPT "keep=0.5}", 0);
        assert_int_equal(answering_text(&t, ids, 60), 60);
        answering_rows(&t, ids, 60, 50, 0);
        assert_true(fabs(answering_reading(&t, "kept_tok") - 25) < 1e-12);
        answering_generate(&t, ids, 60, 5, 0, 1);
        assert_int_equal(t.n_tokens, 5);
        answering_stop(&t);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    answering_refused("llama-0.1m", PROMPT "keep=0}", TARE_E_USAGE, "keep");
    answering_refused("llama-0.1m", PROMPT "keep=1.1}", TARE_E_USAGE, "keep");
    answering_refused("llama-0.1m", PROMPT "score=luck}", TARE_E_USAGE, "score");
    answering_refused("llama-0.1m", PROMPT "tail=0}", TARE_E_USAGE, "tail");
    answering_refused("llama-0.1m", PROMPT "score=attention,layer=7}", TARE_E_USAGE, "layer=7");
    answering_refused("llama-0.1m", PROMPT "draft=no-such.safetensors}", TARE_E_IO, "no-such");
    answering_refused("rwkv4-1m", PROMPT "score=attention}", TARE_E_UNSUPPORTED, "attention");
    answering_refused("llama-0.1m", PROMPT "score=attention}+infer.dynamic.input-pruning{method=sinks}",
                      TARE_E_UNSUPPORTED, "window");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wanted),
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_surprisal),
        cmocka_unit_test(test_attention),
        cmocka_unit_test(test_keep_all),
        cmocka_unit_test(test_pruned),
        cmocka_unit_test(test_other_architectures),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
