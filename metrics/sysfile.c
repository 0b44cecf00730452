/* SPDX-License-Identifier: Apache-2.0 */
/* One read(2) a small file: what the kernel prints at once is consistent in itself. */
#include "sysfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int tare_sysfile_text(const char *path, char *text, size_t n_text)
{
    text[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    ssize_t n = read(fd, text, n_text - 1);
    int code = n < 0 ? -errno : 0;
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    if (n > 0 && text[n - 1] == '\n') {
        text[n - 1] = '\0';
    }
    return code;
}

int tare_sysfile_whole(const char *path, char *text, size_t n_text, bool *whole)
{
    size_t used = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int code = fd < 0 ? -errno : 0;
    ssize_t n = fd < 0 ? 0 : 1;
    while (n > 0 && used < n_text - 1) {
        n = read(fd, text + used, n_text - 1 - used);
        code = n < 0 ? -errno : code;
        used += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    text[code < 0 ? 0 : used] = '\0';
    if (whole) {
        *whole = used < n_text - 1;
    }
    return code;
}

int tare_sysfile_u64(const char *path, uint64_t *out)
{
    char text[64], *end = NULL;
    int r = tare_sysfile_text(path, text, sizeof text);
    if (r < 0) {
        return r;
    }
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (end == text || errno != 0 || text[strspn(text, " \t")] == '-') {
        return -EINVAL;
    }
    *out = value;
    return 0;
}

int tare_sysfile_i64(const char *path, int64_t *out)
{
    char text[64], *end = NULL;
    int r = tare_sysfile_text(path, text, sizeof text);
    if (r < 0) {
        return r;
    }
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || errno != 0) {
        return -EINVAL;
    }
    *out = value;
    return 0;
}

bool tare_sysfile_field(const char *text, const char *key, double *out)
{
    size_t n = strlen(key);
    for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL) {
        const char *at = line + n;
        if (strncmp(line, key, n) == 0 && (key[n - 1] == ':' || *at == ' ' || *at == '\t')) {
            char *end = NULL;
            double value = strtod(at, &end);
            if (end != at) {
                *out = value;
                return true;
            }
        }
    }
    return false;
}
