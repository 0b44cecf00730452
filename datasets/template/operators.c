/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic and comparison as Python does them, within 64 bits. */
#include "value.h"

#include <math.h>
#include <string.h>

static const char *op_text(char op)
{
    return op == 'd'   ? "//"
           : op == 'l' ? "<="
           : op == 'g' ? ">="
           : op == '=' ? "=="
           : op == '!' ? "!="
                       : NULL;
}

static int bad_types(struct tare_tpl_run *run, char op, const struct tare_tpl_value *v,
                     const struct tare_tpl_value *w)
{
    const char one[] = {op, '\0'};
    return tare_tpl_fail(run, TARE_E_FORMAT, "%s is not possible here with %s and %s",
                         op_text(op) ? op_text(op) : one, tare_tpl_type_name(v), tare_tpl_type_name(w));
}

/* Rounds down, where C cuts. b is not 0, and not -1 with the smallest a. */
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}

static int whole(struct tare_tpl_run *run, char op, int64_t a, int64_t b, struct tare_tpl_value *out)
{
    int64_t n = 0;
    bool too_large = false;
    if (op == '+') {
        too_large = __builtin_add_overflow(a, b, &n);
    } else if (op == '-') {
        too_large = __builtin_sub_overflow(a, b, &n);
    } else if (op == '*') {
        too_large = __builtin_mul_overflow(a, b, &n);
    } else if (b == -1) {
        too_large = op == 'd' && __builtin_sub_overflow(0, a, &n);
    } else {
        n = op == 'd' ? floor_div(a, b) : a - b * floor_div(a, b);
    }
    if (too_large) {
        return tare_tpl_fail(run, TARE_E_LIMIT, "the result does not fit in 64 bits");
    }
    *out = tare_tpl_int(n);
    return 0;
}

/* The remainder has the sign of b, as in Python. */
static double floor_mod(double a, double b)
{
    double rest = fmod(a, b);
    if (rest < 0.0 || rest > 0.0) {
        return (rest < 0.0) != (b < 0.0) ? rest + b : rest;
    }
    return copysign(0.0, b);
}

static double floor_quotient(double a, double b)
{
    double quotient = (a - floor_mod(a, b)) / b;
    if (!(quotient < 0.0 || quotient > 0.0)) {
        return copysign(0.0, a / b);
    }
    double low = floor(quotient);
    return quotient - low > 0.5 ? low + 1.0 : low;
}

static double real(char op, double a, double b)
{
    switch (op) {
    case '+':
        return a + b;
    case '-':
        return a - b;
    case '*':
        return a * b;
    case '/':
        return a / b;
    default:
        return op == 'd' ? floor_quotient(a, b) : floor_mod(a, b);
    }
}

/* Python divides integers and compares them with floats without rounding them first. */
static bool is_beyond_double(const struct tare_tpl_value *v)
{
    const int64_t exact = (int64_t)1 << 53;
    return tare_tpl_is_integer(v) && (v->integer > exact || v->integer < -exact);
}

static int join_lists(struct tare_tpl_run *run, const struct tare_tpl_value *v,
                      const struct tare_tpl_value *w, struct tare_tpl_value *out)
{
    struct tare_tpl_value *items = tare_tpl_take(run, (v->n + w->n + 1) * sizeof *items);
    int r = items ? tare_tpl_step(run, v->n + w->n) : TARE_E_LIMIT;
    if (r == 0) {
        memcpy(items, v->items, v->n * sizeof *items);
        memcpy(items + v->n, w->items, w->n * sizeof *items);
        *out = (struct tare_tpl_value){.type = TARE_TPL_V_LIST, .items = items, .n = v->n + w->n};
    }
    return r;
}

static int join_texts(struct tare_tpl_run *run, struct tare_bytes a, struct tare_bytes b,
                      struct tare_tpl_value *out)
{
    char *text = tare_tpl_take(run, a.n + b.n + 1);
    int r = text ? tare_tpl_step(run, (a.n + b.n) / 64) : TARE_E_LIMIT;
    if (r == 0) {
        memcpy(text, a.data, a.n);
        memcpy(text + a.n, b.data, b.n);
        *out = tare_tpl_string((struct tare_bytes){text, a.n + b.n});
    }
    return r;
}

static int arith_numbers(struct tare_tpl_run *run, char op, const struct tare_tpl_value *v,
                         const struct tare_tpl_value *w, struct tare_tpl_value *out)
{
    double divisor = tare_tpl_number(w);
    if (strchr("/d%", op) && divisor >= 0.0 && divisor <= 0.0) {
        return tare_tpl_fail(run, TARE_E_FORMAT, "division by zero");
    }
    bool integers = tare_tpl_is_integer(v) && tare_tpl_is_integer(w);
    if (integers && op != '/') {
        return whole(run, op, v->integer, w->integer, out);
    }
    if (integers && (is_beyond_double(v) || is_beyond_double(w))) {
        return tare_tpl_fail(run, TARE_E_LIMIT, "an integer beyond 2^53 is divided by /");
    }
    *out = tare_tpl_float(real(op, tare_tpl_number(v), divisor));
    return 0;
}

int tare_tpl_arith(struct tare_tpl_run *run, char op, const struct tare_tpl_value *v,
                   const struct tare_tpl_value *w, struct tare_tpl_value *out)
{
    if (op == '+' && v->type == TARE_TPL_V_STR && w->type == TARE_TPL_V_STR) {
        return join_texts(run, v->text, w->text, out);
    }
    if (op == '+' && v->type == TARE_TPL_V_LIST && w->type == TARE_TPL_V_LIST) {
        return join_lists(run, v, w, out);
    }
    return tare_tpl_is_number(v) && tare_tpl_is_number(w) ? arith_numbers(run, op, v, w, out)
                                                          : bad_types(run, op, v, w);
}

int tare_tpl_sign(struct tare_tpl_run *run, char op, const struct tare_tpl_value *v,
                  struct tare_tpl_value *out)
{
    if (!tare_tpl_is_number(v)) {
        return tare_tpl_fail(run, TARE_E_FORMAT, "%s has no sign", tare_tpl_type_name(v));
    }
    if (v->type == TARE_TPL_V_FLOAT) {
        *out = tare_tpl_float(op == '-' ? -v->number : v->number);
        return 0;
    }
    return whole(run, op, 0, v->integer, out);
}

static int order_texts(struct tare_bytes a, struct tare_bytes b)
{
    /* Bytes of UTF-8 are in the order of their characters. */
    int order = memcmp(a.data, b.data, a.n < b.n ? a.n : b.n);
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static bool holds(char op, int order)
{
    return op == '<' ? order < 0 : op == '>' ? order > 0 : op == 'l' ? order <= 0 : order >= 0;
}

static int compare_order(struct tare_tpl_run *run, char op, const struct tare_tpl_value *v,
                         const struct tare_tpl_value *w, bool *out)
{
    if (tare_tpl_is_integer(v) && tare_tpl_is_integer(w)) {
        *out = holds(op, (v->integer > w->integer) - (v->integer < w->integer));
    } else if (tare_tpl_is_number(v) && tare_tpl_is_number(w)) {
        if (is_beyond_double(v) || is_beyond_double(w)) {
            return tare_tpl_fail(run, TARE_E_LIMIT, "an integer beyond 2^53 is compared with a float");
        }
        double a = tare_tpl_number(v), b = tare_tpl_number(w);
        *out = !isnan(a) && !isnan(b) && holds(op, (a > b) - (a < b));
    } else if (v->type == TARE_TPL_V_STR && w->type == TARE_TPL_V_STR) {
        *out = holds(op, order_texts(v->text, w->text));
    } else {
        return bad_types(run, op, v, w);
    }
    return 0;
}

int tare_tpl_compare(struct tare_tpl_run *run, char op, const struct tare_tpl_value *v,
                     const struct tare_tpl_value *w, struct tare_tpl_value *out)
{
    bool result = false;
    int r = 0;
    if (op == '=' || op == '!') {
        r = tare_tpl_equal(run, v, w, &result);
        result = result == (op == '=');
    } else if (op == 'i' || op == 'n') {
        r = tare_tpl_contains(run, w, v, &result);
        result = result == (op == 'i');
    } else {
        r = tare_tpl_need(run, v);
        r = r == 0 ? tare_tpl_need(run, w) : r;
        r = r == 0 ? compare_order(run, op, v, w, &result) : r;
    }
    if (r == 0) {
        *out = tare_tpl_bool(result);
    }
    return r;
}
