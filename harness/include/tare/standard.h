/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks out of files: a JSON file says what is asked and how it is graded (docs/task-files.md), and becomes a
 * task like one that is compiled in. Served by datasets/standard/ to the registry.
 */
#ifndef TARE_STANDARD_H
#define TARE_STANDARD_H

#include <tare/task.h>

/* Reads and checks the file; no data is read. tare_standard_free(*out), behind the last use of the task, of
 * its options and of whatever was opened by it. */
TARE_MUST_CHECK int tare_standard_load(const char *path, const struct tare_task **out, struct tare_err *err);
void tare_standard_free(const struct tare_task *task);

#endif
