/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks out of files, by name: those shipped below the data folder, tasks/NAME.json, and any file named by a
 * path.
 *
 * A file is read when its task is asked for, and then kept to the end of the process; the list of names needs
 * no file to be read. One thread.
 */
#ifndef TARE_CORE_TASK_FILES_H
#define TARE_CORE_TASK_FILES_H

#include <tare/task.h>

/* 1: *out is the task. 0: there is no such file, and the name is no path. Below 0: it cannot be used. */
TARE_MUST_CHECK int tare_task_file_find(const char *name, const struct tare_task **out, struct tare_err *err);
/* Names of the shipped ones, sorted; each() below 0 stops. */
TARE_MUST_CHECK int tare_task_files_walk(int (*each)(void *ctx, const char *name, struct tare_err *err),
                                         void *ctx, struct tare_err *err);

#endif
