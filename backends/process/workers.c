/* SPDX-License-Identifier: Apache-2.0 */
/* Found from the place of this very object, as tare finds its data from its own. */
#include "workers.h"

#include "process_config.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first line of BUILD/tare-uninstalled beside BUILD/backends/process.so names the source folder. */
static bool uninstalled(char out[TARE_WORKERS_PATH])
{
    static const char here; /* something whose address lies in this object */
    Dl_info info;
    if (dladdr(&here, &info) == 0 || !info.dli_fname) {
        return false;
    }
    const char *slash = strrchr(info.dli_fname, '/');
    char marker[TARE_WORKERS_PATH];
    int n = snprintf(marker, sizeof marker, "%.*s/../tare-uninstalled",
                     slash ? (int)(slash - info.dli_fname) : 1, slash ? info.dli_fname : ".");
    FILE *file = n > 0 && (size_t)n < sizeof marker ? fopen(marker, "re") : NULL;
    char source[TARE_WORKERS_PATH - 64] = "";
    bool ok = file && fgets(source, sizeof source, file) && source[0] == '/';
    if (file) {
        (void)fclose(file);
    }
    source[strcspn(source, "\n")] = '\0';
    if (ok) {
        (void)snprintf(out, TARE_WORKERS_PATH, "%s/backends/process", source);
    }
    return ok;
}

void tare_workers_folder(char out[TARE_WORKERS_PATH])
{
    const char *told = getenv("TARE_WORKERS");
    if (told && *told) {
        (void)snprintf(out, TARE_WORKERS_PATH, "%s", told);
    } else if (!uninstalled(out)) {
        (void)snprintf(out, TARE_WORKERS_PATH, "%s", TARE_WORKERS_DIR);
    }
}

bool tare_workers_is_shipped(const char *word)
{
    size_t n = strlen(word);
    return n > 3 && !strchr(word, '/') && strcmp(word + n - 3, ".py") == 0;
}

int tare_workers_find(const char *name, char out[TARE_WORKERS_PATH], struct tare_err *err)
{
    char folder[TARE_WORKERS_PATH];
    tare_workers_folder(folder);
    int n = snprintf(out, TARE_WORKERS_PATH, "%s/%s", folder, name);
    if (n < 0 || n >= TARE_WORKERS_PATH || access(out, R_OK) != 0) {
        return tare_err_set(err, TARE_E_USAGE,
                            "backend process: no worker %.60s in %.200s; a program of your own needs a '/'",
                            name, folder);
    }
    return 0;
}
