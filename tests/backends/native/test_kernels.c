/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every set of kernels that this machine has against sums in double: odd sizes, remainders, large values,
 * negative zero, NaN. The measure is float32's own: an error may be a few units of 2^-24 of the sum of the
 * sizes of all products.
 */
#include "fixture.h"

#include "kernels/kernels.h"
#include "kernels/panels.h"
#include "widen.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { most_rows = 150, most_cols = 416, most_vectors = 7 };

/* Units of 2^-24 of sum |w| |x|. A plain float32 sum of n numbers may be off by n of them. */
#define ALLOWED 12.0

/* Where one number of x dwarfs the others, what is prepared keeps a unit of 2^-24 of that one for each
 * weight. */
static float dwarf;

static const char *const names[] = {"portable", "avx2", "avx512"};
enum { n_names = sizeof names / sizeof names[0] };

static const uint32_t shapes[][2] = {{1, 1},     {1, 32},    {3, 5},    {15, 17},  {16, 16},
                                     {17, 33},   {31, 64},   {48, 48},  {64, 144}, {65, 128},
                                     {130, 100}, {128, 384}, {149, 415}};
enum { n_shapes = sizeof shapes / sizeof shapes[0] };

/* What a test works on: one matrix in every form, its vectors, and where results go. */
struct work {
    uint32_t rows;
    uint32_t cols;
    float dense[most_rows * most_cols]; /* what the packed form says */
    float x[most_vectors * most_cols];
    float got[most_vectors * most_rows + 32];
    uint64_t seed;
};

static struct work work;

static uint32_t draw(void)
{
    work.seed = work.seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(work.seed >> 33);
}

/* About normal, from -6 to 6. */
static float draw_normal(void)
{
    float sum = 0.0F;
    for (int i = 0; i < 12; i++) {
        sum += (float)(draw() & 0xffffffu) * 0x1p-24F;
    }
    return sum - 6.0F;
}

static void start(uint32_t rows, uint32_t cols, float size)
{
    work.rows = rows;
    work.cols = cols;
    work.seed = rows * 1000u + cols;
    for (uint32_t i = 0; i < most_vectors * cols; i++) {
        work.x[i] = draw_normal() * size;
    }
}

static void *room(size_t bytes)
{
    void *at = NULL;
    assert_int_equal(posix_memalign(&at, 64, bytes + 64), 0);
    return at;
}

static double exact(const float *x, uint32_t row, double *size)
{
    double sum = 0.0;
    *size = 0.0;
    for (uint32_t c = 0; c < work.cols; c++) {
        double product = (double)work.dense[(size_t)row * work.cols + c] * (double)x[c];
        sum += product;
        *size += fabs(product) + fabs((double)work.dense[(size_t)row * work.cols + c] * (double)dwarf);
    }
    return sum;
}

/* `got` has been computed with `before` in it where add is set. Returns the largest error in units. */
static double compare(const char *what, const float *got, const float *x, bool add)
{
    double most = 0.0;
    for (uint32_t r = 0; r < work.rows; r++) {
        double size;
        double want = exact(x, r, &size) + (add ? 3.5 : 0.0);
        double error = fabs((double)got[r] - want) / (0x1p-24 * (size + (add ? 3.5 : 0.0)) + 0x1p-149);
        if (!(error <= ALLOWED)) {
            fail_msg("%s %u x %u row %u: %.9g instead of %.9g, %.1f units", what, work.rows, work.cols, r,
                     (double)got[r], want, error);
        }
        most = error > most ? error : most;
    }
    /* Nothing behind the last row was touched. */
    assert_true(got[work.rows] == -77.0F);
    return most;
}

static void clear_result(bool add)
{
    for (uint32_t i = 0; i < most_vectors * most_rows + 32; i++) {
        work.got[i] = -77.0F;
    }
    for (uint32_t j = 0; add && j < most_vectors; j++) {
        for (uint32_t r = 0; r < work.rows; r++) {
            work.got[j * (work.rows + 1) + r] = 3.5F;
        }
    }
}

static void check_f32(const struct tare_kernels *k, double *most)
{
    for (uint32_t i = 0; i < work.rows * work.cols; i++) {
        work.dense[i] = draw_normal();
    }
    for (int add = 0; add < 2; add++) {
        clear_result(add);
        k->gemv_f32(work.got, work.dense, work.rows, work.cols, work.x, add);
        *most = fmax(*most, compare("gemv_f32", work.got, work.x, add));
    }
    clear_result(false);
    k->dots_f32(work.got, work.x, work.dense, work.cols, work.rows, work.cols, 1.0F);
    *most = fmax(*most, compare("dots_f32", work.got, work.x, false));
}

static uint16_t *draw_halves(void)
{
    uint16_t *halves = malloc(work.rows * work.cols * sizeof *halves);
    assert_non_null(halves);
    for (uint32_t i = 0; i < work.rows * work.cols; i++) {
        halves[i] = tare_narrow_half(draw_normal() * 0.05F);
        if (i % 37 == 5) {
            halves[i] = (uint16_t)(draw() & 0x83ffu); /* zeros and subnormals of both signs */
        }
        work.dense[i] = tare_widen_half(halves[i]);
    }
    return halves;
}

static void check_vectors(void (*panels)(const struct tare_vectors *v, const uint16_t *panels, uint32_t rows,
                                         uint32_t cols),
                          const char *what, const uint16_t *packed, double *most)
{
    float alone[most_rows + 1];
    for (uint32_t n = 1; n <= most_vectors; n++) {
        for (int add = 0; add < 2; add++) {
            struct tare_vectors v = {work.got, work.rows + 1, work.x, work.cols, n, add};
            clear_result(add);
            panels(&v, packed, work.rows, work.cols);
            for (uint32_t j = 0; j < n; j++) {
                const float *got = work.got + j * (work.rows + 1);
                *most = fmax(*most, compare(what, got, work.x + j * work.cols, add));
            }
            if (n == 1 && !add) {
                memcpy(alone, work.got, sizeof alone);
            }
            if (!add) { /* the first vector's result does not depend on its company */
                assert_memory_equal(alone, work.got, work.rows * sizeof *alone);
            }
        }
    }
}

static void check_f16(const struct tare_kernels *k, double *most)
{
    uint16_t *halves = draw_halves();
    uint16_t *panels = room(tare_panels_f16_bytes(work.rows, work.cols));
    float *image = malloc(work.rows * work.cols * sizeof *image + 1);
    tare_panels_f16_pack(panels, halves, work.rows, work.cols);
    check_vectors(k->panels_f16, "panels_f16", panels, most);
    clear_result(false);
    k->gemv_f16(work.got, halves, work.rows, work.cols, work.x, false);
    *most = fmax(*most, compare("gemv_f16", work.got, work.x, false));
    k->unpack_f16(image, panels, work.rows, work.cols);
    assert_memory_equal(image, work.dense, work.rows * work.cols * sizeof *image);
    memset(image, 0xff, work.rows * work.cols * sizeof *image);
    k->widen_f16(image, halves, work.rows * work.cols);
    assert_memory_equal(image, work.dense, work.rows * work.cols * sizeof *image);
    for (uint32_t r = 0; r < work.rows; r++) {
        tare_panels_f16_row(image, panels, r, work.cols);
        assert_memory_equal(image, work.dense + r * work.cols, work.cols * sizeof *image);
    }
    free(image);
    free(panels);
    free(halves);
}

static void check_bf16(const struct tare_kernels *k, double *most)
{
    uint16_t *halves = malloc(work.rows * work.cols * sizeof *halves);
    uint16_t *panels = room(tare_panels_bf16_bytes(work.rows, work.cols));
    float row[most_cols];
    for (uint32_t i = 0; i < work.rows * work.cols; i++) {
        float value = draw_normal();
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        halves[i] = (uint16_t)(bits >> 16);
        bits &= 0xffff0000u;
        memcpy(&work.dense[i], &bits, sizeof bits);
    }
    tare_panels_bf16_pack(panels, halves, work.rows, work.cols);
    check_vectors(k->panels_bf16, "panels_bf16", panels, most);
    for (uint32_t r = 0; r < work.rows; r++) {
        tare_panels_bf16_row(row, panels, r, work.cols);
        assert_memory_equal(row, work.dense + r * work.cols, work.cols * sizeof *row);
    }
    free(panels);
    free(halves);
}

static void check_int8(const struct tare_kernels *k, double *most)
{
    int8_t *codes = malloc(work.rows * work.cols);
    int8_t row[most_cols];
    float scales[most_rows];
    uint8_t *panels = room(tare_panels_int8_bytes(work.rows, work.cols));
    float *image = malloc(work.rows * work.cols * sizeof *image);
    void *prepared = room(tare_kernels_prepared_bytes(work.cols));
    for (uint32_t i = 0; i < work.rows * work.cols; i++) {
        scales[i / work.cols] = 0.01F + 0.001F * (float)(i / work.cols);
        codes[i] = (int8_t)(i % 11 == 3 ? (i % 2 ? -128 : 127) : (int)(draw() % 255u) - 127);
        work.dense[i] = (float)codes[i] * scales[i / work.cols];
    }
    tare_panels_int8_pack(panels, codes, work.rows, work.cols);
    k->prepare(prepared, work.x, work.cols);
    for (int add = 0; add < 2; add++) {
        clear_result(add);
        k->gemv_int8(work.got, panels, scales, work.rows, work.cols, prepared, add);
        *most = fmax(*most, compare("gemv_int8", work.got, work.x, add));
    }
    k->unpack_int8(image, panels, scales, work.rows, work.cols);
    assert_memory_equal(image, work.dense, work.rows * work.cols * sizeof *image);
    for (uint32_t r = 0; r < work.rows; r++) {
        tare_panels_int8_row(row, panels, r, work.cols);
        assert_memory_equal(row, codes + r * work.cols, work.cols);
    }
    free(prepared);
    free(image);
    free(panels);
    free(codes);
}

static void check_int4(const struct tare_kernels *k, double *most)
{
    uint8_t *codes = malloc(work.rows * work.cols);
    uint8_t row[most_cols];
    uint16_t scales[most_rows * most_cols / 32];
    uint8_t *panels = room(tare_panels_int4_bytes(work.rows, work.cols));
    uint16_t *packed = room(tare_panels_int4_scales(work.rows, work.cols) * sizeof *packed);
    float *image = malloc(work.rows * work.cols * sizeof *image);
    void *prepared = room(tare_kernels_prepared_bytes(work.cols));
    for (uint32_t i = 0; i < work.rows * work.cols; i++) {
        scales[i / 32] = tare_narrow_half(0.01F + 0.001F * (float)(i / 32 % 90));
        codes[i] = (uint8_t)(draw() & 15u);
        work.dense[i] = (float)(codes[i] - 8) * tare_widen_half(scales[i / 32]);
    }
    tare_panels_int4_pack(panels, codes, work.rows, work.cols);
    tare_panels_int4_pack_scales(packed, scales, work.rows, work.cols);
    k->prepare(prepared, work.x, work.cols);
    for (int add = 0; add < 2; add++) {
        clear_result(add);
        k->gemv_int4(work.got, panels, packed, work.rows, work.cols, prepared, add);
        *most = fmax(*most, compare("gemv_int4", work.got, work.x, add));
    }
    k->unpack_int4(image, panels, packed, work.rows, work.cols);
    assert_memory_equal(image, work.dense, work.rows * work.cols * sizeof *image);
    for (uint32_t r = 0; r < work.rows; r++) {
        tare_panels_int4_row(row, panels, r, work.cols);
        assert_memory_equal(row, codes + r * work.cols, work.cols);
    }
    free(prepared);
    free(image);
    free(packed);
    free(panels);
    free(codes);
}

typedef void check(const struct tare_kernels *k, double *most);

static void each_shape(check *one, const char *what, uint32_t only_multiples)
{
    for (int i = 0; i < n_names; i++) {
        const struct tare_kernels *k = tare_kernels_find(names[i]);
        double most = 0.0;
        for (int s = 0; k && s < n_shapes; s++) {
            if (shapes[s][1] % only_multiples == 0) {
                start(shapes[s][0], shapes[s][1], 1.0F);
                one(k, &most);
            }
        }
        print_message("%s %s: %s%.1f units of 2^-24 at most\n", names[i], what,
                      k ? "" : "not on this machine, ", most);
    }
}

static void test_f32(void **state)
{
    (void)state;
    each_shape(check_f32, "f32", 1);
}

static void test_f16(void **state)
{
    (void)state;
    each_shape(check_f16, "f16", 1);
}

static void test_bf16(void **state)
{
    (void)state;
    each_shape(check_bf16, "bf16", 1);
}

static void test_int8(void **state)
{
    (void)state;
    each_shape(check_int8, "int8", 1);
}

static void test_int4(void **state)
{
    (void)state;
    each_shape(check_int4, "int4", 32);
}

/* From subnormal to nearly too large: the digits of an activation follow its size. */
static void test_sizes(void **state)
{
    static const float sizes[] = {1e-38F, 1e-30F, 1e-10F, 1.0F, 1e10F, 1e30F};
    (void)state;
    for (int i = 0; i < n_names; i++) {
        const struct tare_kernels *k = tare_kernels_find(names[i]);
        for (size_t s = 0; k && s < sizeof sizes / sizeof sizes[0]; s++) {
            double most = 0.0;
            start(33, 96, sizes[s]);
            if (sizes[s] >= 1e-30F) { /* below, results are subnormal and their own rounding counts */
                check_int8(k, &most);
                check_int4(k, &most);
            }
            start(33, 96, sizes[s]);
            void *prepared = room(tare_kernels_prepared_bytes(96));
            k->prepare(prepared, work.x, 96);
            free(prepared);
        }
    }
}

/* 127 * 2^k + 1 and its neighbours are where the digits just fit or do not. */
static void test_largest_digit(void **state)
{
    static const float edges[] = {8355710.0F, 8355711.0F, 8355712.0F, 8388607.0F, 8388608.0F, 4177855.5F};
    (void)state;
    for (int i = 0; i < n_names; i++) {
        const struct tare_kernels *k = tare_kernels_find(names[i]);
        for (size_t s = 0; k && s < sizeof edges / sizeof edges[0]; s++) {
            double most = 0.0;
            for (int sign = -1; sign <= 1; sign += 2) {
                start(16, 32, 1e5F);
                work.x[7] = (float)sign * edges[s];
                dwarf = edges[s];
                check_int8(k, &most);
                check_int4(k, &most);
                dwarf = 0.0F;
                assert_true(most <= 1.5);
            }
        }
    }
}

static void expect(const struct tare_kernels *k, float in, bool (*is)(float))
{
    int8_t codes[16 * 32];
    uint8_t nibbles[16 * 32];
    float scales[16];
    uint16_t halves[16];
    float out[16];
    uint8_t *panels = room(tare_panels_int8_bytes(16, 32));
    void *prepared = room(tare_kernels_prepared_bytes(32));
    memset(codes, 1, sizeof codes);
    memset(nibbles, 9, sizeof nibbles);
    for (int i = 0; i < 16; i++) {
        scales[i] = 1.0F;
        halves[i] = 0x3c00;
    }
    start(16, 32, 1.0F);
    work.x[5] = in;
    k->prepare(prepared, work.x, 32);
    tare_panels_int8_pack(panels, codes, 16, 32);
    k->gemv_int8(out, panels, scales, 16, 32, prepared, false);
    assert_true(is(out[0]) && is(out[15]));
    tare_panels_int4_pack(panels, nibbles, 16, 32);
    k->gemv_int4(out, panels, halves, 16, 32, prepared, false);
    assert_true(is(out[0]) && is(out[15]));
    free(prepared);
    free(panels);
}

static bool is_not_finite(float x)
{
    return !isfinite(x);
}

static bool is_nan(float x)
{
    return isnan(x);
}

/* NaN in, NaN out; an infinity does not come out as a number. */
static void test_not_numbers(void **state)
{
    (void)state;
    for (int i = 0; i < n_names; i++) {
        const struct tare_kernels *k = tare_kernels_find(names[i]);
        if (k) {
            expect(k, NAN, is_nan);
            expect(k, INFINITY, is_not_finite);
            expect(k, -INFINITY, is_not_finite);
        }
    }
}

static void test_zeros(void **state)
{
    (void)state;
    for (int i = 0; i < n_names; i++) {
        const struct tare_kernels *k = tare_kernels_find(names[i]);
        double most = 0.0;
        start(17, 64, 0.0F);
        for (uint32_t c = 0; c < 64; c += 2) {
            work.x[c] = -0.0F;
        }
        if (k) {
            check_int8(k, &most);
            check_int4(k, &most);
            check_f16(k, &most);
        }
    }
}

static void test_find(void **state)
{
    (void)state;
    assert_null(tare_kernels_find("no such set"));
    assert_ptr_equal(tare_kernels_find("portable"), &tare_kernels_portable);
    assert_ptr_equal(tare_kernels_find(tare_kernels_best()->name), tare_kernels_best());
    print_message("this machine runs on %s\n", tare_kernels_best()->name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_f32),           cmocka_unit_test(test_f16),
        cmocka_unit_test(test_bf16),          cmocka_unit_test(test_int8),
        cmocka_unit_test(test_int4),          cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_largest_digit), cmocka_unit_test(test_not_numbers),
        cmocka_unit_test(test_zeros),         cmocka_unit_test(test_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
