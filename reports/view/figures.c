/* SPDX-License-Identifier: Apache-2.0 */
/* The table of figures as people see them. What a figure is, the derivation says; this says how it is shown.
 */
#include "reports/view/figures.h"

#include <string.h>

#define HIGHER TARE_BETTER_HIGHER
#define LOWER  TARE_BETTER_LOWER
#define NONE   TARE_BETTER_NONE

static const struct tare_figure_look looks[] = {
    {"params_total", "Params", "M", 1e-6, 3, TARE_BETTER_NONE, true, true},
    {"stored_bytes", "Stored", "MB", 1e-6, 3, LOWER, true, true},
    {"bits_per_weight", "Bits/weight", "bit", 0, 2, LOWER, true, true},
    {TARE_FIGURE_QUALITY, NULL, NULL, 0, 4, TARE_BETTER_NONE, false, true},
    {"prefill_flops_per_tok", "Prefill", "MFLOP/tok", 1e-6, 3, LOWER, false, true},
    {"decode_flops_per_tok", "Decode", "MFLOP/tok", 1e-6, 3, LOWER, false, true},
    {"token_throughput", "Tokens/s", "ktok/s", 1e-3, 2, HIGHER, false, true},
    {"ttft_p50", "TTFT p50", "ms", 1e3, 3, LOWER, false, true},
    {"tpot_p50", "TPOT p50", "ms", 1e3, 4, LOWER, false, true},
    {"decode_throughput", "Decode tok/s", "ktok/s", 1e-3, 2, HIGHER, false, true},
    {"kv_bytes", "KV state", "kB", 1e-3, 1, LOWER, false, true},
    {"peak_rss", "Peak RSS", "MB", 1e-6, 2, LOWER, false, true},
    {"load_time", "Load", "ms", 1e3, 2, LOWER, false, true},
    {"cpu_user", "CPU user", "s", 1, 3, LOWER, false, true},
    {"speedup", "Speed-up", "x", 1, 2, HIGHER, false, true},
    {"energy_per_tok", "Energy/token", "mJ/tok", 1e3, 3, LOWER, false, true},
    {"energy_ratio", "Energy ratio", "x", 1, 3, LOWER, false, true},
    {"energy_modelled_per_tok", "Modelled energy/token", "mJ/tok", 1e3, 3, NONE, false, true},
    {"carbon_per_tok", "Carbon/token", "ugCO2e/tok", 1e6, 3, LOWER, false, true},
    {"carbon_modelled_per_tok", "Modelled carbon/token", "ugCO2e/tok", 1e6, 3, NONE, false, true},
    {"cost_per_mtok", "Cost", NULL, 0, 4, LOWER, false, true},
    {"latency_p50", "Latency p50", "ms", 1e3, 3, LOWER, false, false},
    {"latency_p99", "Latency p99", "ms", 1e3, 3, LOWER, false, false},
    {"ttft_p99", "TTFT p99", "ms", 1e3, 3, LOWER, false, false},
    {"tpot_p99", "TPOT p99", "ms", 1e3, 4, LOWER, false, false},
    {"itl_p50", "ITL p50", "ms", 1e3, 4, LOWER, false, false},
    {"itl_p99", "ITL p99", "ms", 1e3, 4, LOWER, false, false},
    {"request_throughput", "Requests/s", "request/s", 1, 1, HIGHER, false, false},
    {"mfu", "MFU", "%", 100, 2, HIGHER, false, false},
    {"mbu", "MBU", "%", 100, 2, HIGHER, false, false},
    {"params_non_embedding", "Non-embedding", "M", 1e-6, 3, TARE_BETTER_NONE, true, false},
    {"flops", "FLOPs", "GFLOP", 1e-9, 3, LOWER, false, false},
    {"params_active", "Active", "M", 1e-6, 3, TARE_BETTER_NONE, true, false},
    {"params_non_zero", "Non-zero", "M", 1e-6, 3, TARE_BETTER_NONE, true, false},
    {"weights_stored_bytes", "Stored", "MB", 1e-6, 3, LOWER, true, false},
    {"weights_resident_bytes", "Resident", "MB", 1e-6, 3, LOWER, true, false},
    {"compression_ratio", "Compression", "x", 1, 2, HIGHER, true, false},
    {"apply_time", "Apply", "ms", 1e3, 1, LOWER, true, false},
    {"apply_peak_bytes", "Apply peak", "MB", 1e-6, 2, LOWER, true, false},
    {"calibration_tok", "Calibration", "tok", 1, 0, LOWER, true, false},
    {"prefill_throughput", "Prefill tok/s", "ktok/s", 1e-3, 2, HIGHER, false, false},
    {"output_throughput", "Output tok/s", "ktok/s", 1e-3, 2, HIGHER, false, false},
    {"prefill_speedup", "Prefill speed-up", "x", 1, 2, HIGHER, false, false},
    {"decode_speedup", "Decode speed-up", "x", 1, 2, HIGHER, false, false},
    {"state_bytes", "State", "kB", 1e-3, 1, LOWER, false, false},
    {"acceptance_rate", "Accepted", "%", 100, 1, HIGHER, false, false},
    {"tokens_per_pass", "Tokens/pass", "tok", 1, 2, HIGHER, false, false},
    {"predicted_speedup", "Predicted", "x", 1, 2, HIGHER, false, false},
    {"energy", "Energy", "J", 1, 3, LOWER, false, false},
    {"energy_net", "Energy net of idle", "J", 1, 3, LOWER, false, false},
    {"energy_process", "Energy by CPU share", "J", 1, 3, LOWER, false, false},
    {"energy_per_request", "Energy/request", "J/request", 1, 4, LOWER, false, false},
    {"energy_per_output_tok", "Energy/output token", "mJ/tok", 1e3, 3, LOWER, false, false},
    {"energy_per_correct", "Energy/right answer", "J/correct", 1, 4, LOWER, false, false},
    {"energy_delay_product", "Energy x delay", "J s", 1, 3, LOWER, false, false},
    {"power_mean", "Power", "W", 1, 2, LOWER, false, false},
    {"energy_modelled", "Modelled energy", "J", 1, 3, NONE, false, false},
    {"carbon_operational", "Carbon", "gCO2e", 1, 6, LOWER, false, false},
    {"sci_per_request", "SCI/request", "gCO2e/request", 1, 6, LOWER, false, false},
    {"sci_per_tok", "SCI/token", "ugCO2e/tok", 1e6, 3, LOWER, false, false},
    {"cost_total", "Cost of a repeat", NULL, 0, 6, LOWER, false, false},
    {"cost_per_query", "Cost/request", NULL, 0, 6, LOWER, false, false},
    {"cost_per_correct", "Cost/right answer", NULL, 0, 6, LOWER, false, false},
    {"mean_exit_layer", "Exit layer", "1", 1, 2, LOWER, false, false},
};

enum { n_looks = sizeof looks / sizeof *looks };

const struct tare_figure_look *tare_figure_looks(size_t *out_n)
{
    *out_n = n_looks;
    return looks;
}

const struct tare_figure_look *tare_figure_look(const char *figure)
{
    for (size_t i = 0; i < n_looks; i++) {
        if (strcmp(looks[i].figure, figure) == 0) {
            return &looks[i];
        }
    }
    return NULL;
}
