/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Perturbations: of short texts every result is known, and each must come; of long ones the rate, the seed
 * and the bytes are checked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "perturb.h"

enum { SEEDS = 600, RESULTS = 16 };

static struct tare_bytes bytes_of(const char *text)
{
    return (struct tare_bytes){.data = text, .n = strlen(text)};
}

/* The result, to be freed; its length is asserted to be that of a C string. */
static char *perturbed(enum tare_perturb_kind kind, const char *in, double rate, uint64_t seed,
                       size_t *changed)
{
    struct tare_err err = {0};
    struct tare_rng rng;
    char *out = NULL;
    size_t n = 0;
    tare_rng_init(&rng, seed);
    if (tare_perturb(kind, bytes_of(in), rate, &rng, &out, &n, changed, &err)) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(strlen(out), n);
    return out;
}

struct known {
    enum tare_perturb_kind kind;
    const char *in;
    const char *results[RESULTS]; /* all there are at rate 1 */
    const char *reason;
};

static const struct known known[] = {
    {TARE_PERTURB_SWAP, "abcd", {"acbd", "abdc"}, "the first letter stays"},
    {TARE_PERTURB_SWAP, "aaab", {"aaba"}, "equal letters are no swap"},
    {TARE_PERTURB_SWAP, "zzzz", {"zzzz"}, "nothing to swap"},
    {TARE_PERTURB_SWAP, "abc", {"abc"}, "too short"},
    {TARE_PERTURB_SWAP, "ab3d it's", {"ab3d it's"}, "not letters alone"},
    {TARE_PERTURB_DELETE, "abcd", {"acd", "abd", "abc"}, "any but the first"},
    {TARE_PERTURB_DELETE,
     "caf\xc3\xa9s (abcd)",
     {"caf\xc3\xa9s (acd)", "caf\xc3\xa9s (abd)", "caf\xc3\xa9s (abc)"},
     "a word with other letters stays, brackets stay"},
    {TARE_PERTURB_KEYBOARD, "Oppp", {"Oopp", "Opop", "Oppo", "Olpp", "Oplp", "Oppl"}, "o and l touch p"},
    {TARE_PERTURB_KEYBOARD, "OPPP", {"OOPP", "OPOP", "OPPO", "OLPP", "OPLP", "OPPL"}, "in its case"},
    {TARE_PERTURB_CASE, "aBc", {"ABc", "abc", "aBC"}, "any letter, the first too"},
    {TARE_PERTURB_CASE, "I", {"i"}, "of one letter too"},
    {TARE_PERTURB_SPACE, "a b", {"ab", "a  b"}, "dropped or doubled"},
    {TARE_PERTURB_SPACE, "a  b, c. ", {"a  b, c. "}, "no single space between words"},
    {TARE_PERTURB_SPACE, " a\nb ", {" a\nb "}, "no space between words"},
    {TARE_PERTURB_SYNONYM, "big bigger", {"large bigger"}, "the listed word alone"},
    {TARE_PERTURB_SYNONYM, "Fast", {"Quick", "Rapid"}, "capitalised as it was"},
    {TARE_PERTURB_SYNONYM, "FAST", {"QUICK", "RAPID"}, "in capitals as it was"},
    {TARE_PERTURB_SYNONYM, "", {""}, "nothing"},
};

/* Which of the results this is; fails if none. */
static size_t find_result(const struct known *k, const char *got)
{
    for (size_t i = 0; i < RESULTS && k->results[i]; i++) {
        if (strcmp(k->results[i], got) == 0) {
            return i;
        }
    }
    fail_msg("%s of \"%s\" gave \"%s\": %s", tare_perturb_name(k->kind), k->in, got, k->reason);
    return 0;
}

static void test_known_results(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof known / sizeof known[0]; c++) {
        const struct known *k = &known[c];
        int times[RESULTS] = {0};
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            size_t changed = 99;
            char *got = perturbed(k->kind, k->in, 1.0, seed, &changed);
            times[find_result(k, got)]++;
            assert_int_equal(changed, strcmp(got, k->in) != 0);
            free(got);
        }
        size_t n = 0;
        while (n < RESULTS && k->results[n]) {
            n++;
        }
        for (size_t i = 0; i < n; i++) { /* as likely as the others, within five standard deviations or so */
            int mean = SEEDS / (int)n;
            assert_in_range(times[i], mean - mean / 2, mean + mean / 2);
        }
    }
}

static void test_insert(void **state)
{
    bool letters[26] = {false};
    bool places[5] = {false};
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        char *got = perturbed(TARE_PERTURB_INSERT, "ABCD", 1.0, seed, NULL);
        size_t at = strcspn(got, "abcdefghijklmnopqrstuvwxyz");
        assert_int_equal(strlen(got), 5);
        assert_in_range(at, 1, 3);
        letters[got[at] - 'a'] = true;
        places[at] = true;
        memmove(got + at, got + at + 1, 5 - at);
        assert_string_equal(got, "ABCD");
        free(got);
    }
    assert_true(places[1] && places[2] && places[3]);
    for (int i = 0; i < 26; i++) {
        assert_true(letters[i]);
    }
}

/* 2000 words of four letters or more, each of them a unit for every kind but spaces, of which there are 1999.
 */
static char *long_text(void)
{
    static const char *const words[] = {"Large ", "small ", "quickly ", "started "};
    char *text = calloc(20000, 1);
    assert_non_null(text);
    for (size_t i = 0, n = 0; i < 2000; i++) {
        n += (size_t)sprintf(text + n, "%s", words[i % 4]);
        text[i == 1999 ? n - 1 : n] = '\0';
    }
    return text;
}

static void test_rate(void **state)
{
    (void)state;
    char *text = long_text();
    for (int kind = 0; kind < TARE_PERTURB_KINDS; kind++) {
        size_t changed = 99;
        char *got = perturbed((enum tare_perturb_kind)kind, text, 0.0, 1, &changed);
        assert_string_equal(got, text);
        assert_int_equal(changed, 0);
        free(got);
        free(perturbed((enum tare_perturb_kind)kind, text, 0.3, 1, &changed));
        assert_in_range(changed, 600 - 102, 600 + 102); /* five standard deviations of 20.5 */
        free(perturbed((enum tare_perturb_kind)kind, text, 1.0, 1, &changed));
        assert_int_equal(changed, kind == TARE_PERTURB_SPACE ? 1999 : 2000);
    }
    free(text);
}

static void test_seed(void **state)
{
    (void)state;
    char *text = long_text();
    for (int kind = 0; kind < TARE_PERTURB_KINDS; kind++) {
        char *a = perturbed((enum tare_perturb_kind)kind, text, 0.5, 7, NULL);
        char *b = perturbed((enum tare_perturb_kind)kind, text, 0.5, 7, NULL);
        char *c = perturbed((enum tare_perturb_kind)kind, text, 0.5, 8, NULL);
        assert_string_equal(a, b);
        assert_string_not_equal(a, c);
        free(a);
        free(b);
        free(c);
    }
    free(text);
}

/* The same bytes with every compiler and level of optimisation. */
static void test_golden(void **state)
{
    static const char *const golden[TARE_PERTURB_KINDS] = {
        "139bbdf2abbe10307acc4f495174dabb15674959592ed8f6481f92e8f7464f0a",
        "3f781e9ecc4907adf653d2c010f594da72d0520f333ca6117b756dcb30bb2840",
        "02082f2f073438da55b916e36bd57fbcd4be6494f19f3b6710a94751fb59b6ed",
        "674fb82e8830048c81a2e7f39bfb23fe40e938a8442e83e5ad9aa3292be6c00e",
        "e29dfcf6f93e60e8316e25bbae692848e1ddc977146c6f46f5e7686b4c8a93e7",
        "4787ef826781e10c5192a4d0084e8574b837484a98b858668cf78ea503bbdf1c",
        "b141e727e37ff849d20e483c9649f39c45532776b4c0ef48c15edde046bfb3e6",
    };
    struct tare_err err;
    (void)state;
    char *text = long_text();
    for (int kind = 0; kind < TARE_PERTURB_KINDS; kind++) {
        char hash[TARE_SHA256_HEX];
        char *got = perturbed((enum tare_perturb_kind)kind, text, 0.5, 1, NULL);
        assert_int_equal(tare_sha256(got, strlen(got), hash, &err), 0);
        assert_string_equal(hash, golden[kind]);
        free(got);
    }
    free(text);
}

/* Any bytes: what is not ASCII comes through unchanged and in order, and so does a NUL. */
static void test_any_bytes(void **state)
{
    struct tare_rng rng;
    (void)state;
    tare_rng_init(&rng, 5);
    for (int i = 0; i < 2000; i++) {
        char in[64];
        struct tare_bytes bytes = {.data = in, .n = tare_rng_below(&rng, sizeof in + 1)};
        for (size_t b = 0; b < bytes.n; b++) {
            static const char often[] = "eeaott  l\xc3\xa9\xf0";
            uint64_t any = tare_rng_u64(&rng);
            in[b] = any % 4 ? often[any / 4 % (sizeof often - 1)] : (char)(any >> 32);
        }
        char *out = NULL;
        size_t n = 0;
        struct tare_err err;
        assert_int_equal(tare_perturb((enum tare_perturb_kind)(i % TARE_PERTURB_KINDS), bytes, 1.0, &rng,
                                      &out, &n, NULL, &err),
                         0);
        assert_int_equal(out[n], 0);
        size_t at = 0;
        for (size_t b = 0; b < bytes.n; b++) {
            if ((unsigned char)in[b] < 128 && in[b] != '\0') {
                continue;
            }
            while (at < n && (unsigned char)out[at] < 128 && out[at] != '\0') {
                at++;
            }
            assert_true(at < n && out[at] == in[b]);
            at++;
        }
        free(out);
    }
}

static void test_refusals(void **state)
{
    static const double bad[] = {-0.001, 1.001, (double)NAN, (double)INFINITY};
    struct tare_rng rng;
    char *out = NULL;
    size_t n = 5;
    size_t changed = 6;
    struct tare_err err = {0};
    (void)state;
    tare_rng_init(&rng, 1);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(
            tare_perturb(TARE_PERTURB_CASE, bytes_of("text"), bad[i], &rng, &out, &n, &changed, &err),
            TARE_E_USAGE);
        assert_non_null(strstr(err.msg, "between 0 and 1"));
    }
    assert_int_equal(tare_perturb(TARE_PERTURB_KINDS, bytes_of("text"), 0.5, &rng, &out, &n, &changed, &err),
                     TARE_E_USAGE);
    assert_null(out);
    assert_int_equal(n, 5);
    assert_int_equal(changed, 6);
    assert_null(tare_perturb_name(TARE_PERTURB_KINDS));
    assert_string_equal(tare_perturb_name(TARE_PERTURB_SYNONYM), "synonym");
}

static void test_synonyms(void **state)
{
    size_t n = 0;
    (void)state;
    assert_null(tare_perturb_synonyms("big", 2, &n));
    assert_null(tare_perturb_synonyms("xylophone", 9, &n));
    const char *const *group = tare_perturb_synonyms("rapid", 5, &n);
    assert_non_null(group);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++) {
        size_t again = 0;
        assert_ptr_equal(tare_perturb_synonyms(group[i], strlen(group[i]), &again), group);
        assert_int_equal(again, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_results), cmocka_unit_test(test_insert),
        cmocka_unit_test(test_rate),          cmocka_unit_test(test_seed),
        cmocka_unit_test(test_golden),        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_refusals),      cmocka_unit_test(test_synonyms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
