/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions, with the precedence of Jinja2: a if b else c, or, and, not, comparison, + -, ~, * / // %,
 * sign, and behind a value . [] () | is, of which the tests bind as tightly as the filters.
 */
#include "parse.h"

#include "call.h"

#include <string.h>

static int parse_or(struct tare_tpl_parser *p, const struct tare_tpl_node **out);
static int parse_unary(struct tare_tpl_parser *p, bool filters, const struct tare_tpl_node **out);

/* A node with these operands. */
static int make(struct tare_tpl_parser *p, enum tare_tpl_kind kind, char op, size_t at,
                const struct tare_tpl_node *a, const struct tare_tpl_node *b,
                const struct tare_tpl_node **out)
{
    struct tare_tpl_node *node = NULL;
    int r = tare_tpl_new(p, kind, at, &node);
    if (r < 0) {
        return r;
    }
    node->op = op;
    node->a = a;
    node->b = b;
    r = tare_tpl_finish(p, node);
    if (r == 0) {
        *out = node;
    }
    return r;
}

static int expect(struct tare_tpl_parser *p, char op, const char *text)
{
    return tare_tpl_at_op(p, op) ? tare_tpl_advance(p) : tare_tpl_unexpected(p, text);
}

/* Expressions with commas between them, up to `close`, which is read too. The last may have a comma behind
 * it. */
static int parse_list(struct tare_tpl_parser *p, char close, const struct tare_tpl_node **out, size_t *n)
{
    static const struct tare_tpl_node nothing;
    struct tare_tpl_node *last = NULL;
    const char text[] = {'\'', close, '\'', '\0'};
    int r = 0;
    *out = NULL;
    for (*n = 0; r == 0 && !tare_tpl_at_op(p, close); (*n)++) {
        const struct tare_tpl_node *node = &nothing;
        struct tare_tpl_node *own = NULL;
        r = tare_tpl_parse_expr(p, &node);
        if (r == 0 && tare_tpl_at_op(p, 'a')) {
            return tare_tpl_refuse(p, "arguments with a name are not known here");
        }
        r = r == 0 ? tare_tpl_new(p, node->kind, node->at, &own) : r;
        if (r != 0) {
            return r;
        }
        *own = *node;
        if (last) {
            last->next = own;
        } else {
            *out = own;
        }
        last = own;
        r = tare_tpl_at_op(p, ',')     ? tare_tpl_advance(p)
            : tare_tpl_at_op(p, close) ? 0
                                       : tare_tpl_unexpected(p, close == ']' ? "',' or ']'" : "',' or ')'");
    }
    return r == 0 ? expect(p, close, text) : r;
}

/* Literals that stand beside each other are one string. */
static int parse_string(struct tare_tpl_parser *p, struct tare_tpl_node *node)
{
    int r = 0;
    node->text = p->lexer.now.text;
    for (r = tare_tpl_advance(p); r == 0 && p->lexer.now.kind == TARE_TPL_T_STRING; r = tare_tpl_advance(p)) {
        struct tare_bytes more = p->lexer.now.text;
        char *both = tare_tpl_alloc(&p->t->arena, node->text.n + more.n + 1);
        if (!both) {
            return tare_tpl_error(p->t, node->at, TARE_E_LIMIT, p->err, "out of memory");
        }
        memcpy(both, node->text.data, node->text.n);
        memcpy(both + node->text.n, more.data, more.n);
        node->text = (struct tare_bytes){both, node->text.n + more.n};
    }
    return r;
}

static int parse_literal(struct tare_tpl_parser *p, const struct tare_tpl_node **out)
{
    const struct tare_tpl_token now = p->lexer.now;
    struct tare_tpl_node *node = NULL;
    int r = tare_tpl_new(p,
                         now.kind == TARE_TPL_T_INT     ? TARE_TPL_INT
                         : now.kind == TARE_TPL_T_FLOAT ? TARE_TPL_FLOAT
                                                        : TARE_TPL_STRING,
                         now.at, &node);
    if (r < 0) {
        return r;
    }
    node->depth = 1;
    node->integer = now.integer;
    node->number = now.number;
    r = now.kind == TARE_TPL_T_STRING ? parse_string(p, node) : tare_tpl_advance(p);
    if (r == 0) {
        *out = node;
    }
    return r;
}

/* Behind the word range. */
static int parse_range(struct tare_tpl_parser *p, struct tare_tpl_node *node)
{
    size_t n = 0;
    int r = tare_tpl_advance(p);
    r = r == 0 ? parse_list(p, ')', &node->a, &n) : r;
    if (r == 0 && (n < 1 || n > 3)) {
        return tare_tpl_error(p->t, node->at, TARE_E_FORMAT, p->err, "range takes one to three numbers");
    }
    node->kind = TARE_TPL_RANGE;
    return r;
}

/* none, true and false, small or capitalized, are values; any other word is a name. */
static void classify_name(const struct tare_tpl_parser *p, struct tare_tpl_node *node)
{
    bool truth = tare_tpl_at_name(p, "true") || tare_tpl_at_name(p, "True");
    if (tare_tpl_at_name(p, "none") || tare_tpl_at_name(p, "None")) {
        node->kind = TARE_TPL_NONE;
    } else if (truth || tare_tpl_at_name(p, "false") || tare_tpl_at_name(p, "False")) {
        node->kind = TARE_TPL_BOOL;
        node->integer = truth;
    }
    node->text = p->lexer.now.text;
}

/* A bracket behind a name: range is the one function. */
static int parse_function(struct tare_tpl_parser *p, struct tare_tpl_node *node)
{
    if (node->kind == TARE_TPL_NAME && node->text.n == 5 && memcmp(node->text.data, "range", 5) == 0) {
        return parse_range(p, node);
    }
    return tare_tpl_error(p->t, node->at, TARE_E_FORMAT, p->err, "'%.*s' is no function that is known here",
                          (int)(node->text.n < 40 ? node->text.n : 40), node->text.data);
}

static int parse_name(struct tare_tpl_parser *p, const struct tare_tpl_node **out)
{
    static const char *const reserved[] = {"not", "and", "or", "in", "is", "if", "else", "self"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (tare_tpl_at_name(p, reserved[i])) {
            return tare_tpl_unexpected(p, "a value");
        }
    }
    struct tare_tpl_node *node = NULL;
    int r = tare_tpl_new(p, TARE_TPL_NAME, p->lexer.now.at, &node);
    if (r < 0) {
        return r;
    }
    classify_name(p, node);
    r = tare_tpl_advance(p);
    r = r == 0 && tare_tpl_at_op(p, '(') ? parse_function(p, node) : r;
    r = r == 0 ? tare_tpl_finish(p, node) : r;
    if (r == 0) {
        *out = node;
    }
    return r;
}

static int parse_primary(struct tare_tpl_parser *p, const struct tare_tpl_node **out)
{
    const struct tare_tpl_token *now = &p->lexer.now;
    size_t at = now->at, n = 0;
    if (now->kind == TARE_TPL_T_NAME) {
        return parse_name(p, out);
    }
    if (now->kind == TARE_TPL_T_STRING || now->kind == TARE_TPL_T_INT || now->kind == TARE_TPL_T_FLOAT) {
        return parse_literal(p, out);
    }
    if (tare_tpl_at_op(p, '[')) {
        const struct tare_tpl_node *first = NULL;
        int r = tare_tpl_advance(p);
        r = r == 0 ? parse_list(p, ']', &first, &n) : r;
        return r == 0 ? make(p, TARE_TPL_LIST, 0, at, first, NULL, out) : r;
    }
    if (tare_tpl_at_op(p, '(')) {
        int r = tare_tpl_advance(p);
        r = r == 0 ? tare_tpl_parse_expr(p, out) : r;
        if (r == 0 && tare_tpl_at_op(p, ',')) {
            return tare_tpl_refuse(p, "tuples are not known here; write a list in []");
        }
        return r == 0 ? expect(p, ')', "')'") : r;
    }
    return tare_tpl_at_op(p, '{') ? tare_tpl_refuse(p, "dict literals are not known here")
                                  : tare_tpl_unexpected(p, "a value");
}

/* Behind the name of a method or filter: its arguments, if a bracket opens here. */
static int parse_call(struct tare_tpl_parser *p, struct tare_tpl_node *node, const char *kind)
{
    size_t n = 0;
    int r = 0;
    if (tare_tpl_at_op(p, '(')) {
        r = tare_tpl_advance(p);
        r = r == 0 ? parse_list(p, ')', &node->b, &n) : r;
    }
    if (r == 0 && ((int)n < node->call->least || (int)n > node->call->most)) {
        return tare_tpl_error(p->t, node->at, TARE_E_FORMAT, p->err,
                              "%s %s takes %d to %d arguments here, found %zu", kind, node->call->name,
                              node->call->least, node->call->most, n);
    }
    return r == 0 ? tare_tpl_finish(p, node) : r;
}

/* Behind a dot. */
static int parse_attribute(struct tare_tpl_parser *p, const struct tare_tpl_node **out)
{
    struct tare_tpl_node *node = NULL;
    int r = tare_tpl_new(p, TARE_TPL_ATTR, p->lexer.now.at, &node);
    if (r < 0) {
        return r;
    }
    node->a = *out;
    node->text = p->lexer.now.text;
    if (p->lexer.now.kind == TARE_TPL_T_INT) { /* x.0 is x[0] */
        node->kind = TARE_TPL_ITEM;
        r = parse_literal(p, &node->b);
    } else if (p->lexer.now.kind != TARE_TPL_T_NAME) {
        return tare_tpl_unexpected(p, "a name behind the dot");
    } else {
        r = tare_tpl_advance(p);
    }
    if (r == 0 && tare_tpl_at_op(p, '(')) {
        node->kind = TARE_TPL_METHOD;
        node->call = tare_tpl_method(node->text);
        r = node->call
                ? parse_call(p, node, "method")
                : tare_tpl_error(p->t, node->at, TARE_E_FORMAT, p->err, "method '%.*s' is not known here",
                                 (int)(node->text.n < 40 ? node->text.n : 40), node->text.data);
    } else if (r == 0) {
        r = tare_tpl_finish(p, node);
    }
    if (r == 0) {
        *out = node;
    }
    return r;
}

/* A bound of a slice, absent where a colon or the bracket stands. */
static int parse_bound(struct tare_tpl_parser *p, const struct tare_tpl_node **out)
{
    return tare_tpl_at_op(p, ':') || tare_tpl_at_op(p, ']') ? 0 : tare_tpl_parse_expr(p, out);
}

/* Behind [ */
static int parse_subscript(struct tare_tpl_parser *p, size_t at, const struct tare_tpl_node **out)
{
    struct tare_tpl_node *node = NULL;
    int r = tare_tpl_new(p, TARE_TPL_ITEM, at, &node);
    if (r < 0) {
        return r;
    }
    node->a = *out;
    if (tare_tpl_at_op(p, ']')) {
        return tare_tpl_unexpected(p, "an index");
    }
    r = parse_bound(p, &node->b);
    if (r == 0 && tare_tpl_at_op(p, ':')) {
        node->kind = TARE_TPL_SLICE;
        r = tare_tpl_advance(p);
        r = r == 0 ? parse_bound(p, &node->c) : r;
        if (r == 0 && tare_tpl_at_op(p, ':')) {
            r = tare_tpl_advance(p);
            r = r == 0 ? parse_bound(p, &node->d) : r;
        }
    }
    r = r == 0 ? expect(p, ']', "']'") : r;
    r = r == 0 ? tare_tpl_finish(p, node) : r;
    if (r == 0) {
        *out = node;
    }
    return r;
}

static int parse_filter(struct tare_tpl_parser *p, const struct tare_tpl_node **out)
{
    struct tare_tpl_node *node = NULL;
    int r = tare_tpl_new(p, TARE_TPL_FILTER, p->lexer.now.at, &node);
    if (r < 0) {
        return r;
    }
    if (p->lexer.now.kind != TARE_TPL_T_NAME) {
        return tare_tpl_unexpected(p, "the name of a filter");
    }
    node->a = *out;
    node->call = tare_tpl_filter(p->lexer.now.text);
    if (!node->call) {
        size_t n = p->lexer.now.text.n;
        return tare_tpl_refuse(p, "filter '%.*s' is not known here", (int)(n < 40 ? n : 40),
                               p->lexer.now.text.data);
    }
    r = tare_tpl_advance(p);
    r = r == 0 ? parse_call(p, node, "filter") : r;
    if (r == 0) {
        *out = node;
    }
    return r;
}

/* May an argument of a test begin here? Jinja2 would take it for one. */
static bool at_argument(const struct tare_tpl_parser *p)
{
    enum tare_tpl_token_kind kind = p->lexer.now.kind;
    if (kind == TARE_TPL_T_NAME) {
        return !tare_tpl_at_name(p, "else") && !tare_tpl_at_name(p, "or") && !tare_tpl_at_name(p, "and");
    }
    return kind == TARE_TPL_T_STRING || kind == TARE_TPL_T_INT || kind == TARE_TPL_T_FLOAT ||
           tare_tpl_at_op(p, '(') || tare_tpl_at_op(p, '[') || tare_tpl_at_op(p, '{');
}

/* Behind `is` */
static int parse_test(struct tare_tpl_parser *p, size_t at, const struct tare_tpl_node **out)
{
    int r = 0;
    bool negated = tare_tpl_at_name(p, "not");
    if (negated) {
        r = tare_tpl_advance(p);
    }
    char op = tare_tpl_at_name(p, "defined")     ? 'd'
              : tare_tpl_at_name(p, "undefined") ? 'u'
              : tare_tpl_at_name(p, "none")      ? 'n'
                                                 : '\0';
    if (r == 0 && !op) {
        return tare_tpl_unexpected(p, "one of the tests defined, undefined, none");
    }
    r = r == 0 ? tare_tpl_advance(p) : r;
    if (r == 0 && at_argument(p)) {
        return tare_tpl_unexpected(p, "the end of the test");
    }
    r = r == 0 ? make(p, TARE_TPL_TEST, op, at, *out, NULL, out) : r;
    return r == 0 && negated ? make(p, TARE_TPL_NOT, 0, at, *out, NULL, out) : r;
}

/* What goes on with the value here: one of . [ | and i (is), ( which is refused, or 0. */
static char postfix_of(const struct tare_tpl_parser *p, bool filters)
{
    if (tare_tpl_at_op(p, '.') || tare_tpl_at_op(p, '[') || tare_tpl_at_op(p, '(')) {
        return p->lexer.now.op;
    }
    return filters && tare_tpl_at_op(p, '|') ? '|' : filters && tare_tpl_at_name(p, "is") ? 'i' : '\0';
}

static int parse_one_postfix(struct tare_tpl_parser *p, char op, const struct tare_tpl_node **out)
{
    size_t at = p->lexer.now.at;
    int r = tare_tpl_advance(p);
    if (r < 0) {
        return r;
    }
    return op == '.'   ? parse_attribute(p, out)
           : op == '[' ? parse_subscript(p, at, out)
           : op == '|' ? parse_filter(p, out)
                       : parse_test(p, at, out);
}

/* . and [] behind a value; with filters also | and is, behind which come only others of them, as in Jinja2.
 */
static int parse_postfix(struct tare_tpl_parser *p, bool filters, const struct tare_tpl_node **out)
{
    int r = 0;
    bool filtered = false;
    for (char op = postfix_of(p, filters); r == 0 && op; op = postfix_of(p, filters)) {
        if (op == '(') {
            return tare_tpl_refuse(p, "a call is known of a method, a filter or range only");
        }
        if (filtered && (op == '.' || op == '[')) {
            return tare_tpl_refuse(p, "write brackets around the filter or test before this");
        }
        filtered = op == '|' || op == 'i';
        r = parse_one_postfix(p, op, out);
    }
    return r;
}

static int parse_unary(struct tare_tpl_parser *p, bool filters, const struct tare_tpl_node **out)
{
    size_t at = p->lexer.now.at;
    int r = tare_tpl_enter(p);
    if (r == 0 && (tare_tpl_at_op(p, '-') || tare_tpl_at_op(p, '+'))) {
        char op = p->lexer.now.op;
        r = tare_tpl_advance(p);
        r = r == 0 ? parse_unary(p, false, out) : r;
        r = r == 0 ? make(p, TARE_TPL_SIGN, op, at, *out, NULL, out) : r;
    } else if (r == 0) {
        r = parse_primary(p, out);
    }
    r = r == 0 ? parse_postfix(p, filters, out) : r;
    tare_tpl_leave(p);
    return r;
}

static int parse_product(struct tare_tpl_parser *p, const struct tare_tpl_node **out)
{
    int r = parse_unary(p, true, out);
    while (r == 0 && p->lexer.now.kind == TARE_TPL_T_OPERATOR && strchr("*/d%p", p->lexer.now.op)) {
        const struct tare_tpl_node *right = NULL;
        size_t at = p->lexer.now.at;
        char op = p->lexer.now.op;
        if (op == 'p') {
            return tare_tpl_refuse(p, "** is not known here");
        }
        r = tare_tpl_advance(p);
        r = r == 0 ? parse_unary(p, true, &right) : r;
        r = r == 0 ? make(p, TARE_TPL_ARITH, op, at, *out, right, out) : r;
    }
    return r;
}

static int parse_concat(struct tare_tpl_parser *p, const struct tare_tpl_node **out)
{
    int r = parse_product(p, out);
    while (r == 0 && tare_tpl_at_op(p, '~')) {
        const struct tare_tpl_node *right = NULL;
        size_t at = p->lexer.now.at;
        r = tare_tpl_advance(p);
        r = r == 0 ? parse_product(p, &right) : r;
        r = r == 0 ? make(p, TARE_TPL_CONCAT, 0, at, *out, right, out) : r;
    }
    return r;
}

static int parse_sum(struct tare_tpl_parser *p, const struct tare_tpl_node **out)
{
    int r = parse_concat(p, out);
    while (r == 0 && (tare_tpl_at_op(p, '+') || tare_tpl_at_op(p, '-'))) {
        const struct tare_tpl_node *right = NULL;
        size_t at = p->lexer.now.at;
        char op = p->lexer.now.op;
        r = tare_tpl_advance(p);
        r = r == 0 ? parse_concat(p, &right) : r;
        r = r == 0 ? make(p, TARE_TPL_ARITH, op, at, *out, right, out) : r;
    }
    return r;
}

/* The operator that stands here, read; 0 if none does. */
static int parse_comparison(struct tare_tpl_parser *p, char *op)
{
    *op = 0;
    if (p->lexer.now.kind == TARE_TPL_T_OPERATOR && strchr("=!<>lg", p->lexer.now.op)) {
        *op = p->lexer.now.op;
        return tare_tpl_advance(p);
    }
    if (tare_tpl_at_name(p, "in")) {
        *op = 'i';
        return tare_tpl_advance(p);
    }
    if (tare_tpl_at_name(p, "not")) {
        int r = tare_tpl_advance(p);
        if (r == 0 && !tare_tpl_at_name(p, "in")) {
            return tare_tpl_unexpected(p, "'in' behind 'not'");
        }
        *op = 'n';
        return r == 0 ? tare_tpl_advance(p) : r;
    }
    return 0;
}

static int parse_compare(struct tare_tpl_parser *p, const struct tare_tpl_node **out)
{
    const struct tare_tpl_node *right = NULL;
    char op = 0, again = 0;
    int r = parse_sum(p, out);
    size_t at = p->lexer.now.at;
    r = r == 0 ? parse_comparison(p, &op) : r;
    if (r < 0 || !op) {
        return r;
    }
    r = parse_sum(p, &right);
    r = r == 0 ? make(p, TARE_TPL_COMPARE, op, at, *out, right, out) : r;
    at = p->lexer.now.at;
    r = r == 0 ? parse_comparison(p, &again) : r;
    return r == 0 && again ? tare_tpl_error(p->t, at, TARE_E_FORMAT, p->err,
                                            "comparisons in a chain are not known here; write 'and'")
                           : r;
}

static int parse_not(struct tare_tpl_parser *p, const struct tare_tpl_node **out)
{
    size_t at = p->lexer.now.at;
    if (!tare_tpl_at_name(p, "not")) {
        return parse_compare(p, out);
    }
    int r = tare_tpl_enter(p);
    r = r == 0 ? tare_tpl_advance(p) : r;
    r = r == 0 ? parse_not(p, out) : r;
    tare_tpl_leave(p);
    return r == 0 ? make(p, TARE_TPL_NOT, 0, at, *out, NULL, out) : r;
}

static int parse_and(struct tare_tpl_parser *p, const struct tare_tpl_node **out)
{
    int r = parse_not(p, out);
    while (r == 0 && tare_tpl_at_name(p, "and")) {
        const struct tare_tpl_node *right = NULL;
        size_t at = p->lexer.now.at;
        r = tare_tpl_advance(p);
        r = r == 0 ? parse_not(p, &right) : r;
        r = r == 0 ? make(p, TARE_TPL_AND, 0, at, *out, right, out) : r;
    }
    return r;
}

static int parse_or(struct tare_tpl_parser *p, const struct tare_tpl_node **out)
{
    int r = parse_and(p, out);
    while (r == 0 && tare_tpl_at_name(p, "or")) {
        const struct tare_tpl_node *right = NULL;
        size_t at = p->lexer.now.at;
        r = tare_tpl_advance(p);
        r = r == 0 ? parse_and(p, &right) : r;
        r = r == 0 ? make(p, TARE_TPL_OR, 0, at, *out, right, out) : r;
    }
    return r;
}

/* Behind `if`; *out is what stands before it. */
static int parse_condition(struct tare_tpl_parser *p, size_t at, const struct tare_tpl_node **out)
{
    struct tare_tpl_node *node = NULL;
    int r = tare_tpl_new(p, TARE_TPL_COND, at, &node);
    if (r < 0) {
        return r;
    }
    node->b = *out;
    r = parse_or(p, &node->a);
    if (r == 0 && tare_tpl_at_name(p, "else")) {
        r = tare_tpl_advance(p);
        r = r == 0 ? tare_tpl_parse_expr(p, &node->c) : r;
    }
    r = r == 0 ? tare_tpl_finish(p, node) : r;
    if (r == 0) {
        *out = node;
    }
    return r;
}

int tare_tpl_parse_plain(struct tare_tpl_parser *p, const struct tare_tpl_node **out)
{
    return parse_or(p, out);
}

int tare_tpl_parse_expr(struct tare_tpl_parser *p, const struct tare_tpl_node **out)
{
    int r = tare_tpl_enter(p);
    r = r == 0 ? parse_or(p, out) : r;
    while (r == 0 && tare_tpl_at_name(p, "if")) {
        size_t at = p->lexer.now.at;
        r = tare_tpl_advance(p);
        r = r == 0 ? parse_condition(p, at, out) : r;
    }
    tare_tpl_leave(p);
    return r;
}
