/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A template as a tree, and how its faults are told. Nodes lie in the arena of their template and are not
 * changed after parsing. Private to datasets/template/.
 */
#ifndef TARE_TEMPLATE_TREE_H
#define TARE_TEMPLATE_TREE_H

#include "arena.h"

#include <tare/task.h>

#include <stdbool.h>
#include <stdint.h>

enum {
    tare_tpl_max_depth = 100,             /* of a tree, and of a value */
    tare_tpl_max_text_bytes = 1 << 20,    /* of a template */
    tare_tpl_max_output_bytes = 1 << 24,  /* of a rendering */
    tare_tpl_max_memory_bytes = 1 << 26,  /* of a rendering, or of a tree */
    tare_tpl_max_range = 100000,          /* numbers of a range */
    tare_tpl_max_steps = 20 * 1000 * 1000 /* of a rendering */
};

/* Which members of a node are used stands behind each kind. */
enum tare_tpl_kind {
    /* statements, in a list by `next` */
    TARE_TPL_TEXT,  /* text */
    TARE_TPL_PRINT, /* a: expression */
    TARE_TPL_IF,    /* a: condition, b: body, c: otherwise */
    TARE_TPL_FOR,   /* text: variable, a: iterated, b: body, c: body if there was nothing */
    TARE_TPL_SET,   /* text: variable, a: value */
    /* expressions */
    TARE_TPL_NONE,
    TARE_TPL_BOOL,    /* integer */
    TARE_TPL_INT,     /* integer */
    TARE_TPL_FLOAT,   /* number */
    TARE_TPL_STRING,  /* text */
    TARE_TPL_NAME,    /* text */
    TARE_TPL_LIST,    /* a: first element, the others by `next` */
    TARE_TPL_ATTR,    /* a, text: name */
    TARE_TPL_ITEM,    /* a, b: index */
    TARE_TPL_SLICE,   /* a, b: begin, c: end, d: step; each of the three may be NULL */
    TARE_TPL_NOT,     /* a */
    TARE_TPL_SIGN,    /* a, op: + or - */
    TARE_TPL_ARITH,   /* a, b, op: + - * / % and d for // */
    TARE_TPL_CONCAT,  /* a, b */
    TARE_TPL_COMPARE, /* a, b, op: = ! < > l (<=) g (>=) i (in) n (not in) */
    TARE_TPL_AND,     /* a, b */
    TARE_TPL_OR,      /* a, b */
    TARE_TPL_COND,    /* a: condition, b: then, c: else or NULL */
    TARE_TPL_RANGE,   /* a: first argument, others by `next` */
    TARE_TPL_METHOD,  /* a: object, b: first argument, call */
    TARE_TPL_FILTER,  /* a: value, b: first argument, call */
    TARE_TPL_TEST     /* a, op: d (defined), u (undefined), n (none) */
};

struct tare_tpl_call;

struct tare_tpl_node {
    enum tare_tpl_kind kind;
    char op;
    uint16_t depth; /* 1 + that of the deepest below */
    uint32_t at;    /* offset in the source, for messages */
    struct tare_bytes text;
    int64_t integer;
    double number;
    const struct tare_tpl_call *call;
    const struct tare_tpl_node *a, *b, *c, *d;
    struct tare_tpl_node *next;
};

struct tare_template {
    char *what;
    char *source; /* line ends are all \n */
    size_t n;
    struct tare_tpl_arena arena;
    const struct tare_tpl_node *body;
    const struct tare_tpl_node *only; /* the expression, if the template is nothing else */
};

/* Says what, line and column before the message; columns count characters. Returns the code. */
TARE_PRINTF(5, 6)
int tare_tpl_error(const struct tare_template *t, size_t at, int code, struct tare_err *err, const char *fmt,
                   ...);

#endif
