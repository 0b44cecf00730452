/* SPDX-License-Identifier: Apache-2.0 */
/* What speculative decoding tells of a run, and the formulas by which its gain is predicted. */
#ifndef TARE_NATIVE_SPECULATIVE_READINGS_H
#define TARE_NATIVE_SPECULATIVE_READINGS_H

#include "speculative.h"

void tare_speculative_tell(struct tare_speculative *s, struct tare_readings *to);
/* Tokens that a pass with g proposals yields when each is accepted with probability a:
 * (1 - a^(g+1)) / (1 - a). */
double tare_speculative_expected(double a, uint32_t g);

#endif
