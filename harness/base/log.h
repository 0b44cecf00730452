/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages for people, on standard error only: results and messages never share a stream. Used by
 * core and commands; library code returns errors instead. Not for measured windows.
 */
#ifndef TARE_BASE_LOG_H
#define TARE_BASE_LOG_H

#include <stdbool.h>
#include <tare/err.h>

enum tare_log_level { TARE_LOG_ERROR = 1, TARE_LOG_WARN, TARE_LOG_INFO, TARE_LOG_DEBUG };

/* Messages above this level are dropped. Default TARE_LOG_INFO. Set once at start. */
void tare_log_set_level(enum tare_log_level level);
/* One line, prefixed "tare: " or, with an area, "tare: [area] ". */
TARE_PRINTF(3, 4) void tare_log(enum tare_log_level level, const char *area, const char *fmt, ...);

#endif
