/* SPDX-License-Identifier: Apache-2.0 */
/* Recursive descent on the next byte. Runs of blanks, digits and string text are taken at once. */
#include "scan.h"

#include <string.h>

enum { max_depth = 64 };

/* Takes n bytes of the block. Whoever takes a line feed counts it. */
static int keep(struct tare_scan *scan, size_t n, struct tare_err *err)
{
    struct tare_input *input = scan->input;
    int r = scan->gather ? tare_gather_add(scan->gather, input->left.data, n, input, scan->line, err) : 0;
    input->left.data += n;
    input->left.n -= n;
    return r;
}

/* The length of the run of bytes for which `fits` holds, within the block. */
static size_t run(const struct tare_input *input, bool (*fits)(unsigned char))
{
    size_t n = 0;
    while (n < input->left.n && fits((unsigned char)input->left.data[n])) {
        n++;
    }
    return n;
}

/* Takes the whole run, across blocks. 1: there was one; 0: not. */
static int keep_run(struct tare_scan *scan, bool (*fits)(unsigned char), struct tare_err *err)
{
    int found = 0, r;
    while ((r = tare_input_fill(scan->input, err)) > 0) {
        size_t n = run(scan->input, fits);
        if (n == 0) {
            break;
        }
        found = 1;
        r = keep(scan, n, err);
        if (r < 0) {
            break;
        }
    }
    return r < 0 ? r : found;
}

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_plain(unsigned char c)
{
    return c >= ' ' && c != '"' && c != '\\';
}

int tare_scan_fault(struct tare_scan *scan, const char *expected, struct tare_err *err)
{
    int c = tare_input_peek(scan->input, err);
    if (c == TARE_INPUT_END) {
        return tare_input_fault(scan->input, scan->input->line, err, "the text ends where %s is expected",
                                expected);
    }
    if (c < 0) {
        return c;
    }
    return c > ' ' && c < 0x7f ? tare_input_fault(scan->input, scan->input->line, err,
                                                  "'%c' where %s is expected", c, expected)
                               : tare_input_fault(scan->input, scan->input->line, err,
                                                  "byte 0x%02x where %s is expected", (unsigned)c, expected);
}

int tare_scan_byte(struct tare_scan *scan, char byte, struct tare_err *err)
{
    const char expected[] = {'\'', byte, '\'', '\0'};
    int c = tare_input_peek(scan->input, err);
    if (c < 0 && c != TARE_INPUT_END) {
        return c;
    }
    return c == (unsigned char)byte ? keep(scan, 1, err) : tare_scan_fault(scan, expected, err);
}

int tare_scan_space(struct tare_scan *scan, struct tare_err *err)
{
    for (;;) {
        int r = keep_run(scan, is_blank, err);
        if (r < 0 || scan->input->left.n == 0 || *scan->input->left.data != '\n') {
            return r < 0 ? r : 0;
        }
        scan->input->line++;
        r = keep(scan, 1, err);
        if (r < 0) {
            return r;
        }
    }
}

/* 1: the next byte is one of them, and taken; 0: not. */
static int accept(struct tare_scan *scan, const char *bytes, struct tare_err *err)
{
    int c = tare_input_peek(scan->input, err);
    if (c < 0) {
        return c == TARE_INPUT_END ? 0 : c;
    }
    if (c == 0 || !strchr(bytes, c)) {
        return 0;
    }
    int r = keep(scan, 1, err);
    return r < 0 ? r : 1;
}

static bool is_hex(unsigned char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Behind the backslash. */
static int scan_escape(struct tare_scan *scan, struct tare_err *err)
{
    int r = accept(scan, "u", err);
    if (r == 0) {
        r = accept(scan, "\"\\/bfnrt", err);
        return r == 0 ? tare_scan_fault(scan, "an escaped character", err) : r < 0 ? r : 0;
    }
    for (int i = 0; r > 0 && i < 4; i++) {
        int c = tare_input_peek(scan->input, err);
        if (c < 0 || !is_hex((unsigned char)c)) {
            return c < 0 && c != TARE_INPUT_END ? c : tare_scan_fault(scan, "a hexadecimal digit", err);
        }
        int kept = keep(scan, 1, err);
        r = kept < 0 ? kept : 1;
    }
    return r < 0 ? r : 0;
}

int tare_scan_string(struct tare_scan *scan, struct tare_err *err)
{
    int r = tare_scan_byte(scan, '"', err);
    while (r == 0) {
        r = keep_run(scan, is_plain, err);
        if (r < 0) {
            break;
        }
        int c = tare_input_peek(scan->input, err);
        if (c == '"') {
            return keep(scan, 1, err);
        }
        if (c != '\\') {
            return c < 0 && c != TARE_INPUT_END ? c : tare_scan_fault(scan, "the end of a string", err);
        }
        r = keep(scan, 1, err);
        if (r == 0) {
            r = scan_escape(scan, err);
        }
    }
    return r;
}

static int scan_word(struct tare_scan *scan, const char *word, struct tare_err *err)
{
    int r = 0;
    for (; r == 0 && *word; word++) {
        r = tare_scan_byte(scan, *word, err);
    }
    return r;
}

static int scan_digits(struct tare_scan *scan, struct tare_err *err)
{
    int r = keep_run(scan, is_digit, err);
    return r == 0 ? tare_scan_fault(scan, "a digit", err) : r < 0 ? r : 0;
}

/* What may follow the digits before the point. */
static int scan_fraction(struct tare_scan *scan, struct tare_err *err)
{
    int r = accept(scan, ".", err);
    if (r > 0) {
        r = scan_digits(scan, err);
    }
    if (r == 0) {
        r = accept(scan, "eE", err);
        if (r > 0) {
            r = accept(scan, "+-", err);
            r = r < 0 ? r : scan_digits(scan, err);
        }
    }
    return r;
}

static int scan_number(struct tare_scan *scan, struct tare_err *err)
{
    int minus = accept(scan, "-", err);
    int c = tare_input_peek(scan->input, err);
    if (minus > 0 && c == 'I') {
        return scan_word(scan, "Infinity", err);
    }
    int r = minus < 0 ? minus : accept(scan, "0", err);
    if (r == 0) {
        r = scan_digits(scan, err);
    }
    return r < 0 ? r : scan_fraction(scan, err);
}

int tare_scan_member(struct tare_scan *scan, bool is_object, bool first, struct tare_err *err)
{
    const char close = is_object ? '}' : ']';
    int r = tare_scan_space(scan, err);
    int c = r < 0 ? r : tare_input_peek(scan->input, err);
    if (c == close) {
        r = keep(scan, 1, err);
        return r < 0 ? r : 0;
    }
    if (!first) {
        if (c != ',') {
            return c < 0 && c != TARE_INPUT_END
                       ? c
                       : tare_scan_fault(scan, is_object ? "',' or '}'" : "',' or ']'", err);
        }
        r = keep(scan, 1, err);
        r = r < 0 ? r : tare_scan_space(scan, err);
        c = r < 0 ? r : 0;
    }
    return c < 0 && c != TARE_INPUT_END ? c : 1; /* what is not there will be missed */
}

static int scan_value(struct tare_scan *scan, int depth, struct tare_err *err);

static int scan_key(struct tare_scan *scan, struct tare_err *err)
{
    int r = tare_scan_string(scan, err);
    r = r < 0 ? r : tare_scan_space(scan, err);
    r = r < 0 ? r : tare_scan_byte(scan, ':', err);
    return r < 0 ? r : tare_scan_space(scan, err);
}

static int scan_container(struct tare_scan *scan, bool is_object, int depth, struct tare_err *err)
{
    if (depth >= max_depth) {
        return tare_input_fault(scan->input, scan->input->line, err, "JSON nested deeper than %d", max_depth);
    }
    int r = keep(scan, 1, err);
    for (bool first = true; r == 0; first = false) {
        r = tare_scan_member(scan, is_object, first, err);
        if (r <= 0) {
            return r;
        }
        r = is_object ? scan_key(scan, err) : 0;
        r = r < 0 ? r : scan_value(scan, depth + 1, err);
    }
    return r;
}

static int scan_value(struct tare_scan *scan, int depth, struct tare_err *err)
{
    int c = tare_input_peek(scan->input, err);
    switch (c) {
    case '{':
    case '[':
        return scan_container(scan, c == '{', depth, err);
    case '"':
        return tare_scan_string(scan, err);
    case 't':
        return scan_word(scan, "true", err);
    case 'f':
        return scan_word(scan, "false", err);
    case 'n':
        return scan_word(scan, "null", err);
    case 'N':
        return scan_word(scan, "NaN", err);
    case 'I':
        return scan_word(scan, "Infinity", err);
    default:
        if (c < 0 && c != TARE_INPUT_END) {
            return c;
        }
        return c == '-' || (c >= 0 && is_digit((unsigned char)c)) ? scan_number(scan, err)
                                                                  : tare_scan_fault(scan, "a value", err);
    }
}

int tare_scan_value(struct tare_scan *scan, struct tare_err *err)
{
    return scan_value(scan, 0, err);
}
