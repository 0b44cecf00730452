/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Characters, white space and case. Cases by hand, and every character of Unicode against SHA-256 sums of
 * what Python 3.11 (Unicode 14.0) makes of them: for each code point but NUL and the surrogates its mapping
 * in UTF-8 (below 0x20000; none beyond has case) and a NUL, or one digit for a property. The sums hold for
 * libunistring 1.0, which has the same Unicode version.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistring/version.h>

#include "base/buf.h"
#include "base/hash.h"
#include "datasets/unicode/unicode.h"

static struct tare_bytes bytes(const char *text)
{
    return (struct tare_bytes){text, strlen(text)};
}

/* Nothing beyond has an upper or lower case. */
enum { last_with_case = 0x20000 };

typedef int map_fn(struct tare_bytes text, char **out, size_t *out_n, struct tare_err *err);

static void add_mapped(struct tare_buf *to, map_fn *map, const char *before, uint32_t c, const char *behind)
{
    char text[32], *mapped = NULL;
    struct tare_err err = {0};
    size_t n = strlen(before), out_n = 0;
    memcpy(text, before, n);
    n += tare_unicode_put(c, text + n);
    memcpy(text + n, behind, strlen(behind));
    n += strlen(behind);
    assert_int_equal(map((struct tare_bytes){text, n}, &mapped, &out_n, &err), 0);
    tare_buf_add(to, mapped, out_n + 1); /* with the NUL behind it */
    free(mapped);
}

static void need_same_version(void)
{
    if (_libunistring_version != 0x010000) {
        print_message("skipped: libunistring is %x, the sums are of 1.0\n", (unsigned)_libunistring_version);
        skip();
    }
}

static void check_sum(const struct tare_buf *buf, const char *expected, const char *what)
{
    struct tare_err err = {0};
    char sum[TARE_SHA256_HEX];
    assert_int_equal(tare_buf_check(buf, what, &err), 0);
    assert_int_equal(tare_sha256(buf->data, buf->used, sum, &err), 0);
    if (strcmp(sum, expected) != 0) {
        fail_msg("%s: %s instead of %s", what, sum, expected);
    }
}

static const struct {
    map_fn *map;
    const char *before, *behind, *sum, *what;
} mappings[] = {
    {tare_unicode_lower, "", "", "54c18694494e5eac726584d593ff0b715c06cdab6a57cb204146fd755d06dbb9", "lower"},
    {tare_unicode_upper, "", "", "8abfb2345382b7d769c848eb07cb410e78dcc0ec00d046f5bc1ba47f786bf6df", "upper"},
    {tare_unicode_title, "", "", "0af2641b42fc76141678360e747663eceed2f1380a9809631c6becd03777252f", "title"},
    {tare_unicode_capitalize, "", "", "0af2641b42fc76141678360e747663eceed2f1380a9809631c6becd03777252f",
     "capitalize"},
    {tare_unicode_lower, "A\xce\xa3",
     "\xce\xa3"
     "A",
     "c452b85a841da3c3e9a3096c8f35273d3cbce2fe2babdaa01f84ec20ac460a5b", "lower, between two capital sigmas"},
    {tare_unicode_title, "a", "a", "096f80b5ddf9367711bfa7ec0266e7475d71fbe2641c1112a924646ca324ade4",
     "title, between two letters"},
};

static void test_every_mapping(void **state)
{
    (void)state;
    need_same_version();
    for (size_t i = 0; i < sizeof mappings / sizeof *mappings; i++) {
        struct tare_buf buf;
        tare_buf_init(&buf, 1 << 26);
        for (uint32_t c = 1; c < last_with_case; c++) {
            if (c < 0xd800 || c > 0xdfff) {
                add_mapped(&buf, mappings[i].map, mappings[i].before, c, mappings[i].behind);
            }
        }
        check_sum(&buf, mappings[i].sum, mappings[i].what);
        tare_buf_fini(&buf);
    }
}

static const struct {
    bool (*is)(uint32_t c);
    const char *sum, *what;
} properties[] = {
    {tare_unicode_is_printable, "a53fbcf3c0d1d10dbe13eb529d6c162f3aa1ed38e1eb1c1d438c82757b16d5c1",
     "printable"},
    {tare_unicode_in_name, "96546341c8e0c2cf2b855cc2c02f2e857f46807a3ace8ec43b89a347b750e5ae", "in names"},
    {tare_unicode_begins_name, "cd82e065f818fb30cb24c417c217b47cf0c726db33fdc8d991580519c655b539",
     "begins names"},
};

static void test_every_property(void **state)
{
    (void)state;
    need_same_version();
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
        struct tare_buf buf;
        tare_buf_init(&buf, 1 << 21);
        for (uint32_t c = 1; c < 0x110000; c++) {
            if (c < 0xd800 || c > 0xdfff) {
                tare_buf_add(&buf, properties[i].is(c) ? "1" : "0", 1);
            }
        }
        check_sum(&buf, properties[i].sum, properties[i].what);
        tare_buf_fini(&buf);
    }
    assert_false(
        tare_unicode_is_printable(TARE_UNICODE_INVALID) || tare_unicode_in_name(TARE_UNICODE_INVALID) ||
        tare_unicode_begins_name(TARE_UNICODE_INVALID) || tare_unicode_is_space(TARE_UNICODE_INVALID));
}

/* str.isspace is true of these and no others. */
static void test_spaces(void **state)
{
    (void)state;
    static const uint32_t spaces[] = {0x9,    0xa,    0xb,    0xc,    0xd,    0x1c,   0x1d,   0x1e,
                                      0x1f,   0x20,   0x85,   0xa0,   0x1680, 0x2000, 0x2001, 0x2002,
                                      0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a,
                                      0x2028, 0x2029, 0x202f, 0x205f, 0x3000};
    size_t n = 0;
    for (uint32_t c = 0; c < 0x110000; c++) {
        if (tare_unicode_is_space(c)) {
            assert_true(n < sizeof spaces / sizeof *spaces);
            assert_int_equal(c, spaces[n++]);
        }
    }
    assert_int_equal(n, sizeof spaces / sizeof *spaces);
}

static const struct {
    map_fn *map;
    const char *in, *out, *why;
} cases[] = {
    {tare_unicode_lower, "", "", "nothing"},
    {tare_unicode_lower, "ABC xyz 1", "abc xyz 1", "ASCII"},
    {tare_unicode_upper, "stra\u00dfe \ufb01", "STRASSE FI", "one character becomes two"},
    {tare_unicode_lower, "\u0130", "i\u0307", "dotted capital I becomes two"},
    {tare_unicode_lower, "\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2", "a final sigma"},
    {tare_unicode_lower, "\u03a3", "\u03c3", "alone it is not final"},
    {tare_unicode_lower, "A\u03a3.", "a\u03c2.", "a full stop is looked over, and nothing comes behind it"},
    {tare_unicode_lower, "A\u03a3.B", "a\u03c3.b", "but here a letter does"},
    {tare_unicode_lower, "A.\u03a3", "a.\u03c2", "and before it as well"},
    {tare_unicode_lower, "1\u03a3", "1\u03c3", "a digit is no letter"},
    {tare_unicode_title, "hello wORLD o'neil 3rd x-ray", "Hello World O'Neil 3Rd X-Ray",
     "words begin behind no letter"},
    {tare_unicode_title, "\u01c6 a\u03a3 \u00df", "\u01c5 A\u03c2 Ss", "title case is not upper case"},
    {tare_unicode_capitalize, "iPHONE \u00c9T\u00c9", "Iphone \u00e9t\u00e9", "all but the first are lower"},
    {tare_unicode_capitalize, "\u00e9T\u00c9", "\u00c9t\u00e9", "the first beyond ASCII"},
    {tare_unicode_capitalize, "a\u03a3", "A\u03c2", "the first counts before a final sigma"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_err err = {0};
        char *out = NULL;
        size_t n = 0;
        assert_int_equal(cases[i].map(bytes(cases[i].in), &out, &n, &err), 0);
        if (strcmp(out, cases[i].out) != 0 || n != strlen(out)) {
            fail_msg("%s: \"%s\" instead of \"%s\"", cases[i].why, out, cases[i].out);
        }
        free(out);
    }
}

/* A NUL is a character; what is no UTF-8 has no case. */
static void test_bytes(void **state)
{
    (void)state;
    struct tare_err err = {0};
    char *out = NULL;
    size_t n = 0;
    assert_int_equal(tare_unicode_upper((struct tare_bytes){"a\0b", 3}, &out, &n, &err), 0);
    assert_int_equal(n, 3);
    assert_memory_equal(out, "A\0B", 4);
    free(out);
    out = NULL;
    n = 77;
    assert_int_equal(tare_unicode_lower((struct tare_bytes){"ab\xff", 3}, &out, &n, &err), TARE_E_FORMAT);
    assert_non_null(strstr(err.msg, "not UTF-8 at byte 2"));
    assert_null(out);
    assert_int_equal(n, 77);
}

static const struct {
    const char *text;
    size_t n, chars, valid;
    const char *why;
} counted[] = {
    {"", 0, 0, 0, "nothing"},
    {"abc", 3, 3, 3, "ASCII"},
    {"a\xc3\xa9\xf0\x9f\x98\x80", 7, 3, 7, "two and four bytes"},
    {"\xff", 1, 1, 0, "a byte that is none"},
    {"a\xc3", 2, 2, 1, "a character that is cut"},
    {"\xe2\x82", 2, 2, 0, "cut later"},
    {"\xed\xa0\x80", 3, 3, 0, "a surrogate is three bytes of nothing"},
    {"\xc0\x80", 2, 2, 0, "an overlong NUL"},
    {"\xf4\x90\x80\x80", 4, 4, 0, "beyond Unicode"},
    {"\x80\xc3\xa9", 3, 2, 0, "it goes on behind"},
};

static void test_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
        struct tare_bytes text = {counted[i].text, counted[i].n};
        size_t back = 0;
        for (size_t at = text.n; at > 0; back++) {
            (void)tare_unicode_before(text, &at);
        }
        if (tare_unicode_chars(text) != counted[i].chars || back != counted[i].chars ||
            tare_unicode_valid(text) != counted[i].valid ||
            tare_unicode_offset(text, counted[i].chars) != text.n) {
            fail_msg("%s: %zu characters, %zu backwards", counted[i].why, tare_unicode_chars(text), back);
        }
    }
    assert_int_equal(tare_unicode_offset(bytes("a\xc3\xa9z"), 2), 3);
    assert_int_equal(tare_unicode_offset(bytes("a"), 9), 1);
    char to[4];
    assert_int_equal(tare_unicode_put(0xd800, to), 0);
    assert_int_equal(tare_unicode_put(0x110000, to), 0);
    assert_int_equal(tare_unicode_put(TARE_UNICODE_INVALID, to), 0);
}

static const struct {
    const char *text, *left, *right, *both, *why;
} stripped[] = {
    {"", "", "", "", "nothing"},
    {" \t\n", "", "", "", "white space alone"},
    {" a b ", "a b ", " a b", "a b", "the inside stays"},
    {"\u00a0\u3000a\u2003\u2028", "a\u2003\u2028", "\u00a0\u3000a", "a", "beyond ASCII"},
    {"\u200ba\u200b", "\u200ba\u200b", "\u200ba\u200b", "\u200ba\u200b", "no white space in Python"},
    {"\x1c\x1f"
     "a\x85",
     "a\x85",
     "\x1c\x1f"
     "a\x85",
     "a\x85", "a byte that is no character stays"},
    {"\x80 a \xc2", "\x80 a \xc2", "\x80 a \xc2", "\x80 a \xc2", "and blanks before it"},
};

static bool is(struct tare_bytes text, const char *expected)
{
    return text.n == strlen(expected) && memcmp(text.data, expected, text.n) == 0;
}

static void test_strip(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stripped / sizeof *stripped; i++) {
        struct tare_bytes text = bytes(stripped[i].text);
        if (!is(tare_unicode_lstrip(text), stripped[i].left) ||
            !is(tare_unicode_rstrip(text), stripped[i].right) ||
            !is(tare_unicode_strip(text), stripped[i].both)) {
            fail_msg("%s", stripped[i].why);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_mapping), cmocka_unit_test(test_every_property),
        cmocka_unit_test(test_spaces),        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_bytes),         cmocka_unit_test(test_count),
        cmocka_unit_test(test_strip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
