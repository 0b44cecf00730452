/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the memory controller of a process's cgroup lies: /proc/PID/cgroup says which cgroup it is,
 * /proc/self/mountinfo where that hierarchy is mounted. Version 1 if the memory controller is one of
 * its own hierarchies, else version 2. Reads files, writes none.
 */
#ifndef TARE_METRICS_CGROUP_PATH_H
#define TARE_METRICS_CGROUP_PATH_H

#include <stdint.h>
#include <tare/err.h>

struct tare_cgroup_path {
    int version;   /* 1 or 2 */
    char dir[512]; /* its folder */
};

/* proc: "/proc"; root stands before the mount points ("" but in tests); pid 0: this process. */
TARE_MUST_CHECK int tare_cgroup_find(const char *proc, const char *root, int64_t pid,
                                     struct tare_cgroup_path *out, struct tare_err *err);

#endif
