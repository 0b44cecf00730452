/* SPDX-License-Identifier: Apache-2.0 */
/* What speculative decoding is expected to give (Leviathan et al. 2022): a draft proposes gamma tokens, of
 * which the target keeps those up to the first that it refuses, and adds one. It takes refusals as
 * independent of what came before. Pure functions; NaN for what cannot be. */
#ifndef TARE_STATS_SPECULATION_H
#define TARE_STATS_SPECULATION_H

#include <stddef.h>
#include <stdint.h>

/* Chance that a proposal is kept: sum over the vocabulary of min(target, draft). */
double tare_speculation_acceptance(const double *target, const double *draft, size_t n);
/* Tokens a pass of the target: (1 - alpha^(gamma + 1)) / (1 - alpha); gamma + 1 for alpha = 1. */
double tare_speculation_tokens(double alpha, int64_t gamma);
/* Speed-up over the target alone: those tokens / (gamma c + 1), c = time of a draft step / of a target pass.
 */
double tare_speculation_speedup(double alpha, int64_t gamma, double cost);

#endif
