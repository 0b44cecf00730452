/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latency against a backend that spins to an exact deadline, each less what a backend of no delay shows:
 * what is left is what the stamps add. Medians, since a shared machine takes single requests away at will.
 */
#include "selftest/cell.h"
#include "selftest/selftest.h"

#include <stdio.h>

static int median_of(const struct tare_check_context *c, long long delay_ns, int items, double *out,
                     struct tare_err *err)
{
    char plan[512];
    struct tare_known_cell cell;
    (void)snprintf(
        plan, sizeof plan,
        "{\"tare\":1,\"models\":[{\"backend\":\"null\",\"options\":{\"first_ns\":%lld}}],\"tasks\":[{"
        "\"task\":\"tokens\",\"options\":{\"items\":%d,\"prompt_tok\":8,\"max_output\":1}}]}",
        delay_ns, items);
    int r = tare_known_cell_run(c->paths, plan, NULL, &cell, err);
    if (r == 0) {
        *out = tare_known_cell_median(&cell);
    }
    tare_known_cell_fini(&cell);
    return r;
}

int tare_check_latency(const struct tare_check_context *c, struct tare_err *err);

int tare_check_latency(const struct tare_check_context *c, struct tare_err *err)
{
    static const struct {
        long long delay_ns;
        int items;
        const char *workload;
    } cases[] = {
        {20000, 2000, "null backend that spins 20 us, 2000 requests, median less that of no delay"},
        {200000, 1000, "null backend that spins 200 us, 1000 requests, median less that of no delay"},
        {5000000, 100, "null backend that spins 5 ms, 100 requests, median less that of no delay"}};
    double none_ns = 0, median_ns = 0;
    int r = median_of(c, 0, 5000, &none_ns, err);
    for (size_t i = 0; r == 0 && i < sizeof cases / sizeof *cases; i++) {
        r = median_of(c, cases[i].delay_ns, cases[i].items, &median_ns, err);
        r = r == 0 ? tare_check_add(c, "latency", cases[i].workload, "us", (double)cases[i].delay_ns / 1e3,
                                    (median_ns - none_ns) / 1e3, 1, err)
                   : r;
    }
    return r;
}
