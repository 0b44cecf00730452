/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The results stream: what is put in comes out, however it is cut on the way; what is damaged is refused
 * and never believed. A trace of the calls that the reading end makes is compared as text.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/stream.h"
#include "core/stream_version.h"

struct seen {
    struct tare_buf trace;
    bool ended;
    int fail_at; /* the call that reports a failure; 0: none */
    int calls;
};

static int called(struct seen *seen, struct tare_err *err)
{
    seen->calls++;
    return seen->calls == seen->fail_at ? tare_err_set(err, TARE_E_DATABASE, "the disk is full") : 0;
}

static int see_items(void *ctx, int64_t n, struct tare_err *err)
{
    struct seen *seen = ctx;
    tare_buf_printf(&seen->trace, "items %" PRId64 "\n", n);
    return called(seen, err);
}

static int see_facts(void *ctx, const char *json, struct tare_err *err)
{
    struct seen *seen = ctx;
    tare_buf_printf(&seen->trace, "facts %s\n", json);
    return called(seen, err);
}

static int see_phase(void *ctx, const struct tare_phase_frame *p, struct tare_err *err)
{
    struct seen *seen = ctx;
    tare_buf_printf(&seen->trace, "phase %d %" PRId64 " %" PRId64 "\n", p->phase, p->begin_ns, p->end_ns);
    return called(seen, err);
}

static int see_reading(void *ctx, const struct tare_reading_record *r, struct tare_err *err)
{
    struct seen *seen = ctx;
    tare_buf_printf(&seen->trace, "reading %s %s %s %s %s %s %s %a %s %a %a %s\n", r->phase, r->meter,
                    r->name, r->unit, r->kind, r->scope, r->source, r->value,
                    r->absent ? r->absent : "(there)", r->u, r->gain, r->flags);
    return called(seen, err);
}

static int see_sample(void *ctx, const struct tare_sample *s, struct tare_err *err)
{
    struct seen *seen = ctx;
    tare_buf_printf(&seen->trace,
                    "sample %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %a %d %d %d", s->item,
                    s->start_ns, s->latency_ns, s->ttft_ns, s->den, s->num, s->code, s->level, s->exact);
    tare_buf_printf(&seen->trace, " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %u %u %u",
                    s->prefill_flops, s->decode_flops, s->prefill_bytes, s->decode_bytes, s->n_requests,
                    s->prompt_tok, s->output_tok);
    for (uint32_t i = 0; i < s->n_records; i++) {
        const struct tare_request_record *r = &s->records[i];
        tare_buf_printf(&seen->trace, " [%" PRId64 " %" PRId64 " %a %u %u]", r->start_ns, r->latency_ns,
                        r->loglik, r->prompt_tok, r->scored_tok);
    }
    for (uint32_t i = 0; i < s->n_token_ns; i++) {
        tare_buf_printf(&seen->trace, " %" PRId64, s->token_ns[i]);
    }
    tare_buf_add_str(&seen->trace, " ");
    tare_buf_add(&seen->trace, s->output, s->n_output);
    tare_buf_add_str(&seen->trace, "\n");
    return called(seen, err);
}

static int see_end(void *ctx, const struct tare_end_frame *e, struct tare_err *err)
{
    struct seen *seen = ctx;
    tare_buf_printf(&seen->trace, "end %d %s\n", e->code, e->message);
    seen->ended = true;
    return called(seen, err);
}

static int see_scores(void *ctx, int64_t item, const double *values, size_t n, struct tare_err *err)
{
    struct seen *seen = ctx;
    tare_buf_printf(&seen->trace, "scores %" PRId64, item);
    for (size_t i = 0; i < n; i++) {
        tare_buf_printf(&seen->trace, " %a", values[i]);
    }
    tare_buf_printf(&seen->trace, "\n");
    return called(seen, err);
}

static int see_prompts(void *ctx, const char *sha256, struct tare_err *err)
{
    struct seen *seen = ctx;
    tare_buf_printf(&seen->trace, "prompts %s\n", sha256);
    return called(seen, err);
}

static const struct tare_inbox_ops ops = {see_items,  see_facts, see_phase,  see_reading,
                                          see_sample, see_end,   see_scores, see_prompts};

static const struct tare_request_record records[] = {{10, 20, -1.5, 7, 3}, {30, 40, -0x1.8p-3, 8, 4}};
static const int64_t token_ns[] = {5, 6, INT64_MAX};

static void put_everything(struct tare_outbox *box)
{
    int64_t items = 3;
    tare_outbox_put(box, TARE_FRAME_ITEMS, &items, sizeof items, NULL, 0);
    tare_outbox_put(box, TARE_FRAME_FACTS, "{\"arch\":", 8, "\"x\"}", 4);
    struct tare_phase_frame phase = {.phase = TARE_PHASE_MEASURE, .begin_ns = 1000, .end_ns = TARE_ABSENT};
    tare_outbox_put(box, TARE_FRAME_PHASE, &phase, sizeof phase, NULL, 0);
    struct tare_reading_record reading = {"measure", "memory", "peak_rss", "B", "measured", "process",
                                          "/proc",   4096.5,   NULL,       0.5, 0.02,       "WRAPPED"};
    tare_outbox_put_reading(box, &reading);
    reading.absent = "no such counter";
    reading.value = 0;
    tare_outbox_put_reading(box, &reading);
    struct tare_sample sample = {.item = 0,
                                 .start_ns = 1,
                                 .latency_ns = 2,
                                 .ttft_ns = TARE_ABSENT,
                                 .den = 9,
                                 .prefill_flops = INT64_C(1) << 40,
                                 .decode_flops = TARE_ABSENT,
                                 .prefill_bytes = 77,
                                 .decode_bytes = INT64_C(1) << 41,
                                 .num = 0x1.23p5,
                                 .code = 0,
                                 .level = -4,
                                 .n_requests = 1,
                                 .prompt_tok = 12,
                                 .output_tok = 0,
                                 .exact = -1};
    tare_outbox_put_sample(box, &sample);
    sample.item = 1;
    sample.code = TARE_E_BACKEND;
    sample.n_records = 2;
    sample.records = records;
    sample.n_token_ns = 3;
    sample.token_ns = token_ns;
    sample.output = "three bytes\xff";
    sample.n_output = 12;
    tare_outbox_put_sample(box, &sample);
    static const double scores[] = {0.5, -3};
    tare_outbox_put(box, TARE_FRAME_SCORES, &sample.item, sizeof sample.item, scores, sizeof scores);
    static const char hash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    tare_outbox_put(box, TARE_FRAME_PROMPTS, hash, sizeof hash - 1, NULL, 0);
    struct tare_end_frame end = {.code = TARE_E_BACKEND, .message = "it fell over"};
    tare_outbox_put(box, TARE_FRAME_END, &end, sizeof end, NULL, 0);
}

static const char expected[] =
    "items 3\n"
    "facts {\"arch\":\"x\"}\n"
    "phase 3 1000 -1\n"
    "reading measure memory peak_rss B measured process /proc 0x1.0008p+12 (there) 0x1p-1 "
    "0x1.47ae147ae147bp-6 WRAPPED\n"
    "reading measure memory peak_rss B measured process /proc 0x0p+0 no such counter 0x1p-1 "
    "0x1.47ae147ae147bp-6 WRAPPED\n"
    "sample 0 1 2 -1 9 0x1.23p+5 0 -4 -1 1099511627776 -1 77 2199023255552 1 12 0 \n"
    "sample 1 1 2 -1 9 0x1.23p+5 -7 -4 -1 1099511627776 -1 77 2199023255552 1 12 0 [10 20 -0x1.8p+0 7 3] "
    "[30 40 -0x1.8p-3 8 4] 5 6 9223372036854775807 three bytes\xff\n"
    "scores 1 0x1p-1 -0x1.8p+1\n"
    "prompts 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
    "end -7 it fell over\n";

/* The bytes that the worker would send. */
static char wire[8192];
static size_t n_wire;

static void make_pipe(int fd[2])
{
    assert_int_equal(pipe(fd), 0);
}

static int make_wire(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    int fd[2];
    struct tare_outbox box;
    struct tare_err err = {0};
    make_pipe(fd);
    assert_int_equal(tare_outbox_init(&box, fd[1], &err), 0);
    put_everything(&box);
    tare_outbox_flush(&box);
    assert_false(box.broken);
    assert_int_equal(box.stalls, 0);
    ssize_t n = read(fd[0], wire, sizeof wire);
    assert_in_range(n, 1000, sizeof wire - 1);
    n_wire = (size_t)n;
    tare_outbox_fini(&box);
    return close(fd[0]) | close(fd[1]);
}

static int feed_parts(const char *bytes, size_t n, size_t first, size_t step, struct seen *seen,
                      struct tare_err *err)
{
    struct tare_inbox box;
    tare_inbox_init(&box);
    int r = 0;
    size_t at = 0;
    for (size_t part = first; r == 0 && at < n; part = step) {
        size_t size = part < n - at ? part : n - at;
        char *copy = malloc(size + 1); /* of its own, so that a sanitizer sees what is borrowed too long */
        assert_non_null(copy);
        memcpy(copy, bytes + at, size);
        r = tare_inbox_feed(&box, copy, size, &ops, seen, err);
        free(copy);
        at += size;
    }
    tare_inbox_fini(&box);
    return r;
}

static void open_seen(struct seen *seen)
{
    memset(seen, 0, sizeof *seen);
    tare_buf_init(&seen->trace, 1 << 20);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct seen seen;
    struct tare_err err = {0};
    open_seen(&seen);
    assert_int_equal(feed_parts(wire, n_wire, n_wire, n_wire, &seen, &err), 0);
    assert_string_equal(tare_buf_str(&seen.trace), expected);
    assert_int_equal(seen.trace.used, sizeof expected - 1);
    tare_buf_fini(&seen.trace);
}

static void test_split_anywhere(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < n_wire; cut++) {
        struct seen seen;
        open_seen(&seen);
        assert_int_equal(feed_parts(wire, n_wire, cut, n_wire, &seen, NULL), 0);
        assert_string_equal(tare_buf_str(&seen.trace), expected);
        tare_buf_fini(&seen.trace);
    }
    for (size_t step = 1; step < 100; step++) {
        struct seen seen;
        open_seen(&seen);
        assert_int_equal(feed_parts(wire, n_wire, step, step, &seen, NULL), 0);
        assert_string_equal(tare_buf_str(&seen.trace), expected);
        tare_buf_fini(&seen.trace);
    }
}

/* A worker that dies in the middle: what was complete counts, and it did not end. */
static void test_truncated(void **state)
{
    (void)state;
    for (size_t n = 0; n < n_wire; n++) {
        struct seen seen;
        open_seen(&seen);
        assert_int_equal(feed_parts(wire, n, n + 1, n + 1, &seen, NULL), 0);
        assert_memory_equal(tare_buf_str(&seen.trace), expected, seen.trace.used);
        assert_false(seen.ended);
        tare_buf_fini(&seen.trace);
    }
}

/* Where the frames begin, and the type that each must have. */
static size_t frames(size_t *at)
{
    size_t n = 0;
    for (size_t i = 0; i < n_wire; n++) {
        uint32_t head[2];
        memcpy(head, wire + i, sizeof head);
        at[n] = i;
        i += sizeof head + head[1];
    }
    return n;
}

/* Feeds a damaged copy. It must not come to a regular end. */
static void assert_refused(const char *bytes, size_t n, const char *why, size_t frame)
{
    struct seen seen;
    struct tare_err err = {0};
    open_seen(&seen);
    int r = feed_parts(bytes, n, n, n, &seen, &err);
    if ((r == 0 && seen.ended) || (r < 0 && (r != TARE_E_FORMAT || err.code != r || !err.msg[0]))) {
        fail_msg("%s in frame %zu: %d %s\n%s", why, frame, r, err.msg, tare_buf_str(&seen.trace));
    }
    tare_buf_fini(&seen.trace);
}

static void test_length_lies(void **state)
{
    (void)state;
    size_t at[32];
    size_t n = frames(at);
    assert_int_equal(n, 11);
    for (size_t f = 0; f < n; f++) {
        uint32_t head[2];
        memcpy(head, wire + at[f], sizeof head);
        const uint32_t lies[] = {0,           head[1] - 1, head[1] + 1,      head[1] + 8, head[1] / 2,
                                 0x7fffffffU, 0xffffffffU, 8 * 1024 * 1024U, 0xfffffff8U};
        for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
            char damaged[sizeof wire];
            memcpy(damaged, wire, n_wire);
            memcpy(damaged + at[f] + 4, &lies[i], sizeof lies[i]);
            assert_refused(damaged, n_wire, "a wrong length", f);
        }
    }
}

static void test_types(void **state)
{
    (void)state;
    static const uint32_t types[] = {0, TARE_FRAME_PROMPTS + 1, 0xffffffffU, 0x01000000U};
    size_t at[32];
    size_t n = frames(at);
    for (size_t f = 0; f < n; f++) {
        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
            char damaged[sizeof wire];
            memcpy(damaged, wire, n_wire);
            memcpy(damaged + at[f], &types[i], sizeof types[i]);
            struct seen seen;
            open_seen(&seen);
            assert_int_equal(feed_parts(damaged, n_wire, n_wire, n_wire, &seen, NULL), TARE_E_FORMAT);
            tare_buf_fini(&seen.trace);
        }
    }
}

/* Every single byte wrong in two ways: a sanitizer watches; the trace may lie, but only in its values. */
static void test_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_wire; i++) {
        for (unsigned wrong = 1; wrong < 256; wrong += 127) {
            char damaged[sizeof wire];
            memcpy(damaged, wire, n_wire);
            damaged[i] = (char)(damaged[i] ^ (char)wrong);
            struct seen seen;
            struct tare_err err = {0};
            open_seen(&seen);
            int r = feed_parts(damaged, n_wire, n_wire, n_wire, &seen, &err);
            assert_true(r == 0 || (r == TARE_E_FORMAT && err.code == r));
            tare_buf_fini(&seen.trace);
        }
    }
}

/* A sample's counts of tails, each up to the largest number. */
static void test_tail_lies(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1, 2, 3, 0x7fffffffU, 0xffffffffU};
    size_t at[32];
    size_t n = frames(at), sample = at[n - 4] + 8;
    const size_t members[] = {offsetof(struct tare_sample, n_records),
                              offsetof(struct tare_sample, n_token_ns),
                              offsetof(struct tare_sample, n_output)};
    for (size_t m = 0; m < 3; m++) {
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            char damaged[sizeof wire];
            memcpy(damaged, wire, n_wire);
            memcpy(damaged + sample + members[m], &counts[i], sizeof counts[i]);
            if (memcmp(damaged, wire, n_wire) != 0) {
                assert_refused(damaged, n_wire, "a wrong count", m);
            }
        }
    }
}

static void test_greeting(void **state)
{
    (void)state;
    size_t at[32];
    size_t n = frames(at);
    for (size_t f = 1; f < n; f++) { /* whatever comes first instead */
        struct seen seen;
        open_seen(&seen);
        assert_int_equal(feed_parts(wire + at[f], n_wire - at[f], n_wire, n_wire, &seen, NULL),
                         TARE_E_FORMAT);
        assert_int_equal(seen.calls, 0);
        tare_buf_fini(&seen.trace);
    }
    static const uint32_t versions[] = {0, TARE_STREAM_VERSION + 1, 0xffffffffU};
    for (size_t i = 0; i < 3; i++) {
        char damaged[sizeof wire];
        memcpy(damaged, wire, n_wire);
        memcpy(damaged + 8, &versions[i], sizeof versions[i]);
        struct tare_err err = {0};
        struct seen seen;
        open_seen(&seen);
        assert_int_equal(feed_parts(damaged, n_wire, n_wire, n_wire, &seen, &err), TARE_E_FORMAT);
        assert_non_null(strstr(err.msg, "version"));
        assert_int_equal(seen.calls, 0);
        tare_buf_fini(&seen.trace);
    }
}

/* Nothing follows the end, whether it comes at once or later. */
static void test_after_end(void **state)
{
    (void)state;
    size_t at[32];
    size_t n = frames(at);
    char more[2 * sizeof wire];
    memcpy(more, wire, n_wire);
    memcpy(more + n_wire, wire + at[n - 2], at[n - 1] - at[n - 2]);
    size_t n_more = n_wire + at[n - 1] - at[n - 2];
    const size_t steps[] = {n_more, n_wire, 1};
    for (size_t i = 0; i < 3; i++) {
        struct seen seen;
        open_seen(&seen);
        assert_int_equal(feed_parts(more, n_more, steps[i], steps[i], &seen, NULL), TARE_E_FORMAT);
        assert_string_equal(tare_buf_str(&seen.trace), expected);
        tare_buf_fini(&seen.trace);
    }
}

/* A message without an end in itself. */
static void test_long_message(void **state)
{
    (void)state;
    char damaged[sizeof wire];
    memcpy(damaged, wire, n_wire);
    memset(damaged + n_wire - 512, 'm', 512);
    struct seen seen;
    open_seen(&seen);
    assert_int_equal(feed_parts(damaged, n_wire, n_wire, n_wire, &seen, NULL), 0);
    const char *end = strstr(tare_buf_str(&seen.trace), "end -7 ");
    assert_non_null(end);
    assert_int_equal(strlen(end), 7 + 511 + 1);
    tare_buf_fini(&seen.trace);
}

static void test_failing_reader(void **state)
{
    (void)state;
    for (int call = 1; call <= 8; call++) {
        struct seen seen;
        struct tare_err err = {0};
        open_seen(&seen);
        seen.fail_at = call;
        assert_int_equal(feed_parts(wire, n_wire, n_wire, n_wire, &seen, &err), TARE_E_DATABASE);
        assert_int_equal(seen.calls, call);
        assert_string_equal(err.msg, "the disk is full");
        tare_buf_fini(&seen.trace);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_split_anywhere),
        cmocka_unit_test(test_truncated),      cmocka_unit_test(test_length_lies),
        cmocka_unit_test(test_types),          cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_tail_lies),      cmocka_unit_test(test_greeting),
        cmocka_unit_test(test_after_end),      cmocka_unit_test(test_long_message),
        cmocka_unit_test(test_failing_reader),
    };
    return cmocka_run_group_tests(tests, make_wire, NULL);
}
