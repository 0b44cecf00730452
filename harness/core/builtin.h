/* SPDX-License-Identifier: Apache-2.0 */
/* What is compiled in: tasks, meters and formats, from the lists in their folders' meson.build. */
#ifndef TARE_CORE_BUILTIN_H
#define TARE_CORE_BUILTIN_H

#include <tare/meter.h>
#include <tare/report.h>
#include <tare/task.h>

/* NULL-terminated, in the order of the lists. */
extern const struct tare_task *const tare_builtin_tasks[];
extern const struct tare_meter *const tare_builtin_meters[];
extern const struct tare_format *const tare_builtin_formats[];

/* By name; an unknown one is an error that names the nearest. Tasks are looked for among what is compiled in,
 * then among task files (core/task_files.h); a path with a '/' names a task file. */
TARE_MUST_CHECK int tare_find_task(const char *name, const struct tare_task **out, struct tare_err *err);
TARE_MUST_CHECK int tare_find_format(const char *name, const struct tare_format **out, struct tare_err *err);

#endif
