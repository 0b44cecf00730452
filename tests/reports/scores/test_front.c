/* SPDX-License-Identifier: Apache-2.0 */
/* Dominance by values, by intervals and on common metrics; volumes that can be worked out by hand. */
#include "near.h"

#include "front.h"

static struct tare_score_metric metrics[] = {{.better = TARE_BETTER_HIGHER}, {.better = TARE_BETTER_LOWER}};

/* Value and half width; a NaN value is absent, a negative half width no interval. */
struct v {
    double value, half;
};

static struct tare_standing stand(struct v x0, struct v x1, struct v y0, struct v y1)
{
    const struct v v[4] = {x0, x1, y0, y1};
    struct tare_score_value values[4];
    for (size_t i = 0; i < 4; i++) {
        values[i] = tare_score_absent("none");
        values[i].value = v[i].value;
        values[i].low = v[i].half < 0 ? (double)NAN : v[i].value - v[i].half;
        values[i].high = v[i].half < 0 ? (double)NAN : v[i].value + v[i].half;
    }
    struct tare_score_matrix m = {.n_systems = 2, .n_metrics = 2, .metrics = metrics, .values = values};
    return tare_dominates(&m, 0, 1);
}

static void test_dominance(void **state)
{
    (void)state;
    const struct v none = {(double)NAN, 0};
    static const struct {
        const char *what;
        struct v x0, x1, y0, y1;
        enum tare_dominance expected;
    } cases[] = {
        {"better in both, apart", {2, .1}, {1, .1}, {1, .1}, {2, .1}, TARE_DOMINANCE_CLEAR},
        {"better in one apart, equal in the other", {2, .1}, {1, .1}, {1, .1}, {1, .1}, TARE_DOMINANCE_CLEAR},
        {"better by values, within both intervals", {2, 1}, {1, 1}, {1, 1}, {2, 1}, TARE_DOMINANCE_WITHIN},
        {"ends touch: not apart", {2, .5}, {1, .1}, {1, .5}, {1, .1}, TARE_DOMINANCE_WITHIN},
        {"clearly better in one, worse within noise",
         {2, .1},
         {1.1, .2},
         {1, .1},
         {1, .2},
         TARE_DOMINANCE_WITHIN},
        {"clearly better in one, clearly worse", {2, .1}, {3, .1}, {1, .1}, {1, .1}, TARE_DOMINANCE_NONE},
        {"equal in all", {1, 0}, {1, 0}, {1, 0}, {1, 0}, TARE_DOMINANCE_NONE},
        {"worse", {1, .1}, {2, .1}, {2, .1}, {1, .1}, TARE_DOMINANCE_NONE},
        {"no interval: never apart", {2, -1}, {1, -1}, {1, -1}, {2, -1}, TARE_DOMINANCE_WITHIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_standing s = stand(cases[i].x0, cases[i].x1, cases[i].y0, cases[i].y1);
        if (s.dominance != cases[i].expected || s.n_common != 2) {
            fail_msg("%s: %d", cases[i].what, (int)s.dominance);
        }
    }
    /* Compared on what both have, and on nothing where that is nothing. */
    struct tare_standing part = stand((struct v){2, .1}, none, (struct v){1, .1}, (struct v){1, .1});
    assert_int_equal(part.dominance, TARE_DOMINANCE_CLEAR);
    assert_int_equal(part.n_common, 1);
    struct tare_standing nothing = stand((struct v){2, .1}, none, none, (struct v){1, .1});
    assert_int_equal(nothing.dominance, TARE_DOMINANCE_NONE);
    assert_int_equal(nothing.n_common, 0);
}

static void test_hypervolume(void **state)
{
    (void)state;
    const double origin[] = {0, 0, 0};
    const double one[] = {2, 3}, stairs[] = {1, 3, 2, 2, 3, 1}, inside[] = {1, 3, 2, 2, 3, 1, 1, 1};
    const double cubes[] = {2, 1, 1, 1, 2, 1, 1, 1, 2};
    assert_near(tare_hypervolume(one, 1, 2, origin), 6, 0);
    assert_near(tare_hypervolume(stairs, 3, 2, origin), 6, 1e-15); /* 3 + 2 + 1 squares */
    assert_near(tare_hypervolume(inside, 4, 2, origin), 6, 1e-15); /* what is dominated adds nothing */
    assert_near(tare_hypervolume(cubes, 3, 3, origin), 4, 1e-15);  /* a corner and three arms */
    const double beyond[] = {2, 2};
    assert_near(tare_hypervolume(one, 1, 2, beyond), 0, 0); /* on the reference's edge: nothing */
    assert_near(tare_hypervolume(one, 1, 1, origin), 2, 0);
    assert_near(tare_hypervolume(one, 0, 2, origin), 0, 0);
}

/* Against counting: 2000 points at random in a box of four dimensions hit the volume to 4 standard errors. */
static void test_hypervolume_by_counting(void **state)
{
    (void)state;
    const double points[] = {.9, .2, .5, .4, .3, .8, .6, .5, .5, .5, .9, .2, .2, .6, .3, .95};
    const double origin[] = {0, 0, 0, 0};
    enum { n = 20000 };
    size_t inside = 0;
    unsigned long long state64 = 88172645463325252ull;
    for (size_t i = 0; i < n; i++) {
        double x[4];
        for (size_t d = 0; d < 4; d++) {
            state64 = state64 * 6364136223846793005ull + 1442695040888963407ull;
            x[d] = (double)(state64 >> 11) / 9007199254740992.0;
        }
        bool in = false;
        for (size_t p = 0; p < 4; p++) {
            in = in || (x[0] < points[4 * p] && x[1] < points[4 * p + 1] && x[2] < points[4 * p + 2] &&
                        x[3] < points[4 * p + 3]);
        }
        inside += in;
    }
    double share = (double)inside / n;
    assert_near(tare_hypervolume(points, 4, 4, origin), share, 4 * sqrt(share * (1 - share) / n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dominance),
        cmocka_unit_test(test_hypervolume),
        cmocka_unit_test(test_hypervolume_by_counting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
