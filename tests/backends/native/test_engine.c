/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sequence through the engine of every architecture, however it is cut, saved, restored, begun again
 * and shared out.
 */
#include "loaded.h"

#include "arch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TOLERANCE 1e-4 /* of a logit */

enum { n_tokens = 400 };

/* A model, or a small one made here where the zoo has none. */
static const char *const models[] = {"llama-0.25m", "rwkv4-1m", "h3-1m", "hyena-1m", "retnet-1m", "(mamba)"};
enum { n_models = sizeof models / sizeof models[0] };

struct subject {
    char folder[200];
    char path[512];
};

static void find(const char *model, struct subject *s)
{
    const struct edit longer = {.meta_key = "max_ctx", .meta_value = "\"512\""};
    s->folder[0] = '\0';
    if (model[0] != '(') {
        loaded_find_zoo(model, s->path, sizeof s->path);
        return;
    }
    fixture_folder(s->folder, sizeof s->folder);
    (void)snprintf(s->path, sizeof s->path, "%s/m.safetensors", s->folder);
    fixture_write(s->path, fixture_model_of("mamba", &longer));
}

static void forget(const struct subject *s)
{
    if (s->folder[0]) {
        (void)remove(s->path);
        assert_int_equal(remove(s->folder), 0);
    }
}

static float *copy_rows(const float *rows, size_t n)
{
    float *copy = malloc(n * sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, rows, n * sizeof *copy);
    return copy;
}

/* Feeds all in pieces of this many; the largest difference from the rows that are wanted. */
static double feed_pieces(struct loaded *l, const int32_t *ids, uint32_t piece, const float *want)
{
    size_t n_vocab = l->model.config.n_vocab;
    double worst = 0;
    tare_engine_reset(&l->engine);
    for (uint32_t at = 0; at < n_tokens; at += piece) {
        uint32_t n = n_tokens - at < piece ? n_tokens - at : piece;
        double gap = loaded_gap(loaded_feed(l, ids + at, n), want + at * n_vocab, n * n_vocab);
        worst = gap > worst ? gap : worst;
    }
    assert_int_equal(l->engine.n_tokens, n_tokens);
    return worst;
}

/* Rows of a whole window in the form that is right for the architecture, against every other cut and
 * block, of which 1 is the recurrent form and 512 the parallel one. */
static void compare_splits(const char *model)
{
    static const uint32_t pieces[] = {1, 2, 3, 63, 64, 65, 127, 129, 399};
    static const uint32_t blocks[] = {1, 2, 64, 100, 512};
    struct subject s;
    struct loaded l;
    int32_t ids[n_tokens];
    double worst = 0;
    find(model, &s);
    loaded_start(&l, s.path, 1, 0);
    loaded_ids(ids, n_tokens, l.model.config.n_vocab, 5);
    float *want = copy_rows(loaded_feed(&l, ids, n_tokens), (size_t)n_tokens * l.model.config.n_vocab);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        double gap = feed_pieces(&l, ids, pieces[i], want);
        worst = gap > worst ? gap : worst;
    }
    loaded_stop(&l);
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        loaded_start(&l, s.path, 1, blocks[i]);
        double gap = feed_pieces(&l, ids, n_tokens, want);
        worst = gap > worst ? gap : worst;
        loaded_stop(&l);
    }
    print_message("%s: cut any way, logits differ by %.1e\n", model, worst);
    assert_true(worst < TOLERANCE);
    free(want);
    forget(&s);
}

static void test_any_split(void **state)
{
    (void)state;
    for (int i = 0; i < n_models; i++) {
        compare_splits(models[i]);
    }
}

/* The same work gives the same bits: after a reset, and after the state was taken back. */
static void compare_states(const char *model)
{
    enum { first = 77, then = 50 };
    struct subject s;
    struct loaded l;
    int32_t ids[first + then];
    int32_t other[300];
    find(model, &s);
    loaded_start(&l, s.path, 1, 0);
    size_t n_vocab = l.model.config.n_vocab;
    loaded_ids(ids, first + then, (uint32_t)n_vocab, 1);
    loaded_ids(other, 300, (uint32_t)n_vocab, 2);
    float *start = copy_rows(loaded_feed(&l, ids, first), first * n_vocab);
    size_t bytes = tare_engine_state_bytes(&l.engine, first);
    unsigned char *kept = malloc(bytes + 1);
    assert_non_null(kept);
    kept[bytes] = 0x5a;
    tare_engine_save(&l.engine, kept);
    assert_int_equal(kept[bytes], 0x5a);
    float *want = copy_rows(loaded_feed(&l, ids + first, then), then * n_vocab);
    (void)loaded_feed(&l, other, 300);
    tare_engine_restore(&l.engine, kept, first);
    assert_int_equal(l.engine.n_tokens, first);
    assert_memory_equal(loaded_feed(&l, ids + first, then), want, then * n_vocab * sizeof *want);
    tare_engine_reset(&l.engine);
    assert_memory_equal(loaded_feed(&l, ids, first), start, first * n_vocab * sizeof *start);
    for (uint32_t i = 0; i < then; i++) {
        double gap = loaded_gap(loaded_feed(&l, ids + first + i, 1), want + i * n_vocab, n_vocab);
        assert_true(gap < TOLERANCE);
    }
    free(kept);
    free(want);
    free(start);
    loaded_stop(&l);
    forget(&s);
}

static void test_states(void **state)
{
    (void)state;
    for (int i = 0; i < n_models; i++) {
        compare_states(models[i]);
    }
}

/* The part of a state that does not grow comes first, and all of no tokens is zeros. */
static void test_empty_states(void **state)
{
    (void)state;
    for (int i = 0; i < n_models; i++) {
        struct subject s;
        struct loaded l;
        int32_t ids[5];
        find(models[i], &s);
        loaded_start(&l, s.path, 1, 0);
        loaded_ids(ids, 5, l.model.config.n_vocab, 9);
        size_t bytes = tare_engine_state_bytes(&l.engine, 0);
        unsigned char *kept = calloc(2, bytes + 1);
        assert_non_null(kept);
        (void)loaded_feed(&l, ids, 5);
        tare_engine_reset(&l.engine);
        tare_engine_save(&l.engine, kept);
        assert_memory_equal(kept, kept + bytes + 1, bytes);
        assert_true(tare_engine_state_bytes(&l.engine, 5) >= bytes);
        free(kept);
        loaded_stop(&l);
        forget(&s);
    }
}

/* Shares of other sizes are summed in another order: a hundred thousandth of the largest logit. */
static void test_threads(void **state)
{
    (void)state;
    for (int i = 0; i < n_models; i++) {
        struct subject s;
        struct loaded l;
        int32_t ids[n_tokens];
        find(models[i], &s);
        loaded_start(&l, s.path, 1, 0);
        size_t n_vocab = l.model.config.n_vocab;
        loaded_ids(ids, n_tokens, (uint32_t)n_vocab, 3);
        float *want = copy_rows(loaded_feed(&l, ids, n_tokens), n_tokens * n_vocab);
        double largest = 0;
        for (size_t j = 0; j < n_tokens * n_vocab; j++) {
            largest = fmax(largest, fabs((double)want[j]));
        }
        loaded_stop(&l);
        for (uint32_t threads = 2; threads <= 5; threads += 3) {
            loaded_start(&l, s.path, threads, 0);
            double block = loaded_gap(loaded_feed(&l, ids, 350), want, 350 * n_vocab);
            double step = 0;
            for (uint32_t t = 350; t < n_tokens; t++) {
                double gap = loaded_gap(loaded_feed(&l, ids + t, 1), want + t * n_vocab, n_vocab);
                step = gap > step ? gap : step;
            }
            print_message("%s: %u threads differ by %.1e in a block, %.1e in steps after it\n", models[i],
                          threads, block, step);
            assert_true(block <= 1e-5 * largest && step < TOLERANCE);
            loaded_stop(&l);
        }
        free(want);
        forget(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_split),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_empty_states),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
