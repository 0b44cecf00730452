/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface of a compression technique: a transform of a loaded model or of how it decodes.
 *
 * A technique is one file in technique/ and one line of meson. Plans name it by taxonomy tag with
 * parameters, `infer.compress.quant.weight{method=rtn,bits=4,group=32}`; several joined by '+' are applied
 * from left to right. What applying cost is recorded by the caller; a technique reports the calibration
 * tokens that it read.
 */
#ifndef TARE_NATIVE_TECHNIQUE_H
#define TARE_NATIVE_TECHNIQUE_H

#include "backends/tokenizer/tokenizer.h"
#include "decoding.h"
#include "model.h"

#include <tare/opt.h>

/* What techniques work on. */
struct tare_treatment {
    struct tare_model *model;
    const struct tare_tokenizer *tokenizer;
    const char *model_path; /* files named without a folder are looked for beside it */
    uint32_t threads;
    const struct tare_decoding *decoding; /* the plain one unless a technique sets another */
    void *decoding_self;                  /* owned by the treatment's owner */
    int64_t calibration_tok;              /* techniques add what they read */
};

struct tare_technique {
    const char *tag;    /* taxonomy tag, "infer.compress.quant.weight" */
    const char *method; /* value of `method`, by which techniques of one tag differ */
    const char *summary;
    bool is_default; /* of its tag, when no method is named */
    uint32_t params_size;
    const struct tare_opt *params; /* NULL: none */
    int (*apply)(const void *params, struct tare_treatment *treatment, struct tare_err *err);
};

/* All of them, NULL-terminated. */
extern const struct tare_technique *const tare_techniques[];

/* Refuses, in the name of `tag`, when the way of decoding has been set already: there is but one. */
TARE_MUST_CHECK int tare_treatment_claim(const struct tare_treatment *treatment, const char *tag,
                                         struct tare_err *err);

/* Parses the text and applies what it names, in order. The model is not usable after a failure. */
TARE_MUST_CHECK int tare_technique_apply(const char *text, struct tare_treatment *treatment,
                                         struct tare_err *err);

/* Matrices that one linear layer is made of at most: two factors and a sparse rest. */
enum { tare_technique_parts_max = 3 };

/* Calls `change` for each linear layer but the embedding (and head); where one is made of others (the factors
 * of a low rank, the terms of a sum), for each of those in its stead, so that techniques compose. Stops at
 * the first failure. */
TARE_MUST_CHECK int tare_technique_each(struct tare_treatment *treatment,
                                        int (*change)(void *ctx, struct tare_linear *w, struct tare_err *err),
                                        void *ctx, struct tare_err *err);
/* The same for whole layers, whatever they are made of. */
TARE_MUST_CHECK int tare_technique_each_whole(struct tare_treatment *treatment,
                                              int (*change)(void *ctx, struct tare_linear *w,
                                                            struct tare_err *err),
                                              void *ctx, struct tare_err *err);
/* W as float32 [out, in]; free() it. */
TARE_MUST_CHECK int tare_technique_dense(const struct tare_linear *w, float **out, struct tare_err *err);

#endif
