/* SPDX-License-Identifier: Apache-2.0 */
/* Known traffic: every byte is found again, in our count and in the kernel's. */
#include "selftest/bytes.h"
#include "selftest/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_bytes(void **state)
{
    static const int64_t sizes[] = {1, 1000, 100000, 10000000};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct tare_known_bytes out = {0};
        struct tare_err err = {0};
        if (tare_known_bytes(sizes[i], &out, &err) < 0) {
            fail_msg("%s", err.msg);
        }
        assert_int_equal(out.bytes, sizes[i]);
        assert_int_equal(out.pipe_received, sizes[i]);
        assert_int_equal(out.tcp_received, sizes[i]);
        assert_int_equal(out.kernel_sent, sizes[i]);
        assert_int_equal(out.kernel_received, sizes[i]);
        assert_int_equal(out.kernel_fin, sizes[i] + 1);
    }
}

static void test_ring(void **state)
{
    (void)state;
    for (int64_t n = 2; n <= TARE_KNOWN_RING_MAX; n++) {
        struct tare_known_ring out = {0};
        struct tare_err err = {0};
        if (tare_known_ring(n, 100, &out, &err) < 0) {
            fail_msg("%s", err.msg);
        }
        assert_int_equal(out.array_bytes, 840 * 100 * 8);
        assert_int_equal(out.wrong_values, 0);
        for (int64_t k = 0; k < n; k++) {
            assert_int_equal(out.sent_bytes[k] * n, 2 * (n - 1) * out.array_bytes);
            assert_int_equal(out.kernel_bytes[k] * n, 2 * (n - 1) * out.array_bytes);
        }
    }
}

static void test_refused(void **state)
{
    struct tare_known_ring ring = {.ranks = 77};
    struct tare_known_bytes bytes = {.bytes = 77};
    struct tare_err err = {0};
    (void)state;
    assert_int_equal(tare_known_ring(1, 1, &ring, &err), TARE_E_USAGE);
    assert_int_equal(tare_known_ring(9, 1, &ring, &err), TARE_E_USAGE);
    assert_int_equal(tare_known_ring(2, 0, &ring, &err), TARE_E_USAGE);
    assert_int_equal(ring.ranks, 77);
    assert_int_equal(tare_known_bytes(0, &bytes, &err), TARE_E_USAGE);
    assert_int_equal(bytes.bytes, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bytes), cmocka_unit_test(test_ring),
                                       cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
