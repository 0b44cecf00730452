/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of asking share: one call to set up a fake model and a task, one to ask for an item. */
#ifndef TESTS_CORE_ASKED_H
#define TESTS_CORE_ASKED_H

#include "core/ask.h"
#include "fake.h"

enum { bos = 256, n_vocab = 300 };

#define BYTES(text)              \
    {                            \
        text, sizeof text "" - 1 \
    }

typedef int submit_fn(struct fake *self, const struct tare_request *q, struct tare_sink *sink,
                      struct tare_err *err);

struct setup {
    struct fake fake;
    struct tare_backend ops;
    struct tare_model_facts facts;
    struct fake_task task;
    struct tare_task task_ops;
    struct tare_prepared prepared;
    struct tare_ask ask;
    struct tare_sample sample;
    int64_t begin_ns, end_ns; /* around the latest item, by the test's own stamps */
};

/* "abcdef" as one text of level 3. */
extern const struct tare_item text_item;

void set_up(struct setup *s, const struct tare_item *items, size_t n, enum tare_choice_norm norm);
/* The sample of an item; its times are checked against the test's own. */
const struct tare_sample *ask(struct setup *s, size_t index, submit_fn *submit);
void done(struct setup *s);
/* Within 1e-5. */
void assert_near(double got, double expected);
/* Index i has the log-probability -i/4; even ones are the most probable. */
int honest(struct fake *self, const struct tare_request *q, struct tare_sink *sink, struct tare_err *err);
/* All ids are equally likely. */
int flat(struct fake *self, const struct tare_request *q, struct tare_sink *sink, struct tare_err *err);

#endif
