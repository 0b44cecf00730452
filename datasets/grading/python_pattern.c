/* SPDX-License-Identifier: Apache-2.0 */
/* From Python's regular expressions to PCRE2's, one token after another; see python_pattern.h. */
#include "datasets/grading/python_pattern.h"

#include <stdio.h>
#include <string.h>

/* str.isspace: Unicode's white space, and the four separators of ASCII. PCRE2 lacks those and has U+180E. */
#define SPACES                                                                                          \
    "\\x{9}-\\x{d}\\x{1c}-\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}" \
    "\\x{205f}\\x{3000}"
#define NO_SPACES                                                                                   \
    "\\x{0}-\\x{8}\\x{e}-\\x{1b}\\x{21}-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}" \
    "\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}"

struct reader {
    struct tare_bytes in;
    size_t at;
    const char *what;
    struct tare_string *out;
    struct tare_err *err;
};

static int refuse(struct reader *r, const char *why)
{
    return tare_err_set(r->err, TARE_E_FORMAT, "%s: at byte %zu: %s", r->what, r->at, why);
}

/* The byte `ahead` of the next; -1 behind the end. */
static int peek(const struct reader *r, size_t ahead)
{
    return r->in.n - r->at > ahead ? (unsigned char)r->in.data[r->at + ahead] : -1;
}

static bool starts(const struct reader *r, const char *text)
{
    size_t n = strlen(text);
    return r->in.n - r->at >= n && memcmp(r->in.data + r->at, text, n) == 0;
}

static int digit_of(int c, int base)
{
    int value = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : 99;
    return value < base ? value : -1;
}

/* Exactly n digits from `ahead` on, as a number; -1 if there are not so many. */
static long number_at(const struct reader *r, size_t ahead, size_t n, int base)
{
    long value = 0;
    for (size_t i = 0; i < n; i++) {
        int digit = digit_of(peek(r, ahead + i), base);
        if (digit < 0) {
            return -1;
        }
        value = value * base + digit;
    }
    return value;
}

static void put_point(struct reader *r, long point)
{
    char text[24];
    (void)snprintf(text, sizeof text, "\\x{%lx}", (unsigned long)point);
    tare_string_puts(r->out, text);
}

/* \xhh, \uhhhh, \Uhhhhhhhh: the backslash is the next byte. */
static int read_hex(struct reader *r, size_t digits)
{
    long point = number_at(r, 2, digits, 16);
    if (point < 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
        return refuse(r, "no character by that number");
    }
    put_point(r, point);
    r->at += 2 + digits;
    return 0;
}

/* A backslash and digits: a character by its octal number, or, outside of a set, a group. */
static int read_number(struct reader *r, bool in_set)
{
    long octal = number_at(r, 1, 3, 8);
    if (octal >= 0 && octal <= 0377) {
        put_point(r, octal);
        r->at += 4;
        return 0;
    }
    if (peek(r, 1) == '0') {
        size_t n = number_at(r, 1, 2, 8) >= 0 ? 2 : 1;
        put_point(r, number_at(r, 1, n, 8));
        r->at += 1 + n;
        return 0;
    }
    if (in_set) {
        return refuse(r, "a number in a set is octal, with three digits or a leading 0");
    }
    size_t n = digit_of(peek(r, 2), 10) >= 0 ? 2 : 1;
    tare_string_puts(r->out, "\\g{");
    tare_string_add(r->out, r->in.data + r->at + 1, n);
    tare_string_putc(r->out, '}');
    r->at += 1 + n;
    return 0;
}

struct escape {
    char letter;
    const char *outside, *in_set; /* NULL: Python knows none */
};

static const struct escape escapes[] = {
    {'A', "\\A", NULL},
    {'Z', "\\z", NULL},
    {'b', "\\b", "\\x{8}"},
    {'B', "\\B", NULL},
    {'d', "\\p{Nd}", "\\p{Nd}"},
    {'D', "\\P{Nd}", "\\P{Nd}"},
    {'s', "[" SPACES "]", SPACES},
    {'S', "[^" SPACES "]", NO_SPACES},
    {'w', "[_\\p{L}\\p{N}]", "_\\p{L}\\p{N}"},
    {'W', "[^_\\p{L}\\p{N}]", "\\W"},
    {'a', "\\x{7}", "\\x{7}"},
    {'f', "\\x{c}", "\\x{c}"},
    {'n', "\\x{a}", "\\x{a}"},
    {'r', "\\x{d}", "\\x{d}"},
    {'t', "\\x{9}", "\\x{9}"},
    {'v', "\\x{b}", "\\x{b}"},
};

static int read_letter(struct reader *r, int letter, bool in_set)
{
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        const char *said = in_set ? escapes[i].in_set : escapes[i].outside;
        if (escapes[i].letter == letter && said) {
            tare_string_puts(r->out, said);
            r->at += 2;
            return 0;
        }
    }
    return refuse(r, "an escape that Python's re does not have, or that is not supported");
}

static int read_escape(struct reader *r, bool in_set)
{
    int c = peek(r, 1);
    if (c < 0) {
        return refuse(r, "a backslash at the end");
    }
    if (c == 'x' || c == 'u' || c == 'U') {
        return read_hex(r, c == 'x' ? 2 : c == 'u' ? 4 : 8);
    }
    if (c >= '0' && c <= '9') {
        return read_number(r, in_set);
    }
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
        return read_letter(r, c, in_set);
    }
    if (c < 0x80) {
        tare_string_putc(r->out, '\\');
        tare_string_putc(r->out, (char)c);
        r->at += 2;
    } else {
        r->at++; /* the character stands for itself */
    }
    return 0;
}

static int read_set(struct reader *r)
{
    tare_string_putc(r->out, '[');
    r->at++;
    if (peek(r, 0) == '^') {
        tare_string_putc(r->out, '^');
        r->at++;
    }
    for (bool first = true; first || peek(r, 0) != ']'; first = false) {
        int c = peek(r, 0);
        if (c < 0) {
            return refuse(r, "a set without an end");
        }
        if (c == '\\') {
            int code = read_escape(r, true);
            if (code < 0) {
                return code;
            }
            continue;
        }
        if (c == '[' || c == ']') {
            tare_string_putc(r->out, '\\');
        }
        tare_string_putc(r->out, (char)c);
        r->at++;
    }
    tare_string_putc(r->out, ']');
    r->at++;
    return 0;
}

static size_t skip_digits(const struct reader *r, size_t ahead)
{
    while (digit_of(peek(r, ahead), 10) >= 0) {
        ahead++;
    }
    return ahead;
}

/* A brace: {m}, {m,}, {,n}, {m,n}, {,} repeat; any other stands for itself. */
static void read_brace(struct reader *r)
{
    size_t low = skip_digits(r, 1), high = low;
    bool comma = peek(r, low) == ',';
    if (comma) {
        high = skip_digits(r, low + 1);
    }
    if (peek(r, high) != '}' || (!comma && low == 1)) {
        tare_string_puts(r->out, "\\{");
        r->at++;
        return;
    }
    tare_string_puts(r->out, low == 1 ? "{0" : "{");
    tare_string_add(r->out, r->in.data + r->at + 1, high);
    r->at += high + 1;
}

/* (?flags) at the start, (?flags:...) and (?-flags:...) anywhere. */
static int read_flags(struct reader *r)
{
    size_t end = 2;
    while (peek(r, end) > 0 && strchr("ims-", peek(r, end))) {
        end++;
    }
    if (end == 2 || (peek(r, end) != ':' && !(peek(r, end) == ')' && r->at == 0))) {
        return refuse(
            r, "a group of this kind, or a flag other than i, m and s or elsewhere than at the start, is "
               "unknown to Python's re or not supported");
    }
    tare_string_add(r->out, r->in.data + r->at, end + 1);
    r->at += end + 1;
    return 0;
}

static int skip_comment(struct reader *r)
{
    while (peek(r, 0) >= 0 && peek(r, 0) != ')') {
        r->at++;
    }
    if (peek(r, 0) < 0) {
        return refuse(r, "a comment without an end");
    }
    r->at++;
    return 0;
}

/* (?(1) and (?(name): digits or a name, as PCRE2 has them. Anything else would be one of its own conditions.
 */
static int read_condition(struct reader *r)
{
    size_t end = 3;
    bool name = false;
    for (; peek(r, end) >= 0 && peek(r, end) != ')'; end++) {
        int c = peek(r, end);
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && digit_of(c, 10) < 0) {
            return refuse(r, "a condition is the number or the name of a group");
        }
        name |= letter;
    }
    if (end == 3 || peek(r, end) < 0) {
        return refuse(r, "a condition without a group");
    }
    tare_string_puts(r->out, name ? "(?(<" : "(?(");
    tare_string_add(r->out, r->in.data + r->at + 3, end - 3);
    tare_string_puts(r->out, name ? ">)" : ")");
    r->at += end + 1;
    return 0;
}

static int read_group(struct reader *r)
{
    static const char *const kinds[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?P<", "(?P=", "(?>"};
    if (peek(r, 1) == '*') {
        return refuse(r, "nothing to repeat");
    }
    if (peek(r, 1) != '?') {
        tare_string_putc(r->out, '(');
        r->at++;
        return 0;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (starts(r, kinds[i])) {
            tare_string_puts(r->out, kinds[i]);
            r->at += strlen(kinds[i]);
            return 0;
        }
    }
    return peek(r, 2) == '#' ? skip_comment(r) : peek(r, 2) == '(' ? read_condition(r) : read_flags(r);
}

static int read_token(struct reader *r)
{
    switch (peek(r, 0)) {
    case '\\':
        return read_escape(r, false);
    case '[':
        return read_set(r);
    case '(':
        return read_group(r);
    case '{':
        read_brace(r);
        return 0;
    default:
        tare_string_putc(r->out, r->in.data[r->at++]);
        return 0;
    }
}

int tare_python_pattern(struct tare_bytes pattern, const char *what, struct tare_string *out,
                        struct tare_err *err)
{
    struct reader r = {.in = pattern, .what = what, .out = out, .err = err};
    while (r.at < pattern.n) {
        int code = read_token(&r);
        if (code < 0) {
            return code;
        }
    }
    return tare_string_check(out, what, err);
}
