/* SPDX-License-Identifier: Apache-2.0 */
/* Meters of a cell, one for each scope, and sums over their channels. */
#include "energy_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { max_candidates = 16, periods_of_window = 82 };

static const char *const part_names[TARE_N_PARTS] = {"package", "dram", "device",  "core",
                                                     "uncore",  "psys", "battery", "wall"};

const char *tare_energy_part_name(enum tare_part part)
{
    return part_names[part];
}

static const char *const why_not_read[TARE_N_PARTS] = {
    "no meter here reads the package",
    "no meter here reads dram",
    "no meter here reads a device",
    "no meter here reads the cores alone",
    "no meter here reads the uncore alone",
    "no meter here reads the whole platform (psys)",
    "no meter here reads a battery that is being discharged",
    "no meter here reads at the wall; 'tare doctor' says how to attach one",
};

/* Of two meters that read the same scope the one that stands first is taken. */
static const char *const preferred[] = {"powercap", "perf_power", "nvml", "rocm", "hwmon", "external"};

enum { n_preferred = sizeof preferred / sizeof *preferred };

static const char resumed[] = "every repeat was resumed, so no process saw all of it";

static size_t rank(const char *meter)
{
    size_t i = 0;
    while (i < n_preferred && strcmp(preferred[i], meter) != 0) {
        i++;
    }
    return i;
}

bool tare_energy_usable(const struct tare_evidence_repeat *r)
{
    return r->complete && r->attempts == 1;
}

/* A phase of a repeat. */
struct window {
    int64_t repeat_id;
    const char *phase;
};

static bool is_energy(const struct tare_reading_record *r)
{
    return strcmp(r->unit, "J") == 0 && strncmp(r->name, "energy_", 7) == 0 &&
           strcmp(r->meter, TARE_METER_OF_BACKEND) != 0;
}

static bool is_of(const struct tare_evidence_reading *r, enum tare_part part, const char *meter,
                  int64_t repeat_id, const char *phase)
{
    return r->repeat_id == repeat_id && is_energy(&r->r) && strcmp(r->r.scope, part_names[part]) == 0 &&
           strcmp(r->r.phase, phase) == 0 && (!meter || strcmp(r->r.meter, meter) == 0);
}

/* Why a reading has no value that can be used, or NULL. Something that is switched on draws power, so a
 * counter that shows none has not moved. */
static const char *fault_of(const struct tare_reading_record *r)
{
    return r->absent                          ? r->absent
           : !isfinite(r->value)              ? "the meter gave no number"
           : r->value < 0                     ? "the meter gave a negative energy"
           : r->value > 0                     ? NULL
           : strcmp(r->phase, "measure") == 0 ? "the counter did not move while measuring: the window is "
                                                "shorter than its step; use more items"
                                              : "the counter did not move in the phase";
}

/* Is there such a channel in that phase of a repeat? */
static bool has_channel(const struct tare_evidence *e, enum tare_part part,
                        const struct tare_reading_record *r, bool by_source, int64_t repeat_id,
                        const char *phase)
{
    for (size_t i = 0; i < e->n_readings; i++) {
        const struct tare_reading_record *other = &e->readings[i].r;
        if (is_of(&e->readings[i], part, r->meter, repeat_id, phase) && strcmp(r->name, other->name) == 0 &&
            (!by_source || strcmp(r->source, other->source) == 0)) {
            return true;
        }
    }
    return false;
}

/* Has one phase every channel of another? */
static bool covers(const struct tare_evidence *e, enum tare_part part, const char *meter, bool by_source,
                   const struct window *whole, const struct window *of)
{
    for (size_t i = 0; i < e->n_readings; i++) {
        if (is_of(&e->readings[i], part, meter, of->repeat_id, of->phase) &&
            !has_channel(e, part, &e->readings[i].r, by_source, whole->repeat_id, whole->phase)) {
            return false;
        }
    }
    return true;
}

/* A sum over a package more or less is another quantity, though it has the same name. */
static bool same_channels(const struct tare_evidence *e, enum tare_part part, const char *meter,
                          bool by_source, const struct window *a, const struct window *b)
{
    return covers(e, part, meter, by_source, a, b) && covers(e, part, meter, by_source, b, a);
}

static const struct tare_evidence_repeat *first_usable(const struct tare_evidence *e)
{
    size_t i = 0;
    while (i < e->n_repeats && !tare_energy_usable(&e->repeats[i])) {
        i++;
    }
    return i < e->n_repeats ? &e->repeats[i] : NULL;
}

/* Why the meter cannot be taken for the part: it must have read every usable repeat, from the same channels;
 * NULL if it has. */
static const char *unfit(const struct tare_evidence *e, enum tare_part part, const char *meter)
{
    const struct tare_evidence_repeat *first = first_usable(e);
    size_t usable = 0;
    for (size_t i = 0; i < e->n_repeats; i++) {
        size_t channels = 0;
        usable += tare_energy_usable(&e->repeats[i]);
        for (size_t j = 0; tare_energy_usable(&e->repeats[i]) && j < e->n_readings; j++) {
            if (is_of(&e->readings[j], part, meter, e->repeats[i].id, "measure")) {
                const char *fault = fault_of(&e->readings[j].r);
                channels++;
                if (fault) {
                    return fault;
                }
            }
        }
        if (tare_energy_usable(&e->repeats[i]) && channels == 0) {
            return "the meter gave no reading in a repeat";
        }
        if (tare_energy_usable(&e->repeats[i]) &&
            !same_channels(e, part, meter, true, &(struct window){first->id, "measure"},
                           &(struct window){e->repeats[i].id, "measure"})) {
            return "the meter did not read the same channels in every repeat";
        }
    }
    return usable ? NULL : tare_evidence_complete(e) ? resumed : "no repeat was completed";
}

/* Meters with a reading of the part, best first. */
static size_t candidates(const struct tare_evidence *e, enum tare_part part, const char **out)
{
    size_t n = 0;
    for (size_t i = 0; i < e->n_readings; i++) {
        const struct tare_evidence_reading *r = &e->readings[i];
        bool known = !is_of(r, part, NULL, r->repeat_id, "measure");
        for (size_t j = 0; j < n && !known; j++) {
            known = strcmp(out[j], r->r.meter) == 0;
        }
        if (known || n == max_candidates) {
            continue;
        }
        size_t at = n++;
        while (at > 0 && rank(out[at - 1]) > rank(r->r.meter)) {
            out[at] = out[at - 1];
            at--;
        }
        out[at] = r->r.meter;
    }
    return n;
}

static void choose(const struct tare_evidence *e, enum tare_part part, struct tare_energy_part *out)
{
    const char *meters[max_candidates];
    size_t n = candidates(e, part, meters);
    for (size_t i = 0; i < n; i++) {
        const char *why = unfit(e, part, meters[i]);
        if (!why && !out->meter) {
            out->meter = meters[i];
        } else if (!why && !out->left_out) {
            out->left_out = meters[i];
        } else if (why && !out->absent) {
            out->absent = why;
        }
    }
    out->absent = out->meter ? NULL : out->absent;
}

/* The first few distinct reasons for which no meter has read anything. */
static void explain_none(struct tare_energy *en)
{
    const struct tare_evidence *e = en->e;
    const char *said[3];
    size_t n = 0;
    int used = snprintf(en->no_meter, sizeof en->no_meter, "no energy meter works here:");
    if (e->no_meter) {
        said[n++] = e->no_meter;
    }
    for (size_t i = 0; i < e->n_readings && n < sizeof said / sizeof *said; i++) {
        const struct tare_reading_record *r = &e->readings[i].r;
        const char *fault = is_energy(r) && strcmp(r->phase, "measure") == 0 ? fault_of(r) : NULL;
        bool known = !fault;
        for (size_t j = 0; j < n && !known; j++) {
            known = strcmp(said[j], fault) == 0;
        }
        if (!known) {
            said[n++] = fault;
        }
    }
    for (size_t i = 0; i < n; i++) {
        used += snprintf(en->no_meter + used, sizeof en->no_meter - (size_t)used, "%s %.400s", i ? ";" : "",
                         said[i]);
    }
    (void)snprintf(en->no_meter + used, sizeof en->no_meter - (size_t)used, "%s; see 'tare doctor'",
                   n ? "" : " none gave a reading");
    en->absent = en->no_meter;
}

/* The widest total: the wall contains all; else what adds up. A part that has a meter which failed leaves a
 * hole that no sum may hide. */
static void add_up(struct tare_energy *en)
{
    const struct tare_energy_part *wall = &en->parts[TARE_PART_WALL];
    if (wall->meter || wall->absent) {
        en->total = wall->meter ? 1u << TARE_PART_WALL : 0;
        en->absent = wall->absent;
        return;
    }
    for (int part = TARE_PART_PACKAGE; part <= TARE_PART_DEVICE; part++) {
        en->total |= en->parts[part].meter ? 1u << part : 0;
        en->absent = en->absent ? en->absent : en->parts[part].absent;
    }
    if (en->absent) {
        en->total = 0;
    } else if (!en->total) {
        en->absent = "what the meters here read covers neither package, dram, device nor wall";
    }
}

void tare_energy_choose(const struct tare_evidence *e, struct tare_energy *out)
{
    bool works = false;
    memset(out, 0, sizeof *out);
    out->e = e;
    for (int part = 0; part < TARE_N_PARTS; part++) {
        choose(e, (enum tare_part)part, &out->parts[part]);
        works = works || out->parts[part].meter;
    }
    size_t usable = 0;
    for (size_t i = 0; i < e->n_repeats; i++) {
        usable += tare_energy_usable(&e->repeats[i]);
    }
    if (!tare_evidence_complete(e)) {
        out->absent = "no repeat was completed";
    } else if (usable == 0) {
        out->absent = resumed;
    } else if (!works) {
        explain_none(out);
    } else {
        add_up(out);
    }
    if (out->total) {
        tare_energy_describe(out, out->total, out->scope, sizeof out->scope, out->source, sizeof out->source);
    }
}

const char *tare_energy_why(const struct tare_energy *en, enum tare_part part)
{
    bool any = false;
    for (int i = 0; i < TARE_N_PARTS; i++) {
        any = any || en->parts[i].meter;
    }
    return en->parts[part].absent ? en->parts[part].absent
           : !any && en->absent   ? en->absent
                                  : why_not_read[part];
}

double tare_energy_add_gains(const struct tare_energy *en, unsigned parts, const double gains[TARE_N_PARTS])
{
    double square = 0;
    for (int i = 0; i < TARE_N_PARTS; i++) {
        bool first = parts & 1u << i;
        double same = 0;
        for (int j = 0; first && j < TARE_N_PARTS; j++) {
            bool shared = parts & 1u << j && strcmp(en->parts[i].meter, en->parts[j].meter) == 0;
            first = !(shared && j < i);
            same += shared ? gains[j] : 0;
        }
        square += first ? same * same : 0;
    }
    return sqrt(square);
}

static struct tare_joules no_joules(const char *why)
{
    return (struct tare_joules){(double)NAN, (double)NAN, (double)NAN, why};
}

struct tare_joules tare_energy_read(const struct tare_energy *en, unsigned parts, int64_t repeat_id,
                                    const char *phase)
{
    double gains_j[TARE_N_PARTS];
    return tare_energy_read_parts(en, parts, repeat_id, phase, gains_j);
}

struct tare_joules tare_energy_read_parts(const struct tare_energy *en, unsigned parts, int64_t repeat_id,
                                          const char *phase, double gains_j[TARE_N_PARTS])
{
    struct tare_joules sum = {0};
    double square = 0;
    memset(gains_j, 0, TARE_N_PARTS * sizeof *gains_j);
    for (int part = 0; part < TARE_N_PARTS; part++) {
        size_t channels = 0;
        for (size_t i = 0; parts & 1u << part && i < en->e->n_readings; i++) {
            const struct tare_reading_record *r = &en->e->readings[i].r;
            if (!is_of(&en->e->readings[i], (enum tare_part)part, en->parts[part].meter, repeat_id, phase)) {
                continue;
            }
            const char *fault = fault_of(r);
            if (fault) {
                return no_joules(fault);
            }
            channels++;
            sum.value += r->value;
            square += r->u * r->u;
            gains_j[part] += r->gain * r->value;
        }
        if (parts & 1u << part && channels == 0) {
            return no_joules("the meter gave no reading in the phase");
        }
        if (parts & 1u << part && strcmp(phase, "measure") != 0 &&
            !same_channels(en->e, (enum tare_part)part, en->parts[part].meter, false,
                           &(struct window){repeat_id, "measure"}, &(struct window){repeat_id, phase})) {
            return no_joules("the meter read other channels in that phase than while measuring");
        }
    }
    sum.u = sqrt(square);
    sum.gain = tare_energy_add_gains(en, parts, gains_j);
    return sum;
}

double tare_energy_wall_s(const struct tare_evidence *e, int64_t repeat_id, const char *phase)
{
    const struct tare_reading_record *r = tare_evidence_find(e, repeat_id, phase, "wall");
    return r && !r->absent && r->value > 0 ? r->value / 1e9 : (double)NAN;
}

static void append(char *to, size_t n, const char *x, const char *y)
{
    size_t used = strlen(to);
    (void)snprintf(to + used, n - used, "%s%s", x, y);
}

void tare_energy_describe(const struct tare_energy *en, unsigned parts, char *scope, size_t n_scope,
                          char *source, size_t n_source)
{
    const char *last = NULL;
    scope[0] = source[0] = '\0';
    for (int part = 0; part < TARE_N_PARTS; part++) {
        const struct tare_energy_part *p = &en->parts[part];
        if (!(parts & 1u << part) || !p->meter) {
            continue;
        }
        append(scope, n_scope, *scope ? "+" : "", part_names[part]);
        if (last && strcmp(last, p->meter) == 0) {
            append(source, n_source, "+", part_names[part]);
        } else {
            append(source, n_source, last ? "), " : "", p->meter);
            append(source, n_source, " (", part_names[part]);
        }
        last = p->meter;
    }
    append(source, n_source, last ? ")" : "", "");
    for (int part = 0; part < TARE_N_PARTS; part++) {
        if (parts & 1u << part && en->parts[part].left_out) {
            append(source, n_source, "; not added: ", en->parts[part].left_out);
        }
    }
}

/* The index-th reading of the parts in the first usable repeat, or NULL. */
static const struct tare_reading_record *channel(const struct tare_energy *en, unsigned parts, size_t index)
{
    const struct tare_evidence *e = en->e;
    const struct tare_evidence_repeat *first = first_usable(e);
    for (int part = 0; first && part < TARE_N_PARTS; part++) {
        for (size_t i = 0; parts & 1u << part && i < e->n_readings; i++) {
            if (is_of(&e->readings[i], (enum tare_part)part, en->parts[part].meter, first->id, "measure") &&
                index-- == 0) {
                return &e->readings[i].r;
            }
        }
    }
    return NULL;
}

bool tare_energy_same_channels(const struct tare_energy *a, const struct tare_energy *b, unsigned parts)
{
    for (size_t i = 0;; i++) {
        const struct tare_reading_record *x = channel(a, parts, i), *y = channel(b, parts, i);
        if (!x || !y) {
            return !x && !y && i > 0;
        }
        if (strcmp(x->meter, y->meter) != 0 || strcmp(x->name, y->name) != 0 ||
            strcmp(x->source, y->source) != 0) {
            return false;
        }
    }
}

/* A window of fewer steps of the counter than 82 has 2u over 1 % (0.41 of a step for each standard u). */
static bool is_short(const struct tare_evidence *e, const struct tare_evidence_reading *r)
{
    char name[128];
    (void)snprintf(name, sizeof name, "%s_period", r->r.name);
    double wall_s = tare_energy_wall_s(e, r->repeat_id, r->r.phase);
    for (size_t i = 0; i < e->n_readings; i++) {
        const struct tare_reading_record *p = &e->readings[i].r;
        if (e->readings[i].repeat_id == r->repeat_id && strcmp(p->name, name) == 0 &&
            strcmp(p->meter, r->r.meter) == 0 && strcmp(p->phase, r->r.phase) == 0 && !p->absent) {
            return wall_s < periods_of_window * p->value;
        }
    }
    return false;
}

void tare_energy_doubt(const struct tare_energy *en, unsigned parts, const char *phase, struct tare_figure *f)
{
    const struct tare_evidence *e = en->e;
    if (parts & 1u << TARE_PART_DEVICE && en->parts[TARE_PART_DEVICE].left_out) {
        tare_figure_flag(f, "DEVICES_LEFT_OUT"); /* two meters may read two devices: nobody can tell */
    }
    for (size_t i = 0; i < e->n_repeats; i++) {
        for (size_t j = 0; tare_energy_usable(&e->repeats[i]) && j < e->n_readings; j++) {
            const struct tare_evidence_reading *r = &e->readings[j];
            for (int part = 0; part < TARE_N_PARTS; part++) {
                if (parts & 1u << part && en->parts[part].meter &&
                    is_of(r, (enum tare_part)part, en->parts[part].meter, e->repeats[i].id, phase)) {
                    int kind = tare_kind_of(r->r.kind);
                    f->kind = kind > f->kind ? kind : f->kind;
                    tare_figure_pass_flags(f, r->r.flags);
                    if (is_short(e, r)) {
                        tare_figure_flag(f, "SHORT_WINDOW");
                    }
                }
            }
        }
    }
}
