/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend that answers in drain: one request at a time is submitted, drained until complete, and
 * stamped as a whole; its failures and its lies become the sample's code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/ask.h"
#include "fake.h"

enum { bos = 256, idle_drains = 3 };

/* What the backend does once it is drained. */
enum act { COMPLETE, COMPLETE_TWICE, WRONG_ID, FAIL, DRAIN_FAILS };

struct setup {
    struct fake fake;
    enum act act;
    int drains;
    struct tare_request pending;
    struct tare_backend ops;
    struct tare_model_facts facts;
    struct fake_task task;
    struct tare_prepared prepared;
    struct tare_ask ask;
    struct tare_sample sample;
};

static int submit_later(struct fake *self, const struct tare_request *q, struct tare_sink *sink,
                        struct tare_err *err)
{
    (void)sink;
    (void)err;
    ((struct setup *)(void *)self)->pending = *q;
    return 0;
}

static int drain(void *self, struct tare_sink *sink, int64_t timeout_ns, struct tare_err *err)
{
    struct setup *s = self;
    uint64_t id = s->pending.id;
    (void)timeout_ns;
    if (++s->drains <= idle_drains) {
        return 0; /* nothing has completed yet */
    }
    if (s->act == DRAIN_FAILS) {
        return tare_err_set(err, TARE_E_IO, "the line is dead");
    }
    if (s->act == FAIL) {
        sink->done(sink, id, TARE_E_BACKEND, "server said no");
        return 1;
    }
    (void)sink->token(sink, id, 'x', "x", 1);
    (void)sink->token(sink, id, 'y', "y", 1);
    sink->done(sink, s->act == WRONG_ID ? id + 1 : id, 0, NULL);
    if (s->act == COMPLETE_TWICE) {
        sink->done(sink, id, 0, NULL);
    }
    return 1;
}

static void ask_once(struct setup *s, enum act act)
{
    static const struct tare_item item = {.kind = TARE_ITEM_TOKENS, .n_tokens = 4, .max_output = 2};
    memset(s, 0, sizeof *s);
    s->act = act;
    s->fake.token_bytes = 1;
    s->fake.submit = submit_later;
    s->ops = fake_backend;
    s->ops.caps |= TARE_CAP_CONCURRENT;
    s->ops.drain = drain;
    s->facts = fake_facts(512, bos);
    s->task.items = &item;
    s->task.n = 1;
    const struct tare_prepare_args args = {
        .ops = &s->ops, .backend = &s->fake, .facts = &s->facts, .task = &fake_task, .task_self = &s->task};
    struct tare_err err = {0};
    if (tare_prepare(&args, &s->prepared, &err) != 0 ||
        tare_ask_init(&s->ask, &args, &s->prepared, &err) != 0) {
        fail_msg("%s", err.msg);
    }
    (void)tare_ask_item(&s->ask, s->prepared.items[0], 0, 0, &s->sample);
}

static void clean_up(struct setup *s)
{
    tare_ask_fini(&s->ask);
    tare_prepared_fini(&s->prepared);
    fake_task_forget(&s->task);
}

static void test_waits_until_the_request_is_complete(void **state)
{
    struct setup s;
    (void)state;
    ask_once(&s, COMPLETE);
    assert_int_equal(s.sample.code, 0);
    assert_int_equal(s.drains, idle_drains + 1);
    assert_int_equal(s.sample.output_tok, 2);
    assert_memory_equal(s.sample.output, "xy", 2);
    assert_true(s.sample.latency_ns >= s.sample.ttft_ns);
    clean_up(&s);
}

static void test_failures_become_the_code(void **state)
{
    static const struct {
        const char *why;
        enum act act;
        int code;
        const char *says;
    } cases[] = {
        {"the completion carries a failure", FAIL, TARE_E_BACKEND, "server said no"},
        {"drain itself fails", DRAIN_FAILS, TARE_E_IO, "the line is dead"},
        {"a request that was not in flight is completed", WRONG_ID, TARE_E_BACKEND, "not in flight"},
        {"one request is completed twice", COMPLETE_TWICE, TARE_E_BACKEND, "not in flight"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct setup s;
        ask_once(&s, cases[i].act);
        if (s.sample.code != cases[i].code || !strstr(s.ask.message, cases[i].says)) {
            fail_msg("%s: code %d, \"%s\"", cases[i].why, s.sample.code, s.ask.message);
        }
        clean_up(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_until_the_request_is_complete),
        cmocka_unit_test(test_failures_become_the_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
