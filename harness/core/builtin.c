/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that meson generates from the folders' lists. */
#include "core/builtin.h"

#include "base/nearest.h"
#include "core/task_files.h"

#include <string.h>

#define X(name) extern const struct tare_task tare_task_##name;
#include "tare_tasks.inc"
#undef X
#define X(name) extern const struct tare_meter tare_meter_##name;
#include "tare_meters.inc"
#undef X
#define X(name) extern const struct tare_format tare_format_##name;
#include "tare_formats.inc"
#undef X

#define X(name) &tare_task_##name,
const struct tare_task *const tare_builtin_tasks[] = {
#include "tare_tasks.inc"
    NULL};
#undef X
#define X(name) &tare_meter_##name,
const struct tare_meter *const tare_builtin_meters[] = {
#include "tare_meters.inc"
    NULL};
#undef X
#define X(name) &tare_format_##name,
const struct tare_format *const tare_builtin_formats[] = {
#include "tare_formats.inc"
    NULL};
#undef X

static int unknown(const char *kind, const char *name, const struct tare_nearest *nearest,
                   struct tare_err *err)
{
    const char *best = tare_nearest_best(nearest);
    return tare_err_set(err, TARE_E_USAGE, "%s %.60s: unknown%s%s%s; 'tare list' shows all", kind, name,
                        best ? "; did you mean " : "", best ? best : "", best ? "?" : "");
}

/* The names of files are gone after the walk: the best so far is kept. */
struct offer {
    struct tare_nearest nearest;
    char best[256];
};

static int offer_name(void *ctx, const char *name, struct tare_err *err)
{
    struct offer *offer = ctx;
    (void)err;
    tare_nearest_offer(&offer->nearest, name);
    if (offer->nearest.best == name) {
        (void)snprintf(offer->best, sizeof offer->best, "%s", name);
        offer->nearest.best = offer->best;
    }
    return 0;
}

int tare_find_task(const char *name, const struct tare_task **out, struct tare_err *err)
{
    struct offer offer = {.nearest = {.word = name}};
    struct tare_err ignored = {0};
    for (size_t i = 0; tare_builtin_tasks[i]; i++) {
        if (strcmp(tare_builtin_tasks[i]->name, name) == 0) {
            *out = tare_builtin_tasks[i];
            return 0;
        }
        tare_nearest_offer(&offer.nearest, tare_builtin_tasks[i]->name);
    }
    int r = tare_task_file_find(name, out, err);
    if (r != 0) {
        return r < 0 ? r : 0;
    }
    r = tare_task_files_walk(offer_name, &offer, &ignored); /* to guess what was meant */
    return unknown("task", name, r < 0 ? &(struct tare_nearest){.word = name} : &offer.nearest, err);
}

int tare_find_format(const char *name, const struct tare_format **out, struct tare_err *err)
{
    struct tare_nearest nearest = {.word = name};
    for (size_t i = 0; tare_builtin_formats[i]; i++) {
        if (strcmp(tare_builtin_formats[i]->name, name) == 0) {
            *out = tare_builtin_formats[i];
            return 0;
        }
        tare_nearest_offer(&nearest, tare_builtin_formats[i]->name);
    }
    return unknown("format", name, &nearest, err);
}
