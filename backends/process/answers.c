/* SPDX-License-Identifier: Apache-2.0 */
/* What answers to hello, load, describe and readings tell. */
#include "messages.h"

#include <math.h>
#include <string.h>

uint32_t tare_reply_capabilities(const struct tare_reply *reply)
{
    static const struct {
        const char *name;
        uint32_t bit;
    } known[] = {{"score", TARE_CAP_SCORE},         {"generate", TARE_CAP_GENERATE},
                 {"logits", TARE_CAP_LOGITS},       {"tokenize", TARE_CAP_TOKENIZE},
                 {"technique", TARE_CAP_TECHNIQUE}, {"sampled", TARE_CAP_SAMPLED}};
    uint32_t caps = 0;
    const struct tare_json *c = tare_json_first(tare_json_get(reply->json, "capabilities"));
    for (; c; c = tare_json_next(c)) {
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            const char *name = tare_json_str(c);
            caps |= name && strcmp(name, known[i].name) == 0 ? known[i].bit : 0;
        }
    }
    return caps;
}

/* A text that is too long for its place is an error: a hash that was cut would be another's. */
static int text_fact(const struct tare_json *facts, const char *key, char *out, size_t n,
                     struct tare_err *err)
{
    const char *value = tare_json_str(tare_json_get(facts, key));
    if (value && strlen(value) >= n) {
        return tare_err_set(err, TARE_E_FORMAT, "fact %s has more than %zu bytes", key, n - 1);
    }
    if (value) {
        memcpy(out, value, strlen(value) + 1);
    }
    return 0;
}

/* Absent or null is unknown. */
static int count_fact(const struct tare_reply *facts, const char *key, int64_t *out, struct tare_err *err)
{
    const struct tare_json *value = tare_json_get(facts->json, key);
    if (!value || tare_json_type(value) == TARE_JSON_NULL) {
        return 0;
    }
    return tare_reply_count(facts, key, INT64_MAX, out, err);
}

int tare_reply_facts(const struct tare_reply *reply, struct tare_model_facts *out, struct tare_err *err)
{
    struct tare_model_facts f = *out;
    union { /* a view for reading only, which nobody frees */
        const struct tare_json *in;
        struct tare_json *out;
    } facts = {tare_json_get(reply->json, "facts")};
    if (tare_json_type(facts.in) != TARE_JSON_OBJECT) {
        return tare_err_set(err, TARE_E_FORMAT, "its description has no object \"facts\"");
    }
    const struct tare_reply view = {.json = facts.out};
    const struct {
        const char *key;
        int64_t *to;
    } counts[] = {{"params_total", &f.params_total},
                  {"params_active", &f.params_active},
                  {"params_non_embedding", &f.params_non_embedding},
                  {"params_non_zero", &f.params_non_zero},
                  {"params_trainable", &f.params_trainable},
                  {"stored_bytes", &f.stored_bytes},
                  {"kv_bytes_per_token", &f.kv_bytes_per_token},
                  {"state_bytes", &f.state_bytes},
                  {"n_ctx", &f.n_ctx},
                  {"n_vocab", &f.n_vocab},
                  {"bos", &f.bos}};
    int r = text_fact(facts.in, "arch", f.arch, sizeof f.arch, err);
    r = r < 0 ? r : text_fact(facts.in, "name", f.name, sizeof f.name, err);
    r = r < 0 ? r : text_fact(facts.in, "dtype", f.dtype, sizeof f.dtype, err);
    r = r < 0 ? r : text_fact(facts.in, "tokenizer", f.tokenizer, sizeof f.tokenizer, err);
    for (size_t i = 0; r == 0 && i < sizeof counts / sizeof *counts; i++) {
        r = count_fact(&view, counts[i].key, counts[i].to, err);
    }
    if (r == 0) {
        *out = f;
    }
    return r;
}

void tare_reply_settings(const struct tare_reply *reply, char *out, size_t n)
{
    size_t used = 0;
    out[0] = '\0';
    const struct tare_json *v = tare_json_first(tare_json_get(reply->json, "effective"));
    for (; v && used < n; v = tare_json_next(v)) {
        const char *text = tare_json_str(v);
        int more =
            snprintf(out + used, n - used, "%s%s=%s", used ? " " : "", tare_json_key(v), text ? text : "?");
        used += more > 0 ? (size_t)more : 0;
    }
}

static const char *text_of(const struct tare_json *reading, const char *key, const char *fallback)
{
    const char *text = tare_json_str(tare_json_get(reading, key));
    return text && *text ? text : fallback;
}

static void add_reading(const struct tare_json *reading, struct tare_readings *to)
{
    const struct tare_json *value = tare_json_get(reading, "value");
    const struct tare_json *why = tare_json_get(reading, "why");
    bool number = tare_json_type(value) == TARE_JSON_NUMBER && isfinite(tare_json_num(value));
    const struct tare_reading r = {
        .name = text_of(reading, "name", ""),
        .unit = text_of(reading, "unit", "1"),
        .scope = text_of(reading, "scope", "worker"),
        .source = text_of(reading, "source", "the worker"),
        .kind = (enum tare_kind)tare_kind_of(text_of(reading, "kind", "reported")),
        .absent = !number || why,
        .value = number && !why ? tare_json_num(value) : 0,
        .why = !number || why ? text_of(reading, "why", "the worker gave no number") : NULL};
    to->add(to, &r);
}

void tare_reply_readings(const struct tare_reply *reply, struct tare_readings *to)
{
    const struct tare_json *r = tare_json_first(tare_json_get(reply->json, "readings"));
    for (; r; r = tare_json_next(r)) {
        add_reading(r, to);
    }
}
