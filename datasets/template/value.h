/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values while a template is rendered, and what Python makes of them: truth, equality, str and repr. Strings
 * and lists lie in the arena of the rendering, in the template or in the document. Private to
 * datasets/template/.
 */
#ifndef TARE_TEMPLATE_VALUE_H
#define TARE_TEMPLATE_VALUE_H

#include "tree.h"

#include <tare/json.h>

enum tare_tpl_type {
    TARE_TPL_V_UNDEFINED, /* text: the name, or what was looked for; n: 1 if it prints as nothing all the same
                           */
    TARE_TPL_V_NONE,
    TARE_TPL_V_BOOL,  /* integer */
    TARE_TPL_V_INT,   /* integer */
    TARE_TPL_V_FLOAT, /* number */
    TARE_TPL_V_STR,   /* text */
    TARE_TPL_V_LIST,  /* items, n */
    TARE_TPL_V_RANGE, /* items, n: a list that prints as none */
    TARE_TPL_V_DICT,  /* dict */
    TARE_TPL_V_LOOP   /* integer: round from 0, n: rounds */
};

struct tare_tpl_value {
    enum tare_tpl_type type;
    union {
        int64_t integer;
        double number;
        struct tare_bytes text;
        const struct tare_tpl_value *items;
        const struct tare_json *dict;
    };
    size_t n;
};

/* A variable; the newest first. */
struct tare_tpl_binding {
    struct tare_bytes name;
    struct tare_tpl_value value;
    struct tare_tpl_binding *next;
};

/* Text that grows, up to the limit of the output. */
struct tare_tpl_text {
    char *data;
    size_t n, cap;
};

/* One rendering. */
struct tare_tpl_run {
    const struct tare_template *t;
    const struct tare_json *doc;
    struct tare_tpl_arena arena;
    struct tare_tpl_binding *variables, *outer; /* outer: those that are not of this round of a loop */
    struct tare_tpl_text output;
    size_t at; /* in the source, of the operation that is being done */
    int64_t steps;
    struct tare_err *err;
};

/* Fills run->err, with line and column. Returns the code. */
TARE_PRINTF(3, 4) int tare_tpl_fail(struct tare_tpl_run *run, int code, const char *fmt, ...);
/* Counts n steps; an error when there were too many. */
TARE_MUST_CHECK int tare_tpl_step(struct tare_tpl_run *run, size_t n);
/* Memory of the arena; NULL is an error that is told already. */
void *tare_tpl_take(struct tare_tpl_run *run, size_t n);

/* The name of the type in Python, for messages. */
const char *tare_tpl_type_name(const struct tare_tpl_value *v);
bool tare_tpl_is_list(const struct tare_tpl_value *v); /* or range */
/* An integer or a bool, which counts as one. */
bool tare_tpl_is_integer(const struct tare_tpl_value *v);
bool tare_tpl_is_number(const struct tare_tpl_value *v);
double tare_tpl_number(const struct tare_tpl_value *v);

struct tare_tpl_value tare_tpl_none(void);
struct tare_tpl_value tare_tpl_bool(bool value);
struct tare_tpl_value tare_tpl_int(int64_t value);
struct tare_tpl_value tare_tpl_float(double value);
struct tare_tpl_value tare_tpl_string(struct tare_bytes text);
struct tare_tpl_value tare_tpl_undefined(struct tare_bytes name);

/* A value of the document; an array becomes a list, its elements too when they are looked at. */
TARE_MUST_CHECK int tare_tpl_from_json(struct tare_tpl_run *run, const struct tare_json *json,
                                       struct tare_tpl_value *out);
/* Appends the value to an array. A range, a loop and what JSON does not know are errors. */
TARE_MUST_CHECK int tare_tpl_to_json(struct tare_tpl_run *run, const struct tare_tpl_value *v,
                                     struct tare_json *array);
/* An error if it is undefined, which says what is. */
TARE_MUST_CHECK int tare_tpl_need(struct tare_tpl_run *run, const struct tare_tpl_value *v);
TARE_MUST_CHECK int tare_tpl_truth(struct tare_tpl_run *run, const struct tare_tpl_value *v, bool *out);
/* v == w as Python has it: 1, 1.0 and True are equal. */
TARE_MUST_CHECK int tare_tpl_equal(struct tare_tpl_run *run, const struct tare_tpl_value *v,
                                   const struct tare_tpl_value *w, bool *out);
/* needle in hay */
TARE_MUST_CHECK int tare_tpl_contains(struct tare_tpl_run *run, const struct tare_tpl_value *hay,
                                      const struct tare_tpl_value *needle, bool *out);
/* What a loop goes through: the elements, the characters, the keys. */
TARE_MUST_CHECK int tare_tpl_iterate(struct tare_tpl_run *run, const struct tare_tpl_value *v,
                                     struct tare_tpl_value *out);
/* Copies text into the arena. */
TARE_MUST_CHECK int tare_tpl_copy(struct tare_tpl_run *run, const char *data, size_t n,
                                  struct tare_tpl_value *out);

/* In print.c: str(v) as a string value. */
TARE_MUST_CHECK int tare_tpl_str(struct tare_tpl_run *run, const struct tare_tpl_value *v,
                                 struct tare_bytes *out);
TARE_MUST_CHECK int tare_tpl_append(struct tare_tpl_run *run, struct tare_tpl_text *to,
                                    struct tare_bytes text);
/* Python's repr of a float. Returns the length. */
size_t tare_tpl_float_text(double value, char out[32]);

/* In eval.c. */
TARE_MUST_CHECK int tare_tpl_eval(struct tare_tpl_run *run, const struct tare_tpl_node *node,
                                  struct tare_tpl_value *out);
/* In operators.c: the node is one of ARITH, SIGN, COMPARE; its operands are given. */
TARE_MUST_CHECK int tare_tpl_arith(struct tare_tpl_run *run, char op, const struct tare_tpl_value *v,
                                   const struct tare_tpl_value *w, struct tare_tpl_value *out);
TARE_MUST_CHECK int tare_tpl_sign(struct tare_tpl_run *run, char op, const struct tare_tpl_value *v,
                                  struct tare_tpl_value *out);
TARE_MUST_CHECK int tare_tpl_compare(struct tare_tpl_run *run, char op, const struct tare_tpl_value *v,
                                     const struct tare_tpl_value *w, struct tare_tpl_value *out);
/* In access.c. begin, end and step may be NULL. */
TARE_MUST_CHECK int tare_tpl_attr(struct tare_tpl_run *run, const struct tare_tpl_value *v,
                                  struct tare_bytes name, struct tare_tpl_value *out);
TARE_MUST_CHECK int tare_tpl_item(struct tare_tpl_run *run, const struct tare_tpl_value *v,
                                  const struct tare_tpl_value *index, struct tare_tpl_value *out);
TARE_MUST_CHECK int tare_tpl_slice(struct tare_tpl_run *run, const struct tare_tpl_value *v,
                                   const struct tare_tpl_value *const bounds[3], struct tare_tpl_value *out);

#endif
