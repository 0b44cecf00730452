/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The factors of bus bandwidth as nccl-tests documents them (all-reduce 2 (n-1)/n, the others (n-1)/n, and
 * 1); tensor and pipeline parallelism after Megatron-LM (1909.08053, 2104.04473); sharding after ZeRO
 * (1910.02054), whose authors count 2 P and 3 P for (n-1)/n near 1.
 */
#include "stats/collectives.h"

#include <math.h>

static bool possible(int64_t n, double bytes)
{
    return n >= 1 && bytes >= 0 && isfinite(bytes);
}

/* times x (n - 1) / n x bytes */
static double ring(double times, int64_t n, double bytes)
{
    return possible(n, bytes) ? times * bytes * (double)(n - 1) / (double)n : (double)NAN;
}

double tare_all_reduce_bytes(int64_t n, double bytes)
{
    return ring(2, n, bytes);
}

double tare_reduce_scatter_bytes(int64_t n, double bytes)
{
    return ring(1, n, bytes);
}

double tare_all_gather_bytes(int64_t n, double bytes)
{
    return ring(1, n, bytes);
}

double tare_all_to_all_bytes(int64_t n, double bytes)
{
    return ring(1, n, bytes);
}

double tare_broadcast_bytes(int64_t n, double bytes)
{
    return !possible(n, bytes) ? (double)NAN : n == 1 ? 0 : bytes;
}

static double activation_bytes(const struct tare_activations *a)
{
    bool whole = a->batch >= 0 && a->sequence >= 0 && a->width >= 0 && a->element_bytes >= 0;
    return whole ? a->batch * a->sequence * a->width * a->element_bytes : (double)NAN;
}

double tare_tensor_parallel_bytes(int64_t n, int64_t layers, const struct tare_activations *a, bool training)
{
    double each = tare_all_reduce_bytes(n, activation_bytes(a));
    return layers >= 0 ? (training ? 4.0 : 2.0) * (double)layers * each : (double)NAN;
}

double tare_pipeline_bytes(int64_t stages, int64_t micro_batches, const struct tare_activations *a,
                           bool training)
{
    double bytes = activation_bytes(a);
    if (!possible(stages, bytes) || micro_batches < 0) {
        return (double)NAN;
    }
    /* With two stages each is an end: it sends one way only. */
    double ways = stages == 1 ? 0 : stages == 2 || !training ? 1 : 2;
    return ways * (double)micro_batches * bytes;
}

double tare_data_parallel_bytes(int64_t n, double params, double element_bytes, enum tare_sharding sharding)
{
    return ring(sharding == TARE_SHARDING_3 ? 3 : 2, n,
                element_bytes >= 0 ? params * element_bytes : (double)NAN);
}

double tare_experts_bytes(int64_t n, double tokens, double top_k, double width, double element_bytes,
                          bool training)
{
    bool whole = tokens >= 0 && top_k >= 0 && width >= 0 && element_bytes >= 0;
    double bytes = whole ? tokens * top_k * width * element_bytes : (double)NAN;
    return (training ? 4 : 2) * tare_all_to_all_bytes(n, bytes);
}

bool tare_volume_explained(double ratio)
{
    return ratio >= 0.98 && ratio <= 1.05;
}
