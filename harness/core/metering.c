/* SPDX-License-Identifier: Apache-2.0 */
/* Meters at the edges of phases. */
#include "core/metering.h"

#include "base/clock.h"
#include "core/builtin.h"

#include <stdlib.h>
#include <string.h>

/* Collects the readings of one meter for one phase. */
struct collector {
    struct tare_readings sink;
    struct tare_metering *metering;
    enum tare_phase_name phase;
    const char *meter;
};

static int open_one(struct tare_metering *metering, const struct tare_meter *ops, struct tare_err *err)
{
    size_t i = metering->n;
    if (i == tare_max_meters) {
        return tare_err_set(err, TARE_E_LIMIT, "more than %d meters", tare_max_meters);
    }
    void *self = calloc(1, ops->priv_size ? ops->priv_size : 1);
    if (!self) {
        return tare_err_set(err, TARE_E_NOMEM, "meter %s: out of memory", ops->name);
    }
    char *why = metering->meters[i].absent;
    size_t n_why = sizeof metering->meters[i].absent;
    struct tare_err fault = {0};
    why[0] = '\0';
    if (ops->probe && ops->probe(why, n_why) < 0) {
        (void)(why[0] || snprintf(why, n_why, "not available here"));
    } else if (ops->open && ops->open(self, &fault) < 0) {
        (void)snprintf(why, n_why, "%.127s", fault.msg);
    }
    metering->meters[i].ops = ops;
    metering->meters[i].self = self;
    metering->n++;
    return 0;
}

int tare_metering_open(struct tare_metering *metering, struct tare_outbox *outbox, struct tare_err *err)
{
    memset(metering, 0, sizeof *metering);
    metering->outbox = outbox;
    for (size_t i = 0; tare_builtin_meters[i]; i++) {
        int r = open_one(metering, tare_builtin_meters[i], err);
        if (r < 0) {
            tare_metering_close(metering);
            return r;
        }
    }
    return 0;
}

void tare_metering_close(struct tare_metering *metering)
{
    for (size_t i = 0; i < metering->n; i++) {
        if (!metering->meters[i].absent[0] && metering->meters[i].ops->close) {
            metering->meters[i].ops->close(metering->meters[i].self);
        }
        free(metering->meters[i].self);
    }
    metering->n = 0;
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

int64_t tare_metering_begin(struct tare_metering *metering, enum tare_phase_name phase)
{
    put_phase(metering, phase, tare_clock_ns(), TARE_ABSENT);
    tare_outbox_flush(metering->outbox); /* a crash in this phase must be told by its name */
    for (size_t i = 0; i < metering->n; i++) {
        if (!metering->meters[i].absent[0]) {
            metering->meters[i].ops->begin(metering->meters[i].self);
        }
    }
    metering->begin_ns = tare_clock_ns();
    return metering->begin_ns;
}

static void put_reading(struct tare_metering *metering, enum tare_phase_name phase, const char *meter,
                        const struct tare_reading *reading, const struct tare_doubt *doubt)
{
    struct tare_reading_record record = {.phase = tare_phase_text((int)phase),
                                         .meter = meter,
                                         .name = reading->name,
                                         .unit = reading->unit,
                                         .kind = tare_kind_name((int)reading->kind),
                                         .scope = reading->scope,
                                         .source = reading->source,
                                         .value = reading->absent ? (double)NAN : reading->value,
                                         .absent = reading->absent ? reading->why : NULL,
                                         .u = doubt ? doubt->u : (double)NAN,
                                         .gain = doubt ? doubt->gain : (double)NAN,
                                         .flags = doubt ? doubt->flags : ""};
    tare_outbox_put_reading(metering->outbox, &record);
}

void tare_metering_add(struct tare_metering *metering, enum tare_phase_name phase, const char *meter,
                       const struct tare_reading *reading)
{
    put_reading(metering, phase, meter, reading, NULL);
}

static void collect_doubted(struct tare_readings *to, const struct tare_reading *reading,
                            const struct tare_doubt *doubt)
{
    struct collector *c = (struct collector *)to;
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

static bool is_word(const char *text)
{
    size_t n = text ? strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;
    return n > 0 && n <= 60 && text[n] == '\0';
}

/* What is wrong with it, or NULL. */
static const char *fault_of(const struct tare_reading *r)
{
    return !is_word(r->name)             ? "a name that is not 1 to 60 of a-z, 0-9 and '_'"
           : !r->unit || !r->unit[0]     ? "no unit; \"1\" is that of a plain number"
           : !r->scope || !r->scope[0]   ? "no scope"
           : !r->source || !r->source[0] ? "no source"
           : r->kind < TARE_KIND_MEASURED || r->kind > TARE_KIND_DECLARED ? "no kind"
           : r->absent && (!r->why || !r->why[0])                         ? "no reason why it is absent"
           : !r->absent && !isfinite(r->value)                            ? "a value that is no number"
                                                                          : NULL;
}

static void listen_doubted(struct tare_readings *to, const struct tare_reading *reading,
                           const struct tare_doubt *doubt)
{
    enum { most = 256 };
    struct listener *l = (struct listener *)to;
    const char *fault = l->n++ < most ? fault_of(reading) : "more than 256 readings";
    if (l->code == 0 && fault) {
        l->code = tare_err_set(l->err, TARE_E_BACKEND, "backend %s: its reading %zu, \"%.60s\", has %s",
                               l->backend, l->n, is_word(reading->name) ? reading->name : "?", fault);
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

void tare_metering_end(struct tare_metering *metering, enum tare_phase_name phase, int64_t end_ns)
{
    int64_t now_ns = tare_clock_ns();
    for (size_t i = 0; i < metering->n; i++) {
        const struct tare_meter *ops = metering->meters[i].ops;
        struct collector c = {{collect, collect_doubted}, metering, phase, ops->name};
        if (!metering->meters[i].absent[0]) {
            ops->end(metering->meters[i].self, &c.sink);
        }
    }
    put_phase(metering, phase, metering->begin_ns, end_ns ? end_ns : now_ns);
}
