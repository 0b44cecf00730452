/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded once, never unloaded. */
#include "packed_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

/* The interface that the headers describe: version 3 of the library. */
static const char file[] = "libarchive.so.13";

static struct tare_libarchive table;
static char missing[160]; /* what is; "" once all was found */

static void *find(const char *name)
{
    void *found = dlsym(table.object, name);
    if (!found && !missing[0]) {
        (void)snprintf(missing, sizeof missing, "%s lacks %s", file, name);
    }
    return found;
}

static void load(void)
{
    table.object = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!table.object) {
        (void)snprintf(missing, sizeof missing, "%s cannot be loaded; install libarchive13", file);
        return;
    }
    void *found;
    /* A pointer to a function has no conversion from void *, but the same bytes (POSIX, dlsym). */
#define TARE_X(name)     \
    found = find(#name); \
    memcpy(&table.name, &found, sizeof found);
    TARE_LIBARCHIVE(TARE_X)
#undef TARE_X
}

const struct tare_libarchive *tare_libarchive_load(struct tare_err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (pthread_once(&once, load) != 0 || missing[0]) {
        (void)tare_err_set(err, TARE_E_ENVIRONMENT, "%s", missing[0] ? missing : "libarchive was not loaded");
        return NULL;
    }
    return &table;
}
