/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option tables.
 *
 * One table describes the options of a plug-in, a task, a plan or a subcommand: it drives parsing
 * (from a plan's JSON and from the command line), defaults, limits, --help and the manual. The parsed
 * values are written straight into a struct at `offset`. The parser lives in the harness; the three calls
 * below let a plug-in use it for tables of its own.
 */
#ifndef TARE_OPT_H
#define TARE_OPT_H

#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Type of an option and the C type of the member that receives it. */
enum tare_opt_type {
    TARE_OPT_BOOL = 1, /* bool: true, false, yes, no, 1, 0 */
    TARE_OPT_I64,      /* int64_t */
    TARE_OPT_F64,      /* double */
    TARE_OPT_STR,      /* char *: owned by whoever parsed; NULL when unset and no default */
    TARE_OPT_CHOICE,   /* int64_t: index into `choices` */
    TARE_OPT_NS,       /* int64_t nanoseconds; accepts a suffix ns, us, ms or s */
    TARE_OPT_BYTES     /* int64_t bytes; accepts a suffix KiB, MiB, GiB or kB, MB, GB */
};

struct tare_opt {
    const char *name; /* lower_case_with_unit; the command line accepts '-' for '_' */
    enum tare_opt_type type;
    size_t offset;    /* of the member in the options struct */
    const char *def;  /* default, in the same syntax as a user's value; NULL: zero or NULL */
    const char *help; /* one line, no full stop */
    const char *unit; /* "tok", "ns", "B", or NULL */
    int64_t min;      /* inclusive limits for I64, NS, BYTES; both 0: none */
    int64_t max;
    const char *const *choices; /* NULL-terminated, for CHOICE */
};

/* Closes a table. */
#define TARE_OPT_END \
    {                \
        0            \
    }

/* Fills every member of the table with its default. `base` is zeroed memory of the options struct. */
TARE_MUST_CHECK TARE_EXPORT int tare_opts_init(const struct tare_opt *table, void *base,
                                               struct tare_err *err);
/* Frees the strings. */
TARE_EXPORT void tare_opts_fini(const struct tare_opt *table, void *base);
/* Sets one option from text. `what` says whose option it is ("backend null"). */
TARE_MUST_CHECK TARE_EXPORT int tare_opts_set(const struct tare_opt *table, void *base, const char *name,
                                              const char *value, const char *what, struct tare_err *err);

#ifdef __cplusplus
}
#endif
#endif
