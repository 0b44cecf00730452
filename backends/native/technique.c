/* SPDX-License-Identifier: Apache-2.0 */
/* From a technique's text to calls: cutting it up, finding who is meant, filling in the parameters. */
#include "technique.h"

#include <stdlib.h>
#include <string.h>

#define X(name) extern const struct tare_technique tare_technique_##name;
#include "native_techniques.inc"
#undef X

const struct tare_technique *const tare_techniques[] = {
#define X(name) &tare_technique_##name,
#include "native_techniques.inc"
#undef X
    NULL,
};

enum { params_max = 16, text_max = 1024 };

/* One technique of a text, cut up in place. */
struct named {
    char *tag;
    char *key[params_max];
    char *value[params_max];
    uint32_t n;
};

static int cut_params(char *at, struct named *out, struct tare_err *err)
{
    char *rest = NULL;
    for (char *pair = strtok_r(at, ",", &rest); pair; pair = strtok_r(NULL, ",", &rest)) {
        char *equals = strchr(pair, '=');
        if (!equals || equals == pair || equals[1] == '\0' || out->n == params_max) {
            return tare_err_set(err, TARE_E_USAGE,
                                "technique '%.60s': '%.60s' is not name=value (at most %d of them)", out->tag,
                                pair, params_max);
        }
        *equals = '\0';
        for (uint32_t i = 0; i < out->n; i++) {
            if (strcmp(out->key[i], pair) == 0) {
                return tare_err_set(err, TARE_E_USAGE, "technique '%.60s': '%.60s' is given twice", out->tag,
                                    pair);
            }
        }
        out->key[out->n] = pair;
        out->value[out->n++] = equals + 1;
    }
    return 0;
}

static int cut_one(char *text, struct named *out, struct tare_err *err)
{
    *out = (struct named){.tag = text};
    char *open = strchr(text, '{');
    if (!open) {
        return 0;
    }
    size_t n = strlen(open);
    if (open[n - 1] != '}') {
        return tare_err_set(err, TARE_E_USAGE, "technique '%.100s': '{' without '}' at the end", text);
    }
    open[n - 1] = '\0';
    *open = '\0';
    return cut_params(open + 1, out, err);
}

static const char *method_of(const struct named *named)
{
    for (uint32_t i = 0; i < named->n; i++) {
        if (strcmp(named->key[i], "method") == 0) {
            return named->value[i];
        }
    }
    return NULL;
}

static bool is_meant(const struct tare_technique *t, const char *tag, const char *method)
{
    return strcmp(t->tag, tag) == 0 && (method ? strcmp(t->method, method) == 0 : t->is_default);
}

/* "rtn, gptq" for a tag, the tags themselves for NULL. */
static void list_known(const char *tag, char *out, size_t cap)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; tare_techniques[i]; i++) {
        const struct tare_technique *t = tare_techniques[i];
        const char *word = tag ? t->method : t->tag;
        if ((tag && strcmp(t->tag, tag) != 0) || (!tag && !t->is_default)) {
            continue;
        }
        int n = snprintf(out + used, cap - used, "%s%s", used > 0 ? ", " : "", word);
        if (n < 0 || (size_t)n >= cap - used) {
            return;
        }
        used += (size_t)n;
    }
}

static int find(const struct named *named, const struct tare_technique **out, struct tare_err *err)
{
    const char *method = method_of(named);
    char known[400];
    for (size_t i = 0; tare_techniques[i]; i++) {
        if (is_meant(tare_techniques[i], named->tag, method)) {
            *out = tare_techniques[i];
            return 0;
        }
    }
    list_known(named->tag, known, sizeof known);
    if (known[0]) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "native: technique '%.60s' has no method '%.40s'; it has %s", named->tag,
                            method ? method : "(none named)", known);
    }
    list_known(NULL, known, sizeof known);
    return tare_err_set(err, TARE_E_UNSUPPORTED, "native: technique '%.60s' is not known here; known are %s",
                        named->tag, known);
}

static int set_params(const struct tare_technique *t, const struct named *named, void *params,
                      struct tare_err *err)
{
    static const struct tare_opt none[] = {TARE_OPT_END};
    const struct tare_opt *table = t->params ? t->params : none;
    int rc = tare_opts_init(table, params, err);
    for (uint32_t i = 0; rc == 0 && i < named->n; i++) {
        if (strcmp(named->key[i], "method") != 0) {
            rc = tare_opts_set(table, params, named->key[i], named->value[i], t->tag, err);
        }
    }
    return rc;
}

static int apply_one(char *text, struct tare_treatment *treatment, struct tare_err *err)
{
    struct named named;
    const struct tare_technique *t = NULL;
    int rc = cut_one(text, &named, err);
    if (rc == 0) {
        rc = find(&named, &t, err);
    }
    if (!t) {
        return rc;
    }
    void *params = calloc(1, t->params_size + 1);
    if (!params) {
        return tare_err_set(err, TARE_E_NOMEM, "technique %s: out of memory", t->tag);
    }
    rc = set_params(t, &named, params, err);
    if (rc == 0) {
        rc = t->apply(params, treatment, err);
    }
    if (t->params) {
        tare_opts_fini(t->params, params);
    }
    free(params);
    return rc;
}

int tare_treatment_claim(const struct tare_treatment *treatment, const char *tag, struct tare_err *err)
{
    if (treatment->decoding_self) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "%s does not go together with %s: both say how to decode", tag,
                            treatment->decoding->name);
    }
    return 0;
}

int tare_technique_apply(const char *text, struct tare_treatment *treatment, struct tare_err *err)
{
    char copy[text_max];
    char what[240];
    char *rest = NULL;
    int rc = 0;
    if (strlen(text) >= sizeof copy) {
        return tare_err_set(err, TARE_E_USAGE, "technique: more than %d characters", text_max - 1);
    }
    for (const char *at = text; *at; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f) {
            return tare_err_set(err, TARE_E_USAGE, "technique: a control character at place %td",
                                at - text + 1);
        }
    }
    size_t n = strlen(text);
    if (n == 0 || text[0] == '+' || text[n - 1] == '+' || strstr(text, "++")) {
        return tare_err_set(err, TARE_E_USAGE, "technique '%.200s' names none before, between or behind '+'",
                            text);
    }
    memcpy(copy, text, n + 1);
    (void)snprintf(what, sizeof what, "technique '%.200s'", text);
    for (char *one = strtok_r(copy, "+", &rest); rc == 0 && one; one = strtok_r(NULL, "+", &rest)) {
        rc = apply_one(one, treatment, err);
    }
    /* Parameters may be allowed and yet drive numbers out of what a half can hold: that is told here, and
     * not by answers that mean nothing. */
    return rc < 0 ? rc : tare_model_check_finite(treatment->model, what, TARE_E_UNSUPPORTED, err);
}

int tare_technique_each_whole(struct tare_treatment *treatment,
                              int (*change)(void *ctx, struct tare_linear *w, struct tare_err *err),
                              void *ctx, struct tare_err *err)
{
    int rc = 0;
    for (size_t i = 1; rc == 0 && i < treatment->model->n_linears; i++) {
        if (treatment->model->linears[i].storage) {
            rc = change(ctx, &treatment->model->linears[i], err);
        }
    }
    return rc;
}

struct each {
    int (*change)(void *ctx, struct tare_linear *w, struct tare_err *err);
    void *ctx;
};

/* A sum may hold a low rank: deeper it does not go. */
static int each_part(void *ctx, struct tare_linear *w, struct tare_err *err)
{
    const struct each *each = ctx;
    if (!w->storage->parts) {
        return each->change(each->ctx, w, err);
    }
    struct tare_linear *part[2];
    uint32_t n = w->storage->parts(w, part);
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        rc = each_part(ctx, part[i], err);
    }
    return rc;
}

int tare_technique_each(struct tare_treatment *treatment,
                        int (*change)(void *ctx, struct tare_linear *w, struct tare_err *err), void *ctx,
                        struct tare_err *err)
{
    struct each each = {.change = change, .ctx = ctx};
    return tare_technique_each_whole(treatment, each_part, &each, err);
}

int tare_technique_dense(const struct tare_linear *w, float **out, struct tare_err *err)
{
    float *dense = malloc((size_t)w->out * w->in * sizeof *dense + 1);
    if (!dense) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the weights of %s", w->name);
    }
    w->storage->unpack(w, 0, w->out, dense);
    *out = dense;
    return 0;
}
