/* SPDX-License-Identifier: Apache-2.0 */
/* One child process with the protocol's pipes. Knows no message. */
#ifndef TARE_PROCESS_SPAWN_H
#define TARE_PROCESS_SPAWN_H

#include "wire.h"

#include <stdbool.h>
#include <sys/types.h>

/* The protocol's descriptors as the program has them, told by environment variables. */
enum { TARE_CHILD_READ_FD = 3, TARE_CHILD_WRITE_FD = 4 };

struct tare_child {
    pid_t pid;  /* 0: none */
    bool ended; /* and waited for */
    int status; /* as waitpid gave it */
};

/*
 * Starts argv[0], searched in PATH, with `folder` in its environment (see workers.h). Sets the wire's three
 * descriptors. The child stays in this process's group, which tare ends as a whole, and gets SIGKILL when
 * this thread ends.
 */
TARE_MUST_CHECK int tare_child_start(struct tare_child *child, char *const *argv, const char *folder,
                                     struct tare_wire *wire, struct tare_err *err);
/* Has it ended by then? */
bool tare_child_await(struct tare_child *child, int64_t timeout_ns);
void tare_child_kill(struct tare_child *child);
/* "killed by SIGSEGV", "exit status 3", "still running". */
void tare_child_say(const struct tare_child *child, char *out, size_t n);

#endif
