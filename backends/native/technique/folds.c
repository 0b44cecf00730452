/* SPDX-License-Identifier: Apache-2.0 */
/* The table, architecture by architecture. The equations that make an entry exact stand beside it. */
#include "folds.h"

#include <stddef.h>

const struct tare_fold tare_folds[] = {
    {.arch = "llama", .columns = {"attn.q", "attn.k", "attn.v"}, .vectors = {"norm1.weight"}},
    /* o sees sums of v, weighted alike in all channels of a head */
    {.arch = "llama", .columns = {"attn.o"}, .rows = "attn.v"},
    {.arch = "llama", .columns = {"mlp.gate", "mlp.up"}, .vectors = {"norm2.weight"}},
    /* down sees silu(gate) * up */
    {.arch = "llama", .columns = {"mlp.down"}, .rows = "mlp.up"},

    {.arch = "retnet", .columns = {"ret.q", "ret.k", "ret.v", "ret.g"}, .vectors = {"norm1.weight"}},
    {.arch = "retnet", .columns = {"mlp.up"}, .vectors = {"norm2.weight"}},

    /* The mixing with the token before is linear, channel by channel. */
    {.arch = "rwkv4", .columns = {"att.r", "att.k", "att.v"}, .vectors = {"norm1.weight", "norm1.bias"}},
    /* o sees r * (A + e v) / (B + e), A a weighted sum of v */
    {.arch = "rwkv4", .columns = {"att.o"}, .rows = "att.v"},
    {.arch = "rwkv4", .columns = {"ffn.k", "ffn.r"}, .vectors = {"norm2.weight", "norm2.bias"}},
    /* ffn.v sees relu(k)^2 */
    {.arch = "rwkv4", .columns = {"ffn.v"}, .rows = "ffn.k", .squared = true},

    {.arch = "h3", .columns = {"mix.q", "mix.k", "mix.v"}, .vectors = {"norm1.weight", "norm1.bias"}},
    /* o sees q^T y with y linear in k v^T: column j of it in v_j */
    {.arch = "h3", .columns = {"mix.o"}, .rows = "mix.v"},
    {.arch = "h3", .columns = {"mlp.up"}, .vectors = {"norm2.weight", "norm2.bias"}},

    {.arch = "hyena", .columns = {"mix.in"}, .vectors = {"norm1.weight", "norm1.bias"}},
    /* o sees x0 * g, and x0 is the first third of the short convolution: linear in its rows and its bias */
    {.arch = "hyena", .columns = {"mix.o"}, .rows = "mix.in", .vectors = {"mix.short.bias"}},
    {.arch = "hyena", .columns = {"mlp.up"}, .vectors = {"norm2.weight", "norm2.bias"}},
    {0},
};
