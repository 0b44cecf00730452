/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading documents into memory.
 *
 * Only regular files are read, whole, and 1 GiB of them at most: what is measured must not depend on a
 * pipe or on how far a read got. Nothing is decoded or trimmed; that the bytes are UTF-8 is not checked.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "documents.h"

static const size_t limit_bytes = (size_t)1 << 30;

static int check_file(int fd, const char *path, size_t room, size_t *n, struct tare_err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode)) {
        return tare_err_set(err, TARE_E_IO, "%s: %s; name a text file", path,
                            S_ISDIR(st.st_mode) ? "is a directory" : "is not a regular file");
    }
    if ((uint64_t)st.st_size > room) {
        return tare_err_set(err, TARE_E_LIMIT, "%s: the text is larger than %zu MiB; use a part of it", path,
                            limit_bytes >> 20);
    }
    *n = (size_t)st.st_size;
    return 0;
}

static int read_bytes(int fd, const char *path, char *bytes, size_t n, struct tare_err *err)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = read(fd, bytes + done, n - done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return tare_err_set(err, TARE_E_IO, "%s: %s after %zu of %zu bytes", path,
                                got < 0 ? strerror(errno) : "the file ended", done, n);
        }
        done += (size_t)got;
    }
    return 0;
}

/* The whole file as a block of *n bytes that the caller frees. */
static int read_file(const char *path, size_t room, char **out, size_t *n, struct tare_err *err)
{
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
    }
    size_t size = 0;
    char *bytes = NULL;
    int rc = check_file(fd, path, room, &size, err);
    if (rc == 0) {
        bytes = malloc(size ? size : 1);
        rc = bytes ? read_bytes(fd, path, bytes, size, err)
                   : tare_err_set(err, TARE_E_NOMEM, "%s: no memory for %zu bytes", path, size);
    }
    (void)close(fd);
    if (rc) {
        free(bytes);
        return rc;
    }
    *out = bytes;
    *n = size;
    return 0;
}

static int reserve_files(struct tare_documents *documents, size_t n, struct tare_err *err)
{
    documents->paths = calloc(n, sizeof *documents->paths);
    documents->files = calloc(n, sizeof *documents->files);
    if (!documents->paths || !documents->files) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory to list %zu text files", n);
    }
    return 0;
}

/* Takes ownership of path, which is NULL when memory ran out. */
static int add_file(struct tare_documents *documents, char *path, size_t room, size_t *n,
                    struct tare_err *err)
{
    if (!path) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the path of a text file");
    }
    size_t at = documents->n_files++;
    documents->paths[at] = path;
    return read_file(path, room, &documents->files[at], n, err);
}

/* Splits text at NUL bytes; with docs NULL it only counts. */
static size_t split(const char *text, size_t n, struct tare_bytes *docs)
{
    size_t found = 0;
    for (size_t begin = 0; begin < n;) {
        const char *nul = memchr(text + begin, 0, n - begin);
        size_t end = nul ? (size_t)(nul - text) : n;
        if (end > begin) {
            if (docs) {
                docs[found] = (struct tare_bytes){.data = text + begin, .n = end - begin};
            }
            found++;
        }
        begin = end + 1;
    }
    return found;
}

static int open_file(struct tare_documents *documents, const char *path, struct tare_err *err)
{
    size_t n = 0;
    int rc = reserve_files(documents, 1, err);
    if (rc == 0) {
        rc = add_file(documents, strdup(path), limit_bytes, &n, err);
    }
    if (rc) {
        return rc;
    }
    size_t n_docs = split(documents->files[0], n, NULL);
    if (n_docs == 0) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: holds no text; give a file with some", path);
    }
    documents->docs = calloc(n_docs, sizeof *documents->docs);
    if (!documents->docs) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: no memory to list %zu documents", path, n_docs);
    }
    documents->n = split(documents->files[0], n, documents->docs);
    return 0;
}

static int is_text_name(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return entry->d_name[0] != '.' && dot && strcmp(dot, ".txt") == 0;
}

/* Not alphasort, whose order follows the locale. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static char *join(const char *folder, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static int read_prose(struct tare_documents *documents, const char *folder, struct dirent **names, size_t n,
                      struct tare_err *err)
{
    size_t used = 0;
    int rc = reserve_files(documents, n, err);
    documents->docs = rc ? NULL : calloc(n, sizeof *documents->docs);
    if (rc == 0 && !documents->docs) {
        rc = tare_err_set(err, TARE_E_NOMEM, "no memory to list %zu documents", n);
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        size_t size = 0;
        rc = add_file(documents, join(folder, names[i]->d_name), limit_bytes - used, &size, err);
        if (rc == 0 && size > 0) {
            documents->docs[documents->n++] = (struct tare_bytes){.data = documents->files[i], .n = size};
        }
        used += size;
    }
    return rc;
}

static int open_prose(struct tare_documents *documents, const char *folder, struct tare_err *err)
{
    struct dirent **names = NULL;
    int n = scandir(folder, &names, is_text_name, by_bytes);
    if (n < 0) {
        return tare_err_set(err, TARE_E_IO,
                            "%s: %s; the shipped prose is missing, install it or set option path", folder,
                            strerror(errno));
    }
    int rc = n ? read_prose(documents, folder, names, (size_t)n, err) : 0;
    for (int i = 0; i < n; i++) {
        free(names[i]);
    }
    free(names);
    if (rc == 0 && documents->n == 0) {
        rc = tare_err_set(err, TARE_E_FORMAT,
                          "%s: holds no .txt file with text; install the prose or set option path", folder);
    }
    return rc;
}

int tare_documents_open(struct tare_documents *documents, const char *path, const char *data_dir,
                        struct tare_err *err)
{
    struct tare_documents opened = {0};
    int rc;
    if (path) {
        rc = open_file(&opened, path, err);
    } else {
        char *folder = join(data_dir, "text/prose");
        rc = folder ? open_prose(&opened, folder, err)
                    : tare_err_set(err, TARE_E_NOMEM, "no memory for the path of the shipped prose");
        free(folder);
    }
    if (rc) {
        tare_documents_close(&opened);
        return rc;
    }
    *documents = opened;
    return 0;
}

const char *tare_documents_source(const struct tare_documents *documents, size_t i)
{
    return i < documents->n_files ? documents->paths[i] : NULL;
}

void tare_documents_close(struct tare_documents *documents)
{
    for (size_t i = 0; i < documents->n_files; i++) {
        free(documents->paths[i]);
        free(documents->files[i]);
    }
    free(documents->paths);
    free(documents->files);
    free(documents->docs);
    memset(documents, 0, sizeof *documents);
}
