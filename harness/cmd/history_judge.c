/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions as logarithms into change points and alarms; no output. */
#include "cmd/history_judge.h"

#include <math.h>
#include <stdlib.h>

static int judge(const struct tare_history_series *s, double min_shift, double delta,
                 struct tare_history_found *out, struct tare_err *err)
{
    double *logs = malloc((s->n + 1) * sizeof *logs);
    if (!logs) {
        return tare_err_set(err, TARE_E_NOMEM, "history: out of memory");
    }
    for (size_t i = 0; i < s->n; i++) {
        logs[i] = log(s->list[i].value);
    }
    out->series = s;
    int r = tare_changes_find(logs, s->n, log1p(min_shift), &out->changes, err);
    if (r == 0) {
        size_t level = out->changes.n ? out->changes.list[out->changes.n - 1].at : 0;
        tare_history_alarm(logs, s->n, level, delta, &out->alarm);
    }
    free(logs);
    return r;
}

/* The alarms of all series are one family. */
static int adjust(struct tare_history_found *found, size_t n, struct tare_err *err)
{
    struct tare_alarm *alarms = malloc((n + 1) * sizeof *alarms);
    if (!alarms) {
        return tare_err_set(err, TARE_E_NOMEM, "history: out of memory");
    }
    for (size_t i = 0; i < n; i++) {
        alarms[i] = found[i].alarm;
    }
    int r = tare_history_adjust(alarms, n, err);
    for (size_t i = 0; r == 0 && i < n; i++) {
        found[i].alarm = alarms[i];
    }
    free(alarms);
    return r;
}

int tare_history_judge(const struct tare_history_series *list, size_t n, double min_shift, double delta,
                       struct tare_history_found **out, struct tare_err *err)
{
    struct tare_history_found *found = calloc(n + 1, sizeof *found);
    int r = found ? 0 : tare_err_set(err, TARE_E_NOMEM, "history: out of memory");
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = judge(&list[i], min_shift, delta, &found[i], err);
    }
    r = r == 0 ? adjust(found, n, err) : r;
    if (r < 0) {
        tare_history_found_free(found, n);
        return r;
    }
    *out = found;
    return 0;
}

void tare_history_found_free(struct tare_history_found *found, size_t n)
{
    for (size_t i = 0; found && i < n; i++) {
        free(found[i].changes.list);
    }
    free(found);
}
