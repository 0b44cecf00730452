/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What getrusage knows of this process and all its threads: CPU time, context switches, page faults.
 * CPU time steps by 1 us here and is exact to the scheduler's accounting.
 */
#include <tare/meter.h>

#include <sys/resource.h>

struct rusage_meter {
    struct rusage begin;
};

static void rusage_begin(void *self)
{
    (void)getrusage(RUSAGE_SELF, &((struct rusage_meter *)self)->begin);
}

static double seconds(struct timeval a, struct timeval b)
{
    return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_usec - a.tv_usec) / 1e6;
}

static void add(struct tare_readings *to, const char *name, const char *unit, double value)
{
    struct tare_reading reading = {.name = name,
                                   .unit = unit,
                                   .scope = "process",
                                   .source = "getrusage(RUSAGE_SELF)",
                                   .kind = TARE_KIND_MEASURED,
                                   .value = value};
    to->add(to, &reading);
}

static void rusage_end(void *self, struct tare_readings *to)
{
    const struct rusage *a = &((struct rusage_meter *)self)->begin;
    struct rusage b;
    (void)getrusage(RUSAGE_SELF, &b);
    add(to, "cpu_user", "s", seconds(a->ru_utime, b.ru_utime));
    add(to, "cpu_system", "s", seconds(a->ru_stime, b.ru_stime));
    add(to, "voluntary_switches", "1", (double)(b.ru_nvcsw - a->ru_nvcsw));
    add(to, "involuntary_switches", "1", (double)(b.ru_nivcsw - a->ru_nivcsw));
    add(to, "major_faults", "1", (double)(b.ru_majflt - a->ru_majflt));
    add(to, "minor_faults", "1", (double)(b.ru_minflt - a->ru_minflt));
}

const struct tare_meter tare_meter_rusage = {.header = TARE_METER_HEADER,
                                             .name = "rusage",
                                             .summary = "CPU time, context switches and page faults",
                                             .priv_size = sizeof(struct rusage_meter),
                                             .begin = rusage_begin,
                                             .end = rusage_end};
