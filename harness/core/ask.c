/* SPDX-License-Identifier: Apache-2.0 */
/* The sink and the loop around submit; grading follows each item, outside the stamps. */
#include "core/ask.h"

#include "base/clock.h"
#include "core/softmax.h"
#include "core/stop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double no_score = (double)NAN;

enum { output_bytes_per_tok = 64, output_bytes_spare = 1024, drain_wait_ns = 1000000000 };

static struct tare_ask *from_sink(struct tare_sink *sink)
{
    return (struct tare_ask *)sink;
}

static void fault(struct tare_ask *ask, const char *text)
{
    ask->fault = ask->fault ? ask->fault : text;
}

/* Takes the answer's place in the order; false if it is not wanted or not allowed. */
static bool expect(struct tare_ask *ask, uint64_t id, uint32_t index)
{
    if (id != ask->request.id || ask->request.kind != TARE_REQUEST_SCORE) {
        fault(ask, "it answered a request that was not asked");
        return false;
    }
    if (index != ask->next_index || (!ask->q->text && index >= ask->q->n_tokens)) {
        fault(ask, "it answered positions out of order");
        return false;
    }
    ask->next_index++;
    return !ask->q->graded || ask->q->graded[index];
}

static void add_score(struct tare_ask *ask, double logprob, bool greedy)
{
    if (!isfinite(logprob) || logprob > 1e-4) { /* a rounding of 0 is fine */
        fault(ask, "it gave a log-probability that is above 0 or no finite number");
    }
    ask->loglik += logprob;
    ask->right += greedy;
    ask->scored++;
}

static void on_logits(struct tare_sink *sink, uint64_t id, uint32_t position, const float *row)
{
    struct tare_ask *ask = from_sink(sink);
    if (ask->q->text) {
        fault(ask, "it gave a distribution without knowing of what token");
        return;
    }
    if (!expect(ask, id, position + 1)) {
        return;
    }
    int32_t target = ask->q->tokens[position + 1];
    if (target < 0 || (size_t)target >= ask->n_vocab) {
        fault(ask, "its vocabulary is smaller than its tokenizer's");
        return;
    }
    bool greedy = false;
    double logprob = tare_log_softmax(row, ask->n_vocab, (size_t)target, &greedy);
    add_score(ask, logprob, greedy);
}

static void on_score(struct tare_sink *sink, uint64_t id, uint32_t index, double logprob, bool greedy)
{
    struct tare_ask *ask = from_sink(sink);
    if (expect(ask, id, index)) {
        add_score(ask, logprob, greedy);
    }
}

/* True: a stop string ends within these bytes. There is room for them. */
static bool add_output(struct tare_ask *ask, const char *bytes, uint32_t n_bytes)
{
    if (n_bytes > 0) {
        memcpy(ask->output + ask->n_output, bytes, n_bytes);
    }
    ask->n_output += n_bytes;
    ask->cut = ask->n_output;
    return tare_stop_match(ask->output, ask->n_output, n_bytes, ask->item->stops, ask->item->n_stops,
                           &ask->cut);
}

/* One token that was known at_ns. Non-zero: stop. */
static int take_token(struct tare_ask *ask, uint64_t id, const char *bytes, uint32_t n_bytes, int64_t at_ns)
{
    if (id != ask->request.id || ask->request.kind != TARE_REQUEST_GENERATE || ask->stopped) {
        fault(ask, "it sent a token that was not asked for");
        return 1;
    }
    if (ask->n_tokens == ask->request.max_output || n_bytes > ask->cap_output - ask->n_output) {
        fault(ask, "it sent more than was asked for");
        return 1;
    }
    ask->token_ns[ask->n_stamps++] = at_ns - ask->begin_ns;
    ask->n_tokens++;
    ask->stopped = add_output(ask, bytes, n_bytes) || ask->n_tokens == ask->request.max_output;
    return ask->stopped;
}

static int on_token(struct tare_sink *sink, uint64_t id, int32_t token, const char *bytes, uint32_t n_bytes)
{
    int64_t now_ns = tare_clock_ns();
    (void)token;
    return take_token(from_sink(sink), id, bytes, n_bytes, now_ns);
}

/* A stamp that was taken elsewhere is believed if it can be true. */
static int on_token_at(struct tare_sink *sink, uint64_t id, int32_t token, const char *bytes,
                       uint32_t n_bytes, int64_t at_ns)
{
    struct tare_ask *ask = from_sink(sink);
    int64_t now_ns = tare_clock_ns();
    int64_t least_ns = ask->begin_ns + (ask->n_stamps ? ask->token_ns[ask->n_stamps - 1] : 0);
    (void)token;
    if (at_ns < least_ns || at_ns > now_ns) {
        fault(ask, at_ns > now_ns      ? "it stamped a token later than now"
                   : ask->n_stamps > 0 ? "it stamped a token earlier than the one before"
                                       : "it stamped a token earlier than the request");
        return 1;
    }
    return take_token(ask, id, bytes, n_bytes, at_ns);
}

/* Not before the request nor the stamp before, and not in the future. */
static int64_t stamp_of(const struct tare_ask *ask, int64_t arrived_ns, int64_t now_ns)
{
    int64_t least_ns = ask->begin_ns + (ask->n_stamps ? ask->token_ns[ask->n_stamps - 1] : 0);
    int64_t at_ns = arrived_ns < now_ns ? arrived_ns : now_ns;
    return (at_ns > least_ns ? at_ns : least_ns) - ask->begin_ns;
}

static int on_event(struct tare_sink *sink, const struct tare_event *event)
{
    struct tare_ask *ask = from_sink(sink);
    int64_t now_ns = tare_clock_ns();
    if (event->id != ask->request.id || ask->request.kind != TARE_REQUEST_GENERATE || ask->stopped) {
        fault(ask, "it sent an event that was not asked for");
        return 1;
    }
    if (ask->n_stamps > ask->request.max_output || event->n_bytes > ask->cap_output - ask->n_output) {
        fault(ask, "it sent more than was asked for");
        return 1;
    }
    ask->by_events = true;
    if (event->arrived_ns != TARE_UNKNOWN) {
        ask->token_ns[ask->n_stamps] = stamp_of(ask, event->arrived_ns, now_ns);
        ask->n_stamps++;
    }
    ask->stopped = add_output(ask, event->bytes, event->n_bytes);
    return ask->stopped;
}

static void on_usage(struct tare_sink *sink, uint64_t id, int64_t prompt_tok, int64_t output_tok)
{
    struct tare_ask *ask = from_sink(sink);
    if (id != ask->request.id || ask->counted) {
        fault(ask, "it told the usage of a request that was not asked, or twice");
        return;
    }
    if (prompt_tok < 0 || prompt_tok > INT32_MAX || output_tok < 0 || output_tok > INT32_MAX) {
        fault(ask, "it told a usage that is no number of tokens");
        return;
    }
    ask->counted = true;
    ask->prompt_tok = (uint32_t)prompt_tok;
    if (ask->request.kind == TARE_REQUEST_GENERATE) {
        ask->n_tokens = (uint32_t)output_tok;
    }
}

static void on_done(struct tare_sink *sink, uint64_t id, int code, const char *message)
{
    struct tare_ask *ask = from_sink(sink);
    if (!(ask->ops->caps & TARE_CAP_CONCURRENT)) {
        fault(ask, "it reported a completion without being concurrent");
    } else if (id != ask->request.id || ask->completed) {
        fault(ask, "it completed a request that was not in flight");
    } else {
        ask->completed = true;
        ask->completion = code;
        (void)snprintf(ask->message, sizeof ask->message, "%.250s", message ? message : "");
    }
}

/* A concurrent backend with one request in flight: drained until that one is complete. */
static int await_completion(struct tare_ask *ask, struct tare_err *err)
{
    int r = 0;
    while (r >= 0 && !ask->completed && !ask->fault) {
        r = ask->ops->drain(ask->backend, &ask->sink, drain_wait_ns, err);
    }
    if (r >= 0 && ask->completed && ask->completion < 0) {
        return tare_err_set(err, ask->completion, "%s", ask->message);
    }
    return r < 0 ? r : 0;
}

/* Memory whose pages are there before anything is timed: fresh ones would fault in at their first use,
 * and a compiler turns a fill with 0 into a calloc, which touches nothing. */
static void *touched(size_t n)
{
    void *memory = malloc(n);
    if (memory) {
        memset(memory, 0xff, n);
    }
    return memory;
}

size_t tare_ask_output_bytes(uint32_t max_output)
{
    return (size_t)max_output * output_bytes_per_tok + output_bytes_spare;
}

int tare_ask_init(struct tare_ask *ask, const struct tare_prepare_args *args,
                  const struct tare_prepared *prepared, struct tare_err *err)
{
    memset(ask, 0, sizeof *ask);
    ask->sink = (struct tare_sink){.size = sizeof ask->sink,
                                   .logits = on_logits,
                                   .score = on_score,
                                   .token = on_token,
                                   .done = on_done,
                                   .token_at = on_token_at,
                                   .event = on_event,
                                   .usage = on_usage};
    ask->ops = args->ops;
    ask->backend = args->backend;
    ask->norm = args->task->norm;
    ask->n_vocab = args->facts->n_vocab > 0 ? (size_t)args->facts->n_vocab : 0;
    ask->cap_tokens = prepared->max_output;
    ask->cap_output = tare_ask_output_bytes(prepared->max_output);
    ask->token_ns = touched((ask->cap_tokens + 1) * sizeof *ask->token_ns);
    ask->output = touched(ask->cap_output);
    ask->records = touched((prepared->max_requests + (size_t)1) * sizeof *ask->records);
    ask->greedy = touched((prepared->max_requests + (size_t)1) * sizeof *ask->greedy);
    if (!ask->token_ns || !ask->output || !ask->records || !ask->greedy) {
        tare_ask_fini(ask);
        return tare_err_set(err, TARE_E_NOMEM, "out of memory for the answers");
    }
    return 0;
}

void tare_ask_fini(struct tare_ask *ask)
{
    free(ask->token_ns);
    free(ask->output);
    free(ask->records);
    free(ask->greedy);
    memset(ask, 0, sizeof *ask);
}

static bool is_generation(const struct tare_prepared_item *item)
{
    return item->kind == TARE_ITEM_GENERATE || item->kind == TARE_ITEM_TOKENS;
}

/* Points everything at request i of the item. */
static void aim(struct tare_ask *ask, const struct tare_prepared_item *item, size_t index, uint32_t i)
{
    ask->item = item;
    ask->q = &item->requests[i];
    ask->request =
        (struct tare_request){.size = sizeof ask->request,
                              .kind = is_generation(item) ? TARE_REQUEST_GENERATE : TARE_REQUEST_SCORE,
                              .id = (uint64_t)index << 20 | i,
                              .tokens = ask->q->tokens,
                              .n_tokens = ask->q->n_tokens,
                              .first = ask->q->first,
                              .shared_prefix = ask->q->shared_prefix,
                              .max_output = ask->q->max_output,
                              .text = ask->q->text,
                              .text_bytes = ask->q->text_bytes,
                              .text_first = ask->q->text_first,
                              .stops = item->stops,
                              .n_stops = (uint32_t)item->n_stops};
    ask->loglik = 0;
    ask->next_index = ask->q->first;
    ask->scored = ask->right = ask->n_tokens = ask->n_stamps = 0;
    ask->prompt_tok = ask->q->n_tokens - (ask->request.kind == TARE_REQUEST_SCORE && !ask->q->text);
    ask->by_events = ask->counted = false;
    ask->n_output = ask->cut = 0;
    ask->stopped = ask->request.kind == TARE_REQUEST_GENERATE && ask->request.max_output == 0;
    ask->fault = NULL;
    ask->completed = false;
    ask->completion = 0;
}

/* Events are worth something only with the usage. */
static const char *fault_of_events(const struct tare_ask *ask)
{
    if (!ask->by_events) {
        return NULL;
    }
    if (!ask->counted) {
        return ask->stopped
                   ? "the other side went on behind a stop string, so that how many tokens there were is "
                     "not known"
                   : "events are no tokens, and it told no usage";
    }
    return ask->n_tokens > ask->request.max_output ? "it told of more tokens than were asked for" : NULL;
}

/* What the backend returned, or what it failed to do. */
static int judge(struct tare_ask *ask, int r, const struct tare_err *err)
{
    const char *text = r >= 0        ? ask->fault
                       : err->msg[0] ? err->msg
                                     : "the backend failed and did not say why";
    bool by_text = ask->request.kind == TARE_REQUEST_SCORE && ask->q->text;
    if (!text && (by_text ? ask->scored == 0 : ask->scored != ask->q->n_expected)) {
        text = "it answered fewer positions than were asked";
    }
    text = text ? text : fault_of_events(ask);
    if (!text) {
        return 0;
    }
    (void)snprintf(ask->message, sizeof ask->message, "%s%.220s",
                   r < 0 ? "" : "the backend broke its contract: ", text);
    return r < 0 ? r : TARE_E_BACKEND;
}

/* A sum is known if all its parts are. */
static int64_t add_known(int64_t sum, int64_t more)
{
    return sum >= 0 && more >= 0 ? sum + more : TARE_ABSENT;
}

static void account(struct tare_ask *ask, struct tare_sample *out)
{
    struct tare_cost cost = {TARE_UNKNOWN, TARE_UNKNOWN, TARE_UNKNOWN, TARE_UNKNOWN};
    bool scores = ask->request.kind == TARE_REQUEST_SCORE;
    struct tare_work work = {.prompt_tok = ask->prompt_tok,
                             .logits_rows = !scores        ? 1
                                            : ask->q->text ? ask->scored
                                                           : ask->request.n_tokens - ask->request.first,
                             .output_tok = ask->n_tokens};
    if (!ask->ops->account || ask->ops->account(ask->backend, &work, &cost, NULL) < 0) {
        cost = (struct tare_cost){TARE_UNKNOWN, TARE_UNKNOWN, TARE_UNKNOWN, TARE_UNKNOWN};
    }
    out->prefill_flops = add_known(out->prefill_flops, cost.prefill_flops);
    out->decode_flops = add_known(out->decode_flops, cost.decode_flops);
    out->prefill_bytes = add_known(out->prefill_bytes, cost.prefill_bytes);
    out->decode_bytes = add_known(out->decode_bytes, cost.decode_bytes);
}

/* One request: the stamps stand directly around submit. Returns the end stamp. */
static int64_t ask_one(struct tare_ask *ask, uint32_t i, int64_t origin_ns, struct tare_sample *out)
{
    struct tare_err err = {0};
    ask->begin_ns = tare_clock_ns();
    int r = ask->ops->submit(ask->backend, &ask->request, &ask->sink, &err);
    if (r >= 0 && (ask->ops->caps & TARE_CAP_CONCURRENT)) {
        r = await_completion(ask, &err);
    }
    int64_t end_ns = tare_clock_ns();
    out->code = judge(ask, r, &err);
    ask->records[i] = (struct tare_request_record){
        .start_ns = ask->begin_ns - origin_ns,
        .latency_ns = end_ns - ask->begin_ns,
        .loglik = ask->request.kind == TARE_REQUEST_SCORE ? ask->loglik : no_score,
        .prompt_tok = ask->prompt_tok,
        .scored_tok = ask->scored};
    ask->greedy[i] = ask->right == ask->scored;
    out->prompt_tok += ask->records[i].prompt_tok;
    out->output_tok += ask->n_tokens;
    out->latency_ns += end_ns - ask->begin_ns;
    account(ask, out);
    return end_ns;
}

/* The likeliest choice by the task's norm; the first of equals. */
static bool picked_gold(const struct tare_ask *ask, const struct tare_prepared_item *item)
{
    size_t best = 0;
    double best_score = -(double)INFINITY;
    size_t n = item->n_picked > 0 && item->n_picked < item->n_requests ? item->n_picked : item->n_requests;
    for (size_t i = 0; i < n; i++) {
        double by = ask->norm == TARE_NORM_BYTES ? (double)item->requests[i].n_bytes : 1.0;
        double score = ask->records[i].loglik / by;
        if (score > best_score) {
            best_score = score;
            best = i;
        }
    }
    return best == item->gold;
}

static void grade(const struct tare_ask *ask, const struct tare_prepared_item *item, struct tare_sample *out)
{
    switch (item->kind) {
    case TARE_ITEM_TEXT:
        out->num = 0;
        for (uint32_t i = 0; i < item->n_requests; i++) {
            out->num -= ask->records[i].loglik;
        }
        break;
    case TARE_ITEM_SPANS:
        out->num = ask->right;
        out->exact = ask->right == ask->q->n_expected;
        break;
    case TARE_ITEM_CHOICE:
        out->exact = picked_gold(ask, item);
        out->num = out->exact;
        break;
    default:
        if (item->reference.data) {
            out->exact =
                ask->cut == item->reference.n && memcmp(ask->output, item->reference.data, ask->cut) == 0;
        }
        break;
    }
    out->den = item->den;
}

static void take_output(struct tare_ask *ask, struct tare_sample *out)
{
    out->n_token_ns = ask->n_stamps;
    out->token_ns = ask->token_ns;
    out->ttft_ns = ask->n_stamps ? ask->token_ns[0] : TARE_ABSENT;
    out->n_output = (uint32_t)ask->cut;
    out->output = ask->output;
}

int64_t tare_ask_item(struct tare_ask *ask, const struct tare_prepared_item *item, size_t index,
                      int64_t origin_ns, struct tare_sample *out)
{
    *out = (struct tare_sample){.item = (int64_t)index,
                                .ttft_ns = TARE_ABSENT,
                                .den = TARE_ABSENT,
                                .num = (double)NAN,
                                .level = item->level,
                                .exact = -1,
                                .code = item->code};
    int64_t end_ns = 0;
    for (uint32_t i = 0; i < item->n_requests && out->code == 0; i++) {
        aim(ask, item, index, i);
        end_ns = ask_one(ask, i, origin_ns, out);
        out->n_requests++;
    }
    if (out->code != 0 && out->n_requests == 0) { /* could not be asked at all */
        (void)snprintf(ask->message, sizeof ask->message, "the item is longer than the model's context");
        end_ns = tare_clock_ns();
        out->start_ns = end_ns - origin_ns;
        out->prefill_flops = out->decode_flops = TARE_ABSENT;
        out->prefill_bytes = out->decode_bytes = TARE_ABSENT;
        return end_ns;
    }
    if (out->n_requests == 0) { /* an empty document: nothing to ask, nothing wrong */
        end_ns = tare_clock_ns();
    }
    out->start_ns = out->n_requests ? ask->records[0].start_ns : end_ns - origin_ns;
    out->n_records = out->n_requests > 1 ? out->n_requests : 0;
    out->records = ask->records;
    if (is_generation(item)) {
        take_output(ask, out);
    }
    if (out->code == 0) {
        grade(ask, item, out);
    }
    return end_ns;
}
