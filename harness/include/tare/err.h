/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors as values.
 *
 * A function that can fail returns 0 or a negative code from the list below and fills a tare_err with
 * one line that says what happened, where, and what to do. The line is made where the fault is found
 * and printed once, by the command. Outputs are untouched on failure. This header holds no state and
 * needs no library: a plug-in can use it alone. It is not a log.
 */
#ifndef TARE_ERR_H
#define TARE_ERR_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TARE_EXPORT            __attribute__((visibility("default")))
#define TARE_MUST_CHECK        __attribute__((warn_unused_result))
#define TARE_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define TARE_EXPORT
#define TARE_MUST_CHECK
#define TARE_PRINTF(fmt, args)
#endif

/* code, name as stored in the database, what it means */
#define TARE_ERRORS(X)                                                                         \
    X(TARE_E_USAGE, -1, "usage", "the command line or plan asks for something that cannot be") \
    X(TARE_E_IO, -2, "io", "a file or pipe could not be read or written")                      \
    X(TARE_E_FORMAT, -3, "format", "a file's content is not what its format demands")          \
    X(TARE_E_NOMEM, -4, "nomem", "memory was refused")                                         \
    X(TARE_E_UNSUPPORTED, -5, "unsupported", "the backend or build lacks this capability")     \
    X(TARE_E_PLUGIN, -6, "plugin", "a shared object is not a plug-in that this tare can load") \
    X(TARE_E_BACKEND, -7, "backend", "the backend reported a failure")                         \
    X(TARE_E_DATABASE, -8, "database", "the database is damaged, locked, foreign or newer")    \
    X(TARE_E_LIMIT, -9, "limit", "a stated limit was exceeded")                                \
    X(TARE_E_ENVIRONMENT, -10, "environment", "this machine cannot do what is asked")          \
    X(TARE_E_INTERRUPTED, -11, "interrupted", "a signal asked to stop")

enum tare_error_code {
#define TARE_X(code, value, name, text) code = (value),
    TARE_ERRORS(TARE_X)
#undef TARE_X
};

/* Caller's memory; zero-initialise. msg is one line of UTF-8 without a newline. */
struct tare_err {
    int code;
    char msg[512];
};

/* Fills *err (which may be NULL) and returns `code`, so that `return tare_err_set(...)` reads well. */
TARE_PRINTF(3, 4)
static inline int tare_err_set(struct tare_err *err, int code, const char *fmt, ...)
{
    if (err) {
        va_list args;
        va_start(args, fmt);
        err->code = code;
        (void)vsnprintf(err->msg, sizeof err->msg, fmt, args);
        va_end(args);
    }
    return code;
}

/* The short stable name of a code ("format"), as stored in the database; "unknown" for others. */
static inline const char *tare_err_name(int code)
{
    switch (code) {
#define TARE_X(code_, value, name, text) \
    case code_:                          \
        return name;
        TARE_ERRORS(TARE_X)
#undef TARE_X
    default:
        return "unknown";
    }
}

#ifdef __cplusplus
}
#endif
#endif
