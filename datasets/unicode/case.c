/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Case mappings, character by character with the one context that is no language's: the final sigma. What is
 * title case at the beginning of a word follows Python: behind any character that has no case.
 */
#include "unicode.h"

#include <unicase.h>
#include <unictype.h>

#include <stdlib.h>
#include <string.h>

enum {
    max_mapped = 16, /* bytes that a character becomes: three characters at most */
    capital_sigma = 0x3a3,
    small_sigma = 0x3c3,
    final_sigma = 0x3c2
};

enum mode { LOWER, UPPER, CAPITALIZE, TITLE };

struct sink {
    char *data;
    size_t n, cap;
};

static bool reserve(struct sink *to, size_t more)
{
    if (to->cap - to->n > more) { /* the NUL has room too */
        return true;
    }
    size_t cap = 2 * to->cap + more + 1;
    char *data = realloc(to->data, cap);
    if (data) {
        to->data = data;
        to->cap = cap;
    }
    return data != NULL;
}

/* Is the first character with a say, from *at on in one direction, one that has case? */
static bool cased_before(struct tare_bytes text, size_t at)
{
    while (at > 0) {
        uint32_t c = tare_unicode_before(text, &at);
        if (!uc_is_property_case_ignorable(c)) {
            return uc_is_property_cased(c);
        }
    }
    return false;
}

static bool cased_behind(struct tare_bytes text, size_t at)
{
    while (at < text.n) {
        uint32_t c = tare_unicode_next(text, &at);
        if (!uc_is_property_case_ignorable(c)) {
            return uc_is_property_cased(c);
        }
    }
    return false;
}

/* Behind a letter and before none it is the final one. */
static size_t put_sigma(struct tare_bytes text, size_t begin, size_t end, char *to)
{
    bool is_final = cased_before(text, begin) && !cased_behind(text, end);
    return tare_unicode_put(is_final ? final_sigma : small_sigma, to);
}

/* One character alone, by the full mapping; 0 if memory was refused. */
static size_t put_mapped(enum mode mode, const char *from, size_t n, char *to)
{
    uint8_t buffer[max_mapped];
    size_t length = sizeof buffer;
    const uint8_t *in = (const uint8_t *)from;
    uint8_t *out = mode == UPPER   ? u8_toupper(in, n, NULL, NULL, buffer, &length)
                   : mode == TITLE ? u8_totitle(in, n, NULL, NULL, buffer, &length)
                                   : u8_tolower(in, n, NULL, NULL, buffer, &length);
    if (!out) {
        return 0;
    }
    length = length <= max_mapped ? length : max_mapped;
    memcpy(to, out, length);
    if (out != buffer) {
        free(out);
    }
    return length;
}

static char map_ascii(enum mode mode, char c)
{
    if (mode == LOWER) {
        return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    return (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
}

/* What happens to the character that begins here. */
static enum mode mode_at(enum mode mode, size_t begin, bool behind_cased)
{
    if (mode == CAPITALIZE) {
        return begin == 0 ? TITLE : LOWER;
    }
    return mode == TITLE && behind_cased ? LOWER : mode;
}

static bool map_all(enum mode mode, struct tare_bytes text, struct sink *to)
{
    bool behind_cased = false;
    for (size_t begin = 0, end = 0; begin < text.n; begin = end) {
        uint32_t c = tare_unicode_next(text, &end);
        enum mode here = mode_at(mode, begin, behind_cased);
        if (!reserve(to, max_mapped)) {
            return false;
        }
        if (c < 0x80) {
            to->data[to->n++] = map_ascii(here, (char)c);
        } else {
            size_t n = c == capital_sigma && here == LOWER
                           ? put_sigma(text, begin, end, to->data + to->n)
                           : put_mapped(here, text.data + begin, end - begin, to->data + to->n);
            if (n == 0) {
                return false;
            }
            to->n += n;
        }
        behind_cased = mode == TITLE && uc_is_property_cased(c);
    }
    return true;
}

static int map(enum mode mode, struct tare_bytes text, char **out, size_t *out_n, struct tare_err *err)
{
    size_t valid = tare_unicode_valid(text);
    if (valid < text.n) {
        return tare_err_set(err, TARE_E_FORMAT,
                            "text is not UTF-8 at byte %zu, so it has no upper and lower case", valid);
    }
    struct sink to = {0};
    if (!reserve(&to, text.n) || !map_all(mode, text, &to)) {
        free(to.data);
        return tare_err_set(err, TARE_E_NOMEM, "text of %zu bytes: out of memory", text.n);
    }
    to.data[to.n] = '\0';
    *out = to.data;
    *out_n = to.n;
    return 0;
}

int tare_unicode_lower(struct tare_bytes text, char **out, size_t *out_n, struct tare_err *err)
{
    return map(LOWER, text, out, out_n, err);
}

int tare_unicode_upper(struct tare_bytes text, char **out, size_t *out_n, struct tare_err *err)
{
    return map(UPPER, text, out, out_n, err);
}

int tare_unicode_capitalize(struct tare_bytes text, char **out, size_t *out_n, struct tare_err *err)
{
    return map(CAPITALIZE, text, out, out_n, err);
}

int tare_unicode_title(struct tare_bytes text, char **out, size_t *out_n, struct tare_err *err)
{
    return map(TITLE, text, out, out_n, err);
}
