/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one log-softmax of tare: ln p(target) = logit[target] - max - ln sum exp(logit - max).
 *
 * Runs inside the timed path. Absolute error below 2e-6 nats for rows of up to a million entries
 * (tests compare with long double).
 */
#ifndef TARE_CORE_SOFTMAX_H
#define TARE_CORE_SOFTMAX_H

#include <stdbool.h>
#include <stddef.h>

/* Log-probability in nats of `target`; *out_greedy: no other entry is larger, and none before it as
 * large (ties go to the lowest id). NaN if the row holds a NaN. */
double tare_log_softmax(const float *row, size_t n, size_t target, bool *out_greedy);

#endif
