/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that libllama and ggml say. Nothing of it reaches a terminal: the first error is kept for messages,
 * and lines about buffers are added up (memory.h). One per process, as the callback of libllama is.
 */
#ifndef TARE_LLAMACPP_LOG_H
#define TARE_LLAMACPP_LOG_H

#include "memory.h"

#include <stddef.h>

/* Takes the log over; idempotent. It stays taken when the model is gone. */
void tare_llamacpp_log_take(void);
/* Forgets errors and buffers of an earlier load. */
void tare_llamacpp_log_reset(void);
/* The last line of level error since the reset, without its end; or `otherwise`. Valid until the next call.
 */
const char *tare_llamacpp_log_error(const char *otherwise);
/* What the lines about buffers add up to. */
struct tare_llamacpp_memory tare_llamacpp_log_memory(void);

#endif
