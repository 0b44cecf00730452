/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of Jinja2. Those on text take any value by its str(). */
#include "call.h"
#include "strings.h"

#include "datasets/unicode/unicode.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int join(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    struct tare_bytes between = {"", 0};
    int r = n > 0 ? tare_tpl_str(run, args, &between) : 0;
    return r == 0 ? tare_tpl_join(run, between, self, true, out) : r;
}

static int length(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                  const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    (void)args, (void)n;
    if (self->type == TARE_TPL_V_STR) {
        *out = tare_tpl_int((int64_t)tare_unicode_chars(self->text));
        return tare_tpl_step(run, self->text.n / 64);
    }
    if (!tare_tpl_is_list(self) && self->type != TARE_TPL_V_DICT) {
        return tare_tpl_fail(run, TARE_E_FORMAT, "%s has no length", tare_tpl_type_name(self));
    }
    *out = tare_tpl_int((int64_t)self->n);
    return 0;
}

static int trim(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    struct tare_bytes text;
    int r = tare_tpl_str(run, self, &text);
    return r == 0 ? tare_tpl_strip(run, text, TARE_TPL_BOTH, n > 0 ? args : NULL, out) : r;
}

static int map_case(struct tare_tpl_run *run, const struct tare_tpl_value *self, enum tare_tpl_case to,
                    struct tare_tpl_value *out)
{
    struct tare_bytes text;
    int r = tare_tpl_str(run, self, &text);
    return r == 0 ? tare_tpl_map_case(run, text, to, out) : r;
}

static int lower(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                 const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    (void)args, (void)n;
    return map_case(run, self, TARE_TPL_LOWER, out);
}

static int upper(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                 const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    (void)args, (void)n;
    return map_case(run, self, TARE_TPL_UPPER, out);
}

static int capitalize(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                      const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    (void)args, (void)n;
    return map_case(run, self, TARE_TPL_CAPITALIZE, out);
}

/* Where Jinja2's title lets a word begin: behind these, unlike the method of that name. */
static bool parts_words(uint32_t c)
{
    return tare_unicode_is_space(c) || (c < 0x80 && c > 0 && strchr("-({[<", (int)c));
}

/* The end of the word, or of what parts words, that begins at `at`. */
static size_t piece_end(struct tare_bytes text, size_t at)
{
    size_t next = at;
    bool parts = parts_words(tare_unicode_next(text, &next));
    do {
        at = next;
    } while (next < text.n && parts_words(tare_unicode_next(text, &next)) == parts);
    return at;
}

static int append_mapped(struct tare_tpl_run *run, struct tare_bytes text, enum tare_tpl_case to,
                         struct tare_tpl_text *out)
{
    struct tare_tpl_value mapped;
    int r = tare_tpl_map_case(run, text, to, &mapped);
    return r == 0 ? tare_tpl_append(run, out, mapped.text) : r;
}

static int title(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                 const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    struct tare_tpl_text to = {0};
    struct tare_bytes text = {"", 0};
    (void)args, (void)n;
    int r = tare_tpl_str(run, self, &text);
    for (size_t begin = 0, end = 0; r == 0 && begin < text.n; begin = end) {
        size_t second = begin;
        end = piece_end(text, begin);
        (void)tare_unicode_next(text, &second);
        r = append_mapped(run, (struct tare_bytes){text.data + begin, second - begin}, TARE_TPL_UPPER, &to);
        r = r == 0 ? append_mapped(run, (struct tare_bytes){text.data + second, end - second}, TARE_TPL_LOWER,
                                   &to)
                   : r;
    }
    r = r == 0 ? tare_tpl_copy(run, to.data ? to.data : "", to.n, out) : r;
    free(to.data);
    return r;
}

static int replace(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                   const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    struct tare_bytes text, old, with;
    int64_t count = -1;
    int r = tare_tpl_str(run, self, &text);
    r = r == 0 ? tare_tpl_str(run, &args[0], &old) : r;
    r = r == 0 ? tare_tpl_str(run, &args[1], &with) : r;
    r = r == 0 && n > 2 && args[2].type != TARE_TPL_V_NONE
            ? tare_tpl_count(run, &args[2], "the number of replacements", &count)
            : r;
    return r == 0 ? tare_tpl_replace(run, text, old, with, count, out) : r;
}

static int end_of(struct tare_tpl_run *run, const struct tare_tpl_value *self, bool first,
                  struct tare_tpl_value *out)
{
    static const char nothing[] = "an element of nothing";
    struct tare_tpl_value list;
    int r = tare_tpl_iterate(run, self, &list);
    if (r == 0) {
        *out = list.n > 0 ? list.items[first ? 0 : list.n - 1]
                          : tare_tpl_undefined((struct tare_bytes){nothing, sizeof nothing - 1});
    }
    return r;
}

static int first(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                 const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    (void)args, (void)n;
    return end_of(run, self, true, out);
}

static int last(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    (void)args, (void)n;
    return end_of(run, self, false, out);
}

static int list(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    (void)args, (void)n;
    return tare_tpl_iterate(run, self, out);
}

/* default(value, also_if_false) */
static int otherwise(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                     const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    bool also_false = false, holds = self->type != TARE_TPL_V_UNDEFINED;
    int r = n > 1 ? tare_tpl_truth(run, &args[1], &also_false) : 0;
    r = r == 0 && holds && also_false ? tare_tpl_truth(run, self, &holds) : r;
    if (r == 0) {
        *out = holds ? *self : n > 0 ? args[0] : tare_tpl_string((struct tare_bytes){"", 0});
    }
    return r;
}

static int string(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                  const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    struct tare_bytes text;
    (void)args, (void)n;
    int r = tare_tpl_str(run, self, &text);
    if (r == 0) {
        *out = tare_tpl_string(text);
    }
    return r;
}

/* Digits with single underscores between them; at least one. Returns how far they go, 0 for none. */
static size_t skip_digits(const char *text)
{
    size_t n = 0;
    while ((text[n] >= '0' && text[n] <= '9') ||
           (text[n] == '_' && n > 0 && text[n - 1] != '_' && text[n + 1] >= '0' && text[n + 1] <= '9')) {
        n++;
    }
    return n;
}

/* What float() of Python reads as a finite number: digits, fraction, exponent. *whole: digits alone, as
 * int(). */
static bool is_python_number(const char *text, bool *whole)
{
    text += *text == '+' || *text == '-';
    size_t digits = skip_digits(text), fraction = 0;
    text += digits;
    *whole = digits > 0 && *text == '\0';
    if (*text == '.') {
        fraction = skip_digits(text + 1);
        text += 1 + fraction;
    }
    if (digits + fraction > 0 && (*text == 'e' || *text == 'E')) {
        size_t sign = text[1] == '+' || text[1] == '-', exponent = skip_digits(text + 1 + sign);
        text += exponent > 0 ? 1 + sign + exponent : 0;
    }
    return digits + fraction > 0 && *text == '\0';
}

/* int() of a float, cut to a whole number; what has none keeps the default. */
static int int_of_float(struct tare_tpl_run *run, double value, struct tare_tpl_value *out)
{
    if (!isfinite(value)) {
        return 0;
    }
    if (fabs(value) >= 9223372036854775808.0) {
        return tare_tpl_fail(run, TARE_E_LIMIT, "the integer does not fit in 64 bits");
    }
    *out = tare_tpl_int((int64_t)value);
    return 0;
}

static int int_of_text(struct tare_tpl_run *run, struct tare_bytes text, struct tare_tpl_value *out)
{
    char copy[128];
    size_t n = 0;
    bool whole = false;
    text = tare_unicode_strip(text);
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.data[i] >= 0x80) {
            return tare_tpl_fail(run, TARE_E_FORMAT,
                                 "int of text with characters beyond ASCII is not known here");
        }
    }
    if (text.n >= sizeof copy) {
        return tare_tpl_fail(run, TARE_E_LIMIT, "int of text longer than %zu characters", sizeof copy - 1);
    }
    memcpy(copy, text.data, text.n);
    copy[text.n] = '\0';
    if (!is_python_number(copy, &whole)) { /* infinity and NaN are none either: the default stays */
        return 0;
    }
    for (size_t i = 0; i <= text.n; i++) {
        copy[n] = copy[i];
        n += copy[i] != '_';
    }
    if (!whole) {
        return int_of_float(run, strtod(copy, NULL), out);
    }
    errno = 0;
    long long value = strtoll(copy, NULL, 10);
    if (errno == ERANGE) {
        return tare_tpl_fail(run, TARE_E_LIMIT, "the integer %.40s does not fit in 64 bits", copy);
    }
    *out = tare_tpl_int(value);
    return 0;
}

static int integer(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                   const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    *out = n > 0 ? args[0] : tare_tpl_int(0);
    if (self->type == TARE_TPL_V_STR) {
        return int_of_text(run, self->text, out);
    }
    if (self->type == TARE_TPL_V_FLOAT) {
        return int_of_float(run, self->number, out);
    }
    if (tare_tpl_is_integer(self)) {
        *out = tare_tpl_int(self->integer);
    }
    return 0;
}

static const struct tare_tpl_call filters[] = {
    {"join", 0, 1, false, join},        {"length", 0, 0, false, length},
    {"count", 0, 0, false, length},     {"trim", 0, 1, false, trim},
    {"lower", 0, 0, false, lower},      {"upper", 0, 0, false, upper},
    {"title", 0, 0, false, title},      {"capitalize", 0, 0, false, capitalize},
    {"replace", 2, 3, false, replace},  {"first", 0, 0, false, first},
    {"last", 0, 0, false, last},        {"list", 0, 0, false, list},
    {"default", 0, 2, true, otherwise}, {"d", 0, 2, true, otherwise},
    {"string", 0, 0, false, string},    {"int", 0, 1, false, integer},
};

const struct tare_tpl_call *tare_tpl_filter(struct tare_bytes name)
{
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        if (name.n == strlen(filters[i].name) && memcmp(name.data, filters[i].name, name.n) == 0) {
            return &filters[i];
        }
    }
    return NULL;
}
