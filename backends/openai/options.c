/* SPDX-License-Identifier: Apache-2.0 */
/* The table, and what an address may be. */
#include "options.h"

#include <string.h>
#include <stdlib.h>
#include <strings.h>
#include <tare/json.h>

static const char *const endpoints[] = {"completions", "chat", NULL};
static const char *const caches[] = {"bust", "declared", NULL};
static const char *const versions[] = {"auto", "1.1", "2", NULL};
const char *const openai_limit_names[] = {"max_tokens", "max_completion_tokens", NULL};

#define MEMBER(type_, name_, member_) \
    .name = name_, .type = type_, .offset = offsetof(struct openai_options, member_)
#define HOUR_NS INT64_C(3600000000000)

const struct tare_opt openai_option_table[] = {
    {MEMBER(TARE_OPT_STR, "url", url), .def = "http://127.0.0.1:8080",
     .help = "the server; /v1 is added if there is no path"},
    {MEMBER(TARE_OPT_STR, "model", model), .help = "name to ask for, if the model gives no path; unset: the "
                                                   "server's first"},
    {MEMBER(TARE_OPT_CHOICE, "endpoint", endpoint), .def = "completions", .choices = endpoints,
     .help = "completions: the text as it is; chat: in one message, under the server's template"},
    {MEMBER(TARE_OPT_BOOL, "stream", stream), .def = "yes",
     .help = "as server-sent events; no: as a whole, without a time to the first token"},
    {MEMBER(TARE_OPT_CHOICE, "cache", cache), .def = "bust", .choices = caches,
     .help = "bust: keep the server from answering out of its prompt cache; declared: leave it"},
    {MEMBER(TARE_OPT_CHOICE, "http", http), .def = "auto", .choices = versions,
     .help = "auto: 2 if TLS offers it, else 1.1; 2 without TLS needs a server that expects it"},
    {MEMBER(TARE_OPT_STR, "key_env", key_env), .def = "OPENAI_API_KEY",
     .help = "environment variable with the key; none is sent if it is unset"},
    {MEMBER(TARE_OPT_STR, "key_file", key_file), .help = "file with the key, for its owner only to read"},
    {MEMBER(TARE_OPT_BOOL, "clear_key", clear_key), .def = "no",
     .help = "send the key without TLS to another machine"},
    {MEMBER(TARE_OPT_STR, "ca_file", ca_file), .help = "certificates to trust, PEM; unset: the system's"},
    {MEMBER(TARE_OPT_STR, "proxy", proxy), .help = "proxy; unset: none, whatever the environment says"},
    {MEMBER(TARE_OPT_CHOICE, "limit_name", limit_name), .def = "max_tokens", .choices = openai_limit_names,
     .help = "what the server calls the number of tokens at most"},
    {MEMBER(TARE_OPT_STR, "extra", extra), .help = "a JSON object whose members go into every request"},
    {MEMBER(TARE_OPT_I64, "retries", retries), .def = "2", .min = 0, .max = 100,
     .help = "times that a request without any answer yet is sent again"},
    {MEMBER(TARE_OPT_NS, "backoff", backoff_ns), .def = "100ms", .unit = "ns", .min = 0, .max = HOUR_NS,
     .help = "wait before the first of them, doubled each time, if the server names no time"},
    {MEMBER(TARE_OPT_NS, "retry_after", retry_after_ns), .def = "30s", .unit = "ns", .min = 0, .max = HOUR_NS,
     .help = "longest Retry-After that is waited for"},
    {MEMBER(TARE_OPT_NS, "connect", connect_ns), .def = "10s", .unit = "ns", .min = 1000000, .max = HOUR_NS,
     .help = "time limit of a connection"},
    {MEMBER(TARE_OPT_NS, "first_byte", first_byte_ns), .def = "120s", .unit = "ns", .min = 1000000,
     .max = HOUR_NS, .help = "time limit until the first byte of an answer"},
    {MEMBER(TARE_OPT_NS, "stall", stall_ns), .def = "60s", .unit = "ns", .min = 1000000, .max = HOUR_NS,
     .help = "time limit between two reads of an answer"},
    {MEMBER(TARE_OPT_NS, "ready", ready_ns), .def = "60s", .unit = "ns", .min = 0, .max = HOUR_NS,
     .help = "while loading, how long to wait for a server that is not ready"},
    {MEMBER(TARE_OPT_BYTES, "event_bytes", event_bytes), .def = "1MiB", .unit = "B", .min = 64,
     .max = 1 << 30, .help = "longest event, and longest answer as a whole"},
    TARE_OPT_END};

/* The scheme's length, or 0. */
static size_t scheme_length(const char *url)
{
    return strncasecmp(url, "https://", 8) == 0 ? 8 : strncasecmp(url, "http://", 7) == 0 ? 7 : 0;
}

static bool is_loopback(const char *host, size_t n)
{
    static const char *const names[] = {"localhost", "[::1]", "127.0.0.1"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(names[i]);
        if (n >= length && strncasecmp(host, names[i], length) == 0 && (n == length || host[length] == ':')) {
            return true;
        }
    }
    return false;
}

/* No word of the address itself in the messages: it may be what must not be shown. */
static int check_url(struct openai_options *o, struct tare_err *err)
{
    const char *url = o->url;
    size_t scheme = url ? scheme_length(url) : 0;
    if (scheme == 0) {
        return tare_err_set(err, TARE_E_USAGE, "backend openai: url must begin with http:// or https://");
    }
    size_t n = strlen(url);
    const char *host = url + scheme;
    size_t n_host = strcspn(host, "/?#");
    if (n_host == 0) {
        return tare_err_set(err, TARE_E_USAGE, "backend openai: url names no host");
    }
    if (memchr(host, '@', n_host)) {
        return tare_err_set(
            err, TARE_E_USAGE,
            "backend openai: url must not carry a user or password; a key goes into the variable "
            "that key_env names, or into key_file");
    }
    for (size_t i = 0; i < n; i++) {
        if (url[i] <= ' ' || url[i] > '~' || url[i] == '?' || url[i] == '#') {
            return tare_err_set(err, TARE_E_USAGE,
                                "backend openai: url is the base of addresses: no '?', '#' or space in it");
        }
    }
    while (n > scheme + n_host && url[n - 1] == '/') {
        n--;
    }
    text_add(&o->base, url, n);
    text_puts(&o->base, n == scheme + n_host ? "/v1" : "");
    o->is_clear = scheme == 7 && !is_loopback(host, n_host);
    return o->base.failed ? tare_err_set(err, TARE_E_NOMEM, "backend openai: out of memory") : 0;
}

/* What every request has anyway: twice in one object, it would mean one thing to one server and another to
 * the next. */
static const char *owned_member(const struct tare_json *extra)
{
    static const char *const owned[] = {
        "model",           "prompt",     "messages", "max_tokens", "max_completion_tokens",
        "temperature",     "seed",       "stop",     "stream",     "stream_options",
        "cache_prompt",    "cache_salt", "echo",     "n",          "logprobs",
        "prompt_logprobs", "best_of"};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) {
        if (tare_json_get(extra, owned[i])) {
            return owned[i];
        }
    }
    return NULL;
}

static int check_extra(struct openai_options *o, struct tare_err *err)
{
    struct tare_json *json = NULL;
    char *printed = NULL;
    if (!o->extra) {
        return 0;
    }
    int r = tare_json_parse(o->extra, strlen(o->extra), "backend openai: extra", &json, err);
    if (r == 0 && tare_json_type(json) != TARE_JSON_OBJECT) {
        r = tare_err_set(err, TARE_E_USAGE, "backend openai: extra is no JSON object");
    }
    const char *owned = r == 0 ? owned_member(json) : NULL;
    if (owned) {
        r = tare_err_set(err, TARE_E_USAGE, "backend openai: extra has \"%s\", which is not its to say",
                         owned);
    }
    r = r < 0 ? r : tare_json_print(json, false, &printed, err);
    if (r == 0 && tare_json_size(json) > 0) { /* without its braces */
        text_add(&o->extra_inside, printed + 1, strlen(printed) - 2);
    }
    free(printed);
    tare_json_destroy(json);
    return r;
}

int openai_options_check(struct openai_options *options, struct tare_err *err)
{
    int r = check_url(options, err);
    return r < 0 ? r : check_extra(options, err);
}

void openai_options_free(struct openai_options *options)
{
    text_free(&options->base);
    text_free(&options->extra_inside);
}
