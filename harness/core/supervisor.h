/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running one worker: start it, feed it its spec, take its stream, hold its time limit, and say how
 * it ended. Whatever a backend does to its process becomes an outcome here, never an error; errors
 * are our own (the receiver failed, the machine refuses processes, the user asked to stop).
 */
#ifndef TARE_CORE_SUPERVISOR_H
#define TARE_CORE_SUPERVISOR_H

#include "core/outside.h"
#include "core/stream.h"

#include <tare/json.h>

struct tare_supervise_args {
    const char *exe;                  /* this tare, or another whose stream has the same version */
    const char *spec;                 /* JSON */
    int64_t time_limit_ns;            /* 0: none */
    const struct tare_inbox_ops *ops; /* what to do with the records; `end` may be NULL */
    void *ctx;
    size_t padding_bytes;                /* of the worker's environment (core/padding.h) */
    const struct tare_json *environment; /* an object of texts, the worker's own variables; NULL: none */
    struct tare_outside *outside;        /* NULL: no meter outside */
    /* Called at least every 200 ms, e.g. to commit and to show progress. */
    int (*tick)(void *ctx, struct tare_err *err);
};

struct tare_supervised {
    enum tare_outcome outcome;
    char message[640]; /* "" when ok: else "crash: SIGSEGV in measure" and the like */
};

/* TARE_E_INTERRUPTED when a signal asks to stop (core/interrupt.h). */
TARE_MUST_CHECK int tare_supervise(const struct tare_supervise_args *args, struct tare_supervised *out,
                                   struct tare_err *err);
/* Runs `exe worker HOW PATH`, HOW "--probe" for a backend and "--probe-meter" for a meter, and returns its
 * standard output (JSON; free() it). A crash of the object while it is being loaded is an error of the
 * object, not of ours; so is a probe that has not ended after 20 s. */
TARE_MUST_CHECK int tare_supervise_probe(const char *exe, const char *how, const char *path, char **out,
                                         struct tare_err *err);

#endif
