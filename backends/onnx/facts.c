/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the model is. An option wins over the file's own metadata (keys of scripts/zoo-to-onnx), metadata over
 * a config.json of the kind that Hugging Face's exporters leave beside the file or one folder above.
 *
 * Parameters are not told: the C API does not show initializers, and a count of everything in the file would
 * take tables and constants for weights.
 */
#include "onnx.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_BYTES_MAX ((size_t)4 << 20)
#define CTX_MAX          16777216

/* Copies the value of a key; leaves `to` alone where there is none. */
static void read_text(const struct tare_onnx_runtime *rt, const struct OrtModelMetadata *metadata,
                      const char *key, char *to, size_t cap)
{
    const struct tare_ort *ort = &rt->ort;
    char *value = NULL;
    if (tare_ort_ok(ort, ort->ModelMetadataLookupCustomMetadataMap(metadata, rt->standard, key, &value)) &&
        value) {
        (void)snprintf(to, cap, "%s", value);
        (void)tare_ort_ok(ort, ort->AllocatorFree(rt->standard, value));
    }
}

static int read_count(const struct tare_onnx_runtime *rt, const struct OrtModelMetadata *metadata,
                      const char *key, int64_t *to, struct tare_err *err)
{
    char text[32] = "";
    read_text(rt, metadata, key, text, sizeof text);
    if (text[0] == '\0') {
        return 0;
    }
    char *end;
    long long value = strtoll(text, &end, 10);
    if (*end != '\0' || value < 0 || value > INT32_MAX) {
        return tare_err_set(err, TARE_E_FORMAT, "onnx: metadata '%s' is '%s', which is no count", key, text);
    }
    *to = value;
    return 0;
}

static int read_metadata(const struct tare_onnx_runtime *rt, struct tare_onnx_config *c, struct tare_err *err)
{
    const struct tare_ort *ort = &rt->ort;
    struct OrtModelMetadata *metadata = NULL;
    int rc = tare_ort_check(ort, ort->SessionGetModelMetadata(rt->session, &metadata), "metadata", err);
    if (rc < 0) {
        return rc;
    }
    read_text(rt, metadata, "name", c->name, sizeof c->name);
    read_text(rt, metadata, "arch", c->arch, sizeof c->arch);
    read_text(rt, metadata, "tokenizer_sha", c->tokenizer_sha, sizeof c->tokenizer_sha);
    rc = read_count(rt, metadata, "max_ctx", &c->n_ctx, err);
    if (rc == 0) {
        rc = read_count(rt, metadata, "bos", &c->bos, err);
    }
    ort->ReleaseModelMetadata(metadata);
    return rc;
}

bool tare_onnx_find_beside(const char *model_path, const char *name, char *out, size_t cap)
{
    static const char *const folders[] = {"", "../"};
    const char *slash = strrchr(model_path, '/');
    int folder = slash ? (int)(slash - model_path) + 1 : 0;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        int n = snprintf(out, cap, "%.*s%s%s", folder, model_path, folders[i], name);
        if (n > 0 && (size_t)n < cap && access(out, R_OK) == 0) {
            return true;
        }
    }
    return false;
}

/* The first of these keys that is a number, if nothing is known yet. */
static int take_count(const struct tare_json *root, const char *const *keys, const char *path, int64_t *to,
                      struct tare_err *err)
{
    for (size_t i = 0; keys[i] && *to == TARE_UNKNOWN; i++) {
        const struct tare_json *value = tare_json_get(root, keys[i]);
        char label[200];
        (void)snprintf(label, sizeof label, "%.120s: '%s'", path, keys[i]);
        int rc = tare_json_type(value) == TARE_JSON_NUMBER
                     ? tare_json_i64(value, label, 0, INT32_MAX, to, err)
                     : 0;
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int read_config_file(const char *model_path, struct tare_onnx_config *c, struct tare_err *err)
{
    static const char *const ctx_keys[] = {"max_position_embeddings", "n_positions", "n_ctx", "max_seq_len",
                                           NULL};
    static const char *const bos_keys[] = {"bos_token_id", NULL};
    char path[PATH_MAX];
    struct tare_json *root = NULL;
    if (!tare_onnx_find_beside(model_path, "config.json", path, sizeof path)) {
        return 0;
    }
    int rc = tare_json_load(path, CONFIG_BYTES_MAX, &root, err);
    if (rc < 0) {
        return rc;
    }
    rc = take_count(root, ctx_keys, path, &c->n_ctx, err);
    if (rc == 0) {
        rc = take_count(root, bos_keys, path, &c->bos, err);
    }
    const char *type = tare_json_str(tare_json_get(root, "model_type"));
    if (type && c->arch[0] == '\0') {
        (void)snprintf(c->arch, sizeof c->arch, "%s", type);
    }
    tare_json_destroy(root);
    return rc;
}

int tare_onnx_configure(struct tare_onnx *o, const char *path, struct tare_err *err)
{
    struct tare_onnx_config c = {.n_ctx = TARE_UNKNOWN, .bos = TARE_UNKNOWN};
    int rc = read_metadata(&o->runtime, &c, err);
    if (rc == 0) {
        rc = read_config_file(path, &c, err);
    }
    if (rc < 0) {
        return rc;
    }
    c.n_ctx = o->ctx_tok > 0 ? o->ctx_tok : c.n_ctx;
    if (o->bos >= -1) {
        c.bos = o->bos; /* -1 is TARE_UNKNOWN: none */
    } else if (c.bos == TARE_UNKNOWN && o->has_tokenizer) {
        c.bos = o->tokenizer.bos;
    }
    if (c.n_ctx < 1 || c.n_ctx > CTX_MAX) {
        return tare_err_set(
            err, TARE_E_USAGE,
            "onnx: %.200s does not say how long its context is, nor does a config.json beside it; "
            "name it with the option 'ctx_tok'",
            path);
    }
    o->config = c;
    return 0;
}

void tare_onnx_describe(const struct tare_onnx *o, struct tare_model_facts *out)
{
    (void)snprintf(out->arch, sizeof out->arch, "%s", o->config.arch);
    (void)snprintf(out->name, sizeof out->name, "%s", o->config.name);
    (void)snprintf(out->dtype, sizeof out->dtype, "%s logits", tare_ort_type_name(o->graph.logits_type));
    (void)snprintf(out->tokenizer, sizeof out->tokenizer, "%s", o->has_tokenizer ? o->tokenizer.sha : "");
    out->stored_bytes = o->stored_bytes;
    out->kv_bytes_per_token = tare_onnx_graph_token_bytes(&o->graph);
    out->state_bytes = 0;
    out->n_ctx = o->config.n_ctx;
    out->n_vocab = o->sequence.n_vocab;
    out->bos = o->config.bos;
}
