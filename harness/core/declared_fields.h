/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of JSON by a table of fields: strict about names, types and ranges. Internal to core/declared.c.
 * Unlike options (tare/opt.h) a number is never a text, and a field can be one that must be there.
 */
#ifndef TARE_CORE_DECLARED_FIELDS_H
#define TARE_CORE_DECLARED_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <tare/json.h>

enum tare_field_type {
    TARE_FIELD_NUMBER = 1, /* double; NaN where it is not given */
    TARE_FIELD_WHOLE,      /* int64_t; 0 where it is not given */
    TARE_FIELD_TEXT,       /* char[size], printable */
    TARE_FIELD_DATE,       /* char[size], "2026-11-27" */
    TARE_FIELD_FLAG,       /* bool */
    TARE_FIELD_WORDS       /* char[size]: an array of texts, joined with ", " */
};

struct tare_field {
    const char *key; /* NULL ends a table */
    enum tare_field_type type;
    size_t offset, size;
    bool needed;
    double min, max; /* of a number, inclusive */
};

/* `others` are keys that the caller reads; NULL-terminated, or NULL. `base` is set only by what is given,
 * but for numbers. */
TARE_MUST_CHECK int tare_fields_read(const struct tare_field *table, const char *const *others,
                                     const struct tare_json *json, const char *what, void *base,
                                     struct tare_err *err);
/* One of the NULL-terminated words, or an error that names the nearest. */
TARE_MUST_CHECK int tare_fields_choice(const char *value, const char *const *words, const char *what,
                                       struct tare_err *err);

#endif
