/* SPDX-License-Identifier: Apache-2.0 */
/* Options, probe, open, begin, end: as the harness does it. */
#include "selftest/instrument.h"

#include "base/opt.h"
#include "core/builtin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void take(struct tare_readings *to, const struct tare_reading *r, const struct tare_doubt *doubt)
{
    struct tare_check_instrument *i = (struct tare_check_instrument *)to;
    (void)doubt;
    if (i->n < TARE_INSTRUMENT_READINGS) {
        struct tare_instrument_reading *k = &i->list[i->n++];
        (void)snprintf(k->name, sizeof k->name, "%s", r->name);
        (void)snprintf(k->absent, sizeof k->absent, "%s", r->absent && r->why ? r->why : "");
        k->value = r->absent ? (double)NAN : r->value;
    }
}

static void take_plain(struct tare_readings *to, const struct tare_reading *r)
{
    take(to, r, NULL);
}

static const struct tare_meter *find(const char *name)
{
    for (size_t i = 0; tare_builtin_meters[i]; i++) {
        if (strcmp(tare_builtin_meters[i]->name, name) == 0) {
            return tare_builtin_meters[i];
        }
    }
    return NULL;
}

static int set(const struct tare_meter *m, void *self, const char *const *options, struct tare_err *err)
{
    int r = m->options ? tare_opts_init(m->options, self, err) : 0;
    for (size_t k = 0; r == 0 && options && options[k]; k += 2) {
        r = tare_opts_set(m->options, self, options[k], options[k + 1], m->name, err);
    }
    return r;
}

int tare_instrument_open(struct tare_check_instrument *i, const char *meter, const char *const *options,
                         struct tare_err *err)
{
    const struct tare_meter *m = find(meter);
    char why[256] = "";
    memset(i, 0, sizeof *i);
    if (!m) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "this build has no meter %s", meter);
    }
    void *self = calloc(1, m->priv_size + 1);
    int r = self ? set(m, self, options, err) : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    if (r == 0 && !options && m->probe && m->probe(why, sizeof why) < 0) {
        r = tare_err_set(err, TARE_E_ENVIRONMENT, "%s", why);
    }
    r = r == 0 && m->open ? m->open(self, err) : r;
    if (r < 0) {
        if (self && m->options) {
            tare_opts_fini(m->options, self);
        }
        free(self);
        return r;
    }
    i->sink.add = take_plain;
    i->sink.add_doubted = take;
    i->ops = m;
    i->self = self;
    return 0;
}

void tare_instrument_close(struct tare_check_instrument *i)
{
    if (!i->self) {
        return;
    }
    if (i->ops->close) {
        i->ops->close(i->self);
    }
    if (i->ops->options) {
        tare_opts_fini(i->ops->options, i->self);
    }
    free(i->self);
    i->self = NULL;
}

void tare_instrument_begin(struct tare_check_instrument *i)
{
    i->ops->begin(i->self);
}

void tare_instrument_end(struct tare_check_instrument *i)
{
    i->n = 0;
    i->ops->end(i->self, &i->sink);
}

double tare_instrument_value(const struct tare_check_instrument *i, const char *name)
{
    for (size_t k = 0; k < i->n; k++) {
        if (strcmp(i->list[k].name, name) == 0) {
            return i->list[k].value;
        }
    }
    return (double)NAN;
}
