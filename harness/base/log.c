/* SPDX-License-Identifier: Apache-2.0 */
/* One level for the process; one write a line, so that lines of several processes do not mix. */
#include "base/log.h"

#include "base/plain.h"

#include <string.h>
#include <unistd.h>

static enum tare_log_level max_level = TARE_LOG_INFO;

void tare_log_set_level(enum tare_log_level level)
{
    max_level = level;
}

void tare_log(enum tare_log_level level, const char *area, const char *fmt, ...)
{
    if (level > max_level) {
        return;
    }
    char line[1024];
    static const char *const words[] = {"", "error: ", "warning: ", "", "debug: "};
    (void)snprintf(line, sizeof line / 2, "tare: %s%s%s%s", words[level], area ? "[" : "", area ? area : "",
                   area ? "] " : "");
    size_t used = strlen(line);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line + used, sizeof line - used - 1, fmt, args);
    va_end(args);
    /* Messages quote users' files: what would break the line or steer the terminal has to go. */
    tare_plain_line(line);
    used = strlen(line);
    line[used] = '\n';
    ssize_t written = write(STDERR_FILENO, line, used + 1);
    (void)written; /* nowhere left to complain */
}
