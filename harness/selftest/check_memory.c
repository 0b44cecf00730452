/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resident memory of known ballasts: the worst of the sizes 1 to 100,000 pages for each number of threads.
 * While the ballast is held the reading must be exact. A peak that is freed before it is read is noted by the
 * kernel from counters that it keeps in batches on every CPU, and may be low by what they hold; the target is
 * then that bound, which the meter stores beside the peak. And a file of which known pages are touched.
 */
#include "selftest/ballast.h"
#include "selftest/mapped_file.h"
#include "selftest/selftest.h"

#include <math.h>
#include <stdio.h>

/* Keeps the case that is furthest from the truth. */
struct worst {
    double truth, reading, target;
};

static void see(struct worst *w, double truth, double reading, double target)
{
    if (fabs(reading - truth) >= fabs(w->reading - w->truth)) {
        *w = (struct worst){truth, reading, target};
    }
}

static int tell(const struct tare_check_context *c, const char *what, int64_t threads, const struct worst *w,
                struct tare_err *err)
{
    char workload[160];
    (void)snprintf(workload, sizeof workload, "%s, %lld thread%s, worst of 1 to 100,000 pages", what,
                   (long long)threads, threads == 1 ? "" : "s");
    return tare_check_add(c, "peak memory", workload, "page", w->truth, w->reading, w->target, err);
}

static int check_ballast(const struct tare_check_context *c, struct tare_err *err)
{
    struct tare_known_ballast known;
    struct tare_err fault = {0};
    if (tare_known_ballast(&known, &fault) < 0) {
        return tare_check_add_absent(c, "peak memory", "anonymous ballast of known pages", fault.msg, err);
    }
    int r = 0;
    for (size_t first = 0; r == 0 && first < known.n;) {
        int64_t threads = known.cases[first].threads;
        struct worst held = {0}, freed = {0};
        size_t i = first;
        for (; i < known.n && known.cases[i].threads == threads; i++) {
            const struct tare_known_ballast_case *k = &known.cases[i];
            /* One thread: to the page. More: what this kernel promises, a page where it sums for readers. */
            see(&held, (double)k->pages, (double)k->peak_held_pages, threads == 1 ? 0 : k->peak_bound_pages);
            see(&freed, (double)k->pages, (double)k->peak_pages, k->peak_bound_pages);
        }
        r = tell(c, "ballast held when the peak is read", threads, &held, err);
        r = r == 0 ? tell(c, "ballast freed before the peak is read", threads, &freed, err) : r;
        first = i;
    }
    return r;
}

static int check_file(const struct tare_check_context *c, struct tare_err *err)
{
    static const struct {
        int64_t pages, touched;
        const char *rss, *mincore;
    } cases[] = {{1000, 1, "file of 1000 pages, 1 touched: RssFile", "the same: mincore"},
                 {20000, 5000, "file of 20,000 pages, 5000 touched: RssFile", "the same: mincore"}};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof cases / sizeof *cases; i++) {
        struct tare_known_mapped_file k;
        struct tare_err fault = {0};
        if (tare_known_mapped_file(NULL, cases[i].pages, cases[i].touched, &k, &fault) < 0) {
            return tare_check_add_absent(c, "file mapping", cases[i].rss, fault.msg, err);
        }
        r = tare_check_add(c, "file mapping", cases[i].rss, "page", (double)k.touched, (double)k.rss_pages,
                           k.rss_bound_pages <= 1 ? 0 : k.rss_bound_pages, err);
        r = r == 0 ? tare_check_add(c, "file mapping", cases[i].mincore, "page", (double)k.touched,
                                    (double)k.resident_pages + (double)k.wrong_pages, 0, err)
                   : r;
    }
    return r;
}

int tare_check_memory(const struct tare_check_context *c, struct tare_err *err);

int tare_check_memory(const struct tare_check_context *c, struct tare_err *err)
{
    int r = check_ballast(c, err);
    return r == 0 ? check_file(c, err) : r;
}
