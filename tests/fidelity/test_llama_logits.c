/* SPDX-License-Identifier: Apache-2.0 */
/* A file made here byte by byte, read back; and every way in which it can be wrong. */
#include "fidelity/llama_logits.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* 2 chunks of 5 tokens out of 3: rows stand behind positions 2 and 3 of each; 16 bytes a row. */
enum { n_ctx = 5, n_vocab = 3, n_chunk = 2, n_rows = 2, row_bytes = 16, n_ids = n_ctx * n_chunk };
enum { ids_at = 20, rows_at = ids_at + 4 * n_ids, file_bytes = rows_at + n_chunk * n_rows * row_bytes };

static const int32_t ids[n_ids] = {0, 1, 2, 1, 0, 2, 2, 1, 0, 1};

static void put_i32(unsigned char *to, int32_t value)
{
    memcpy(to, &value, sizeof value);
}

/* Row r has lowest -r - 1, scale 1/65536, codes 0, 65535 and 256 * r. */
static void make(unsigned char file[file_bytes])
{
    memset(file, 0xee, file_bytes); /* padding is nobody's */
    memcpy(file, "_logits_", 8);
    put_i32(file + 8, n_ctx);
    put_i32(file + 12, n_vocab);
    put_i32(file + 16, n_chunk);
    memcpy(file + ids_at, ids, sizeof ids);
    for (int r = 0; r < n_chunk * n_rows; r++) {
        unsigned char *row = file + rows_at + (size_t)r * row_bytes;
        const float head[2] = {1.0F / 65536, (float)(-r - 1)};
        const uint16_t codes[3] = {0, 65535, (uint16_t)(256 * r)};
        memcpy(row, head, sizeof head);
        memcpy(row + 8, codes, sizeof codes);
    }
}

static int open_bytes(const unsigned char *bytes, size_t n, struct tare_llama_logits *out,
                      struct tare_err *err)
{
    int fd = memfd_create("logits", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    return tare_llama_logits_from(fd, "made.kld", out, err);
}

static void test_read_back(void **state)
{
    unsigned char file[file_bytes];
    struct tare_llama_logits f;
    int32_t got[n_ctx];
    float row[n_vocab], lowest_seen;
    (void)state;
    make(file);
    assert_int_equal(open_bytes(file, file_bytes, &f, NULL), 0);
    assert_int_equal(f.n_chunk, 2);
    assert_int_equal(f.first, 2);
    assert_int_equal(f.n_rows, 2);
    for (uint32_t chunk = 0; chunk < 2; chunk++) {
        assert_int_equal(tare_llama_logits_ids(&f, chunk, got, NULL), 0);
        assert_memory_equal(got, ids + (size_t)chunk * n_ctx, sizeof got);
        for (uint32_t r = 0; r < 2; r++) {
            float lowest = -(float)(2 * chunk + r) - 1;
            assert_int_equal(tare_llama_logits_row(&f, chunk, r, row, &lowest_seen, NULL), 0);
            assert_true(fabsf(row[0] - lowest) <= 0);
            assert_true(fabsf(row[1] - (lowest + 65535.0F / 65536)) < 1e-6F);
            assert_true(fabsf(row[2] - (lowest + (float)(2 * chunk + r) / 256)) < 1e-6F);
        }
    }
    assert_int_equal(tare_llama_logits_ids(&f, 2, got, NULL), TARE_E_USAGE);
    assert_int_equal(tare_llama_logits_row(&f, 0, 2, row, &lowest_seen, NULL), TARE_E_USAGE);
    tare_llama_logits_close(&f);
}

/* 16 nats from the first to the last: the lowest codes may stand for anything below. */
static void test_cut_tail(void **state)
{
    unsigned char file[file_bytes];
    struct tare_llama_logits f;
    float row[n_vocab], lowest_seen;
    (void)state;
    make(file);
    const float whole[2] = {16.0F / 65535, -16.5F}, part[2] = {15.9F / 65535, -16.5F};
    memcpy(file + rows_at, whole, sizeof whole);
    memcpy(file + rows_at + row_bytes, part, sizeof part);
    assert_int_equal(open_bytes(file, file_bytes, &f, NULL), 0);
    assert_int_equal(tare_llama_logits_row(&f, 0, 0, row, &lowest_seen, NULL), 0);
    assert_true(isinf(row[0]) && row[0] < 0 && fabsf(row[1] + 0.5F) < 1e-4F);
    assert_true(fabsf(lowest_seen + 16.5F) <= 0);
    assert_int_equal(tare_llama_logits_row(&f, 0, 1, row, &lowest_seen, NULL), 0);
    assert_true(fabsf(row[0] + 16.5F) <= 0);
    tare_llama_logits_close(&f);
}

static void test_headers(void **state)
{
    static const struct {
        size_t at;
        int32_t value;
        const char *says;
    } cases[] = {
        {8, 0, "cannot be"},       {8, 3, "cannot be"},          {8, -5, "cannot be"},
        {8, 1 << 25, "cannot be"}, {8, 1 << 24, "too short"},    {12, 0, "cannot be"},
        {12, -1, "cannot be"},     {12, 1 << 24, "too short"},   {16, 0, "cannot be"},
        {16, -1, "too short"},     {16, INT32_MAX, "too short"}, {16, 3, "too short"},
        {16, 1, "longer"},         {0, 0, "no file of logits"},  {8, 4, "longer"},
        {12, 1, "longer"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char file[file_bytes];
        struct tare_llama_logits f;
        struct tare_err err = {0};
        make(file);
        put_i32(file + cases[i].at, cases[i].value);
        assert_int_equal(open_bytes(file, file_bytes, &f, &err), TARE_E_FORMAT);
        if (!strstr(err.msg, cases[i].says) || !strstr(err.msg, "made.kld")) {
            fail_msg("%zu: %d: %s", cases[i].at, cases[i].value, err.msg);
        }
    }
}

/* Cut anywhere, or a byte too long: found before a row is asked for. */
static void test_lengths(void **state)
{
    unsigned char file[file_bytes + 1];
    struct tare_llama_logits f;
    (void)state;
    make(file);
    file[file_bytes] = 0;
    for (size_t n = 0; n <= file_bytes + 1; n++) {
        int r = open_bytes(file, n, &f, NULL);
        assert_int_equal(r, n == file_bytes ? 0 : TARE_E_FORMAT);
        if (r == 0) {
            tare_llama_logits_close(&f);
        }
    }
}

static void test_rows_and_ids(void **state)
{
    static const struct {
        const char *why;
        float scale, lowest;
    } bad[] = {{"not a number", (float)NAN, -1},
               {"no limit", 1e-5F, -INFINITY},
               {"falling codes", -1e-5F, -1},
               {"a probability above 1", 1e-5F, 0},
               {"an infinite scale", INFINITY, -1}};
    unsigned char file[file_bytes];
    struct tare_llama_logits f;
    float row[n_vocab], lowest_seen;
    int32_t got[n_ctx];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        make(file);
        memcpy(file + rows_at, &bad[i].scale, 4);
        memcpy(file + rows_at + 4, &bad[i].lowest, 4);
        assert_int_equal(open_bytes(file, file_bytes, &f, NULL), 0);
        if (tare_llama_logits_row(&f, 0, 0, row, &lowest_seen, NULL) != TARE_E_FORMAT) {
            fail_msg("%s is read", bad[i].why);
        }
        assert_int_equal(tare_llama_logits_row(&f, 0, 1, row, &lowest_seen, NULL), 0);
        tare_llama_logits_close(&f);
    }
    make(file);
    put_i32(file + ids_at + 4 * 7, n_vocab);
    assert_int_equal(open_bytes(file, file_bytes, &f, NULL), 0);
    assert_int_equal(tare_llama_logits_ids(&f, 0, got, NULL), 0);
    assert_int_equal(tare_llama_logits_ids(&f, 1, got, NULL), TARE_E_FORMAT);
    tare_llama_logits_close(&f);
}

/* What is cut behind our back is an error, not a wait or a row of nothing. */
static void test_cut_while_read(void **state)
{
    unsigned char file[file_bytes];
    struct tare_llama_logits f;
    float row[n_vocab], lowest_seen;
    (void)state;
    make(file);
    assert_int_equal(open_bytes(file, file_bytes, &f, NULL), 0);
    assert_int_equal(ftruncate(f.fd, file_bytes - 1), 0);
    assert_int_equal(tare_llama_logits_row(&f, 1, 0, row, &lowest_seen, NULL), 0);
    assert_int_equal(tare_llama_logits_row(&f, 1, 1, row, &lowest_seen, NULL), TARE_E_FORMAT);
    tare_llama_logits_close(&f);
}

static void test_no_files(void **state)
{
    struct tare_llama_logits f;
    (void)state;
    assert_int_equal(tare_llama_logits_open("/nowhere/made.kld", &f, NULL), TARE_E_IO);
    assert_int_equal(tare_llama_logits_open("/proc/self", &f, NULL), TARE_E_IO);
    assert_int_equal(tare_llama_logits_open("/dev/zero", &f, NULL), TARE_E_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_back),    cmocka_unit_test(test_cut_tail),
        cmocka_unit_test(test_headers),      cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_rows_and_ids), cmocka_unit_test(test_cut_while_read),
        cmocka_unit_test(test_no_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
