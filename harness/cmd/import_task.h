/* SPDX-License-Identifier: Apache-2.0 */
/* `tare import lm-eval-task`: a task of lm-evaluation-harness becomes one of ours. */
#ifndef TARE_CMD_IMPORT_TASK_H
#define TARE_CMD_IMPORT_TASK_H

#include <tare/err.h>

/* Writes the task as JSON to output, or to standard output if that is NULL. What a person should complete is
 * logged. A file that cannot be converted is TARE_E_ENVIRONMENT, with a message that says why. */
TARE_MUST_CHECK int tare_import_task(const char *path, const char *output, struct tare_err *err);

#endif
