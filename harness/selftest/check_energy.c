/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Energy without a sensor: the powercap meter on a tree of our own whose counter we turn, the integral of a
 * power that is known, and shares of two spinners. The whole table of faults is in the tests; here is what
 * shows that this build reads a counter right and refuses what it cannot know.
 */
#include "selftest/instrument.h"
#include "selftest/selftest.h"

#include "metrics/derive/energy_parts.h"
#include "metrics/power.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tare/rng.h>
#include <unistd.h>

/* A counter of 10 J on a machine of at most 100 W: it goes round in a tenth of a second or longer. */
enum { range_uj = 10000000, step_ms = 20 };

struct tree {
    char root[64], zone[128];
};

static bool put(const struct tree *t, const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", t->zone, name);
    FILE *to = fopen(path, "we");
    bool ok = to && fputs(text, to) >= 0;
    return to ? fclose(to) == 0 && ok : false;
}

static bool turn(const struct tree *t, double total_uj)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%.0f\n", fmod(total_uj, range_uj + 1.0));
    return put(t, "energy_uj", text);
}

static bool plant(struct tree *t)
{
    (void)snprintf(t->root, sizeof t->root, "/tmp/tare-powercap-XXXXXX");
    if (!mkdtemp(t->root)) {
        return false;
    }
    (void)snprintf(t->zone, sizeof t->zone, "%s/intel-rapl:0", t->root);
    char range[32];
    (void)snprintf(range, sizeof range, "%d\n", range_uj);
    return mkdir(t->zone, 0700) == 0 && put(t, "name", "package-0\n") && turn(t, 0) &&
           put(t, "max_energy_range_uj", range);
}

static void fell(const struct tree *t)
{
    static const char *const names[] = {"name", "energy_uj", "max_energy_range_uj"};
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", t->zone, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(t->zone);
    (void)rmdir(t->root);
}

/* Turns the counter by total_j in `steps` steps, polled after each or never; the joules that the meter says,
 * NaN if it refuses. */
static double run(struct tare_check_instrument *m, const struct tree *t, double *at_uj, double total_j,
                  int steps, bool polled)
{
    tare_instrument_begin(m);
    for (int i = 0; i < steps; i++) {
        *at_uj += total_j * 1e6 / steps;
        (void)turn(t, *at_uj);
        (void)poll(NULL, 0, step_ms);
        if (polled) {
            m->ops->sample(m->self);
        }
    }
    tare_instrument_end(m);
    return tare_instrument_value(m, "energy_package_0");
}

static int check_counter(const struct tare_check_context *c, struct tare_check_instrument *m,
                         const struct tree *t, struct tare_err *err)
{
    static const struct {
        double joules;
        int steps;
        const char *workload;
    } cases[] = {{4, 10, "fake powercap counter of 10 J turned by 4 J"},
                 {9, 10, "the same turned by 9 J: one wrap"},
                 {25, 30, "the same turned by 25 J, polled on the way: two wraps or three"}};
    double at_uj = 2e6;
    int r = 0;
    (void)turn(t, at_uj);
    m->ops->sample(m->self);
    for (size_t i = 0; r == 0 && i < sizeof cases / sizeof *cases; i++) {
        double joules = run(m, t, &at_uj, cases[i].joules, cases[i].steps, true);
        r = tare_check_add_percent(c, "energy", cases[i].workload, "J", cases[i].joules, joules, 0.1, err);
    }
    double blind = run(m, t, &at_uj, 25, 10, false);
    return r == 0 ? tare_check_add(c, "energy",
                                   "the same turned by 25 J without a poll: refused (1), not guessed", "1", 1,
                                   isnan(blind) ? 1 : 0, 0, err)
                  : r;
}

static int check_powercap(const struct tare_check_context *c, struct tare_err *err)
{
    struct tree t;
    struct tare_err fault = {0};
    if (!plant(&t)) {
        return tare_check_add_absent(c, "energy", "fake powercap counter", strerror(errno), err);
    }
    const char *const options[] = {"root", t.root, "max_watts", "100", NULL};
    struct tare_check_instrument m;
    int r = tare_instrument_open(&m, "powercap", options, &fault);
    if (r < 0) {
        r = tare_check_add_absent(c, "energy", "fake powercap counter", fault.msg, err);
    } else {
        r = check_counter(c, &m, &t, err);
        tare_instrument_close(&m);
    }
    fell(&t);
    return r;
}

/* 100 W with a swing of 30 W every 31 s, seen about ten times a second, one look in seven lost. */
static int check_power(const struct tare_check_context *c, struct tare_err *err)
{
    struct tare_power p = {0};
    struct tare_rng root, rng;
    tare_rng_init(&root, c->seed);
    rng = tare_rng_split(&root, "power", 0);
    double t = 0;
    for (int i = 0; t < 120; i++) {
        if (i % 7 != 3) {
            tare_power_add(&p, llround(t * 1e9), 100 + 30 * sin(t / 5));
        }
        t += 0.05 + 0.1 * tare_rng_unit(&rng);
    }
    double end = (double)p.last_ns / 1e9, truth = 100 * end + 150 * (1 - cos(end / 5));
    return tare_check_add_percent(c, "power", "known power sampled at uneven times, one in seven lost, 120 s",
                                  "J", truth, p.joules, 0.5, err);
}

/* What is shared out are joules of two processes that took 1 s and 3 s of CPU time. */
static int check_shares(const struct tare_check_context *c, struct tare_err *err)
{
    const double cpu_s[] = {1, 3};
    double shares[2] = {(double)NAN, (double)NAN};
    bool sound = tare_energy_shares(100, 80, 20, cpu_s, 2, shares);
    int r = tare_check_add_percent(c, "attribution",
                                   "80 J above idle shared 1 to 3 by CPU time: the larger share", "J", 60,
                                   sound ? shares[1] : (double)NAN, 1, err);
    return r == 0
               ? tare_check_add_percent(c, "attribution", "the same: shares and idle make up the total", "J",
                                        100, sound ? shares[0] + shares[1] + 20 : (double)NAN, 0.1, err)
               : r;
}

int tare_check_energy(const struct tare_check_context *c, struct tare_err *err);

int tare_check_energy(const struct tare_check_context *c, struct tare_err *err)
{
    int r = check_powercap(c, err);
    r = r == 0 ? check_power(c, err) : r;
    return r == 0 ? check_shares(c, err) : r;
}
