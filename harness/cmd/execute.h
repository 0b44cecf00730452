/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Executing what a run still lacks: every repeat that is not done gets one worker, whose stream goes
 * into the store. Serves first runs and resumed ones alike, since both read the work to do from the
 * database.
 */
#ifndef TARE_CMD_EXECUTE_H
#define TARE_CMD_EXECUTE_H

#include "core/environment.h"
#include "core/paths.h"
#include "core/plan.h"
#include "store/store.h"

#include <stdbool.h>

struct tare_execute_args {
    struct tare_store *store;
    int64_t run_id;
    const struct tare_paths *paths;
    const struct tare_plan_options *options;
    const struct tare_json *plan; /* the whole of it */
    const char *db;               /* path of the database */
    bool resumed;                 /* the run was begun by an earlier process */
    bool progress;                /* a bar with the time left, on standard error */
};

/* Where the machine is looked at: the disk is that of the database's folder. `folder` has room for a path. */
struct tare_environment_roots tare_execute_roots(const struct tare_execute_args *args, char *folder,
                                                 size_t n_folder);
TARE_MUST_CHECK int tare_execute(const struct tare_execute_args *args, struct tare_err *err);

#endif
