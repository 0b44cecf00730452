/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speculative decoding: what comes out has the target's law, whatever the draft; greedy, it is the target's
 * own text. Two tests of the law, each with a control that has to fail: the rule that accepts everything.
 */
#include "chi_square.h"
#include "answering.h"

#include "decoding/speculative.h"
#include "decoding/speculative_readings.h"

#include <math.h>
#include <string.h>

enum { n_vocab = 1024, n_prompt = 12, n_bins = 20 };

/* Under a sanitizer, which is ten times slower, fewer: the controls still have to fail. */
#if defined(__SANITIZE_ADDRESS__)
enum { draws = 1000, texts = 100 };
#else
enum { draws = 4000, texts = 400 };
#endif

#define PAIR "infer.dynamic.token-parallel{draft=llama-0.25m.safetensors,gamma=4}"

static bool accept_all(double p, double q, double u)
{
    (void)p;
    (void)q;
    (void)u;
    return true;
}

static struct tare_speculative *self_of(struct answering *t)
{
    return t->treatment.decoding_self;
}

/* The target's law of the second token, exactly: over all first ones. */
static void law_of_second(struct answering *plain, const int32_t *prompt, double temperature, double *out)
{
    static double first[n_vocab];
    static double second[n_vocab];
    int32_t ids[n_prompt + 1];
    memcpy(ids, prompt, n_prompt * sizeof *ids);
    answering_rows(plain, prompt, n_prompt, n_prompt, 0);
    tare_sample_probabilities(first, plain->rows, n_vocab, temperature);
    memset(out, 0, n_vocab * sizeof *out);
    for (int32_t id = 0; id < n_vocab; id++) {
        ids[n_prompt] = id;
        answering_rows(plain, ids, n_prompt + 1, n_prompt + 1, n_prompt);
        tare_sample_probabilities(second, plain->rows, n_vocab, temperature);
        for (int i = 0; i < n_vocab; i++) {
            out[i] += first[id] * second[i];
        }
    }
}

static double test_second(struct answering *t, const int32_t *prompt, double temperature, const double *law)
{
    static int64_t counts[n_vocab];
    int df;
    memset(counts, 0, sizeof counts);
    for (uint64_t seed = 0; seed < draws; seed++) {
        answering_generate(t, prompt, n_prompt, 6, temperature, seed);
        assert_int_equal(t->n_tokens, 6);
        counts[t->tokens[1]]++;
    }
    double p = chi_square_p(law, counts, n_vocab, draws, &df);
    print_message("  second token, %d draws: p %.3g at %d degrees of freedom\n", draws, p, df);
    return p;
}

/*
 * All tokens behind the first: where the token falls in the running sum of the target's probabilities in
 * falling order, at a point drawn evenly inside its own share, is even on [0, 1) if the law is right,
 * whatever came before.
 */
static double place_of(const double *p, int32_t id, double u)
{
    double before = 0;
    for (int i = 0; i < n_vocab; i++) {
        before += p[i] > p[id] || (!(p[i] < p[id]) && i < id) ? p[i] : 0;
    }
    return before + u * p[id];
}

static double test_places(struct answering *t, struct answering *plain, const int32_t *prompt,
                          double temperature)
{
    enum { n_out = 12 };
    static double p[n_vocab];
    int64_t counts[n_bins] = {0};
    double even[n_bins];
    int32_t ids[n_prompt + n_out];
    struct tare_rng rng;
    int df;
    tare_rng_init(&rng, 20);
    memcpy(ids, prompt, n_prompt * sizeof *ids);
    for (uint64_t seed = 0; seed < texts; seed++) {
        answering_generate(t, prompt, n_prompt, n_out, temperature, 100000 + seed);
        memcpy(ids + n_prompt, t->tokens, n_out * sizeof *ids);
        answering_rows(plain, ids, n_prompt + n_out - 1, n_prompt + 1, n_prompt);
        for (int i = 0; i + 1 < n_out; i++) {
            tare_sample_probabilities(p, plain->rows + (size_t)i * n_vocab, n_vocab, temperature);
            int bin = (int)(place_of(p, t->tokens[i + 1], tare_rng_unit(&rng)) * n_bins);
            counts[bin < n_bins ? bin : n_bins - 1]++;
        }
    }
    for (int i = 0; i < n_bins; i++) {
        even[i] = 1.0 / n_bins;
    }
    double got = chi_square_p(even, counts, n_bins, texts * (n_out - 1), &df);
    print_message("  %d tokens of %d texts: p %.3g at %d degrees of freedom\n", texts * (n_out - 1), texts,
                  got, df);
    return got;
}

static void check_law(double temperature)
{
    static double law[n_vocab];
    struct answering t;
    struct answering plain;
    int32_t prompt[n_prompt];
    answering_start(&t, "llama-1m", PAIR, 0);
    answering_start(&plain, "llama-1m", NULL, 0);
    assert_int_equal(answering_text(&t, prompt, n_prompt), n_prompt);
    law_of_second(&plain, prompt, temperature, law);
    print_message("temperature %.1f, the rule:\n", temperature);
    double second = test_second(&t, prompt, temperature, law);
    double places = test_places(&t, &plain, prompt, temperature);
    double rate = answering_reading(&t, "acceptance_rate");
    double overlap = answering_reading(&t, "acceptance_overlap");
    double tokens = answering_reading(&t, "tokens_per_pass");
    double expected = answering_reading(&t, "expected_tokens_per_pass");
    print_message("  accepted %.4f, overlap %.4f; %.3f tokens per pass, %.3f expected\n", rate, overlap,
                  tokens, expected);
    self_of(&t)->accept = accept_all;
    print_message("temperature %.1f, everything accepted:\n", temperature);
    double wrong_second = test_second(&t, prompt, temperature, law);
    double wrong_places = test_places(&t, &plain, prompt, temperature);
    assert_true(second > 1e-3 && places > 1e-3);
    assert_true(wrong_second < 1e-6 && wrong_places < 1e-6);
    assert_true(rate > 0.3 && rate < 1 && fabs(rate - overlap) < 0.02);
    assert_true(fabs(tokens - expected) < 0.1 * expected);
    answering_stop(&plain);
    answering_stop(&t);
}

static void test_law(void **state)
{
    (void)state;
    check_law(1.0);
}

/* Where the texts part, the target was in doubt: its two first logits are as far apart as rounding makes. */
static void check_greedy(const char *target, const char *technique, uint32_t n, uint32_t n_out)
{
    struct answering t;
    struct answering plain;
    int32_t ids[answering_tokens_max];
    int32_t want[answering_tokens_max];
    answering_start(&plain, target, NULL, 0);
    n = answering_text(&plain, ids, n);
    answering_generate(&plain, ids, n, n_out, 0, 1);
    uint32_t n_want = plain.n_tokens;
    memcpy(want, plain.tokens, n_want * sizeof *want);
    answering_start(&t, target, technique, 0);
    for (int again = 0; again < 2; again++) {
        answering_generate(&t, ids, n, n_out, 0, 1);
        assert_int_equal(t.n_tokens, n_want);
        for (uint32_t i = 0; i < n_want; i++) {
            if (t.tokens[i] != want[i]) {
                int32_t longer[2 * answering_tokens_max];
                memcpy(longer, ids, n * sizeof *ids);
                memcpy(longer + n, want, i * sizeof *want);
                answering_rows(&plain, longer, n + i, n + i, 0);
                double gap = (double)plain.rows[want[i]] - (double)plain.rows[t.tokens[i]];
                print_message("%s: parts at %u, logits %.1e apart\n", technique, i, gap);
                assert_true(fabs(gap) < 1e-3);
                break;
            }
        }
    }
    print_message("%s on %s: %u tokens alike, accepted %.3f, %.2f a pass\n", technique, target, n_want,
                  answering_reading(&t, "acceptance_rate"), answering_reading(&t, "tokens_per_pass"));
    answering_stop(&t);
    answering_stop(&plain);
}

/* Also where a state cannot be cut: drafts and targets that carry a recurrent state, and a ring. */
static void test_greedy(void **state)
{
    (void)state;
    check_greedy("llama-1m", PAIR, 40, 100);
    check_greedy("llama-1m", "infer.dynamic.token-parallel{draft=llama-1m.safetensors,gamma=3}", 40, 60);
    check_greedy("llama-1m", "infer.dynamic.token-parallel{draft=rwkv4-1m.safetensors,gamma=4}", 40, 60);
    check_greedy("rwkv4-1m", PAIR, 40, 60);
    check_greedy("retnet-1m", "infer.dynamic.token-parallel{draft=llama-0.25m.safetensors,gamma=1}", 40, 60);
    check_greedy("h3-1m", "infer.dynamic.token-parallel{draft=hyena-1m.safetensors,gamma=2}", 30, 40);
}

/* Up to the last position of the context, and with one token to make. */
static void test_ends(void **state)
{
    (void)state;
    struct answering t;
    int32_t ids[512];
    check_greedy("llama-0.5m", PAIR, 280, 400);
    answering_start(&t, "llama-0.5m", PAIR, 0);
    uint32_t n = answering_text(&t, ids, 100);
    for (uint32_t i = 0; i < 7; i++) {
        answering_generate(&t, ids, n, i, 0, 1);
        assert_int_equal(t.n_tokens, i);
    }
    for (uint32_t i = n; i < 512; i++) {
        ids[i] = ids[i - n + 1];
    }
    answering_generate(&t, ids, 512, 10, 1, 1);
    assert_int_equal(t.n_tokens, 1);
    answering_generate(&t, ids, 509, 10, 1, 1);
    assert_int_equal(t.n_tokens, 4);
    answering_stop(&t);
}

/* A draft that is the target itself is always right, up to rounding. */
static void test_own_draft(void **state)
{
    (void)state;
    struct answering t;
    int32_t ids[n_prompt];
    answering_start(&t, "llama-0.25m", "infer.dynamic.token-parallel{draft=llama-0.25m.safetensors,gamma=3}",
                    0);
    assert_int_equal(answering_text(&t, ids, n_prompt), n_prompt);
    answering_generate(&t, ids, n_prompt, 81, 1, 5);
    assert_true(answering_reading(&t, "acceptance_overlap") > 0.9999);
    assert_true(answering_reading(&t, "acceptance_rate") > 0.99);
    assert_true(answering_reading(&t, "tokens_per_pass") > 3.9);
    assert_true(answering_reading(&t, "executed_flops") > 1.7 * answering_reading(&t, "dense_flops"));
    t.treatment.decoding->reset(self_of(&t));
    assert_true(isnan(answering_reading(&t, "acceptance_rate")));
    assert_true(isnan(answering_reading(&t, "draft_cost_ratio")));
    answering_stop(&t);
}

/* Scoring goes past it. */
static void test_rows_are_plain(void **state)
{
    (void)state;
    struct answering t;
    struct answering plain;
    int32_t ids[60];
    answering_start(&t, "llama-0.25m", "infer.dynamic.token-parallel{draft=llama-0.1m.safetensors}", 0);
    answering_start(&plain, "llama-0.25m", NULL, 0);
    assert_int_equal(answering_text(&t, ids, 60), 60);
    answering_generate(&t, ids, 30, 20, 0, 1);
    answering_rows(&t, ids, 60, 1, 0);
    answering_rows(&plain, ids, 60, 1, 0);
    assert_memory_equal(t.rows, plain.rows, 60 * n_vocab * sizeof *t.rows);
    answering_stop(&plain);
    answering_stop(&t);
}

static void test_formula(void **state)
{
    (void)state;
    assert_true(fabs(tare_speculative_expected(0.7, 4) - 2.7731) < 1e-9);
    assert_true(fabs(tare_speculative_expected(1, 4) - 5) < 1e-12);
    assert_true(fabs(tare_speculative_expected(0, 4) - 1) < 1e-12);
}

static void test_refusals(void **state)
{
    (void)state;
    answering_refused("llama-0.5m", "infer.dynamic.token-parallel", TARE_E_USAGE, "draft");
    answering_refused("llama-0.5m", "infer.dynamic.token-parallel{draft=no-such.safetensors}", TARE_E_IO,
                      "no-such");
    answering_refused("llama-0.5m", "infer.dynamic.token-parallel{draft=tokenizer.json}", TARE_E_FORMAT,
                      "tokenizer.json");
    answering_refused("llama-0.5m", "infer.dynamic.token-parallel{draft=llama-0.1m.safetensors,gamma=0}",
                      TARE_E_USAGE, "gamma");
    answering_refused("llama-0.5m", PAIR "+infer.dynamic.early-exit", TARE_E_UNSUPPORTED, "together");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_law),
        cmocka_unit_test(test_greedy),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_own_draft),
        cmocka_unit_test(test_rows_are_plain),
        cmocka_unit_test(test_formula),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
