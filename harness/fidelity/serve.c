/* SPDX-License-Identifier: Apache-2.0 */
/* One backend, one task, one loop: read a frame, ask, answer. */
#include "fidelity/serve.h"

#include "base/buf.h"
#include "core/opened_task.h"
#include "core/serving.h"
#include "core/worker.h"
#include "fidelity/answer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

struct server {
    int in_fd, out_fd;
    struct tare_spec spec;
    struct tare_instance instance;
    struct tare_model_facts facts; /* with the context that both sides have */
    struct tare_opened_task task;
    struct tare_prepared prepared;
};

/* False at the end of what there is. */
static bool read_all(int fd, void *to, size_t n)
{
    char *at = to;
    while (n > 0) {
        ssize_t done = read(fd, at, n);
        if (done == 0 || (done < 0 && errno != EINTR)) {
            return false;
        }
        at += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

/* What was loaded, or why not. */
static int greet(const struct server *s, int code, const struct tare_err *why, struct tare_err *err)
{
    struct tare_lockstep_hello hello;
    memset(&hello, 0, sizeof hello);
    hello.code = code;
    hello.caps = s->instance.ops.caps;
    hello.n_ctx = s->instance.facts.n_ctx;
    hello.n_vocab = s->instance.facts.n_vocab;
    hello.bos = s->instance.facts.bos;
    memcpy(hello.message, why->msg, sizeof hello.message);
    struct tare_json *facts = tare_json_new_object();
    if (code == 0) {
        tare_instance_facts(&s->instance, facts);
    }
    char *text = NULL;
    int r = tare_json_print(facts, false, &text, err);
    tare_json_destroy(facts);
    r = r == 0 ? tare_lockstep_write(s->out_fd, TARE_LOCKSTEP_HELLO, &hello, sizeof hello, text, strlen(text),
                                     err)
               : r;
    free(text);
    return r;
}

static int open_task(struct server *s, struct tare_err *err)
{
    const struct tare_task_wanted wanted = {.name = s->spec.task,
                                            .options = s->spec.task_options,
                                            .data_dir = s->spec.data_dir,
                                            .seed = s->spec.seed};
    tare_opened_task_close(&s->task);
    return tare_opened_task_open(&wanted, &s->task, err);
}

/* Items are made as for a cell. Distributions serve where scores would. */
static int prepare_items(struct server *s, const struct tare_lockstep_prepare *wanted, struct tare_err *err)
{
    struct tare_backend ops = s->instance.ops;
    ops.caps |= ops.caps & TARE_CAP_LOGITS ? TARE_CAP_SCORE : 0U;
    s->facts = s->instance.facts;
    s->facts.n_ctx = wanted->n_ctx;
    const struct tare_prepare_args args = {.ops = &ops,
                                           .backend = s->instance.self,
                                           .facts = &s->facts,
                                           .task = s->task.task,
                                           .task_self = s->task.self,
                                           .window_tok = wanted->window_tok,
                                           .lacks_why = s->instance.effective.why};
    tare_prepared_fini(&s->prepared);
    return tare_prepare(&args, &s->prepared, err);
}

static int answer_prepare(struct server *s, const char *body, size_t n_body, struct tare_err *err)
{
    struct tare_lockstep_prepare wanted;
    struct tare_lockstep_prepared told;
    struct tare_err why = {0};
    if (n_body != sizeof wanted) {
        return tare_err_set(err, TARE_E_FORMAT, "a frame of a wrong size");
    }
    memcpy(&wanted, body, sizeof wanted);
    memset(&told, 0, sizeof told);
    told.code = s->task.opened ? 0 : open_task(s, &why);
    told.code = told.code == 0 ? prepare_items(s, &wanted, &why) : told.code;
    if (told.code == 0) {
        told.norm = (uint32_t)s->task.task->norm;
        told.items = (int64_t)s->prepared.count;
    }
    memcpy(told.message, why.msg, sizeof told.message);
    return tare_lockstep_write(s->out_fd, TARE_LOCKSTEP_PREPARED, &told, sizeof told, NULL, 0, err);
}

static int send_end(const struct server *s, const struct tare_lockstep_end *end, struct tare_err *err)
{
    return tare_lockstep_write(s->out_fd, TARE_LOCKSTEP_END, end, sizeof *end, NULL, 0, err);
}

static int send_head(const struct server *s, const struct tare_prepared_item *item,
                     const struct tare_prepared_request *q, bool generated, struct tare_err *err)
{
    struct tare_lockstep_head head;
    memset(&head, 0, sizeof head);
    head.kind = (uint32_t)item->kind;
    head.code = item->code;
    head.n_requests = item->n_requests;
    head.n_tokens = q->n_tokens;
    head.first = q->first;
    head.n_rows = generated ? 0 : q->n_expected;
    head.n_bytes = q->n_bytes;
    head.max_output = q->max_output;
    head.gold = item->gold;
    return tare_lockstep_write(s->out_fd, TARE_LOCKSTEP_HEAD, &head, sizeof head, q->tokens,
                               q->n_tokens * sizeof *q->tokens, err);
}

/* The last token is a target only, so it is not fed. */
static int answer_ask(struct server *s, const char *body, size_t n_body, struct tare_err *err)
{
    struct tare_lockstep_ask ask;
    struct tare_lockstep_end end;
    memset(&end, 0, sizeof end);
    if (n_body != sizeof ask) {
        return tare_err_set(err, TARE_E_FORMAT, "a frame of a wrong size");
    }
    memcpy(&ask, body, sizeof ask);
    if (ask.item >= s->prepared.count) {
        return tare_err_set(err, TARE_E_FORMAT, "an item that there is not");
    }
    const struct tare_prepared_item *item = s->prepared.items[ask.item];
    if (item->n_requests == 0 && ask.request == 0) { /* a text without a token */
        static const struct tare_prepared_request nothing;
        int r = send_head(s, item, &nothing, true, err);
        return r == 0 ? send_end(s, &end, err) : r;
    }
    if (ask.request >= item->n_requests) {
        return tare_err_set(err, TARE_E_FORMAT, "a request that there is not");
    }
    const struct tare_prepared_request *q = &item->requests[ask.request];
    bool generated = item->kind == TARE_ITEM_GENERATE || item->kind == TARE_ITEM_TOKENS;
    int r = send_head(s, item, q, generated, err);
    if (r == 0 && item->code == 0) {
        r = generated ? tare_lockstep_tokens(&s->instance, s->out_fd, item, &end, err)
                      : tare_lockstep_rows(&s->instance, s->out_fd, q->tokens, q->n_tokens - 1, q->first,
                                           q->graded, &end, err);
    }
    return r == 0 ? send_end(s, &end, err) : r;
}

static int answer_feed(struct server *s, char *body, size_t n_body, struct tare_err *err)
{
    struct tare_lockstep_feed feed = {0, 0};
    struct tare_lockstep_end end;
    if (n_body >= sizeof feed) {
        memcpy(&feed, body, sizeof feed);
    }
    if (feed.first < 1 || feed.first > feed.n || n_body - sizeof feed != (size_t)feed.n * sizeof(int32_t)) {
        return tare_err_set(err, TARE_E_FORMAT, "a frame of a wrong size");
    }
    int32_t *ids = malloc((size_t)feed.n * sizeof *ids);
    if (!ids) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    memcpy(ids, body + sizeof feed, (size_t)feed.n * sizeof *ids);
    int r = tare_lockstep_rows(&s->instance, s->out_fd, ids, feed.n, feed.first, NULL, &end, err);
    free(ids);
    return r == 0 ? send_end(s, &end, err) : r;
}

/* 1 for a frame that was answered, 0 at the end. */
static int serve_one(struct server *s, struct tare_err *err)
{
    struct tare_lockstep_frame_head head;
    if (!read_all(s->in_fd, &head, sizeof head)) {
        return 0;
    }
    char *body = head.bytes <= TARE_LOCKSTEP_MOST_BYTES ? malloc(head.bytes + (size_t)1) : NULL;
    int r = body ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    if (r == 0 && !read_all(s->in_fd, body, head.bytes)) {
        r = tare_err_set(err, TARE_E_IO, "nobody asks any more");
    }
    r = r < 0                                ? r
        : head.type == TARE_LOCKSTEP_PREPARE ? answer_prepare(s, body, head.bytes, err)
        : head.type == TARE_LOCKSTEP_ASK     ? answer_ask(s, body, head.bytes, err)
        : head.type == TARE_LOCKSTEP_FEED    ? answer_feed(s, body, head.bytes, err)
                                          : tare_err_set(err, TARE_E_FORMAT, "unknown frame %u", head.type);
    free(body);
    return r < 0 ? r : 1;
}

static void finish(struct server *s)
{
    tare_prepared_fini(&s->prepared);
    tare_opened_task_close(&s->task);
    tare_instance_close(&s->instance);
    tare_spec_fini(&s->spec);
}

int tare_lockstep_serve(int spec_fd, int in_fd, int out_fd, struct tare_err *err)
{
    struct server s = {.in_fd = in_fd, .out_fd = out_fd};
    struct tare_err why = {0};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN); /* a terminal sends it to all: who asks decides */
    tare_worker_quiet_libraries();
    int loaded = tare_serving_load(spec_fd, &s.spec, &s.instance, &why);
    int r = greet(&s, loaded, &why, err);
    while (r >= 0 && loaded == 0 && (r = serve_one(&s, err)) == 1) {
    }
    finish(&s);
    return r;
}
