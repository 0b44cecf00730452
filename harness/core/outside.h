/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The meters that stand outside of the worker, and the one thread of the supervisor that reads them.
 *
 * The thread owns all of them: every hook is called on it, so that a meter needs no lock. It samples each
 * at random distances around its period, for the whole length of a run, so that a counter that wraps is
 * never left alone; and it serves the edges of phases. A worker is given one end of a socket: at an edge
 * it writes one byte and waits until all meters have been read. That costs it about two wake-ups outside of
 * what is timed, and no writing of samples into the database can delay a reading. Readings are kept until
 * the caller takes them.
 *
 * Meters that say they take long (`late`) begin first and end last, so that the windows of the others are the
 * phase's; where an edge takes over 5 ms and a hundredth of the phase all the same, its readings are flagged
 * EDGE_SLOW. A worker that dies in a phase leaves it open: the phase then has no readings. A worker that gets
 * no answer for 10 s goes on without any for the rest of its life, and says so (reading outside_lost). A
 * thread that hangs in a meter is left behind: draining is then an error.
 */
#ifndef TARE_CORE_OUTSIDE_H
#define TARE_CORE_OUTSIDE_H

#include "base/record.h"

#include <stddef.h>
#include <tare/json.h>

struct tare_outside;

/* Opens the meters and starts the thread. `choices`: the plan's "meters" or NULL. */
TARE_MUST_CHECK int tare_outside_open(const struct tare_json *choices, struct tare_outside **out,
                                      struct tare_err *err);
/* Ends the thread and closes the meters; NULL is fine. */
void tare_outside_close(struct tare_outside *outside);

/* Every meter of the list: absent NULL if it works; cost of an edge pair, NaN if it does not. */
typedef int (*tare_outside_meter_fn)(void *ctx, const char *name, const char *absent, double cost_ns,
                                     struct tare_err *err);
TARE_MUST_CHECK int tare_outside_walk(struct tare_outside *outside, tare_outside_meter_fn fn, void *ctx,
                                      struct tare_err *err);

/* A socket for a worker to come; *out_fd is its end, the caller's to close. -1 if no meter works. */
TARE_MUST_CHECK int tare_outside_connect(struct tare_outside *outside, int *out_fd, struct tare_err *err);
/* The process that is measured from here on; 0: none any more, and the socket is closed. Meters are told at
 * its first edge: by then it has entered the cgroup and the namespaces where it will stay. */
void tare_outside_attach(struct tare_outside *outside, int64_t pid);
/* An edge of a phase of the supervisor's own; returns when all meters have been read. */
void tare_outside_edge(struct tare_outside *outside, enum tare_phase_name phase, bool end);
/* The hottest temperature that any meter knows, in degrees Celsius; NaN if none does. */
double tare_outside_temperature_c(struct tare_outside *outside);
/* Hands over the readings of the phases that have ended since the last call, on the caller's thread. */
typedef int (*tare_outside_reading_fn)(void *ctx, const struct tare_reading_record *reading,
                                       struct tare_err *err);
TARE_MUST_CHECK int tare_outside_drain(struct tare_outside *outside, tare_outside_reading_fn fn, void *ctx,
                                       struct tare_err *err);

/* The worker's side: tells the other end of fd that the phase begins or ends, and waits for the answer.
 * False: there was none. fd -1: nothing to do. */
bool tare_outside_say(int fd, enum tare_phase_name phase, bool end);

#endif
