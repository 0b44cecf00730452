/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is repaired beyond what tar itself writes: a name with a second meaning is refused. */
#include "archive_path.h"

#include <stdbool.h>
#include <string.h>

#include "plain.h"

static bool has_control(const char *name)
{
    for (; *name; name++) {
        if ((unsigned char)*name < ' ' || *name == 0x7f) {
            return true;
        }
    }
    return false;
}

/* As "." and ".." and nothing at all. */
static bool is_no_name(const char *component, size_t n)
{
    return n == 0 || (component[0] == '.' && (n == 1 || (n == 2 && component[1] == '.')));
}

static const char *check_components(const char *path)
{
    int depth = 0;
    for (const char *at = path;;) {
        size_t n = strcspn(at, "/");
        if (is_no_name(at, n)) {
            return n == 2 ? "climbs out of its folder by \"..\""
                          : "has an empty component or \".\" in its path";
        }
        if (n > 255) {
            return "has a component of more than 255 bytes";
        }
        if (++depth > TARE_ARCHIVE_DEPTH) {
            return "is deeper than 32 folders";
        }
        if (!at[n]) {
            return NULL;
        }
        at += n + 1;
    }
}

const char *tare_archive_path(const char *name, char out[TARE_ARCHIVE_PATH_BYTES + 1])
{
    size_t n = strlen(name);
    if (n == 0 || n > TARE_ARCHIVE_PATH_BYTES) {
        return n == 0 ? "has no name" : "has a path of more than 1024 bytes";
    }
    if (name[0] == '/') {
        return "is an absolute path";
    }
    if (strchr(name, '\\')) {
        return "has a backslash in its path";
    }
    if (has_control(name)) {
        return "has a control character in its path";
    }
    if (tare_readers_valid(name, n) < n) {
        return "has a path that is not UTF-8";
    }
    if (strcmp(name, ".") == 0) {
        name++;
    }
    if (strncmp(name, "./", 2) == 0) {
        name += 2;
    }
    n = strlen(name);
    n -= n > 0 && name[n - 1] == '/';
    memcpy(out, name, n);
    out[n] = '\0';
    return n ? check_components(out) : NULL;
}
