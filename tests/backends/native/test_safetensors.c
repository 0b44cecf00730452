/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container reader: what it accepts, and a table of files that lie. Every refusal has to come with
 * a message of one line; run under AddressSanitizer the table also proves that nothing is read past
 * the end, because each file lies in a block of exactly its own size.
 */
#include "fixture.h"

#include "safetensors.h"
#include "widen.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TENSOR_A "\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}"
#define TENSOR_B "\"b\":{\"dtype\":\"F16\",\"shape\":[8],\"data_offsets\":[16,32]}"
#define GOOD     "{\"__metadata__\":{\"k\":\"v\"}," TENSOR_A "," TENSOR_B "}"

static const unsigned char data32[32] = {1, 2, 3, 4, 5};

/* A copy without a spare byte behind it, so that a sanitizer sees every read too far. */
static struct blob exact(struct blob b, size_t n)
{
    struct blob copy = {.bytes = malloc(n ? n : 1), .n = n};
    assert_non_null(copy.bytes);
    memcpy(copy.bytes, b.bytes, n);
    return copy;
}

static void assert_refused(const unsigned char *bytes, size_t n, const char *what, const char *says)
{
    struct tare_safetensors st = {0};
    struct tare_err err = {0};
    int rc = tare_safetensors_parse(&st, bytes, n, "test", &err);
    if (rc >= 0) {
        tare_safetensors_close(&st);
        fail_msg("accepted: %s", what);
    }
    if (err.code != rc || err.msg[0] == '\0' || strchr(err.msg, '\n') || (says && !strstr(err.msg, says))) {
        fail_msg("refused without a line that says why: %s: %s", what, err.msg);
    }
    assert_null(st.header);
    assert_null(st.tensors);
}

static void test_accepts(void **state)
{
    (void)state;
    struct blob b = fixture_pack(GOOD, data32, sizeof data32);
    struct tare_safetensors st = {0};
    struct tare_err err = {0};
    assert_int_equal(tare_safetensors_parse(&st, b.bytes, b.n, "test", &err), 0);
    assert_int_equal(st.n_tensors, 2);
    assert_int_equal(st.data_bytes, 32);
    assert_string_equal(tare_safetensors_meta(&st, "k"), "v");
    assert_null(tare_safetensors_meta(&st, "absent"));
    assert_null(tare_safetensors_find(&st, "c"));
    const struct tare_tensor *a = tare_safetensors_find(&st, "a");
    const struct tare_tensor *t = tare_safetensors_find(&st, "b");
    assert_int_equal(a->n_elements, 4);
    assert_int_equal(a->rank, 2);
    assert_memory_equal(a->data, data32, 16);
    assert_int_equal(t->dtype, TARE_DTYPE_F16);
    assert_string_equal(tare_dtype_name(t->dtype), "F16");
    assert_int_equal(t->n_bytes, 16);
    assert_ptr_equal(t->data, a->data + 16);
    tare_safetensors_close(&st);
    assert_null(st.tensors);
    free(b.bytes);
}

/* A scalar has an empty shape and one element; metadata may be absent. */
static void test_accepts_scalar(void **state)
{
    (void)state;
    struct blob b =
        fixture_pack("{\"s\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]}}", data32, 8);
    struct tare_safetensors st = {0};
    struct tare_err err = {0};
    assert_int_equal(tare_safetensors_parse(&st, b.bytes, b.n, "test", &err), 0);
    assert_int_equal(st.tensors[0].n_elements, 1);
    assert_null(tare_safetensors_meta(&st, "k"));
    tare_safetensors_close(&st);
    free(b.bytes);
}

#define ONE(dtype, shape, offsets) \
    "{\"t\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static const struct lie {
    const char *what;
    const char *header;
} lies[] = {
    {"empty header", ""},
    {"header of white space", "        "},
    {"header is a list", "[]"},
    {"header is a number", "7"},
    {"header is not JSON", "{\"a\":"},
    {"text behind the header", "{} {}"},
    {"no tensor for the data", "{}"},
    {"metadata alone", "{\"__metadata__\":{}}"},
    {"metadata is a list", "{\"__metadata__\":[]," TENSOR_A "," TENSOR_B "}"},
    {"metadata holds a number", "{\"__metadata__\":{\"k\":1}," TENSOR_A "," TENSOR_B "}"},
    {"metadata is nested", "{\"__metadata__\":{\"k\":{}}," TENSOR_A "," TENSOR_B "}"},
    {"metadata with a line break", "{\"__metadata__\":{\"k\":\"a\\nb\"}," TENSOR_A "," TENSOR_B "}"},
    {"metadata stands twice", "{\"__metadata__\":{},\"__metadata__\":{}," TENSOR_A "," TENSOR_B "}"},
    {"name stands twice", "{" TENSOR_A "," TENSOR_A "}"},
    {"empty name", "{\"\":{\"dtype\":\"U8\",\"shape\":[32],\"data_offsets\":[0,32]}}"},
    {"name with a line break", "{\"a\\nb\":{\"dtype\":\"U8\",\"shape\":[32],\"data_offsets\":[0,32]}}"},
    {"name of other letters", "{\"\xc3\xa4\":{\"dtype\":\"U8\",\"shape\":[32],\"data_offsets\":[0,32]}}"},
    {"tensor is a list", "{\"t\":[]}"},
    {"tensor is null", "{\"t\":null}"},
    {"tensor without members", "{\"t\":{}}"},
    {"tensor with a fourth member",
     "{\"t\":{\"dtype\":\"U8\",\"shape\":[32],\"data_offsets\":[0,32],\"x\":1}}"},
    {"misspelt member", "{\"t\":{\"dtype\":\"U8\",\"shape\":[32],\"offsets\":[0,32]}}"},
    {"unknown dtype", ONE("\"F7\"", "[32]", "[0,32]")},
    {"dtype in lower case", ONE("\"u8\"", "[32]", "[0,32]")},
    {"dtype is a number", ONE("8", "[32]", "[0,32]")},
    {"dtype lies: too wide", ONE("\"F32\"", "[32]", "[0,32]")},
    {"dtype lies: too narrow", ONE("\"U8\"", "[8]", "[0,32]")},
    {"shape is a number", ONE("\"U8\"", "32", "[0,32]")},
    {"shape holds a string", ONE("\"U8\"", "[\"32\"]", "[0,32]")},
    {"shape holds a fraction", ONE("\"U8\"", "[32.5]", "[0,32]")},
    {"shape is negative", ONE("\"U8\"", "[-32]", "[0,32]")},
    {"two negatives make a plus", ONE("\"U8\"", "[-4,-8]", "[0,32]")},
    {"shape holds zero", ONE("\"U8\"", "[0]", "[0,32]")},
    {"no element at all", ONE("\"U8\"", "[0]", "[0,0]")},
    {"shape too large", ONE("\"U8\"", "[1e300]", "[0,32]")},
    {"dimension above 2^53", ONE("\"U8\"", "[18446744073709551648]", "[0,32]")},
    {"product is 2^64 + 0", ONE("\"U8\"", "[4294967296,4294967296]", "[0,32]")},
    {"product wraps to 32", ONE("\"U8\"", "[9007199254740991,2049,32]", "[0,32]")},
    {"bytes wrap to 32", ONE("\"F64\"", "[2305843009213693956,1]", "[0,32]")},
    {"bytes wrap to 0 of 64 bits", ONE("\"F64\"", "[2251799813685248,1024]", "[0,0]")},
    {"nine dimensions", ONE("\"U8\"", "[1,1,1,1,1,1,1,1,32]", "[0,32]")},
    {"shape smaller than the data", ONE("\"U8\"", "[31]", "[0,32]")},
    {"shape larger than the data", ONE("\"U8\"", "[33]", "[0,32]")},
    {"offsets are one number", ONE("\"U8\"", "[32]", "[32]")},
    {"offsets are three", ONE("\"U8\"", "[32]", "[0,16,32]")},
    {"offsets are strings", ONE("\"U8\"", "[32]", "[\"0\",\"32\"]")},
    {"offsets are swapped", ONE("\"U8\"", "[32]", "[32,0]")},
    {"offset is negative", ONE("\"U8\"", "[32]", "[-32,0]")},
    {"offset is a fraction", ONE("\"U8\"", "[32]", "[0.5,32]")},
    {"offset is huge", ONE("\"U8\"", "[32]", "[0,1e18]")},
    {"end beyond the file", ONE("\"U8\"", "[33]", "[0,33]")},
    {"begin and end beyond the file", ONE("\"U8\"", "[32]", "[32,64]")},
    {"gap in front", ONE("\"U8\"", "[31]", "[1,32]")},
    {"bytes left over", ONE("\"U8\"", "[31]", "[0,31]")},
    {"gap between", "{" TENSOR_A ",\"b\":{\"dtype\":\"U8\",\"shape\":[15],\"data_offsets\":[17,32]}}"},
    {"overlap", "{" TENSOR_A ",\"b\":{\"dtype\":\"U8\",\"shape\":[17],\"data_offsets\":[15,32]}}"},
    {"same bytes twice", "{\"c\":{\"dtype\":\"U8\",\"shape\":[16],\"data_offsets\":[0,16]}," TENSOR_A "}"},
    {"out of order", "{" TENSOR_B "," TENSOR_A "}"},
    {"unaligned", "{\"c\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                  "\"d\":{\"dtype\":\"F32\",\"shape\":[7],\"data_offsets\":[2,30]},"
                  "\"e\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[30,32]}}"},
};

static void test_refuses_lies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct blob b = fixture_pack(lies[i].header, data32, sizeof data32);
        struct blob copy = exact(b, b.n);
        assert_refused(copy.bytes, copy.n, lies[i].what, NULL);
        free(copy.bytes);
        free(b.bytes);
    }
}

/* Files that more than one check refuses: the one that names the fault comes first. */
static void test_names_the_fault(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {ONE("\"U8\"", "[33]", "[0,33]"), "claims bytes 0 to 33 of 32"},
        {ONE("\"U8\"", "[32]", "[32,0]"), "begins at 32 where 0 was due"},
        {ONE("\"U8\"", "[9007199254740991,2049,32]", "[0,32]"), "overflows 64 bits"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct blob b = fixture_pack(rows[i][0], data32, sizeof data32);
        assert_refused(b.bytes, b.n, rows[i][0], rows[i][1]);
        free(b.bytes);
    }
}

/* No beginning of a good file is a good file. */
static void test_refuses_every_truncation(void **state)
{
    (void)state;
    struct blob b = fixture_pack(GOOD, data32, sizeof data32);
    for (size_t n = 0; n < b.n; n++) {
        struct blob copy = exact(b, n);
        assert_refused(copy.bytes, copy.n, "truncated", NULL);
        free(copy.bytes);
    }
    free(b.bytes);
}

static void test_refuses_every_flip_of_the_length(void **state)
{
    (void)state;
    struct blob b = fixture_pack(GOOD, data32, sizeof data32);
    for (unsigned bit = 0; bit < 64; bit++) {
        struct blob copy = exact(b, b.n);
        copy.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_refused(copy.bytes, copy.n, "flipped bit in the header length", NULL);
        free(copy.bytes);
    }
    free(b.bytes);
}

/* Accepted or not: no flip may make the reader leave the file, which the sanitizer watches. */
static void test_survives_every_flip_of_the_header(void **state)
{
    (void)state;
    struct blob b = fixture_pack(GOOD, data32, sizeof data32);
    size_t refused = 0;
    for (size_t bit = 64; bit < 8 * (b.n - sizeof data32); bit++) {
        struct blob copy = exact(b, b.n);
        copy.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        struct tare_safetensors st = {0};
        struct tare_err err = {0};
        if (tare_safetensors_parse(&st, copy.bytes, copy.n, "test", &err) < 0) {
            refused++;
            assert_true(err.msg[0] != '\0');
        } else {
            for (size_t i = 0; i < st.n_tensors; i++) {
                const struct tare_tensor *t = &st.tensors[i];
                assert_true(t->data >= copy.bytes && t->data + t->n_bytes <= copy.bytes + copy.n);
            }
            tare_safetensors_close(&st);
        }
        free(copy.bytes);
    }
    assert_true(refused > 100);
    free(b.bytes);
}

static void test_refuses_no_file(void **state)
{
    (void)state;
    char folder[200];
    char path[260];
    struct tare_safetensors st = {0};
    struct tare_err err = {0};
    fixture_folder(folder, sizeof folder);
    assert_int_equal(tare_safetensors_open(&st, folder, &err), TARE_E_FORMAT);
    (void)snprintf(path, sizeof path, "%s/absent", folder);
    assert_int_equal(tare_safetensors_open(&st, path, &err), TARE_E_IO);
    (void)snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(tare_safetensors_open(&st, path, &err), TARE_E_FORMAT);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* All 65536 halves against the definition: sign, exponent of bias 15, 10 bits of fraction. */
static void test_widens_every_half(void **state)
{
    (void)state;
    for (unsigned h = 0; h < 65536; h++) {
        unsigned char bytes[2] = {(unsigned char)h, (unsigned char)(h >> 8)};
        int exponent = (int)(h >> 10 & 31);
        double fraction = h & 1023;
        double want = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
        float got;
        tare_widen_f16(&got, bytes, 1);
        assert_int_equal(signbit(got) != 0, h >> 15);
        if (exponent == 31) {
            assert_true(fraction > 0 ? isnan(got) : isinf(got));
        } else {
            assert_true(fabs((double)got) == want); /* NOLINT: exact by contract */
        }
    }
}

static void test_counts_non_zero(void **state)
{
    (void)state;
    const float x[] = {0.0F, -0.0F, 1e-40F, -1.0F, NAN};
    assert_int_equal(tare_count_non_zero(x, 5), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts),
        cmocka_unit_test(test_accepts_scalar),
        cmocka_unit_test(test_refuses_lies),
        cmocka_unit_test(test_names_the_fault),
        cmocka_unit_test(test_refuses_every_truncation),
        cmocka_unit_test(test_refuses_every_flip_of_the_length),
        cmocka_unit_test(test_survives_every_flip_of_the_header),
        cmocka_unit_test(test_refuses_no_file),
        cmocka_unit_test(test_widens_every_half),
        cmocka_unit_test(test_counts_non_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
