/* SPDX-License-Identifier: Apache-2.0 */
/* What the loaded model is. A number that libllama's own figures do not confirm stays unknown. */
#include "llamacpp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void meta_text(const struct llama_model *model, const char *key, char *out, size_t cap)
{
    if (llama_model_meta_val_str(model, key, out, cap) < 0) {
        out[0] = '\0';
    }
}

/* The number under "<architecture>.<key>", or `otherwise`. */
static int64_t meta_count(const struct llama_model *model, const char *key, int64_t otherwise)
{
    char arch[64], name[160], text[32];
    meta_text(model, "general.architecture", arch, sizeof arch);
    (void)snprintf(name, sizeof name, "%s.%s", arch, key);
    meta_text(model, name, text, sizeof text);
    return text[0] ? strtoll(text, NULL, 10) : otherwise;
}

struct tare_llamacpp_heads tare_llamacpp_heads_of(const struct llama_model *model)
{
    int64_t heads = llama_model_n_head(model), wide = llama_model_n_embd(model);
    struct tare_llamacpp_heads h = {
        .layers = llama_model_n_layer(model), .heads = heads, .kv_heads = llama_model_n_head_kv(model)};
    h.key = meta_count(model, "attention.key_length", heads > 0 ? wide / heads : 0);
    h.value = meta_count(model, "attention.value_length", heads > 0 ? wide / heads : 0);
    return h;
}

int64_t tare_llamacpp_kv_bytes(const struct tare_llamacpp *n)
{
    struct tare_llamacpp_heads h = tare_llamacpp_heads_of(n->model);
    struct tare_llamacpp_memory memory = tare_llamacpp_log_memory();
    if (h.layers <= 0 || h.kv_heads <= 0 || h.key <= 0 || h.value <= 0 ||
        memory.lines[TARE_LLAMACPP_KV] == 0) {
        return TARE_UNKNOWN;
    }
    int64_t row = (int64_t)ggml_row_size(tare_llamacpp_cache_type(n->opt.type_k), h.kv_heads * h.key) +
                  (int64_t)ggml_row_size(tare_llamacpp_cache_type(n->opt.type_v), h.kv_heads * h.value);
    double said = memory.bytes[TARE_LLAMACPP_KV];
    double doubt = 0.006 * 1024 * 1024 * memory.lines[TARE_LLAMACPP_KV]; /* it is rounded to 0.01 MiB */
    double made = (double)(h.layers * row) * llama_n_ctx(n->context);
    return fabs(made - said) <= doubt ? h.layers * row : TARE_UNKNOWN;
}

static void tell_params(const struct tare_llamacpp *n, struct tare_model_facts *out)
{
    const struct tare_llamacpp_tensors *t = &n->tensors;
    int64_t total = (int64_t)llama_model_n_params(n->model);
    out->params_total = total > 0 ? total : TARE_UNKNOWN;
    out->stored_bytes = (int64_t)llama_model_size(n->model);
    if (t->known && t->params == total) {
        out->params_active = t->active;
        out->params_non_embedding = total - t->embedding - (t->tied ? 0 : t->head);
        out->params_trainable = t->plain ? total : TARE_UNKNOWN;
    }
}

void tare_llamacpp_facts(struct tare_llamacpp *n, struct tare_model_facts *out)
{
    tare_llamacpp_tensors_read(&n->tensors, n->path);
    meta_text(n->model, "general.architecture", out->arch, sizeof out->arch);
    meta_text(n->model, "general.name", out->name, sizeof out->name);
    (void)snprintf(out->dtype, sizeof out->dtype, "%s", llama_ftype_name(llama_model_ftype(n->model)));
    tare_llamacpp_identity(n->model, out->tokenizer, sizeof out->tokenizer);
    tell_params(n, out);
    out->kv_bytes_per_token = llama_model_is_recurrent(n->model) ? 0 : tare_llamacpp_kv_bytes(n);
    out->state_bytes = tare_llamacpp_cuts(n) ? 0 : TARE_UNKNOWN;
    out->n_ctx = n->n_ctx;
    out->n_vocab = n->n_vocab;
    out->bos = n->bos;
}
