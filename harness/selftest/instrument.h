/* SPDX-License-Identifier: Apache-2.0 */
/* A built-in meter by itself, driven by a check: what is held against the truth is then the meter, not a
 * reader that resembles it. */
#ifndef TARE_SELFTEST_INSTRUMENT_H
#define TARE_SELFTEST_INSTRUMENT_H

#include <tare/meter.h>

enum { TARE_INSTRUMENT_READINGS = 64 };

struct tare_instrument_reading {
    char name[64];
    double value; /* NaN: absent */
    char absent[160];
};

struct tare_check_instrument {
    struct tare_readings sink; /* first */
    const struct tare_meter *ops;
    void *self;
    size_t n;
    struct tare_instrument_reading list[TARE_INSTRUMENT_READINGS]; /* of the last phase */
};

/* Opens the meter with "name", "value" pairs of options (NULL-terminated; NULL: none). Its reason, where it
 * does not work here, is the error. */
TARE_MUST_CHECK int tare_instrument_open(struct tare_check_instrument *i, const char *meter,
                                         const char *const *options, struct tare_err *err);
void tare_instrument_close(struct tare_check_instrument *i);
void tare_instrument_begin(struct tare_check_instrument *i);
/* Ends the phase; the readings replace those of the one before. */
void tare_instrument_end(struct tare_check_instrument *i);
/* A value of the last phase; NaN where it is absent or there is no such name. */
double tare_instrument_value(const struct tare_check_instrument *i, const char *name);

#endif
