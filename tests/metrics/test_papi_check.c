/* SPDX-License-Identifier: Apache-2.0 */
/* What is believed of a counter and what is not: tables of truths, readings and verdicts. */
#include "papi_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NONE (double)NAN

static void test_self_check(void **state)
{
    static const struct {
        enum tare_papi_kind kind;
        double truth, reading;
        bool accepted;
        const char *why; /* part of it */
    } rows[] = {
        {TARE_PAPI_INSTRUCTIONS, 1e8, 1e8, true, ""},
        {TARE_PAPI_INSTRUCTIONS, 1e8, 1.01e8, true, ""},
        {TARE_PAPI_INSTRUCTIONS, 1e8, 0.99e8, true, ""},
        {TARE_PAPI_INSTRUCTIONS, 1e8, 1.0101e8, false,
         "1e+08 of known work read as 1.0101e+08 (+1.0 %, at most 1 %)"},
        {TARE_PAPI_INSTRUCTIONS, 1e8, 0.9899e8, false, "-1.0 %"},
        {TARE_PAPI_INSTRUCTIONS, 1e8, 0, false, "read 0 after known work"},
        {TARE_PAPI_BRANCHES, 1e7, 1.009e7, true, ""},
        {TARE_PAPI_BRANCHES, 1e7, 2e7, false, "+100.0 %"},
        {TARE_PAPI_LOADS, 4e7, 4.1e7, false, "+2.5 %, at most 1 %"},
        {TARE_PAPI_FLOPS_SP, 1e8, 1.02e8, true, ""},
        {TARE_PAPI_FLOPS_SP, 1e8, 0.98e8, true, ""},
        {TARE_PAPI_FLOPS_SP, 1e8, 1.0201e8, false, "at most 2 %"},
        {TARE_PAPI_FLOPS_DP, 1e8, 0.5e8, false, "-50.0 %, at most 2 %"}, /* a multiply-add counted once */
        {TARE_PAPI_FLOPS, 1e8, 1.5e8, false, "+50.0 %"},
        {TARE_PAPI_FLOPS_DP, 1e8, -5, false, "read -5"},
        {TARE_PAPI_FLOPS_DP, 1e8, NONE, false, "nan"},
        {TARE_PAPI_FLOPS_DP, 0, 7, false, "no known work"},
        {TARE_PAPI_FLOPS_DP, NONE, 7, false, "no known work"},
        {TARE_PAPI_CYCLES, NONE, 12345, true, ""},
        {TARE_PAPI_CYCLES, NONE, 0, false, "read 0"},
        {TARE_PAPI_OTHER, NONE, 1, true, ""},
        {TARE_PAPI_OTHER, NONE, 0, false, "it was started, but read 0"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char why[128] = "";
        bool accepted = tare_papi_accept(rows[i].kind, rows[i].truth, rows[i].reading, why, sizeof why);
        if (accepted != rows[i].accepted || !strstr(why, rows[i].why) || accepted != !why[0] ||
            strlen(why) >= 120) {
            fail_msg("row %zu: %d, \"%s\"", i, accepted, why);
        }
    }
}

static void test_kinds(void **state)
{
    static const struct {
        const char *event;
        enum tare_papi_kind kind;
        double tolerance;
    } rows[] = {
        {"PAPI_TOT_INS", TARE_PAPI_INSTRUCTIONS, 0.01}, {"PAPI_BR_INS", TARE_PAPI_BRANCHES, 0.01},
        {"PAPI_LD_INS", TARE_PAPI_LOADS, 0.01},         {"PAPI_SP_OPS", TARE_PAPI_FLOPS_SP, 0.02},
        {"PAPI_DP_OPS", TARE_PAPI_FLOPS_DP, 0.02},      {"PAPI_FP_OPS", TARE_PAPI_FLOPS, 0.02},
        {"PAPI_TOT_CYC", TARE_PAPI_CYCLES, NONE},       {"PAPI_L3_TCM", TARE_PAPI_OTHER, NONE},
        {"perf::INSTRUCTIONS", TARE_PAPI_OTHER, NONE},  {"PAPI_TOT_INS2", TARE_PAPI_OTHER, NONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double tolerance = tare_papi_tolerance(rows[i].kind);
        assert_int_equal(tare_papi_kind_of(rows[i].event), rows[i].kind);
        assert_true(tolerance == rows[i].tolerance || (isnan(tolerance) && isnan(rows[i].tolerance)));
    }
}

static void test_share_of_time(void **state)
{
    static const struct {
        double enabled, running, ratio;
        bool accepted;
        const char *why;
    } rows[] = {
        {100, 100, 1, true, ""},
        {100, 50, 0.5, true, ""},
        {100, 49.9, 0.499, false, "49.9 % of the time"},
        {100, 0, 0, false, "0.0 %"},
        {0, 0, NONE, false, "0.0 %"},
        {NONE, NONE, NONE, false, "at least 50 %"},
        {1e12, 7e11, 0.7, true, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char why[128] = "";
        double ratio = -1;
        bool accepted = tare_papi_accept_share(rows[i].enabled, rows[i].running, &ratio, why, sizeof why);
        if (accepted != rows[i].accepted || !strstr(why, rows[i].why) || accepted != !why[0] ||
            strlen(why) >= 120) {
            fail_msg("row %zu: %d, \"%s\"", i, accepted, why);
        }
        assert_true(isnan(rows[i].ratio) ? isnan(ratio) : fabs(ratio - rows[i].ratio) < 1e-12);
    }
}

static void test_bounds(void **state)
{
    static const struct {
        double instructions, cycles;
        bool accepted;
        const char *why;
    } ipc[] = {
        {1e9, 1e9, true, ""},
        {5e7, 1e9, true, ""},
        {4.9e7, 1e9, false, "0.049 instructions a cycle"},
        {8e9, 1e9, true, ""},
        {8.1e9, 1e9, false, "8.1 instructions a cycle"},
        {1e9, 0, false, "inf"},
        {0, 0, false, ""},
        {NONE, 1e9, false, "nan"},
    };
    static const struct {
        double flops, seconds, peak;
        bool accepted;
        const char *why;
    } rates[] = {
        {1e11, 1, 1e11, true, ""},
        {1.01e11, 1, 1e11, false, "1.01e+11 FLOP/s are more than the peak of 1e+11"},
        {1, 0, 1e11, false, "inf"},
        {0, 1, 1e11, true, ""},
        {1e11, 1, NONE, false, "peak of nan"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ipc / sizeof *ipc; i++) {
        char why[128] = "";
        bool accepted = tare_papi_accept_ipc(ipc[i].instructions, ipc[i].cycles, why, sizeof why);
        assert_int_equal(accepted, ipc[i].accepted);
        assert_true(strstr(why, ipc[i].why) && accepted == !why[0]);
    }
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        char why[128] = "";
        bool accepted =
            tare_papi_accept_rate(rates[i].flops, rates[i].seconds, rates[i].peak, why, sizeof why);
        assert_int_equal(accepted, rates[i].accepted);
        assert_true(strstr(why, rates[i].why) && accepted == !why[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_self_check),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_share_of_time),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
