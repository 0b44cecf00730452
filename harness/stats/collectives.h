/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that each rank sends in a collective or in a step of a parallel model, by formula: what a measured
 * volume is held against. Payload of bandwidth-optimal algorithms (rings), without headers or control.
 * Plain arithmetic; NaN for what cannot be: no rank, a negative size.
 */
#ifndef TARE_STATS_COLLECTIVES_H
#define TARE_STATS_COLLECTIVES_H

#include <stdbool.h>
#include <stdint.h>

/* Of an array of `bytes` in all, over n ranks. */
double tare_all_reduce_bytes(int64_t n, double bytes);     /* 2 (n - 1) / n S */
double tare_reduce_scatter_bytes(int64_t n, double bytes); /* (n - 1) / n S */
double tare_all_gather_bytes(int64_t n, double bytes);     /* (n - 1) / n S */
double tare_all_to_all_bytes(int64_t n, double bytes);     /* (n - 1) / n S; S: what one rank holds */
double tare_broadcast_bytes(int64_t n, double bytes);      /* at most S: the root, and who passes it on */

/* The activations of one micro-batch at one place of a model. */
struct tare_activations {
    double batch, sequence, width; /* sequences, tokens each, numbers a token */
    double element_bytes;
};

/* Tensor parallel: two all-reduces a layer forward, as many again backward in training. */
double tare_tensor_parallel_bytes(int64_t n, int64_t layers, const struct tare_activations *a, bool training);
/* Pipeline: the activations once a micro-batch over the boundary to the next stage, and in training their
 * gradients back; what a stage in the middle sends. 0 with one stage. */
double tare_pipeline_bytes(int64_t stages, int64_t micro_batches, const struct tare_activations *a,
                           bool training);

enum tare_sharding { TARE_SHARDING_NONE, TARE_SHARDING_1, TARE_SHARDING_2, TARE_SHARDING_3 };

/* Data parallel, one step: an all-reduce of the gradients, which sharded optimizer states (1) and gradients
 * (2) only cut into its halves; sharded parameters (3) are gathered once more: 1.5 times that. */
double tare_data_parallel_bytes(int64_t n, double params, double element_bytes, enum tare_sharding sharding);
/* Experts, a layer: two all-to-alls of every token's `top_k` copies, as many again backward in training.
 * tokens: those of one rank. */
double tare_experts_bytes(int64_t n, double tokens, double top_k, double width, double element_bytes,
                          bool training);

/* Is measured / formula within 0.98 .. 1.05, the room of headers and control messages? */
bool tare_volume_explained(double ratio);

#endif
