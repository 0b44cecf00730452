/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of traffic from readings: which source is taken, what a request costs, and the formula. */
#include "metrics/derive/derive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int tare_derive_network(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

enum { max_readings = 64 };

struct world {
    struct tare_figures to; /* first: put gets it back */
    struct tare_figure list[32];
    size_t n;
    struct tare_evidence_repeat repeats[2];
    struct tare_evidence_reading readings[max_readings];
    struct tare_evidence e;
};

static int put(struct tare_figures *to, const struct tare_figure *figure, struct tare_err *err)
{
    struct world *w = (struct world *)to;
    (void)err;
    assert_true(w->n < sizeof w->list / sizeof *w->list);
    w->list[w->n++] = *figure;
    return 0;
}

static void init(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->to.put = put;
    for (int i = 0; i < 2; i++) {
        w->repeats[i] = (struct tare_evidence_repeat){
            .id = i + 1, .block = i, .attempts = 1, .complete = true, .sums = {.requests = 10}};
    }
    w->e =
        (struct tare_evidence){.items = 10, .n_repeats = 2, .repeats = w->repeats, .readings = w->readings};
}

static void add(struct world *w, int64_t repeat, const char *meter, const char *name, double value,
                const char *flags)
{
    assert_true(w->e.n_readings < max_readings);
    w->readings[w->e.n_readings++] =
        (struct tare_evidence_reading){repeat,
                                       {.phase = "measure",
                                        .meter = meter,
                                        .name = name,
                                        .unit = "B",
                                        .kind = "measured",
                                        .scope = strcmp(meter, "net") == 0 ? "node" : "process",
                                        .source = meter,
                                        .value = value,
                                        .absent = isnan(value) ? "not here" : NULL,
                                        .u = 0,
                                        .gain = 0,
                                        .flags = flags}};
}

static void add_both(struct world *w, const char *meter, const char *name, double first, double second,
                     const char *flags)
{
    add(w, 1, meter, name, first, flags);
    add(w, 2, meter, name, second, flags);
}

static const struct tare_figure *get(struct world *w, const char *name)
{
    struct tare_err err = {0};
    w->n = 0;
    assert_int_equal(tare_derive_network(&w->e, &w->to, &err), 0);
    const struct tare_figure *found = NULL;
    for (size_t i = 0; i < w->n; i++) {
        if (strcmp(w->list[i].name, name) == 0) {
            assert_null(found);
            found = &w->list[i];
        }
    }
    assert_non_null(found);
    return found;
}

static void test_source(void **state)
{
    static struct world w;
    (void)state;
    init(&w);
    assert_string_equal(get(&w, "net_sent_bytes")->absent, "no meter reads this here");
    add_both(&w, "net", "net_tx_bytes", 9000, 9100, "SHARED_INTERFACES");
    assert_string_equal(get(&w, "net_sent_bytes")->source, "net");
    assert_string_equal(get(&w, "net_sent_bytes")->scope, "node");
    assert_string_equal(get(&w, "net_sent_bytes")->flags, "SHARED_INTERFACES,FEW_REPEATS");
    assert_non_null(get(&w, "net_received_bytes")->absent);
    /* A source that lacks a repeat is none. */
    add_both(&w, "tcp", "tcp_sent_bytes", 700, (double)NAN, "SOCKETS_CLOSED");
    assert_string_equal(get(&w, "net_sent_bytes")->source, "net");
    add(&w, 2, "tcp", "tcp_sent_bytes", 500, "SOCKETS_CLOSED,SOCKETS_UNSEEN");
    assert_string_equal(get(&w, "net_sent_bytes")->source, "tcp");
    assert_true(get(&w, "net_sent_bytes")->value == 600);
    assert_true(get(&w, "net_sent_bytes_per_request")->value == 60);
    assert_string_equal(get(&w, "net_sent_bytes_per_request")->unit, "B/request");
    assert_non_null(strstr(get(&w, "net_sent_bytes")->flags, "SOCKETS_CLOSED,SOCKETS_UNSEEN"));
    /* The backend's own count is the best; one that another meter calls so is none. */
    add_both(&w, "other", "payload_sent_bytes", 1, 1, "");
    assert_string_equal(get(&w, "net_sent_bytes")->source, "tcp");
    add_both(&w, TARE_METER_OF_BACKEND, "payload_sent_bytes", 420, 440, "");
    assert_true(get(&w, "net_sent_bytes")->value == 430);
    assert_null(strstr(get(&w, "net_sent_bytes")->flags, "SOCKETS"));
    /* A resumed repeat has seen only part of it. */
    w.repeats[0].attempts = 2;
    assert_true(get(&w, "net_sent_bytes")->value == 440);
    w.repeats[1].complete = false;
    assert_non_null(get(&w, "net_sent_bytes")->absent);
}

static void test_none(void **state)
{
    static struct world w;
    (void)state;
    init(&w);
    add_both(&w, "tcp", "tcp_sent_bytes", 0, 0, "");
    assert_true(get(&w, "net_sent_bytes")->value == 0 && !get(&w, "net_sent_bytes")->absent);
    w.repeats[0].sums.requests = 0;
    assert_string_equal(get(&w, "net_sent_bytes_per_request")->absent, "no request was answered");
    add_both(&w, "tcp", "tcp_received_bytes", (double)NAN, (double)NAN, "");
    assert_string_equal(get(&w, "net_received_bytes")->absent, "not here");
}

static void add_ranks(struct world *w, double third)
{
    add_both(w, TARE_METER_OF_BACKEND, "comm_rank_0_sent_bytes", 1000, 1000, "");
    add_both(w, TARE_METER_OF_BACKEND, "comm_rank_1_sent_bytes", 1000, 1000, "");
    add_both(w, TARE_METER_OF_BACKEND, "comm_rank_2_sent_bytes", third, third, "");
}

static void test_ranks(void **state)
{
    static struct world w;
    (void)state;
    init(&w);
    assert_non_null(get(&w, "comm_bytes_total")->absent);
    add_ranks(&w, 1020);
    assert_true(get(&w, "comm_bytes_total")->value == 3020);
    assert_true(get(&w, "comm_bytes_rank_max")->value == 1020);
    assert_string_equal(get(&w, "comm_bytes_rank_max")->scope, "rank");
    assert_non_null(get(&w, "comm_over_formula")->absent);
    add_both(&w, TARE_METER_OF_BACKEND, "comm_formula_bytes", 1000, 1000, "");
    assert_true(get(&w, "comm_over_formula")->value == 1.02);
    assert_null(strstr(get(&w, "comm_over_formula")->flags, "UNEXPLAINED"));
    init(&w);
    add_ranks(&w, 1060);
    add_both(&w, TARE_METER_OF_BACKEND, "comm_formula_bytes", 1000, 1000, "");
    assert_true(get(&w, "comm_over_formula")->value == 1.06);
    assert_non_null(strstr(get(&w, "comm_over_formula")->flags, "UNEXPLAINED"));
    add_both(&w, TARE_METER_OF_BACKEND, "comm_formula_bytes", 0, 0, "");
    assert_non_null(get(&w, "comm_over_formula")->absent);
}

/* The reading of that name and repeat. */
static struct tare_reading_record *reading(struct world *w, int64_t repeat, const char *name)
{
    for (size_t i = 0; i < w->e.n_readings; i++) {
        if (w->readings[i].repeat_id == repeat && strcmp(w->readings[i].r.name, name) == 0) {
            return &w->readings[i].r;
        }
    }
    fail_msg("no reading %s", name);
    return NULL;
}

/* A rank that nobody knows, or that has no number in the row, leaves no sum of the others. */
static void test_rank_missing(void **state)
{
    static const char *const names[] = {"comm_bytes_total", "comm_bytes_rank_max", "comm_over_formula"};
    static struct world w;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        init(&w);
        add_ranks(&w, 1020);
        add_both(&w, TARE_METER_OF_BACKEND, "comm_formula_bytes", 1000, 1000, "");
        assert_null(get(&w, names[i])->absent);
        reading(&w, 2, "comm_rank_1_sent_bytes")->absent = "rank 1 did not answer";
        reading(&w, 2, "comm_rank_1_sent_bytes")->value = (double)NAN;
        assert_string_equal(get(&w, names[i])->absent, "rank 1 did not answer");
        reading(&w, 2, "comm_rank_1_sent_bytes")->name = "comm_rank_3_sent_bytes";
        reading(&w, 2, "comm_rank_3_sent_bytes")->absent = NULL;
        assert_non_null(strstr(get(&w, names[i])->absent, "without gaps"));
        reading(&w, 2, "comm_rank_3_sent_bytes")->name = "another_count";
        reading(&w, 2, "comm_rank_2_sent_bytes")->name = "comm_rank_1_sent_bytes";
        assert_non_null(strstr(get(&w, names[i])->absent, "different numbers of ranks"));
        reading(&w, 2, "comm_rank_0_sent_bytes")->name = "comm_rank_00_sent";
        reading(&w, 2, "comm_rank_1_sent_bytes")->name = "comm_rank_1_sent_bytes_too";
        assert_non_null(strstr(get(&w, names[i])->absent, "no bytes of its ranks"));
    }
}

/* The weakest kind of all that a figure is made of, wherever it stands among the repeats and ranks. */
static void test_kind(void **state)
{
    static struct world w;
    (void)state;
    init(&w);
    add_ranks(&w, 1020);
    add_both(&w, TARE_METER_OF_BACKEND, "comm_formula_bytes", 1000, 1000, "");
    assert_int_equal(get(&w, "comm_bytes_total")->kind, TARE_KIND_MEASURED);
    reading(&w, 1, "comm_formula_bytes")->kind = "modelled";
    assert_int_equal(get(&w, "comm_over_formula")->kind, TARE_KIND_MODELLED);
    assert_int_equal(get(&w, "comm_bytes_total")->kind, TARE_KIND_MEASURED);
    reading(&w, 1, "comm_rank_2_sent_bytes")->kind = "reported";
    assert_int_equal(get(&w, "comm_bytes_total")->kind, TARE_KIND_REPORTED);
    reading(&w, 1, "comm_rank_2_sent_bytes")->flags = "TRUNCATED";
    assert_non_null(strstr(get(&w, "comm_bytes_total")->flags, "TRUNCATED"));
    add_both(&w, "tcp", "tcp_sent_bytes", 700, 700, "");
    assert_int_equal(get(&w, "net_sent_bytes")->kind, TARE_KIND_MEASURED);
    reading(&w, 1, "tcp_sent_bytes")->kind = "reported";
    assert_int_equal(get(&w, "net_sent_bytes")->kind, TARE_KIND_REPORTED);
    assert_int_equal(get(&w, "net_sent_bytes_per_request")->kind, TARE_KIND_REPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_source), cmocka_unit_test(test_none),
                                       cmocka_unit_test(test_ranks), cmocka_unit_test(test_rank_missing),
                                       cmocka_unit_test(test_kind)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
