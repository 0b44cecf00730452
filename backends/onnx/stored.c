/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sizes of the files that a model is made of. Weights beyond 2 GiB, or by choice, lie in other files, which
 * the model names relative to itself. The name stands in a protobuf message as key and value:
 * field 1 "location", field 2 the name; those bytes are looked for, and nothing else of the file is read.
 */
#include "onnx.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char mark[] = "\x0a\x08location\x12"; /* a length below 128 and the name follow */

enum { names_max = 64, name_bytes_max = 128 };

struct names {
    char name[names_max][name_bytes_max];
    size_t n;
    bool lost; /* one does not fit: too long, or too many */
};

static bool is_known(const struct names *names, const char *name, size_t n)
{
    for (size_t i = 0; i < names->n; i++) {
        if (strlen(names->name[i]) == n && memcmp(names->name[i], name, n) == 0) {
            return true;
        }
    }
    return false;
}

static void find_names(const char *data, size_t n_data, struct names *names)
{
    const char *end = data + n_data;
    const char *at = data;
    while ((at = memmem(at, (size_t)(end - at), mark, sizeof mark - 1)) != NULL) {
        at += sizeof mark - 1;
        size_t n = at < end ? (unsigned char)*at : name_bytes_max;
        if (n >= name_bytes_max || n > (size_t)(end - at) - 1) {
            names->lost = true;
            continue;
        }
        if (is_known(names, at + 1, n)) {
            continue;
        }
        if (names->n == names_max) {
            names->lost = true;
            return;
        }
        memcpy(names->name[names->n], at + 1, n);
        names->name[names->n++][n] = '\0';
    }
}

static int64_t size_beside(const char *model_path, const char *name)
{
    char path[PATH_MAX];
    struct stat st;
    const char *slash = strrchr(model_path, '/');
    int folder = slash ? (int)(slash - model_path) + 1 : 0;
    int n = snprintf(path, sizeof path, "%.*s%s", folder, model_path, name);
    return n > 0 && (size_t)n < sizeof path && stat(path, &st) == 0 ? (int64_t)st.st_size : TARE_UNKNOWN;
}

static int64_t add_files(const char *model_path, int64_t bytes, const struct names *names)
{
    for (size_t i = 0; i < names->n && bytes != TARE_UNKNOWN; i++) {
        int64_t more = size_beside(model_path, names->name[i]);
        bytes = more == TARE_UNKNOWN ? TARE_UNKNOWN : bytes + more;
    }
    return names->lost ? TARE_UNKNOWN : bytes;
}

int64_t tare_onnx_stored_bytes(const char *path)
{
    struct names names = {.n = 0};
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int64_t bytes = TARE_UNKNOWN;
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0) {
        void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data != MAP_FAILED) {
            find_names(data, (size_t)st.st_size, &names);
            (void)munmap(data, (size_t)st.st_size);
            bytes = add_files(path, st.st_size, &names);
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return bytes;
}
