/* SPDX-License-Identifier: Apache-2.0 */
/* From a file to a context that can be fed. libllama says why it fails in its log only. */
#include "llamacpp.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The usual mistakes get words of their own, before libllama sees the file. */
static int check_file(const char *path, struct tare_err *err)
{
    struct stat st;
    char magic[4] = {0};
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &st) != 0 || S_ISDIR(st.st_mode)) {
        int rc = tare_err_set(err, TARE_E_IO, "%.300s: %s", path, file ? "is a folder" : strerror(errno));
        if (file) {
            (void)fclose(file);
        }
        return rc;
    }
    size_t n = fread(magic, 1, sizeof magic, file);
    (void)fclose(file);
    if (n != sizeof magic || memcmp(magic, "GGUF", 4) != 0) {
        return tare_err_set(err, TARE_E_FORMAT,
                            "%.300s: is no GGUF file; scripts/zoo-to-gguf or llama.cpp's converters make one",
                            path);
    }
    return 0;
}

/* A refusal of libllama with its own words. */
static int refused(int code, const char *path, const char *what, struct tare_err *err)
{
    const char *why = tare_llamacpp_log_error("libllama does not say why");
    int out = strstr(why, "alloc") ? TARE_E_NOMEM : code;
    return tare_err_set(err, out, "%.160s: %s: %.300s", path, what, why);
}

static int load_model(struct tare_llamacpp *n, const char *path, struct tare_err *err)
{
    struct llama_model_params params = llama_model_default_params();
    params.load_mode = tare_llamacpp_load_mode(n->opt.load_mode);
    params.use_extra_bufts = n->opt.repack;
    params.n_gpu_layers = (int32_t)n->opt.gpu_layers;
    n->model = llama_model_load_from_file(path, params);
    if (!n->model) {
        return refused(TARE_E_FORMAT, path, "libllama cannot load it", err);
    }
    if (!llama_model_has_decoder(n->model) || llama_model_has_encoder(n->model) ||
        llama_model_is_diffusion(n->model)) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "%.300s: is no causal language model (it has an encoder, or writes by diffusion)",
                            path);
    }
    n->vocab = llama_model_get_vocab(n->model);
    n->n_vocab = (uint32_t)llama_vocab_n_tokens(n->vocab);
    return 0;
}

static int64_t at_most(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int open_context(struct tare_llamacpp *n, const char *path, struct tare_err *err)
{
    struct llama_context_params params = llama_context_default_params();
    int64_t own = at_most(llama_model_n_ctx_train(n->model), TARE_LLAMACPP_USUAL_CTX);
    int64_t ctx = n->opt.n_ctx > 0 ? n->opt.n_ctx : own;
    params.n_ctx = (uint32_t)ctx;
    params.n_batch = (uint32_t)at_most(n->opt.n_batch, ctx);
    params.n_ubatch = (uint32_t)at_most(n->opt.n_ubatch, params.n_batch);
    params.n_seq_max = 1;
    params.n_threads = (int32_t)n->opt.threads;
    params.n_threads_batch = (int32_t)(n->opt.threads_batch ? n->opt.threads_batch : n->opt.threads);
    params.flash_attn_type = tare_llamacpp_flash(n->opt.flash_attn);
    params.type_k = tare_llamacpp_cache_type(n->opt.type_k);
    params.type_v = tare_llamacpp_cache_type(n->opt.type_v);
    params.no_perf = false;
    n->context = llama_init_from_model(n->model, params);
    if (!n->context) {
        return refused(TARE_E_BACKEND, path, "libllama makes no context with these options", err);
    }
    if (!llama_get_memory(n->context)) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "%.300s: the model has no memory of earlier tokens",
                            path);
    }
    /* libllama rounds what it was asked for. */
    n->n_ctx = (uint32_t)at_most(ctx, llama_n_ctx_seq(n->context));
    n->n_batch = (uint32_t)at_most(params.n_batch, llama_n_batch(n->context));
    int rc = tare_llamacpp_pools(&n->runtime, params.n_threads, params.n_threads_batch, err);
    if (rc == 0) {
        llama_attach_threadpool(n->context, n->runtime.pool, n->runtime.pool_batch);
    }
    return rc;
}

static int set_lora(struct tare_llamacpp *n, struct tare_err *err)
{
    char path[PATH_MAX];
    float scale = 1;
    if (!n->opt.lora) {
        return 0;
    }
    int rc = tare_llamacpp_split_lora(n->opt.lora, path, sizeof path, &scale, err);
    rc = rc == 0 ? check_file(path, err) : rc;
    if (rc < 0) {
        return rc;
    }
    struct llama_adapter_lora *adapter = llama_adapter_lora_init(n->model, path);
    if (!adapter || llama_set_adapters_lora(n->context, &adapter, 1, &scale) != 0) {
        return refused(TARE_E_FORMAT, path, "libllama cannot apply it as a LoRA adapter", err);
    }
    return 0; /* the model owns the adapter */
}

/* The policy of beginnings: what the file says, unless the plan says otherwise. */
static int set_bos(struct tare_llamacpp *n, const char *path, struct tare_err *err)
{
    bool wanted = n->opt.bos == TARE_LLAMACPP_BOS_ALWAYS ||
                  (n->opt.bos == TARE_LLAMACPP_BOS_AUTO && llama_vocab_get_add_bos(n->vocab));
    llama_token bos = llama_vocab_bos(n->vocab);
    bos = bos == LLAMA_TOKEN_NULL ? llama_vocab_eos(n->vocab) : bos;
    if (wanted && bos == LLAMA_TOKEN_NULL) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "%.300s: has neither a beginning-of-sequence nor an end token; use bos=never",
                            path);
    }
    n->bos = wanted ? bos : (int32_t)TARE_UNKNOWN;
    return 0;
}

static int take_memory(struct tare_llamacpp *n, const char *path, struct tare_err *err)
{
    n->batch = llama_batch_init((int32_t)n->n_batch, 0, 1);
    n->fed = calloc(n->n_ctx, sizeof *n->fed);
    n->chances = calloc(n->n_vocab ? n->n_vocab : 1, sizeof *n->chances);
    n->saved.ids = calloc(n->n_ctx, sizeof *n->saved.ids);
    n->path = strdup(path);
    if (!n->batch.token || !n->fed || !n->saved.ids || !n->chances || !n->path) {
        return tare_err_set(err, TARE_E_NOMEM, "llamacpp: no memory for a context of %u tokens", n->n_ctx);
    }
    return 0;
}

int tare_llamacpp_load(struct tare_llamacpp *n, const char *path, struct tare_err *err)
{
    tare_llamacpp_log_reset();
    int rc = check_file(path, err);
    rc = rc == 0 ? load_model(n, path, err) : rc;
    rc = rc == 0 ? open_context(n, path, err) : rc;
    rc = rc == 0 ? set_lora(n, err) : rc;
    rc = rc == 0 ? set_bos(n, path, err) : rc;
    rc = rc == 0 ? take_memory(n, path, err) : rc;
    (void)tare_llamacpp_log_error(NULL); /* what went wrong on the way to a success is no reason later on */
    return rc;
}

void tare_llamacpp_unload(struct tare_llamacpp *n)
{
    if (n->context) {
        llama_free(n->context);
    }
    if (n->model) {
        llama_model_free(n->model);
    }
    tare_llamacpp_pools_free(&n->runtime);
    if (n->batch.token) {
        llama_batch_free(n->batch);
    }
    free(n->fed);
    free(n->saved.data);
    free(n->saved.ids);
    free(n->chances);
    free(n->path);
    struct tare_llamacpp_options opt = n->opt;
    memset(n, 0, sizeof *n);
    n->opt = opt;
}
