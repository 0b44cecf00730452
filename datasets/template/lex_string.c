/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Escapes of string literals, those of Python's unicode-escape as Jinja2 applies it: an unknown escape keeps
 * its backslash, and a backslash at the end of a line joins it with the next.
 */
#include "lex.h"

#include "datasets/unicode/unicode.h"

#include <string.h>

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The value of digits at `from`, n or up to n of them; *used says how many there were. */
static uint32_t digits(const char *from, size_t n, unsigned base, size_t *used)
{
    uint32_t value = 0;
    for (*used = 0; *used < n; (*used)++) {
        int digit = hex_value(from[*used]);
        if (digit < 0 || (unsigned)digit >= base) {
            break;
        }
        value = value * base + (uint32_t)digit;
    }
    return value;
}

/* The character of a one-letter escape; 0 if it is none. */
static char simple(char c)
{
    static const char letters[] = "\\'\"abfnrtv", values[] = "\\'\"\a\b\f\n\r\t\v";
    const char *at = c ? strchr(letters, c) : NULL;
    return (char)(at ? values[at - letters] : 0);
}

struct escape {
    struct tare_tpl_lexer *lexer;
    size_t at, end; /* behind the backslash; of the literal */
    char *to;
};

/* \x41 \u00e9 \U0001f600 \101 */
static int by_number(struct escape *e, struct tare_err *err)
{
    const char *from = e->lexer->t->source + e->at;
    bool octal = *from >= '0' && *from <= '7';
    size_t want = octal ? 3 : *from == 'x' ? 2 : *from == 'u' ? 4 : 8, skip = octal ? 0 : 1, used = 0;
    size_t left = e->end - e->at - skip;
    uint32_t c = digits(from + skip, want < left ? want : left, octal ? 8 : 16, &used);
    size_t put = c > 0 && (octal || used == want) ? tare_unicode_put(c, e->to) : 0;
    if (put == 0) {
        return tare_tpl_error(e->lexer->t, e->at - 1, TARE_E_FORMAT, err,
                              "this escape is no character that text can hold");
    }
    e->to += put;
    e->at += skip + used;
    return 0;
}

static int resolve(struct escape *e, struct tare_err *err)
{
    char c = e->lexer->t->source[e->at];
    if (simple(c)) {
        *e->to++ = simple(c);
        e->at++;
        return 0;
    }
    if (c == '\n') {
        e->at++;
        return 0;
    }
    if (c == 'x' || c == 'u' || c == 'U' || (c >= '0' && c <= '7')) {
        return by_number(e, err);
    }
    if (c == 'N' || (unsigned char)c >= 0x80) {
        return tare_tpl_error(e->lexer->t, e->at - 1, TARE_E_FORMAT, err,
                              "the escape \\%s is not known here; write the character itself",
                              c == 'N' ? "N" : "of a character beyond ASCII");
    }
    *e->to++ = '\\';
    return 0;
}

int tare_tpl_lex_unescape(struct tare_tpl_lexer *lexer, size_t begin, size_t end, struct tare_bytes *out,
                          struct tare_err *err)
{
    /* No escape is shorter than what it stands for. */
    char *data = tare_tpl_alloc(&lexer->t->arena, end - begin + 4);
    struct escape e = {.lexer = lexer, .at = begin, .end = end, .to = data};
    int r = data ? 0 : tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", lexer->t->what);
    while (r == 0 && e.at < end) {
        char c = lexer->t->source[e.at++];
        if (c == '\\') {
            r = resolve(&e, err);
        } else {
            *e.to++ = c;
        }
    }
    if (r == 0) {
        *out = (struct tare_bytes){data, (size_t)(e.to - data)};
    }
    return r;
}
