/* SPDX-License-Identifier: Apache-2.0 */
/* fork and exec: posix_spawn cannot tie the child's life to its parent's. */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* Of <linux/close_range.h>, which older systems do not have. */
#define CLOEXEC_RANGE (1U << 2)

enum { own_variables = 5, pipe_bytes = 1 << 20, poll_ns = 2000000 };

/* Both ends of the three pipes, and of one on which a failed exec says why. */
struct ends {
    int requests[2], answers[2], prints[2], failure[2];
};

/* A descriptor of 10 or above, so that no target of a dup2 is one of ours. */
static bool open_pipe(int fds[2])
{
    int low[2];
    if (pipe2(low, O_CLOEXEC) != 0) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        fds[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 10);
        close(low[i]);
    }
    return fds[0] >= 0 && fds[1] >= 0;
}

static void close_all(struct ends *e)
{
    int *all[] = {e->requests, e->answers, e->prints, e->failure};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        for (int k = 0; k < 2; k++) {
            if (all[i][k] >= 0) {
                close(all[i][k]);
            }
            all[i][k] = -1;
        }
    }
}

static bool open_ends(struct ends *e)
{
    memset(e, 0xff, sizeof *e); /* -1 */
    return open_pipe(e->requests) && open_pipe(e->answers) && open_pipe(e->prints) && open_pipe(e->failure);
}

/* Ours without what is said anew, and behind it the protocol's; text[] holds those. */
static char **make_environment(const char *folder, char text[own_variables][4200])
{
    size_t n = 0, kept = 0;
    while (environ[n]) {
        n++;
    }
    char **list = calloc(n + own_variables + 1, sizeof *list);
    for (size_t i = 0; list && i < n; i++) {
        if (strncmp(environ[i], "TARE_WORKER", 11) != 0) {
            list[kept++] = environ[i];
        }
    }
    (void)snprintf(text[0], sizeof text[0], "TARE_WORKER_PROTOCOL=1");
    (void)snprintf(text[1], sizeof text[1], "TARE_WORKER_READ_FD=%d", TARE_CHILD_READ_FD);
    (void)snprintf(text[2], sizeof text[2], "TARE_WORKER_WRITE_FD=%d", TARE_CHILD_WRITE_FD);
    (void)snprintf(text[3], sizeof text[3], "TARE_WORKERS=%.4000s", folder);
    (void)snprintf(text[4], sizeof text[4], "PYTHONDONTWRITEBYTECODE=1"); /* nothing is left beside them */
    for (size_t i = 0; list && i < own_variables; i++) {
        list[kept++] = text[i];
    }
    return list;
}

/* In the child, between fork and exec: nothing but system calls. */
static void become(const struct ends *e, char *const *argv, char **environment, pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_DFL);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    bool ok = getppid() == parent && null >= 0 && dup2(null, STDIN_FILENO) >= 0;
    ok = ok && dup2(e->prints[1], STDOUT_FILENO) >= 0 && dup2(e->prints[1], STDERR_FILENO) >= 0;
    ok = ok && dup2(e->requests[0], TARE_CHILD_READ_FD) >= 0;
    ok = ok && dup2(e->answers[1], TARE_CHILD_WRITE_FD) >= 0;
    if (ok && syscall(SYS_close_range, TARE_CHILD_WRITE_FD + 1, ~0U, CLOEXEC_RANGE) != 0) {
        for (int fd = TARE_CHILD_WRITE_FD + 1; fd < 1024; fd++) {
            (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        }
    }
    if (ok) {
        (void)execvpe(argv[0], argv, environment);
    }
    int saved = errno;
    (void)!write(e->failure[1], &saved, sizeof saved);
    _exit(127);
}

/* Why exec failed; 0 if it did not. */
static int exec_failure(struct ends *e)
{
    int failed = 0;
    close(e->failure[1]);
    e->failure[1] = -1;
    ssize_t n;
    while ((n = read(e->failure[0], &failed, sizeof failed)) < 0 && errno == EINTR) {
    }
    return n == (ssize_t)sizeof failed ? failed : 0;
}

static void hand_over(struct ends *e, struct tare_wire *wire)
{
    wire->write_fd = e->requests[1];
    wire->read_fd = e->answers[0];
    wire->print_fd = e->prints[0];
    e->requests[1] = e->answers[0] = e->prints[0] = -1;
    const int ours[] = {wire->write_fd, wire->read_fd, wire->print_fd};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        (void)fcntl(ours[i], F_SETFL, O_NONBLOCK);
    }
    (void)fcntl(wire->read_fd, F_SETPIPE_SZ, pipe_bytes); /* fewer switches for logits; may be refused */
}

int tare_child_start(struct tare_child *child, char *const *argv, const char *folder, struct tare_wire *wire,
                     struct tare_err *err)
{
    static char text[own_variables][4200];
    struct ends e;
    memset(child, 0, sizeof *child);
    char **environment = make_environment(folder, text);
    if (!open_ends(&e) || !environment) {
        int r = tare_err_set(err, TARE_E_ENVIRONMENT, "%s: pipes: %s", argv[0], strerror(errno));
        close_all(&e);
        free(environment);
        return r;
    }
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        become(&e, argv, environment, parent);
    }
    int failed = pid < 0 ? errno : exec_failure(&e);
    free(environment);
    child->pid = pid > 0 ? pid : 0;
    if (failed) {
        tare_child_kill(child);
        close_all(&e);
        return tare_err_set(err, TARE_E_ENVIRONMENT, "%s cannot be started: %s", argv[0], strerror(failed));
    }
    hand_over(&e, wire);
    close_all(&e);
    return 0;
}

bool tare_child_await(struct tare_child *child, int64_t timeout_ns)
{
    int64_t deadline_ns = tare_wire_now_ns() + timeout_ns;
    while (child->pid > 0 && !child->ended) {
        pid_t r = waitpid(child->pid, &child->status, WNOHANG);
        child->ended = r == child->pid || (r < 0 && errno == ECHILD);
        if (child->ended || tare_wire_now_ns() >= deadline_ns) {
            break;
        }
        const struct timespec pause = {.tv_nsec = poll_ns};
        (void)nanosleep(&pause, NULL);
    }
    return child->pid == 0 || child->ended;
}

void tare_child_kill(struct tare_child *child)
{
    while (child->pid > 0 && !child->ended) {
        (void)kill(child->pid, SIGKILL);
        (void)tare_child_await(child, INT64_C(1000000000));
    }
}

void tare_child_say(const struct tare_child *child, char *out, size_t n)
{
    if (!child->ended) {
        (void)snprintf(out, n, "still running");
    } else if (WIFSIGNALED(child->status)) {
        const char *name = sigabbrev_np(WTERMSIG(child->status));
        (void)snprintf(out, n, "killed by SIG%s", name ? name : "?");
    } else {
        (void)snprintf(out, n, "exit status %d", WEXITSTATUS(child->status));
    }
}
