/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of the machine and of this build: what a reader needs to judge or repeat a run. Host name,
 * machine id, serial numbers and UUIDs leave this file as "sha256:" and 16 digits only.
 */
#ifndef TARE_CORE_ENVIRONMENT_H
#define TARE_CORE_ENVIRONMENT_H

#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <tare/err.h>

/* Where to look. What comes from system calls (affinity, time, this process) is always this machine's. */
struct tare_environment_roots {
    const char *proc;   /* "/proc" */
    const char *sys;    /* "/sys" */
    const char *root;   /* "" before /etc, /run and /.dockerenv */
    const char *folder; /* of the database: its disk is described */
};

/* value NULL: absent, with the reason. Strings live during the call. */
typedef int (*tare_environment_fn)(void *ctx, const char *key, const char *value, const char *absent,
                                   struct tare_err *err);
/* All of it; tens of milliseconds. */
TARE_MUST_CHECK int tare_environment_walk(tare_environment_fn fn, void *ctx, struct tare_err *err);
/* The same with other places; roots NULL: this machine, and the current folder's disk. */
TARE_MUST_CHECK int tare_environment_walk_at(const struct tare_environment_roots *roots,
                                             tare_environment_fn fn, void *ctx, struct tare_err *err);
/* Only what changes by itself within minutes: load, pressure, temperature, frequency, throttling, uptime.
 * Below 2 ms on a machine of some dozen processors. Keys are among those of the whole walk. */
TARE_MUST_CHECK int tare_environment_state_walk(const struct tare_environment_roots *roots,
                                                tare_environment_fn fn, void *ctx, struct tare_err *err);

/* Is it the key of a setting that must not change in the course of a run? */
bool tare_environment_is_setting(const char *key, size_t n_key);
/* SHA-256 over all of those and their values: two that differ mean SETTINGS_CHANGED. */
TARE_MUST_CHECK int tare_environment_fingerprint(const struct tare_environment_roots *roots,
                                                 char out[TARE_SHA256_HEX], struct tare_err *err);

#endif
