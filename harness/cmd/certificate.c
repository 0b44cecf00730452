/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate is worth something for the machine and the very program that made it, and for no other. */
#include "cmd/certificate.h"

#include "core/environment.h"
#include "store/certificate.h"

#include <string.h>

static int take(void *ctx, const char *key, const char *value, const char *absent, struct tare_err *err)
{
    struct tare_certified *c = ctx;
    (void)absent;
    (void)err;
    if (strcmp(key, "machine.id") == 0 && value) {
        (void)snprintf(c->machine, sizeof c->machine, "%s", value);
    }
    return 0;
}

int tare_certified_find(const struct tare_paths *paths, struct tare_certified *out, struct tare_err *err)
{
    struct tare_certified found = {.machine = "unknown"};
    int r = tare_environment_walk(take, &found, err);
    r = r == 0 ? tare_sha256_file(paths->exe, found.tare_sha256, NULL, err) : r;
    if (r == 0) {
        *out = found;
    }
    return r;
}

int tare_certificate_cite(struct tare_store *store, int64_t run_id, const struct tare_paths *paths,
                          struct tare_err *err)
{
    struct tare_certified c;
    int r = tare_certified_find(paths, &c, err);
    return r == 0 ? tare_store_cite_certificate(store, run_id, c.machine, c.tare_sha256, err) : r;
}
