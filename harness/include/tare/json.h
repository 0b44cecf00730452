/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON reading and writing, served by the harness to itself and to plug-ins.
 *
 * A parsed document is a tree owned by its root. Duplicate keys, trailing text, NUL bytes and nesting
 * deeper than 64 are refused; faults of the text are told with their line. Numbers are doubles; integers are
 * exact to 2^53 when read and to 64 bits when written. Not thread-safe per tree.
 */
#ifndef TARE_JSON_H
#define TARE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <tare/err.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tare_json; /* a value; also the tree it owns */

enum tare_json_type {
    TARE_JSON_NULL = 1,
    TARE_JSON_BOOL,
    TARE_JSON_NUMBER,
    TARE_JSON_STRING,
    TARE_JSON_ARRAY,
    TARE_JSON_OBJECT
};

/* Parses exactly one value out of text[0 .. n). `what` names the source in messages. */
TARE_EXPORT TARE_MUST_CHECK int tare_json_parse(const char *text, size_t n, const char *what,
                                                struct tare_json **out, struct tare_err *err);
/* Reads a whole file of at most limit_bytes and parses it. */
TARE_EXPORT TARE_MUST_CHECK int tare_json_load(const char *path, size_t limit_bytes, struct tare_json **out,
                                               struct tare_err *err);
/* As tare_json_parse, but every number keeps its text, to the last digit and when printed again; and NaN,
 * Infinity and -Infinity, as other programs write them, are numbers. */
TARE_EXPORT TARE_MUST_CHECK int tare_json_parse_exact(const char *text, size_t n, const char *what,
                                                      struct tare_json **out, struct tare_err *err);
/* Frees a root and all below it; NULL is fine. */
TARE_EXPORT void tare_json_destroy(struct tare_json *json);

/* Borrowed views into the tree; NULL in gives an empty answer. */
TARE_EXPORT enum tare_json_type tare_json_type(const struct tare_json *json);
TARE_EXPORT const char *tare_json_type_name(enum tare_json_type type);
TARE_EXPORT size_t tare_json_size(const struct tare_json *json);                   /* of array or object */
TARE_EXPORT const struct tare_json *tare_json_first(const struct tare_json *json); /* child, or NULL */
TARE_EXPORT const struct tare_json *tare_json_next(const struct tare_json *json);  /* sibling, or NULL */
TARE_EXPORT const char *tare_json_key(const struct tare_json *json);               /* in its object */
TARE_EXPORT const struct tare_json *tare_json_get(const struct tare_json *object, const char *key);
TARE_EXPORT const char *tare_json_str(const struct tare_json *json); /* NULL if no string */
TARE_EXPORT bool tare_json_true(const struct tare_json *json);
TARE_EXPORT double tare_json_num(const struct tare_json *json); /* 0 if no number */
/* The text of a number that was built or parsed exactly; NULL for anything else. */
TARE_EXPORT const char *tare_json_number_text(const struct tare_json *json);
/* An integer in min .. max, exactly; else an error that names `what`. */
TARE_EXPORT TARE_MUST_CHECK int tare_json_i64(const struct tare_json *json, const char *what, int64_t min,
                                              int64_t max, int64_t *out, struct tare_err *err);

/* Building. A NULL parent or a refused allocation is remembered and reported by tare_json_print. */
TARE_EXPORT struct tare_json *tare_json_new_object(void);
TARE_EXPORT struct tare_json *tare_json_new_array(void);
/* key NULL appends to an array. The child belongs to the parent. */
TARE_EXPORT struct tare_json *tare_json_add_object(struct tare_json *parent, const char *key);
TARE_EXPORT struct tare_json *tare_json_add_array(struct tare_json *parent, const char *key);
TARE_EXPORT void tare_json_add_str(struct tare_json *parent, const char *key,
                                   const char *value); /* NULL: null */
TARE_EXPORT void tare_json_add_i64(struct tare_json *parent, const char *key, int64_t value);
TARE_EXPORT void tare_json_add_f64(struct tare_json *parent, const char *key,
                                   double value); /* NaN, inf: null */
/* A number by its text; what is none is added as a string. */
TARE_EXPORT void tare_json_add_number_text(struct tare_json *parent, const char *key, const char *text);
TARE_EXPORT void tare_json_add_bool(struct tare_json *parent, const char *key, bool value);
TARE_EXPORT void tare_json_add_null(struct tare_json *parent, const char *key);
/* Appends a deep copy. */
TARE_EXPORT void tare_json_add_copy(struct tare_json *parent, const char *key, const struct tare_json *value);
/* Takes the i-th element out of an array: it is a root then, to be destroyed. NULL if there is none. */
TARE_EXPORT struct tare_json *tare_json_detach(struct tare_json *array, size_t i);
/* Text of the tree, indented or on one line; free() it. */
TARE_EXPORT TARE_MUST_CHECK int tare_json_print(const struct tare_json *json, bool indented, char **out,
                                                struct tare_err *err);

#ifdef __cplusplus
}
#endif
#endif
