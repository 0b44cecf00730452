/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking for text: stop strings across tokens, limits, what is compared with the reference, the stamps
 * of tokens, memory that is there beforehand, and backends that send what was not asked for.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/ask.h"
#include "fake.h"

enum { bos = 256 };

#define BYTES(text)              \
    {                            \
        text, sizeof text "" - 1 \
    }

struct setup {
    struct fake fake;          /* first: submit finds the rest through it */
    const char *const *pieces; /* what the backend sends; NULL ends */
    uint32_t sent;
    bool obeys;       /* stops when it is told to */
    int64_t pause_ns; /* before each token */
    struct tare_model_facts facts;
    struct fake_task task;
    struct tare_prepared prepared;
    struct tare_ask ask;
    struct tare_sample sample;
};

static int send_pieces(struct fake *self, const struct tare_request *q, struct tare_sink *sink,
                       struct tare_err *err)
{
    struct setup *s = (struct setup *)(void *)self;
    (void)err;
    s->sent = 0;
    int stop = 0;
    for (size_t i = 0; s->pieces[i] && !(s->obeys && stop); i++) {
        struct timespec pause = {.tv_nsec = s->pause_ns};
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        s->sent++;
        stop = sink->token(sink, q->id, (int32_t)i, s->pieces[i], (uint32_t)strlen(s->pieces[i]));
    }
    return 0;
}

static void set_up(struct setup *s, const struct tare_item *item)
{
    memset(s, 0, sizeof *s);
    s->fake.token_bytes = 1;
    s->fake.submit = send_pieces;
    s->obeys = true;
    s->facts = fake_facts(1 << 20, bos);
    s->task.items = item;
    s->task.n = 1;
    const struct tare_prepare_args args = {.ops = &fake_backend,
                                           .backend = &s->fake,
                                           .facts = &s->facts,
                                           .task = &fake_task,
                                           .task_self = &s->task};
    struct tare_err err = {0};
    if (tare_prepare(&args, &s->prepared, &err) != 0 ||
        tare_ask_init(&s->ask, &args, &s->prepared, &err) != 0) {
        fail_msg("%s", err.msg);
    }
    fake_task_forget(&s->task);
}

static const struct tare_sample *ask(struct setup *s, const char *const *pieces)
{
    s->pieces = pieces;
    int64_t now_ns = tare_clock_ns();
    (void)tare_ask_item(&s->ask, s->prepared.items[0], 0, now_ns, &s->sample);
    return &s->sample;
}

static void done(struct setup *s)
{
    tare_ask_fini(&s->ask);
    tare_prepared_fini(&s->prepared);
}

static void test_stops(void **state)
{
    (void)state;
    static const struct {
        const char *pieces[8];
        struct tare_bytes stops[2];
        size_t n_stops;
        uint32_t max_output;
        const char *output; /* up to the stop string */
        uint32_t n_tokens;
        const char *why;
    } cases[] = {
        {{"he", "llo", "#", "#x", "never"},
         {BYTES("##")},
         1,
         9,
         "hello",
         4,
         "a stop string across two tokens"},
        {{"a", "E", "N", "D", "z"}, {BYTES("END")}, 1, 9, "a", 4, "a stop string across three tokens"},
        {{"hello##more"}, {BYTES("##")}, 1, 9, "hello", 1, "within one token"},
        {{"a\n##b"}, {BYTES("##"), BYTES("\n")}, 2, 9, "a", 1, "the earlier of two"},
        {{"#", "a", "#", "#"}, {BYTES("##")}, 1, 9, "#a", 4, "a false start"},
        {{"##", "x"}, {BYTES("##")}, 1, 9, "", 1, "at once"},
        {{"a", "b", "c", "d"}, {BYTES("#")}, 1, 3, "abc", 3, "the limit"},
        {{"a", "b", "#"}, {BYTES("#")}, 1, 3, "ab", 3, "the stop string at the limit"},
        {{"a", "b"}, {BYTES("#")}, 1, 3, "ab", 2, "the model ends by itself"},
        {{"a", "", "b", ""}, {BYTES("#")}, 1, 9, "ab", 4, "tokens without bytes"},
        {{"a", "b"}, {BYTES("")}, 0, 9, "ab", 2, "no stop strings"},
        {{NULL}, {BYTES("#")}, 1, 9, "", 0, "not a single token"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        for (int right = 0; right < 2; right++) {
            const char *reference = right ? cases[c].output : "something else";
            const struct tare_item item = {.kind = TARE_ITEM_GENERATE,
                                           .text = BYTES("go"),
                                           .stops = cases[c].stops,
                                           .n_stops = cases[c].n_stops,
                                           .reference = {reference, strlen(reference)},
                                           .max_output = cases[c].max_output};
            struct setup s;
            set_up(&s, &item);
            const struct tare_sample *sample = ask(&s, cases[c].pieces);
            if (sample->code != 0 || sample->n_output != strlen(cases[c].output) ||
                memcmp(sample->output, cases[c].output, sample->n_output) != 0 ||
                sample->output_tok != cases[c].n_tokens) {
                fail_msg("%s: %d, \"%.*s\", %u tokens", cases[c].why, sample->code, (int)sample->n_output,
                         sample->output, sample->output_tok);
            }
            assert_int_equal(s.sent, cases[c].n_tokens);
            assert_int_equal(sample->n_token_ns, cases[c].n_tokens);
            assert_int_equal(sample->exact, right);
            assert_int_equal(sample->prompt_tok, 3);
            assert_true(isnan(sample->num));
            assert_int_equal(sample->den, TARE_ABSENT);
            done(&s);
        }
    }
}

static void test_not_graded(void **state)
{
    (void)state;
    static const struct tare_item items[] = {
        {.kind = TARE_ITEM_GENERATE, .text = BYTES("go"), .max_output = 4},
        {.kind = TARE_ITEM_TOKENS, .n_tokens = 3, .max_output = 4}};
    static const char *const pieces[] = {"a", "b", NULL};
    for (size_t i = 0; i < 2; i++) {
        struct setup s;
        set_up(&s, &items[i]);
        const struct tare_sample *sample = ask(&s, pieces);
        assert_int_equal(sample->code, 0);
        assert_int_equal(sample->exact, -1);
        assert_int_equal(sample->output_tok, 2);
        done(&s);
    }
}

/* An empty reference is a reference: only an empty answer equals it. */
static void test_empty_reference(void **state)
{
    (void)state;
    static const struct tare_item item = {
        .kind = TARE_ITEM_GENERATE, .text = BYTES("go"), .reference = BYTES(""), .max_output = 4};
    static const char *const none[] = {NULL}, *const some[] = {"a", NULL};
    struct setup s;
    set_up(&s, &item);
    assert_int_equal(ask(&s, none)->exact, 1);
    assert_int_equal(ask(&s, some)->exact, 0);
    done(&s);
}

/* 2 ms before each token: the stamps say so, in order, and within the request. */
static void test_times(void **state)
{
    (void)state;
    static const struct tare_item item = {.kind = TARE_ITEM_GENERATE, .text = BYTES("go"), .max_output = 9};
    static const char *const pieces[] = {"a", "b", "c", "d", "e", NULL};
    struct setup s;
    set_up(&s, &item);
    s.pause_ns = 2000000;
    const struct tare_sample *sample = ask(&s, pieces);
    assert_int_equal(sample->n_token_ns, 5);
    assert_int_equal(sample->ttft_ns, sample->token_ns[0]);
    int64_t before_ns = 0;
    for (size_t i = 0; i < 5; i++) {
        assert_true(sample->token_ns[i] - before_ns >= s.pause_ns);
        before_ns = sample->token_ns[i];
    }
    assert_true(before_ns <= sample->latency_ns);
    assert_true(sample->start_ns >= 0);
    assert_true(sample->latency_ns < INT64_C(60000000000));
    done(&s);
}

static void test_no_token(void **state)
{
    (void)state;
    static const struct tare_item item = {.kind = TARE_ITEM_GENERATE, .text = BYTES("go"), .max_output = 0};
    static const char *const none[] = {NULL}, *const one[] = {"a", NULL};
    struct setup s;
    set_up(&s, &item);
    const struct tare_sample *sample = ask(&s, none);
    assert_int_equal(sample->code, 0);
    assert_int_equal(sample->ttft_ns, TARE_ABSENT); /* there is no first token: absent, not 0 */
    assert_int_equal(sample->output_tok, 0);
    assert_int_equal(ask(&s, one)->code, TARE_E_BACKEND);
    done(&s);
}

static int scores(struct fake *self, const struct tare_request *q, struct tare_sink *sink,
                  struct tare_err *err)
{
    (void)self, (void)err;
    sink->score(sink, q->id, q->first, -1, true);
    return 0;
}

static int other_id(struct fake *self, const struct tare_request *q, struct tare_sink *sink,
                    struct tare_err *err)
{
    (void)self, (void)err;
    return sink->token(sink, q->id + 1, 5, "x", 1) ? 0 : 0;
}

static int too_many_bytes(struct fake *self, const struct tare_request *q, struct tare_sink *sink,
                          struct tare_err *err)
{
    static char bytes[1 << 20];
    (void)self, (void)err;
    return sink->token(sink, q->id, 5, bytes, sizeof bytes) ? 0 : 0;
}

static int null_bytes(struct fake *self, const struct tare_request *q, struct tare_sink *sink,
                      struct tare_err *err)
{
    (void)self, (void)err;
    return sink->token(sink, q->id, 5, NULL, 0) ? 0 : 0;
}

static void test_wrong_tokens(void **state)
{
    (void)state;
    static const struct tare_bytes stop = BYTES("#");
    static const struct tare_item item = {
        .kind = TARE_ITEM_GENERATE, .text = BYTES("go"), .stops = &stop, .n_stops = 1, .max_output = 3};
    static const char *const more[] = {"a", "b", "c", "d", NULL}, *const beyond[] = {"a", "#", "b", NULL};
    static const char *const fine[] = {"a", "b", NULL};
    static const struct {
        int (*submit)(struct fake *, const struct tare_request *, struct tare_sink *, struct tare_err *);
        const char *const *pieces;
        const char *says;
    } cases[] = {
        {send_pieces, more, "not asked"}, /* a fourth of three */
        {send_pieces, beyond, "not asked"}, {scores, fine, "not asked"},
        {other_id, fine, "not asked"},      {too_many_bytes, fine, "more than"},
    };
    struct setup s;
    set_up(&s, &item);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        s.fake.submit = cases[c].submit;
        s.obeys = false;
        (void)strcpy(s.ask.message, "");
        const struct tare_sample *sample = ask(&s, cases[c].pieces);
        if (sample->code != TARE_E_BACKEND || !strstr(s.ask.message, cases[c].says)) {
            fail_msg("%zu: %d, \"%s\"", c, sample->code, s.ask.message);
        }
        assert_true(sample->output_tok <= 3);
        s.fake.submit = send_pieces;
        assert_int_equal(ask(&s, fine)->code, 0);
        assert_int_equal(s.sample.n_output, 2);
    }
    s.fake.submit = null_bytes; /* a token that adds nothing to the text */
    assert_int_equal(ask(&s, fine)->code, 0);
    assert_int_equal(s.sample.output_tok, 1);
    done(&s);
}

static size_t missing_pages(void *memory, size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), missing = 0;
    char *begin = (char *)memory + (page - (size_t)memory % page) % page;
    size_t n_pages = (size_t)((char *)memory + n - begin) / page;
    unsigned char *there = malloc(n_pages);
    assert_non_null(there);
    assert_true(n_pages > 10);
    assert_int_equal(mincore(begin, n_pages * page, there), 0);
    for (size_t i = 0; i < n_pages; i++) {
        missing += !(there[i] & 1);
    }
    free(there);
    return missing;
}

/* The first token of a run must not wait for the kernel to find a page. */
static void test_memory_is_there(void **state)
{
    (void)state;
    static const struct tare_item item = {.kind = TARE_ITEM_TOKENS, .n_tokens = 3, .max_output = 100000};
    struct setup s;
    set_up(&s, &item);
    assert_int_equal(missing_pages(s.ask.output, s.ask.cap_output), 0);
    assert_int_equal(missing_pages(s.ask.token_ns, s.ask.cap_tokens * sizeof *s.ask.token_ns), 0);
    done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stops),           cmocka_unit_test(test_not_graded),
        cmocka_unit_test(test_empty_reference), cmocka_unit_test(test_times),
        cmocka_unit_test(test_no_token),        cmocka_unit_test(test_wrong_tokens),
        cmocka_unit_test(test_memory_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
