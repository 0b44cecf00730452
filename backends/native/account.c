/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The formulas of the decoder-only Transformer with full multi-head attention and a gated MLP.
 *
 * Per token and layer the matrices cost 2 (4 d^2 + 3 d ffn). Attention over S positions at once costs
 * 2 d S (S + 1) a layer, for scores and values together and without the masked half; over t positions
 * in one decode step 4 d t. A row of logits costs 2 V d. (H heads of hd each: H hd = d.)
 */
#include "account.h"

const char tare_account_convention[] =
    "mul+add=2; matrices 2*(4*d*d+3*d*ffn) per token and layer; attention causal exact, scores and values "
    "together: 2*d*S*(S+1) per layer for a prompt of S, 4*d*t per layer for a decode step with t tokens in "
    "context; head 2*V*d per position whose logits are computed; embedding lookup, norms, rope, softmax and "
    "activations not counted; a reused prefix is counted as if it were computed; bytes: float32 weights once "
    "per prefill and once per decode step, KV written once and read once per prefill, per decode step all KV "
    "read and one position written; activations not counted";

int64_t tare_account_kv_bytes(const struct tare_model_config *config)
{
    return INT64_C(2) * config->d_model * config->n_layers * (int64_t)sizeof(float);
}

static int64_t linear_flops(const struct tare_model_config *c)
{
    int64_t d = c->d_model;
    return 2 * (4 * d * d + 3 * d * c->ffn) * c->n_layers;
}

static int64_t head_flops(const struct tare_model_config *c)
{
    return INT64_C(2) * c->n_vocab * c->d_model;
}

static int check_work(const struct tare_model_config *c, const struct tare_work *work, struct tare_err *err)
{
    uint64_t fed = work->prompt_tok;
    fed += work->output_tok > 0 ? work->output_tok - 1 : 0; /* the last output is not fed */
    if (fed > c->n_ctx || work->logits_rows > work->prompt_tok || (work->output_tok > 0 && fed == 0)) {
        return tare_err_set(err, TARE_E_USAGE,
                            "no request has %u prompt tokens, %u rows of logits and %u output tokens with a "
                            "context of %u",
                            work->prompt_tok, work->logits_rows, work->output_tok, c->n_ctx);
    }
    return 0;
}

int tare_account_count(const struct tare_model *model, const struct tare_work *work, struct tare_cost *out,
                       struct tare_err *err)
{
    const struct tare_model_config *c = &model->config;
    int rc = check_work(c, work, err);
    if (rc < 0) {
        return rc;
    }
    int64_t s = work->prompt_tok;
    int64_t steps = work->output_tok > 0 ? (int64_t)work->output_tok - 1 : 0;
    int64_t contexts = steps * s + steps * (steps + 1) / 2; /* of s+1 .. s+steps tokens, summed */
    int64_t width = (int64_t)c->d_model * c->n_layers;
    int64_t weight_bytes = model->n_elements * (int64_t)sizeof(float);
    int64_t kv_bytes = tare_account_kv_bytes(c);
    *out = (struct tare_cost){
        .prefill_flops = s * linear_flops(c) + 2 * width * s * (s + 1) + work->logits_rows * head_flops(c),
        .decode_flops = steps * (linear_flops(c) + head_flops(c)) + 4 * width * contexts,
        .prefill_bytes = s > 0 ? weight_bytes + 2 * s * kv_bytes : 0,
        .decode_bytes = steps * (weight_bytes + kv_bytes) + contexts * kv_bytes,
    };
    return 0;
}
