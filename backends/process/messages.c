/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent is printed, what comes is parsed and believed in nothing. */
#include "messages.h"

#include "wire.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Exactly, also beyond 2^53, where a double no longer holds nanoseconds. */
static bool whole(const struct tare_json *json, int64_t *out)
{
    const char *text = tare_json_number_text(json);
    if (!text || strspn(text, "-0123456789") != strlen(text)) {
        return false;
    }
    errno = 0;
    *out = strtoll(text, NULL, 10);
    return errno == 0;
}

static int need(const struct tare_json *json, const char *key, int64_t min, int64_t max, int64_t *out,
                struct tare_err *err)
{
    int64_t value;
    if (!whole(tare_json_get(json, key), &value) || value < min || value > max) {
        return tare_err_set(err, TARE_E_FORMAT, "\"%s\" is no whole number in %" PRId64 " .. %" PRId64, key,
                            min, max);
    }
    *out = value;
    return 0;
}

int tare_reply_count(const struct tare_reply *reply, const char *key, int64_t max, int64_t *out,
                     struct tare_err *err)
{
    return need(reply->json, key, 0, max, out, err);
}

static int code_of(const char *name)
{
#define TARE_X(code, value, text, meaning) \
    if (name && strcmp(name, text) == 0) { \
        return code;                       \
    }
    TARE_ERRORS(TARE_X)
#undef TARE_X
    return TARE_E_BACKEND;
}

static int parse_event(struct tare_reply *r, const char *event, struct tare_err *err)
{
    if (strcmp(event, "token") == 0) {
        r->kind = TARE_REPLY_TOKEN;
        int rc = need(r->json, "token", INT32_MIN, INT32_MAX, &r->token, err);
        return rc < 0 ? rc : need(r->json, "at", 0, INT64_MAX, &r->at_ns, err);
    }
    if (strcmp(event, "logits") == 0) {
        r->kind = TARE_REPLY_LOGITS;
        int rc = need(r->json, "position", 0, INT32_MAX, &r->position, err);
        return rc < 0 ? rc : need(r->json, "rows", 1, INT32_MAX, &r->rows, err);
    }
    return tare_err_set(err, TARE_E_FORMAT, "event \"%.40s\" is not known", event);
}

static int parse_body(struct tare_reply *r, struct tare_err *err)
{
    const struct tare_json *bytes = tare_json_get(r->json, "bytes");
    const char *event = tare_json_str(tare_json_get(r->json, "event"));
    int64_t n = 0;
    int rc = need(r->json, "seq", 0, INT64_MAX, &r->seq, err);
    if (rc == 0 && bytes) {
        rc = need(r->json, "bytes", 0, (int64_t)TARE_WIRE_BLOB_MAX, &n, err);
    }
    if (rc < 0) {
        return rc;
    }
    r->n_blob = (size_t)n;
    if (event) {
        return parse_event(r, event, err);
    }
    r->text = tare_json_str(tare_json_get(r->json, "error"));
    if (r->text) {
        r->kind = TARE_REPLY_ERROR;
        r->code = code_of(tare_json_str(tare_json_get(r->json, "code")));
        return 0;
    }
    r->text = tare_json_str(tare_json_get(r->json, "ok"));
    r->kind = TARE_REPLY_OK;
    return r->text ? 0 : tare_err_set(err, TARE_E_FORMAT, "a line has none of ok, error and event");
}

int tare_reply_parse(const char *line, size_t n, struct tare_reply *out, struct tare_err *err)
{
    struct tare_reply r;
    memset(&r, 0, sizeof r);
    int rc = tare_json_parse_exact(line, n, "its line", &r.json, err);
    if (rc == 0 && tare_json_type(r.json) != TARE_JSON_OBJECT) {
        rc = tare_err_set(err, TARE_E_FORMAT, "its line is no JSON object");
    }
    rc = rc < 0 ? rc : parse_body(&r, err);
    if (rc < 0) {
        tare_json_destroy(r.json);
        return TARE_E_FORMAT;
    }
    *out = r;
    return 0;
}

void tare_reply_fini(struct tare_reply *reply)
{
    tare_json_destroy(reply->json);
    memset(reply, 0, sizeof *reply);
}

static size_t length(int n)
{
    return n < 0 ? 0 : n < TARE_MESSAGE_BYTES ? (size_t)n : TARE_MESSAGE_BYTES - 1;
}

size_t tare_message_simple(char out[TARE_MESSAGE_BYTES], const char *op, int64_t seq, size_t n_blob)
{
    return length(snprintf(out, TARE_MESSAGE_BYTES,
                           "{\"op\":\"%s\",\"seq\":%" PRId64 ",\"protocols\":[%d],\"bytes\":%zu}\n", op, seq,
                           TARE_PROCESS_PROTOCOL, n_blob));
}

size_t tare_message_readings(char out[TARE_MESSAGE_BYTES], int64_t seq, int measured)
{
    return length(snprintf(out, TARE_MESSAGE_BYTES,
                           "{\"op\":\"readings\",\"seq\":%" PRId64 ",\"measured\":%s}\n", seq,
                           measured ? "true" : "false"));
}

size_t tare_message_request(char out[TARE_MESSAGE_BYTES], int64_t seq, const struct tare_request *q)
{
    const char *op = q->kind == TARE_REQUEST_SCORE      ? "score"
                     : q->kind == TARE_REQUEST_GENERATE ? "generate"
                                                        : "logits";
    return length(snprintf(out, TARE_MESSAGE_BYTES,
                           "{\"op\":\"%s\",\"seq\":%" PRId64 ",\"first\":%" PRIu32
                           ",\"shared_prefix\":%" PRIu32 ",\"max_output\":%" PRIu32
                           ",\"temperature\":%.9g,\"seed\":\"%" PRIu64 "\",\"bytes\":%zu}\n",
                           op, seq, q->first, q->shared_prefix, q->max_output, (double)q->temperature,
                           q->seed, (size_t)q->n_tokens * sizeof *q->tokens));
}

static int add_setting(struct tare_json *to, const char *word, struct tare_err *err)
{
    const char *equals = strchr(word, '=');
    char key[64];
    if (!equals || equals == word || (size_t)(equals - word) >= sizeof key) {
        return tare_err_set(err, TARE_E_USAGE, "backend process: option set: '%.60s' is not key=value", word);
    }
    memcpy(key, word, (size_t)(equals - word));
    key[equals - word] = '\0';
    if (tare_json_get(to, key)) {
        return tare_err_set(err, TARE_E_USAGE, "backend process: option set: %s is set twice", key);
    }
    tare_json_add_str(to, key, equals + 1);
    return 0;
}

int tare_message_load(int64_t seq, const struct tare_load *load, char *const *settings, char **out,
                      struct tare_err *err)
{
    struct tare_json *json = tare_json_new_object();
    tare_json_add_str(json, "op", "load");
    tare_json_add_i64(json, "seq", seq);
    tare_json_add_str(json, "path", load->path);
    tare_json_add_str(json, "technique", load->technique);
    struct tare_json *to = tare_json_add_object(json, "settings");
    int r = 0;
    for (size_t i = 0; r == 0 && settings[i]; i++) {
        r = add_setting(to, settings[i], err);
    }
    r = r < 0 ? r : tare_json_print(json, false, out, err);
    tare_json_destroy(json);
    return r;
}
