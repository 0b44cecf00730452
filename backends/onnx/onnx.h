/* SPDX-License-Identifier: Apache-2.0 */
/* The backend's state, shared by its files and nobody else. */
#ifndef TARE_ONNX_ONNX_H
#define TARE_ONNX_ONNX_H

#include "backends/tokenizer/tokenizer.h"
#include "sequence.h"

#include <tare/backend.h>

/* What the file, a config.json beside it, or an option says. */
struct tare_onnx_config {
    char name[64];
    char arch[32];
    char tokenizer_sha[65]; /* empty: not said */
    int64_t n_ctx;
    int64_t bos;
};

struct tare_onnx {
    char *library;
    struct tare_onnx_choice choice; /* strings below */
    char *provider;
    char *provider_options;
    char *tokenizer_path;
    int64_t ctx_tok;
    int64_t bos;
    int64_t eos;
    bool reuse_prefix;
    /* options end here */
    struct tare_onnx_runtime runtime;
    struct tare_onnx_graph graph;
    struct tare_onnx_config config;
    struct tare_onnx_sequence sequence;
    struct tare_tokenizer tokenizer;
    bool has_tokenizer;
    char no_tokenizer[200]; /* why not */
    int64_t stored_bytes;
    double *chances; /* [n_vocab] */
};

extern const struct tare_opt tare_onnx_options[];

/* facts.c */
TARE_MUST_CHECK int tare_onnx_configure(struct tare_onnx *o, const char *path, struct tare_err *err);
void tare_onnx_describe(const struct tare_onnx *o, struct tare_model_facts *out);

/* stored.c: bytes of the file and of those that it keeps its weights in; TARE_UNKNOWN if one is not there. */
int64_t tare_onnx_stored_bytes(const char *path);

/* The file of that name in the model's folder, else in the one above; its path into out. */
bool tare_onnx_find_beside(const char *model_path, const char *name, char *out, size_t cap);

/* tokens.c */
TARE_MUST_CHECK int tare_onnx_find_tokenizer(struct tare_onnx *o, const char *model_path,
                                             struct tare_err *err);
/* Whether the tokenizer that was found is the model's. */
TARE_MUST_CHECK int tare_onnx_match_tokenizer(const struct tare_onnx *o, const char *path,
                                              struct tare_err *err);

/* score.c, generate.c: requests that have been checked. */
TARE_MUST_CHECK int tare_onnx_score(struct tare_onnx *o, const struct tare_request *request,
                                    struct tare_sink *sink, struct tare_err *err);
TARE_MUST_CHECK int tare_onnx_generate(struct tare_onnx *o, const struct tare_request *request,
                                       struct tare_sink *sink, struct tare_err *err);

/* readings.c */
void tare_onnx_readings(struct tare_onnx *o, struct tare_readings *to);

#endif
