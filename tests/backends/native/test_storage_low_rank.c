/* SPDX-License-Identifier: Apache-2.0 */
/* Two factors, two terms, and terms of which one is of two factors. */
#include "products.h"

#include "storage/storages.h"
#include "widen.h"

#include <string.h>

static void make_low_rank(struct tare_linear *w, uint32_t out, uint32_t in, uint32_t rank)
{
    struct tare_err err = {0};
    float *a = products_numbers((size_t)rank * in, rank + in);
    float *b = products_numbers((size_t)out * rank, rank + out);
    *w = (struct tare_linear){.out = out, .in = in, .name = "w"};
    assert_int_equal(tare_storage_low_rank(w, rank, a, b, &err), 0);
    free(a);
    free(b);
}

static void make_bitmap(struct tare_linear *w, uint32_t out, uint32_t in)
{
    struct tare_err err = {0};
    float *dense = products_sparse((size_t)out * in, in, 20);
    *w = (struct tare_linear){.out = out, .in = in, .name = "rest"};
    assert_int_equal(tare_storage_bitmap(w, dense, &err), 0);
    free(dense);
}

static void test_low_rank(void **state)
{
    (void)state;
    static const uint32_t shapes[][3] = {{16, 128, 8}, {128, 16, 16}, {33, 40, 5}, {1, 1, 1}, {384, 128, 57}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        uint32_t out = shapes[i][0];
        uint32_t in = shapes[i][1];
        uint32_t rank = shapes[i][2];
        struct tare_linear w;
        struct tare_linear_facts facts;
        make_low_rank(&w, out, in, rank);
        w.storage->facts(&w, &facts);
        assert_int_equal(facts.params, rank * (out + in));
        assert_int_equal(facts.stored_bytes, 2 * rank * (out + in));
        assert_int_equal(facts.flops, 2 * rank * (out + in));
        assert_int_equal(facts.executed_flops, 2 * rank * (out + in));
        products_check(&w, 1e-5 * (1 + rank), 0);
        tare_linear_close(&w);
    }
}

/* W = B A, by the definition. */
static void test_numbers(void **state)
{
    (void)state;
    static const float a[2 * 3] = {1, 2, 3, 0, -1, 4};
    static const float b[2 * 2] = {1, 10, 0.5F, -2};
    static const float want[2 * 3] = {1, -8, 43, 0.5F, 3, -6.5F};
    struct tare_err err = {0};
    struct tare_linear w = {.out = 2, .in = 3, .name = "w"};
    assert_int_equal(tare_storage_low_rank(&w, 2, a, b, &err), 0);
    float *dense = products_unpack(&w);
    assert_memory_equal(dense, want, sizeof want);
    free(dense);
    tare_linear_close(&w);
}

static void test_sum(void **state)
{
    (void)state;
    struct tare_err err = {0};
    struct tare_linear first;
    struct tare_linear second;
    struct tare_linear_facts one;
    struct tare_linear_facts two;
    struct tare_linear_facts both;
    struct tare_linear w = {.out = 48, .in = 96, .name = "w"};
    make_low_rank(&first, 48, 96, 8);
    make_bitmap(&second, 48, 96);
    first.storage->facts(&first, &one);
    second.storage->facts(&second, &two);
    float *left = products_unpack(&first);
    float *right = products_unpack(&second);
    assert_int_equal(tare_storage_sum(&w, &first, &second, &err), 0);
    assert_null(first.storage);
    assert_null(second.storage);
    float *dense = products_unpack(&w);
    for (size_t i = 0; i < 48 * 96; i++) {
        assert_true(dense[i] == left[i] + right[i]);
    }
    w.storage->facts(&w, &both);
    assert_int_equal(both.params, one.params + two.non_zero);
    assert_int_equal(both.stored_bytes, one.stored_bytes + two.stored_bytes);
    assert_int_equal(both.flops, one.flops + two.flops);
    products_check(&w, 1e-4, 0);
    tare_linear_close(&w);
    free(left);
    free(right);
    free(dense);
}

/* Parts can be replaced one by one: that is how quantization after a low rank gets at the factors. */
static void test_parts(void **state)
{
    (void)state;
    struct tare_err err = {0};
    struct tare_linear w;
    struct tare_linear *part[2];
    make_low_rank(&w, 24, 32, 8);
    assert_int_equal(w.storage->parts(&w, part), 2);
    assert_int_equal(part[0]->out, 8);
    assert_int_equal(part[0]->in, 32);
    assert_int_equal(part[1]->out, 24);
    assert_int_equal(part[1]->in, 8);
    assert_string_equal(part[0]->name, "w.a");
    for (int i = 0; i < 2; i++) {
        float *dense = products_unpack(part[i]);
        struct tare_linear made = {.out = part[i]->out, .in = part[i]->in, .name = "new"};
        assert_int_equal(tare_storage_bitmap(&made, dense, &err), 0);
        tare_linear_replace(part[i], &made);
        free(dense);
    }
    products_check(&w, 1e-4, 0);
    tare_linear_close(&w);
}

static void test_refused(void **state)
{
    (void)state;
    static const float numbers[64];
    static const uint32_t wrong[] = {0, 5, 9};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct tare_err err = {0};
        struct tare_linear w = {.out = 4, .in = 8, .name = "w"};
        assert_int_equal(tare_storage_low_rank(&w, wrong[i], numbers, numbers, &err), TARE_E_FORMAT);
        assert_non_null(strstr(err.msg, "rank"));
        assert_null(w.storage);
    }
    struct tare_err err = {0};
    struct tare_linear w = {.out = 4, .in = 8, .name = "w"};
    struct tare_linear first;
    struct tare_linear second;
    make_low_rank(&first, 4, 8, 2);
    make_bitmap(&second, 8, 4);
    assert_int_equal(tare_storage_sum(&w, &first, &second, &err), TARE_E_USAGE);
    assert_non_null(first.storage);
    assert_non_null(second.storage);
    tare_linear_close(&first);
    tare_linear_close(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_low_rank), cmocka_unit_test(test_numbers), cmocka_unit_test(test_sum),
        cmocka_unit_test(test_parts),    cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
