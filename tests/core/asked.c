/* SPDX-License-Identifier: Apache-2.0 */
/* The set-up of asked.h. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "asked.h"
#include "base/clock.h"

const struct tare_item text_item = {.kind = TARE_ITEM_TEXT, .text = BYTES("abcdef"), .level = 3};

void set_up(struct setup *s, const struct tare_item *items, size_t n, enum tare_choice_norm norm)
{
    memset(s, 0, sizeof *s);
    s->fake.token_bytes = 1;
    s->ops = fake_backend;
    s->facts = fake_facts(1000, bos);
    s->task.items = items;
    s->task.n = n;
    s->task_ops = fake_task;
    s->task_ops.norm = norm;
    const struct tare_prepare_args args = {
        .ops = &s->ops, .backend = &s->fake, .facts = &s->facts, .task = &s->task_ops, .task_self = &s->task};
    struct tare_err err = {0};
    if (tare_prepare(&args, &s->prepared, &err) != 0 ||
        tare_ask_init(&s->ask, &args, &s->prepared, &err) != 0) {
        fail_msg("%s", err.msg);
    }
    fake_task_forget(&s->task);
}

const struct tare_sample *ask(struct setup *s, size_t index, submit_fn *submit)
{
    s->fake.submit = submit;
    s->begin_ns = tare_clock_ns();
    int64_t end_ns = tare_ask_item(&s->ask, s->prepared.items[index], index, s->begin_ns, &s->sample);
    s->end_ns = tare_clock_ns();
    assert_in_range(end_ns, s->begin_ns, s->end_ns);
    assert_int_equal(s->sample.item, index);
    assert_in_range(s->sample.start_ns, 0, s->end_ns - s->begin_ns);
    assert_in_range(s->sample.latency_ns, 0, s->end_ns - s->begin_ns - s->sample.start_ns);
    return &s->sample;
}

void done(struct setup *s)
{
    tare_ask_fini(&s->ask);
    tare_prepared_fini(&s->prepared);
}

void assert_near(double got, double expected)
{
    if (!(fabs(got - expected) <= 1e-5)) {
        fail_msg("%.9g, not %.9g", got, expected);
    }
}

int honest(struct fake *self, const struct tare_request *q, struct tare_sink *sink, struct tare_err *err)
{
    (void)self, (void)err;
    for (uint32_t i = q->first; i < q->n_tokens; i++) {
        sink->score(sink, q->id, i, -0.25 * i, i % 2 == 0);
    }
    return 0;
}

int flat(struct fake *self, const struct tare_request *q, struct tare_sink *sink, struct tare_err *err)
{
    (void)self, (void)err;
    static const float row[n_vocab];
    for (uint32_t i = q->first; i < q->n_tokens; i++) {
        sink->logits(sink, q->id, i - 1, row);
    }
    return 0;
}
