/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FLOPs and bytes of a request from the shapes in the file: a model of the work, since what libllama's
 * kernels do is not seen. Only plain causal attention over all tokens is modelled; for anything else
 * (recurrent, hybrid, sliding windows, LoRA) nothing is claimed.
 */
#include "llamacpp.h"

const char tare_llamacpp_convention[] = "mul+add=2; matrices of the GGUF file 2 per weight and token, of "
                                        "experts the share that a token is routed to; "
                                        "attention causal exact, scores and values together: "
                                        "heads*(key+value)*S*(S+1) per layer for a prompt of S, "
                                        "2*heads*(key+value)*t for a decode step with t tokens in context; "
                                        "head 2*V*d per position whose logits are "
                                        "computed; embedding lookup, norms, rope, softmax and activations "
                                        "not counted; a reused prefix is counted as "
                                        "if it were computed; bytes: weights as stored (not as repacked) "
                                        "once per prefill and once per decode step, "
                                        "keys and values written once and read once per prefill, per decode "
                                        "step all read and one position written";

static bool is_modelled(const struct tare_llamacpp *n)
{
    return n->tensors.known && !n->opt.lora && !llama_model_is_recurrent(n->model) &&
           !llama_model_is_hybrid(n->model) && llama_model_n_swa(n->model) == 0 &&
           tare_llamacpp_kv_bytes(n) != TARE_UNKNOWN;
}

int tare_llamacpp_account(void *self, const struct tare_work *work, struct tare_cost *out,
                          struct tare_err *err)
{
    const struct tare_llamacpp *n = self;
    int64_t s = work->prompt_tok, steps = work->output_tok > 0 ? (int64_t)work->output_tok - 1 : 0;
    if (s + steps > n->n_ctx || work->logits_rows > work->prompt_tok) {
        return tare_err_set(
            err, TARE_E_USAGE,
            "llamacpp: no request has %u prompt tokens, %u rows of logits and %u output tokens "
            "with a context of %u",
            work->prompt_tok, work->logits_rows, work->output_tok, n->n_ctx);
    }
    if (!is_modelled(n)) {
        *out = (struct tare_cost){TARE_UNKNOWN, TARE_UNKNOWN, TARE_UNKNOWN, TARE_UNKNOWN};
        return 0;
    }
    const struct tare_llamacpp_tensors *t = &n->tensors;
    struct tare_llamacpp_heads h = tare_llamacpp_heads_of(n->model);
    int64_t pair = h.layers * h.heads * (h.key + h.value); /* FLOPs of half a query-key pair, all layers */
    int64_t weights = t->matrix_bytes + t->vector_bytes + t->head_bytes, row = tare_llamacpp_kv_bytes(n);
    int64_t contexts = steps * s + steps * (steps + 1) / 2; /* sum of t over s+1 .. s+steps */
    *out = (struct tare_cost){
        .prefill_flops = 2 * s * t->matrix + 2 * work->logits_rows * t->head + pair * s * (s + 1),
        .decode_flops = 2 * steps * (t->matrix + t->head) + 2 * pair * contexts,
        .prefill_bytes = s > 0 ? weights + 2 * s * row : 0,
        .decode_bytes = steps * weights + row * (contexts + steps),
    };
    return 0;
}
