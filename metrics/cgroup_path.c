/* SPDX-License-Identifier: Apache-2.0 */
/* Two small files, put together. */
#include "cgroup_path.h"

#include "sysfile.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { n_text = 256 * 1024, n_field = 512 };

/* Is `word` one of the comma-separated words of list? */
static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; at; at = strchr(at, ','), at += at != NULL) {
        if (strncmp(at, word, n) == 0 && (at[n] == ',' || at[n] == '\0')) {
            return true;
        }
    }
    return false;
}

/* The path behind "N:controllers:" of the line for that version; false if there is none. Cuts the text. */
static bool find_group(char *text, int version, char *path)
{
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        char *controllers = strchr(line, ':'), *at = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!at) {
            continue;
        }
        *at = '\0';
        bool found = version == 1 ? has_word(controllers + 1, "memory") : strncmp(line, "0::", 2) == 0;
        found = found && (version == 1 || controllers[1] == '\0');
        if (found && strlen(at + 1) < n_field) {
            memcpy(path, at + 1, strlen(at + 1) + 1);
            return true;
        }
    }
    return false;
}

/* One line: "36 35 98:0 ROOT POINT rw,noatime shared:1 - TYPE SOURCE OPTIONS". */
static bool take_mount(char *line, int version, char *root, char *point)
{
    char type[32], options[n_field];
    char *dash = strstr(line, " - ");
    return dash && sscanf(line, "%*d %*d %*s %511s %511s", root, point) == 2 &&
           sscanf(dash + 3, "%31s %*s %511s", type, options) == 2 &&
           (version == 1 ? strcmp(type, "cgroup") == 0 && has_word(options, "memory")
                         : strcmp(type, "cgroup2") == 0);
}

static bool find_mount(char *text, int version, char *root, char *point)
{
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (take_mount(line, version, root, point)) {
            return true;
        }
    }
    return false;
}

/* The group's folder: what the mount shows begins at its own root. */
static bool join(const char *prefix, const char *root, const char *point, const char *group, char *dir,
                 size_t n_dir)
{
    size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);
    bool below = strncmp(group, root, n) == 0 && (group[n] == '/' || group[n] == '\0');
    const char *rest = below ? group + n : group;
    if (strstr(rest, "/..")) {
        return false;
    }
    int used = snprintf(dir, n_dir, "%s%s%s", prefix, point, strcmp(rest, "/") == 0 ? "" : rest);
    return used > 0 && (size_t)used < n_dir;
}

static bool find(const char *proc, const char *root, int64_t pid, int version, char *text,
                 struct tare_cgroup_path *out)
{
    char path[600], group[n_field], mount_root[n_field], point[n_field], who[32] = "self";
    if (pid > 0) {
        (void)snprintf(who, sizeof who, "%lld", (long long)pid);
    }
    (void)snprintf(path, sizeof path, "%.500s/%s/cgroup", proc, who);
    if (tare_sysfile_whole(path, text, n_text, NULL) < 0 || !find_group(text, version, group)) {
        return false;
    }
    (void)snprintf(path, sizeof path, "%.500s/self/mountinfo", proc);
    if (tare_sysfile_whole(path, text, n_text, NULL) < 0 || !find_mount(text, version, mount_root, point)) {
        return false;
    }
    out->version = version;
    return join(root, mount_root, point, group, out->dir, sizeof out->dir);
}

int tare_cgroup_find(const char *proc, const char *root, int64_t pid, struct tare_cgroup_path *out,
                     struct tare_err *err)
{
    struct tare_cgroup_path path = {0};
    char *text = malloc(n_text);
    if (!text) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    bool found = find(proc, root, pid, 1, text, &path) || find(proc, root, pid, 2, text, &path);
    free(text);
    if (!found) {
        return tare_err_set(
            err, TARE_E_ENVIRONMENT,
            "no mounted cgroup with a memory controller holds this process (%.80s/self/cgroup)", proc);
    }
    *out = path;
    return 0;
}
