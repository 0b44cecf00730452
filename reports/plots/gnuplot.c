/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs gnuplot: no shell, no start-up files, the script on standard input and the picture on standard output,
 * both files in memory, so that neither can fill a pipe. It never writes where the user asked: that is the
 * caller's.
 */
#include "reports/plots/render.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct streams {
    int in, out, err;
};

static int open_streams(struct streams *s)
{
    *s = (struct streams){memfd_create("plot", MFD_CLOEXEC), memfd_create("picture", MFD_CLOEXEC),
                          memfd_create("complaints", MFD_CLOEXEC)};
    return s->in < 0 || s->out < 0 || s->err < 0 ? -1 : 0;
}

static void close_streams(struct streams *s)
{
    int fds[] = {s->in, s->out, s->err};
    for (size_t i = 0; i < 3; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
}

static int write_all(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, data, n);
        if (done < 0 && errno != EINTR) {
            return -1;
        }
        data += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return lseek(fd, 0, SEEK_SET) < 0 ? -1 : 0;
}

/* The whole file, with a zero behind it. */
static char *read_all(int fd, size_t *out_n)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || st.st_size < 0) {
        return NULL;
    }
    size_t n = (size_t)st.st_size, done = 0;
    char *data = malloc(n + 1);
    while (data && done < n) {
        ssize_t got = pread(fd, data + done, n - done, (off_t)done);
        if (got <= 0 && errno != EINTR) {
            free(data);
            return NULL;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    if (data) {
        data[n] = '\0';
        *out_n = n;
    }
    return data;
}

/* Signals as a program expects them, whatever the caller made of its own. */
static int set_attributes(posix_spawnattr_t *attr)
{
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigemptyset(&all);
    (void)sigaddset(&all, SIGPIPE);
    return posix_spawnattr_setsigmask(attr, &none) || posix_spawnattr_setsigdefault(attr, &all) ||
           posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* Returns 0 or an errno. */
static int spawn(const struct streams *s, pid_t *out)
{
    char name[] = "gnuplot", defaults[] = "-d";
    char *const argv[] = {name, defaults, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int r = posix_spawn_file_actions_init(&actions);
    if (r) {
        return r;
    }
    r = posix_spawnattr_init(&attr);
    if (r == 0) {
        r = posix_spawn_file_actions_adddup2(&actions, s->in, STDIN_FILENO);
        r = r ? r : posix_spawn_file_actions_adddup2(&actions, s->out, STDOUT_FILENO);
        r = r ? r : posix_spawn_file_actions_adddup2(&actions, s->err, STDERR_FILENO);
        r = r ? r : set_attributes(&attr);
        r = r ? r : posix_spawnp(out, name, &actions, &attr, argv, environ);
        (void)posix_spawnattr_destroy(&attr);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return r;
}

/* The last line of what it said, which is what stopped it. */
static int complain(int fd, int status, struct tare_err *err)
{
    size_t n = 0;
    char *said = read_all(fd, &n), *last = said;
    for (char *line = said ? strtok(said, "\n") : NULL; line; line = strtok(NULL, "\n")) {
        last = line[strspn(line, " \t^")] ? line : last;
    }
    bool terminal = last && strstr(last, "terminal");
    int r = tare_err_set(err, TARE_E_ENVIRONMENT, "gnuplot %s %d: %.200s%s",
                         WIFSIGNALED(status) ? "was ended by signal" : "failed with status",
                         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                         last && *last ? last + strspn(last, " \t") : "it said nothing",
                         terminal ? "; Debian's gnuplot-nox has all terminals that are needed" : "");
    free(said);
    return r;
}

static int run(struct streams *s, char **out, size_t *out_n, struct tare_err *err)
{
    pid_t pid = 0;
    int status = 0;
    int failed = spawn(s, &pid);
    if (failed == ENOENT || failed == EACCES) {
        return tare_err_set(
            err, TARE_E_ENVIRONMENT,
            "no gnuplot in PATH: install the package gnuplot-nox (Debian, Ubuntu) or gnuplot (others), "
            "or take the format 'script' and draw it elsewhere");
    }
    if (failed) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "gnuplot cannot be started: %s", strerror(failed));
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return tare_err_set(err, TARE_E_ENVIRONMENT, "gnuplot: %s", strerror(errno));
        }
    }
    char *picture = status == 0 ? read_all(s->out, out_n) : NULL;
    if (!picture || *out_n == 0) {
        free(picture);
        return complain(s->err, status, err);
    }
    *out = picture;
    return 0;
}

/* Does the file begin as its format does? gnuplot may leave with status 0 after an error. */
static bool begins_well(const char *picture, size_t n, enum tare_plot_format format)
{
    const char *begin = format == TARE_PLOT_PDF    ? "%PDF-"
                        : format == TARE_PLOT_PNG  ? "\x89PNG"
                        : format == TARE_PLOT_TIKZ ? "\\begin{tikzpicture}"
                                                   : "<?xml";
    return picture && n > strlen(begin) && memcmp(picture, begin, strlen(begin)) == 0;
}

int tare_gnuplot_run(const char *script, size_t n, enum tare_plot_format format, char **out, size_t *out_n,
                     struct tare_err *err)
{
    struct streams s;
    char *picture = NULL;
    size_t n_picture = 0;
    int r = 0;
    if (open_streams(&s) < 0 || write_all(s.in, script, n) < 0) {
        r = tare_err_set(err, TARE_E_IO, "plot: %s", strerror(errno));
    }
    r = r == 0 ? run(&s, &picture, &n_picture, err) : r;
    if (r == 0 && !begins_well(picture, n_picture, format)) {
        r = tare_err_set(err, TARE_E_ENVIRONMENT, "gnuplot wrote no %s", tare_plot_format_names[format]);
        free(picture);
    }
    close_streams(&s);
    if (r == 0) {
        *out = picture;
        *out_n = n_picture;
    }
    return r;
}
