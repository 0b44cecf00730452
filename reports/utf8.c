/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. Widths are
 * those of Unicode's East Asian Width (W and F are two columns) by block, not by character: enough to
 * keep columns aligned, not a text engine.
 */
#include "utf8.h"

/* Bytes of the sequence that `lead` begins, and the least code that needs so many; 0: none. */
static size_t sequence_length(unsigned char lead, uint32_t *least)
{
    static const uint32_t least_of[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    *least = least_of[n];
    return n;
}

size_t tare_utf8_next(const char *text, uint32_t *code)
{
    const unsigned char *at = (const unsigned char *)text;
    uint32_t least;
    size_t n = sequence_length(*at, &least);
    *code = TARE_UTF8_BAD;
    if (*at == '\0') {
        return 0;
    }
    if (n == 0) {
        return 1;
    }
    uint32_t value = n == 1 ? *at : *at & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 1;
        }
        value = value << 6 | (at[i] & 0x3fu);
    }
    if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
        return 1;
    }
    *code = value;
    return n;
}

bool tare_utf8_is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

struct range {
    uint32_t first, last;
};

static bool in_ranges(uint32_t code, const struct range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

/* Combining marks, joiners, direction marks, variation selectors. */
static const struct range zero_width[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x064b, 0x065f},  {0x1ab0, 0x1aff},
    {0x1dc0, 0x1dff}, {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x2069},  {0x20d0, 0x20ff},
    {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef}};

static const struct range double_width[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
    {0x17000, 0x18cff}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1faff}, {0x20000, 0x3fffd}};

static size_t width_of(uint32_t code)
{
    if (code == TARE_UTF8_BAD || code < 0x300) {
        return 1;
    }
    if (in_ranges(code, zero_width, sizeof zero_width / sizeof *zero_width)) {
        return 0;
    }
    return in_ranges(code, double_width, sizeof double_width / sizeof *double_width) ? 2 : 1;
}

size_t tare_utf8_width(const char *text, size_t n)
{
    const char *end = text + n;
    size_t width = 0;
    while (text < end) {
        uint32_t code;
        size_t step = tare_utf8_next(text, &code);
        if (step == 0) {
            break;
        }
        width += width_of(code);
        text += step;
    }
    return width;
}

void tare_utf8_put(FILE *to, const char *text)
{
    uint32_t code;
    for (size_t n; (n = tare_utf8_next(text, &code)) > 0; text += n) {
        if (code == TARE_UTF8_BAD) {
            (void)fputs(TARE_UTF8_PROXY, to);
        } else {
            (void)fwrite(text, 1, n, to);
        }
    }
}

bool tare_utf8_valid(const char *text)
{
    uint32_t code = 0;
    for (size_t n; (n = tare_utf8_next(text, &code)) > 0; text += n) {
        if (code == TARE_UTF8_BAD) {
            return false;
        }
    }
    return true;
}
