/* SPDX-License-Identifier: Apache-2.0 */
/* Well-formed UTF-8 as the Unicode standard's table 3-7 has it. */
#include "plain.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What may follow a lead byte: how many bytes, and the range of the first of them. */
struct lead {
    unsigned char from, to, n, low, high;
};

static const struct lead leads[] = {
    {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf}, {0xe1, 0xec, 2, 0x80, 0xbf},
    {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf}, {0xf0, 0xf0, 3, 0x90, 0xbf},
    {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

/* Bytes of the character that begins with a byte above 0x7f; 0 if there is none. */
static size_t wide(const unsigned char *at, size_t left)
{
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++) {
        const struct lead *lead = &leads[i];
        if (at[0] < lead->from || at[0] > lead->to) {
            continue;
        }
        bool fits = left > lead->n && at[1] >= lead->low && at[1] <= lead->high;
        for (size_t k = 2; fits && k <= lead->n; k++) {
            fits = (at[k] & 0xc0) == 0x80;
        }
        return fits ? (size_t)lead->n + 1 : 0;
    }
    return 0;
}

/* Eight bytes that are all ASCII and none of them NUL. */
static bool eight_plain(const unsigned char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    /* Without high bits, taking 1 from each byte sets the high bit of those that were 0, at least. */
    return ((word | (word - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080)) == 0;
}

size_t tare_readers_valid(const char *text, size_t n)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t i = 0;
    while (i < n) {
        if (n - i >= 8 && eight_plain(at + i)) {
            i += 8;
            continue;
        }
        size_t length = at[i] == 0 ? 0 : at[i] < 0x80 ? 1 : wide(at + i, n - i);
        if (length == 0) {
            return i;
        }
        i += length;
    }
    return n;
}

const char *tare_readers_show(const char *text, char out[TARE_READERS_SHOWN])
{
    size_t n = 0;
    for (; text[n] && n < TARE_READERS_SHOWN - 1; n++) {
        out[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
    }
    out[n] = '\0';
    return out;
}
