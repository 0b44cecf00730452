/* SPDX-License-Identifier: Apache-2.0 */
/* The first CPU's vendor and flags. */
#include "cpuinfo.h"

#include "sysfile.h"

#include <stdio.h>
#include <string.h>

/* Is the word among the flags of the first CPU? */
static bool has_cpu_flag(const char *text, const char *word)
{
    const char *line = strstr(text, "\nflags");
    const char *end = line ? strchr(line + 1, '\n') : NULL;
    char spaced[32];
    int n = snprintf(spaced, sizeof spaced, " %s", word);
    for (const char *at = line; at && (at = strstr(at, spaced)) != NULL; at += n) {
        if (end && at > end) {
            return false;
        }
        if (at[n] == ' ' || at[n] == '\n' || at[n] == '\0') {
            return true;
        }
    }
    return false;
}

void tare_cpuinfo_read(const char *path, struct tare_cpuinfo *out)
{
    char text[8192];
    (void)tare_sysfile_text(path ? path : "/proc/cpuinfo", text, sizeof text);
    out->has_sgx = has_cpu_flag(text, "sgx");
    out->is_amd = strstr(text, "AuthenticAMD") != NULL || strstr(text, "HygonGenuine") != NULL;
}
