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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_source), cmocka_unit_test(test_none),
                                       cmocka_unit_test(test_ranks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
