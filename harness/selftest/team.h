/* SPDX-License-Identifier: Apache-2.0 */
/* The same work on several threads at once, timed together: from the moment when all may begin to the moment
 * when the last has ended. */
#ifndef TARE_SELFTEST_TEAM_H
#define TARE_SELFTEST_TEAM_H

#include <stdint.h>
#include <tare/err.h>

/* Member `index` of n; called on a thread of its own, 0 on the caller's. */
typedef void (*tare_team_fn)(void *ctx, unsigned index, unsigned n);

/* CPUs that this process may run on. */
unsigned tare_team_cpus(void);
/* Does the work 1 + repeats times, the first of which is not timed, and writes `repeats` durations. With 0
 * repeats it is just done. */
TARE_MUST_CHECK int tare_team_run(unsigned n, tare_team_fn fn, void *ctx, unsigned repeats, int64_t *out_ns,
                                  struct tare_err *err);

#endif
