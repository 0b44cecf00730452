/* SPDX-License-Identifier: Apache-2.0 */
/* A meter by itself: opened with options, its readings kept, and what a test asks of them. */
#ifndef TARE_TESTS_METRICS_SINK_H
#define TARE_TESTS_METRICS_SINK_H

#include <tare/meter.h>

enum { sink_max = 256, sink_text = 200 };

struct sink_reading {
    char name[sink_text], unit[16], scope[sink_text], source[sink_text], why[sink_text], flags[sink_text];
    enum tare_kind kind;
    bool absent;
    double value, u, gain;
};

struct sink {
    struct tare_readings to; /* pass &sink.to */
    size_t n;
    struct sink_reading list[sink_max];
};

void sink_init(struct sink *s);
/* The reading of that name; fails the test if there is none or two. */
const struct sink_reading *sink_get(const struct sink *s, const char *name);
bool sink_has(const struct sink *s, const char *name);

/* A meter with `n` options set from "name", "value" pairs (NULL-terminated list, or NULL). Fails the test
 * if an option is unknown. self of a meter that cannot be used is NULL, with the reason in why. */
struct bench {
    const struct tare_meter *ops;
    void *self;
    char why[512];
};
void bench_open(struct bench *b, const struct tare_meter *ops, const char *const *options);
void bench_close(struct bench *b);
/* begin, then end into s at once. */
void bench_read(struct bench *b, struct sink *s);

#endif
