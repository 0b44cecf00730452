/* SPDX-License-Identifier: Apache-2.0 */
/* Paired right and wrong answers, paired means of items, several tests at once. */
#include "stats/discrete.h"

#include <math.h>
#include <stdlib.h>

double tare_mcnemar_p(int64_t b, int64_t c)
{
    if (b < 0 || c < 0) {
        return (double)NAN;
    }
    if (b == c) {
        return 1;
    }
    double few = (double)(b < c ? b : c), n = (double)b + (double)c;
    return fmin(1, 2 * tare_incomplete_beta(n - few, few + 1, 0.5, 0.5));
}

static bool counts_can_be(int64_t b, int64_t c, int64_t n)
{
    return n > 0 && b >= 0 && c >= 0 && b <= n && c <= n - b;
}

double tare_mcnemar_se(int64_t b, int64_t c, int64_t n)
{
    if (!counts_can_be(b, c, n)) {
        return (double)NAN;
    }
    double flips = (double)b + (double)c, difference = (double)b - (double)c, dn = (double)n;
    return sqrt(flips - difference * difference / dn) / dn;
}

/*
 * Tango's score for the difference `delta`: (c - b - n delta) / sqrt(n (2 q + delta (1 - delta))), where q is
 * the share of items that A alone gets right, most likely under that difference: the larger root of
 * 2 n q^2 + (-(b + c) + (2 n - c + b) delta) q - b delta (1 - delta) = 0.
 */
static double tango_score(double b, double c, double n, double delta)
{
    double linear = -(b + c) + (2 * n - c + b) * delta, constant = -b * delta * (1 - delta);
    double root = sqrt(fmax(0, linear * linear - 8 * n * constant));
    double q = linear > 0 ? -2 * constant / (root + linear) : (root - linear) / (4 * n);
    return (c - b - n * delta) / sqrt(n * (2 * fmax(q, -delta) + delta * (1 - delta)));
}

/* Largest difference whose score is not below -z. */
static double tango_upper(double b, double c, double n, double z)
{
    double low = (c - b) / n, high = 1;
    for (int i = 0; i < 100 && low < high; i++) {
        double mid = 0.5 * (low + high);
        if (tango_score(b, c, n, mid) >= -z) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return low;
}

struct tare_interval tare_paired_proportion(int64_t b, int64_t c, int64_t n, double level)
{
    if (!counts_can_be(b, c, n) || !(level > 0 && level < 1)) {
        return (struct tare_interval){.method = n > 0 ? "counts that cannot be" : "no items"};
    }
    double z = tare_normal_quantile(0.5 + level / 2);
    return (struct tare_interval){.ok = true,
                                  .low = -tango_upper((double)c, (double)b, (double)n, z),
                                  .high = tango_upper((double)b, (double)c, (double)n, z),
                                  .level = level,
                                  .method = "Tango score"};
}

struct member {
    int64_t cluster;
    double d;
};

static int compare_members(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    if (x->cluster != y->cluster) {
        return x->cluster < y->cluster ? -1 : 1;
    }
    return (x->d > y->d) - (x->d < y->d); /* so that sums do not depend on the order of items */
}

struct clusters {
    double n;         /* how many */
    double effective; /* how many of equal size would weigh as much: (sum of sizes)^2 / sum of sizes^2 */
    double se;        /* of the mean over all items */
};

/* The mean without a cluster differs from the mean by (sum of its d - mean) / (items outside): the jackknife.
 */
static struct clusters by_cluster(const struct member *m, size_t n, double mean)
{
    double squares = 0, sizes = 0, count = 0, all = (double)n;
    for (size_t i = 0; i < n; count++) {
        int64_t id = m[i].cluster;
        double sum = 0, size = 0;
        for (; i < n && m[i].cluster == id; i++, size++) {
            sum += m[i].d - mean;
        }
        double moved = size < all ? sum / (all - size) : (double)NAN;
        squares += moved * moved;
        sizes += size * size;
    }
    return (struct clusters){
        .n = count, .effective = all * all / sizes, .se = sqrt((count - 1) / count * squares)};
}

static int check_mean(const double *d, size_t n, double level, struct tare_err *err)
{
    if (n == 0 || !(level > 0 && level < 1)) {
        return tare_err_set(err, TARE_E_USAGE,
                            "mean of differences: %zu items, level %g; give items and 0 < level < 1", n,
                            level);
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(d[i])) {
            return tare_err_set(err, TARE_E_USAGE,
                                "mean of differences: item %zu is not finite; leave it out, with a reason",
                                i + 1);
        }
    }
    return 0;
}

static bool all_equal(const double *d, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (d[i] != d[0]) {
            return false;
        }
    }
    return true;
}

static struct tare_interval mean_interval(double mean, const struct clusters *g, double level, bool spread,
                                          bool clustered)
{
    if (g->n < 2) {
        return (struct tare_interval){.method = "n too small, 2 independent units needed"};
    }
    if (g->effective < 2 * (1 - 1e-12)) {
        return (struct tare_interval){.method = "one cluster has most of the items"};
    }
    if (!spread || !(g->se > 0)) {
        return (struct tare_interval){.method = "no difference differs from another: no spread to judge by"};
    }
    double half = tare_t_quantile(0.5 + level / 2, g->effective - 1) * g->se;
    return (struct tare_interval){.ok = true,
                                  .low = mean - half,
                                  .high = mean + half,
                                  .level = level,
                                  .method = clustered ? "t of clusters" : "t"};
}

int tare_paired_mean(const double *d, const int64_t *cluster, size_t n, double level, double *out_mean,
                     double *out_se, struct tare_interval *out, struct tare_err *err)
{
    int rc = check_mean(d, n, level, err);
    if (rc != 0) {
        return rc;
    }
    struct member *m = malloc(n * sizeof *m);
    if (!m) {
        return tare_err_set(err, TARE_E_NOMEM, "mean of %zu differences: out of memory", n);
    }
    for (size_t i = 0; i < n; i++) {
        m[i] = (struct member){.cluster = cluster ? cluster[i] : (int64_t)i, .d = d[i]};
    }
    if (cluster) {
        qsort(m, n, sizeof *m, compare_members);
    }
    double mean = tare_mean(d, n);
    struct clusters g = by_cluster(m, n, mean);
    free(m);
    *out_mean = mean;
    *out_se = g.se;
    *out = mean_interval(mean, &g, level, !all_equal(d, n), cluster != NULL);
    return 0;
}

double tare_equivalence_n(double flips, double delta)
{
    if (!(flips >= 0 && flips <= 1 && delta > 0)) {
        return (double)NAN;
    }
    double z = tare_normal_quantile(0.95) + tare_normal_quantile(0.9);
    return z * z * flips / (delta * delta);
}

struct ordered {
    double p;
    size_t place;
};

static int compare_ordered(const void *a, const void *b)
{
    double x = ((const struct ordered *)a)->p, y = ((const struct ordered *)b)->p;
    return (x > y) - (x < y);
}

/* The p values that count, ascending, malloc'ed. */
static int order(const double *p, size_t n, struct ordered **out, size_t *out_n, struct tare_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] < 0 || p[i] > 1) {
            return tare_err_set(err, TARE_E_USAGE, "several tests: p value %zu is %g, not within 0 .. 1",
                                i + 1, p[i]);
        }
    }
    struct ordered *o = malloc((n ? n : 1) * sizeof *o);
    if (!o) {
        return tare_err_set(err, TARE_E_NOMEM, "%zu tests: out of memory", n);
    }
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isnan(p[i])) {
            o[m++] = (struct ordered){.p = p[i], .place = i};
        }
    }
    if (m > 1) {
        qsort(o, m, sizeof *o, compare_ordered);
    }
    *out = o;
    *out_n = m;
    return 0;
}

int tare_holm(double *p, size_t n, struct tare_err *err)
{
    struct ordered *o = NULL;
    size_t m = 0;
    int rc = order(p, n, &o, &m, err);
    if (rc != 0) {
        return rc;
    }
    double most = 0;
    for (size_t i = 0; i < m; i++) {
        most = fmax(most, fmin(1, (double)(m - i) * o[i].p));
        p[o[i].place] = most;
    }
    free(o);
    return 0;
}

int tare_benjamini_hochberg(double *p, size_t n, struct tare_err *err)
{
    struct ordered *o = NULL;
    size_t m = 0;
    int rc = order(p, n, &o, &m, err);
    if (rc != 0) {
        return rc;
    }
    double least = 1;
    for (size_t i = m; i-- > 0;) {
        least = fmin(least, (double)m / (double)(i + 1) * o[i].p);
        p[o[i].place] = least;
    }
    free(o);
    return 0;
}
