/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything happens in a folder of our own, mode 0700 and without a link in it, so that a checked path
 * cannot lead out of it; files are created only where nothing is. What the caller gets is a folder in that
 * one, which has the mode that a new folder has.
 */
#include "archive.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive_path.h"
#include "packed.h"
#include "plain.h"

enum { max_entries = 100000, open_folders = 16 };

struct unpack {
    const char *archive;
    char *folder; /* of the caller, without a slash at its end */
    char *part;   /* beside it and ours alone; NULL before it is there */
    char *root;   /* in there: what will be renamed to `folder` */
    struct tare_packed *packed;
    char path[TARE_ARCHIVE_PATH_BYTES + 1]; /* of the entry at hand, in root */
    unsigned n_entries, n_files;
};

static int refuse(const struct unpack *u, const char *name, const char *why, struct tare_err *err)
{
    char shown[TARE_READERS_SHOWN];
    return tare_err_set(err, TARE_E_FORMAT, "%s: entry \"%s\" %s; nothing was unpacked", u->archive,
                        tare_readers_show(name, shown), why);
}

static int fail(const struct unpack *u, const char *path, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_IO, "%s: unpacking into %s: %s", u->archive, path, strerror(errno));
}

static char *join(const char *a, const char *between, const char *b)
{
    char *joined = NULL;
    return asprintf(&joined, "%s%s%s", a, between, b) < 0 ? NULL : joined;
}

/* The folder at path, which may be there already, but as nothing else. */
static int make_folder(const struct unpack *u, const char *path, struct tare_err *err)
{
    struct stat st;
    if (mkdir(path, 0777) == 0) {
        return 0;
    }
    if (errno != EEXIST || lstat(path, &st) != 0) {
        return fail(u, path, err);
    }
    return S_ISDIR(st.st_mode) ? 0 : refuse(u, u->path, "needs a folder where a file is", err);
}

/* All folders above the last component; path[from ..] are those that may be missing. */
static int make_parents(const struct unpack *u, char *path, size_t from, struct tare_err *err)
{
    for (char *slash = path + from; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        int r = make_folder(u, path, err);
        *slash = '/';
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int write_all(const struct unpack *u, int fd, const char *path, struct tare_bytes bytes,
                     struct tare_err *err)
{
    for (size_t done = 0; done < bytes.n;) {
        ssize_t n = write(fd, bytes.data + done, bytes.n - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return fail(u, path, err);
        }
        done += (size_t)n;
    }
    return 0;
}

static int write_content(const struct unpack *u, int fd, const char *path, struct tare_err *err)
{
    struct tare_bytes bytes;
    int r;
    while ((r = tare_packed_read(u->packed, &bytes, err)) > 0) {
        r = write_all(u, fd, path, bytes, err);
        if (r < 0) {
            return r;
        }
    }
    if (r == 0 && fsync(fd) != 0) {
        return fail(u, path, err);
    }
    return r;
}

static int make_file(const struct unpack *u, const char *path, struct tare_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0) {
        return errno == EEXIST ? refuse(u, u->path, "stands twice in the archive", err) : fail(u, path, err);
    }
    int r = write_content(u, fd, path, err);
    if (close(fd) != 0 && r == 0) {
        r = fail(u, path, err);
    }
    return r;
}

static int make_entry(struct unpack *u, bool is_folder, struct tare_err *err)
{
    char *path = join(u->root, "/", u->path);
    if (!path) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", u->archive);
    }
    int r = make_parents(u, path, strlen(u->root) + 1, err);
    if (r == 0) {
        r = is_folder ? make_folder(u, path, err) : make_file(u, path, err);
    }
    free(path);
    u->n_files += r == 0 && !is_folder;
    return r;
}

static int take_entry(struct unpack *u, const struct tare_packed_entry *entry, struct tare_err *err)
{
    const char *name = entry->name ? entry->name : "";
    if (++u->n_entries > max_entries) {
        return tare_err_set(err, TARE_E_LIMIT, "%s: holds more than %d entries; nothing was unpacked",
                            u->archive, max_entries);
    }
    const char *why = tare_archive_path(name, u->path);
    if (!why) {
        why = entry->kind == TARE_PACKED_LINK    ? "is a link"
              : entry->kind == TARE_PACKED_OTHER ? "is neither a file nor a folder"
              : entry->encrypted                 ? "is encrypted"
                                                 : NULL;
    }
    if (!why && !u->path[0] && entry->kind == TARE_PACKED_FILE) {
        why = "has no name";
    }
    if (why) {
        return refuse(u, name, why, err);
    }
    return u->path[0] ? make_entry(u, entry->kind == TARE_PACKED_FOLDER, err) : 0;
}

static int take_entries(struct unpack *u, struct tare_err *err)
{
    struct tare_packed_entry entry;
    int r;
    while ((r = tare_packed_next(u->packed, &entry, err)) > 0) {
        r = take_entry(u, &entry, err);
        if (r < 0) {
            return r;
        }
    }
    if (r == 0 && u->n_files == 0) {
        r = tare_err_set(err, TARE_E_FORMAT, "%s: holds no file", u->archive);
    }
    return r;
}

static int begin(struct unpack *u, struct tare_err *err)
{
    struct stat st;
    if (lstat(u->folder, &st) == 0) {
        return tare_err_set(err, TARE_E_USAGE, "%s: is there already; remove it, or name another folder",
                            u->folder);
    }
    char *part = join(u->folder, ".part-", "XXXXXX");
    if (!part) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", u->archive);
    }
    if (!mkdtemp(part)) {
        int r = fail(u, part, err);
        free(part);
        return r;
    }
    u->part = part;
    u->root = join(part, "/", "content");
    if (!u->root) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", u->archive);
    }
    return mkdir(u->root, 0777) == 0 ? 0 : fail(u, u->root, err);
}

static int sync_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)where;
    if (kind != FTW_D) {
        return 0; /* files are synced as they are written */
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 || fsync(fd) != 0 ? -1 : 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return r;
}

static int finish(struct unpack *u, struct tare_err *err)
{
    if (nftw(u->root, sync_one, open_folders, FTW_PHYS) != 0) {
        return fail(u, u->root, err);
    }
    return rename(u->root, u->folder) == 0 ? 0 : fail(u, u->folder, err);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

static void clean_up(struct unpack *u)
{
    tare_packed_close(u->packed);
    if (u->part) {
        (void)nftw(u->part, remove_one, open_folders, FTW_DEPTH | FTW_PHYS);
    }
    free(u->part);
    free(u->root);
    free(u->folder);
}

int tare_archive_unpack(const char *archive, const char *folder, uint64_t limit_bytes, struct tare_err *err)
{
    struct unpack u = {.archive = archive, .folder = strdup(folder)};
    if (!u.folder) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", archive);
    }
    for (size_t n = strlen(u.folder); n > 1 && u.folder[n - 1] == '/'; n--) {
        u.folder[n - 1] = '\0';
    }
    int r = tare_packed_open_archive(archive, limit_bytes, &u.packed, err);
    r = r < 0 ? r : begin(&u, err);
    r = r < 0 ? r : take_entries(&u, err);
    r = r < 0 ? r : finish(&u, err);
    clean_up(&u);
    return r;
}
