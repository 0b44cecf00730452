/* SPDX-License-Identifier: Apache-2.0 */
/* Characters, white space and properties; the case mappings are in case.c. */
#include "unicode.h"

#include <unictype.h>
#include <unistr.h>

static bool is_ascii(char c)
{
    return (unsigned char)c < 0x80;
}

uint32_t tare_unicode_next(struct tare_bytes text, size_t *at)
{
    if (is_ascii(text.data[*at])) {
        return (unsigned char)text.data[(*at)++];
    }
    ucs4_t c = 0;
    int n = u8_mbtoucr(&c, (const uint8_t *)text.data + *at, text.n - *at);
    *at += n > 0 ? (size_t)n : 1;
    return n > 0 ? c : TARE_UNICODE_INVALID;
}

uint32_t tare_unicode_before(struct tare_bytes text, size_t *at)
{
    /* The longest character that ends here, if one does. */
    for (size_t n = 1; n <= 4 && n <= *at; n++) {
        size_t begin = *at - n, end = begin;
        uint32_t c = tare_unicode_next((struct tare_bytes){text.data, *at}, &end);
        if (c != TARE_UNICODE_INVALID && end == *at) {
            *at = begin;
            return c;
        }
    }
    (*at)--;
    return TARE_UNICODE_INVALID;
}

size_t tare_unicode_put(uint32_t c, char to[4])
{
    int n = u8_uctomb((uint8_t *)to, c, 4);
    return n > 0 ? (size_t)n : 0;
}

size_t tare_unicode_chars(struct tare_bytes text)
{
    size_t n = 0;
    for (size_t at = 0; at < text.n; n++) {
        (void)tare_unicode_next(text, &at);
    }
    return n;
}

size_t tare_unicode_offset(struct tare_bytes text, size_t i)
{
    size_t at = 0;
    for (; i > 0 && at < text.n; i--) {
        (void)tare_unicode_next(text, &at);
    }
    return at;
}

size_t tare_unicode_valid(struct tare_bytes text)
{
    const uint8_t *data = (const uint8_t *)text.data;
    const uint8_t *bad = text.n > 0 ? u8_check(data, text.n) : NULL;
    return bad ? (size_t)(bad - data) : text.n;
}

bool tare_unicode_is_space(uint32_t c)
{
    if (c < 0x80) {
        return c == ' ' || (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x1f);
    }
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
           c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool tare_unicode_in_name(uint32_t c)
{
    return c != TARE_UNICODE_INVALID && uc_is_property_xid_continue(c);
}

bool tare_unicode_begins_name(uint32_t c)
{
    return c == '_' || (c != TARE_UNICODE_INVALID && uc_is_property_xid_start(c));
}

bool tare_unicode_is_printable(uint32_t c)
{
    return c == ' ' || (c != TARE_UNICODE_INVALID &&
                        !uc_is_general_category_withtable(c, UC_CATEGORY_MASK_C | UC_CATEGORY_MASK_Z));
}

struct tare_bytes tare_unicode_lstrip(struct tare_bytes text)
{
    size_t at = 0, next = 0;
    while (next < text.n && tare_unicode_is_space(tare_unicode_next(text, &next))) {
        at = next;
    }
    return (struct tare_bytes){text.data + at, text.n - at};
}

struct tare_bytes tare_unicode_rstrip(struct tare_bytes text)
{
    size_t end = text.n, next = text.n;
    while (next > 0 && tare_unicode_is_space(tare_unicode_before(text, &next))) {
        end = next;
    }
    return (struct tare_bytes){text.data, end};
}

struct tare_bytes tare_unicode_strip(struct tare_bytes text)
{
    return tare_unicode_rstrip(tare_unicode_lstrip(text));
}
