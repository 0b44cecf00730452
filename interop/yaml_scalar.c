/* SPDX-License-Identifier: Apache-2.0 */
/* Hand-written matchers of PyYAML's patterns for implicit types. */
#include "interop/yaml_scalar.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool is_word(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(text, *words) == 0) {
            return true;
        }
    }
    return false;
}

static const char *skip(const char *text, const char *set)
{
    return text + strspn(text, set);
}

static const char *skip_sign(const char *text)
{
    return text + (*text == '-' || *text == '+');
}

/* [-+]?(0|[1-9][0-9]*) */
static bool is_integer(const char *text)
{
    text = skip_sign(text);
    return *text == '0' ? text[1] == '\0' : *text && *skip(text, "0123456789") == '\0';
}

/* Behind an exponent, which has a sign in YAML 1.1; the text itself if there is none. */
static const char *skip_exponent(const char *text)
{
    bool begins = (*text == 'e' || *text == 'E') && (text[1] == '-' || text[1] == '+');
    const char *end = begins ? skip(text + 2, "0123456789") : text;
    return end > text + 2 ? end : text;
}

/* Digits, a point, perhaps more digits and an exponent; or a point and digits. `digits` says what counts as
 * one. */
static bool is_float(const char *text, const char *digits)
{
    const char *whole = skip_sign(text), *point = skip(whole, digits);
    if (*point != '.' || *whole == '_') {
        return false;
    }
    const char *fraction = skip(point + 1, digits);
    if (point == whole && (fraction == point + 1 || point[1] == '_' || whole != text)) {
        return false;
    }
    return *skip_exponent(fraction) == '\0';
}

/* 0b1 0x1f 0777 1_000 */
static bool is_odd_integer(const char *text)
{
    static const char digits[] = "0123456789_";
    text = skip_sign(text);
    if (text[0] == '0' && text[1] == 'b') {
        return text[2] && *skip(text + 2, "01_") == '\0';
    }
    if (text[0] == '0' && text[1] == 'x') {
        return text[2] && *skip(text + 2, "0123456789abcdefABCDEF_") == '\0';
    }
    return *text == '0' ? text[1] && *skip(text + 1, "01234567_") == '\0'
                        : *text >= '1' && *text <= '9' && *skip(text, digits) == '\0';
}

/* 12:30, 190:20:30.15 */
static bool is_base_60(const char *text)
{
    const char *at = skip(skip_sign(text), "0123456789_");
    if (at == skip_sign(text) || *skip_sign(text) == '_' || *at != ':') {
        return false;
    }
    while (*at == ':') {
        size_t n = strspn(at + 1, "0123456789");
        if (n == 0 || n > 2 || (n == 2 && at[1] > '5')) {
            return false;
        }
        at += 1 + n;
    }
    return *at == '\0' || (*at == '.' && *skip(at + 1, "0123456789_") == '\0');
}

/* 2001-12-14, with or without a time */
static bool is_date(const char *text)
{
    static const char digits[] = "0123456789";
    if (strspn(text, digits) != 4 || text[4] != '-') {
        return false;
    }
    const char *month = text + 5, *day = skip(month, digits);
    if (day == month || day - month > 2 || *day != '-') {
        return false;
    }
    const char *end = skip(day + 1, digits);
    return end > day + 1 && end - (day + 1) <= 2 && (*end == '\0' || strchr("tT \t", *end));
}

static bool is_odd(const char *text)
{
    static const char *const infinities[] = {".inf", ".Inf", ".INF", NULL};
    static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};
    return is_odd_integer(text) || is_float(text, "0123456789_") || is_base_60(text) || is_date(text) ||
           is_word(skip_sign(text), infinities) || is_word(text, nans);
}

enum tare_yaml_scalar tare_yaml_scalar_of(const char *text)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", NULL};
    static const char *const falses[] = {"no",    "No",  "NO",  "false", "False",
                                         "FALSE", "off", "Off", "OFF",   NULL};
    return is_word(text, nulls)           ? TARE_YAML_NULL
           : is_word(text, trues)         ? TARE_YAML_TRUE
           : is_word(text, falses)        ? TARE_YAML_FALSE
           : is_integer(text)             ? TARE_YAML_INTEGER
           : is_float(text, "0123456789") ? TARE_YAML_FLOAT
           : is_odd(text)                 ? TARE_YAML_ODD
                                          : TARE_YAML_TEXT;
}
