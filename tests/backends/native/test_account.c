/* SPDX-License-Identifier: Apache-2.0 */
/* Counted FLOPs, bytes and states, against sums written out and the figures published with the zoo. */
#include "loaded.h"

#include "account.h"
#include "arch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void test_counts(void **state)
{
    (void)state;
    struct loaded l;
    loaded_start_zoo(&l, "llama-1m", 0);
    const int64_t resident = 984192 * 2 + 9 * 128 * 2; /* matrices stay halves, 9 norms are float32 */
    struct tare_cost cost = {0};
    struct tare_err err = {0};
    /* Two outputs after 511: one decode step with 512 tokens in context. 4*(2*(4*128*128+3*128*384)
     * + 4*128*512) + 2*1024*128, written out. */
    struct tare_work work = {.prompt_tok = 511, .logits_rows = 1, .output_tok = 2};
    assert_int_equal(tare_account_count(&l.model, &work, &cost, &err), 0);
    assert_int_equal(cost.decode_flops, 3014656);
    assert_int_equal(cost.decode_bytes, resident + 513 * 4096);
    /* 511 * 1703936 + 4 * 2*128*511*512 + 262144 */
    assert_int_equal(cost.prefill_flops, INT64_C(870711296) + 267911168 + 262144);
    assert_int_equal(cost.prefill_bytes, resident + 2 * 511 * 4096);
    /* Step by step and in one go are the same. */
    int64_t steps = 0;
    for (uint32_t t = 100; t < 110; t++) {
        work = (struct tare_work){.prompt_tok = t, .logits_rows = 1, .output_tok = 2};
        assert_int_equal(tare_account_count(&l.model, &work, &cost, &err), 0);
        steps += cost.decode_flops;
    }
    work = (struct tare_work){.prompt_tok = 100, .logits_rows = 1, .output_tok = 11};
    assert_int_equal(tare_account_count(&l.model, &work, &cost, &err), 0);
    assert_int_equal(cost.decode_flops, steps);
    work = (struct tare_work){.prompt_tok = 512, .logits_rows = 1, .output_tok = 1};
    assert_int_equal(tare_account_count(&l.model, &work, &cost, &err), 0);
    assert_int_equal(cost.decode_flops, 0);
    work.output_tok = 2;
    assert_int_equal(tare_account_count(&l.model, &work, &cost, &err), TARE_E_USAGE);
    loaded_stop(&l);
}

/* The table of the zoo's format: FLOPs of a step at 512 in millions to two places, numbers in the state. */
static void test_published_costs(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *millions;
        int64_t state_floats;
        int64_t flops;
    } rows[] = {
        {"llama-1m", "3.01", 524288, 3014656}, {"rwkv4-1m", "1.97", 2048, 1974272},
        {"h3-1m", "2.18", 34304, 2179072},     {"hyena-1m", "2.43", 265216, 2434048},
        {"retnet-1m", "2.13", 32768, 2129920}, {"llama-2m", "5.80", 786432, 5799936},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct loaded l;
        struct tare_cost cost = {0};
        struct tare_err err = {0};
        char text[24];
        loaded_start_zoo(&l, rows[i].name, 0);
        const struct tare_work work = {.prompt_tok = 511, .logits_rows = 1, .output_tok = 2};
        assert_int_equal(tare_account_count(&l.model, &work, &cost, &err), 0);
        (void)snprintf(text, sizeof text, "%.2f", (double)cost.decode_flops / 1e6);
        print_message("%s: %" PRId64 " FLOPs a step at 512\n", rows[i].name, cost.decode_flops);
        assert_string_equal(text, rows[i].millions);
        assert_int_equal(cost.decode_flops, rows[i].flops);
        assert_int_equal(tare_account_state_bytes(&l.model, 512), 4 * rows[i].state_floats);
        assert_int_equal(tare_engine_state_bytes(&l.engine, 512), 4 * rows[i].state_floats);
        loaded_stop(&l);
    }
}

/* A prefill of n tokens counts what n steps from an empty state do; llama alone counts both at once. */
static void test_prefill_is_the_sum_of_steps(void **state)
{
    (void)state;
    static const char *const names[] = {"llama-1m", "rwkv4-1m", "h3-1m", "hyena-1m", "retnet-1m"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct loaded l;
        loaded_start_zoo(&l, names[i], 0);
        const struct tare_arch *arch = l.model.arch;
        int64_t sum = 0;
        for (int64_t t = 1; t <= 300; t++) {
            sum += arch->step_flops(&l.model, 1, t);
        }
        assert_int_equal(arch->prefill_flops(&l.model, 1, 300), sum);
        assert_true(strlen(arch->convention) > 20);
        loaded_stop(&l);
    }
}

/* Mamba of width 768 by the published formula: 7,707,648 FLOPs a token and layer, of which the matrices
 * 4DI + 2I(R + 2N) + 2RI + 2ID, and 30,720 numbers of state, of which I are of the newest row alone. */
static void test_published_mamba(void **state)
{
    (void)state;
    const struct tare_arch *mamba = tare_arch_find("mamba");
    assert_non_null(mamba);
    assert_string_equal(mamba->keys[0].name, "d_state");
    struct tare_model model = {.config = {.d_model = 768, .ffn = 1536, .size = {16, 4, 48}}, .arch = mamba};
    const int64_t d = 768;
    const int64_t inner = 1536;
    int64_t matrices = 4 * d * inner + 2 * inner * (48 + 2 * 16) + 2 * 48 * inner + 2 * inner * d;
    assert_int_equal(matrices + mamba->step_flops(&model, 0, 9), 7707648);
    assert_int_equal(mamba->state_bytes(&model, 0, 9), 4 * (30720 - inner));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_published_costs),
        cmocka_unit_test(test_prefill_is_the_sum_of_steps),
        cmocka_unit_test(test_published_mamba),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
