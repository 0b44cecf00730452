/* SPDX-License-Identifier: Apache-2.0 */
/* Shares of peaks from hand-made evidence, against closed forms. */
#include "metrics/derive/derive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int tare_derive_utilisation(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

enum { max_figures = 40 };

struct kept {
    struct tare_figures to;
    size_t n;
    struct tare_figure list[max_figures];
    char sources[max_figures][256]; /* a source need not outlive the call */
};

static int keep(struct tare_figures *to, const struct tare_figure *figure, struct tare_err *err)
{
    struct kept *k = (struct kept *)to;
    (void)err;
    assert_true(k->n < max_figures);
    assert_true(isfinite(figure->value) == !figure->absent); /* never a zero for an absence, nor both */
    assert_true(!figure->absent || figure->absent[0]);
    assert_true(figure->kind >= TARE_KIND_MEASURED && figure->kind <= TARE_KIND_DECLARED);
    assert_true(strlen(figure->source) < sizeof k->sources[0]);
    memcpy(k->sources[k->n], figure->source, strlen(figure->source) + 1);
    k->list[k->n] = *figure;
    k->list[k->n].source = k->sources[k->n];
    k->n++;
    return 0;
}

static void derive(struct kept *k, const struct tare_evidence *e)
{
    struct tare_err err = {0};
    *k = (struct kept){.to = {keep}};
    assert_int_equal(tare_derive_utilisation(e, &k->to, &err), 0);
}

static const struct tare_figure *get(const struct kept *k, const char *name)
{
    const struct tare_figure *found = NULL;
    for (size_t i = 0; i < k->n; i++) {
        if (strcmp(k->list[i].name, name) == 0) {
            assert_null(found);
            found = &k->list[i];
        }
    }
    if (!found) {
        fail_msg("no figure is called %s", name);
    }
    return found;
}

static void is_near(const struct kept *k, const char *name, double expected)
{
    const struct tare_figure *f = get(k, name);
    if (f->absent || fabs(f->value / expected - 1) > 1e-9) {
        fail_msg("%s is %.17g (%s) instead of %.17g", name, f->value, f->absent ? f->absent : "there",
                 expected);
    }
}

static void is_absent(const struct kept *k, const char *name, const char *why)
{
    const struct tare_figure *f = get(k, name);
    assert_non_null(f->absent);
    assert_string_equal(f->absent, why);
}

static bool has_flag(const struct kept *k, const char *name, const char *flag)
{
    return strstr(get(k, name)->flags, flag) != NULL;
}

#define GEMM_PEAK "measured by selftest"
static const char no_peak[] =
    "no peak is known; run 'tare selftest' or give --peak-flops and --peak-bandwidth";

/* Llama-2-7B in 16 bits: parameters and FLOPs of a decode step at 2048 tokens of context with the head, bytes
 * of a token's keys and values, and of the prompt's FLOPs without it. */
#define LLAMA_PARAMS 6738415616.0
#define LLAMA_STEP   INT64_C(14288000000)
#define LLAMA_PROMPT INT64_C(27630000000000)
#define LLAMA_KV     524288.0

#define READING(phase_, meter_, name_, kind_, value_)                                            \
    {                                                                                            \
        1,                                                                                       \
        {                                                                                        \
            .phase = (phase_), .meter = (meter_), .name = (name_), .unit = "1", .kind = (kind_), \
            .scope = "process", .source = "test", .value = (value_)                              \
        }                                                                                        \
    }

static const struct tare_evidence_reading llama_readings[] = {
    READING("load", "model", "params_active", "counted", LLAMA_PARAMS),
    READING("load", "model", "stored_bytes", "counted", 2 * LLAMA_PARAMS),
    READING("load", "model", "kv_bytes_per_token", "counted", LLAMA_KV),
    READING("load", "model", "state_bytes", "counted", 0),
};

/* One prompt of 2048 tokens in 4 s, one more token 20 ms later. */
static const struct tare_evidence_repeat llama_repeat = {
    .id = 1,
    .attempts = 1,
    .complete = true,
    .sums = {.samples = 1,
             .requests = 1,
             .prompt_tok = 2048,
             .output_tok = 2,
             .window_ns = 5000000000,
             .busy_ns = 4020000000,
             .decode_tok = 1,
             .decode_ns = 20000000,
             .max_tok = 2048,
             .prefill_flops = LLAMA_PROMPT,
             .decode_flops = LLAMA_STEP,
             .prefill_bytes = 13476831232 + 2 * INT64_C(1073741824),
             .decode_bytes = 13476831232 + INT64_C(1073741824) + 524288}};

static struct tare_evidence llama(void)
{
    return (struct tare_evidence){.account_kind = TARE_KIND_COUNTED,
                                  .n_repeats = 1,
                                  .repeats = &llama_repeat,
                                  .n_readings = sizeof llama_readings / sizeof *llama_readings,
                                  .readings = llama_readings,
                                  .peak_flops = 10e12,
                                  .peak_bytes_per_s = 1e12,
                                  .peak_source = GEMM_PEAK,
                                  .peak_kind = TARE_KIND_MEASURED};
}

static void test_closed_forms(void **state)
{
    struct kept k;
    struct tare_evidence e = llama();
    (void)state;
    derive(&k, &e);
    is_near(&k, "achieved_flops_prefill", 2.763e13 / 4);
    is_near(&k, "achieved_flops_decode", 1.4288e10 / 0.02);
    is_near(&k, "achieved_bytes_prefill", 15624314880.0 / 4);
    is_near(&k, "achieved_bytes_decode", 14551097344.0 / 0.02);
    is_near(&k, "mfu", (2.763e13 + 1.4288e10) / (5 * 10e12));
    is_near(&k, "mfu_prefill", 2.763e13 / (4 * 10e12));
    is_near(&k, "mfu_decode", 1.4288e10 / (0.02 * 10e12));
    is_near(&k, "mbu", (2 * LLAMA_PARAMS + 2048 * LLAMA_KV) / 0.02 / 1e12);
    is_near(&k, "mbu_counted", 14551097344.0 / 0.02 / 1e12);
    is_near(&k, "intensity_prefill", 2.763e13 / 15624314880.0);
    is_near(&k, "intensity_decode", 1.4288e10 / 14551097344.0);
    is_near(&k, "ridge", 10);
    is_near(&k, "roofline_attainable_prefill", 10e12);
    is_near(&k, "roofline_attainable_decode", 1.4288e10 / 14551097344.0 * 1e12);
    is_near(&k, "roofline_share_prefill", 2.763e13 / (4 * 10e12));
    is_near(&k, "roofline_share_decode",
            14551097344.0 / 0.02 / 1e12); /* on the memory side: that of bandwidth */
    is_near(&k, "flops_counted_over_analytic", (2.763e13 + 1.4288e10) / (2 * LLAMA_PARAMS * 2049));
    assert_non_null(strstr(get(&k, "roofline_attainable_prefill")->source, "compute side"));
    assert_non_null(strstr(get(&k, "roofline_attainable_decode")->source, "memory side"));
    assert_string_equal(get(&k, "mfu")->source, "model FLOPs / (window x peak); peak: " GEMM_PEAK);
    assert_non_null(strstr(get(&k, "mbu")->source, GEMM_PEAK));
    assert_non_null(strstr(get(&k, "roofline_attainable_decode")->source, GEMM_PEAK));
    assert_null(strstr(get(&k, "achieved_flops_decode")->source, GEMM_PEAK)); /* needs none */
    for (size_t i = 0; i < k.n; i++) {
        assert_null(strstr(k.list[i].flags, "OVER_PEAK"));
    }
}

static void test_kinds_are_the_weakest(void **state)
{
    struct kept k;
    struct tare_evidence e = llama();
    (void)state;
    derive(&k, &e);
    assert_int_equal(get(&k, "achieved_flops_decode")->kind, TARE_KIND_COUNTED);
    assert_int_equal(get(&k, "mfu")->kind, TARE_KIND_COUNTED);
    assert_int_equal(get(&k, "mbu")->kind, TARE_KIND_COUNTED);
    assert_int_equal(get(&k, "ridge")->kind, TARE_KIND_MEASURED);
    assert_string_equal(get(&k, "ridge")->source, GEMM_PEAK);
    assert_int_equal(get(&k, "roofline_attainable_decode")->kind, TARE_KIND_MODELLED);
    assert_int_equal(get(&k, "roofline_share_decode")->kind, TARE_KIND_MODELLED);
    e.peak_kind = TARE_KIND_DECLARED;
    derive(&k, &e);
    assert_int_equal(get(&k, "achieved_flops_decode")->kind, TARE_KIND_COUNTED); /* needs no peak */
    assert_int_equal(get(&k, "mfu")->kind, TARE_KIND_DECLARED);
    assert_int_equal(get(&k, "mbu")->kind, TARE_KIND_DECLARED);
    assert_int_equal(get(&k, "ridge")->kind, TARE_KIND_DECLARED);
    assert_int_equal(get(&k, "roofline_attainable_decode")->kind, TARE_KIND_DECLARED);
    e.peak_kind = TARE_KIND_MEASURED;
    e.account_kind = TARE_KIND_REPORTED;
    derive(&k, &e);
    assert_int_equal(get(&k, "mfu")->kind, TARE_KIND_REPORTED);
    assert_int_equal(get(&k, "intensity_decode")->kind, TARE_KIND_REPORTED);
}

/* What needs no peak stays; what needs one says how to get it. */
static void test_no_peak(void **state)
{
    static const char *const shares[] = {"mfu",
                                         "mfu_prefill",
                                         "mfu_decode",
                                         "hfu",
                                         "mbu",
                                         "mbu_counted",
                                         "ridge",
                                         "roofline_attainable_prefill",
                                         "roofline_attainable_decode",
                                         "roofline_share_prefill",
                                         "roofline_share_decode"};
    struct kept k;
    struct tare_evidence e = llama();
    (void)state;
    e.peak_kind = 0; /* whatever the numbers say */
    derive(&k, &e);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        is_absent(&k, shares[i], no_peak);
    }
    is_near(&k, "achieved_flops_decode", 1.4288e10 / 0.02);
    is_near(&k, "intensity_decode", 1.4288e10 / 14551097344.0);
    e = llama();
    e.peak_bytes_per_s = (double)NAN; /* one of the two is known */
    derive(&k, &e);
    is_near(&k, "mfu", (2.763e13 + 1.4288e10) / (5 * 10e12));
    is_absent(&k, "mbu", no_peak);
    is_absent(&k, "ridge", no_peak);
    is_absent(&k, "roofline_share_decode", no_peak);
    e.peak_bytes_per_s = 0;
    derive(&k, &e);
    is_absent(&k, "mbu_counted", no_peak);
}

/* Above 1: reported as it is, and flagged. */
static void test_over_peak(void **state)
{
    struct kept k;
    struct tare_evidence e = llama();
    (void)state;
    e.peak_bytes_per_s = 0.5e12;
    derive(&k, &e);
    is_near(&k, "mbu", (2 * LLAMA_PARAMS + 2048 * LLAMA_KV) / 0.02 / 0.5e12);
    assert_true(get(&k, "mbu")->value > 1);
    assert_true(has_flag(&k, "mbu", "OVER_PEAK"));
    assert_true(has_flag(&k, "mbu_counted", "OVER_PEAK"));
    assert_true(has_flag(&k, "roofline_share_decode", "OVER_PEAK"));
    assert_false(has_flag(&k, "mfu", "OVER_PEAK"));
    assert_false(has_flag(&k, "achieved_bytes_decode", "OVER_PEAK"));
}

static void test_nothing_counted(void **state)
{
    struct kept k;
    struct tare_evidence e = llama();
    struct tare_evidence_repeat r = llama_repeat;
    (void)state;
    e.repeats = &r;
    r.sums.decode_flops = TARE_ABSENT;
    derive(&k, &e);
    is_absent(&k, "mfu", "the backend counts no FLOPs");
    is_absent(&k, "achieved_flops_prefill", "the backend counts no FLOPs");
    is_absent(&k, "intensity_prefill", "the backend counts no FLOPs");
    is_absent(&k, "flops_counted_over_analytic", "the backend counts no FLOPs");
    is_near(&k, "mbu_counted", 14551097344.0 / 0.02 / 1e12);
    r = llama_repeat;
    r.sums.prefill_bytes = TARE_ABSENT;
    derive(&k, &e);
    is_absent(&k, "intensity_decode", "the backend counts no bytes");
    is_absent(&k, "roofline_attainable_decode", "the backend counts no bytes");
    is_absent(&k, "mbu_counted", "the backend counts no bytes");
    is_near(&k, "mfu_decode", 1.4288e10 / (0.02 * 10e12));
    r = llama_repeat;
    r.complete = false;
    derive(&k, &e);
    is_absent(&k, "mfu", "no repeat was completed");
    is_absent(&k, "mbu", "no repeat was completed");
    is_absent(&k, "intensity_prefill", "no repeat was completed");
}

/* A task that scores: everything is prefill, and what belongs to decoding is absent, not 0. */
static void test_no_decode(void **state)
{
    struct kept k;
    struct tare_evidence e = llama();
    struct tare_evidence_repeat r = llama_repeat;
    (void)state;
    e.repeats = &r;
    r.sums.output_tok = r.sums.decode_tok = r.sums.decode_ns = r.sums.decode_flops = r.sums.decode_bytes = 0;
    r.sums.busy_ns = 4000000000;
    derive(&k, &e);
    is_near(&k, "mfu_prefill", 2.763e13 / (4 * 10e12));
    is_absent(&k, "mfu_decode", "no request generated two tokens");
    is_absent(&k, "mbu", "no request generated two tokens");
    is_absent(&k, "intensity_decode", "no request generated two tokens");
    is_absent(&k, "roofline_attainable_decode", "no request generated two tokens");
    is_near(&k, "flops_counted_over_analytic", 2.763e13 / (2 * LLAMA_PARAMS * 2048));
}

/* GPT-2, 1024 tokens forward: three times that is a training step's 874,944,921,600 FLOPs, which agrees with
 * 6 N + 12 L H d S a token to 0.02 %. MFU of one second at a peak of 1 TFLOP/s. */
static void test_gpt2(void **state)
{
    struct kept k;
    struct tare_evidence e = llama();
    struct tare_evidence_repeat r = llama_repeat;
    const double forward = 291648307200.0, rule = 875062886400.0 / 3;
    (void)state;
    e.repeats = &r;
    e.peak_flops = 1e12;
    r.sums = (struct tare_repeat_sums){.samples = 1,
                                       .requests = 1,
                                       .prompt_tok = 1024,
                                       .window_ns = 1000000000,
                                       .busy_ns = 1000000000,
                                       .prefill_flops = 291648307200,
                                       .prefill_bytes = 497759232};
    derive(&k, &e);
    is_near(&k, "mfu", forward / 1e12);
    is_near(&k, "mfu_prefill", forward / 1e12);
    assert_true(fabs(get(&k, "mfu")->value / (rule / 1e12) - 1) < 2e-4);
}

static const struct tare_evidence_reading executed_readings[] = {
    READING("measure", TARE_METER_OF_BACKEND, "executed_flops", "counted", 4e13),
    READING("measure", "papi", "papi_flops", "measured", 3e13),
};

/* What was executed: the backend's word first, a counter's else; a counter above the peak is not believed. */
static void test_hfu(void **state)
{
    struct kept k;
    struct tare_evidence e = llama();
    (void)state;
    derive(&k, &e);
    is_absent(&k, "hfu", "neither the backend nor a counter says what was executed");
    is_absent(&k, "flops_measured_over_counted", "no counter of FLOPs was accepted (see meter papi)");
    e.readings = executed_readings;
    e.n_readings = 2;
    derive(&k, &e);
    is_near(&k, "hfu", 4e13 / (5 * 10e12));
    assert_int_equal(get(&k, "hfu")->kind, TARE_KIND_COUNTED);
    is_near(&k, "flops_measured_over_counted", 3e13 / (2.763e13 + 1.4288e10));
    e.peak_flops = 1e12;
    derive(&k, &e);
    is_near(&k, "hfu", 8);
    assert_true(has_flag(&k, "hfu", "OVER_PEAK"));
    e.readings = &executed_readings[1];
    e.n_readings = 1;
    derive(&k, &e);
    is_absent(&k, "hfu", "the counter reads more FLOP/s than the peak, so one of the two is wrong");
    e.peak_flops = 10e12;
    derive(&k, &e);
    is_near(&k, "hfu", 3e13 / (5 * 10e12));
    assert_int_equal(get(&k, "hfu")->kind, TARE_KIND_MEASURED);
    assert_non_null(strstr(get(&k, "hfu")->source, "counters"));
}

/* A resumed repeat's readings are of its last process only, and a meter that gave up has no value. */
static void test_hfu_of_what_is_whole(void **state)
{
    struct kept k;
    struct tare_evidence e = llama();
    struct tare_evidence_repeat r = llama_repeat;
    struct tare_evidence_reading absent = executed_readings[1];
    (void)state;
    e.repeats = &r;
    e.readings = executed_readings;
    e.n_readings = 2;
    r.attempts = 2;
    derive(&k, &e);
    is_absent(&k, "hfu", "neither the backend nor a counter says what was executed");
    is_near(&k, "mfu", (2.763e13 + 1.4288e10) / (5 * 10e12)); /* sums are of all attempts */
    assert_true(has_flag(&k, "mfu", "RESUMED"));
    r.attempts = 1;
    absent.r.absent = "self-check failed";
    absent.r.value = (double)NAN;
    e.readings = &absent;
    e.n_readings = 1;
    derive(&k, &e);
    is_absent(&k, "hfu", "neither the backend nor a counter says what was executed");
    is_absent(&k, "flops_measured_over_counted", "no counter of FLOPs was accepted (see meter papi)");
}

/* The backend's own account of weights and state goes before arithmetic on the model's facts. */
static void test_mbu_of_what_is_held(void **state)
{
    static const struct tare_evidence_reading held[] = {
        READING("load", "model", "stored_bytes", "counted", 2 * LLAMA_PARAMS),
        READING("load", TARE_METER_OF_BACKEND, "weights_resident_bytes", "reported", 4e9),
        READING("measure", TARE_METER_OF_BACKEND, "state_bytes_max", "counted", 1e9),
    };
    struct kept k;
    struct tare_evidence e = llama();
    (void)state;
    e.readings = held;
    e.n_readings = 3;
    derive(&k, &e);
    is_near(&k, "mbu", 5e9 / 0.02 / 1e12);
    assert_int_equal(get(&k, "mbu")->kind, TARE_KIND_REPORTED);
    e.n_readings = 1;
    derive(&k, &e);
    is_absent(&k, "mbu", "the backend does not know its state");
    e.n_readings = 0;
    derive(&k, &e);
    is_absent(&k, "mbu", "the backend does not know the bytes of its weights");
}

/* Several repeats: the median and its interval, over complete ones only. */
static void test_repeats(void **state)
{
    struct kept k;
    struct tare_evidence e = llama();
    struct tare_evidence_repeat r[4];
    (void)state;
    for (int i = 0; i < 4; i++) {
        r[i] = llama_repeat;
        r[i].id = i + 1;
        r[i].sums.decode_ns = 20000000 * (i + 1);
    }
    r[3].complete = false;
    e.repeats = r;
    e.n_repeats = 4;
    derive(&k, &e);
    const struct tare_figure *f = get(&k, "mfu_decode");
    is_near(&k, "mfu_decode", 1.4288e10 / (0.04 * 10e12));
    assert_int_equal(f->n, 3);
    assert_true(fabs(f->low - 1.4288e10 / (0.06 * 10e12)) < 1e-12);
    assert_true(fabs(f->high - 1.4288e10 / (0.02 * 10e12)) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_forms),
        cmocka_unit_test(test_kinds_are_the_weakest),
        cmocka_unit_test(test_no_peak),
        cmocka_unit_test(test_over_peak),
        cmocka_unit_test(test_nothing_counted),
        cmocka_unit_test(test_no_decode),
        cmocka_unit_test(test_gpt2),
        cmocka_unit_test(test_hfu),
        cmocka_unit_test(test_hfu_of_what_is_whole),
        cmocka_unit_test(test_mbu_of_what_is_held),
        cmocka_unit_test(test_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
