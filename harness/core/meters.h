/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which meters there are, with which options, and opening those of one place.
 *
 * A plan's key "meters" is an array of entries {"meter": NAME, "off": true, "options": {...}}; NAME is one
 * of the built-in ones, or the path (with a '/') of a shared object. All built-in meters are in use unless
 * an entry turns them off, or the plan's key "metering" is none. A meter that does not work here stays in
 * the list with its reason. Not thread-safe; hooks are called by whoever owns the list.
 */
#ifndef TARE_CORE_METERS_H
#define TARE_CORE_METERS_H

#include <tare/json.h>
#include <tare/meter.h>

enum { tare_max_meters = 48 };

struct tare_opened_meter {
    struct tare_meter ops;
    void *self;
    char absent[256]; /* why it cannot be read; "" if it can */
    bool opened;
};

struct tare_meters {
    size_t n;
    struct tare_opened_meter list[tare_max_meters];
};

/* Probes and opens the meters of a place; `choices` is the plan's array or NULL. An unknown name or option
 * is an error of usage, a meter that does not work is none. */
TARE_MUST_CHECK int tare_meters_open(struct tare_meters *meters, enum tare_meter_place place,
                                     const struct tare_json *choices, struct tare_err *err);
void tare_meters_close(struct tare_meters *meters);
/* Are the entries well-formed, the built-in names known and their options valid? Opens nothing. */
TARE_MUST_CHECK int tare_meters_check(const struct tare_json *choices, struct tare_err *err);
/* Smallest cost of begin and end together, in nanoseconds, out of a few rounds: what a phase pays. */
double tare_meter_cost_ns(struct tare_opened_meter *meter);
const char *tare_meter_place_text(uint32_t place);

#endif
