/* SPDX-License-Identifier: Apache-2.0 */
/* A child process with a text on its standard input and a pipe back. */
#ifndef TARE_CORE_PROCESS_H
#define TARE_CORE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <tare/err.h>
#include <tare/json.h>

enum tare_process_output {
    TARE_PROCESS_FD3,   /* the pipe is descriptor 3; standard output goes where standard error goes */
    TARE_PROCESS_STDOUT /* the pipe is standard output */
};

struct tare_process {
    pid_t pid;  /* 0 when waited for */
    int out_fd; /* reading end */
};

enum { TARE_PROCESS_EXTRA_FD = 4 };

/* What a child's environment has beside ours. */
struct tare_process_environment {
    size_t padding_bytes; /* length of a variable that nobody reads */
    const struct tare_json
        *variables; /* an object of texts, which replace ours of the same name; NULL: none */
};

/* Starts exe with argv and input (all of it is written before this returns). extra_fd, 10 or above, becomes
 * its descriptor 4; -1: it has none. `more` NULL: its environment is ours and an empty padding. */
TARE_MUST_CHECK int tare_process_start(struct tare_process *process, const char *exe, const char *const *argv,
                                       const char *input, enum tare_process_output output, int extra_fd,
                                       const struct tare_process_environment *more, struct tare_err *err);
void tare_process_kill(struct tare_process *process);        /* SIGKILL */
bool tare_process_ended(const struct tare_process *process); /* without waiting for it */
int tare_process_wait(struct tare_process *process);         /* the status of waitpid(2) */
void tare_process_fini(struct tare_process *process);        /* closes, and kills what still runs */
/* Processes that the kernel has killed for memory since it booted; 0 where it does not say. */
int64_t tare_process_oom_kills(void);

#endif
