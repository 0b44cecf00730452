/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The openai backend: a model behind an HTTP server that speaks OpenAI's completions or chat completions
 * (llama-server, vLLM, SGLang, TGI, Ollama, api.openai.com). It sends text and measures what comes back;
 * tokens, templates and the beginning-of-sequence policy are the server's. It starts no server, and says
 * nothing of the machine that one runs on.
 */
#include "service.h"

#include <string.h>
#include <sys/random.h>

static int open_service(void *self, struct tare_err *err)
{
    struct service *s = self;
    int r = openai_options_check(&s->options, err);
    r = r < 0 ? r : key_load(&s->key, s->options.key_file, s->options.key_env, err);
    if (r == 0 && s->key.page && s->options.is_clear && !s->options.clear_key) {
        r = tare_err_set(err, TARE_E_USAGE,
                         "backend openai: the key would go to another machine without TLS; use https, or set "
                         "clear_key=yes");
    }
    if (r < 0) { /* close is not called */
        key_wipe(&s->key);
        openai_options_free(&s->options);
    }
    return r;
}

static int make_addresses(struct service *s, struct tare_err *err)
{
    const struct {
        struct text *to;
        const char *path;
    } all[] = {{&s->completions, "/completions"}, {&s->chat, "/chat/completions"}, {&s->models, "/models"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        text_clear(all[i].to);
        text_puts(all[i].to, s->options.base.data);
        text_puts(all[i].to, all[i].path);
        if (all[i].to->failed) {
            return tare_err_set(err, TARE_E_NOMEM, "backend openai: out of memory");
        }
    }
    return 0;
}

/* Not the run's seed: two runs must not meet in one cache. */
static int make_nonce(struct service *s, struct tare_err *err)
{
    unsigned char bytes[8];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "backend openai: the kernel gives no random bytes");
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        (void)snprintf(s->nonce + 2 * i, 3, "%02x", bytes[i]);
    }
    (void)snprintf(s->nonce + 2 * sizeof bytes, 2, "-");
    return 0;
}

static enum cache_way cache_way_of(const struct service *s)
{
    return s->options.cache == CACHE_DECLARED ? CACHE_LEFT
           : s->server == SERVER_LLAMA        ? CACHE_FLAG_OFF
           : s->server == SERVER_VLLM         ? CACHE_SALT
                                              : CACHE_PREFIX;
}

static int load(void *self, const struct tare_load *load, struct tare_err *err)
{
    struct service *s = self;
    const struct client_setup setup = {.key_header = s->key.page,
                                       .ca_file = s->options.ca_file,
                                       .proxy = s->options.proxy,
                                       .http = (int)s->options.http,
                                       .connect_ns = s->options.connect_ns,
                                       .first_byte_ns = s->options.first_byte_ns,
                                       .stall_ns = s->options.stall_ns};
    int r = make_addresses(s, err);
    r = r < 0 ? r : make_nonce(s, err);
    r = r < 0 ? r : client_open(&s->client, &setup, err);
    r = r < 0 ? r : probe_server(s, load->path ? load->path : s->options.model, err);
    if (r == 0) {
        s->cache = cache_way_of(s);
        r = probe_score(s, err);
    }
    return r;
}

static int describe(void *self, struct tare_model_facts *out, struct tare_err *err)
{
    const struct service *s = self;
    (void)err;
    (void)snprintf(out->name, sizeof out->name, "%s", s->model.data);
    return 0;
}

/* Scoring is promised for servers that echo; the probe showed whether this one does. */
static int effective(void *self, struct tare_effective *out, struct tare_err *err)
{
    const struct service *s = self;
    (void)err;
    if (!s->can_score) {
        out->lacks = TARE_CAP_SCORE;
        (void)snprintf(out->why, sizeof out->why, "%s", s->lacks);
    }
    return 0;
}

static int submit(void *self, const struct tare_request *request, struct tare_sink *sink,
                  struct tare_err *err)
{
    struct service *s = self;
    if (request->size < sizeof *request || sink->size < sizeof *sink || !request->text) {
        return tare_err_set(err, TARE_E_BACKEND,
                            "backend openai: this tare does not send text; use a newer one");
    }
    if (request->kind != TARE_REQUEST_GENERATE && (request->kind != TARE_REQUEST_SCORE || !s->can_score)) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "backend openai: this request cannot be asked of a server");
    }
    s->sink = sink;
    return exchange_submit(s, request, err);
}

static int drain(void *self, struct tare_sink *sink, int64_t timeout_ns, struct tare_err *err)
{
    struct service *s = self;
    int64_t now_ns = client_clock_ns();
    int64_t until_ns = timeout_ns < INT64_MAX - now_ns ? now_ns + timeout_ns : INT64_MAX;
    int64_t before = s->completed;
    int r = 0;
    s->sink = sink;
    do {
        r = exchange_round(s, until_ns, err);
    } while (r == 0 && s->completed == before && s->in_flight > 0 && client_clock_ns() < until_ns);
    return r < 0 ? r : (int)(s->completed - before);
}

static int cancel(void *self, uint64_t id, struct tare_err *err)
{
    int r = exchange_cancel(self, id);
    return r < 0 ? tare_err_set(err, r, "backend openai: no such request is in flight") : 0;
}

static void readings(void *self, int measured, struct tare_readings *to)
{
    report_readings(self, measured, to);
}

static void unload(void *self)
{
    struct service *s = self;
    exchange_free_all(s);
    client_close(s->client);
    s->client = NULL;
    echo_free(&s->echo);
    text_free(&s->model);
    text_free(&s->completions);
    text_free(&s->chat);
    text_free(&s->models);
}

static void close_service(void *self)
{
    struct service *s = self;
    key_wipe(&s->key);
    openai_options_free(&s->options);
}

TARE_EXPORT extern const struct tare_backend tare_plugin;
const struct tare_backend tare_plugin = {
    .header = TARE_BACKEND_HEADER,
    .name = "openai",
    .summary = "a server that speaks OpenAI's completions or chat completions, over HTTP",
    .version = client_version,
    .caps =
        TARE_CAP_SCORE | TARE_CAP_GENERATE | TARE_CAP_CONCURRENT | TARE_CAP_TEXT_ONLY | TARE_CAP_ELSEWHERE,
    .priv_size = sizeof(struct service),
    .options = openai_option_table,
    .open = open_service,
    .load = load,
    .describe = describe,
    .effective = effective,
    .remote = 1,
    .submit = submit,
    .drain = drain,
    .cancel = cancel,
    .readings = readings,
    .unload = unload,
    .close = close_service,
};
