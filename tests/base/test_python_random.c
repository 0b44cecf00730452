/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generator against CPython 3.11: every expected number was printed by `random.Random(seed)` there.
 * Where a method leaves the generator is tested too, by the number that random() gives next.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <tare/python_random.h>

static void assert_u64(uint64_t got, uint64_t expected, const char *what)
{
    if (got != expected) {
        fail_msg("%s: %" PRIu64 ", not %" PRIu64, what, got, expected);
    }
}

static struct tare_python_random seeded(uint64_t seed)
{
    struct tare_python_random r;
    tare_python_random_init(&r, seed);
    return r;
}

static void assert_next(struct tare_python_random *r, double expected, const char *what)
{
    double got = tare_python_random_unit(r);
    if (got != expected) {
        fail_msg("%s: random() is then %.17g, not %.17g", what, got, expected);
    }
}

/* getrandbits(32) four times: what seeding alone decides. */
static void test_seeding(void **state)
{
    (void)state;
    static const struct {
        uint64_t seed;
        uint32_t words[4];
        const char *why;
    } cases[] = {
        {0, {3626764237u, 1654615998u, 3255389356u, 3823568514u}, "0 is one word"},
        {1, {577090037u, 2444712010u, 3639700191u, 3445702192u}, "1"},
        {42, {2746317213u, 478163327u, 107420369u, 3184935163u}, "42"},
        {1234, {4150886329u, 3342196574u, 1892932127u, 501869158u}, "few-shot examples"},
        {UINT32_MAX, {2728839433u, 2661025012u, 872737089u, 924893097u}, "the last of one word"},
        {UINT64_C(1) << 32, {485306839u, 1508871100u, 1794561286u, 4014597330u}, "the first of two words"},
        {UINT64_MAX, {93740670u, 1068495656u, 1452108352u, 2657516307u}, "the last of two words"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_python_random r = seeded(cases[i].seed);
        for (int k = 0; k < 4; k++) {
            /* 2^32 has 33 bits; below 2^32 - 1 of 32 bits rejects one number, which is none of these */
            assert_u64(tare_python_random_below(&r, UINT32_MAX), cases[i].words[k], cases[i].why);
        }
    }
}

static void test_unit(void **state)
{
    (void)state;
    struct tare_python_random r = seeded(1234);
    assert_next(&r, 0.9664535356921388, "the first");
    assert_next(&r, 0.4407325991753527, "the second");
    /* Past several blocks of words: a polynomial hash of all 53 bits of 2000 numbers. */
    uint64_t hash = 0;
    r = seeded(3);
    for (int i = 0; i < 2000; i++) {
        hash = hash * 31 + (uint64_t)(tare_python_random_unit(&r) * 0x1.0p53);
    }
    assert_u64(hash, UINT64_C(5796639957800177685), "2000 numbers");
}

static void test_below(void **state)
{
    (void)state;
    static const struct {
        uint64_t n, drawn;
    } cases[] = {
        {1, 0}, /* draws one bit until it is 0 */
        {2, 1},
        {3, 2},
        {4, 0},
        {5, 3},
        {8, 3},
        {9, 0},
        {1000, 922},
        {UINT64_C(1) << 32, 673671309},
        {(UINT64_C(1) << 32) + 1, 1596840319},
        {UINT64_C(1) << 53, UINT64_C(4441863202435328)},
        {UINT64_C(1) << 63, UINT64_C(241914107032511321)},
        {UINT64_MAX, UINT64_C(3997959117937236768)},
    };
    struct tare_python_random r = seeded(5);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_u64(tare_python_random_below(&r, cases[i].n), cases[i].drawn, "below");
    }
    assert_next(&r, 0.408151054974514, "below");
    assert_u64(tare_python_random_below(&r, 0), 0, "out of nothing");
}

struct sample_case {
    const char *why;
    uint64_t seed;
    size_t n, k, n_out;
    size_t out[22];
    double next;
};

static const struct sample_case samples[] = {
    {"GSM8K's five shots", 1234, 7473, 5, 5, {6374, 3610, 957, 61, 742}, 0},
    {"HellaSwag's ten and one",
     1234,
     39905,
     11,
     11,
     {28883, 7657, 490, 5940, 38156, 2288, 5500, 6450, 23241, 15519, 1142},
     0},
    {"21 is drawn from a list", 1234, 21, 5, 5, {14, 3, 0, 2, 1}, 0},
    {"22 with k = 5 by a set", 7, 22, 5, 5, {10, 4, 12, 20, 1}, 0.07243628666754276},
    {"22 with k = 6 from a list", 7, 22, 6, 6, {10, 4, 12, 1, 2, 3}, 0},
    {"k = 6: 84 from a list", 7, 84, 6, 6, {41, 19, 50, 6, 9, 68}, 0.09413004193968255},
    {"k = 6: 85 from a list", 7, 85, 6, 6, {41, 19, 50, 6, 9, 68}, 0.09413004193968255},
    {"k = 6: 86 by a set", 7, 86, 6, 6, {41, 19, 50, 83, 6, 9}, 0.8212742919913083},
    {"all of a list",
     7,
     21,
     21,
     21,
     {10, 4, 12, 1, 2, 3, 5, 9, 0, 8, 15, 18, 17, 6, 20, 13, 11, 14, 16, 19, 7},
     0.8268521246720381},
    {"k = 22: 86 from a list",
     7,
     86,
     22,
     22,
     {41, 19, 50, 6, 9, 68, 12, 46, 74, 7, 64, 27, 4, 11, 55, 53, 8, 30, 72, 54, 76, 15},
     0.9474497007074875},
    {"k = 22: 278 by a set", 7, 278, 22, 4, {165, 77, 202, 24}, 0.6306259157317371},
    {"one of one", 7, 1, 1, 1, {0}, 0.9478653606090632},
    {"none of five", 7, 5, 0, 0, {0}, 0.32383276483316237},
};

static void test_sample(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const struct sample_case *c = &samples[i];
        struct tare_python_random r = seeded(c->seed);
        size_t out[32] = {0};
        struct tare_err err = {0};
        assert_int_equal(tare_python_random_sample(&r, c->n, c->k, out, &err), 0);
        for (size_t k = 0; k < c->n_out; k++) {
            assert_u64(out[k], c->out[k], c->why);
        }
        if (c->next != 0) {
            assert_next(&r, c->next, c->why);
        }
    }
}

/* One generator goes on from document to document. */
static void test_sample_again(void **state)
{
    (void)state;
    static const size_t gsm8k[3][5] = {
        {6374, 3610, 957, 61, 742}, {7462, 6610, 4769, 286, 5501}, {5677, 687, 806, 6279, 2905}};
    static const size_t small[2][5] = {{14, 3, 0, 2, 1}, {2, 3, 11, 7, 0}};
    size_t out[5];
    struct tare_err err = {0};
    struct tare_python_random r = seeded(1234);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tare_python_random_sample(&r, 7473, 5, out, &err), 0);
        assert_memory_equal(out, gsm8k[i], sizeof out);
    }
    r = seeded(1234);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tare_python_random_sample(&r, 21, 5, out, &err), 0);
        assert_memory_equal(out, small[i], sizeof out);
    }
}

static void test_sample_refused(void **state)
{
    (void)state;
    struct tare_python_random r = seeded(7);
    struct tare_err err = {0};
    size_t out[4] = {9, 9, 9, 9};
    assert_int_equal(tare_python_random_sample(&r, 3, 4, out, &err), TARE_E_USAGE);
    assert_non_null(strstr(err.msg, "4 out of 3"));
    assert_int_equal(out[0], 9);
    assert_next(&r, 0.32383276483316237, "a refused sample drew");
}

static void test_shuffle(void **state)
{
    (void)state;
    static const int ten[10] = {7, 3, 2, 8, 5, 6, 9, 4, 0, 1};
    int x[1000];
    for (int i = 0; i < 1000; i++) {
        x[i] = i;
    }
    struct tare_python_random r = seeded(42);
    tare_python_random_shuffle(&r, x, 10, sizeof *x);
    assert_memory_equal(x, ten, sizeof ten);
    assert_next(&r, 0.5904925124490397, "ten");
    r = seeded(42);
    tare_python_random_shuffle(&r, x, 1, sizeof *x);
    assert_next(&r, 0.6394267984578837, "one draws nothing");
    for (int i = 0; i < 1000; i++) {
        x[i] = i;
    }
    r = seeded(42);
    tare_python_random_shuffle(&r, x, 1000, sizeof *x);
    static const int head[8] = {776, 507, 895, 922, 33, 483, 85, 750}, tail[3] = {25, 114, 654};
    assert_memory_equal(x, head, sizeof head);
    assert_memory_equal(x + 997, tail, sizeof tail);
    assert_next(&r, 0.40851757266002664, "a thousand");
}

static void test_choices(void **state)
{
    (void)state;
    static const uint32_t eight[8] = {1226, 2804, 1906, 3111, 3224, 337, 67, 4315};
    uint32_t out[5153];
    struct tare_python_random r = seeded(3);
    tare_python_random_choices(&r, 5153, 8, out);
    assert_memory_equal(out, eight, sizeof eight);
    tare_python_random_choices(&r, 1, 2, out);
    assert_int_equal(out[0] + out[1], 0);
    assert_next(&r, 0.9956448355104628, "choices");
    /* Many blocks at once: a polynomial hash of all. */
    r = seeded(9);
    tare_python_random_choices(&r, 5153, 5153, out);
    uint64_t hash = 0;
    for (int i = 0; i < 5153; i++) {
        hash = hash * 31 + out[i];
    }
    assert_u64(hash, UINT64_C(3871245380994509456), "5153 choices");
    assert_next(&r, 0.5139547376575193, "5153 choices");
}

/* By blocks and one by one the same, from an even and from an odd word on. */
static void test_choices_by_blocks(void **state)
{
    (void)state;
    for (int odd = 0; odd < 2; odd++) {
        struct tare_python_random blocks = seeded(11), single = seeded(11);
        if (odd) {
            assert_u64(tare_python_random_below(&blocks, 8), tare_python_random_below(&single, 8),
                       "one word");
        }
        uint32_t out[1000];
        tare_python_random_choices(&blocks, 77, 1000, out);
        for (int i = 0; i < 1000; i++) {
            assert_int_equal(out[i], (int)(tare_python_random_unit(&single) * 77));
        }
        assert_memory_equal(&blocks, &single, sizeof single);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seeding),
        cmocka_unit_test(test_unit),
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_sample_again),
        cmocka_unit_test(test_sample_refused),
        cmocka_unit_test(test_shuffle),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_choices_by_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
