/* SPDX-License-Identifier: Apache-2.0 */
/* How far a run is and how long it will take, on standard error: a line that renews itself on a
 * terminal, one plain line a job elsewhere. */
#ifndef TARE_CMD_PROGRESS_H
#define TARE_CMD_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tare_progress {
    bool terminal;
    bool shown;
    size_t job, n_jobs;
    const char *label;
    int64_t items; /* of the current job; 0: not known yet */
    int64_t begin_ns;
};

void tare_progress_begin(struct tare_progress *progress, size_t n_jobs, bool enabled);
void tare_progress_job(struct tare_progress *progress, size_t job, const char *label);
void tare_progress_items(struct tare_progress *progress, int64_t items);
void tare_progress_show(struct tare_progress *progress, int64_t done_items);
void tare_progress_clear(struct tare_progress *progress);

#endif
