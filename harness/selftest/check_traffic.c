/* SPDX-License-Identifier: Apache-2.0 */
/* Known bytes over a pipe and over TCP on loopback, by our count and by the kernel's, and a ring all-reduce
 * whose volume has a formula. */
#include "selftest/bytes.h"
#include "selftest/ring.h"
#include "selftest/selftest.h"

#include "stats/collectives.h"

#include <stdio.h>

static int check_bytes(const struct tare_check_context *c, int64_t bytes, struct tare_err *err)
{
    struct tare_known_bytes k;
    struct tare_err fault = {0};
    char workload[4][120];
    static const char *const words[] = {"over a pipe, our count", "over TCP, our count",
                                        "over TCP, sent by the kernel's count",
                                        "over TCP, received by the kernel's count, the end counted as 1"};
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(workload[i], sizeof workload[i], "%lld bytes %s", (long long)bytes, words[i]);
    }
    if (tare_known_bytes(bytes, &k, &fault) < 0) {
        return tare_check_add_absent(c, "bytes", workload[0], fault.msg, err);
    }
    const double readings[] = {(double)k.pipe_received, (double)k.tcp_received, (double)k.kernel_sent,
                               (double)k.kernel_fin - 1};
    int r = 0;
    for (size_t i = 0; r == 0 && i < 4; i++) {
        r = tare_check_add(c, "bytes", workload[i], "B", (double)bytes, readings[i], 0, err);
    }
    return r;
}

static int check_ring(const struct tare_check_context *c, int64_t ranks, struct tare_err *err)
{
    struct tare_known_ring k;
    struct tare_err fault = {0};
    char workload[120];
    (void)snprintf(workload, sizeof workload,
                   "ring all-reduce of %lld ranks over loopback, bytes of all ranks", (long long)ranks);
    if (tare_known_ring(ranks, 100, &k, &fault) < 0) {
        return tare_check_add_absent(c, "collective", workload, fault.msg, err);
    }
    double sent = 0, each = 2.0 * (double)(ranks - 1) / (double)ranks * (double)k.array_bytes;
    for (int64_t i = 0; i < ranks; i++) {
        sent += (double)k.sent_bytes[i];
    }
    /* A wrong sum is no all-reduce. */
    return tare_check_add(c, "collective", workload, "B", each * (double)ranks, sent + (double)k.wrong_values,
                          0, err);
}

int tare_check_traffic(const struct tare_check_context *c, struct tare_err *err);

int tare_check_traffic(const struct tare_check_context *c, struct tare_err *err)
{
    static const int64_t sizes[] = {1, 1000, 10000000};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof sizes / sizeof *sizes; i++) {
        r = check_bytes(c, sizes[i], err);
    }
    for (int64_t ranks = 2; r == 0 && ranks <= TARE_KNOWN_RING_MAX; ranks++) {
        r = check_ring(c, ranks, err);
    }
    return r;
}
