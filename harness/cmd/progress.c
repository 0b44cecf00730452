/* SPDX-License-Identifier: Apache-2.0 */
/* The time left is the time spent per finished share of jobs, times what remains. */
#include "cmd/progress.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { bar_cells = 24 };

void tare_progress_begin(struct tare_progress *p, size_t n_jobs, bool enabled)
{
    memset(p, 0, sizeof *p);
    p->terminal = enabled && isatty(STDERR_FILENO);
    p->n_jobs = n_jobs;
    p->begin_ns = tare_clock_ns();
    if (enabled && !p->terminal) {
        tare_log(TARE_LOG_INFO, NULL, "%zu worker runs to do", n_jobs);
    }
}

void tare_progress_job(struct tare_progress *p, size_t job, const char *label)
{
    p->job = job;
    p->label = label;
    p->items = 0;
    tare_progress_show(p, 0);
}

void tare_progress_items(struct tare_progress *p, int64_t items)
{
    p->items = items;
}

void tare_progress_show(struct tare_progress *p, int64_t done_items)
{
    if (!p->terminal) {
        return;
    }
    double share = p->items > 0 ? (double)done_items / (double)p->items : 0;
    double done = ((double)p->job + share) / (double)p->n_jobs;
    double spent = (double)(tare_clock_ns() - p->begin_ns) / 1e9;
    char bar[bar_cells + 1];
    for (int i = 0; i < bar_cells; i++) {
        bar[i] = i < (int)(done * bar_cells) ? '#' : '.';
    }
    bar[bar_cells] = '\0';
    char left[32] = "";
    if (done > 0.01) {
        (void)snprintf(left, sizeof left, "%.0f s left", spent / done * (1 - done));
    }
    (void)fprintf(stderr, "\r\033[K[%s] %zu/%zu %s %s", bar, p->job + 1, p->n_jobs, left, p->label);
    (void)fflush(stderr);
    p->shown = true;
}

void tare_progress_clear(struct tare_progress *p)
{
    if (p->shown) {
        (void)fputs("\r\033[K", stderr);
        (void)fflush(stderr);
        p->shown = false;
    }
}
