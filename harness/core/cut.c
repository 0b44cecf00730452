/* SPDX-License-Identifier: Apache-2.0 */
/* The rules as lm-evaluation-harness has them (lm_eval/utils.py get_rolling_token_windows, api/model.py
 * _encode_pair). */
#include "core/cut.h"

#include <stdbool.h>
#include <stdint.h>

/* Python's white space (str.isspace). */
static bool is_blank(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
           c == 0x3000;
}

/* Length of the last character, *out its code point; 0 for what is none. No blank has more than three bytes.
 */
static size_t last_character(const unsigned char *text, size_t n, uint32_t *out)
{
    if (n >= 1 && text[n - 1] < 0x80) {
        *out = text[n - 1];
        return 1;
    }
    if (n >= 2 && (text[n - 1] & 0xc0) == 0x80 && (text[n - 2] & 0xe0) == 0xc0) {
        *out = (text[n - 2] & 0x1fU) << 6 | (text[n - 1] & 0x3fU);
        return *out >= 0x80 ? 2 : 0;
    }
    if (n >= 3 && (text[n - 1] & 0xc0) == 0x80 && (text[n - 2] & 0xc0) == 0x80 &&
        (text[n - 3] & 0xf0) == 0xe0) {
        *out = (text[n - 3] & 0x0fU) << 12 | (text[n - 2] & 0x3fU) << 6 | (text[n - 1] & 0x3fU);
        return *out >= 0x800 ? 3 : 0;
    }
    return 0;
}

size_t tare_cut_blanks(struct tare_bytes text)
{
    size_t n = text.n;
    uint32_t c = 0;
    size_t length;
    while (n > 0 && (length = last_character((const unsigned char *)text.data, n, &c)) > 0 && is_blank(c)) {
        n -= length;
    }
    return text.n - n;
}

size_t tare_cut_windows(size_t n_tok, size_t m_tok)
{
    return n_tok / m_tok + (n_tok % m_tok != 0);
}

struct tare_cut_window tare_cut_window(size_t n_tok, size_t m_tok, size_t i)
{
    size_t end = (i + 1) * m_tok < n_tok ? (i + 1) * m_tok : n_tok; /* the last target, the prefix counted */
    size_t begin = end > m_tok ? end - m_tok : 0;
    return (struct tare_cut_window){begin, end - begin + 1, i * m_tok + 1 - begin};
}

size_t tare_cut_left(size_t n_tok, size_t most_tok)
{
    return n_tok > most_tok ? n_tok - most_tok : 0;
}
