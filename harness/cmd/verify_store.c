/* SPDX-License-Identifier: Apache-2.0 */
/* Whose certificate it is: hashes of the files, and all options. */
#include "cmd/verify_store.h"

#include "base/clock.h"
#include "base/hash.h"
#include "cmd/certificate.h"
#include "config.h"
#include "core/spec.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The options as the backend has taken them, defaults included; the worker knows them once it has loaded. */
static int options_of(const char *facts, char **out, struct tare_err *err)
{
    struct tare_json *json = NULL;
    int r = facts ? tare_json_parse(facts, strlen(facts), "facts", &json, err) : 0;
    const struct tare_json *found = tare_json_get(json, "options");
    r = r == 0 && found ? tare_json_print(found, false, out, err) : r;
    tare_json_destroy(json);
    return r;
}

static bool is_file(const char *path)
{
    struct stat st;
    return path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

int tare_verify_store(const char *db, const struct tare_paths *paths,
                      const struct tare_verify_certificate *certificate, int64_t *out_id,
                      struct tare_err *err)
{
    struct tare_spec spec;
    struct tare_certified by;
    char now[32], backend_sha256[TARE_SHA256_HEX], model_sha256[TARE_SHA256_HEX];
    char *all_options = NULL;
    int r = tare_spec_parse(certificate->spec, strlen(certificate->spec), &spec, err);
    if (r < 0) {
        return r;
    }
    bool file = is_file(spec.model);
    r = tare_certified_find(paths, &by, err);
    r = r == 0 ? tare_sha256_file(spec.backend, backend_sha256, NULL, err) : r;
    r = r == 0 && file ? tare_sha256_file(spec.model, model_sha256, NULL, err) : r;
    r = r == 0 ? options_of(certificate->facts, &all_options, err) : r;
    if (r == 0) {
        tare_clock_format(tare_clock_wall_ns(), now, sizeof now);
        const struct tare_certificate_row row = {.made_utc = now,
                                                 .tare_version = TARE_VERSION,
                                                 .tare_sha256 = by.tare_sha256,
                                                 .machine = by.machine,
                                                 .backend = certificate->backend,
                                                 .backend_sha256 = backend_sha256,
                                                 .model = spec.model,
                                                 .model_sha256 = file ? model_sha256 : NULL,
                                                 .technique = spec.technique,
                                                 .options = all_options,
                                                 .reference = certificate->reference};
        r = tare_certificate_store(db, &row, certificate->kind, certificate->lines, out_id, err);
    }
    free(all_options);
    tare_spec_fini(&spec);
    return r;
}
