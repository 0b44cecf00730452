/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parsing by option table (tare/opt.h): from a plan's JSON, from words of the command line, and back
 * into help text and JSON. Strings set here are owned by the options struct: free them with
 * tare_opts_fini. Unknown names are refused with the nearest known one.
 */
#ifndef TARE_BASE_OPT_H
#define TARE_BASE_OPT_H

#include <tare/json.h>
#include <tare/opt.h>

#include "base/buf.h"

/* The entry of that name, '-' counting as '_'; NULL if there is none. */
const struct tare_opt *tare_opts_find(const struct tare_opt *table, const char *name);
/* Sets options from an object's members, but for keys in the NULL-terminated list `skip` (may be NULL).
 * A text must be a string, or null for unset; object NULL sets nothing. */
TARE_MUST_CHECK int tare_opts_from_json(const struct tare_opt *table, void *base,
                                        const struct tare_json *object, const char *const *skip,
                                        const char *what, struct tare_err *err);
/* All values, defaults included, as members of `to`. */
void tare_opts_to_json(const struct tare_opt *table, const void *base, struct tare_json *to);
/* The table itself, for `tare list --json`. */
void tare_opts_describe(const struct tare_opt *table, struct tare_json *array);
/* One line an option; prefix is "--" on a command line. */
void tare_opts_help(const struct tare_opt *table, const char *prefix, struct tare_buf *to);
/* "int", "duration", ... */
const char *tare_opt_type_name(enum tare_opt_type type);
/* Error for an unknown name, with the nearest of the table and of the list. */
int tare_opts_unknown(const struct tare_opt *table, const char *const *more, const char *name,
                      const char *what, struct tare_err *err);

#endif
