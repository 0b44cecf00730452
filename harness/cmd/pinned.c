/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/pinned.h"

#include "core/source.h"

#include <string.h>
#include <tare/data_folder.h>

static int check(const struct tare_source_file *file, const char *path, const char *sha256,
                 struct tare_err *err)
{
    return !file || !file->sha256 || strcmp(file->sha256, sha256) == 0
               ? 0
               : tare_err_set(
                     err, TARE_E_FORMAT,
                     "%s is not the published %s: its SHA-256 is %.16s.., and %.16s.. is meant; 'tare fetch "
                     "--replace %s' takes that, and a task file of your own may name any data",
                     path, file->file, sha256, file->sha256, file->file);
}

int tare_pinned_check(const struct tare_paths *paths, const char *path, const char *sha256,
                      struct tare_err *err)
{
    for (const char *at = strchr(path, '/'); at; at = strchr(at + 1, '/')) {
        char name[128];
        struct tare_source *source = NULL;
        struct tare_err unknown = {0};
        size_t n = strcspn(at + 1, "/");
        if (n == 0 || n >= sizeof name || !tare_data_is_name(at + 1)) {
            continue;
        }
        (void)snprintf(name, sizeof name, "%.*s", (int)n, at + 1);
        if (tare_source_load(paths, name, &source, &unknown) == 0) {
            int r = check(tare_source_find(source, at + 1), path, sha256, err);
            tare_source_destroy(source);
            if (r < 0) {
                return r;
            }
        }
    }
    return 0;
}
