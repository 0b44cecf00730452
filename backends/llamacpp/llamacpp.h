/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend `llamacpp`: one model in libllama. This header holds the state that its files share; what
 * each of them does stands at its head. Contract's side: llamacpp.c.
 */
#ifndef TARE_LLAMACPP_H
#define TARE_LLAMACPP_H

#include "log.h"
#include "runtime.h"
#include "tensors.h"

#include <llama.h>
#include <stdbool.h>
#include <stdint.h>
#include <tare/backend.h>

/* Values of the options; order of the choices as in options.c. */
enum tare_llamacpp_bos { TARE_LLAMACPP_BOS_AUTO, TARE_LLAMACPP_BOS_ALWAYS, TARE_LLAMACPP_BOS_NEVER };

struct tare_llamacpp_options {
    int64_t threads;
    int64_t threads_batch; /* 0: as threads */
    int64_t n_ctx;         /* 0: the model's own, at most TARE_LLAMACPP_USUAL_CTX */
    int64_t n_batch;
    int64_t n_ubatch;
    int64_t load_mode;
    bool repack;
    int64_t flash_attn;
    int64_t type_k;
    int64_t type_v;
    int64_t gpu_layers; /* -1: all */
    char *lora;         /* path[:scale] */
    int64_t bos;
    bool reuse_prefix;
    bool ignore_eog;
};

#define TARE_LLAMACPP_USUAL_CTX 4096

/* What the answers since the last reset took. */
struct tare_llamacpp_counters {
    int64_t decode_ns; /* inside llama_decode and the wait for its end */
    int64_t decode_calls;
    int64_t decode_tok;
    int64_t reused_tok;  /* tokens whose state was kept from the request before */
    int64_t reuses;      /* requests that kept any */
    int64_t most_tokens; /* longest state */
};

/* The state of a prefix, for models whose state cannot be cut back. */
struct tare_llamacpp_saved {
    uint8_t *data; /* owned */
    size_t cap, bytes;
    int32_t *ids;   /* owned: [n_ctx] */
    uint32_t n_tok; /* 0: none */
};

struct tare_llamacpp {
    struct tare_llamacpp_options opt;
    /* options end here */
    struct tare_llamacpp_runtime runtime;
    struct llama_model *model;
    const struct llama_vocab *vocab; /* the model's */
    struct llama_context *context;
    struct llama_batch batch; /* n_batch tokens */
    uint32_t n_batch;
    uint32_t n_ctx; /* tokens that can be fed */
    uint32_t n_vocab;
    int32_t bos;                          /* or TARE_UNKNOWN */
    char *path;                           /* owned */
    struct tare_llamacpp_tensors tensors; /* read when the facts are asked for, which no phase contains */
    int32_t *fed;                         /* owned: ids that the state holds, by position */
    uint32_t n_fed;
    struct tare_llamacpp_saved saved;
    double *chances; /* owned: [n_vocab], for drawing a token */
    struct tare_llamacpp_counters counters;
};

/* The table of options, with offsets into struct tare_llamacpp. */
extern const struct tare_opt tare_llamacpp_options[];
/* The ggml type of a choice of type_k or type_v, and its value of llama_load_mode, llama_flash_attn_type. */
enum ggml_type tare_llamacpp_cache_type(int64_t choice);
enum llama_load_mode tare_llamacpp_load_mode(int64_t choice);
enum llama_flash_attn_type tare_llamacpp_flash(int64_t choice);
/* path[:scale] into its parts; the scale is 1 without. */
int tare_llamacpp_split_lora(const char *text, char *path, size_t cap, float *scale, struct tare_err *err);

/* load.c: everything from a file to a context; unload releases what is there, also after a failure. */
int tare_llamacpp_load(struct tare_llamacpp *n, const char *path, struct tare_err *err);
void tare_llamacpp_unload(struct tare_llamacpp *n);

/* facts.c, identity.c, account.c */
void tare_llamacpp_facts(struct tare_llamacpp *n, struct tare_model_facts *out);
void tare_llamacpp_identity(const struct llama_model *model, char *out, size_t cap);
struct tare_llamacpp_heads {
    int64_t layers, heads, kv_heads;
    int64_t key, value; /* numbers of a head */
};
struct tare_llamacpp_heads tare_llamacpp_heads_of(const struct llama_model *model);
int64_t tare_llamacpp_kv_bytes(const struct tare_llamacpp *n); /* a token, or TARE_UNKNOWN */
int tare_llamacpp_account(void *self, const struct tare_work *work, struct tare_cost *out,
                          struct tare_err *err);
extern const char tare_llamacpp_convention[];

/* tokenize.c */
int tare_llamacpp_tokenize(void *self, const char *text, size_t n_text, int32_t *ids, uint32_t *ends,
                           size_t cap, size_t *out_n, struct tare_err *err);

/* decode.c: the state of one sequence. */

/* Forgets all that was fed. */
void tare_llamacpp_forget(struct tare_llamacpp *n);
/* Cuts the state back to what it shares with ids, at most `limit` tokens; returns how many are kept. */
uint32_t tare_llamacpp_keep(struct tare_llamacpp *n, const int32_t *ids, uint32_t limit, uint32_t hint);
/* Feeds ids[from .. to) behind `from` tokens, in one call of llama_decode; to - from is at most n_batch.
 * Rows of logits are there for positions from `first` on. */
int tare_llamacpp_decode(struct tare_llamacpp *n, const int32_t *ids, uint32_t from, uint32_t to,
                         uint32_t first, struct tare_err *err);
/* The row of the position that was fed as number `index` of the last call. */
const float *tare_llamacpp_row(struct tare_llamacpp *n, uint32_t index, struct tare_err *err);

/* state.c */

/* Can the state be cut back to a prefix? */
bool tare_llamacpp_cuts(const struct tare_llamacpp *n);
/* Saves the state as it is, in place of the one before. */
void tare_llamacpp_save(struct tare_llamacpp *n);
/* Takes the saved state if it is of the first tokens of ids, at most `most`; returns how many it holds. */
uint32_t tare_llamacpp_restore(struct tare_llamacpp *n, const int32_t *ids, uint32_t most);

/* score.c, generate.c: a checked request. */
int tare_llamacpp_rows(struct tare_llamacpp *n, const struct tare_request *q, struct tare_sink *sink,
                       struct tare_err *err);
int tare_llamacpp_generate(struct tare_llamacpp *n, const struct tare_request *q, struct tare_sink *sink,
                           struct tare_err *err);

/* readings.c */
void tare_llamacpp_readings(void *self, int measured, struct tare_readings *to);

#endif
