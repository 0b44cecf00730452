/* SPDX-License-Identifier: Apache-2.0 */
/* Limits and the sentences that go with them. Reasons stay below 120 bytes: what carries them cuts there. */
#include "papi_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double min_share = 0.5, min_ipc = 0.05, max_ipc = 8;

enum tare_papi_kind tare_papi_kind_of(const char *event)
{
    static const struct {
        const char *event;
        enum tare_papi_kind kind;
    } presets[] = {
        {"PAPI_TOT_INS", TARE_PAPI_INSTRUCTIONS}, {"PAPI_BR_INS", TARE_PAPI_BRANCHES},
        {"PAPI_LD_INS", TARE_PAPI_LOADS},         {"PAPI_SP_OPS", TARE_PAPI_FLOPS_SP},
        {"PAPI_DP_OPS", TARE_PAPI_FLOPS_DP},      {"PAPI_FP_OPS", TARE_PAPI_FLOPS},
        {"PAPI_TOT_CYC", TARE_PAPI_CYCLES},
    };
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        if (strcmp(event, presets[i].event) == 0) {
            return presets[i].kind;
        }
    }
    return TARE_PAPI_OTHER;
}

double tare_papi_tolerance(enum tare_papi_kind kind)
{
    switch (kind) {
    case TARE_PAPI_INSTRUCTIONS:
    case TARE_PAPI_BRANCHES:
    case TARE_PAPI_LOADS:
        return 0.01;
    case TARE_PAPI_FLOPS_SP:
    case TARE_PAPI_FLOPS_DP:
    case TARE_PAPI_FLOPS:
        return 0.02;
    case TARE_PAPI_OTHER:
    case TARE_PAPI_CYCLES:
        break;
    }
    return (double)NAN;
}

bool tare_papi_accept(enum tare_papi_kind kind, double truth, double reading, char *why, size_t n_why)
{
    double tolerance = tare_papi_tolerance(kind);
    if (!(reading > 0)) { /* no number, too */
        (void)snprintf(why, n_why, "self-check: it was started, but read %.6g after known work", reading);
        return false;
    }
    if (isnan(tolerance)) {
        return true;
    }
    if (!(truth > 0)) {
        (void)snprintf(why, n_why, "self-check: there is no known work for it on this kind of processor");
        return false;
    }
    if (!(fabs(reading - truth) <= tolerance * truth)) {
        (void)snprintf(why, n_why, "self-check: %.6g of known work read as %.6g (%+.1f %%, at most %.0f %%)",
                       truth, reading, (reading / truth - 1) * 100, tolerance * 100);
        return false;
    }
    return true;
}

bool tare_papi_accept_share(double enabled, double running, double *ratio, char *why, size_t n_why)
{
    *ratio = enabled > 0 ? running / enabled : (double)NAN;
    if (!(*ratio >= min_share)) {
        (void)snprintf(why, n_why,
                       "multiplexed: it counted %.1f %% of the time, at least %.0f %% is asked; name fewer",
                       isnan(*ratio) ? 0 : *ratio * 100, min_share * 100);
        return false;
    }
    return true;
}

bool tare_papi_accept_ipc(double instructions, double cycles, char *why, size_t n_why)
{
    double ipc = cycles > 0 ? instructions / cycles : (double)INFINITY;
    if (!(ipc >= min_ipc && ipc <= max_ipc)) {
        (void)snprintf(why, n_why, "%.4g instructions a cycle are not to be believed (%.2f to %.0f)", ipc,
                       min_ipc, max_ipc);
        return false;
    }
    return true;
}

bool tare_papi_accept_rate(double flops, double seconds, double peak, char *why, size_t n_why)
{
    double rate = seconds > 0 ? flops / seconds : (double)INFINITY;
    if (!(rate <= peak)) {
        (void)snprintf(why, n_why,
                       "%.4g FLOP/s are more than the peak of %.4g, so they are not to be believed", rate,
                       peak);
        return false;
    }
    return true;
}
