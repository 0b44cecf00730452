/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker: a fresh process that runs one cell and reports over a pipe. It loads the backend,
 * prepares the items, warms up, measures, and ends with an end frame; whatever kills it on the way is
 * for the supervisor to tell. It never sees the database.
 */
#ifndef TARE_CORE_WORKER_H
#define TARE_CORE_WORKER_H

#include <tare/json.h>

/* Runs the spec read from spec_fd and writes the results stream to out_fd; outside_fd leads to the meters
 * outside (core/outside.h), -1 if there are none. The error is in the end
 * frame too; the return value is for the process's exit status. */
TARE_MUST_CHECK int tare_worker_run(int spec_fd, int out_fd, int outside_fd, struct tare_err *err);
/* For libraries that start threads as soon as they are loaded, which then spin beside the measurement: tells
 * them to start one. The backend's own option says how many there shall be; what the user has set stays. To
 * be called before a backend is loaded. */
void tare_worker_quiet_libraries(void);
/* Loads a shared object and describes it: name, summary, capabilities, options, availability. */
TARE_MUST_CHECK int tare_worker_probe(const char *path, struct tare_json *out, struct tare_err *err);
/* The same for a meter: name, summary, place, options. */
TARE_MUST_CHECK int tare_worker_probe_meter(const char *path, struct tare_json *out, struct tare_err *err);

#endif
