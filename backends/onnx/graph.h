/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a decoder's file asks for and gives, by the names that exporters use: input_ids, attention_mask,
 * position_ids, past_key_values.N.key and .value; logits, present.N.key and .value. Anything else it must
 * be fed is refused, with its name: an input that is guessed would be a silent wrong answer.
 */
#ifndef TARE_ONNX_GRAPH_H
#define TARE_ONNX_GRAPH_H

#include "api.h"

#include <stdbool.h>

/* One cache of keys or values: [1, heads, tokens, width]. */
struct tare_onnx_cache {
    char *past;    /* name of the input */
    char *present; /* name of the output */
    unsigned type;
    uint32_t item_bytes;
    int64_t heads;
    int64_t width;
};

struct tare_onnx_graph {
    bool mask;
    bool positions;
    size_t n_caches;
    struct tare_onnx_cache *caches;
    unsigned logits_type;
    int64_t n_vocab; /* -1: the file leaves it open */
};

TARE_MUST_CHECK int tare_onnx_graph_read(struct tare_onnx_graph *graph, const struct tare_ort *ort,
                                         const struct OrtSession *session, struct OrtAllocator *allocator,
                                         struct tare_err *err);
/* A zeroed struct is fine. */
void tare_onnx_graph_close(struct tare_onnx_graph *graph);
/* Bytes of keys and values of one token, all caches. */
int64_t tare_onnx_graph_token_bytes(const struct tare_onnx_graph *graph);
/* Bytes of a number; 0 for a type that is not handled. */
uint32_t tare_onnx_item_bytes(unsigned type);

#endif
