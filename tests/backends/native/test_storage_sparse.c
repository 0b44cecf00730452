/* SPDX-License-Identifier: Apache-2.0 */
/* Bitmaps and 2:4: what is packed comes out again, bytes are counted, products agree, bad files are refused.
 */
#include "products.h"

#include "kernels/packed.h"
#include "load.h"
#include "storage/storages.h"
#include "widen.h"

#include <string.h>

static void round_to_halves(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = tare_widen_half(tare_narrow_half(x[i]));
    }
}

static void check_bitmap(uint32_t out, uint32_t in, uint32_t keep)
{
    size_t n = (size_t)out * in;
    struct tare_err err = {0};
    struct tare_linear w = {.out = out, .in = in, .name = "w"};
    struct tare_linear_facts facts;
    float *dense = products_sparse(n, out + in + keep, keep);
    assert_int_equal(tare_storage_bitmap(&w, dense, &err), 0);
    round_to_halves(dense, n);
    float *got = products_unpack(&w);
    assert_memory_equal(got, dense, n * sizeof *dense);
    int64_t non_zero = (int64_t)tare_count_non_zero(dense, n);
    w.storage->facts(&w, &facts);
    assert_int_equal(facts.params, n);
    assert_int_equal(facts.non_zero, non_zero);
    assert_int_equal(facts.stored_bytes, out * ((in + 7) / 8) + 2 * non_zero);
    assert_true(facts.resident_bytes >= 2 * non_zero);
    assert_int_equal(facts.flops, 2 * non_zero);
    assert_int_equal(facts.executed_flops, tare_packed_best()->skips_zeros ? 2 * non_zero : 2 * (int64_t)n);
    products_check(&w, 1e-5, 0);
    tare_linear_close(&w);
    free(dense);
    free(got);
}

static void test_bitmap(void **state)
{
    (void)state;
    static const uint32_t widths[] = {1, 7, 8, 9, 16, 31, 32, 33, 47, 64, 100, 384};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        check_bitmap(13, widths[i], 128);
    }
    check_bitmap(16, 128, 0);
    check_bitmap(16, 128, 256);
    check_bitmap(3, 128, 5);
}

/* At most two of each four, in every pattern. */
static float *make_two_four(uint32_t out, uint32_t in)
{
    static const unsigned patterns[] = {0, 1, 2, 4, 8, 3, 5, 9, 6, 10, 12};
    float *dense = products_numbers((size_t)out * in, in);
    for (size_t i = 0; i < (size_t)out * in; i++) {
        if ((patterns[i / 4 % 11] >> (i % 4) & 1u) == 0) {
            dense[i] = 0.0F;
        }
    }
    return dense;
}

static void test_two_four(void **state)
{
    (void)state;
    static const uint32_t widths[] = {4, 8, 12, 16, 28, 32, 36, 44, 60, 64, 384};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        uint32_t in = widths[i];
        uint32_t out = 13;
        size_t n = (size_t)out * in;
        struct tare_err err = {0};
        struct tare_linear w = {.out = out, .in = in, .name = "w"};
        struct tare_linear_facts facts;
        float *dense = make_two_four(out, in);
        assert_int_equal(tare_storage_two_four(&w, dense, &err), 0);
        round_to_halves(dense, n);
        float *got = products_unpack(&w);
        assert_memory_equal(got, dense, n * sizeof *dense);
        w.storage->facts(&w, &facts);
        assert_int_equal(facts.params, n);
        assert_int_equal(facts.non_zero, tare_count_non_zero(dense, n));
        assert_int_equal(facts.stored_bytes, n + out * ((in / 4 + 1) / 2));
        assert_int_equal(facts.flops, 2 * facts.non_zero);
        assert_int_equal(facts.executed_flops, n);
        products_check(&w, 1e-5, 0);
        tare_linear_close(&w);
        free(dense);
        free(got);
    }
}

static void test_two_four_refused(void **state)
{
    (void)state;
    static const float three[8] = {1, 0, 0, 0, 1, 2, 0, 3};
    struct tare_err err = {0};
    struct tare_linear w = {.out = 1, .in = 8, .name = "w"};
    assert_int_equal(tare_storage_two_four(&w, three, &err), TARE_E_FORMAT);
    assert_non_null(strstr(err.msg, "columns 4 to 7"));
    assert_null(w.storage);
    w.in = 6;
    assert_int_equal(tare_storage_two_four(&w, three, &err), TARE_E_UNSUPPORTED);
    assert_null(w.storage);
}

/* One matrix of 2 x 12 in a file of its own. */
static int load_file(const char *header, const unsigned char *data, size_t n_data, struct tare_linear *w,
                     struct tare_err *err)
{
    bool taken[4] = {false};
    struct tare_safetensors st = {0};
    struct blob file = fixture_pack(header, data, n_data);
    struct tare_loader loader = {.st = &st, .what = "file", .taken = taken, .err = err};
    *w = (struct tare_linear){.out = 2, .in = 12, .name = "w"};
    int rc = tare_safetensors_parse(&st, file.bytes, file.n, "file", err);
    for (size_t i = 0; rc == 0 && tare_storages[i]; i++) {
        rc = tare_storages[i]->load ? tare_storages[i]->load(&loader, "w", w) : 0;
    }
    if (rc == 1) {
        assert_true(taken[0] && taken[1]);
    } else {
        assert_null(w->data);
    }
    tare_safetensors_close(&st);
    free(file.bytes);
    return rc;
}

#define MASK  "\"w.weight.mask\":{\"dtype\":\"U8\",\"shape\":[2,2],\"data_offsets\":[0,4]}"
#define NZ    "\"w.weight.nz\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[4,10]}"
#define VALUE 0x00, 0x3c /* 1.0 */

static void test_bitmap_file(void **state)
{
    (void)state;
    /* row 0: columns 0 and 11; row 1: column 8 */
    static const unsigned char data[] = {0x01, 0x08, 0x00, 0x01, VALUE, 0x00, 0x40, 0x00, 0xc0};
    struct tare_err err = {0};
    struct tare_linear w;
    assert_int_equal(load_file("{" MASK "," NZ "}", data, sizeof data, &w, &err), 1);
    float *dense = products_unpack(&w);
    for (int i = 0; i < 24; i++) {
        assert_true(dense[i] == (i == 0 ? 1.0F : i == 11 ? 2.0F : i == 20 ? -2.0F : 0.0F));
    }
    products_check(&w, 1e-5, 0);
    free(dense);
    tare_linear_close(&w);
}

struct bad {
    const char *header;
    unsigned char mask[4];
    const char *says;
};

static void test_bitmap_file_refused(void **state)
{
    (void)state;
    static const struct bad files[] = {
        {"{" MASK "," NZ "}", {0x01, 0x08, 0x00, 0x00}, "2 bits set"},
        {"{" MASK "," NZ "}", {0x01, 0x08, 0x03, 0x01}, "5 bits set"},
        {"{" MASK "," NZ "}", {0x01, 0x18, 0x00, 0x00}, "beyond column 12"},
        {"{" MASK "}", {0x01, 0x08, 0x00, 0x01}, "no values"},
        {"{" NZ "}", {0}, "no mask"},
        {"{\"w.weight.mask\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}," NZ "}",
         {1, 8, 0, 1},
         "shape"},
        {"{\"w.weight.mask\":{\"dtype\":\"U8\",\"shape\":[1,4],\"data_offsets\":[0,4]}," NZ "}",
         {1, 8, 0, 1},
         "shape"},
        {"{\"w.weight.mask\":{\"dtype\":\"I8\",\"shape\":[2,2],\"data_offsets\":[0,4]}," NZ "}",
         {1, 8, 0, 1},
         "I8"},
        {"{" MASK ",\"w.weight.nz\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[4,10]}}",
         {1, 8, 0, 1},
         "BF16"},
        {"{" MASK ",\"w.weight.nz\":{\"dtype\":\"F16\",\"shape\":[3,1],\"data_offsets\":[4,10]}}",
         {1, 8, 0, 1},
         "shape"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        unsigned char data[10] = {0};
        struct tare_err err = {0};
        struct tare_linear w;
        bool alone = !strstr(files[i].header, "nz") || !strstr(files[i].header, "mask");
        memcpy(data, files[i].mask, 4);
        if (alone && strstr(files[i].header, "nz")) {
            static const char *const moved =
                "{\"w.weight.nz\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[0,6]}}";
            assert_true(load_file(moved, data, 6, &w, &err) < 0);
        } else {
            assert_true(load_file(files[i].header, data, alone ? 4 : 10, &w, &err) < 0);
        }
        if (!strstr(err.msg, files[i].says)) {
            fail_msg("file %zu: '%s' does not say '%s'", i, err.msg, files[i].says);
        }
    }
}

#define A_OK "\"w.a.weight\":{\"dtype\":\"F16\",\"shape\":[1,12],\"data_offsets\":[0,24]}"
#define B_OK "\"w.b.weight\":{\"dtype\":\"F16\",\"shape\":[2,1],\"data_offsets\":[24,28]}"

static void test_low_rank_file(void **state)
{
    (void)state;
    static const unsigned char data[28] = {VALUE, [24] = 0x00, 0x40, 0x00, 0xc0};
    struct tare_err err = {0};
    struct tare_linear w;
    assert_int_equal(load_file("{" A_OK "," B_OK "}", data, sizeof data, &w, &err), 1);
    float *dense = products_unpack(&w);
    for (int i = 0; i < 24; i++) {
        assert_true(dense[i] == (i == 0 ? 2.0F : i == 12 ? -2.0F : 0.0F));
    }
    free(dense);
    products_check(&w, 1e-5, 0);
    tare_linear_close(&w);
}

static void test_low_rank_file_refused(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t n;
    } files[] = {
        {"{" A_OK "}", 24},
        {"{\"w.b.weight\":{\"dtype\":\"F16\",\"shape\":[2,1],\"data_offsets\":[0,4]}}", 4},
        {"{\"w.a.weight\":{\"dtype\":\"F16\",\"shape\":[0,12],\"data_offsets\":[0,0]},"
         "\"w.b.weight\":{\"dtype\":\"F16\",\"shape\":[2,0],\"data_offsets\":[0,0]}}",
         0},
        {"{\"w.a.weight\":{\"dtype\":\"F16\",\"shape\":[3,12],\"data_offsets\":[0,72]},"
         "\"w.b.weight\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[72,84]}}",
         84},
        {"{\"w.a.weight\":{\"dtype\":\"F16\",\"shape\":[12],\"data_offsets\":[0,24]}," B_OK "}", 28},
        {"{" A_OK ",\"w.b.weight\":{\"dtype\":\"F16\",\"shape\":[1,2],\"data_offsets\":[24,28]}}", 28},
        {"{" A_OK ",\"w.b.weight\":{\"dtype\":\"I16\",\"shape\":[2,1],\"data_offsets\":[24,28]}}", 28},
    };
    static const unsigned char data[84];
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct tare_err err = {0};
        struct tare_linear w;
        if (load_file(files[i].header, data, files[i].n, &w, &err) >= 0) {
            fail_msg("file %zu was taken", i);
        }
        assert_true(err.msg[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bitmap),
        cmocka_unit_test(test_two_four),
        cmocka_unit_test(test_two_four_refused),
        cmocka_unit_test(test_bitmap_file),
        cmocka_unit_test(test_bitmap_file_refused),
        cmocka_unit_test(test_low_rank_file),
        cmocka_unit_test(test_low_rank_file_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
