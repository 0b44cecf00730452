/* SPDX-License-Identifier: Apache-2.0 */
/* Strict: digits, a point, a sign, an exponent; no hexadecimal numbers, no "nan", no words. */
#include "external_line.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool tare_lines_put(struct tare_lines *l, char byte, const char **line, size_t *n)
{
    if (byte != '\n') {
        l->too_long |= l->n == sizeof l->text;
        if (!l->too_long) {
            l->text[l->n++] = byte;
        }
        return false;
    }
    if (l->too_long) {
        l->text[0] = '?';
        l->n = 1;
    }
    *line = l->text;
    *n = l->n;
    l->n = 0;
    l->too_long = false;
    return true;
}

static size_t skip_space(const char *text, size_t n, size_t at)
{
    while (at < n && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r')) {
        at++;
    }
    return at;
}

/* The number at *at, which moves behind it. */
static bool take_number(const char *text, size_t n, size_t *at, double *value)
{
    char word[40], *end = NULL;
    size_t length = 0;
    while (*at + length < n && length < sizeof word - 1 && text[*at + length] != '\0' &&
           strchr("0123456789+-.eE", text[*at + length])) {
        word[length] = text[*at + length];
        length++;
    }
    word[length] = '\0';
    *value = strtod(word, &end);
    *at += length;
    return length > 0 && *end == '\0' && isfinite(*value);
}

/* The one or two numbers of a line from `at` on, up to its end or a comment; how many, 0 if there is anything
 * else. */
static int take_numbers(const char *line, size_t n, size_t at, double v[2])
{
    int n_values = 0;
    while (at < n && line[at] != '#') {
        if (n_values == 2 || !take_number(line, n, &at, &v[n_values++])) {
            return 0;
        }
        size_t behind = skip_space(line, n, at);
        if (behind == at && at < n) {
            return 0; /* something sticks to the number */
        }
        at = behind;
    }
    return n_values;
}

enum tare_line tare_line_parse(const char *line, size_t n, bool no_time, double max_watts, double *seconds,
                               double *watts)
{
    double v[2] = {0};
    size_t at = skip_space(line, n, 0);
    if (at == n || line[at] == '#') {
        return TARE_LINE_BLANK;
    }
    int n_values = take_numbers(line, n, at, v);
    double time = n_values == 2 ? v[0] : 0, power = n_values == 2 ? v[1] : v[0];
    if (n_values == 0 || (n_values == 1 && !no_time)) {
        return TARE_LINE_BAD;
    }
    if (power < 0 || power > max_watts || time < 0 || time > 1e10) {
        return TARE_LINE_BAD;
    }
    *seconds = time;
    *watts = power;
    return TARE_LINE_SAMPLE;
}
