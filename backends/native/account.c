/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums over layers: the matrices as they are stored, and what the architecture says of the rest.
 *
 * A matrix costs 2 FLOPs a weight and token, zeros of a sparse one left out. What lies between matrices
 * (attention, retention, recurrence, convolution) is counted by the architecture.
 */
#include "account.h"

#include "arch.h"

const char tare_account_convention[] =
    "mul+add=2; matrices 2 per stored weight and token, zeros of sparse storage not counted, low rank "
    "2*r*(in+out); llama attention causal exact, scores and values together: 2*w*S*(S+1) per layer for a "
    "prompt of S, 4*w*t for a decode step with t tokens in context, w the width of all heads; retnet, rwkv4, "
    "h3, hyena, mamba: the recurrent form per token, hyena's convolution 2*d*t, counted alike for prefill "
    "and "
    "decode; head 2*V*d per position whose logits are computed; embedding lookup, norms, rope, softmax and "
    "activations not counted; a reused prefix is counted as if it were computed; bytes: resident weights "
    "once "
    "per prefill and once per decode step, growing state written once and read once per prefill, per decode "
    "step all state read, its fixed part and one position written; activations not counted";

int64_t tare_account_state_bytes(const struct tare_model *model, uint32_t n_tokens)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < model->config.n_layers; i++) {
        bytes += model->arch->state_bytes(model, i, n_tokens);
    }
    return (int64_t)bytes;
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

static int64_t head_flops(const struct tare_model *model)
{
    struct tare_linear_facts head;
    model->linears[0].storage->facts(&model->linears[0], &head);
    return head.flops;
}

/* What one token adds to the state; with a full window it takes the place of another. */
static int64_t row_bytes(const struct tare_model *m)
{
    return tare_account_state_bytes(m, 1) - tare_account_state_bytes(m, 0);
}

/* FLOPs and bytes of one step that makes the context t tokens long. */
static void add_step(const struct tare_model *m, uint32_t t, int64_t weights, struct tare_cost *to)
{
    for (uint32_t i = 0; i < m->config.n_layers; i++) {
        to->decode_flops += m->arch->step_flops(m, i, t);
    }
    int64_t now = tare_account_state_bytes(m, t);
    int64_t fixed = tare_account_state_bytes(m, 0);
    to->decode_bytes += weights + now + fixed + row_bytes(m);
}

int tare_account_count(const struct tare_model *model, const struct tare_work *work, struct tare_cost *out,
                       struct tare_err *err)
{
    int rc = check_work(&model->config, work, err);
    if (rc < 0) {
        return rc;
    }
    struct tare_linear_facts facts;
    tare_model_facts(model, &facts);
    uint32_t s = work->prompt_tok;
    uint32_t steps = work->output_tok > 0 ? work->output_tok - 1 : 0;
    int64_t head = head_flops(model);
    int64_t grown = tare_account_state_bytes(model, s) - tare_account_state_bytes(model, 0);
    struct tare_cost cost = {
        .prefill_flops = s * facts.flops + work->logits_rows * head,
        .decode_flops = steps * (facts.flops + head),
        .prefill_bytes = s > 0 ? facts.resident_bytes + s * row_bytes(model) + grown : 0,
    };
    for (uint32_t i = 0; s > 0 && i < model->config.n_layers; i++) {
        cost.prefill_flops += model->arch->prefill_flops(model, i, s);
    }
    for (uint32_t t = s + 1; t <= s + steps; t++) {
        add_step(model, t, facts.resident_bytes, &cost);
    }
    *out = cost;
    return 0;
}
