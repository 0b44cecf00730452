/* SPDX-License-Identifier: Apache-2.0 */
/* Memory and CPU time of the program, which no meter of the harness sees. */
#include "process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The whole of a small file of /proc; "" if it cannot be read. */
static void read_proc(pid_t pid, const char *name, char *out, size_t n)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
    int fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t got = fd >= 0 ? read(fd, out, n - 1) : 0;
    out[got > 0 ? got : 0] = '\0';
    if (fd >= 0) {
        close(fd);
    }
}

struct tare_process_cpu tare_process_cpu_of(pid_t pid)
{
    char text[1024];
    struct tare_process_cpu cpu = {-1, -1};
    read_proc(pid, "stat", text, sizeof text);
    const char *at = strrchr(text, ')'); /* the name may hold anything; fields 3 on follow it */
    for (int field = 2; at && field < 14; field++) {
        at = strchr(at + 1, ' ');
    }
    char *end = NULL;
    int64_t user = at ? strtoll(at, &end, 10) : -1;
    int64_t system = end ? strtoll(end, NULL, 10) : -1;
    if (user >= 0 && system >= 0) {
        cpu = (struct tare_process_cpu){user, system};
    }
    return cpu;
}

static int64_t peak_bytes(pid_t pid)
{
    char text[4096];
    read_proc(pid, "status", text, sizeof text);
    const char *at = strstr(text, "\nVmHWM:");
    return at ? strtoll(at + 7, NULL, 10) * 1024 : -1;
}

/* Later peaks count from here; where it is refused, they count from the program's start. */
static bool reset_peak(pid_t pid)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%ld/clear_refs", (long)pid);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, "5", 1) == 1;
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static void add(struct tare_readings *to, const char *name, const char *unit, const char *source, bool known,
                double value)
{
    const struct tare_reading r = {.name = name,
                                   .unit = unit,
                                   .scope = "program",
                                   .source = source,
                                   .kind = TARE_KIND_MEASURED,
                                   .absent = !known,
                                   .value = known ? value : 0,
                                   .why = known ? NULL : "the program has ended, or /proc does not tell"};
    to->add(to, &r);
}

void tare_process_own_readings(struct tare_process_backend *p, int measured, struct tare_readings *to)
{
    pid_t pid = p->session.child.ended ? 0 : p->session.child.pid;
    int64_t peak = peak_bytes(pid);
    if (!measured) {
        add(to, "program_peak_rss_load", "B", "/proc/PID/status VmHWM, until measuring began", peak >= 0,
            (double)peak);
        (void)reset_peak(pid);
        p->cpu = tare_process_cpu_of(pid);
        return;
    }
    double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
    struct tare_process_cpu now = tare_process_cpu_of(pid);
    bool known = now.user_ticks >= 0 && p->cpu.user_ticks >= 0;
    add(to, "program_peak_rss", "B", "/proc/PID/status VmHWM, reset before measuring", peak >= 0,
        (double)peak);
    add(to, "program_cpu_user", "s", "/proc/PID/stat utime over measuring, in ticks", known,
        (double)(now.user_ticks - p->cpu.user_ticks) * tick_s);
    add(to, "program_cpu_system", "s", "/proc/PID/stat stime over measuring, in ticks", known,
        (double)(now.system_ticks - p->cpu.system_ticks) * tick_s);
}
