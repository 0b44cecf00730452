/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FLOPs that the native engine counts for a request against the closed form of its shape, written again
 * here from the equations: 2 per multiply-add; projections and a gated MLP for every token, causal attention
 * exactly, the head where logits are computed. The model is the smallest of the zoo, whose shape is fixed.
 */
#include "selftest/cell.h"
#include "selftest/selftest.h"

#include <stdio.h>

/* llama-0.1m: layers, width, heads x head size, hidden size, vocabulary. */
enum { layers = 3, width = 48, heads = 2, head_size = 24, hidden = 144, vocabulary = 1024 };

static double linear_flops(void)
{
    return layers * 2.0 * (4.0 * width * heads * head_size + 3.0 * width * hidden);
}

/* A token that sees t tokens, itself included. */
static double attention_flops(double t)
{
    return layers * 4.0 * heads * head_size * t;
}

static double prefill_flops(int prompt_tok)
{
    double sum = 2.0 * width * vocabulary;
    for (int t = 1; t <= prompt_tok; t++) {
        sum += linear_flops() + attention_flops(t);
    }
    return sum;
}

static double decode_flops(int prompt_tok, int output_tok)
{
    double sum = 0;
    for (int i = 1; i < output_tok; i++) {
        sum += linear_flops() + attention_flops(prompt_tok + i) + 2.0 * width * vocabulary;
    }
    return sum;
}

int tare_check_flops(const struct tare_check_context *c, struct tare_err *err);

int tare_check_flops(const struct tare_check_context *c, struct tare_err *err)
{
    enum { prompt_tok = 100, output_tok = 20 };
    static const char plan[] =
        "{\"tare\":1,\"models\":[{\"backend\":\"native\",\"path\":\"zoo:llama-0.1m\"}],\"tasks\":[{\"task\":"
        "\"tokens\",\"options\":{\"items\":1,\"prompt_tok\":100,\"max_output\":20}}]}";
    static const char prefill[] = "native engine, llama-0.1m, prompt of 100 tokens, against the closed form";
    static const char decode[] = "native engine, llama-0.1m, 19 tokens behind it, against the closed form";
    struct tare_known_cell cell;
    struct tare_err fault = {0};
    int r = tare_known_cell_run(c->paths, plan, NULL, &cell, &fault);
    if (r < 0) {
        tare_known_cell_fini(&cell);
        return tare_check_add_absent(c, "FLOPs", prefill, fault.msg, err);
    }
    double in = (double)cell.prefill_flops, out = (double)cell.decode_flops;
    tare_known_cell_fini(&cell);
    r = tare_check_add(c, "FLOPs", prefill, "FLOP", prefill_flops(prompt_tok), in, 0, err);
    return r == 0
               ? tare_check_add(c, "FLOPs", decode, "FLOP", decode_flops(prompt_tok, output_tok), out, 0, err)
               : r;
}
