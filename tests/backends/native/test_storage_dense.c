/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Halves, bfloat16, float32, int8 and int4: what goes in comes out again, from a constructor and from a file,
 * bytes are counted, products agree; files that lie are refused.
 */
#include "products.h"

#include "load.h"
#include "storage/storages.h"
#include "widen.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const uint32_t sizes[][2] = {{11, 7}, {16, 32}, {33, 64}, {5, 96}, {48, 33}, {100, 128}};
enum { n_sizes = sizeof sizes / sizeof sizes[0] };

static struct tare_linear empty(uint32_t out, uint32_t in)
{
    return (struct tare_linear){.out = out, .in = in, .name = "w"};
}

/* Closes it. */
static void expect(struct tare_linear *w, const float *want, int64_t stored_bytes, double tolerance)
{
    struct tare_linear_facts facts;
    float *dense = products_unpack(w);
    int64_t non_zero = 0;
    for (size_t i = 0; i < (size_t)w->out * w->in; i++) {
        assert_true(dense[i] == want[i]);
        non_zero += want[i] != 0.0F;
    }
    free(dense);
    w->storage->facts(w, &facts);
    assert_int_equal(facts.stored_bytes, stored_bytes);
    assert_true(facts.resident_bytes >= stored_bytes);
    assert_int_equal(facts.params, (int64_t)w->out * w->in);
    assert_int_equal(facts.non_zero, non_zero);
    assert_int_equal(facts.flops, 2 * (int64_t)w->out * w->in);
    products_check(w, tolerance, 0);
    tare_linear_close(w);
}

static void test_f32(void **state)
{
    (void)state;
    for (int s = 0; s < n_sizes; s++) {
        struct tare_err err = {0};
        struct tare_linear w = empty(sizes[s][0], sizes[s][1]);
        size_t n = (size_t)w.out * w.in;
        float *dense = products_sparse(n, 3, 200);
        assert_int_equal(tare_storage_f32(&w, dense, &err), 0);
        expect(&w, dense, (int64_t)(4 * n), 1e-5);
        free(dense);
    }
}

static void test_f16(void **state)
{
    (void)state;
    for (int s = 0; s < n_sizes; s++) {
        struct tare_err err = {0};
        struct tare_linear w = empty(sizes[s][0], sizes[s][1]);
        size_t n = (size_t)w.out * w.in;
        float *dense = products_sparse(n, 4, 200);
        assert_int_equal(tare_storage_f16(&w, dense, &err), 0);
        for (size_t i = 0; i < n; i++) {
            dense[i] = tare_widen_half(tare_narrow_half(dense[i]));
        }
        expect(&w, dense, (int64_t)(2 * n), 1e-5);
        free(dense);
    }
}

/* Codes and scales with zeros among them, and the numbers that they mean. */
struct coded {
    int8_t *codes;
    uint8_t *nibbles;
    float *scales;
    uint16_t *halves;
    float *dense;
};

static struct coded make_int8(uint32_t out, uint32_t in)
{
    size_t n = (size_t)out * in;
    uint32_t seed = out * 100 + in;
    struct coded c = {
        .codes = malloc(n), .scales = malloc(out * sizeof(float)), .dense = malloc(n * sizeof(float))};
    assert_true(c.codes && c.scales && c.dense);
    for (uint32_t r = 0; r < out; r++) {
        c.scales[r] = r == 3 ? 0.0F : 0.001F * (float)(r + 1);
        for (uint32_t i = r * in; i < (r + 1) * in; i++) {
            c.codes[i] = (int8_t)((int)(products_next(&seed) % 256) - 128);
            c.dense[i] = (float)c.codes[i] * c.scales[r];
        }
    }
    return c;
}

static struct coded make_int4(uint32_t out, uint32_t in)
{
    size_t n = (size_t)out * in;
    uint32_t seed = out * 100 + in;
    struct coded c = {
        .nibbles = malloc(n), .halves = malloc(n / 32 * 2 + 2), .dense = malloc(n * sizeof(float))};
    assert_true(c.nibbles && c.halves && c.dense);
    for (size_t i = 0; i < n; i++) {
        c.halves[i / 32] = i / 32 % 7 == 3 ? 0 : tare_narrow_half(0.01F + 0.001F * (float)(i / 32 % 50));
        c.nibbles[i] = (uint8_t)(products_next(&seed) % 16);
        c.dense[i] = (float)(c.nibbles[i] - 8) * tare_widen_half(c.halves[i / 32]);
    }
    return c;
}

static void drop(struct coded *c)
{
    free(c->codes);
    free(c->nibbles);
    free(c->scales);
    free(c->halves);
    free(c->dense);
}

static void test_int8(void **state)
{
    (void)state;
    for (int s = 0; s < n_sizes; s++) {
        struct tare_err err = {0};
        struct tare_linear w = empty(sizes[s][0], sizes[s][1]);
        struct coded c = make_int8(w.out, w.in);
        assert_int_equal(tare_storage_int8(&w, c.codes, c.scales, &err), 0);
        expect(&w, c.dense, (int64_t)w.out * w.in + 4 * w.out, 1e-6);
        drop(&c);
    }
}

static void test_int4(void **state)
{
    (void)state;
    for (int s = 0; s < n_sizes; s++) {
        struct tare_err err = {0};
        struct tare_linear w = empty(sizes[s][0], sizes[s][1]);
        struct coded c = make_int4(w.out, w.in);
        int rc = tare_storage_int4(&w, c.nibbles, c.halves, &err);
        if (w.in % 32 != 0) {
            assert_int_equal(rc, TARE_E_UNSUPPORTED);
            assert_non_null(strstr(err.msg, "32"));
            assert_null(w.storage);
        } else {
            assert_int_equal(rc, 0);
            expect(&w, c.dense, (int64_t)w.out * w.in / 2 + (int64_t)w.out * (w.in / 32) * 2, 1e-6);
        }
        drop(&c);
    }
}

/* A loader over a file made in memory. */
struct source {
    struct blob file;
    struct tare_safetensors st;
    bool taken[4];
    struct tare_loader loader;
    struct tare_err err;
};

static void open_source(struct source *s, const char *header, const void *data, size_t n)
{
    memset(s, 0, sizeof *s);
    s->file = fixture_pack(header, data, n);
    if (tare_safetensors_parse(&s->st, s->file.bytes, s->file.n, "test", &s->err) < 0) {
        fail_msg("%s", s->err.msg);
    }
    s->loader = (struct tare_loader){.st = &s->st, .what = "test", .taken = s->taken, .err = &s->err};
}

static void close_source(struct source *s)
{
    tare_safetensors_close(&s->st);
    free(s->file.bytes);
}

static int load(struct source *s, const struct tare_storage *storage, struct tare_linear *w)
{
    return storage->load(&s->loader, "w", w);
}

static void test_load_int8(void **state)
{
    (void)state;
    unsigned char data[12 + 6] = {0};
    const float scales[3] = {0.5F, 1.0F, 2.0F};
    const int8_t codes[6] = {-128, 127, 0, 1, -1, 64};
    const float want[6] = {-64.0F, 63.5F, 0.0F, 1.0F, -2.0F, 128.0F};
    memcpy(data, scales, 12);
    memcpy(data + 12, codes, 6);
    struct source s;
    open_source(&s,
                "{\"w.weight.scale\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]},"
                "\"w.weight\":{\"dtype\":\"I8\",\"shape\":[3,2],\"data_offsets\":[12,18]}}",
                data, sizeof data);
    struct tare_linear w = empty(3, 2);
    assert_int_equal(load(&s, &tare_stored_f16, &w), 0);
    assert_int_equal(load(&s, &tare_stored_int4, &w), 0);
    assert_int_equal(load(&s, &tare_stored_int8, &w), 1);
    assert_true(s.taken[0] && s.taken[1]);
    expect(&w, want, 18, 1e-5);
    close_source(&s);
}

static void test_load_int4(void **state)
{
    (void)state;
    unsigned char data[4 + 32] = {0};
    float want[64];
    const uint16_t halves[2] = {0x3c00, 0x4000}; /* 1, 2 */
    memcpy(data, halves, 4);
    for (int i = 0; i < 32; i++) {
        data[4 + i] = (unsigned char)(i * 37);
        float scale = i < 16 ? 1.0F : 2.0F;
        want[2 * i] = (float)((data[4 + i] & 15) - 8) * scale;
        want[2 * i + 1] = (float)((data[4 + i] >> 4) - 8) * scale;
    }
    struct source s;
    open_source(&s,
                "{\"w.weight.scale\":{\"dtype\":\"F16\",\"shape\":[2,1],\"data_offsets\":[0,4]},"
                "\"w.weight\":{\"dtype\":\"U8\",\"shape\":[2,16],\"data_offsets\":[4,36]}}",
                data, sizeof data);
    struct tare_linear w = empty(2, 32);
    assert_int_equal(load(&s, &tare_stored_int4, &w), 1);
    expect(&w, want, 36, 1e-5);
    close_source(&s);
}

static void test_load_halves(void **state)
{
    (void)state;
    const uint16_t bits[6] = {0x3f80, 0xbf80, 0x0000, 0x8000, 0x4049, 0x0001};
    float want[6];
    for (int i = 0; i < 6; i++) {
        uint32_t wide = (uint32_t)bits[i] << 16;
        memcpy(&want[i], &wide, sizeof wide);
    }
    struct source s;
    struct tare_linear w = empty(2, 3);
    open_source(&s, "{\"w.weight\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[0,12]}}", bits, 12);
    assert_int_equal(load(&s, &tare_stored_f16, &w), 0);
    assert_int_equal(load(&s, &tare_stored_bf16, &w), 1);
    expect(&w, want, 12, 1e-5);
    close_source(&s);
    open_source(&s, "{\"w.weight\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[0,12]}}", bits, 12);
    w = empty(2, 3);
    assert_int_equal(load(&s, &tare_stored_bf16, &w), 0);
    assert_int_equal(load(&s, &tare_stored_f16, &w), 1);
    for (int i = 0; i < 6; i++) {
        want[i] = tare_widen_half(bits[i]);
    }
    expect(&w, want, 12, 1e-5);
    close_source(&s);
}

static void refuse(const char *header, size_t n, const struct tare_storage *storage, uint32_t out,
                   uint32_t in, const char *says)
{
    static const unsigned char data[64];
    struct source s;
    open_source(&s, header, data, n);
    struct tare_linear w = empty(out, in);
    int rc = load(&s, storage, &w);
    if (rc >= 0 || !strstr(s.err.msg, says) || w.storage || w.data) {
        fail_msg("%s: %d, %s", header, rc, s.err.msg);
    }
    close_source(&s);
}

static void test_refused(void **state)
{
    (void)state;
    refuse("{\"w.weight\":{\"dtype\":\"I8\",\"shape\":[2,2],\"data_offsets\":[0,4]}}", 4, &tare_stored_int8,
           2, 2, "scale");
    refuse("{\"w.weight\":{\"dtype\":\"U8\",\"shape\":[2,2],\"data_offsets\":[0,4]}}", 4, &tare_stored_int4,
           2, 4, "scale");
    refuse("{\"w.weight.scale\":{\"dtype\":\"F16\",\"shape\":[2,1],\"data_offsets\":[0,4]},"
           "\"w.weight\":{\"dtype\":\"U8\",\"shape\":[2,24],\"data_offsets\":[4,52]}}",
           52, &tare_stored_int4, 2, 48, "32");
    refuse("{\"w.weight.scale\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]},"
           "\"w.weight\":{\"dtype\":\"I8\",\"shape\":[2,2],\"data_offsets\":[4,8]}}",
           8, &tare_stored_int8, 2, 2, "F16");
    refuse("{\"w.weight\":{\"dtype\":\"F16\",\"shape\":[2,2],\"data_offsets\":[0,8]}}", 8, &tare_stored_f16,
           2, 3, "shape");
}

/* Three products with the same input at once are the three one by one, bit for bit. */
static void test_together(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 2; threads++) {
        const struct tare_exec_needs needs = {
            .threads = threads, .image_floats = 3 * 64 * 32, .most_in = 32, .rows = TARE_MANY_ROWS};
        struct tare_exec exec;
        struct tare_err err = {0};
        struct tare_linear w[3] = {empty(64, 32), empty(33, 32), empty(5, 32)};
        struct coded c = make_int8(64, 32);
        struct coded d = make_int4(33, 32);
        assert_int_equal(tare_exec_open(&exec, &needs, &err), 0);
        assert_int_equal(tare_storage_int8(&w[0], c.codes, c.scales, &err), 0);
        assert_int_equal(tare_storage_int4(&w[1], d.nibbles, d.halves, &err), 0);
        assert_int_equal(tare_storage_f16(&w[2], c.dense, &err), 0);
        for (uint32_t n = 1; n <= TARE_MANY_ROWS; n++) {
            float *x = products_numbers((size_t)n * 32, n);
            float out[2][3][TARE_MANY_ROWS * 64] = {{{0}}};
            struct tare_product p[3];
            const struct tare_linear *const list[] = {&w[0], &w[1], &w[2]};
            for (int i = 0; i < 3; i++) {
                p[i] = (struct tare_product){out[0][i], 64, x, 32, n, i == 1};
                tare_linear_apply(&exec, &w[i], &p[i]);
                p[i].to = out[1][i];
            }
            tare_linear_apply_together(&exec, list, p, 3);
            assert_memory_equal(out[0], out[1], sizeof out[0]);
            free(x);
        }
        for (int i = 0; i < 3; i++) {
            tare_linear_close(&w[i]);
        }
        tare_exec_close(&exec);
        drop(&c);
        drop(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_f32),         cmocka_unit_test(test_f16),
        cmocka_unit_test(test_int8),        cmocka_unit_test(test_int4),
        cmocka_unit_test(test_load_int8),   cmocka_unit_test(test_load_int4),
        cmocka_unit_test(test_load_halves), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
