/* SPDX-License-Identifier: Apache-2.0 */
/* The fake backend and the fake task of fake.h. */
#include "fake.h"

#include <stdlib.h>
#include <string.h>

/* Ends and ids of an honest tokenizer; how many. */
static size_t pieces(const struct fake *fake, const char *text, size_t n_text, int32_t *ids, uint32_t *ends,
                     size_t cap)
{
    size_t n = 0, empty = fake->lie == FAKE_TWO_EMPTY ? 2 : 0;
    for (size_t begin = 0; begin < n_text; begin += fake->token_bytes) {
        size_t end = begin + fake->token_bytes < n_text ? begin + fake->token_bytes : n_text;
        for (size_t i = 0; i <= empty; i++, n++) {
            if (n < cap) {
                ids[n] = (unsigned char)text[begin];
                ends[n] = (uint32_t)(i == empty ? end : begin);
            }
        }
    }
    return n;
}

static int tokenize(void *self, const char *text, size_t n_text, int32_t *ids, uint32_t *ends, size_t cap,
                    size_t *out_n, struct tare_err *err)
{
    struct fake *fake = self;
    size_t n = pieces(fake, text, n_text, ids, ends, cap);
    if (fake->tokenize_calls++ > 1000) {
        abort(); /* the caller would ask for ever */
    }
    switch (fake->lie) {
    case FAKE_ENDS_BACKWARDS:
        ends[1] = ends[0] - 1;
        break;
    case FAKE_ENDS_SHORT:
        ends[n - 1]--;
        break;
    case FAKE_ENDS_BEYOND:
        ends[n - 1]++;
        break;
    case FAKE_NO_TOKENS:
        n = 0;
        break;
    case FAKE_ALWAYS_MORE:
        n = cap + 1;
        break;
    case FAKE_HUGE_COUNT:
        n = SIZE_MAX / 4 + 2;
        break;
    case FAKE_FAILS:
        return tare_err_set(err, TARE_E_BACKEND, "the vocabulary is lost");
    default:
        break;
    }
    *out_n = n;
    return 0;
}

static int submit(void *self, const struct tare_request *request, struct tare_sink *sink,
                  struct tare_err *err)
{
    struct fake *fake = self;
    fake->submit_calls++;
    return fake->submit(fake, request, sink, err);
}

static int account(void *self, const struct tare_work *work, struct tare_cost *out, struct tare_err *err)
{
    const struct fake *fake = self;
    (void)err;
    return fake->account ? fake->account(work, out) : TARE_E_UNSUPPORTED;
}

const struct tare_backend fake_backend = {
    .header = TARE_BACKEND_HEADER,
    .name = "fake",
    .summary = "answers as a test says",
    .caps = TARE_CAP_SCORE | TARE_CAP_GENERATE | TARE_CAP_TOKENIZE,
    .priv_size = sizeof(struct fake),
    .tokenize = tokenize,
    .submit = submit,
    .account = account,
    .account_convention = "whatever the test says",
};

static void *lend(struct fake_task *task, const void *data, size_t n)
{
    if (!data || task->n_lent == sizeof task->lent / sizeof *task->lent) {
        return NULL;
    }
    void *copy = malloc(n ? n : 1);
    if (copy) {
        memcpy(copy, data, n);
        task->lent[task->n_lent++] = copy;
    }
    return copy;
}

void fake_task_forget(struct fake_task *task)
{
    while (task->n_lent > 0) {
        free(task->lent[--task->n_lent]);
    }
}

static size_t count(void *self)
{
    return ((const struct fake_task *)self)->n;
}

static const struct tare_bytes *lend_all(struct fake_task *task, const struct tare_bytes *all, size_t n)
{
    struct tare_bytes *copy = lend(task, all, n * sizeof *all);
    for (size_t i = 0; copy && i < n; i++) {
        copy[i].data = lend(task, all[i].data, all[i].n);
    }
    return copy;
}

static int item(void *self, size_t index, struct tare_item *out, struct tare_err *err)
{
    struct fake_task *task = self;
    fake_task_forget(task);
    if (index + 1 == task->fails_at) {
        return tare_err_set(err, TARE_E_FORMAT, "line 7 is torn");
    }
    const struct tare_item *from = &task->items[index];
    *out = *from;
    out->text.data = lend(task, from->text.data, from->text.n);
    out->spans = lend(task, from->spans, from->n_spans * sizeof *from->spans);
    out->choices = lend_all(task, from->choices, from->n_choices);
    out->stops = lend_all(task, from->stops, from->n_stops);
    out->reference.data = lend(task, from->reference.data, from->reference.n);
    return 0;
}

const struct tare_task fake_task = {
    .header = TARE_TASK_HEADER,
    .name = "made_up",
    .summary = "items that a test made up",
    .version = 1,
    .count = count,
    .item = item,
};

struct tare_model_facts fake_facts(int64_t n_ctx, int64_t bos)
{
    struct tare_model_facts facts;
    memset(&facts, 0, sizeof facts);
    facts.n_ctx = n_ctx;
    facts.bos = bos;
    facts.n_vocab = 300;
    return facts;
}
