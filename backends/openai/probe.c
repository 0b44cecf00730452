/* SPDX-License-Identifier: Apache-2.0 */
/* Questions while loading: which models are there, and are the log-probabilities of a prompt really told? */
#include "service.h"

#include <math.h>
#include <string.h>
#include <time.h>

enum { wait_ms = 100 };

/* Sends x and waits until it is answered or has failed. The answer's status is 200 if this returns 0. */
static int ask(struct service *s, struct exchange *x, const char *url, bool with_body, struct tare_err *err)
{
    int r = exchange_send(x, url, with_body, err);
    while (r == 0 && !x->complete) {
        r = exchange_round(s, client_clock_ns() + INT64_C(1000000000), err);
    }
    if (r == 0 && x->fault.code != 0) {
        key_redact(&s->key, x->fault.msg, strlen(x->fault.msg));
        return tare_err_set(err, x->fault.code, "%s", x->fault.msg);
    }
    return r;
}

/* Asks for the list of models until the server is ready: it says 503 while it loads, or does not listen yet.
 */
static int ask_models(struct service *s, struct exchange **out, struct tare_err *err)
{
    int64_t until_ns = client_clock_ns() + s->options.ready_ns;
    for (;;) {
        struct exchange *x = NULL;
        int r = exchange_take(s, EXCHANGE_PLAIN, &x, err);
        if (r < 0) {
            return r;
        }
        r = ask(s, x, s->models.data, false, err);
        bool may_come = x->transfer.status == 0 || x->transfer.status == 503;
        if (r == 0 || !may_come || client_clock_ns() >= until_ns) {
            *out = x;
            return r;
        }
        exchange_release(x);
        (void)nanosleep(&(struct timespec){.tv_nsec = wait_ms * 1000000L}, NULL);
    }
}

static int64_t count_of(const struct tare_json *object, const char *key)
{
    int64_t value = -1;
    const struct tare_json *json = tare_json_get(object, key);
    if (tare_json_type(json) == TARE_JSON_NUMBER &&
        tare_json_i64(json, key, 0, INT64_C(1) << 53, &value, NULL) < 0) {
        return -1;
    }
    return value;
}

static void note_facts(struct service *s, const struct tare_json *model)
{
    const char *owner = tare_json_str(tare_json_get(model, "owned_by"));
    const struct tare_json *meta = tare_json_get(model, "meta");
    s->server = owner && strcmp(owner, "llamacpp") == 0 ? SERVER_LLAMA
                : owner && strcmp(owner, "vllm") == 0   ? SERVER_VLLM
                                                        : SERVER_UNKNOWN;
    s->server_params = count_of(meta, "n_params");
    s->server_bytes = count_of(meta, "size");
    s->server_ctx = count_of(meta, "n_ctx");
    s->server_ctx = s->server_ctx < 0 ? count_of(model, "max_model_len") : s->server_ctx;
}

/* The wanted model among those that the server has; the first one if none is wanted. A server may answer to
 * names that it does not list. */
static int choose(struct service *s, const struct tare_json *list, const char *wanted, struct tare_err *err)
{
    const struct tare_json *found = NULL, *first = tare_json_first(tare_json_get(list, "data"));
    for (const struct tare_json *m = first; m && wanted && !found; m = tare_json_next(m)) {
        const char *id = tare_json_str(tare_json_get(m, "id"));
        found = id && strcmp(id, wanted) == 0 ? m : NULL;
    }
    const char *name = wanted ? wanted : tare_json_str(tare_json_get(first, "id"));
    if (!name || !*name) {
        return tare_err_set(err, TARE_E_USAGE,
                            "backend openai: %.200s lists no model; name one by model=", s->models.data);
    }
    /* The only one is what answers, whatever name it is asked by. */
    bool only = first && !tare_json_next(first);
    note_facts(s, found ? found : only || !wanted ? first : NULL);
    text_clear(&s->model);
    text_puts(&s->model, name);
    return s->model.failed ? tare_err_set(err, TARE_E_NOMEM, "backend openai: out of memory") : 0;
}

int probe_server(struct service *s, const char *wanted, struct tare_err *err)
{
    struct exchange *x = NULL;
    struct tare_json *list = NULL;
    int r = ask_models(s, &x, err);
    bool no_list = r < 0 && x && x->transfer.status == 404;
    if (no_list) {
        r = 0; /* some have none */
    }
    r = r < 0 || no_list
            ? r
            : tare_json_parse(x->whole.n ? x->whole.data : "", x->whole.n, s->models.data, &list, err);
    r = r < 0 ? r : choose(s, list, wanted, err);
    tare_json_destroy(list);
    if (x) {
        exchange_release(x);
    }
    return r;
}

/* Every token but the first has a log-probability, and there are as many as the server says that it read. */
static int check_probe(const struct echo *echo, const struct tare_json *json, struct tare_err *err)
{
    double prompt = tare_json_num(tare_json_get(tare_json_get(json, "usage"), "prompt_tokens"));
    double output = tare_json_num(tare_json_get(tare_json_get(json, "usage"), "completion_tokens"));
    for (size_t i = echo->tokens[0].begin == 0 ? 1 : 0; i < echo->n; i++) {
        if (!(echo->tokens[i].logprob <= 1e-4)) {
            return tare_err_set(err, TARE_E_UNSUPPORTED, "token %zu of the prompt has no log-probability", i);
        }
    }
    if (echo->n < 2 || (double)echo->n_told < prompt || (double)echo->n_told > prompt + output) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "%zu entries for a prompt of %.0f tokens", echo->n_told,
                            prompt);
    }
    return 0;
}

static int try_way(struct service *s, struct exchange *x, bool echoed, int max_tokens, struct tare_err *err)
{
    static const char prompt[] = "The quick brown fox jumps over the lazy dog.";
    const struct body_args args = {&s->options, s->model.data,
                                   s->cache == CACHE_PREFIX ? CACHE_LEFT : s->cache, s->nonce};
    struct tare_json *json = NULL;
    x->complete = false;
    x->attempt = 0;
    int r = body_score(&x->body, &args, prompt, sizeof prompt - 1, echoed, max_tokens, err);
    r = r < 0 ? r : ask(s, x, s->completions.data, true, err);
    r = r < 0 ? r : tare_json_parse(x->whole.n ? x->whole.data : "", x->whole.n, "the answer", &json, err);
    r = r < 0 ? r : echo_read(json, echoed, prompt, sizeof prompt - 1, &s->echo, err);
    r = r < 0 ? r : check_probe(&s->echo, json, err);
    tare_json_destroy(json);
    return r;
}

int probe_score(struct service *s, struct tare_err *err)
{
    static const struct {
        bool echoed;
        int max_tokens;
    } ways[] = {{true, 0}, {true, 1}, {false, 1}};
    struct exchange *x = NULL;
    if (s->options.endpoint == ENDPOINT_CHAT) {
        (void)snprintf(s->lacks, sizeof s->lacks,
                       "a chat endpoint tells no log-probabilities of what it is sent");
        return 0;
    }
    int r = exchange_take(s, EXCHANGE_PLAIN, &x, err);
    if (r < 0) {
        return r;
    }
    struct tare_err why = {0};
    for (size_t i = 0; !s->can_score && i < sizeof ways / sizeof *ways; i++) {
        s->can_score = try_way(s, x, ways[i].echoed, ways[i].max_tokens, &why) == 0;
        s->echoed = ways[i].echoed;
        s->score_max_tokens = ways[i].max_tokens;
        if (i == 0 && !s->can_score) { /* what "echo" did tells most */
            (void)snprintf(s->lacks, sizeof s->lacks, "asked with echo and logprobs: %.200s", why.msg);
        }
    }
    exchange_release(x);
    return 0;
}
