/* SPDX-License-Identifier: Apache-2.0 */
/* The requests of a task, hashed as another program hashed them. */
#ifndef TARE_CMD_PROMPTS_H
#define TARE_CMD_PROMPTS_H

#include "core/opened_task.h"

/* SHA-256 of the list of requests as lm-evaluation-harness 0.3 wrote it for its tests: documents shuffled by
 * Python's Random(42), [[context, continuation], ...] or [[text], ...] as JSON in ASCII. */
TARE_MUST_CHECK int tare_prompts_hash_v03(const struct tare_opened_task *task, char out[65],
                                          struct tare_err *err);

#endif
