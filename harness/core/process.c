/* SPDX-License-Identifier: Apache-2.0 */
/* posix_spawn with two descriptors. */
#include "core/process.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The input as a memory file: unlike a pipe it takes any size at once. */
static int input_file(const char *input, struct tare_err *err)
{
    size_t n = strlen(input);
    int fd = memfd_create("tare-cell", MFD_CLOEXEC);
    bool ok = fd >= 0 && write(fd, input, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0;
    if (ok) {
        return fd;
    }
    int saved = errno;
    if (fd >= 0) {
        close(fd);
    }
    return tare_err_set(err, TARE_E_ENVIRONMENT, "worker: input: %s", strerror(saved));
}

static int spawn(pid_t *out_pid, const char *exe, const char *const *argv, int in_fd, int out_fd,
                 int extra_fd, enum tare_process_output output, char *const *env)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int r = posix_spawn_file_actions_init(&actions);
    if (r != 0) {
        return r;
    }
    r = posix_spawnattr_init(&attributes);
    if (r != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return r;
    }
    /* A group of its own, so that whatever the child starts can be ended with it. */
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    (void)posix_spawnattr_setpgroup(&attributes, 0);
    int target = output == TARE_PROCESS_STDOUT ? STDOUT_FILENO : 3;
    (void)posix_spawn_file_actions_adddup2(&actions, in_fd, STDIN_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, out_fd, target);
    if (extra_fd >= 0) {
        (void)posix_spawn_file_actions_adddup2(&actions, extra_fd, TARE_PROCESS_EXTRA_FD);
    }
    if (output != TARE_PROCESS_STDOUT) {
        /* A backend that prints must not print into our results. */
        (void)posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    }
    union { /* posix_spawn takes char *const * for history's sake and does not write */
        const char *const *in;
        char *const *out;
    } args = {argv};
    r = posix_spawn(out_pid, exe, &actions, &attributes, args.out, env);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return r;
}

/* The environment of a child: a list of which the last n_own texts are its own. */
struct environment {
    char **list;
    size_t n_ours, n_own;
};

static void free_environment(struct environment *e)
{
    for (size_t i = 0; e->list && i < e->n_own; i++) {
        free(e->list[e->n_ours + i]);
    }
    free(e->list);
}

static bool add_own(struct environment *e, char *text)
{
    e->list[e->n_ours + e->n_own] = text;
    e->n_own += text != NULL;
    return text != NULL;
}

static char *padding_of(size_t bytes)
{
    static const char name[] = "TARE_PADDING=";
    char *text = malloc(sizeof name + bytes);
    if (text) {
        memcpy(text, name, sizeof name - 1);
        memset(text + sizeof name - 1, 'x', bytes);
        text[sizeof name - 1 + bytes] = '\0';
    }
    return text;
}

static bool is_replaced(const char *variable, const struct tare_json *by)
{
    for (const struct tare_json *v = tare_json_first(by); v; v = tare_json_next(v)) {
        size_t n = strlen(tare_json_key(v));
        if (strncmp(variable, tare_json_key(v), n) == 0 && variable[n] == '=') {
            return true;
        }
    }
    return false;
}

/* Ours, less what is replaced, and behind it the child's own. */
static bool make_environment(const struct tare_process_environment *more, struct environment *out)
{
    const struct tare_json *variables = more ? more->variables : NULL;
    struct environment e = {0};
    size_t n = 0;
    while (environ[n]) {
        n++;
    }
    e.list = calloc(n + tare_json_size(variables) + 2, sizeof *e.list);
    for (size_t i = 0; e.list && i < n; i++) {
        if (!is_replaced(environ[i], variables)) {
            e.list[e.n_ours++] = environ[i];
        }
    }
    bool ok = e.list && add_own(&e, padding_of(more ? more->padding_bytes : 0));
    for (const struct tare_json *v = tare_json_first(variables); ok && v; v = tare_json_next(v)) {
        struct tare_buf text;
        tare_buf_init(&text, 1 << 20);
        tare_buf_printf(&text, "%s=%s", tare_json_key(v), tare_json_str(v) ? tare_json_str(v) : "");
        ok = add_own(&e, text.failed ? NULL : tare_buf_take(&text));
        tare_buf_fini(&text);
    }
    if (!ok) {
        free_environment(&e);
        return false;
    }
    *out = e;
    return true;
}

/* A descriptor of 10 or above, so that no dup2 target can be one of ours. */
static int move_up(int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 10);
    if (high >= 0) {
        close(fd);
    }
    return high >= 0 ? high : fd;
}

int tare_process_start(struct tare_process *process, const char *exe, const char *const *argv,
                       const char *input, enum tare_process_output output, int extra_fd,
                       const struct tare_process_environment *more, struct tare_err *err)
{
    int in_fd = input_file(input, err);
    if (in_fd < 0) {
        return in_fd;
    }
    in_fd = move_up(in_fd);
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        close(in_fd);
        return tare_err_set(err, TARE_E_ENVIRONMENT, "worker: pipe: %s", strerror(errno));
    }
    pipe_fds[0] = move_up(pipe_fds[0]);
    pipe_fds[1] = move_up(pipe_fds[1]);
    pid_t pid = 0;
    struct environment e = {0};
    int r = make_environment(more, &e) ? spawn(&pid, exe, argv, in_fd, pipe_fds[1], extra_fd, output, e.list)
                                       : ENOMEM;
    free_environment(&e);
    close(in_fd);
    close(pipe_fds[1]);
    if (r != 0) {
        close(pipe_fds[0]);
        return tare_err_set(err, TARE_E_ENVIRONMENT, "worker: %s: %s", exe, strerror(r));
    }
    process->pid = pid;
    process->out_fd = pipe_fds[0];
    return 0;
}

void tare_process_kill(struct tare_process *process)
{
    if (process->pid > 0) { /* not waited for, so that the group's number is still its own */
        (void)kill(-process->pid, SIGKILL);
    }
}

bool tare_process_ended(const struct tare_process *process)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    return process->pid <= 0 || (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
                                 info.si_pid == process->pid);
}

int tare_process_wait(struct tare_process *process)
{
    int status = 0;
    siginfo_t info;
    while (process->pid > 0 && waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOWAIT) < 0 &&
           errno == EINTR) {
    }
    tare_process_kill(process); /* what it left behind would run beside the next measurement */
    while (process->pid > 0 && waitpid(process->pid, &status, 0) < 0 && errno == EINTR) {
    }
    process->pid = 0;
    return status;
}

void tare_process_fini(struct tare_process *process)
{
    tare_process_kill(process);
    (void)tare_process_wait(process);
    close(process->out_fd);
}

int64_t tare_process_oom_kills(void)
{
    struct tare_buf buf;
    tare_buf_init(&buf, 1 << 16);
    int64_t n = 0;
    if (tare_buf_read_file(&buf, "/proc/vmstat", NULL) == 0) {
        const char *at = strstr(tare_buf_str(&buf), "\noom_kill ");
        n = at ? strtoll(at + 10, NULL, 10) : 0;
    }
    tare_buf_fini(&buf);
    return n;
}
