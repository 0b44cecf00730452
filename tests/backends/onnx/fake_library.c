/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared objects that only look like ONNX Runtime, for the tests of loading. One source, built several times:
 * FAKE_VERSION is what it calls itself, FAKE_NEWEST the newest version of the table that it hands out, as the
 * real library's own table, or none at all if that is 0. Built with FAKE_NOTHING it lacks the entry.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct base {
    const void *(*get_api)(uint32_t version);
    const char *(*get_version)(void);
};

/* Asked for more than FAKE_NEWEST it dies: the real one prints on standard error, which nobody may cause. */
static const void *get_api(uint32_t version)
{
    if (FAKE_NEWEST == 0) {
        return NULL;
    }
    if (version > FAKE_NEWEST) {
        abort();
    }
    void *library = dlopen(getenv("TARE_ONNXRUNTIME"), RTLD_NOW | RTLD_LOCAL);
    void *symbol = library ? dlsym(library, "OrtGetApiBase") : NULL;
    const struct base *(*entry)(void) = NULL;
    memcpy(&entry, &symbol, sizeof entry);
    return entry ? entry()->get_api(version) : NULL;
}

static const char *get_version(void)
{
    return FAKE_VERSION;
}

#if defined(FAKE_NOTHING)
#define ENTRY OrtGetNothing
#else
#define ENTRY OrtGetApiBase
#endif

__attribute__((visibility("default"))) const struct base *ENTRY(void);

const struct base *ENTRY(void)
{
    static const struct base base = {get_api, get_version};
    return &base;
}
