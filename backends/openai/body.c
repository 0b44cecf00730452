/* SPDX-License-Identifier: Apache-2.0 */
/* One function a part of a body. */
#include "body.h"

#include <stdint.h>
#include <string.h>
#include <tare/task.h>

enum { max_stops = 4 /* what api.openai.com takes; the harness looks for all of them anyway */ };

/* How many bytes follow a first byte, and what the first of them may be (RFC 3629): no overlong forms, no
 * halves of surrogate pairs, nothing beyond U+10FFFF. False: it begins nothing. */
static bool utf8_first(unsigned char c, size_t *out_more, unsigned char *out_least, unsigned char *out_most)
{
    static const struct {
        unsigned char from, to, more, least, most;
    } forms[] = {{0x00, 0x7f, 0, 0, 0},       {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf},
                 {0xe1, 0xec, 2, 0x80, 0xbf}, {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf},
                 {0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (c >= forms[i].from && c <= forms[i].to) {
            *out_more = forms[i].more;
            *out_least = forms[i].least;
            *out_most = forms[i].most;
            return true;
        }
    }
    return false;
}

/* Length of the UTF-8 sequence at s, or 0 for none. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    size_t more = 0;
    unsigned char least = 0, most = 0;
    if (!utf8_first(s[0], &more, &least, &most) || more >= n) {
        return 0;
    }
    for (size_t i = 1; i <= more; i++) {
        if (s[i] < (i == 1 ? least : 0x80) || s[i] > (i == 1 ? most : 0xbf)) {
            return 0;
        }
    }
    return more + 1;
}

static void add_escaped(struct text *to, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    const char six[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    const char two[2] = {'\\', (char)(c == '\n' ? 'n' : c == '\t' ? 't' : c == '\r' ? 'r' : c)};
    bool is_short = c == '"' || c == '\\' || c == '\n' || c == '\t' || c == '\r';
    text_add(to, is_short ? two : six, is_short ? sizeof two : sizeof six);
}

/* The inside of a string. */
static int add_inside(struct text *to, const char *bytes, size_t n, struct tare_err *err)
{
    const unsigned char *s = (const unsigned char *)bytes;
    size_t from = 0;
    for (size_t i = 0; i < n;) {
        size_t length = utf8_length(s + i, n - i);
        if (length == 0) {
            return tare_err_set(err, TARE_E_FORMAT,
                                "byte %zu of the text is not UTF-8, and a request can carry nothing else", i);
        }
        if (length == 1 && (s[i] < 0x20 || s[i] == '"' || s[i] == '\\' || s[i] == 0x7f)) {
            text_add(to, bytes + from, i - from);
            add_escaped(to, s[i]);
            from = i + 1;
        }
        i += length;
    }
    text_add(to, bytes + from, n - from);
    return 0;
}

static int add_string(struct text *to, const char *bytes, size_t n, struct tare_err *err)
{
    text_add(to, "\"", 1);
    int r = add_inside(to, bytes, n, err);
    text_add(to, "\"", 1);
    return r;
}

static void add_number(struct text *to, const char *key, int64_t value)
{
    char number[80];
    (void)snprintf(number, sizeof number, ",\"%s\":%lld", key, (long long)value);
    text_puts(to, number);
}

static int add_model(struct text *to, const char *model, struct tare_err *err)
{
    text_puts(to, "{\"model\":");
    return add_string(to, model, strlen(model), err);
}

static int add_prompt(struct text *to, const struct body_args *args, const struct tare_request *q,
                      struct tare_err *err)
{
    bool chat = args->options->endpoint == ENDPOINT_CHAT;
    text_puts(to, chat ? ",\"messages\":[{\"role\":\"user\",\"content\":\"" : ",\"prompt\":\"");
    if (args->cache == CACHE_PREFIX) {
        text_puts(to, args->nonce);
        text_puts(to, " ");
    }
    int r = add_inside(to, q->text, q->text_bytes, err);
    text_puts(to, chat ? "\"}]" : "\"");
    return r;
}

static int add_stops(struct text *to, const struct tare_request *q, struct tare_err *err)
{
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < q->n_stops && i < max_stops; i++) {
        text_puts(to, i ? "," : ",\"stop\":[");
        r = add_string(to, q->stops[i].data, q->stops[i].n, err);
    }
    text_puts(to, q->n_stops ? "]" : "");
    return r;
}

static void add_sampling(struct text *to, const struct tare_request *q)
{
    char number[96];
    (void)snprintf(number, sizeof number, ",\"temperature\":%.9g", (double)q->temperature);
    text_puts(to, number);
    if (q->temperature > 0) {
        add_number(to, "seed", (int64_t)(q->seed & INT64_C(0x1fffffffffffff))); /* doubles on the way */
    }
}

static void add_cache(struct text *to, const struct body_args *args)
{
    if (args->cache == CACHE_FLAG_OFF) {
        text_puts(to, ",\"cache_prompt\":false");
    } else if (args->cache == CACHE_SALT) {
        text_puts(to, ",\"cache_salt\":\"");
        text_puts(to, args->nonce);
        text_puts(to, "\"");
    }
}

/* The members of the object that the user gives, which were checked when the options were. */
static void add_extra(struct text *to, const struct openai_options *options)
{
    if (options->extra_inside.n > 0) {
        text_puts(to, ",");
        text_add(to, options->extra_inside.data, options->extra_inside.n);
    }
}

static int end_body(struct text *to, int r, struct tare_err *err)
{
    text_puts(to, "}");
    return r == 0 && to->failed ? tare_err_set(err, TARE_E_NOMEM, "out of memory for a request") : r;
}

int body_generate(struct text *to, const struct body_args *args, const struct tare_request *q,
                  struct tare_err *err)
{
    text_clear(to);
    int r = add_model(to, args->model, err);
    r = r < 0 ? r : add_prompt(to, args, q, err);
    add_number(to, openai_limit_names[args->options->limit_name], q->max_output);
    add_sampling(to, q);
    r = r < 0 ? r : add_stops(to, q, err);
    text_puts(to, args->options->stream ? ",\"stream\":true,\"stream_options\":{\"include_usage\":true}"
                                        : ",\"stream\":false");
    add_cache(to, args);
    add_extra(to, args->options);
    return end_body(to, r, err);
}

int body_score(struct text *to, const struct body_args *args, const char *prompt, size_t n, bool echo,
               int max_tokens, struct tare_err *err)
{
    text_clear(to);
    int r = add_model(to, args->model, err);
    text_puts(to, ",\"prompt\":");
    r = r < 0 ? r : add_string(to, prompt, n, err);
    add_number(to, "max_tokens", max_tokens);
    text_puts(to, echo ? ",\"temperature\":0,\"echo\":true,\"logprobs\":1"
                       : ",\"temperature\":0,\"prompt_logprobs\":1");
    text_puts(to, ",\"stream\":false");
    add_cache(to, args);
    add_extra(to, args->options);
    return end_body(to, r, err);
}
