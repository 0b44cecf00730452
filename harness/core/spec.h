/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker is told to do: one cell, from one item on. Travels as JSON and is stored with the
 * cell, so that any result can be asked for again.
 */
#ifndef TARE_CORE_SPEC_H
#define TARE_CORE_SPEC_H

#include <tare/json.h>

/* Which meters are in use at all. */
enum tare_metering_choice { TARE_METERING_ALL, TARE_METERING_NONE };
extern const char *const tare_metering_choices[];

enum tare_network { TARE_NETWORK_HOST, TARE_NETWORK_OWN };
/* "host", "own", NULL: as options name them. */
extern const char *const tare_network_names[];

/* Strings are owned. options and task_options are objects. */
struct tare_spec {
    char *backend;   /* path of the shared object */
    char *model;     /* path or name; NULL for none */
    char *technique; /* taxonomy tag that the backend must apply; NULL for none */
    char *task;
    char *data_dir;
    char *exe;                  /* tare whose worker runs it; NULL: the one that supervises */
    char *folder;               /* that relative paths in options start from; NULL: the current one */
    int64_t task_version;       /* that the plan was made for; 0: any */
    int64_t seed;               /* of the task */
    int64_t warmup;             /* items asked before measuring */
    int64_t window_tok;         /* for texts; 0: the model's context */
    int64_t memory_limit_bytes; /* address space of the worker; 0: none */
    int64_t network;            /* enum tare_network: whose network namespace it runs in */
    char *cgroup;               /* folder of a cgroup that it enters first; NULL: none */
    int64_t first_item;
    int64_t sustain_ns; /* least length of the phase sustain; 0: there is none */
    int64_t metering;   /* enum tare_metering_choice */
    struct tare_json *options;
    struct tare_json *task_options;
    struct tare_json *environment; /* an object of texts: variables of the worker; NULL: none of its own */
    struct tare_json *meters;      /* an object that holds the plan's "meters", or NULL */
};

/* A whole number among a cell's options, written as a number (by a plan) or as text (from the command line);
 * NaN where it is not given. */
double tare_spec_number(const struct tare_json *options, const char *name);

TARE_MUST_CHECK int tare_spec_parse(const char *text, size_t n, struct tare_spec *out, struct tare_err *err);
void tare_spec_fini(struct tare_spec *spec);
/* The same spec, to begin at another item; free() it. What is the supervisor's to do, exe and environment, is
 * left out: an older worker does not know of it. */
TARE_MUST_CHECK int tare_spec_from(const char *spec, int64_t first_item, char **out, struct tare_err *err);

#endif
