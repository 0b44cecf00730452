/* SPDX-License-Identifier: Apache-2.0 */
/* Reading by searching: it need only understand what one client of this tree sends. */
#include "mock_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { fourth = 3 };

static const char *const modes[MOCK_MODES] = {
    "ok",       "usage_last",  "slow",      "stall",     "cut",     "cut_clean", "malformed",
    "no_usage", "wrong_usage", "bad_usage", "late_text", "foreign", "huge",      "split",
    "crlf",     "error_event", "refuse",    "tell_key",  "think"};

/* The string member, with \" and \n resolved. */
static bool member(const char *body, const char *key, char *out, size_t n_out)
{
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "\"%s\":\"", key);
    const char *from = strstr(body, wanted);
    size_t k = 0;
    if (!from) {
        return false;
    }
    for (from += strlen(wanted); *from && *from != '"' && k + 1 < n_out; from++) {
        if (*from == '\\') {
            from++;
            out[k++] = *from == 'n' ? '\n' : *from;
        } else {
            out[k++] = *from;
        }
    }
    out[k] = '\0';
    return true;
}

static void set_number(struct mock_script *s, const char *key, int64_t value)
{
    const struct {
        const char *key;
        int64_t *to;
    } all[] = {
        {"n", &s->n},           {"tok", &s->tok},       {"batch", &s->batch}, {"ttft_us", &s->ttft_us},
        {"itl_us", &s->itl_us}, {"status", &s->status}, {"times", &s->times}, {"after_s", &s->after_s},
        {"cached", &s->cached}, {"echo", &s->echo},     {"stamp", &s->stamp}, {"stop_at", &s->stop_at}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(all[i].key, key) == 0) {
            *all[i].to = value;
        }
    }
}

static void read_model(struct mock_script *s)
{
    char copy[sizeof s->name], *save = NULL;
    memcpy(copy, s->name, sizeof copy);
    for (char *word = strtok_r(copy, ";", &save); word; word = strtok_r(NULL, ";", &save)) {
        char *colon = strchr(word, ':');
        if (colon) {
            *colon = '\0';
            set_number(s, word, strtoll(colon + 1, NULL, 10));
        }
        for (int m = 0; !colon && m < MOCK_MODES; m++) {
            s->mode = strcmp(modes[m], word) == 0 ? (enum mock_mode)m : s->mode;
        }
    }
}

static void read_key(struct mock_script *s, const char *request)
{
    const char *key = strstr(request, "Authorization: Bearer ");
    if (key) {
        (void)sscanf(key + strlen("Authorization: Bearer "), "%255s", s->key);
    }
}

bool mock_script_read(struct mock_script *s, const char *request)
{
    const char *body = strstr(request, "\r\n\r\n");
    *s = (struct mock_script){
        .tok = 1, .batch = 1, .status = 500, .times = 1 << 30, .cached = -1, .stop_at = -1};
    if (!body || !member(body, "model", s->name, sizeof s->name)) {
        return false;
    }
    const char *limit = strstr(body, "\"max_tokens\":");
    s->max_tokens = limit ? strtoll(limit + strlen("\"max_tokens\":"), NULL, 10) : 16;
    s->n = s->max_tokens;
    read_model(s);
    read_key(s, request);
    s->chat = strstr(request, "/chat/completions") != NULL;
    s->stream = strstr(body, "\"stream\":true") != NULL;
    s->wants_echo = strstr(body, "\"echo\":true") != NULL;
    s->wants_prompt_logprobs = strstr(body, "\"prompt_logprobs\":1") != NULL;
    (void)member(body, s->chat ? "content" : "prompt", s->prompt, sizeof s->prompt);
    return true;
}

static void usage_text(const struct mock_script *s, char *out, size_t n_out)
{
    char cached[80] = "";
    long long output = s->mode == MOCK_WRONG_USAGE ? 1
                       : s->mode == MOCK_BAD_USAGE ? -5
                                                   : (long long)(s->n * s->tok);
    if (s->cached >= 0) {
        (void)snprintf(cached, sizeof cached, ",\"prompt_tokens_details\":{\"cached_tokens\":%lld}",
                       (long long)s->cached);
    }
    (void)snprintf(out, n_out, "{\"prompt_tokens\":%zu,\"completion_tokens\":%lld,\"total_tokens\":0%s}",
                   strlen(s->prompt), output, cached);
}

static void event_text(const struct mock_script *s, int64_t i, int64_t now_ns, char *out, size_t n_out)
{
    if (s->stamp) {
        (void)snprintf(out, n_out, "%llx %llx ", (unsigned long long)now_ns,
                       (unsigned long long)s->received_ns);
    } else if (i == s->stop_at) {
        (void)snprintf(out, n_out, "STOP");
    } else {
        (void)snprintf(out, n_out, "w%lld ", (long long)i);
    }
}

/* One chunk with a choice. */
static int choice_text(const struct mock_script *s, const char *text, const char *finish, const char *usage,
                       bool foreign, char *out, size_t n_out)
{
    const char *id = foreign ? "cmpl-other" : "cmpl-1";
    char quoted[16] = "null";
    if (finish) {
        (void)snprintf(quoted, sizeof quoted, "\"%s\"", finish);
    }
    const char *form =
        !s->chat ? "{\"id\":\"%s\",\"choices\":[{\"index\":0,\"text\":\"%s\",\"%s\":%s}]%s%s}"
                 : "{\"id\":\"%s\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},\"%s\":%s}]"
                   "%s%s}";
    if (s->chat && strcmp(text, "(thought)") == 0) {
        return snprintf(
            out, n_out,
            "{\"id\":\"%s\",\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"hm\"}}]}", id);
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return snprintf(out, n_out, form, id, text, "finish_reason", quoted, usage ? ",\"usage\":" : "",
                    usage ? usage : "");
#pragma GCC diagnostic pop
}

/* After the texts: the finish, then what is behind it, then [DONE]. */
enum { tail_finish, tail_usage, tail_done, tail_events };

int64_t mock_script_last(const struct mock_script *s)
{
    return s->n + tail_events - 1;
}

static int tail_text(const struct mock_script *s, int64_t which, char *out, size_t n_out)
{
    char usage[256];
    usage_text(s, usage, sizeof usage);
    if (which == tail_finish) {
        return choice_text(s, "", "length", s->mode == MOCK_USAGE_LAST ? usage : NULL, false, out, n_out);
    }
    if (which == tail_done) {
        return snprintf(out, n_out, "[DONE]");
    }
    if (s->mode == MOCK_LATE_TEXT) {
        return choice_text(s, "late", NULL, NULL, false, out, n_out);
    }
    bool tells = s->mode != MOCK_NO_USAGE && s->mode != MOCK_USAGE_LAST;
    return snprintf(out, n_out, "{\"id\":\"cmpl-1\",\"choices\":[],\"usage\":%s}", tells ? usage : "null");
}

static int odd_text(const struct mock_script *s, char *out, size_t n_out)
{
    enum { huge_bytes = 2 << 20 };
    if (s->mode == MOCK_MALFORMED) {
        return snprintf(out, n_out, "{\"choices\": [oops");
    }
    if (s->mode == MOCK_ERROR_EVENT) {
        return snprintf(out, n_out, "{\"error\":{\"message\":\"the model fell over\"}}");
    }
    if (s->mode == MOCK_FOREIGN) {
        return choice_text(s, "x", NULL, NULL, true, out, n_out);
    }
    if (n_out > huge_bytes) {
        memset(out, 'x', huge_bytes);
        out[huge_bytes] = '\0';
    }
    return huge_bytes;
}

size_t mock_script_event(const struct mock_script *s, int64_t i, int64_t now_ns, char *out, size_t n_out)
{
    bool odd = s->mode == MOCK_MALFORMED || s->mode == MOCK_ERROR_EVENT || s->mode == MOCK_FOREIGN ||
               s->mode == MOCK_HUGE;
    bool crlf = s->mode == MOCK_CRLF;
    int k =
        snprintf(out, n_out, crlf ? ": hello\r\nevent: chunk\r\nid: %lld\r\ndata: " : "data: ", (long long)i);
    if (i >= s->n) {
        k += tail_text(s, i - s->n, out + k, n_out - (size_t)k);
    } else if (odd && i == fourth) {
        k += odd_text(s, out + k, n_out - (size_t)k);
    } else {
        char text[64];
        event_text(s, i, now_ns, text, sizeof text);
        bool thought = s->mode == MOCK_THINK && i < s->n / 2;
        k += choice_text(s, thought ? "(thought)" : text, NULL, NULL, false, out + k, n_out - (size_t)k);
    }
    k += snprintf(out + k, n_out - (size_t)k, crlf ? "\r\n\r\n" : "\n\n");
    return (size_t)k;
}

/* Tokens of the echoed prompt: two bytes each; the log-probability of token i is -(1 + i % 3) / 2. */
static int echo_text(const struct mock_script *s, char *out, size_t n_out)
{
    size_t n = strlen(s->prompt), tokens = (n + 1) / 2 + (s->max_tokens > 0);
    int k =
        snprintf(out, n_out,
                 "{\"id\":\"cmpl-1\",\"choices\":[{\"index\":0,\"text\":\"\",\"finish_reason\":\"length\","
                 "\"logprobs\":{\"tokens\":[");
    for (size_t i = 0; i < tokens; i++) {
        char text[3] = {0, 0, 0};
        memcpy(text, 2 * i < n ? s->prompt + 2 * i : "!", 2 * i + 1 < n ? 2 : 1);
        k += snprintf(out + k, n_out - (size_t)k, "%s\"%s\"", i ? "," : "", s->echo == 2 ? "zz" : text);
    }
    k += snprintf(out + k, n_out - (size_t)k, "],\"token_logprobs\":[null");
    for (size_t i = 1; i < tokens; i++) {
        k += snprintf(out + k, n_out - (size_t)k, ",%.1f", -0.5 * (double)(1 + i % 3));
    }
    return k + snprintf(out + k, n_out - (size_t)k,
                        "]}}],\"usage\":{\"prompt_tokens\":%zu,\"completion_tokens\":%d}}", (n + 1) / 2,
                        s->max_tokens > 0);
}

static int prompt_logprobs_text(const struct mock_script *s, char *out, size_t n_out)
{
    size_t n = strlen(s->prompt), tokens = (n + 1) / 2;
    int k =
        snprintf(out, n_out,
                 "{\"id\":\"cmpl-1\",\"choices\":[{\"index\":0,\"text\":\"!\",\"finish_reason\":\"length\","
                 "\"prompt_logprobs\":[null");
    for (size_t i = 1; i < tokens; i++) {
        char text[3] = {0, 0, 0};
        memcpy(text, s->prompt + 2 * i, 2 * i + 1 < n ? 2 : 1);
        k += snprintf(out + k, n_out - (size_t)k,
                      ",{\"7\":{\"logprob\":%.1f,\"rank\":5,\"decoded_token\":\"%s\"},"
                      "\"8\":{\"logprob\":-0.1,\"rank\":1,\"decoded_token\":\"?\"}}",
                      -0.5 * (double)(1 + i % 3), text);
    }
    return k + snprintf(out + k, n_out - (size_t)k,
                        "]}],\"usage\":{\"prompt_tokens\":%zu,\"completion_tokens\":1}}", tokens);
}

size_t mock_script_whole(const struct mock_script *s, char *out, size_t n_out)
{
    if (s->wants_echo && (s->echo == 1 || s->echo == 2)) {
        return (size_t)echo_text(s, out, n_out);
    }
    if (s->wants_prompt_logprobs && s->echo == 3) {
        return (size_t)prompt_logprobs_text(s, out, n_out);
    }
    char usage[256];
    usage_text(s, usage, sizeof usage);
    int k = snprintf(out, n_out,
                     s->chat ? "{\"id\":\"cmpl-1\",\"choices\":[{\"index\":0,\"message\":{\"content\":\""
                             : "{\"id\":\"cmpl-1\",\"choices\":[{\"index\":0,\"text\":\"");
    for (int64_t i = 0; i < s->n; i++) {
        char text[64];
        event_text(s, i, 0, text, sizeof text);
        k += snprintf(out + k, n_out - (size_t)k, "%s", text);
    }
    return (size_t)(k + snprintf(out + k, n_out - (size_t)k, "%s\"finish_reason\":\"length\"}],\"usage\":%s}",
                                 s->chat ? "\"}," : "\",", s->mode == MOCK_NO_USAGE ? "null" : usage));
}
