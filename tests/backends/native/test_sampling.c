/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drawing tokens: known answers of each step, the law of what is drawn against the softmax in double, and
 * that a seed fixes a text. One seed of seeds is fixed, so a failure repeats.
 */
#include "chi_square.h"
#include "answering.h"

#include <math.h>
#include <string.h>

static void test_tail_of_chi_square(void **state)
{
    (void)state;
    /* exp(-x/2) is the exact tail at 2 degrees of freedom; the others are of printed tables. */
    assert_true(fabs(chi_square_tail(7, 2) - exp(-3.5)) < 1e-12);
    assert_true(fabs(chi_square_tail(0.3, 2) - exp(-0.15)) < 1e-12);
    assert_true(fabs(chi_square_tail(3.841459, 1) - 0.05) < 1e-6);
    assert_true(fabs(chi_square_tail(124.342113, 100) - 0.05) < 1e-6);
    assert_true(fabs(chi_square_tail(149.449253, 100) - 0.001) < 1e-6);
}

static void test_steps(void **state)
{
    (void)state;
    const float row[4] = {logf(0.5F), logf(0.3F), logf(0.15F), logf(0.05F)};
    const double q[4] = {0.25, 0.25, 0.25, 0.25};
    double p[4];
    tare_sample_probabilities(p, row, 4, 1);
    assert_true(fabs(p[0] - 0.5) < 1e-7 && fabs(p[3] - 0.05) < 1e-7);
    assert_true(fabs(tare_sample_overlap(p, q, 4) - 0.7) < 1e-7);
    assert_int_equal(tare_sample_pick(p, 4, 0), 0);
    assert_int_equal(tare_sample_pick(p, 4, 0.4999), 0);
    assert_int_equal(tare_sample_pick(p, 4, 0.5001), 1);
    assert_int_equal(tare_sample_pick(p, 4, 0.9999), 3);
    tare_sample_residual(p, q, 4); /* (0.25, 0.05, 0, 0) / 0.3 */
    assert_true(fabs(p[0] - 5.0 / 6) < 1e-6 && fabs(p[1] - 1.0 / 6) < 1e-6 && p[2] <= 0 && p[3] <= 0);
    assert_int_equal(tare_sample_pick(p, 4, 0.9999999), 1);
    tare_sample_probabilities(p, row, 4, 0.5); /* squares: 0.25, 0.09, 0.0225, 0.0025 over 0.365 */
    assert_true(fabs(p[0] - 0.25 / 0.365) < 1e-6 && fabs(p[2] - 0.0225 / 0.365) < 1e-6);
    tare_sample_probabilities(p, row, 4, 0);
    assert_true(fabs(p[0] - 1) < 1e-12 && p[1] <= 0);
}

static void test_extremes(void **state)
{
    (void)state;
    const float far[3] = {-1e30F, 1e30F, 0};
    const float same[3] = {2, 2, 2};
    const double short_of_one[3] = {0.5, 0.4999999, 0};
    double p[3];
    struct tare_rng rng;
    struct tare_rng untouched;
    tare_rng_init(&rng, 5);
    untouched = rng;
    tare_sample_probabilities(p, far, 3, 1e-3);
    assert_true(fabs(p[1] - 1) < 1e-12 && p[0] <= 0 && p[2] <= 0);
    assert_int_equal(tare_sample_draw(p, same, 3, 0, &rng), 0);
    assert_memory_equal(&rng, &untouched, sizeof rng);
    assert_int_equal(tare_sample_pick(short_of_one, 3, 0.99999999), 1);
}

/* The first token after a prompt, many seeds, against softmax(logits / T). */
static void check_law(struct answering *t, const int32_t *ids, uint32_t n, double temperature)
{
    enum { draws = 4000, n_vocab = 1024 };
    static int64_t counts[n_vocab];
    static double p[n_vocab];
    double sum = 0;
    int df;
    memset(counts, 0, sizeof counts);
    answering_rows(t, ids, n, n, 0);
    double most = (double)t->rows[tare_most_probable(t->rows, n_vocab)];
    for (int i = 0; i < n_vocab; i++) {
        p[i] = exp(((double)t->rows[i] - most) / temperature);
        sum += p[i];
    }
    for (int i = 0; i < n_vocab; i++) {
        p[i] /= sum;
    }
    for (uint64_t seed = 0; seed < draws; seed++) {
        answering_generate(t, ids, n, 1, temperature, seed);
        assert_int_equal(t->n_tokens, 1);
        counts[t->tokens[0]]++;
    }
    double good = chi_square_p(p, counts, n_vocab, draws, &df);
    answering_rows(t, ids, n - 1, n - 1, 0); /* the law of another context */
    tare_sample_probabilities(p, t->rows, n_vocab, temperature);
    int df_bad;
    double bad = chi_square_p(p, counts, n_vocab, draws, &df_bad);
    print_message("temperature %.1f: p %.3f at %d degrees of freedom; against another context's law %.1e\n",
                  temperature, good, df, bad);
    assert_true(good > 1e-3 && bad < 1e-6);
}

static void test_law(void **state)
{
    (void)state;
    static const double temperatures[] = {0.5, 1.0, 2.0};
    struct answering t;
    int32_t ids[12];
    answering_start(&t, "llama-0.1m", NULL, 0);
    assert_int_equal(answering_text(&t, ids, 12), 12);
    for (size_t i = 0; i < 3; i++) {
        check_law(&t, ids, 12, temperatures[i]);
    }
    answering_stop(&t);
}

static void test_seeds(void **state)
{
    (void)state;
    enum { n_out = 40 };
    struct answering t;
    int32_t ids[12];
    int32_t first[n_out];
    answering_start(&t, "llama-0.1m", NULL, 0);
    assert_int_equal(answering_text(&t, ids, 12), 12);
    answering_generate(&t, ids, 12, n_out, 1, 11);
    assert_int_equal(t.n_tokens, n_out);
    memcpy(first, t.tokens, sizeof first);
    answering_generate(&t, ids, 12, n_out, 1, 12);
    assert_memory_not_equal(first, t.tokens, sizeof first);
    answering_generate(&t, ids, 12, n_out, 1, 11);
    assert_memory_equal(first, t.tokens, sizeof first);
    answering_generate(&t, ids, 12, n_out, 1e-4, 3); /* as good as greedy */
    memcpy(first, t.tokens, sizeof first);
    answering_generate(&t, ids, 12, n_out, 0, 4);
    assert_memory_equal(first, t.tokens, sizeof first);
    answering_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tail_of_chi_square),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_law),
        cmocka_unit_test(test_seeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
