/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over /proc/self/task: what a thread of it starts meanwhile may be missed. */
#include "threads.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

int tare_threads_list(pid_t *out, size_t cap)
{
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks) {
        return -errno;
    }
    size_t n = 0;
    int r = 0;
    const struct dirent *entry;
    while (r == 0 && (entry = readdir(tasks))) {
        char *end = NULL;
        long tid = strtol(entry->d_name, &end, 10);
        if (tid > 0 && *end == '\0') {
            r = n < cap ? 0 : -E2BIG;
            if (r == 0) {
                out[n++] = (pid_t)tid;
            }
        }
    }
    closedir(tasks);
    return r < 0 ? r : (int)n;
}
