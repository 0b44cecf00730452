/* SPDX-License-Identifier: Apache-2.0 */
/* What a history says of each of its series: changes, and whether the newest session is like the others. */
#ifndef TARE_CMD_HISTORY_JUDGE_H
#define TARE_CMD_HISTORY_JUDGE_H

#include "cmd/history_load.h"
#include "stats/changes.h"
#include "stats/history.h"

struct tare_history_found {
    const struct tare_history_series *series; /* borrowed */
    struct tare_changes changes;              /* shifts as logs */
    struct tare_alarm alarm;                  /* adjusted for all series */
};

/* Judges the n series: the smallest change is min_shift, the smallest alarm delta, both as shares.
 * *out: n of them; tare_history_found_free() it. */
TARE_MUST_CHECK int tare_history_judge(const struct tare_history_series *list, size_t n, double min_shift,
                                       double delta, struct tare_history_found **out, struct tare_err *err);
void tare_history_found_free(struct tare_history_found *found, size_t n);

#endif
