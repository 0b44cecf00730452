/* SPDX-License-Identifier: Apache-2.0 */
/* The backend's own state. */
#ifndef TARE_PROCESS_PROCESS_H
#define TARE_PROCESS_PROCESS_H

#include "session.h"
#include "workers.h"

/* CPU time of a process since its start, in clock ticks; -1: unknown. */
struct tare_process_cpu {
    int64_t user_ticks, system_ticks;
};

struct tare_process_backend {
    /* options */
    char *command, *set, *python, *log;
    int64_t start_timeout_ns, load_timeout_ns, request_timeout_ns, close_timeout_ns;

    char **words, **settings; /* one block each */
    size_t n_words, n_settings;
    char **argv; /* points into words, and to `path` */
    char path[TARE_WORKERS_PATH];
    struct tare_session session;
    uint32_t caps; /* of the program */
    char runtime[96], effective[1024];
    int64_t n_vocab, n_ctx;
    struct tare_process_cpu cpu; /* when the counters were set back */
};

/* What /proc tells of the program itself, without its own children. */
struct tare_process_cpu tare_process_cpu_of(pid_t pid);
/* Between warm-up and measuring (0): the peak of loading, and from here on a new one; behind it (1): what
 * measuring took. */
void tare_process_own_readings(struct tare_process_backend *p, int measured, struct tare_readings *to);

#endif
