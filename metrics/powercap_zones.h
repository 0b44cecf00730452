/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The zones of a powercap tree: which there are, what each covers, and which of them are one and the same
 * meter. Reads the small text files of sysfs; the counters themselves are read by powercap.c. Zones are told
 * by the content of their file `name`, never by their number in the tree, which differs between machines.
 */
#ifndef TARE_METRICS_POWERCAP_ZONES_H
#define TARE_METRICS_POWERCAP_ZONES_H

#include <stdbool.h>
#include <stddef.h>

enum { tare_zones_max = 48 };

struct tare_zone {
    char dir[200];     /* its folder */
    char id[40];       /* the folder's name: intel-rapl:0:1 */
    char channel[40];  /* package_0, package_0_dram, psys */
    const char *scope; /* package, dram, core, uncore, psys; "other" if its name says none of these */
    double range_uj;   /* max_energy_range_uj; 0: there is none, or it cannot be read */
    double unit_uj;    /* of the raw counter behind it */
    double max_w;      /* largest of its constraints; 0: it has none */
    int error;         /* errno of reading energy_uj when it was found; 0: it can be read */
    bool has_twin;     /* the same zone is there under another control type as well */
    int same_as; /* index of the zone that this one is a twin or a mirror of; -1: it stands for itself */
};

/* Zones of control types that begin with "intel-rapl" (AMD's are among them) in root, those of plain
 * intel-rapl first, then by their number. Returns how many; *more is set if there are more than fit. */
size_t tare_zones_find(const char *root, struct tare_zone *zones, bool *more);
/* Number of values that the counter has, in uj; 0 if the range is not known. */
double tare_zone_modulus(const struct tare_zone *zone);
/* The first in the list that covers the same: a zone of that name under another control type. Sets same_as
 * of the one that is left out; one that can be read stands before one that cannot. */
void tare_zones_join_twins(struct tare_zone *zones, size_t n);

#endif
