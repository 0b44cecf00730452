/* SPDX-License-Identifier: Apache-2.0 */
/* The lock is flock's on NAME.part itself: it ends with the process, however that ends. */
#include "fetch/part.h"

#include "base/buf.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { max_reopens = 8 };

static int fail(const char *path, const char *what, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_IO, "%s: %s%s", path, what, strerror(errno));
}

/* Makes every folder of a path but for its last part. */
static int make_folders(const char *path, struct tare_err *err)
{
    char folder[TARE_PART_PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%s", path);
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
            return fail(folder, "folder cannot be made: ", err);
        }
        *slash = '/';
    }
    return 0;
}

/* Is the locked file still the one of that name? Its last holder may have put it into place. */
static bool is_named(int fd, const char *path)
{
    struct stat held, named;
    return fstat(fd, &held) == 0 && lstat(path, &named) == 0 && held.st_ino == named.st_ino &&
           held.st_dev == named.st_dev;
}

/* Returns the descriptor or an error; -1 with *again: try once more. */
static int open_locked(const char *path, bool *again, struct tare_err *err)
{
    *again = false;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (fd < 0) {
        return fail(path, "", err);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int r = errno == EWOULDBLOCK
                    ? tare_err_set(err, TARE_E_ENVIRONMENT,
                                   "%s: another process is taking this file; wait until it ends", path)
                    : fail(path, "lock: ", err);
        close(fd);
        return r;
    }
    if (!is_named(fd, path)) {
        close(fd);
        *again = true;
        return -1;
    }
    return fd;
}

/* "URL\nVALIDATOR\n"; anything else counts as nothing known. */
static void read_note(struct tare_part *part)
{
    struct tare_buf text;
    tare_buf_init(&text, TARE_URL_MAX + TARE_VALIDATOR_MAX);
    if (tare_buf_read_file(&text, part->note, NULL) == 0 && text.used > 0) {
        const char *url = tare_buf_str(&text), *end = strchr(url, '\n');
        const char *end2 = end ? strchr(end + 1, '\n') : NULL;
        if (end2 && end - url < TARE_URL_MAX && end2 - end - 1 < TARE_VALIDATOR_MAX) {
            (void)snprintf(part->url, sizeof part->url, "%.*s", (int)(end - url), url);
            (void)snprintf(part->validator, sizeof part->validator, "%.*s", (int)(end2 - end - 1), end + 1);
        }
    }
    tare_buf_fini(&text);
}

static int name_paths(struct tare_part *part, const char *folder, const char *file, struct tare_err *err)
{
    int n = snprintf(part->note, sizeof part->note, "%s/%s.part.from", folder, file);
    if (n < 0 || (size_t)n >= sizeof part->note) {
        return tare_err_set(err, TARE_E_LIMIT, "path too long: %.100s/%.100s", folder, file);
    }
    (void)snprintf(part->path, sizeof part->path, "%s/%s.part", folder, file);
    (void)snprintf(part->name, sizeof part->name, "%s/%s", folder, file);
    return 0;
}

static int look_at_it(struct tare_part *part, struct tare_err *err)
{
    struct stat st;
    if (fstat(part->fd, &st) != 0) {
        return fail(part->path, "", err);
    }
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1) {
        return tare_err_set(err, TARE_E_IO, "%s: it is no plain file of its own; move it away", part->path);
    }
    part->bytes = st.st_size;
    read_note(part);
    return 0;
}

int tare_part_open(struct tare_part *part, const char *folder, const char *file, struct tare_err *err)
{
    memset(part, 0, sizeof *part);
    part->fd = -1;
    int r = name_paths(part, folder, file, err);
    r = r == 0 ? make_folders(part->path, err) : r;
    bool again = r == 0;
    for (int i = 0; again && i < max_reopens; i++) {
        r = open_locked(part->path, &again, err);
    }
    if (again) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "%s: another process keeps replacing it", part->path);
    }
    if (r < 0) {
        return r;
    }
    part->fd = r;
    r = look_at_it(part, err);
    if (r < 0) {
        close(part->fd);
        part->fd = -1;
    }
    return r;
}

bool tare_part_resumes(const struct tare_part *part, const char *url, int64_t total_bytes)
{
    return part->bytes > 0 && part->bytes < total_bytes && part->validator[0] && strcmp(part->url, url) == 0;
}

int tare_part_restart(struct tare_part *part, struct tare_err *err)
{
    if (ftruncate(part->fd, 0) != 0) {
        return fail(part->path, "truncate: ", err);
    }
    (void)unlink(part->note);
    part->bytes = 0;
    part->url[0] = part->validator[0] = '\0';
    return 0;
}

static int write_all(int fd, const char *data, size_t n, int64_t at)
{
    while (n > 0) {
        ssize_t done = pwrite(fd, data, n, at);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return -1;
        }
        data += done;
        n -= (size_t)done;
        at += done;
    }
    return 0;
}

int tare_part_note(struct tare_part *part, const char *url, const char *validator, struct tare_err *err)
{
    char text[TARE_URL_MAX + TARE_VALIDATOR_MAX + 2];
    int n = snprintf(text, sizeof text, "%s\n%s\n", url, validator);
    (void)unlink(part->note); /* whatever it is, it is not written through */
    int fd = open(part->note, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    bool ok = fd >= 0 && n > 0 && (size_t)n < sizeof text && write_all(fd, text, (size_t)n, 0) == 0;
    if ((fd >= 0 && close(fd) != 0) || !ok) {
        return fail(part->note, "", err);
    }
    (void)snprintf(part->url, sizeof part->url, "%s", url);
    (void)snprintf(part->validator, sizeof part->validator, "%s", validator);
    return 0;
}

int tare_part_write(struct tare_part *part, const char *data, size_t n, struct tare_err *err)
{
    if (write_all(part->fd, data, n, part->bytes) != 0) {
        return fail(part->path, "write: ", err);
    }
    part->bytes += (int64_t)n;
    return 0;
}

static int sync_folder(const char *name, struct tare_err *err)
{
    char folder[TARE_PART_PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%s", name);
    *strrchr(folder, '/') = '\0';
    int fd = open(folder[0] ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* A file system that cannot sync a folder says EINVAL; there is nothing to be done about it. */
    bool ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    int r = ok ? 0 : fail(folder, "sync: ", err);
    if (fd >= 0) {
        close(fd);
    }
    return r;
}

static int check(struct tare_part *part, int64_t bytes, const char *sha256, struct tare_err *err)
{
    char found[TARE_SHA256_HEX];
    int64_t n = 0;
    int r = tare_sha256_file(part->path, found, &n, err);
    if (r == 0 && n != bytes) {
        r = tare_err_set(err, TARE_E_FORMAT, "its size is %" PRId64 " bytes where %" PRId64 " are expected",
                         n, bytes);
    } else if (r == 0 && strcmp(found, sha256) != 0) {
        r = tare_err_set(err, TARE_E_FORMAT, "its SHA-256 is %s where %s is expected", found, sha256);
    }
    return r;
}

int tare_part_finish(struct tare_part *part, int64_t bytes, const char *sha256, struct tare_err *err)
{
    if (fsync(part->fd) != 0) {
        return fail(part->path, "sync: ", err);
    }
    int r = check(part, bytes, sha256, err);
    if (r == TARE_E_FORMAT) {
        int ignored = tare_part_restart(part, NULL);
        (void)ignored;
    }
    if (r < 0) {
        return r;
    }
    if (rename(part->path, part->name) != 0) {
        return fail(part->name, "rename: ", err);
    }
    (void)unlink(part->note);
    close(part->fd);
    part->fd = -1;
    return sync_folder(part->name, err);
}

void tare_part_close(struct tare_part *part)
{
    if (part->fd < 0) {
        return;
    }
    if (part->bytes == 0 || !part->validator[0]) { /* while it is locked: nobody else has opened it for use */
        (void)unlink(part->note);
        (void)unlink(part->path);
    }
    close(part->fd);
    part->fd = -1;
}
