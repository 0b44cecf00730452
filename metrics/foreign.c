/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPU time that others used while we measured: all busy time of the machine less our own and that of
 * our parent (the supervisor, which stores the samples). Given as a share of the machine's capacity,
 * in percent, with the supervisor's share apart. The kernel counts in ticks of 10 ms, so a phase
 * below half a second gives no value. Steal is time that the hypervisor gave to other guests.
 */
#include <tare/meter.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { min_ticks_per_cpu = 50 };

struct ticks {
    double total, busy, steal, parent, own;
    bool ok;
};

struct foreign {
    struct ticks begin;
};

static bool read_text(const char *path, char *text, size_t n_text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, n_text - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* First line of /proc/stat: user nice system idle iowait irq softirq steal (guest time is in user). */
static bool read_machine(struct ticks *t)
{
    char text[512];
    double v[8] = {0};
    if (!read_text("/proc/stat", text, sizeof text) ||
        sscanf(text, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6],
               &v[7]) < 8) {
        return false;
    }
    t->busy = v[0] + v[1] + v[2] + v[5] + v[6];
    t->steal = v[7];
    t->total = t->busy + v[3] + v[4] + v[7];
    return true;
}

/* utime and stime: the 12th and 13th number after the command's closing parenthesis. */
static bool read_parent(struct ticks *t)
{
    char path[64], text[1024];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)getppid());
    double user = 0, system = 0;
    if (!read_text(path, text, sizeof text)) {
        return false;
    }
    const char *at = strrchr(text, ')');
    if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lf %lf", &user, &system) != 2) {
        return false;
    }
    t->parent = user + system;
    return true;
}

static struct ticks read_all(void)
{
    struct ticks t = {0};
    struct rusage own;
    (void)getrusage(RUSAGE_SELF, &own);
    double hz = (double)sysconf(_SC_CLK_TCK);
    t.own = hz * ((double)own.ru_utime.tv_sec + (double)own.ru_stime.tv_sec +
                  (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1e6);
    t.ok = read_machine(&t) && read_parent(&t);
    return t;
}

static int foreign_probe(char *why, size_t n_why)
{
    struct ticks t = read_all();
    if (!t.ok) {
        (void)snprintf(why, n_why, "/proc/stat or /proc/<parent>/stat cannot be read");
        return TARE_E_ENVIRONMENT;
    }
    return 0;
}

static void foreign_begin(void *self)
{
    ((struct foreign *)self)->begin = read_all();
}

static void add(struct tare_readings *to, const char *name, double value, const char *why)
{
    struct tare_reading reading = {.name = name,
                                   .unit = "%",
                                   .scope = "node",
                                   .source = "/proc/stat, getrusage",
                                   .kind = TARE_KIND_MEASURED,
                                   .absent = why != NULL,
                                   .value = value,
                                   .why = why};
    to->add(to, &reading);
}

static void foreign_end(void *self, struct tare_readings *to)
{
    const struct ticks *a = &((struct foreign *)self)->begin;
    struct ticks b = read_all();
    double total = b.total - a->total;
    double cpus = (double)sysconf(_SC_NPROCESSORS_ONLN);
    const char *why = !a->ok || !b.ok                    ? "/proc/stat could not be read"
                      : total < min_ticks_per_cpu * cpus ? "the phase is shorter than half a second"
                                                         : NULL;
    double others = (b.busy - a->busy) - (b.own - a->own) - (b.parent - a->parent);
    double scale = total > 0 ? 100 / total : 0;
    add(to, "foreign_cpu", others > 0 ? others * scale : 0, why);
    add(to, "supervisor_cpu", (b.parent - a->parent) * scale, why);
    add(to, "steal", (b.steal - a->steal) * scale, why);
}

const struct tare_meter tare_meter_foreign = {.header = TARE_METER_HEADER,
                                              .name = "foreign",
                                              .summary = "CPU share of other processes and of the hypervisor",
                                              .priv_size = sizeof(struct foreign),
                                              .probe = foreign_probe,
                                              .begin = foreign_begin,
                                              .end = foreign_end};
