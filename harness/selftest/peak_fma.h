/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rate of float32 multiply-adds that this machine reaches out of registers: the compute peak of CPU
 * backends that work in float32. It is measured, so it is what the machine gives now, with its clock, its
 * neighbours and its power limits. It is no peak of 16-bit, integer or matrix units.
 */
#ifndef TARE_SELFTEST_PEAK_FMA_H
#define TARE_SELFTEST_PEAK_FMA_H

#include "selftest/flops.h"
#include "selftest/peak.h"

#include <tare/err.h>

/* One width with so many threads; every repeat takes about min_ns or longer. A width that the processor does
 * not have is TARE_E_UNSUPPORTED; a loop that did not compute what it must, TARE_E_ENVIRONMENT. */
TARE_MUST_CHECK int tare_peak_fma_width(enum tare_flops_width width, unsigned threads, int64_t min_ns,
                                        struct tare_peak *out, struct tare_err *err);
/* The fastest of the widths that there are. */
TARE_MUST_CHECK int tare_peak_fma(unsigned threads, int64_t min_ns, struct tare_peak *out,
                                  struct tare_err *err);

#endif
