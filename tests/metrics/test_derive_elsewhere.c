/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of a model that ran in another process: what is flagged, what is called reported, and that all else
 * passes through as it came. What becomes absent, and with which words, is decided where meters are read:
 * tests/core/test_metering.c; here such an absence has to arrive as it is.
 */
#include "made_cell.h"

#include "metrics/derive/elsewhere.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct made_cell cell;
static struct made_figures figures;

static struct tare_figure figure(const char *name, const char *unit, enum tare_kind kind, const char *source,
                                 const char *scope)
{
    struct tare_figure f = tare_figure_make(name, unit, kind, source, scope);
    f.value = 3;
    f.low = 2;
    f.high = 4;
    f.level = TARE_LEVEL;
    f.n = 5;
    f.method = "made up";
    return f;
}

/* Sends one figure through, and returns what arrived. */
static const struct tare_figure *sent(const struct tare_figure *f)
{
    struct tare_elsewhere around;
    struct tare_err err = {0};
    made_cell_init(&cell, 1);
    made_figures_init(&figures);
    cell.e.elsewhere = true;
    struct tare_figures *to = tare_elsewhere_around(&around, &cell.e, &figures.to);
    assert_ptr_not_equal(to, &figures.to);
    assert_int_equal(to->put(to, f, &err), 0);
    assert_int_equal(figures.n, 1);
    return &figures.list[0];
}

/* All but kind, source and flags. */
static void assert_the_rest_is_same(const struct tare_figure *was, const struct tare_figure *is)
{
    assert_string_equal(is->name, was->name);
    assert_string_equal(is->unit, was->unit);
    assert_string_equal(is->scope, was->scope);
    assert_string_equal(is->n_what, was->n_what);
    assert_memory_equal(&is->value, &was->value, sizeof is->value);
    assert_memory_equal(&is->low, &was->low, sizeof is->low);
    assert_memory_equal(&is->high, &was->high, sizeof is->high);
    assert_memory_equal(&is->level, &was->level, sizeof is->level);
    assert_int_equal(is->n, was->n);
    assert_ptr_equal(is->method, was->method);
    assert_ptr_equal(is->absent, was->absent);
}

#define CLOCK  "CLOCK_MONOTONIC, tokens counted"
#define SERVER "CLOCK_MONOTONIC, tokens as the server reports them"

enum { M = TARE_KIND_MEASURED, C = TARE_KIND_COUNTED, R = TARE_KIND_REPORTED, X = TARE_KIND_MODELLED };

static const struct {
    const char *name, *unit;
    int kind;
    const char *source, *scope;
    bool flagged;
    int kind_after;
    const char *source_after; /* NULL: the same */
    const char *why;
} cases[] = {
    {"peak_rss", "B", M, "/proc/self/status VmHWM", "process", true, M, NULL, "a meter saw this process"},
    {"energy_measure", "J", M, "RAPL package", "package", true, M, NULL, "a meter saw this machine"},
    {"temperature_max", "degC", M, "hwmon", "node", true, M, NULL, "a meter saw this machine"},
    {"load_time", "s", M, CLOCK, "process", true, M, NULL, "no model was loaded in it"},
    {"load_time", "s", X, "made up", "process", true, X, NULL, "of whatever kind"},
    {"warmup_time", "s", M, "CLOCK_MONOTONIC", "process", false, M, NULL, "a time between two stamps"},
    {"latency_p50", "s", M, "CLOCK_MONOTONIC", "request", false, M, NULL,
     "the time of a request is the model's"},
    {"http_connect_p50", "s", M, "libcurl", "request", false, M, NULL, "of a request, whatever the clock"},
    {"request_throughput", "request/s", M, CLOCK, "process", false, M, NULL, "requests are ours"},
    {"net_sent_bytes", "B", M, "tcp", "process", false, M, NULL, "the wire is as much the server's"},
    {"internet_bytes", "B", M, "tcp", "process", true, M, NULL, "not every name with net in it"},
    {"exact", "1", C, "grading", "items", false, C, NULL, "answers are the model's"},
    {"stored_bytes", "B", C, "tensors", "model", false, C, NULL, "counts that are not of tokens"},
    {"energy_modelled", "J", X, "a constant", "node", false, X, NULL, "no meter saw anything"},
    {"token_throughput", "tok/s", M, CLOCK, "process", false, R, SERVER, "a rate by the server's tokens"},
    {"energy_per_tok", "J/tok", M, "RAPL package", "package", true, R, "RAPL package", "a meter, and tokens"},
    {"tpot_p50", "s", M, CLOCK, "request", false, R, SERVER, "by tokens, though its unit is none"},
    {"speedup", "x", M, "windows of the same block", "process", false, M, NULL, "a ratio of times"},
    {"energy_ratio", "x", M, "RAPL package", "node", true, M, NULL, "a ratio of joules"},
    {"decode_speedup", "x", M, "same block", "process", false, R, "same block", "by tokens, without a unit"},
    {"prefill_speedup", "x", M, "same block", "process", false, R, "same block", "by tokens, without a unit"},
    {"output_tok", "tok", C, "counted", "request", false, R, "counted", "what is counted of tokens, too"},
    {"cost_per_mtok", "/Mtok", X, "a price", "process", false, X, "a price", "never made better than it was"},
};

static void test_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_figure f = figure(cases[i].name, cases[i].unit, (enum tare_kind)cases[i].kind,
                                      cases[i].source, cases[i].scope);
        const struct tare_figure *got = sent(&f);
        const char *source = cases[i].source_after ? cases[i].source_after : cases[i].source;
        if (made_flagged(got, "ELSEWHERE") != cases[i].flagged || got->kind != cases[i].kind_after ||
            strcmp(got->source, source) != 0) {
            fail_msg("%s (%s): flags \"%s\", kind %d, source \"%s\"", f.name, cases[i].why, got->flags,
                     got->kind, got->source);
        }
        assert_the_rest_is_same(&f, got);
    }
}

/* Flags that a figure has stay, and it is told once. */
static void test_flags_stay(void **state)
{
    struct tare_figure f = figure("peak_rss", "B", TARE_KIND_MEASURED, "VmHWM", "process");
    (void)state;
    tare_figure_flag(&f, "FEW_REPEATS");
    assert_string_equal(sent(&f)->flags, "FEW_REPEATS,ELSEWHERE");
    tare_figure_flag(&f, "ELSEWHERE");
    assert_string_equal(sent(&f)->flags, "FEW_REPEATS,ELSEWHERE");
    assert_string_equal(f.flags, "FEW_REPEATS,ELSEWHERE"); /* and nothing was written to what was given */
}

/* What is absent keeps its reason, and no value appears. */
static void test_absence_passes(void **state)
{
    struct tare_figure f =
        tare_figure_make("token_throughput", "tok/s", TARE_KIND_MEASURED, CLOCK, "process");
    (void)state;
    f.absent = "the server does not tell";
    const struct tare_figure *got = sent(&f);
    assert_string_equal(got->absent, "the server does not tell");
    assert_true(isnan(got->value));
    assert_int_equal(got->kind, TARE_KIND_REPORTED);
}

/* A model in the worker: the very sink, so that nothing can be changed on the way. */
static void test_here(void **state)
{
    struct tare_elsewhere around;
    (void)state;
    made_cell_init(&cell, 1);
    made_figures_init(&figures);
    assert_ptr_equal(tare_elsewhere_around(&around, &cell.e, &figures.to), &figures.to);
}

static int refuse(struct tare_figures *to, const struct tare_figure *f, struct tare_err *err)
{
    (void)to;
    (void)f;
    return tare_err_set(err, TARE_E_DATABASE, "the disk is full");
}

static void test_failure_passes(void **state)
{
    struct tare_figures full = {refuse};
    struct tare_elsewhere around;
    struct tare_err err = {0};
    struct tare_figure f = figure("peak_rss", "B", TARE_KIND_MEASURED, "VmHWM", "process");
    (void)state;
    made_cell_init(&cell, 1);
    cell.e.elsewhere = true;
    struct tare_figures *to = tare_elsewhere_around(&around, &cell.e, &full);
    assert_int_equal(to->put(to, &f, &err), TARE_E_DATABASE);
    assert_string_equal(err.msg, "the disk is full");
}

/* A cell as it comes from a server. The reason is the harness's (core/metering.c). */
static void make_cell(bool elsewhere)
{
    static const char why[] = "the model runs in another process than the one that is read here";
    made_cell_init(&cell, 2);
    cell.e.elsewhere = elsewhere;
    for (int64_t id = 1; id <= 2; id++) {
        made_cell_read(&cell, id, "peak_rss", 1e6, elsewhere ? why : NULL);
        made_cell_read(&cell, id, "wall", 2e9, NULL);
        made_cell_read(&cell, id, "temperature_max", 50, NULL);
        cell.repeats[id - 1].sums.prompt_tok = 1000;
        cell.repeats[id - 1].sums.output_tok = 200;
    }
}

static const struct tare_figure *derived(const char *derivation, const char *name)
{
    struct tare_err err = {0};
    made_figures_init(&figures);
    assert_int_equal(tare_derive_one(derivation, &cell.e, &figures.to, &err), 0);
    return made_figure(&figures, name);
}

/* Through the derivations themselves, which know nothing of it. */
static void test_derivations(void **state)
{
    (void)state;
    make_cell(true);
    assert_string_equal(derived("resources", "peak_rss")->absent,
                        "the model runs in another process than the one that is read here");
    assert_true(derived("resources", "temperature_max")->value == 50);
    assert_true(made_flagged(derived("resources", "temperature_max"), "ELSEWHERE"));
    assert_int_equal(derived("throughput", "token_throughput")->kind, TARE_KIND_REPORTED);
    assert_true(derived("throughput", "token_throughput")->value == 1200);
    assert_string_equal(derived("throughput", "token_throughput")->source, SERVER);
    assert_int_equal(derived("throughput", "request_throughput")->kind, TARE_KIND_MEASURED);
    assert_string_equal(derived("throughput", "request_throughput")->source, CLOCK);
    make_cell(false);
    assert_true(derived("resources", "peak_rss")->value == 1e6);
    assert_false(made_flagged(derived("resources", "temperature_max"), "ELSEWHERE"));
    assert_int_equal(derived("throughput", "token_throughput")->kind, TARE_KIND_MEASURED);
    assert_string_equal(derived("throughput", "token_throughput")->source, CLOCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),           cmocka_unit_test(test_flags_stay),
        cmocka_unit_test(test_absence_passes), cmocka_unit_test(test_here),
        cmocka_unit_test(test_failure_passes), cmocka_unit_test(test_derivations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
