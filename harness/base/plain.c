/* SPDX-License-Identifier: Apache-2.0 */
/* One decoder of UTF-8 that only says how long a character is; replacing keeps every length. */
#include "base/plain.h"

#include <stdbool.h>
#include <string.h>

/* The second byte has a range of its own behind these leads: no overlong forms, no surrogates. */
static bool second_fits(unsigned char lead, unsigned char second)
{
    switch (lead) {
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second < 0xa0;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second < 0x90;
    default:
        return true;
    }
}

/* Bytes of the character at the begin of at[0 .. n), n > 0; 0 if there is none. */
static size_t character(const unsigned char *at, size_t n)
{
    unsigned char lead = at[0];
    size_t length = lead < 0x80   ? 1
                    : lead < 0xc2 ? 0
                    : lead < 0xe0 ? 2
                    : lead < 0xf0 ? 3
                    : lead < 0xf5 ? 4
                                  : 0;
    if (length > n || (length > 1 && !second_fits(lead, at[1]))) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

size_t tare_plain_valid(const char *text, size_t n)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t valid = 0, length;
    while (valid < n && (length = character(at + valid, n - valid)) > 0) {
        valid += length;
    }
    return valid;
}

void tare_plain_utf8(char *text)
{
    size_t n = strlen(text);
    for (size_t at = tare_plain_valid(text, n); at < n; at += tare_plain_valid(text + at, n - at)) {
        text[at] = '?';
    }
}

/* C1 controls are two bytes in UTF-8; a terminal may obey them all the same. */
void tare_plain_line(char *text)
{
    tare_plain_utf8(text);
    for (char *c = text; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte < 0x20 || byte == 0x7f) {
            *c = ' ';
        } else if (byte == 0xc2 && (unsigned char)c[1] < 0xa0) {
            c[0] = c[1] = ' ';
        }
    }
}

void tare_plain_err(struct tare_err *err)
{
    if (err) {
        tare_plain_line(err->msg);
    }
}
