/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of values: attributes, elements, slices, and what a loop goes through. */
#include "call.h"
#include "strings.h"

#include "datasets/unicode/unicode.h"

#include <inttypes.h>
#include <string.h>

static bool is_named(struct tare_bytes name, const char *text)
{
    return name.n == strlen(text) && memcmp(name.data, text, name.n) == 0;
}

static int loop_attr(struct tare_tpl_run *run, const struct tare_tpl_value *v, struct tare_bytes name,
                     struct tare_tpl_value *out)
{
    int64_t i = v->integer, n = (int64_t)v->n;
    const struct {
        const char *name;
        struct tare_tpl_value value;
    } attributes[] = {{"index", tare_tpl_int(i + 1)},        {"index0", tare_tpl_int(i)},
                      {"first", tare_tpl_bool(i == 0)},      {"last", tare_tpl_bool(i == n - 1)},
                      {"length", tare_tpl_int(n)},           {"revindex", tare_tpl_int(n - i)},
                      {"revindex0", tare_tpl_int(n - i - 1)}};
    for (size_t k = 0; k < sizeof attributes / sizeof *attributes; k++) {
        if (is_named(name, attributes[k].name)) {
            *out = attributes[k].value;
            return 0;
        }
    }
    return tare_tpl_fail(run, TARE_E_FORMAT, "loop.%.*s is not known here", (int)(name.n < 40 ? name.n : 40),
                         name.data);
}

/* The value at a key, or undefined. */
static int member(struct tare_tpl_run *run, const struct tare_json *dict, struct tare_bytes name,
                  struct tare_tpl_value *out)
{
    int r = tare_tpl_step(run, 1);
    for (const struct tare_json *child = tare_json_first(dict); r == 0 && child;
         child = tare_json_next(child)) {
        if (is_named(name, tare_json_key(child))) {
            return tare_tpl_from_json(run, child, out);
        }
        r = tare_tpl_step(run, 1);
    }
    *out = tare_tpl_undefined(name);
    return r;
}

/* What Python would find as an attribute of the object itself. */
static int own_attr(struct tare_tpl_run *run, const struct tare_tpl_value *v, struct tare_bytes name,
                    struct tare_tpl_value *out)
{
    bool is_special = name.n > 2 && name.data[0] == '_' && name.data[1] == '_';
    if (tare_tpl_is_number(v) || is_special || tare_tpl_is_python_method(v->type, name)) {
        return tare_tpl_fail(
            run, TARE_E_FORMAT,
            "'%.*s' of a %s is an attribute in Python and not known here; a key of that name is "
            "read by ['%.*s']",
            (int)(name.n < 40 ? name.n : 40), name.data, tare_tpl_type_name(v),
            (int)(name.n < 40 ? name.n : 40), name.data);
    }
    *out = tare_tpl_undefined(name);
    return 0;
}

int tare_tpl_attr(struct tare_tpl_run *run, const struct tare_tpl_value *v, struct tare_bytes name,
                  struct tare_tpl_value *out)
{
    int r = tare_tpl_need(run, v);
    if (r == 0 && v->type == TARE_TPL_V_LOOP) {
        return loop_attr(run, v, name, out);
    }
    r = r == 0 ? own_attr(run, v, name, out) : r;
    return r == 0 && v->type == TARE_TPL_V_DICT ? member(run, v->dict, name, out) : r;
}

static int undefined_index(struct tare_tpl_run *run, int64_t i, struct tare_tpl_value *out)
{
    char text[40];
    int n = snprintf(text, sizeof text, "element %" PRId64, i);
    int r = tare_tpl_copy(run, text, (size_t)n, out);
    if (r == 0) {
        *out = tare_tpl_undefined(out->text);
    }
    return r;
}

static int char_at(struct tare_tpl_run *run, struct tare_bytes text, int64_t i, struct tare_tpl_value *out)
{
    int64_t n = i < 0 ? (int64_t)tare_unicode_chars(text) : 0, from = i < 0 ? i + n : i;
    int r = tare_tpl_step(run, text.n / 64);
    if (r < 0) {
        return r;
    }
    size_t begin = from >= 0 ? tare_unicode_offset(text, (size_t)from) : text.n, end = begin;
    if (begin == text.n) {
        return undefined_index(run, i, out);
    }
    (void)tare_unicode_next(text, &end);
    *out = tare_tpl_string((struct tare_bytes){text.data + begin, end - begin});
    return 0;
}

static int element(struct tare_tpl_run *run, const struct tare_tpl_value *v, int64_t i,
                   struct tare_tpl_value *out)
{
    int64_t from = i < 0 ? i + (int64_t)v->n : i;
    if (v->type == TARE_TPL_V_STR) {
        return char_at(run, v->text, i, out);
    }
    if (!tare_tpl_is_list(v) || from < 0 || from >= (int64_t)v->n) {
        return undefined_index(run, i, out);
    }
    *out = v->items[from];
    return 0;
}

int tare_tpl_item(struct tare_tpl_run *run, const struct tare_tpl_value *v,
                  const struct tare_tpl_value *index, struct tare_tpl_value *out)
{
    int r = tare_tpl_need(run, v);
    r = r == 0 ? tare_tpl_need(run, index) : r;
    if (r < 0) {
        return r;
    }
    if (v->type == TARE_TPL_V_LOOP) {
        return tare_tpl_fail(run, TARE_E_FORMAT, "loop has attributes only");
    }
    if (tare_tpl_is_integer(index)) {
        return element(run, v, index->integer, out);
    }
    if (index->type != TARE_TPL_V_STR) {
        return tare_tpl_fail(run, TARE_E_FORMAT, "%s is no index", tare_tpl_type_name(index));
    }
    if (v->type == TARE_TPL_V_DICT) {
        r = member(run, v->dict, index->text, out);
        if (r < 0 || out->type != TARE_TPL_V_UNDEFINED) {
            return r;
        }
    }
    return own_attr(run, v, index->text, out);
}

/* A bound of a slice of n elements, as Python cuts it to what there is. */
static int bound(struct tare_tpl_run *run, const struct tare_tpl_value *given, int64_t otherwise,
                 int64_t least, int64_t most, int64_t n, int64_t *out)
{
    *out = otherwise;
    if (!given || given->type == TARE_TPL_V_NONE) {
        return 0;
    }
    int r = tare_tpl_need(run, given);
    if (r == 0 && !tare_tpl_is_integer(given)) {
        return tare_tpl_fail(run, TARE_E_FORMAT, "a slice takes integers, found %s",
                             tare_tpl_type_name(given));
    }
    int64_t i = r == 0 ? given->integer : 0;
    i = i < 0 ? (i < -n ? least : i + n) : i;
    *out = i < least ? least : i > most ? most : i;
    return r;
}

/* What the three bounds come to for n elements. */
struct cut {
    int64_t begin, end, step;
};

/* Every step-th from begin on. */
static int pick(struct tare_tpl_run *run, const struct tare_tpl_value *v, const struct cut *cut,
                struct tare_tpl_value *out)
{
    struct tare_tpl_value *items = tare_tpl_take(run, (v->n + 1) * sizeof *items);
    int r = items ? tare_tpl_step(run, v->n) : TARE_E_LIMIT;
    size_t n = 0;
    if (r < 0) {
        return r;
    }
    for (int64_t i = cut->begin; cut->step > 0 ? i < cut->end : i > cut->end; i += cut->step) {
        items[n++] = v->items[i];
        if (cut->step > 0 ? cut->step >= cut->end - i : cut->step <= cut->end - i) {
            break; /* without passing what 64 bits hold */
        }
    }
    *out = (struct tare_tpl_value){.type = TARE_TPL_V_LIST, .items = items, .n = n};
    return 0;
}

/* The characters of a list of them as a string again. */
static int join_chars(struct tare_tpl_run *run, struct tare_tpl_value *v)
{
    size_t n = 0, at = 0;
    for (size_t i = 0; i < v->n; i++) {
        n += v->items[i].text.n;
    }
    char *text = tare_tpl_take(run, n + 1);
    if (!text) {
        return TARE_E_LIMIT;
    }
    for (size_t i = 0; i < v->n; i++) {
        memcpy(text + at, v->items[i].text.data, v->items[i].text.n);
        at += v->items[i].text.n;
    }
    *v = tare_tpl_string((struct tare_bytes){text, n});
    return 0;
}

/* A part of a string without a step needs no copy. */
static int substring(struct tare_tpl_run *run, struct tare_bytes text, int64_t begin, int64_t end,
                     struct tare_tpl_value *out)
{
    size_t from = tare_unicode_offset(text, (size_t)begin);
    struct tare_bytes rest = {text.data + from, text.n - from};
    size_t n = end > begin ? tare_unicode_offset(rest, (size_t)(end - begin)) : 0;
    *out = tare_tpl_string((struct tare_bytes){rest.data, n});
    return tare_tpl_step(run, text.n / 64);
}

static int make_cut(struct tare_tpl_run *run, const struct tare_tpl_value *const bounds[3], int64_t n,
                    struct cut *out)
{
    const struct tare_tpl_value *step = bounds[2];
    bool given = step && step->type != TARE_TPL_V_NONE;
    int r = given ? tare_tpl_need(run, step) : 0;
    r = r == 0 && given ? tare_tpl_count(run, step, "the step of a slice", &out->step) : r;
    if (r == 0 && out->step == 0) {
        return tare_tpl_fail(run, TARE_E_FORMAT, "the step of a slice is 0");
    }
    bool forward = out->step > 0;
    int64_t least = forward ? 0 : -1, most = forward ? n : n - 1;
    r = r == 0 ? bound(run, bounds[0], forward ? 0 : n - 1, least, most, n, &out->begin) : r;
    return r == 0 ? bound(run, bounds[1], forward ? n : -1, least, most, n, &out->end) : r;
}

static int slice_text(struct tare_tpl_run *run, const struct tare_tpl_value *v, const struct cut *cut,
                      struct tare_tpl_value *out)
{
    struct tare_tpl_value chars;
    if (cut->step == 1) {
        return substring(run, v->text, cut->begin, cut->end, out);
    }
    int r = tare_tpl_iterate(run, v, &chars);
    r = r == 0 ? pick(run, &chars, cut, out) : r;
    return r == 0 ? join_chars(run, out) : r;
}

int tare_tpl_slice(struct tare_tpl_run *run, const struct tare_tpl_value *v,
                   const struct tare_tpl_value *const bounds[3], struct tare_tpl_value *out)
{
    struct cut cut = {.step = 1};
    int r = tare_tpl_need(run, v);
    if (r == 0 && v->type == TARE_TPL_V_STR) {
        r = make_cut(run, bounds, (int64_t)tare_unicode_chars(v->text), &cut);
        return r == 0 ? slice_text(run, v, &cut, out) : r;
    }
    if (r == 0 && v->type != TARE_TPL_V_LIST) {
        return tare_tpl_fail(run, TARE_E_FORMAT, "a slice of %s is not known here", tare_tpl_type_name(v));
    }
    r = r == 0 ? make_cut(run, bounds, (int64_t)v->n, &cut) : r;
    return r == 0 ? pick(run, v, &cut, out) : r;
}

static int list_chars(struct tare_tpl_run *run, struct tare_bytes text, struct tare_tpl_value *out)
{
    size_t n = 0, chars = tare_unicode_chars(text);
    struct tare_tpl_value *items = tare_tpl_take(run, (chars + 1) * sizeof *items);
    int r = items ? tare_tpl_step(run, chars) : TARE_E_LIMIT;
    for (size_t at = 0; r == 0 && at < text.n;) {
        size_t begin = at;
        (void)tare_unicode_next(text, &at);
        items[n++] = tare_tpl_string((struct tare_bytes){text.data + begin, at - begin});
    }
    if (r == 0) {
        *out = (struct tare_tpl_value){.type = TARE_TPL_V_LIST, .items = items, .n = n};
    }
    return r;
}

static int list_keys(struct tare_tpl_run *run, const struct tare_tpl_value *v, struct tare_tpl_value *out)
{
    struct tare_tpl_value *items = tare_tpl_take(run, (v->n + 1) * sizeof *items);
    int r = items ? tare_tpl_step(run, v->n) : TARE_E_LIMIT;
    size_t n = 0;
    for (const struct tare_json *child = tare_json_first(v->dict); r == 0 && child;
         child = tare_json_next(child)) {
        const char *key = tare_json_key(child);
        items[n++] = tare_tpl_string((struct tare_bytes){key, strlen(key)});
    }
    if (r == 0) {
        *out = (struct tare_tpl_value){.type = TARE_TPL_V_LIST, .items = items, .n = n};
    }
    return r;
}

int tare_tpl_iterate(struct tare_tpl_run *run, const struct tare_tpl_value *v, struct tare_tpl_value *out)
{
    int r = tare_tpl_need(run, v);
    if (r < 0) {
        return r;
    }
    if (v->type == TARE_TPL_V_STR) {
        return list_chars(run, v->text, out);
    }
    if (v->type == TARE_TPL_V_DICT) {
        return list_keys(run, v, out);
    }
    if (!tare_tpl_is_list(v)) {
        return tare_tpl_fail(run, TARE_E_FORMAT, "%s has no elements", tare_tpl_type_name(v));
    }
    *out = *v;
    out->type = TARE_TPL_V_LIST;
    return 0;
}
