/* SPDX-License-Identifier: Apache-2.0 */
/* Meters at the edges of phases, in the order that keeps them out of what is timed. */
#include "core/metering.h"

#include "base/clock.h"
#include "base/reading.h"
#include "core/outside.h"

#include <string.h>

/* Collects the readings of one meter for one phase. */
struct collector {
    struct tare_readings sink;
    struct tare_metering *metering;
    enum tare_phase_name phase;
    const char *meter;
};

int tare_metering_open(struct tare_metering *metering, const struct tare_metering_args *args,
                       struct tare_err *err)
{
    memset(metering, 0, sizeof *metering);
    metering->outbox = args->outbox;
    metering->outside_fd = args->outside_fd;
    metering->elsewhere = args->elsewhere;
    return args->off ? 0 : tare_meters_open(&metering->meters, TARE_METER_WORKER, args->choices, err);
}

void tare_metering_close(struct tare_metering *metering)
{
    tare_meters_close(&metering->meters);
}

static void put_phase(struct tare_metering *metering, enum tare_phase_name phase, int64_t begin_ns,
                      int64_t end_ns)
{
    struct tare_phase_frame frame;
    memset(&frame, 0, sizeof frame);
    frame.phase = (int32_t)phase;
    frame.begin_ns = begin_ns;
    frame.end_ns = end_ns;
    tare_outbox_put(metering->outbox, TARE_FRAME_PHASE, &frame, sizeof frame, NULL, 0);
}

static void say(struct tare_metering *metering, enum tare_phase_name phase, bool end)
{
    if (!metering->outside_lost) {
        metering->outside_lost = !tare_outside_say(metering->outside_fd, phase, end);
    }
}

int64_t tare_metering_begin(struct tare_metering *metering, enum tare_phase_name phase)
{
    put_phase(metering, phase, tare_clock_ns(), TARE_ABSENT);
    tare_outbox_flush(metering->outbox); /* a crash in this phase must be told by its name */
    int64_t from_ns = tare_clock_ns();
    say(metering, phase, false);
    for (size_t i = 0; i < metering->meters.n; i++) {
        if (metering->meters.list[i].opened) {
            metering->meters.list[i].ops.begin(metering->meters.list[i].self);
        }
    }
    metering->begin_ns = tare_clock_ns();
    metering->edge_ns = metering->begin_ns - from_ns;
    return metering->begin_ns;
}

static void put_reading(struct tare_metering *metering, enum tare_phase_name phase, const char *meter,
                        const struct tare_reading *reading, const struct tare_doubt *doubt)
{
    struct tare_reading_record record =
        tare_reading_record_of(tare_phase_text((int)phase), meter, reading, doubt);
    tare_outbox_put_reading(metering->outbox, &record);
}

void tare_metering_add(struct tare_metering *metering, enum tare_phase_name phase, const char *meter,
                       const struct tare_reading *reading)
{
    put_reading(metering, phase, meter, reading, NULL);
}

/* Is it about this process, which only waits for the one that has the model? CPU time of others is all but
 * this process's: the model's would be among it. */
static bool is_of_this_process(const struct tare_reading *reading)
{
    return strcmp(reading->scope, "process") == 0 || strcmp(reading->scope, "main thread") == 0 ||
           strcmp(reading->name, "foreign_cpu") == 0;
}

/* A reading that breaks the contract is no reading. */
static void collect_doubted(struct tare_readings *to, const struct tare_reading *reading,
                            const struct tare_doubt *doubt)
{
    struct collector *c = (struct collector *)to;
    if (tare_reading_fault(reading)) {
        return;
    }
    if (c->metering->elsewhere && !reading->absent && is_of_this_process(reading)) {
        struct tare_reading absent = *reading;
        absent.absent = true;
        absent.value = 0;
        absent.why = "the model runs in another process than the one that is read here";
        put_reading(c->metering, c->phase, c->meter, &absent, NULL);
        return;
    }
    put_reading(c->metering, c->phase, c->meter, reading, doubt);
}

static void collect(struct tare_readings *to, const struct tare_reading *reading)
{
    collect_doubted(to, reading, NULL);
}

/* Collects what a backend says; trusts none of it. */
struct listener {
    struct tare_readings sink;
    struct tare_metering *metering;
    enum tare_phase_name phase;
    const char *backend;
    size_t n;
    int code; /* of the first breach; the rest is not listened to */
    struct tare_err *err;
};

static void listen_doubted(struct tare_readings *to, const struct tare_reading *reading,
                           const struct tare_doubt *doubt)
{
    enum { most = 256 };
    struct listener *l = (struct listener *)to;
    const char *fault = l->n++ < most ? tare_reading_fault(reading) : "more than 256 readings";
    if (l->code == 0 && fault) {
        l->code =
            tare_err_set(l->err, TARE_E_BACKEND, "backend %s: its reading %zu, \"%.60s\", has %s", l->backend,
                         l->n, tare_reading_is_name(reading->name) ? reading->name : "?", fault);
    }
    if (l->code == 0) {
        put_reading(l->metering, l->phase, TARE_METER_OF_BACKEND, reading, doubt);
    }
}

static void listen(struct tare_readings *to, const struct tare_reading *reading)
{
    listen_doubted(to, reading, NULL);
}

int tare_metering_ask_backend(struct tare_metering *metering, enum tare_phase_name phase,
                              const struct tare_backend *ops, void *self, struct tare_err *err)
{
    struct listener l = {.sink = {listen, listen_doubted},
                         .metering = metering,
                         .phase = phase,
                         .backend = ops->name,
                         .err = err};
    if (ops->readings) {
        ops->readings(self, phase == TARE_PHASE_MEASURE, &l.sink);
    }
    return l.code;
}

static void end_meters(struct tare_metering *metering, enum tare_phase_name phase, bool late)
{
    for (size_t i = 0; i < metering->meters.n; i++) {
        const struct tare_opened_meter *m = &metering->meters.list[i];
        struct collector c = {{collect, collect_doubted}, metering, phase, m->ops.name};
        if (m->opened && (m->ops.late != 0) == late) {
            m->ops.end(m->self, &c.sink);
        }
    }
}

/* What metering itself is worth knowing of. */
static void put_own(struct tare_metering *metering, enum tare_phase_name phase, const char *name,
                    const char *unit, double value)
{
    const struct tare_reading reading = {.name = name,
                                         .unit = unit,
                                         .scope = "process",
                                         .source = "harness, at the edges of the phase",
                                         .kind = TARE_KIND_MEASURED,
                                         .value = value};
    tare_metering_add(metering, phase, "harness", &reading);
}

void tare_metering_end(struct tare_metering *metering, enum tare_phase_name phase, int64_t end_ns)
{
    int64_t now_ns = tare_clock_ns();
    end_meters(metering, phase, false);
    say(metering, phase, true);
    end_meters(metering, phase, true);
    if (metering->meters.n > 0 || metering->outside_fd >= 0) {
        put_own(metering, phase, "metering_edge_time", "s",
                (double)(metering->edge_ns + tare_clock_ns() - now_ns) / 1e9);
        put_own(metering, phase, "outside_lost", "1", metering->outside_lost ? 1 : 0);
    }
    put_phase(metering, phase, metering->begin_ns, end_ns ? end_ns : now_ns);
}
