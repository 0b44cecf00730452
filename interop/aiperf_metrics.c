/* SPDX-License-Identifier: Apache-2.0 */
/* AIPerf's inter-token latency is a mean over each request's tokens after the first: our TPOT. Its chunks are
 * what arrived together, and need not be tokens. */
#include "aiperf_metrics.h"

#include <string.h>

static const struct tare_aiperf_metric metrics[] = {
    {"time_to_first_token", "Time to First Token", "ttft", false},
    {"request_latency", "Request Latency", "latency", false},
    {"inter_token_latency", "Inter Token Latency", "tpot", false},
    {"inter_chunk_latency", "Inter Chunk Latency", "inter_chunk", false},
    {"time_to_second_token", "Time to Second Token", "time_to_second_tok", false},
    {"output_sequence_length", "Output Sequence Length", "output_tok_per_request", false},
    {"input_sequence_length", "Input Sequence Length", "prompt_tok_per_request", false},
    {"output_token_throughput_per_user", "Output Token Throughput Per User", "output_throughput_per_request",
     false},
    {"output_token_throughput", "Output Token Throughput", "output_throughput", true},
    {"request_throughput", "Request Throughput", "request_throughput", true},
    {"request_count", "Request Count", "completed_requests", true},
    {"error_request_count", "Error Request Count", "failed_requests", true},
    {"good_request_count", "Good Request Count", "good_requests", true},
    {"goodput", "Goodput", "request_goodput", true},
    {"benchmark_duration", "Benchmark Duration", "measure_time", true},
};

const struct tare_aiperf_metric *tare_aiperf_find(const char *name)
{
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        if (strcmp(metrics[i].tag, name) == 0 || strcmp(metrics[i].title, name) == 0) {
            return &metrics[i];
        }
    }
    return NULL;
}

double tare_aiperf_unit(const char *theirs, const char **out)
{
    static const struct {
        const char *theirs, *ours;
        double scale;
    } units[] = {{"ms", "s", 1e-3},
                 {"sec", "s", 1},
                 {"s", "s", 1},
                 {"us", "s", 1e-6},
                 {"ns", "s", 1e-9},
                 {"tokens", "tok", 1},
                 {"requests", "1", 1},
                 {"requests/sec", "request/s", 1},
                 {"tokens/sec", "tok/s", 1},
                 {"tokens/sec/user", "tok/s", 1}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(units[i].theirs, theirs) == 0) {
            *out = units[i].ours;
            return units[i].scale;
        }
    }
    return 0;
}

const char *tare_aiperf_stat(const char *theirs)
{
    static const char *const stats[][2] = {{"avg", "mean"}, {"std", "stddev"}, {"min", "min"},
                                           {"max", "max"},  {"p50", "p50"},    {"p90", "p90"},
                                           {"p95", "p95"},  {"p99", "p99"}};
    for (size_t i = 0; i < sizeof stats / sizeof *stats; i++) {
        if (strcmp(stats[i][0], theirs) == 0) {
            return stats[i][1];
        }
    }
    return NULL;
}
