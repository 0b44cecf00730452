/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Energy by the kernel's powercap tree: RAPL counters of packages, their cores, uncore and memory, and of
 * the platform, of Intel and of AMD.
 *
 * Every zone is one channel with its own range and its own sum, carried on at every poll. Twins (the same
 * zone by MSR and by MMIO) and mirrors (two zones that show one counter, as dies of one AMD package do) are
 * one channel. Not the energy of the machine: power supply, fans, disks, boards and cards lie outside. Not
 * for phases shorter than some of the counter's steps (about a millisecond). How far RAPL itself is off is
 * not known: 5 % is declared.
 */
#include "cpuinfo.h"
#include "joules.h"
#include "now.h"
#include "powercap_zones.h"
#include "sysfile.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char default_root[] = "/sys/class/powercap";
static const char no_permission[] =
    "no permission to read energy_uj: run as root, or let a udev rule or chmod make it readable";
static const char no_mirror[] =
    "what was taken for its mirror has gone its own way: start again, so that both are counted";
static const char maybe_mirror[] =
    "MIRROR_UNKNOWN: another zone showed the same, and too few steps were seen to say whether the two are "
    "one: make the phase longer";

enum {
    burst_ns = 30000000,    /* reads in `open` that look for the counters' steps */
    longest_ns = 300000000, /* as long as two zones may be one or not */
    mirror_rounds = 5,      /* reads back to back in which two zones must agree */
    mirror_moves = 2        /* and as often must each have moved */
};

/* Constraints are set limits, which short peaks exceed: four times the largest, and never below 100 W. */
static const double power_margin = 4, least_max_w = 100;

/* What the burst saw of one zone. */
struct seen {
    uint64_t last, largest_step;
    int64_t n_reads, n_moves, first_move_ns, last_move_ns;
};

struct powercap {
    char *root;
    char *cpuinfo;
    double max_watts;
    size_t n;
    struct tare_cpuinfo cpu;
    struct tare_zone zones[tare_zones_max];
    struct tare_joules joules[tare_zones_max];
    double mirror_uj[tare_zones_max]; /* of a mirror: how far it may be from its original */
    bool has_parted[tare_zones_max];  /* of an original: its mirror was none */
    /* Zones below this one that it may be a mirror of: they have agreed so far, but too few moves were seen.
     */
    uint64_t maybe[tare_zones_max];
    int64_t n_looks[tare_zones_max], n_equal[tare_zones_max]; /* polls of it and the first of them */
};

_Static_assert(tare_zones_max <= 64, "zones that may be mirrors are bits");

static int read_zone(const struct tare_zone *z, uint64_t *raw)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/energy_uj", z->dir);
    return tare_sysfile_u64(path, raw);
}

static void look(struct seen *s, uint64_t raw, int64_t now_ns)
{
    uint64_t step = raw > s->last ? raw - s->last : 0;
    if (s->n_reads++ > 0 && raw != s->last) {
        s->first_move_ns = s->n_moves == 0 ? now_ns : s->first_move_ns;
        s->last_move_ns = now_ns;
        s->largest_step = step > s->largest_step ? step : s->largest_step;
        s->n_moves++;
    }
    s->last = raw;
}

/* Distance on the ring. */
static double apart_uj(const struct tare_zone *z, uint64_t a, uint64_t b)
{
    double d = a > b ? (double)(a - b) : (double)(b - a), around = tare_zone_modulus(z) - d;
    return around > 0 && around < d ? around : d;
}

/* What was seen of two zones, read back to back. */
struct pair {
    int64_t n_rounds; /* in which both could be read */
    int64_t n_equal;  /* of them, in which they showed the same */
    double apart_uj;  /* the farthest */
};

struct burst {
    struct seen seen[tare_zones_max];
    struct pair pair[tare_zones_max][tare_zones_max];
};

/* A round in which either could not be read says nothing of the two. */
static void compare(const struct powercap *p, struct burst *b, const bool *fresh)
{
    for (size_t k = 1; k < p->n; k++) {
        for (size_t i = 0; i < k; i++) {
            struct pair *pair = &b->pair[i][k];
            if (fresh[i] && fresh[k]) {
                double d = apart_uj(&p->zones[k], b->seen[i].last, b->seen[k].last);
                pair->apart_uj = d > pair->apart_uj ? d : pair->apart_uj;
                pair->n_rounds++;
                pair->n_equal += b->seen[i].last == b->seen[k].last;
            }
        }
    }
}

enum kinship { KIN_NONE, KIN_MAYBE, KIN_ONE };

/* One: two zones that cover the same kind of thing, both of which moved, and that show the same but for a
 * step that fell between the two reads. Counters that stand still are no mirrors: nothing tells them apart.
 */
static enum kinship kinship_of(const struct powercap *p, const struct burst *b, size_t i, size_t k)
{
    const struct tare_zone *x = &p->zones[i], *y = &p->zones[k];
    const struct seen *s = &b->seen[i], *t = &b->seen[k];
    const struct pair *pair = &b->pair[i][k];
    uint64_t step = s->largest_step > t->largest_step ? s->largest_step : t->largest_step;
    if (x->same_as >= 0 || y->same_as >= 0 || x->error || y->error || strcmp(x->scope, y->scope) != 0 ||
        fabs(x->range_uj - y->range_uj) >= 1 || pair->apart_uj > (double)step ||
        2 * pair->n_equal < pair->n_rounds) {
        return KIN_NONE;
    }
    bool seen_enough =
        pair->n_rounds >= mirror_rounds && s->n_moves >= mirror_moves && t->n_moves >= mirror_moves;
    return seen_enough ? KIN_ONE : KIN_MAYBE;
}

static bool is_undecided(const struct powercap *p, const struct burst *b)
{
    for (size_t k = 1; k < p->n; k++) {
        for (size_t i = 0; i < k; i++) {
            if (kinship_of(p, b, i, k) == KIN_MAYBE) {
                return true;
            }
        }
    }
    return false;
}

/* Reads all zones back to back, again and again, for burst_ns, and longer while two may be one. */
static void run_burst(struct powercap *p, struct burst *b)
{
    int64_t begin_ns = tare_now_ns(), now_ns = begin_ns;
    for (int round = 0; round < mirror_rounds || now_ns - begin_ns < burst_ns ||
                        (now_ns - begin_ns < longest_ns && is_undecided(p, b));
         round++) {
        bool fresh[tare_zones_max] = {false};
        for (size_t i = 0; i < p->n; i++) {
            uint64_t raw = 0;
            fresh[i] = p->zones[i].error == 0 && read_zone(&p->zones[i], &raw) == 0;
            if (fresh[i]) {
                look(&b->seen[i], raw, now_ns);
            }
        }
        compare(p, b, fresh);
        now_ns = tare_now_ns();
    }
}

/* How far two that are one may be apart when read one after the other under any load. */
static double allowed_uj(const struct powercap *p, size_t k, double step_uj)
{
    return 3 * step_uj + p->joules[k].counter.max_rate * 0.01;
}

/* Says in the source of i that k was left out. */
static void tell_left_out(struct powercap *p, size_t i, size_t k)
{
    char id[sizeof p->zones[k].id];
    struct tare_joules *j = &p->joules[i];
    size_t n = strlen(j->source);
    memcpy(id, p->zones[k].id, sizeof id);
    (void)snprintf(j->source + n, sizeof j->source - n, "; the same as %s, left out", id);
}

static void join(struct powercap *p, size_t i, size_t k, double step_uj)
{
    p->zones[k].same_as = (int)i;
    p->mirror_uj[k] = allowed_uj(p, k, step_uj);
    p->maybe[k] = 0;
    tare_joules_flag(p->joules[i].flags, sizeof p->joules[i].flags, "MIRRORED");
    tell_left_out(p, i, k);
}

static void find_mirrors(struct powercap *p, const struct burst *b)
{
    for (size_t k = 1; k < p->n; k++) {
        for (size_t i = 0; i < k; i++) {
            enum kinship kin = kinship_of(p, b, i, k);
            if (kin == KIN_ONE) {
                join(p, i, k, (double)b->seen[k].largest_step);
            } else if (kin == KIN_MAYBE) {
                p->maybe[k] |= UINT64_C(1) << i;
            }
        }
    }
}

static double max_w_of(const struct powercap *p, const struct tare_zone *z)
{
    double w = power_margin * z->max_w;
    return z->max_w <= 0 ? (p->max_watts > 0 ? p->max_watts : 1000) : w > least_max_w ? w : least_max_w;
}

static void set_up(struct powercap *p, size_t i)
{
    const struct tare_zone *z = &p->zones[i];
    struct tare_joules *j = &p->joules[i];
    *j = (struct tare_joules){.scope = z->scope, .joule = 1e-6, .gain = 0.05};
    (void)snprintf(j->name, sizeof j->name, "energy_%s", z->channel);
    (void)snprintf(j->source, sizeof j->source, "powercap %s/energy_uj", z->id);
    j->counter.modulus = tare_zone_modulus(z);
    j->counter.max_rate = max_w_of(p, z) * 1e6;
    j->least_modulus = 65536e6; /* 2^32 units of 2^-16 J, the smallest that powercap shows */
    if (z->error) {
        (void)snprintf(j->never, sizeof j->never, "%s",
                       z->error == EACCES || z->error == EPERM ? no_permission : strerror(z->error));
    }
    static const char *const words[] = {"TWIN", "NO_RANGE", "FILTERED", "AMD_CORE"};
    const bool holds[] = {z->has_twin, z->range_uj <= 0, p->cpu.has_sgx,
                          p->cpu.is_amd && strcmp(z->scope, "core") == 0};
    for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
        tare_joules_flag(j->flags, sizeof j->flags, holds[w] ? words[w] : "");
    }
}

static void tell_twins(struct powercap *p)
{
    for (size_t k = 0; k < p->n; k++) {
        if (p->zones[k].same_as >= 0) {
            tell_left_out(p, (size_t)p->zones[k].same_as, k);
        }
    }
}

static int learn(struct powercap *p, struct tare_err *err)
{
    struct burst *b = calloc(1, sizeof *b);
    if (!b) {
        return tare_err_set(err, TARE_E_NOMEM, "meter powercap: out of memory");
    }
    tare_zones_join_twins(p->zones, p->n);
    for (size_t i = 0; i < p->n; i++) {
        set_up(p, i);
    }
    tell_twins(p);
    run_burst(p, b);
    find_mirrors(p, b);
    for (size_t i = 0; i < p->n; i++) {
        const struct seen *s = &b->seen[i];
        p->joules[i].period_s =
            s->n_moves > 2 ? (double)(s->last_move_ns - s->first_move_ns) / 1e9 / (double)(s->n_moves - 1)
                           : 0;
    }
    free(b);
    return 0;
}

/* Why nothing can be read in that tree; 0 if something can. */
static int check_zones(const char *root, const struct tare_zone *zones, size_t n, struct tare_err *err)
{
    bool denied = false;
    for (size_t i = 0; i < n; i++) {
        if (zones[i].error == 0) {
            return 0;
        }
        denied |= zones[i].error == EACCES || zones[i].error == EPERM;
    }
    return n == 0   ? tare_err_set(err, TARE_E_ENVIRONMENT,
                                   "%s has no intel-rapl zones: no RAPL here (a virtual machine has none), or "
                                     "the module intel_rapl_msr is not loaded",
                                   root)
           : denied ? tare_err_set(err, TARE_E_ENVIRONMENT, "%s: %s", root, no_permission)
                    : tare_err_set(err, TARE_E_ENVIRONMENT, "%s/energy_uj: %s", zones[0].dir,
                                   strerror(zones[0].error));
}

static int powercap_probe(char *why, size_t n_why)
{
    struct tare_zone *zones = calloc(tare_zones_max, sizeof *zones);
    struct tare_err err = {0};
    bool more = false;
    int r = zones ? check_zones(default_root, zones, tare_zones_find(default_root, zones, &more), &err)
                  : tare_err_set(&err, TARE_E_NOMEM, "out of memory");
    free(zones);
    if (r < 0) {
        (void)snprintf(why, n_why, "%s", err.msg);
    }
    return r;
}

static int powercap_open(void *self, struct tare_err *err)
{
    struct powercap *p = self;
    const char *root = p->root ? p->root : default_root;
    bool more = false;
    p->n = tare_zones_find(root, p->zones, &more);
    if (more) {
        return tare_err_set(err, TARE_E_LIMIT,
                            "%s has more than %d zones, or one whose path is too long: a sum would lack some",
                            root, tare_zones_max);
    }
    int r = check_zones(root, p->zones, p->n, err);
    if (r < 0) {
        return r;
    }
    tare_cpuinfo_read(p->cpuinfo, &p->cpu);
    return learn(p, err);
}

static void check_mirror(struct powercap *p, size_t k, int code, uint64_t raw)
{
    const struct tare_joules *original = &p->joules[p->zones[k].same_as];
    if (p->mirror_uj[k] > 0 && code == 0 && original->error == 0 && original->counter.begun &&
        apart_uj(&p->zones[k], raw, original->counter.last) > p->mirror_uj[k]) {
        p->has_parted[p->zones[k].same_as] = true;
    }
}

/* The first zone that k may be a mirror of; -1: there is none. */
static int first_maybe(const struct powercap *p, size_t k)
{
    for (size_t i = 0; i < k; i++) {
        if (p->maybe[k] >> i & 1 && p->zones[i].same_as < 0) {
            return (int)i;
        }
    }
    return -1;
}

/* They are two: on to the next one that it may be a mirror of. */
static void part(struct powercap *p, size_t i, size_t k)
{
    p->maybe[k] &= ~(UINT64_C(1) << i);
    p->n_looks[k] = p->n_equal[k] = 0;
}

/* Two that may be one have just been read. */
static void follow_maybes(struct powercap *p)
{
    for (size_t k = 1; k < p->n; k++) {
        int i = first_maybe(p, k);
        if (i < 0 || p->joules[i].error || p->joules[k].error) {
            continue;
        }
        const struct tare_counter *x = &p->joules[i].counter, *y = &p->joules[k].counter;
        if (apart_uj(&p->zones[k], x->last, y->last) > allowed_uj(p, k, fmax(x->last_step, y->last_step))) {
            part(p, (size_t)i, k);
            continue;
        }
        p->n_looks[k]++;
        p->n_equal[k] += x->last == y->last;
    }
}

/* The end of a phase: they are one now, or two, or not told apart so far (until they move, both are absent
 * for standing still). */
static void decide_maybes(struct powercap *p, bool *unknown)
{
    for (size_t k = 1; k < p->n; k++) {
        for (int i = first_maybe(p, k); i >= 0; i = first_maybe(p, k)) {
            const struct tare_counter *x = &p->joules[i].counter, *y = &p->joules[k].counter;
            if (p->n_looks[k] < mirror_rounds || x->n_moves < mirror_moves || y->n_moves < mirror_moves) {
                unknown[i] = unknown[i] || x->n_moves + y->n_moves > 0;
                unknown[k] = unknown[k] || x->n_moves + y->n_moves > 0;
                break;
            }
            if (2 * p->n_equal[k] >= p->n_looks[k]) {
                join(p, (size_t)i, k, y->last_step);
            } else {
                part(p, (size_t)i, k);
            }
        }
    }
}

static void powercap_sample(void *self)
{
    struct powercap *p = self;
    for (size_t i = 0; i < p->n; i++) {
        bool is_twin = p->zones[i].same_as >= 0 && p->mirror_uj[i] <= 0;
        if (p->zones[i].error || is_twin) {
            continue;
        }
        uint64_t raw = 0;
        int64_t before_ns = tare_now_ns();
        int code = read_zone(&p->zones[i], &raw);
        int64_t after_ns = tare_now_ns();
        if (p->zones[i].same_as >= 0) {
            check_mirror(p, i, code, raw);
        } else {
            tare_joules_take(&p->joules[i], code, raw, before_ns, after_ns);
        }
    }
    follow_maybes(p);
}

static void powercap_begin(void *self)
{
    struct powercap *p = self;
    powercap_sample(p);
    for (size_t i = 0; i < p->n; i++) {
        tare_joules_begin(&p->joules[i]);
    }
}

static void powercap_end(void *self, struct tare_readings *to)
{
    struct powercap *p = self;
    bool unknown[tare_zones_max] = {false};
    powercap_sample(p);
    decide_maybes(p, unknown);
    for (size_t i = 0; i < p->n; i++) {
        struct tare_joules *j = &p->joules[i];
        if (p->zones[i].same_as >= 0) {
            continue;
        }
        if (p->has_parted[i]) {
            (void)snprintf(j->never, sizeof j->never, "%s", no_mirror);
            tare_joules_flag(j->flags, sizeof j->flags, "MIRROR_LOST");
        }
        bool is_unknown = unknown[i] && !j->never[0];
        if (is_unknown) {
            (void)snprintf(j->never, sizeof j->never, "%s", maybe_mirror);
        }
        tare_joules_report(j, to);
        j->never[0] = is_unknown ? '\0' : j->never[0]; /* the next phase may tell */
    }
}

static void powercap_close(void *self)
{
    (void)self; /* holds nothing */
}

static const struct tare_opt powercap_options[] = {
    {.name = "root",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct powercap, root),
     .def = "/sys/class/powercap",
     .help = "folder of the powercap tree"},
    {.name = "cpuinfo",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct powercap, cpuinfo),
     .def = "/proc/cpuinfo",
     .help = "file that says which processor it is and whether SGX is on"},
    {.name = "max_watts",
     .type = TARE_OPT_F64,
     .offset = offsetof(struct powercap, max_watts),
     .def = "1000",
     .unit = "W",
     .help = "most power that a zone without a constraint can draw"},
    TARE_OPT_END};

const struct tare_meter tare_meter_powercap = {
    .header = TARE_METER_HEADER,
    .name = "powercap",
    .summary = "energy of packages and memory by RAPL, from the powercap tree",
    .priv_size = sizeof(struct powercap),
    .probe = powercap_probe,
    .open = powercap_open,
    .begin = powercap_begin,
    .end = powercap_end,
    .close = powercap_close,
    .place = TARE_METER_OUTSIDE,
    .options = powercap_options,
    .sample = powercap_sample};
