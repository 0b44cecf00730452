/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which readings of energy a cell has, and what they add up to. One meter is taken for each scope, never
 * two; package, dram and device add up, wall contains them, all others stand by themselves. Shared by
 * the derivations of energy, carbon and cost; puts no figure itself.
 */
#ifndef TARE_METRICS_DERIVE_ENERGY_PARTS_H
#define TARE_METRICS_DERIVE_ENERGY_PARTS_H

#include "derive.h"

/* What a reading of energy covers: its scope. */
enum tare_part {
    TARE_PART_PACKAGE,
    TARE_PART_DRAM,
    TARE_PART_DEVICE,
    TARE_PART_CORE,
    TARE_PART_UNCORE,
    TARE_PART_PSYS,
    TARE_PART_BATTERY,
    TARE_PART_WALL,
    TARE_N_PARTS
};

/* What is known of one part in a cell. Borrowed from the evidence. */
struct tare_energy_part {
    const char *meter;    /* the one that is taken, or NULL */
    const char *left_out; /* another that reads the same scope, or NULL */
    const char *absent;   /* why none is taken; NULL if nothing reads it here, or one is taken */
};

struct tare_energy {
    const struct tare_evidence *e;
    struct tare_energy_part parts[TARE_N_PARTS];
    unsigned total;     /* bits of the parts that `energy` adds up; 0: there is no total */
    const char *absent; /* why there is no total */
    char no_meter[512]; /* what `absent` points to where no meter works */
    char scope[64];     /* of the total: "package+dram" */
    char source[200];   /* of the total: "powercap (package+dram)" */
};

/* An energy with what is not sure about it. */
struct tare_joules {
    double value; /* J; NaN when absent */
    double u;     /* J, standard: errors of reading; NaN: unknown */
    double gain;  /* J, standard: errors of the meters' gains, common to all that they read; NaN: unknown */
    const char *absent; /* the reason */
};

/* One value a repeat, with what is not sure about it. */
struct tare_series {
    double *values; /* room for all repeats */
    size_t n;
    double u, gain;      /* largest of the values'; NaN: unknown */
    const char *absent;  /* why a repeat that should have a value has none */
    const char *unknown; /* why there is no interval where u or gain is not known; NULL: the meter's fault */
};

/* Chooses a meter for each part. `out` refers to itself: it is not to be copied. */
void tare_energy_choose(const struct tare_evidence *e, struct tare_energy *out);
/* Is the repeat one that one process saw whole? Readings are of one process. */
bool tare_energy_usable(const struct tare_evidence_repeat *r);
/* The energy of those parts in one phase of a repeat. */
struct tare_joules tare_energy_read(const struct tare_energy *en, unsigned parts, int64_t repeat_id,
                                    const char *phase);
/* The same, with the gain of each part in J apart: what is subtracted is subtracted meter by meter. */
struct tare_joules tare_energy_read_parts(const struct tare_energy *en, unsigned parts, int64_t repeat_id,
                                          const char *phase, double gains_j[TARE_N_PARTS]);
/* One gain of all parts: those of one meter are one error and add up, signs and all; those of different
 * meters add in quadrature. */
double tare_energy_add_gains(const struct tare_energy *en, unsigned parts, const double gains[TARE_N_PARTS]);
/* Length of a phase in s, or NaN. */
double tare_energy_wall_s(const struct tare_evidence *e, int64_t repeat_id, const char *phase);
/* "package", the scope of its readings. */
const char *tare_energy_part_name(enum tare_part part);
/* Why nothing reads the part here. */
const char *tare_energy_why(const struct tare_energy *en, enum tare_part part);
/* "package+dram" and "powercap (package+dram), nvml (device)". */
void tare_energy_describe(const struct tare_energy *en, unsigned parts, char *scope, size_t n_scope,
                          char *source, size_t n_source);
/* Are the parts of both read from the same channels, so that the gain is the same? */
bool tare_energy_same_channels(const struct tare_energy *a, const struct tare_energy *b, unsigned parts);
/* The weakest kind of the readings, their flags, and SHORT_WINDOW where a counter stepped too rarely. */
void tare_energy_doubt(const struct tare_energy *en, unsigned parts, const char *phase,
                       struct tare_figure *f);

void tare_series_add(struct tare_series *s, double value, double u, double gain);
/*
 * Median of the repeats. Its interval is that of the repeats, widened by what the meter's errors of reading
 * and its gain add, each at 1.96 standard uncertainties, in quadrature; none where the meter does not know
 * them. `gain_text` says what became of the gain. Absent with s->absent, else with `none`, when empty.
 */
TARE_MUST_CHECK int tare_series_put(struct tare_figure *f, struct tare_series *s, const char *gain_text,
                                    const char *none, struct tare_figures *to, struct tare_err *err);

/* Items answered right in a repeat; NaN where the task has no such notion. */
TARE_MUST_CHECK int tare_energy_correct(const struct tare_evidence *e, int64_t repeat_id, double *out,
                                        struct tare_err *err);

/*
 * Shares by CPU time of what is beyond idle: out[i] = net cpu[i] / sum(cpu). False where there is nothing to
 * share, or where the shares and the idle energy do not make up meter_j to 0.1 %: what the meter itself read,
 * not what net_j and idle_j add up to.
 */
bool tare_energy_shares(double meter_j, double net_j, double idle_j, const double *cpu_s, size_t n,
                        double *out);

#define TARE_GAIN_IN_TEXT "gain (common to all cells on this meter)"

#endif
