/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that this process has at the moment. */
#ifndef TARE_METRICS_THREADS_H
#define TARE_METRICS_THREADS_H

#include <stddef.h>
#include <sys/types.h>

/* Writes their ids, in no order, and returns how many there are; a negative errno, -E2BIG for more than cap.
 * One of them may end, and others begin, before the caller looks. */
int tare_threads_list(pid_t *out, size_t cap);

#endif
