/* SPDX-License-Identifier: Apache-2.0 */
/* A meter outside that takes its time: for tests of what that does to the others. LATE says that it says so.
 */
#include <tare/meter.h>
#include <time.h>

#ifndef LATE
#define LATE 0
#endif

struct odd {
    int64_t begin_ns, end_ns; /* how long each takes */
};

#define OPTION(member_)                                                                             \
    {                                                                                               \
        .name = #member_, .type = TARE_OPT_NS, .offset = offsetof(struct odd, member_), .def = "0", \
        .min = 0, .max = INT64_MAX, .help = "how long it takes"                                     \
    }

static const struct tare_opt options[] = {OPTION(begin_ns), OPTION(end_ns), TARE_OPT_END};

static void take(int64_t ns)
{
    struct timespec t = {ns / 1000000000, ns % 1000000000};
    (void)nanosleep(&t, NULL);
}

static void odd_begin(void *self)
{
    take(((struct odd *)self)->begin_ns);
}

static void odd_end(void *self, struct tare_readings *to)
{
    take(((struct odd *)self)->end_ns);
    struct tare_reading r = {
        .name = "odd", .unit = "1", .scope = "node", .source = "odd", .kind = TARE_KIND_DECLARED, .value = 1};
    to->add(to, &r);
}

TARE_EXPORT extern const struct tare_meter tare_plugin;
const struct tare_meter tare_plugin = {.header = TARE_METER_HEADER,
                                       .name = "odd",
                                       .summary = "takes its time",
                                       .priv_size = sizeof(struct odd),
                                       .begin = odd_begin,
                                       .end = odd_end,
                                       .place = TARE_METER_OUTSIDE,
                                       .options = options,
                                       .late = LATE};
