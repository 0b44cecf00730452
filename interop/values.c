/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers out of fields, fields to figures, and errors that name the place. */
#include "values.h"

#include "base/plain.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <tare/kind.h>

/* Two-sided, normal. */
static const double z_95 = 1.959963984540054;

const struct tare_json *tare_interop_at(const struct tare_json *object, const char *path)
{
    char key[96];
    for (const char *dot; (dot = strchr(path, '.')); path = dot + 1) {
        (void)snprintf(key, sizeof key, "%.*s", (int)(dot - path), path);
        object = tare_json_get(object, key);
    }
    return tare_json_get(object, path);
}

const char *tare_interop_text(const struct tare_json *object, const char *path)
{
    const char *text = tare_json_str(tare_interop_at(object, path));
    return text ? text : "";
}

const char *tare_interop_scalar(const struct tare_json *value)
{
    switch (tare_json_type(value)) {
    case TARE_JSON_STRING:
        return tare_json_str(value);
    case TARE_JSON_NUMBER:
        return tare_json_number_text(value);
    case TARE_JSON_BOOL:
        return tare_json_true(value) ? "1" : "0";
    default:
        return NULL;
    }
}

bool tare_interop_parse(const char *text, double *out)
{
    char *end = NULL;
    /* strtod would take blanks, "inf" and hexadecimal digits. */
    if (!text || strspn(text, "+-.0123456789eE") != strlen(text)) {
        return false;
    }
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value)) {
        return false;
    }
    *out = value;
    return true;
}

/* Ways in which programs write that they have no number. */
static bool says_nothing(const char *text)
{
    static const char *const words[] = {"", " ", "N/A", "nan", "NaN", "none", "None", "null", "inf", "-inf"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

int tare_interop_number(const struct tare_interop_in *in, const struct tare_json *value, const char *field,
                        double *out, struct tare_err *err)
{
    const char *text = tare_json_str(value);
    double number = (double)NAN;
    enum tare_json_type type = tare_json_type(value);
    if (type == TARE_JSON_NUMBER) {
        number = tare_json_num(value);
    } else if (text && !says_nothing(text) && !tare_interop_parse(text, &number)) {
        return tare_interop_fault(in, err, "%.60s: a number is needed, found \"%.40s\"", field, text);
    } else if (value && !text && type != TARE_JSON_NULL) {
        return tare_interop_fault(in, err, "%.60s: a number is needed, found %s", field,
                                  tare_json_type_name(type));
    }
    *out = isfinite(number) ? number : (double)NAN;
    return 0;
}

int tare_interop_put_stderr(const struct tare_interop_in *in, const struct tare_interop_field *field,
                            double value, double standard_error, int64_t n, const char *n_what,
                            struct tare_err *err)
{
    char source[160];
    bool has = isfinite(standard_error) && standard_error >= 0;
    double scaled = value * field->scale, half = has ? z_95 * standard_error * field->scale : (double)NAN;
    if (!isfinite(scaled)) {
        return 0;
    }
    (void)snprintf(source, sizeof source, "%.60s: %.90s", in->tool, field->path);
    struct tare_figure figure = {.name = field->figure,
                                 .value = scaled,
                                 .unit = field->unit,
                                 .kind = TARE_KIND_REPORTED,
                                 .source = source,
                                 .scope = field->scope,
                                 .n = n == TARE_ABSENT ? 1 : n,
                                 .n_what = n == TARE_ABSENT ? "reports" : n_what,
                                 .low = scaled - half,
                                 .high = scaled + half,
                                 .level = has ? 0.95 : (double)NAN,
                                 .method = has ? "normal, from the reported standard error" : NULL,
                                 .flags = TARE_INTEROP_FLAG};
    return in->sink->figure(in->sink->ctx, &figure, err);
}

int tare_interop_put(const struct tare_interop_in *in, const struct tare_interop_field *field, double value,
                     int64_t n, const char *n_what, struct tare_err *err)
{
    return tare_interop_put_stderr(in, field, value, (double)NAN, n, n_what, err);
}

int tare_interop_map(const struct tare_interop_in *in, const struct tare_json *object,
                     const struct tare_interop_field *fields, size_t n_fields, int64_t n, const char *n_what,
                     struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < n_fields; i++) {
        double value = (double)NAN;
        r = tare_interop_number(in, tare_interop_at(object, fields[i].path), fields[i].path, &value, err);
        r = r == 0 ? tare_interop_put(in, &fields[i], value, n, n_what, err) : r;
    }
    return r;
}

int64_t tare_interop_count(const struct tare_json *object, const char *path)
{
    double value;
    const char *text = tare_interop_scalar(tare_interop_at(object, path));
    bool counts = tare_interop_parse(text, &value) && value >= 0 && value < 1e15 && value == floor(value);
    return counts ? (int64_t)value : TARE_ABSENT;
}

int tare_interop_json(const struct tare_interop_in *in, const char *text, size_t n, struct tare_json **out,
                      struct tare_err *err)
{
    char what[240];
    if (in->reader->line > 0) {
        (void)snprintf(what, sizeof what, "%.200s: value in line %lld", in->reader->name,
                       (long long)in->reader->line);
    } else {
        (void)snprintf(what, sizeof what, "%.200s", in->reader->name);
    }
    return tare_json_parse_exact(text, n, what, out, err);
}

int tare_interop_json_all(const struct tare_interop_in *in, struct tare_json **out, struct tare_err *err)
{
    const char *text = NULL;
    size_t n = 0;
    int r = tare_interop_all(in->reader, &text, &n, err);
    return r == 0 ? tare_interop_json(in, text, n, out, err) : r;
}

int tare_interop_text_all(const struct tare_interop_in *in, const char **out, size_t *out_n,
                          struct tare_err *err)
{
    const char *text = NULL;
    size_t n = 0;
    int r = tare_interop_all(in->reader, &text, &n, err);
    if (r == 0 && memchr(text, '\0', n)) {
        r = tare_interop_fault(in, err, "it holds a NUL byte");
    }
    if (r == 0 && tare_plain_valid(text, n) != n) {
        r = tare_interop_fault(in, err, "it is not UTF-8");
    }
    if (r == 0) {
        size_t mark = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        *out = text + mark;
        *out_n = n - mark;
    }
    return r;
}

int tare_interop_record(const struct tare_interop_in *in, const struct tare_json *record,
                        struct tare_err *err)
{
    char *text = NULL;
    int r = tare_json_print(record, false, &text, err);
    r = r == 0 ? in->sink->record(in->sink->ctx, text, err) : r;
    free(text);
    return r;
}

int tare_interop_fault(const struct tare_interop_in *in, struct tare_err *err, const char *fmt, ...)
{
    char text[320];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    const struct tare_interop_reader *at = in->reader;
    char place[48] = "";
    if (at->line > 0 || at->record > 0) {
        (void)snprintf(place, sizeof place, "%s %lld: ", at->line > 0 ? "line" : "record",
                       (long long)(at->line > 0 ? at->line : at->record));
    }
    int r = tare_err_set(err, TARE_E_FORMAT, "%.120s: %s%s", at->name, place, text);
    tare_plain_err(err); /* it may quote the file */
    return r;
}

bool tare_interop_has(const char *text, size_t n, const char *word)
{
    return memmem(text, n, word, strlen(word)) != NULL;
}

char tare_interop_first(const char *text, size_t n)
{
    size_t at = 0;
    while (at < n && isspace((unsigned char)text[at])) {
        at++;
    }
    return at < n ? text[at] : '\0';
}
