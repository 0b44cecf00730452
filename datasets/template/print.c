/* SPDX-License-Identifier: Apache-2.0 */
/* Values as text: str() and repr() of Python. */
#include "value.h"

#include "datasets/unicode/unicode.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int tare_tpl_append(struct tare_tpl_run *run, struct tare_tpl_text *to, struct tare_bytes text)
{
    if (text.n > (size_t)tare_tpl_max_output_bytes - to->n) {
        return tare_tpl_fail(run, TARE_E_LIMIT, "the text becomes longer than %d MiB",
                             tare_tpl_max_output_bytes >> 20);
    }
    if (!to->data || to->cap - to->n <= text.n) {
        size_t cap = 2 * to->cap + text.n + 64;
        char *data = realloc(to->data, cap);
        if (!data) {
            return tare_tpl_fail(run, TARE_E_NOMEM, "out of memory");
        }
        to->data = data;
        to->cap = cap;
    }
    memcpy(to->data + to->n, text.data, text.n);
    to->n += text.n;
    to->data[to->n] = '\0';
    return tare_tpl_step(run, text.n / 64);
}

static int append(struct tare_tpl_run *run, struct tare_tpl_text *to, const char *text)
{
    return tare_tpl_append(run, to, (struct tare_bytes){text, strlen(text)});
}

/* The digits of the shortest decimal that reads back as the same double, and its exponent. */
static int shortest(double value, char digits[20], int *exponent)
{
    char text[32];
    for (int precision = 0; precision <= 16; precision++) {
        (void)snprintf(text, sizeof text, "%.*e", precision, value);
        double again = strtod(text, NULL);
        if (precision == 16 || (again <= value && again >= value)) {
            break;
        }
    }
    int n = 0;
    const char *at = text;
    for (; *at && *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9') {
            digits[n++] = *at;
        }
    }
    *exponent = *at ? (int)strtol(at + 1, NULL, 10) : 0;
    while (n > 1 && digits[n - 1] == '0') {
        n--;
    }
    digits[n] = '\0';
    return n;
}

/* 1.5e-07, with at least two digits of exponent */
static size_t put_scientific(const char *digits, int n, int exponent, char *out)
{
    return (size_t)snprintf(out, 30, "%c%s%.*se%c%02d", digits[0], n > 1 ? "." : "", n - 1, digits + 1,
                            exponent < 0 ? '-' : '+', abs(exponent));
}

static size_t put_fixed(const char *digits, int n, int exponent, char *out)
{
    static const char zeros[] = "0000000000000000";
    if (exponent < 0) {
        return (size_t)snprintf(out, 30, "0.%.*s%s", -exponent - 1, zeros, digits);
    }
    if (exponent >= n - 1) {
        return (size_t)snprintf(out, 30, "%s%.*s.0", digits, exponent - (n - 1), zeros);
    }
    return (size_t)snprintf(out, 30, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
}

size_t tare_tpl_float_text(double value, char out[32])
{
    char digits[20];
    int exponent = 0;
    size_t n = 0;
    if (isnan(value)) {
        memcpy(out, "nan", 3);
        return 3;
    }
    if (signbit(value)) {
        out[n++] = '-';
        value = -value;
    }
    if (isinf(value)) {
        memcpy(out + n, "inf", 3);
        return n + 3;
    }
    int count = shortest(value, digits, &exponent);
    bool scientific = exponent < -4 || exponent >= 16;
    return n + (scientific ? put_scientific(digits, count, exponent, out + n)
                           : put_fixed(digits, count, exponent, out + n));
}

/* Double quotes only where there are single ones and no double ones. */
static char quote_of(struct tare_bytes text)
{
    bool single = text.n > 0 && memchr(text.data, '\'', text.n),
         both = text.n > 0 && memchr(text.data, '"', text.n);
    return single && !both ? '"' : '\'';
}

static int append_escape(struct tare_tpl_run *run, struct tare_tpl_text *to, uint32_t c)
{
    char text[16];
    (void)snprintf(text, sizeof text,
                   c < 0x100     ? "\\x%02" PRIx32
                   : c < 0x10000 ? "\\u%04" PRIx32
                                 : "\\U%08" PRIx32,
                   c);
    return append(run, to, text);
}

static int append_char(struct tare_tpl_run *run, struct tare_tpl_text *to, uint32_t c, struct tare_bytes as,
                       char quote)
{
    static const char special[] = "\n\r\t\\", letters[] = "nrt\\";
    const char *at = c > 0 && c < 0x80 ? strchr(special, (int)c) : NULL;
    if (at || c == (uint32_t)quote) {
        const char escaped[] = {'\\', at ? letters[at - special] : quote};
        return tare_tpl_append(run, to, (struct tare_bytes){escaped, 2});
    }
    return tare_unicode_is_printable(c) ? tare_tpl_append(run, to, as) : append_escape(run, to, c);
}

static int repr_string(struct tare_tpl_run *run, struct tare_tpl_text *to, struct tare_bytes text)
{
    char quote = quote_of(text);
    int r = tare_tpl_append(run, to, (struct tare_bytes){&quote, 1});
    for (size_t at = 0; r == 0 && at < text.n;) {
        size_t begin = at;
        uint32_t c = tare_unicode_next(text, &at);
        r = c == TARE_UNICODE_INVALID
                ? tare_tpl_fail(run, TARE_E_FORMAT, "a string of the document is not UTF-8")
                : append_char(run, to, c, (struct tare_bytes){text.data + begin, at - begin}, quote);
    }
    return r == 0 ? tare_tpl_append(run, to, (struct tare_bytes){&quote, 1}) : r;
}

static int repr(struct tare_tpl_run *run, struct tare_tpl_text *to, const struct tare_tpl_value *v,
                int depth);

static int repr_list(struct tare_tpl_run *run, struct tare_tpl_text *to, const struct tare_tpl_value *v,
                     int depth)
{
    int r = append(run, to, "[");
    for (size_t i = 0; r == 0 && i < v->n; i++) {
        r = i > 0 ? append(run, to, ", ") : 0;
        r = r == 0 ? repr(run, to, &v->items[i], depth) : r;
    }
    return r == 0 ? append(run, to, "]") : r;
}

static int repr_dict(struct tare_tpl_run *run, struct tare_tpl_text *to, const struct tare_tpl_value *v,
                     int depth)
{
    int r = append(run, to, "{");
    const struct tare_json *first = tare_json_first(v->dict);
    for (const struct tare_json *child = first; r == 0 && child; child = tare_json_next(child)) {
        const char *key = tare_json_key(child);
        struct tare_tpl_value value;
        r = child != first ? append(run, to, ", ") : 0;
        r = r == 0 ? repr_string(run, to, (struct tare_bytes){key, strlen(key)}) : r;
        r = r == 0 ? append(run, to, ": ") : r;
        r = r == 0 ? tare_tpl_from_json(run, child, &value) : r;
        r = r == 0 ? repr(run, to, &value, depth) : r;
    }
    return r == 0 ? append(run, to, "}") : r;
}

static int append_number(struct tare_tpl_run *run, struct tare_tpl_text *to, const struct tare_tpl_value *v)
{
    char text[32];
    size_t n = v->type == TARE_TPL_V_FLOAT ? tare_tpl_float_text(v->number, text)
                                           : (size_t)snprintf(text, sizeof text, "%" PRId64, v->integer);
    return tare_tpl_append(run, to, (struct tare_bytes){text, n});
}

static int repr(struct tare_tpl_run *run, struct tare_tpl_text *to, const struct tare_tpl_value *v, int depth)
{
    int r = depth > 0 ? tare_tpl_step(run, 1)
                      : tare_tpl_fail(run, TARE_E_LIMIT, "the value is nested too deeply");
    r = r == 0 ? tare_tpl_need(run, v) : r;
    if (r < 0) {
        return r;
    }
    switch (v->type) {
    case TARE_TPL_V_NONE:
        return append(run, to, "None");
    case TARE_TPL_V_BOOL:
        return append(run, to, v->integer ? "True" : "False");
    case TARE_TPL_V_INT:
    case TARE_TPL_V_FLOAT:
        return append_number(run, to, v);
    case TARE_TPL_V_STR:
        return repr_string(run, to, v->text);
    case TARE_TPL_V_LIST:
        return repr_list(run, to, v, depth - 1);
    case TARE_TPL_V_DICT:
        return repr_dict(run, to, v, depth - 1);
    default:
        return tare_tpl_fail(run, TARE_E_FORMAT, "a %s has no text here", tare_tpl_type_name(v));
    }
}

int tare_tpl_str(struct tare_tpl_run *run, const struct tare_tpl_value *v, struct tare_bytes *out)
{
    struct tare_tpl_text text = {0};
    struct tare_tpl_value copy;
    if (v->type == TARE_TPL_V_STR) {
        *out = v->text;
        return 0;
    }
    int r = repr(run, &text, v, tare_tpl_max_depth);
    r = r == 0 ? tare_tpl_copy(run, text.data, text.n, &copy) : r;
    free(text.data);
    if (r == 0) {
        *out = copy.text;
    }
    return r;
}
