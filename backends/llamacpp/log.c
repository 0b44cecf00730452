/* SPDX-License-Identifier: Apache-2.0 */
/* Lines may come in pieces and from any thread: pieces are joined under a lock. */
#include "log.h"

#include <ggml.h>
#include <llama.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { line_bytes = 1024 };

static struct {
    pthread_mutex_t lock;
    bool taken;
    bool error;            /* level of the line that is being joined */
    char line[line_bytes]; /* pieces so far; what does not fit is dropped */
    size_t n;
    char first_error[line_bytes];
    char told[line_bytes]; /* a copy for the caller */
    struct tare_llamacpp_memory memory;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void end_line(void)
{
    state.line[state.n] = '\0';
    if (state.error && state.n > 0 && !state.first_error[0]) {
        memcpy(state.first_error, state.line, state.n + 1);
    }
    tare_llamacpp_memory_line(&state.memory, state.line);
    state.n = 0;
}

/* One line of UTF-8 without control characters goes into an error message. */
static void add_byte(char c)
{
    if (c == '\n') {
        end_line();
    } else if (state.n + 1 < sizeof state.line) {
        state.line[state.n++] = (unsigned char)c < 0x20 || c == 0x7f ? ' ' : c;
    }
}

static void on_log(enum ggml_log_level level, const char *text, void *user)
{
    (void)user;
    (void)pthread_mutex_lock(&state.lock);
    if (level != GGML_LOG_LEVEL_CONT) {
        if (state.n > 0) {
            end_line();
        }
        state.error = level == GGML_LOG_LEVEL_ERROR;
    }
    for (; *text; text++) {
        add_byte(*text);
    }
    (void)pthread_mutex_unlock(&state.lock);
}

/* ggml is about to abort the process, which becomes an outcome of the cell. Without this it would print a
 * backtrace and start a debugger. Its one line goes where the worker's errors go. */
static void on_abort(const char *message)
{
    static const char head[] = "llamacpp: ggml aborts: ";
    if (write(STDERR_FILENO, head, sizeof head - 1) < 0 ||
        write(STDERR_FILENO, message, strlen(message)) < 0 || write(STDERR_FILENO, "\n", 1) < 0) {
        return;
    }
}

void tare_llamacpp_log_take(void)
{
    if (!state.taken) {
        llama_log_set(on_log, NULL);
        (void)ggml_set_abort_callback(on_abort);
        state.taken = true;
    }
}

void tare_llamacpp_log_reset(void)
{
    (void)pthread_mutex_lock(&state.lock);
    state.n = 0;
    state.first_error[0] = '\0';
    memset(&state.memory, 0, sizeof state.memory);
    (void)pthread_mutex_unlock(&state.lock);
}

const char *tare_llamacpp_log_error(const char *otherwise)
{
    (void)pthread_mutex_lock(&state.lock);
    if (state.error && state.n > 0) {
        end_line();
    }
    memcpy(state.told, state.first_error, sizeof state.told);
    state.first_error[0] = '\0';
    (void)pthread_mutex_unlock(&state.lock);
    return state.told[0] ? state.told : otherwise;
}

struct tare_llamacpp_memory tare_llamacpp_log_memory(void)
{
    (void)pthread_mutex_lock(&state.lock);
    struct tare_llamacpp_memory memory = state.memory;
    (void)pthread_mutex_unlock(&state.lock);
    return memory;
}
