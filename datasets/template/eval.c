/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions. Operands first, then run->at goes back to the operator, so that messages name it. */
#include "call.h"

#include <string.h>

static int eval_name(struct tare_tpl_run *run, const struct tare_tpl_node *node, struct tare_tpl_value *out)
{
    static const char *const globals[] = {"range", "dict", "lipsum", "cycler", "joiner", "namespace"};
    const struct tare_bytes name = node->text;
    for (const struct tare_tpl_binding *b = run->variables; b; b = b->next) {
        int r = tare_tpl_step(run, 1);
        if (r < 0) {
            return r;
        }
        if (b->name.n == name.n && memcmp(b->name.data, name.data, name.n) == 0) {
            *out = b->value;
            return 0;
        }
    }
    const struct tare_tpl_value doc = {.type = TARE_TPL_V_DICT, .dict = run->doc};
    for (const struct tare_json *child = tare_json_first(doc.dict); child; child = tare_json_next(child)) {
        const char *key = tare_json_key(child);
        if (strlen(key) == name.n && memcmp(key, name.data, name.n) == 0) {
            return tare_tpl_from_json(run, child, out);
        }
    }
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++) {
        if (strlen(globals[i]) == name.n && memcmp(globals[i], name.data, name.n) == 0) {
            return tare_tpl_fail(run, TARE_E_FORMAT, "'%s' is a function of Jinja2 that is no value here",
                                 globals[i]);
        }
    }
    *out = tare_tpl_undefined(name);
    return tare_tpl_step(run, tare_json_size(run->doc) / 8);
}

static int eval_list(struct tare_tpl_run *run, const struct tare_tpl_node *node, struct tare_tpl_value *out)
{
    size_t n = 0, i = 0;
    for (const struct tare_tpl_node *element = node->a; element; element = element->next) {
        n++;
    }
    struct tare_tpl_value *items = tare_tpl_take(run, (n + 1) * sizeof *items);
    int r = items ? 0 : TARE_E_LIMIT;
    for (const struct tare_tpl_node *element = node->a; r == 0 && element; element = element->next) {
        r = tare_tpl_eval(run, element, &items[i]);
        r = r == 0 ? tare_tpl_need(run, &items[i++]) : r;
    }
    if (r == 0) {
        *out = (struct tare_tpl_value){.type = TARE_TPL_V_LIST, .items = items, .n = n};
    }
    return r;
}

/* The values of arguments, at most three, all defined. */
static int eval_args(struct tare_tpl_run *run, const struct tare_tpl_node *arg, struct tare_tpl_value *args,
                     size_t *n)
{
    int r = 0;
    for (*n = 0; r == 0 && arg && *n < tare_tpl_max_args; arg = arg->next) {
        r = tare_tpl_eval(run, arg, &args[*n]);
        r = r == 0 ? tare_tpl_need(run, &args[(*n)++]) : r;
    }
    return r;
}

static int make_range(struct tare_tpl_run *run, int64_t begin, int64_t end, int64_t step,
                      struct tare_tpl_value *out)
{
    size_t n = 0;
    if (step == 0) {
        return tare_tpl_fail(run, TARE_E_FORMAT, "the step of range is 0");
    }
    if (begin < -tare_tpl_max_range || begin > tare_tpl_max_range || end < -tare_tpl_max_range ||
        end > tare_tpl_max_range) {
        return tare_tpl_fail(run, TARE_E_LIMIT, "range goes beyond %d", tare_tpl_max_range);
    }
    const int64_t largest = 2 * tare_tpl_max_range + 1;
    step = step > largest ? largest : step < -largest ? -largest : step;
    for (int64_t i = begin; step > 0 ? i < end : i > end; i += step) {
        n++;
    }
    struct tare_tpl_value *items = tare_tpl_take(run, (n + 1) * sizeof *items);
    int r = items ? tare_tpl_step(run, n) : TARE_E_LIMIT;
    for (size_t i = 0; r == 0 && i < n; i++) {
        items[i] = tare_tpl_int(begin + (int64_t)i * step);
    }
    if (r == 0) {
        *out = (struct tare_tpl_value){.type = TARE_TPL_V_RANGE, .items = items, .n = n};
    }
    return r;
}

static int eval_range(struct tare_tpl_run *run, const struct tare_tpl_node *node, struct tare_tpl_value *out)
{
    struct tare_tpl_value args[tare_tpl_max_args] = {{0}};
    size_t n = 0;
    int r = eval_args(run, node->a, args, &n);
    run->at = node->at;
    for (size_t i = 0; r == 0 && i < n; i++) {
        if (!tare_tpl_is_integer(&args[i])) {
            r = tare_tpl_fail(run, TARE_E_FORMAT, "range takes integers, found %s",
                              tare_tpl_type_name(&args[i]));
        }
    }
    return r == 0 ? make_range(run, n > 1 ? args[0].integer : 0, args[n > 1].integer,
                               n > 2 ? args[2].integer : 1, out)
                  : r;
}

static int eval_slice(struct tare_tpl_run *run, const struct tare_tpl_node *node, struct tare_tpl_value *out)
{
    const struct tare_tpl_node *const nodes[] = {node->b, node->c, node->d};
    struct tare_tpl_value of, values[3];
    const struct tare_tpl_value *bounds[3] = {NULL};
    int r = tare_tpl_eval(run, node->a, &of);
    for (size_t i = 0; r == 0 && i < 3; i++) {
        if (nodes[i]) {
            r = tare_tpl_eval(run, nodes[i], &values[i]);
            bounds[i] = &values[i];
        }
    }
    run->at = node->at;
    return r == 0 ? tare_tpl_slice(run, &of, bounds, out) : r;
}

static int eval_call(struct tare_tpl_run *run, const struct tare_tpl_node *node, struct tare_tpl_value *out)
{
    struct tare_tpl_value self, args[tare_tpl_max_args];
    size_t n = 0;
    int r = tare_tpl_eval(run, node->a, &self);
    r = r == 0 && !node->call->takes_undefined ? tare_tpl_need(run, &self) : r;
    r = r == 0 ? eval_args(run, node->b, args, &n) : r;
    run->at = node->at;
    return r == 0 ? node->call->call(run, &self, args, n, out) : r;
}

static int eval_test(struct tare_tpl_run *run, const struct tare_tpl_node *node, struct tare_tpl_value *out)
{
    struct tare_tpl_value v;
    int r = tare_tpl_eval(run, node->a, &v);
    if (r == 0) {
        *out = tare_tpl_bool(node->op == 'n' ? v.type == TARE_TPL_V_NONE
                                             : (v.type == TARE_TPL_V_UNDEFINED) == (node->op == 'u'));
    }
    return r;
}

/* and, or: the operand that decided, as in Python. */
static int eval_either(struct tare_tpl_run *run, const struct tare_tpl_node *node, struct tare_tpl_value *out)
{
    bool truth = false;
    int r = tare_tpl_eval(run, node->a, out);
    r = r == 0 ? tare_tpl_truth(run, out, &truth) : r;
    return r == 0 && truth == (node->kind == TARE_TPL_AND) ? tare_tpl_eval(run, node->b, out) : r;
}

static int eval_condition(struct tare_tpl_run *run, const struct tare_tpl_node *node,
                          struct tare_tpl_value *out)
{
    static const char missing[] = "the value of an 'if' without 'else'";
    struct tare_tpl_value condition;
    bool truth = false;
    int r = tare_tpl_eval(run, node->a, &condition);
    r = r == 0 ? tare_tpl_truth(run, &condition, &truth) : r;
    if (r == 0 && (truth || node->c)) {
        return tare_tpl_eval(run, truth ? node->b : node->c, out);
    }
    *out = tare_tpl_undefined((struct tare_bytes){missing, sizeof missing - 1});
    out->n = 1; /* Jinja2 is not strict about this one */
    return r;
}

static int eval_concat(struct tare_tpl_run *run, const struct tare_tpl_value *v,
                       const struct tare_tpl_value *w, struct tare_tpl_value *out)
{
    struct tare_bytes a = {"", 0}, b = {"", 0};
    int r = tare_tpl_str(run, v, &a);
    r = r == 0 ? tare_tpl_str(run, w, &b) : r;
    if (r < 0) {
        return r;
    }
    const struct tare_tpl_value left = tare_tpl_string(a), right = tare_tpl_string(b);
    return tare_tpl_arith(run, '+', &left, &right, out);
}

/* Both operands, then the operator. */
static int eval_binary(struct tare_tpl_run *run, const struct tare_tpl_node *node, struct tare_tpl_value *out)
{
    struct tare_tpl_value v, w;
    int r = tare_tpl_eval(run, node->a, &v);
    r = r == 0 ? tare_tpl_eval(run, node->b, &w) : r;
    run->at = node->at;
    if (r < 0) {
        return r;
    }
    if (node->kind == TARE_TPL_COMPARE) {
        return tare_tpl_compare(run, node->op, &v, &w, out);
    }
    if (node->kind == TARE_TPL_ITEM) {
        return tare_tpl_item(run, &v, &w, out);
    }
    r = tare_tpl_need(run, &v);
    r = r == 0 ? tare_tpl_need(run, &w) : r;
    if (r < 0) {
        return r;
    }
    return node->kind == TARE_TPL_CONCAT ? eval_concat(run, &v, &w, out)
                                         : tare_tpl_arith(run, node->op, &v, &w, out);
}

/* One operand, then the operator. */
static int eval_unary(struct tare_tpl_run *run, const struct tare_tpl_node *node, struct tare_tpl_value *out)
{
    struct tare_tpl_value v;
    bool truth = false;
    int r = tare_tpl_eval(run, node->a, &v);
    run->at = node->at;
    if (r == 0 && node->kind == TARE_TPL_ATTR) {
        return tare_tpl_attr(run, &v, node->text, out);
    }
    r = r == 0 ? tare_tpl_need(run, &v) : r;
    if (r == 0 && node->kind == TARE_TPL_SIGN) {
        return tare_tpl_sign(run, node->op, &v, out);
    }
    r = r == 0 ? tare_tpl_truth(run, &v, &truth) : r;
    *out = tare_tpl_bool(!truth);
    return r;
}

static struct tare_tpl_value constant(const struct tare_tpl_node *node)
{
    return node->kind == TARE_TPL_STRING  ? tare_tpl_string(node->text)
           : node->kind == TARE_TPL_INT   ? tare_tpl_int(node->integer)
           : node->kind == TARE_TPL_FLOAT ? tare_tpl_float(node->number)
           : node->kind == TARE_TPL_BOOL  ? tare_tpl_bool(node->integer != 0)
                                          : tare_tpl_none();
}

/* Calls itself through the functions above, as deep as the tree, which the parser has limited. */
int tare_tpl_eval(struct tare_tpl_run *run, const struct tare_tpl_node *node, struct tare_tpl_value *out)
{
    static int (*const evals[])(struct tare_tpl_run * run, const struct tare_tpl_node *node,
                                struct tare_tpl_value *out) = {
        [TARE_TPL_NAME] = eval_name,      [TARE_TPL_LIST] = eval_list,    [TARE_TPL_ATTR] = eval_unary,
        [TARE_TPL_ITEM] = eval_binary,    [TARE_TPL_SLICE] = eval_slice,  [TARE_TPL_NOT] = eval_unary,
        [TARE_TPL_SIGN] = eval_unary,     [TARE_TPL_ARITH] = eval_binary, [TARE_TPL_CONCAT] = eval_binary,
        [TARE_TPL_COMPARE] = eval_binary, [TARE_TPL_AND] = eval_either,   [TARE_TPL_OR] = eval_either,
        [TARE_TPL_COND] = eval_condition, [TARE_TPL_RANGE] = eval_range,  [TARE_TPL_METHOD] = eval_call,
        [TARE_TPL_FILTER] = eval_call,    [TARE_TPL_TEST] = eval_test,
    };
    int r = tare_tpl_step(run, 1);
    run->at = node->at;
    if (r == 0 && evals[node->kind]) {
        return evals[node->kind](run, node, out);
    }
    *out = constant(node);
    return r;
}
