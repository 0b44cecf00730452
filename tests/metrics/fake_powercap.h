/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A powercap tree in a temporary folder and the clock that drives it. Each zone draws a set power; its file
 * shows the energy as the kernel would: in steps, cut to a range. Every look at the clock lets `tick_ns`
 * pass, so that a meter that reads in a burst sees the counters move; the rest of the time is passed by the
 * test. Nothing here sleeps.
 */
#ifndef TARE_TESTS_METRICS_FAKE_POWERCAP_H
#define TARE_TESTS_METRICS_FAKE_POWERCAP_H

#include "sink.h"

enum { fake_zones_max = 12 };

enum fake_fault {
    FAKE_NONE,
    FAKE_STUCK, /* shows the same value for ever */
    FAKE_EIO,   /* read(2) fails with EIO: a link to an unmapped page of memory */
    FAKE_GONE,  /* no file */
    FAKE_TEXT   /* no number */
};

struct fake_zone {
    char id[40];
    double watts;
    double range_uj;  /* 0: no file that says so */
    double step_s;    /* of its updates */
    int64_t blink_ns; /* the first look at the clock from then on finds it failing, the next one mended; 0:
                         never */
    /* Kept here. */
    double drawn_uj; /* since the beginning, in truth */
    double shown_uj; /* what the file counts, before it is cut to the range */
    double offset_uj;
    int64_t stepped_ns;
    enum fake_fault fault;
};

struct fake {
    char root[64];
    int64_t now_ns, tick_ns;
    size_t n;
    struct fake_zone zones[fake_zones_max];
};

/* An empty tree; its clock is the meters' until fake_end. */
void fake_begin(struct fake *f);
void fake_end(struct fake *f);
/* A zone that begins at start_uj and steps every millisecond. */
struct fake_zone *fake_add(struct fake *f, const char *id, const char *name, double watts, double start_uj,
                           double range_uj);
/* A folder below the root, with those above it. */
void fake_folder(const struct fake *f, const char *path);
/* Writes a file of the zone. */
void fake_put(const struct fake *f, const char *id, const char *file, const char *text);
/* Time passes. */
void fake_pass(struct fake *f, double seconds);
void fake_break(struct fake *f, struct fake_zone *z, enum fake_fault fault);
/* The counter begins again at 0. */
void fake_reset(struct fake *f, struct fake_zone *z);

/* The meter on this tree. */
void fake_open(struct fake *f, struct bench *b, const char *max_watts);
/* A phase: begin, then `polls` times `poll_s` with a sample behind each, then end. */
void fake_phase(struct fake *f, struct bench *b, struct sink *s, int polls, double poll_s);
/* Fails unless the reading is there and within `relative` of the joules. */
void fake_expect(const struct sink *s, const char *name, double joules, double relative);
/* Fails unless it is absent and the reason has the word in it. */
void fake_expect_absent(const struct sink *s, const char *name, const char *word);
bool fake_has_flag(const struct sink_reading *r, const char *flag);

#endif
