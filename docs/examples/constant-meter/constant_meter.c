/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A meter outside of the worker that needs no source of tare, only its installed headers: a machine that is
 * said to draw the same power all the time. It measures nothing, and says so: its kind is "declared".
 *
 *     make
 *     tare run --model null --task recall --meter ./constant_meter.so,watts=20
 */
#include <math.h>
#include <tare/meter.h>
#include <time.h>

struct constant {
    double watts;   /* options */
    double start_c; /* temperature at first; falls by 5 each time somebody looks */
    double begin_s; /* of the phase */
    double samples; /* in the phase */
    double process; /* that is measured; 0: none */
};

#define OPTION(member_, def_, help_)                                                                         \
    {                                                                                                        \
        .name = #member_, .type = TARE_OPT_F64, .offset = offsetof(struct constant, member_), .def = (def_), \
        .help = (help_)                                                                                      \
    }

static const struct tare_opt options[] = {OPTION(watts, "10", "power that is declared, in W"),
                                          OPTION(start_c, "0", "temperature that cools down; 0: unknown"),
                                          TARE_OPT_END};

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int constant_open(void *self, struct tare_err *err)
{
    const struct constant *c = self;
    return c->watts >= 0 ? 0
                         : tare_err_set(err, TARE_E_ENVIRONMENT, "constant: no machine draws %g W", c->watts);
}

static void constant_attach(void *self, int64_t pid)
{
    ((struct constant *)self)->process = (double)pid;
}

static void constant_begin(void *self)
{
    struct constant *c = self;
    c->samples = 0;
    c->begin_s = now_s();
}

static void constant_sample(void *self)
{
    ((struct constant *)self)->samples++;
}

static void constant_end(void *self, struct tare_readings *to)
{
    const struct constant *c = self;
    double span_s = now_s() - c->begin_s;
    struct tare_reading energy = {.name = "energy_constant",
                                  .unit = "J",
                                  .scope = "wall",
                                  .source = "option watts",
                                  .kind = TARE_KIND_DECLARED,
                                  .value = span_s * c->watts};
    struct tare_doubt doubt = {.u = 1e-6 * c->watts, .gain = 0.5, .flags = "DECLARED"};
    to->add_doubted(to, &energy, &doubt);
    struct tare_reading samples = {.name = "constant_samples",
                                   .unit = "1",
                                   .scope = "node",
                                   .source = "calls of sample",
                                   .kind = TARE_KIND_COUNTED,
                                   .value = c->samples};
    to->add(to, &samples);
    struct tare_reading process = {.name = "constant_process",
                                   .unit = "1",
                                   .scope = "node",
                                   .source = "attach",
                                   .kind = TARE_KIND_COUNTED,
                                   .absent = c->process == 0,
                                   .value = c->process,
                                   .why = "no process is measured in this phase"};
    to->add(to, &process);
}

static double constant_temperature_c(void *self)
{
    struct constant *c = self;
    double now_c = c->start_c;
    c->start_c -= now_c > 0 ? 5 : 0;
    return now_c > 0 ? now_c : (double)NAN;
}

TARE_EXPORT extern const struct tare_meter tare_plugin;
const struct tare_meter tare_plugin = {.header = TARE_METER_HEADER,
                                       .name = "constant",
                                       .summary = "a power that is declared",
                                       .priv_size = sizeof(struct constant),
                                       .open = constant_open,
                                       .begin = constant_begin,
                                       .end = constant_end,
                                       .place = TARE_METER_OUTSIDE,
                                       .options = options,
                                       .sample = constant_sample,
                                       .attach = constant_attach,
                                       .period_ns = 20000000,
                                       .temperature_c = constant_temperature_c};
