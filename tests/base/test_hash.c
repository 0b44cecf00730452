/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 against the examples of FIPS 180-4 (as published by NIST) and of RFC 6234. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"

#define EMPTY   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define MILLION "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static const struct {
    const char *text;
    const char *digest;
} vectors[] = {
    {"", EMPTY},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrs"
     "t"
     "nopqrstu",
     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
};

static void test_memory(void **state)
{
    (void)state;
    char out[TARE_SHA256_HEX];
    struct tare_err err = {0};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        assert_int_equal(tare_sha256(vectors[i].text, strlen(vectors[i].text), out, &err), 0);
        assert_string_equal(out, vectors[i].digest);
    }
    assert_int_equal(tare_sha256(NULL, 0, out, &err), 0);
    assert_string_equal(out, EMPTY);
}

static void write_file(char *path, const char *bytes, size_t n)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    assert_int_equal(close(fd), 0);
}

/* FIPS 180-4's third example, a million times 'a', needs many reads. */
static void test_file(void **state)
{
    (void)state;
    enum { million = 1000000 };
    char path[] = "/tmp/tare_hash_XXXXXX", none[] = "/tmp/tare_hash_XXXXXX", out[TARE_SHA256_HEX];
    char *bytes = malloc(million);
    assert_non_null(bytes);
    memset(bytes, 'a', million);
    write_file(path, bytes, million);
    write_file(none, bytes, 0);
    free(bytes);
    struct tare_err err = {0};
    int64_t n = -5;
    assert_int_equal(tare_sha256_file(path, out, &n, &err), 0);
    assert_string_equal(out, MILLION);
    assert_int_equal(n, million);
    assert_int_equal(tare_sha256_file(none, out, &n, &err), 0);
    assert_string_equal(out, EMPTY);
    assert_int_equal(n, 0);
    assert_int_equal(tare_sha256_file(path, out, NULL, &err), 0);
    assert_string_equal(out, MILLION);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(none), 0);
}

static void test_no_file(void **state)
{
    (void)state;
    static const char *const paths[] = {"/tmp/tare_hash/no/such/file", "/tmp" /* a folder */};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char out[TARE_SHA256_HEX] = "before";
        int64_t n = -5;
        struct tare_err err = {0};
        assert_int_equal(tare_sha256_file(paths[i], out, &n, &err), TARE_E_IO);
        assert_int_equal(err.code, TARE_E_IO);
        assert_non_null(strstr(err.msg, paths[i]));
        assert_string_equal(out, "before");
        assert_int_equal(n, -5);
    }
}

/* Pieces of any length give what the whole gives, also around the length that is gathered. */
static void test_pieces(void **state)
{
    (void)state;
    enum { n = 20000 };
    static unsigned char data[n];
    static const size_t lengths[] = {1, 7, 4095, 4096, 4097, 9000, n};
    char whole[TARE_SHA256_HEX], pieces[TARE_SHA256_HEX];
    struct tare_err err = {0};
    for (size_t i = 0; i < n; i++) {
        data[i] = (unsigned char)(i * 31 + i / 256);
    }
    assert_int_equal(tare_sha256(data, n, whole, &err), 0);
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        struct tare_hasher *hasher = tare_hasher_begin();
        for (size_t at = 0; at < n; at += lengths[l]) {
            tare_hasher_add(hasher, data + at, at + lengths[l] < n ? lengths[l] : n - at);
        }
        assert_int_equal(tare_hasher_end(hasher, pieces, &err), 0);
        assert_string_equal(pieces, whole);
    }
    assert_true(tare_hasher_end(NULL, pieces, &err) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
