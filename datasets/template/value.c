/* SPDX-License-Identifier: Apache-2.0 */
/* Values: made, taken from JSON and given back, tested and compared. */
#include "value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double max_exact = 9007199254740992.0; /* 2^53 */

int tare_tpl_fail(struct tare_tpl_run *run, int code, const char *fmt, ...)
{
    char message[320];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    return tare_tpl_error(run->t, run->at, code, run->err, "%s", message);
}

int tare_tpl_step(struct tare_tpl_run *run, size_t n)
{
    if (n > (size_t)tare_tpl_max_steps || (run->steps += (int64_t)n) > tare_tpl_max_steps) {
        return tare_tpl_fail(run, TARE_E_LIMIT, "the template does more than %d steps", tare_tpl_max_steps);
    }
    return 0;
}

void *tare_tpl_take(struct tare_tpl_run *run, size_t n)
{
    void *data = tare_tpl_alloc(&run->arena, n);
    if (!data && run->arena.is_full) {
        (void)tare_tpl_fail(run, TARE_E_LIMIT, "the values take more than %d MiB",
                            tare_tpl_max_memory_bytes >> 20);
    } else if (!data) {
        (void)tare_tpl_fail(run, TARE_E_NOMEM, "out of memory");
    }
    return data;
}

const char *tare_tpl_type_name(const struct tare_tpl_value *v)
{
    static const char *const names[] = {"undefined", "None", "bool",  "int",  "float",
                                        "str",       "list", "range", "dict", "loop"};
    return names[v->type];
}

bool tare_tpl_is_list(const struct tare_tpl_value *v)
{
    return v->type == TARE_TPL_V_LIST || v->type == TARE_TPL_V_RANGE;
}

bool tare_tpl_is_integer(const struct tare_tpl_value *v)
{
    return v->type == TARE_TPL_V_INT || v->type == TARE_TPL_V_BOOL;
}

bool tare_tpl_is_number(const struct tare_tpl_value *v)
{
    return tare_tpl_is_integer(v) || v->type == TARE_TPL_V_FLOAT;
}

double tare_tpl_number(const struct tare_tpl_value *v)
{
    return v->type == TARE_TPL_V_FLOAT ? v->number : (double)v->integer;
}

struct tare_tpl_value tare_tpl_none(void)
{
    return (struct tare_tpl_value){.type = TARE_TPL_V_NONE};
}

struct tare_tpl_value tare_tpl_bool(bool value)
{
    return (struct tare_tpl_value){.type = TARE_TPL_V_BOOL, .integer = value};
}

struct tare_tpl_value tare_tpl_int(int64_t value)
{
    return (struct tare_tpl_value){.type = TARE_TPL_V_INT, .integer = value};
}

struct tare_tpl_value tare_tpl_float(double value)
{
    return (struct tare_tpl_value){.type = TARE_TPL_V_FLOAT, .number = value};
}

struct tare_tpl_value tare_tpl_string(struct tare_bytes text)
{
    return (struct tare_tpl_value){.type = TARE_TPL_V_STR, .text = text};
}

struct tare_tpl_value tare_tpl_undefined(struct tare_bytes name)
{
    return (struct tare_tpl_value){.type = TARE_TPL_V_UNDEFINED, .text = name};
}

int tare_tpl_copy(struct tare_tpl_run *run, const char *data, size_t n, struct tare_tpl_value *out)
{
    char *copy = tare_tpl_take(run, n + 1);
    int r = copy ? tare_tpl_step(run, n / 64) : TARE_E_LIMIT;
    if (r == 0) {
        memcpy(copy, data, n);
        *out = tare_tpl_string((struct tare_bytes){copy, n});
    }
    return r;
}

/* A number as Python's json module reads it. */
static int number_from_json(struct tare_tpl_run *run, const struct tare_json *json,
                            struct tare_tpl_value *out)
{
    const char *text = tare_json_number_text(json);
    double value = tare_json_num(json);
    bool is_float = text ? strpbrk(text, ".eEnN") != NULL : value != floor(value) || fabs(value) > max_exact;
    if (is_float) {
        *out = tare_tpl_float(value);
        return 0;
    }
    errno = 0;
    *out = tare_tpl_int(text ? strtoll(text, NULL, 10) : (int64_t)value);
    return errno == 0 ? 0
                      : tare_tpl_fail(run, TARE_E_LIMIT, "the integer %.40s does not fit in 64 bits", text);
}

static int list_from_json(struct tare_tpl_run *run, const struct tare_json *json, struct tare_tpl_value *out)
{
    size_t n = 0, size = tare_json_size(json);
    struct tare_tpl_value *items = tare_tpl_take(run, (size + 1) * sizeof *items);
    int r = items ? tare_tpl_step(run, size) : TARE_E_LIMIT;
    for (const struct tare_json *child = tare_json_first(json); r == 0 && child;
         child = tare_json_next(child)) {
        r = tare_tpl_from_json(run, child, &items[n++]);
    }
    if (r == 0) {
        *out = (struct tare_tpl_value){.type = TARE_TPL_V_LIST, .items = items, .n = n};
    }
    return r;
}

/* Calls itself for arrays in arrays, which JSON has 64 deep at most. */
int tare_tpl_from_json(struct tare_tpl_run *run, const struct tare_json *json, struct tare_tpl_value *out)
{
    const char *text;
    switch (tare_json_type(json)) {
    case TARE_JSON_BOOL:
        *out = tare_tpl_bool(tare_json_true(json));
        return 0;
    case TARE_JSON_NUMBER:
        return number_from_json(run, json, out);
    case TARE_JSON_STRING:
        text = tare_json_str(json);
        *out = tare_tpl_string((struct tare_bytes){text, strlen(text)});
        return 0;
    case TARE_JSON_ARRAY:
        return list_from_json(run, json, out);
    case TARE_JSON_OBJECT:
        *out = (struct tare_tpl_value){.type = TARE_TPL_V_DICT, .dict = json, .n = tare_json_size(json)};
        return 0;
    default:
        *out = tare_tpl_none();
        return 0;
    }
}

static int string_to_json(struct tare_tpl_run *run, struct tare_bytes text, struct tare_json *array)
{
    char *copy = tare_tpl_take(run, text.n + 1);
    if (!copy) {
        return TARE_E_LIMIT;
    }
    memcpy(copy, text.data, text.n);
    copy[text.n] = '\0';
    tare_json_add_str(array, NULL, copy);
    return 0;
}

static int number_to_json(struct tare_tpl_run *run, double value, struct tare_json *array)
{
    char text[32];
    if (!isfinite(value)) {
        return tare_tpl_fail(run, TARE_E_FORMAT, "the value is no finite number");
    }
    text[tare_tpl_float_text(value, text)] = '\0';
    tare_json_add_number_text(array, NULL, text);
    return 0;
}

static int to_json(struct tare_tpl_run *run, const struct tare_tpl_value *v, struct tare_json *array,
                   int depth);

static int list_to_json(struct tare_tpl_run *run, const struct tare_tpl_value *v, struct tare_json *array,
                        int depth)
{
    if (depth == 0) {
        return tare_tpl_fail(run, TARE_E_LIMIT, "the value is nested too deeply");
    }
    struct tare_json *to = tare_json_add_array(array, NULL);
    int r = tare_tpl_step(run, v->n);
    for (size_t i = 0; r == 0 && i < v->n; i++) {
        r = to_json(run, &v->items[i], to, depth - 1);
    }
    return r;
}

static int to_json(struct tare_tpl_run *run, const struct tare_tpl_value *v, struct tare_json *array,
                   int depth)
{
    switch (v->type) {
    case TARE_TPL_V_NONE:
        tare_json_add_null(array, NULL);
        return 0;
    case TARE_TPL_V_BOOL:
        tare_json_add_bool(array, NULL, v->integer != 0);
        return 0;
    case TARE_TPL_V_INT:
        tare_json_add_i64(array, NULL, v->integer);
        return 0;
    case TARE_TPL_V_FLOAT:
        return number_to_json(run, v->number, array);
    case TARE_TPL_V_STR:
        return string_to_json(run, v->text, array);
    case TARE_TPL_V_LIST:
        return list_to_json(run, v, array, depth);
    case TARE_TPL_V_DICT:
        tare_json_add_copy(array, NULL, v->dict);
        return 0;
    default:
        return tare_tpl_fail(run, TARE_E_FORMAT, "a %s is no value that a template can have",
                             tare_tpl_type_name(v));
    }
}

int tare_tpl_to_json(struct tare_tpl_run *run, const struct tare_tpl_value *v, struct tare_json *array)
{
    int r = tare_tpl_need(run, v);
    return r == 0 ? to_json(run, v, array, 60) : r; /* what JSON is read with here has 64 */
}

int tare_tpl_need(struct tare_tpl_run *run, const struct tare_tpl_value *v)
{
    if (v->type != TARE_TPL_V_UNDEFINED) {
        return 0;
    }
    int n = v->text.n < 80 ? (int)v->text.n : 80;
    return tare_tpl_fail(run, TARE_E_FORMAT, "'%.*s' is undefined", n, v->text.data);
}

int tare_tpl_truth(struct tare_tpl_run *run, const struct tare_tpl_value *v, bool *out)
{
    switch (v->type) {
    case TARE_TPL_V_UNDEFINED:
        return tare_tpl_need(run, v);
    case TARE_TPL_V_NONE:
        *out = false;
        return 0;
    case TARE_TPL_V_BOOL:
    case TARE_TPL_V_INT:
        *out = v->integer != 0;
        return 0;
    case TARE_TPL_V_FLOAT:
        *out = v->number < 0.0 || v->number > 0.0 || isnan(v->number);
        return 0;
    case TARE_TPL_V_STR:
        *out = v->text.n > 0;
        return 0;
    default:
        *out = v->n > 0;
        return 0;
    }
}

static bool same_text(struct tare_bytes a, struct tare_bytes b)
{
    return a.n == b.n && memcmp(a.data, b.data, a.n) == 0;
}

static int equal(struct tare_tpl_run *run, const struct tare_tpl_value *v, const struct tare_tpl_value *w,
                 int depth, bool *out);

static int equal_lists(struct tare_tpl_run *run, const struct tare_tpl_value *v,
                       const struct tare_tpl_value *w, int depth, bool *out)
{
    int r = depth > 0 ? 0 : tare_tpl_fail(run, TARE_E_LIMIT, "the value is nested too deeply");
    *out = v->n == w->n;
    for (size_t i = 0; r == 0 && *out && i < v->n; i++) {
        r = equal(run, &v->items[i], &w->items[i], depth - 1, out);
    }
    return r;
}

static int equal(struct tare_tpl_run *run, const struct tare_tpl_value *v, const struct tare_tpl_value *w,
                 int depth, bool *out)
{
    int r = tare_tpl_step(run, 1);
    if (r < 0) {
        return r;
    }
    if (tare_tpl_is_integer(v) && tare_tpl_is_integer(w)) {
        *out = v->integer == w->integer;
    } else if (tare_tpl_is_number(v) && tare_tpl_is_number(w)) {
        double a = tare_tpl_number(v), b = tare_tpl_number(w);
        *out = a <= b && a >= b;
        if (*out && fabs(a) >= max_exact && tare_tpl_is_integer(v) != tare_tpl_is_integer(w)) {
            return tare_tpl_fail(run, TARE_E_LIMIT, "an integer beyond 2^53 is compared with a float");
        }
    } else if (v->type != w->type) {
        *out = false;
    } else if (v->type == TARE_TPL_V_STR) {
        *out = same_text(v->text, w->text);
        return tare_tpl_step(run, v->text.n / 64);
    } else if (v->type == TARE_TPL_V_LIST) {
        return equal_lists(run, v, w, depth, out);
    } else if (v->type == TARE_TPL_V_NONE) {
        *out = true;
    } else {
        return tare_tpl_fail(run, TARE_E_FORMAT, "values of type %s cannot be compared here",
                             tare_tpl_type_name(v));
    }
    return 0;
}

int tare_tpl_equal(struct tare_tpl_run *run, const struct tare_tpl_value *v, const struct tare_tpl_value *w,
                   bool *out)
{
    int r = tare_tpl_need(run, v);
    r = r == 0 ? tare_tpl_need(run, w) : r;
    return r == 0 ? equal(run, v, w, tare_tpl_max_depth, out) : r;
}

/* A key of the document has no NUL, and neither has text. */
static int has_key(struct tare_tpl_run *run, const struct tare_tpl_value *dict,
                   const struct tare_tpl_value *key, bool *out)
{
    if (key->type != TARE_TPL_V_STR) {
        *out = false; /* keys of JSON are strings */
        return 0;
    }
    char *name = tare_tpl_take(run, key->text.n + 1);
    if (!name) {
        return TARE_E_LIMIT;
    }
    memcpy(name, key->text.data, key->text.n);
    name[key->text.n] = '\0';
    *out = tare_json_get(dict->dict, name) != NULL;
    return tare_tpl_step(run, dict->n);
}

int tare_tpl_contains(struct tare_tpl_run *run, const struct tare_tpl_value *hay,
                      const struct tare_tpl_value *needle, bool *out)
{
    int r = tare_tpl_need(run, hay);
    r = r == 0 ? tare_tpl_need(run, needle) : r;
    if (r < 0) {
        return r;
    }
    if (hay->type == TARE_TPL_V_STR && needle->type == TARE_TPL_V_STR) {
        *out = needle->text.n == 0 || memmem(hay->text.data, hay->text.n, needle->text.data, needle->text.n);
        return tare_tpl_step(run, hay->text.n / 64);
    }
    if (hay->type == TARE_TPL_V_DICT) {
        return has_key(run, hay, needle, out);
    }
    if (!tare_tpl_is_list(hay)) {
        return tare_tpl_fail(run, TARE_E_FORMAT, "'in' is not possible with %s in %s",
                             tare_tpl_type_name(needle), tare_tpl_type_name(hay));
    }
    *out = false;
    for (size_t i = 0; r == 0 && !*out && i < hay->n; i++) {
        r = tare_tpl_equal(run, &hay->items[i], needle, out);
    }
    return r;
}
