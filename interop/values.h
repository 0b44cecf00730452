/* SPDX-License-Identifier: Apache-2.0 */
/* From the fields of a record to figures. Shared by the formats; knows none of them. */
#ifndef TARE_INTEROP_VALUES_H
#define TARE_INTEROP_VALUES_H

#include "interop.h"

/* One of their fields and the figure that it is. */
struct tare_interop_field {
    const char *path;   /* their name; dots go into objects */
    const char *figure; /* our name */
    const char *unit;   /* ours */
    const char *scope;
    double scale; /* ours = theirs * scale */
};

/* What stands at a path of names with dots between; NULL if nothing does. */
const struct tare_json *tare_interop_at(const struct tare_json *object, const char *path);
/* A string field, or "" where there is none. */
const char *tare_interop_text(const struct tare_json *object, const char *path);
/* The text of a string, number or boolean (1 and 0); NULL for what is no single value. */
const char *tare_interop_scalar(const struct tare_json *value);
/* The number that a value says, be it as text. NaN where it says nothing (null, "", "N/A", "inf"); anything
 * else is an error that names the file, the line or record, and the field. */
TARE_MUST_CHECK int tare_interop_number(const struct tare_interop_in *in, const struct tare_json *value,
                                        const char *field, double *out, struct tare_err *err);
/* The text as a finite number. */
bool tare_interop_parse(const char *text, double *out);

/* Hands one figure over, if it has a value. `field` is their name for it; n TARE_ABSENT: not said. */
TARE_MUST_CHECK int tare_interop_put(const struct tare_interop_in *in, const struct tare_interop_field *field,
                                     double value, int64_t n, const char *n_what, struct tare_err *err);
/* The same with an interval of value +- 1.96 standard errors; NaN: none. */
TARE_MUST_CHECK int tare_interop_put_stderr(const struct tare_interop_in *in,
                                            const struct tare_interop_field *field, double value,
                                            double standard_error, int64_t n, const char *n_what,
                                            struct tare_err *err);
/* All fields of a table that the object has. */
TARE_MUST_CHECK int tare_interop_map(const struct tare_interop_in *in, const struct tare_json *object,
                                     const struct tare_interop_field *fields, size_t n_fields, int64_t n,
                                     const char *n_what, struct tare_err *err);

/* A count, or TARE_ABSENT. */
int64_t tare_interop_count(const struct tare_json *object, const char *path);

/* Parses one value with exact numbers; the message names the file and, if it is read by lines, the line. */
TARE_MUST_CHECK int tare_interop_json(const struct tare_interop_in *in, const char *text, size_t n,
                                      struct tare_json **out, struct tare_err *err);
/* The whole rest of the file as one value. */
TARE_MUST_CHECK int tare_interop_json_all(const struct tare_interop_in *in, struct tare_json **out,
                                          struct tare_err *err);
/* The whole rest of the file as text: UTF-8, its mark at the begin passed over, without NUL bytes. */
TARE_MUST_CHECK int tare_interop_text_all(const struct tare_interop_in *in, const char **out, size_t *out_n,
                                          struct tare_err *err);
/* Hands a record over. */
TARE_MUST_CHECK int tare_interop_record(const struct tare_interop_in *in, const struct tare_json *record,
                                        struct tare_err *err);
/* An error of the file: "FILE: line 3: ...". */
TARE_PRINTF(3, 4)
int tare_interop_fault(const struct tare_interop_in *in, struct tare_err *err, const char *fmt, ...);

/* Does the text have the word? Both with a length; for recognising files. */
bool tare_interop_has(const char *text, size_t n, const char *word);
/* The first character that is no white space; 0 if there is none. */
char tare_interop_first(const char *text, size_t n);

/* --- For writing. --- */

/* The figure's value; NaN if the row does not have it. */
double tare_interop_figure(const struct tare_interop_row *row, const char *name);
/* Adds the figure, scaled, if the row has it. */
void tare_interop_add(struct tare_json *to, const char *key, const struct tare_interop_row *row,
                      const char *figure, double scale);
/* Sums over all complete repeats. */
struct tare_repeat_sums tare_interop_sums(const struct tare_interop_row *row);
/* Mean and standard deviation (n - 1); NaN where there are too few. */
void tare_interop_moments(const double *values, size_t n, double *out_mean, double *out_stddev);
/* Prints and destroys a tree, with a newline. */
TARE_MUST_CHECK int tare_interop_print(struct tare_json *json, bool indented, FILE *to, struct tare_err *err);
/* A form that holds one cell only: an error that says how to choose one, unless there is exactly one. */
TARE_MUST_CHECK int tare_interop_one_row(const struct tare_interop_run *run, const char *format,
                                         struct tare_err *err);

#endif
