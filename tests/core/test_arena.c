/* SPDX-License-Identifier: Apache-2.0 */
/* The arena: pieces do not overlap, are aligned, and a size that overflows is refused. */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/arena.h"

/* Sizes around the chunk, in an order that makes every transition between small and large. */
static void test_pieces(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,      1,      15,     16,     17,     1000,    262144, 1,
                                   262143, 262145, 0,      5,      262144, 3000000, 7,      100000,
                                   100000, 100000, 100000, 262128, 16,     1,       0,      0};
    enum { n = sizeof sizes / sizeof *sizes };
    struct tare_arena arena = {0};
    unsigned char *at[n];
    for (size_t i = 0; i < n; i++) {
        at[i] = tare_arena_take(&arena, sizes[i]);
        assert_non_null(at[i]);
        assert_int_equal((uintptr_t)at[i] % alignof(max_align_t), 0);
        memset(at[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < sizes[i]; j++) {
            if (at[i][j] != i + 1) {
                fail_msg("piece %zu was overwritten at %zu", i, j);
            }
        }
    }
    tare_arena_fini(&arena);
    assert_null(arena.head);
    tare_arena_fini(&arena);
    assert_non_null(tare_arena_take(&arena, 10)); /* usable again */
    tare_arena_fini(&arena);
}

static void test_many(void **state)
{
    (void)state;
    struct tare_arena arena = {0};
    uint64_t *before = NULL;
    for (uint64_t i = 0; i < 100000; i++) {
        uint64_t *piece = tare_arena_array(&arena, 3, sizeof *piece);
        assert_non_null(piece);
        piece[0] = piece[1] = piece[2] = i;
        assert_true(i == 0 || (before[0] == i - 1 && before[2] == i - 1));
        before = piece;
    }
    tare_arena_fini(&arena);
}

static void test_copy(void **state)
{
    (void)state;
    struct tare_arena arena = {0};
    char text[] = "copied";
    char *copy = tare_arena_copy(&arena, text, sizeof text);
    text[0] = 'X';
    assert_string_equal(copy, "copied");
    assert_non_null(tare_arena_copy(&arena, NULL, 0));
    tare_arena_fini(&arena);
}

static void test_overflow(void **state)
{
    (void)state;
    struct tare_arena arena = {0};
    assert_null(tare_arena_take(&arena, SIZE_MAX));
    assert_null(tare_arena_take(&arena, SIZE_MAX - 31)); /* rounding up would give 0 */
    assert_null(tare_arena_array(&arena, SIZE_MAX / 4 + 2, 4));
    assert_null(tare_arena_array(&arena, 2, SIZE_MAX / 2 + 1));
    assert_non_null(tare_arena_array(&arena, SIZE_MAX, 0));
    assert_non_null(tare_arena_array(&arena, 0, SIZE_MAX));
    assert_non_null(tare_arena_take(&arena, 8)); /* still of use */
    tare_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
