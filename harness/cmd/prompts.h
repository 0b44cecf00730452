/* SPDX-License-Identifier: Apache-2.0 */
/* A task that is opened without a backend: to look at what it asks, and to hash it. */
#ifndef TARE_CMD_PROMPTS_H
#define TARE_CMD_PROMPTS_H

#include "cmd/cmd.h"

#include <tare/task.h>

struct tare_opened_task {
    const struct tare_task *task;
    void *self;
    bool opened;
};

/* text is TASK[,option=value...]; the seed is the one of a plan that says none. tare_task_close(out), also
 * after a failure. */
TARE_MUST_CHECK int tare_task_open(const char *text, const struct tare_paths *paths,
                                   struct tare_opened_task *out, struct tare_err *err);
void tare_task_close(struct tare_opened_task *task);

/* SHA-256 of the list of requests as lm-evaluation-harness 0.3 wrote it for its tests: documents shuffled by
 * Python's Random(42), [[context, continuation], ...] or [[text], ...] as JSON in ASCII. */
TARE_MUST_CHECK int tare_prompts_hash_v03(const struct tare_opened_task *task, char out[65],
                                          struct tare_err *err);

#endif
