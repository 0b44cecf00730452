/* SPDX-License-Identifier: Apache-2.0 */
/* The parser, in two files: statements (parse.c) and expressions (parse_expr.c). Private to
 * datasets/template/. */
#ifndef TARE_TEMPLATE_PARSE_H
#define TARE_TEMPLATE_PARSE_H

#include "lex.h"

struct tare_tpl_parser {
    struct tare_tpl_lexer lexer;
    struct tare_template *t;
    int depth; /* of calls, so that no input overflows the stack */
    struct tare_err *err;
};

/* From the token `now` to the first that does not belong to the expression. */
TARE_MUST_CHECK int tare_tpl_parse_expr(struct tare_tpl_parser *p, const struct tare_tpl_node **out);
/* The same without `a if b else c` at its top: what `if` tests and `for` goes through. */
TARE_MUST_CHECK int tare_tpl_parse_plain(struct tare_tpl_parser *p, const struct tare_tpl_node **out);

/* Shared: a new node at `at`; an error when memory ran out. */
TARE_MUST_CHECK int tare_tpl_new(struct tare_tpl_parser *p, enum tare_tpl_kind kind, size_t at,
                                 struct tare_tpl_node **out);
/* Sets the depth when a, b, c, d are in place; an error when it is too much. */
TARE_MUST_CHECK int tare_tpl_finish(struct tare_tpl_parser *p, struct tare_tpl_node *node);
/* Is the token this name, or this operator? */
bool tare_tpl_at_name(const struct tare_tpl_parser *p, const char *name);
bool tare_tpl_at_op(const struct tare_tpl_parser *p, char op);
TARE_MUST_CHECK int tare_tpl_advance(struct tare_tpl_parser *p);
/* "expected X, found Y" at the token. Returns the code. */
int tare_tpl_unexpected(struct tare_tpl_parser *p, const char *expected);
/* Error at the token. */
TARE_PRINTF(2, 3) int tare_tpl_refuse(struct tare_tpl_parser *p, const char *fmt, ...);
TARE_MUST_CHECK int tare_tpl_enter(struct tare_tpl_parser *p);
void tare_tpl_leave(struct tare_tpl_parser *p);

#endif
