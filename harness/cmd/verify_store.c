/* SPDX-License-Identifier: Apache-2.0 */
/* Whose certificate it is: hashes of the files, all options; and its lines as rows. */
#include "cmd/verify_store.h"

#include "base/clock.h"
#include "base/hash.h"
#include "cmd/certificate.h"
#include "config.h"
#include "core/spec.h"
#include "store/certificate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static double number(const struct tare_json *line, const char *key)
{
    const struct tare_json *v = tare_json_get(line, key);
    return tare_json_type(v) == TARE_JSON_NUMBER ? tare_json_num(v) : (double)NAN;
}

/* Where and what: one note for both. */
static int add_line(struct tare_store *store, int64_t id, int64_t position, const struct tare_json *v,
                    struct tare_err *err)
{
    const char *where = tare_json_str(tare_json_get(v, "where")),
               *note = tare_json_str(tare_json_get(v, "note"));
    char both[640];
    (void)snprintf(both, sizeof both, "%.400s%s%.200s", note ? note : "", note && where ? "; at: " : "",
                   where ? where : "");
    const struct tare_certificate_line line = {.quantity = tare_json_str(tare_json_get(v, "check")),
                                               .workload = tare_json_str(tare_json_get(v, "proves")),
                                               .unit = tare_json_str(tare_json_get(v, "unit")),
                                               .truth = number(v, "expected"),
                                               .reading = number(v, "seen"),
                                               .error = number(v, "difference"),
                                               .target = number(v, "tolerance"),
                                               .error_unit = tare_json_str(tare_json_get(v, "unit")),
                                               .outcome = tare_json_str(tare_json_get(v, "outcome")),
                                               .note = both[0] ? both : NULL};
    return tare_store_add_certificate_line(store, id, position, &line, err);
}

static int add_all(struct tare_store *store, const struct tare_certificate_row *row,
                   const struct tare_json *lines, int64_t *out_id, struct tare_err *err)
{
    int64_t position = 0;
    int r = tare_store_begin(store, err);
    if (r < 0) {
        return r;
    }
    r = tare_store_add_certificate(store, row, out_id, err);
    for (const struct tare_json *v = tare_json_first(lines); r == 0 && v; v = tare_json_next(v)) {
        r = add_line(store, *out_id, position++, v, err);
    }
    if (r == 0) {
        return tare_store_commit(store, err);
    }
    tare_store_rollback(store);
    return r;
}

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

static int put(const char *db, const struct tare_certificate_row *row, const struct tare_json *lines,
               int64_t *out_id, struct tare_err *err)
{
    struct tare_store *store = NULL;
    int r = tare_store_open(db, TARE_STORE_CREATE, &store, err);
    if (r < 0) {
        return r;
    }
    r = add_all(store, row, lines, out_id, err);
    r = r == 0 ? tare_store_checkpoint(store, err) : r;
    tare_store_close(store);
    return r;
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
        r = put(db, &row, certificate->lines, out_id, err);
    }
    free(all_options);
    tare_spec_fini(&spec);
    return r;
}
