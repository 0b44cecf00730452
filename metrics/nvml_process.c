/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of the measured process and its children on a GPU. NVML lists processes by number; in a container
 * those may be the host's numbers, which say nothing about the processes here.
 */
#include "nvml_device.h"
#include "sysfile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { max_listed = 64, max_generations = 32 };

/* The parent of a process; 0 if there is none. The name in the file may hold anything, ")" as well. */
static int64_t parent_of(int64_t pid)
{
    char path[48], text[512];
    (void)snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
    const char *behind = tare_sysfile_text(path, text, sizeof text) < 0 ? NULL : strrchr(text, ')');
    return behind && strlen(behind) > 4 ? strtoll(behind + 4, NULL, 10) : 0; /* ") S 123" */
}

static bool descends(int64_t pid, int64_t from)
{
    for (int i = 0; i < max_generations && pid > 1; i++) {
        if (pid == from) {
            return true;
        }
        pid = parent_of(pid);
    }
    return false;
}

void nvml_process_look(const struct tare_nvml *api, tare_nvml_handle handle, int64_t pid,
                       struct nvml_process_memory *m)
{
    struct tare_nvml_process list[max_listed];
    unsigned int n = max_listed;
    double bytes = 0;
    bool is_found = false, is_unknown = false;
    int code = api->processes ? api->processes(handle, &n, list) : TARE_NVML_FUNCTION_NOT_FOUND;
    m->n_looks++;
    if (code != TARE_NVML_OK) {
        m->n_failed++;
        m->code = code;
        return;
    }
    for (unsigned int i = 0; i < n && i < max_listed; i++) {
        if (descends(list[i].pid, pid)) {
            is_found = true;
            is_unknown = is_unknown || list[i].bytes == ~0ULL;
            bytes += list[i].bytes == ~0ULL ? 0 : (double)list[i].bytes;
        }
    }
    m->n_listed = n > m->n_listed ? n : m->n_listed;
    m->n_found += is_found;
    m->n_unknown += is_unknown;
    m->most = bytes > m->most ? bytes : m->most;
}
