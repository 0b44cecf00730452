/* SPDX-License-Identifier: Apache-2.0 */
/* A marker file beside the executable tells a build folder from an installation. */
#include "core/paths.h"

#include "base/buf.h"
#include "base/nearest.h"
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int join(char *out, size_t n_out, const char *a, const char *b, struct tare_err *err)
{
    int n = snprintf(out, n_out, "%s%s", a, b);
    return n >= 0 && (size_t)n < n_out ? 0
                                       : tare_err_set(err, TARE_E_LIMIT, "path too long: %.100s%.100s", a, b);
}

/* The source folder written into build/tare-uninstalled; false when installed. */
static bool uninstalled_source(const char *exe_dir, struct tare_buf *out)
{
    char marker[TARE_PATH_MAX + 32];
    (void)snprintf(marker, sizeof marker, "%s/tare-uninstalled", exe_dir);
    if (access(marker, R_OK) != 0 || tare_buf_read_file(out, marker, NULL) < 0) {
        return false;
    }
    char *end = out->data ? strchr(out->data, '\n') : NULL;
    if (end) {
        *end = '\0';
    }
    return out->data && out->data[0] == '/';
}

static int fill(struct tare_paths *p, const char *exe_dir, struct tare_err *err)
{
    struct tare_buf source;
    tare_buf_init(&source, TARE_PATH_MAX);
    int r;
    if (uninstalled_source(exe_dir, &source)) {
        r = join(p->data, sizeof p->data, source.data, "/datasets", err);
        r = r < 0 ? r : join(p->zoo, sizeof p->zoo, source.data, "/backends/native/zoo", err);
        r = r < 0 ? r : join(p->backends, sizeof p->backends, exe_dir, "/backends", err);
    } else {
        r = join(p->data, sizeof p->data, TARE_DATA_DIR, "", err);
        r = r < 0 ? r : join(p->zoo, sizeof p->zoo, TARE_DATA_DIR, "/zoo", err);
        r = r < 0 ? r : join(p->backends, sizeof p->backends, TARE_BACKEND_DIR, "", err);
    }
    tare_buf_fini(&source);
    const char *data = getenv("TARE_DATA"), *zoo = getenv("TARE_ZOO");
    r = r == 0 && data ? join(p->data, sizeof p->data, data, "", err) : r;
    return r == 0 && zoo ? join(p->zoo, sizeof p->zoo, zoo, "", err) : r;
}

int tare_paths_find(struct tare_paths *out, struct tare_err *err)
{
    struct tare_paths p;
    memset(&p, 0, sizeof p);
    ssize_t n = readlink("/proc/self/exe", p.exe, sizeof p.exe - 1);
    if (n <= 0) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "/proc/self/exe: %s; is /proc mounted?",
                            strerror(errno));
    }
    char dir[TARE_PATH_MAX];
    memcpy(dir, p.exe, sizeof dir);
    char *slash = strrchr(dir, '/');
    if (slash) {
        *slash = '\0';
    }
    int r = fill(&p, dir, err);
    if (r == 0) {
        *out = p;
    }
    return r;
}

/* Does the name of a file of the zoo come with its ending? A size like "0.25m" is none: it has digits. */
static bool has_ending(const char *name)
{
    const char *dot = strrchr(name, '.');
    size_t n = dot ? strspn(dot + 1, "abcdefghijklmnopqrstuvwxyz") : 0;
    return n > 1 && dot[1 + n] == '\0';
}

int tare_paths_model(const struct tare_paths *paths, const char *name, char *out, size_t n_out,
                     struct tare_err *err)
{
    if (strncmp(name, "zoo:", 4) == 0) {
        if (strchr(name, '/')) {
            return tare_err_set(err, TARE_E_USAGE, "model %s: a zoo name has no '/'", name);
        }
        const char *ending = has_ending(name + 4) ? "" : ".safetensors";
        int n = snprintf(out, n_out, "%s/%s%s", paths->zoo, name + 4, ending);
        return n > 0 && (size_t)n < n_out
                   ? 0
                   : tare_err_set(err, TARE_E_LIMIT, "model %.100s: path too long", name);
    }
    if (name[0] == '/' || strstr(name, "://")) {
        return join(out, n_out, name, "", err);
    }
    char cwd[TARE_PATH_MAX];
    if (!getcwd(cwd, sizeof cwd)) {
        return tare_err_set(err, TARE_E_IO, "current folder: %s", strerror(errno));
    }
    size_t n = strlen(cwd);
    if (n + 1 >= n_out) {
        return tare_err_set(err, TARE_E_LIMIT, "current folder: path too long");
    }
    memcpy(out, cwd, n);
    out[n] = '/';
    return join(out + n + 1, n_out - n - 1, name, "", err);
}

static bool found_in(const char *dir, size_t n_dir, const char *name, char *out, size_t n_out)
{
    size_t n_name = strlen(name);
    if (n_dir + n_name + sizeof "/.so" > n_out) {
        return false;
    }
    memcpy(out, dir, n_dir);
    (void)snprintf(out + n_dir, n_out - n_dir, "/%s.so", name);
    return access(out, R_OK) == 0;
}

static void offer_names(const char *dir, char known[][64], size_t *n_known, struct tare_nearest *nearest)
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    while (d && (e = readdir(d)) != NULL) {
        size_t n = strlen(e->d_name);
        if (*n_known < 32 && n > 3 && n < 64 && strcmp(e->d_name + n - 3, ".so") == 0) {
            (void)snprintf(known[*n_known], 64, "%.*s", (int)(n - 3), e->d_name);
            tare_nearest_offer(nearest, known[(*n_known)++]);
        }
    }
    if (d) {
        closedir(d);
    }
}

int tare_paths_backend(const struct tare_paths *paths, const char *name, char *out, size_t n_out,
                       struct tare_err *err)
{
    if (strchr(name, '/')) {
        char *real = realpath(name, NULL);
        int r = real ? join(out, n_out, real, "", err)
                     : tare_err_set(err, TARE_E_PLUGIN, "backend %s: %s", name, strerror(errno));
        free(real);
        return r;
    }
    const char *path = getenv("TARE_BACKEND_PATH");
    while (path && *path) {
        size_t n = strcspn(path, ":");
        if (found_in(path, n, name, out, n_out)) {
            return 0;
        }
        path += n + (path[n] == ':');
    }
    if (found_in(paths->backends, strlen(paths->backends), name, out, n_out)) {
        return 0;
    }
    char known[32][64];
    size_t n_known = 0;
    struct tare_nearest nearest = {.word = name};
    offer_names(paths->backends, known, &n_known, &nearest);
    const char *best = tare_nearest_best(&nearest);
    return tare_err_set(err, TARE_E_USAGE, "backend %s: no %s.so in TARE_BACKEND_PATH or %s%s%s%s", name,
                        name, paths->backends, best ? "; did you mean " : "", best ? best : "",
                        best ? "?" : "");
}
