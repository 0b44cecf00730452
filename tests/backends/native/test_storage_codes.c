/* SPDX-License-Identifier: Apache-2.0 */
/* Codes by group and int8 by int8: what is packed comes out again, bytes are counted, products agree. */
#include "products.h"

#include "kernels/packed.h"
#include "storage/storages.h"
#include "widen.h"

#include <math.h>
#include <string.h>

enum { out = 11 };

struct shape {
    uint32_t in;
    uint32_t group;
};

static const struct shape shapes[] = {{128, 32}, {128, 128}, {40, 20}, {24, 3}, {9, 9}, {96, 16}, {7, 1}};

struct table {
    uint8_t *codes;
    uint16_t *scales;
    uint8_t *zeros;
    float levels[256];
};

static void fill(struct table *t, const struct shape *s, uint32_t bits, uint32_t seed)
{
    size_t n = (size_t)out * s->in;
    t->codes = malloc(n);
    t->zeros = malloc(n);
    t->scales = malloc(n * sizeof *t->scales);
    assert_true(t->codes && t->zeros && t->scales);
    for (size_t i = 0; i < n; i++) {
        t->codes[i] = (uint8_t)(products_next(&seed) % (1u << bits));
        t->zeros[i] = (uint8_t)(products_next(&seed) % (1u << bits));
        t->scales[i] = tare_narrow_half(0.01F + (float)(products_next(&seed) % 1000) * 1e-4F);
    }
    for (uint32_t i = 0; i < 256; i++) {
        t->levels[i] = (float)(int)(products_next(&seed) % 2001) / 1000.0F - 1.0F;
    }
}

static void drop(struct table *t)
{
    free(t->codes);
    free(t->zeros);
    free(t->scales);
}

static float wanted(const struct table *t, const struct tare_grouped *how, size_t i)
{
    float scale = tare_widen_half(t->scales[i / how->group]);
    if (how->levels) {
        return t->levels[t->codes[i]] * scale;
    }
    float zero = how->zeros ? (float)t->zeros[i / how->group] : (float)(1u << (how->bits - 1));
    return ((float)t->codes[i] - zero) * scale;
}

static void check_one(const struct shape *s, uint32_t bits, int kind)
{
    struct table t;
    struct tare_err err = {0};
    struct tare_linear w = {.out = out, .in = s->in, .name = "w"};
    struct tare_linear_facts facts;
    fill(&t, s, bits, bits * 100 + s->in + (uint32_t)kind);
    const struct tare_grouped how = {.bits = bits,
                                     .group = s->group,
                                     .codes = t.codes,
                                     .scales = t.scales,
                                     .zeros = kind == 1 ? t.zeros : NULL,
                                     .levels = kind == 2 ? t.levels : NULL};
    assert_int_equal(tare_storage_grouped(&w, &how, &err), 0);
    float *dense = products_unpack(&w);
    int64_t non_zero = 0;
    for (size_t i = 0; i < (size_t)out * s->in; i++) {
        assert_true(dense[i] == wanted(&t, &how, i));
        non_zero += dense[i] != 0.0F;
    }
    free(dense);
    int64_t groups = s->in / s->group;
    int64_t bytes = out * groups * ((s->group * bits + 7) / 8 + 2);
    bytes += kind == 1 ? out * ((groups * bits + 7) / 8) : 0;
    bytes += kind == 2 ? 4 << bits : 0;
    w.storage->facts(&w, &facts);
    assert_int_equal(facts.stored_bytes, bytes);
    assert_int_equal(facts.params, out * s->in);
    assert_int_equal(facts.non_zero, non_zero);
    assert_true(facts.resident_bytes >= facts.stored_bytes);
    products_check(&w, 1e-5, 0);
    tare_linear_close(&w);
    drop(&t);
}

static void test_grouped(void **state)
{
    (void)state;
    for (uint32_t bits = 1; bits <= 8; bits++) {
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
            for (int kind = 0; kind < 3; kind++) {
                check_one(&shapes[i], bits, kind);
            }
        }
    }
}

/* 128 columns in 3 bits and groups of 32: 12 bytes of codes and 2 of scale a group. */
static void test_bytes_by_hand(void **state)
{
    (void)state;
    static const uint8_t codes[4 * 128];
    static const uint16_t scales[16];
    static const uint8_t zeros[16];
    struct tare_err err = {0};
    struct tare_linear w = {.out = 4, .in = 128, .name = "w"};
    struct tare_linear_facts facts;
    struct tare_grouped how = {.bits = 3, .group = 32, .codes = codes, .scales = scales};
    assert_int_equal(tare_storage_grouped(&w, &how, &err), 0);
    w.storage->facts(&w, &facts);
    assert_int_equal(facts.stored_bytes, 4 * 4 * 14);
    assert_int_equal(facts.flops, 2 * 4 * 128);
    tare_linear_close(&w);
    how.zeros = zeros; /* 4 of 3 bits a row: 2 bytes */
    assert_int_equal(tare_storage_grouped(&w, &how, &err), 0);
    w.storage->facts(&w, &facts);
    assert_int_equal(facts.stored_bytes, 4 * 4 * 14 + 4 * 2);
    assert_int_equal(facts.non_zero, 0);
    tare_linear_close(&w);
}

static void test_refused(void **state)
{
    (void)state;
    static const uint8_t codes[64] = {[63] = 4};
    static const uint8_t zeros[64] = {[1] = 9};
    static const uint16_t scales[64];
    static const float levels[16];
    static const struct tare_grouped wrong[] = {
        {.bits = 0, .group = 8, .codes = codes, .scales = scales},
        {.bits = 9, .group = 8, .codes = codes, .scales = scales},
        {.bits = 4, .group = 0, .codes = codes, .scales = scales},
        {.bits = 4, .group = 5, .codes = codes, .scales = scales},
        {.bits = 2, .group = 8, .codes = codes, .scales = scales},
        {.bits = 3, .group = 8, .codes = codes, .scales = scales, .zeros = zeros},
        {.bits = 4, .group = 8, .codes = codes, .scales = scales, .zeros = zeros, .levels = levels},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct tare_err err = {0};
        struct tare_linear w = {.out = 4, .in = 16, .name = "w"};
        assert_true(tare_storage_grouped(&w, &wrong[i], &err) < 0);
        assert_non_null(strstr(err.msg, "w: "));
        assert_null(w.storage);
        assert_null(w.data);
    }
}

static void check_w8a8(uint32_t rows, uint32_t in)
{
    uint32_t seed = rows * 1000 + in;
    struct tare_err err = {0};
    struct tare_linear w = {.out = rows, .in = in, .name = "w"};
    struct tare_linear_facts facts;
    int8_t *codes = malloc((size_t)rows * in);
    float *scales = products_numbers(rows, seed);
    assert_non_null(codes);
    for (size_t i = 0; i < (size_t)rows * in; i++) {
        codes[i] = (int8_t)((int)(products_next(&seed) % 255) - 127);
    }
    assert_int_equal(tare_storage_w8a8(&w, codes, scales, &err), 0);
    float *dense = products_unpack(&w);
    for (size_t i = 0; i < (size_t)rows * in; i++) {
        assert_true(dense[i] == (float)codes[i] * scales[i / in]);
    }
    w.storage->facts(&w, &facts);
    assert_int_equal(facts.stored_bytes, rows * in + 4 * rows);
    products_check(&w, 1e-5, 1);
    tare_linear_close(&w);
    free(dense);
    free(scales);
    free(codes);
}

static void test_w8a8(void **state)
{
    (void)state;
    check_w8a8(16, 128);
    check_w8a8(9, 65);
    check_w8a8(1, 1);
    check_w8a8(33, 384);
}

/* A token of zeros has no scale; it comes out as zeros and not as numbers that are none. */
static void test_w8a8_zeros(void **state)
{
    (void)state;
    static const int8_t codes[2 * 8] = {1, 2, 3, 4, 5, 6, 7, 8, -127, 127};
    static const float scales[2] = {0.5F, 2.0F};
    float x[9 * 8] = {0};
    float to[9 * 2];
    struct tare_err err = {0};
    struct tare_linear w = {.out = 2, .in = 8, .name = "w"};
    struct tare_exec exec;
    const struct tare_exec_needs needs = {.threads = 1, .image_floats = 16, .most_in = 8, .rows = 9};
    assert_int_equal(tare_storage_w8a8(&w, codes, scales, &err), 0);
    assert_int_equal(tare_exec_open(&exec, &needs, &err), 0);
    for (uint32_t n = 1; n <= 9; n += 8) {
        memset(to, 0x7f, sizeof to);
        tare_linear_apply(&exec, &w, &(struct tare_product){to, 2, x, 8, n, false});
        for (uint32_t i = 0; i < 2 * n; i++) {
            assert_true(to[i] == 0.0F);
        }
    }
    tare_exec_close(&exec);
    tare_linear_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grouped), cmocka_unit_test(test_bytes_by_hand), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_w8a8),    cmocka_unit_test(test_w8a8_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
