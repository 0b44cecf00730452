/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clocks that meters of energy stamp their reads with. A test puts its own in place of them, so that a
 * day of wraps takes a second; nothing else may. Not for the worker's meters. Set before any hook runs, from
 * the thread that runs them.
 */
#ifndef TARE_METRICS_NOW_H
#define TARE_METRICS_NOW_H

#include <stdint.h>

int64_t tare_now_ns(void);          /* CLOCK_MONOTONIC */
int64_t tare_now_realtime_ns(void); /* CLOCK_REALTIME */
/* Tests only; NULL: the system's clock again. */
void tare_now_replace(int64_t (*monotonic_ns)(void), int64_t (*realtime_ns)(void));

#endif
