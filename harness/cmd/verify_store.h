/* SPDX-License-Identifier: Apache-2.0 */
/* A referee's certificate on its way into the database. */
#ifndef TARE_CMD_VERIFY_STORE_H
#define TARE_CMD_VERIFY_STORE_H

#include "cmd/certificate_lines.h"
#include "core/paths.h"

#include <tare/json.h>

struct tare_verify_certificate {
    const char *backend;   /* as it was named */
    const char *spec;      /* JSON that its worker was told */
    const char *facts;     /* JSON of the loaded model; NULL: it never was loaded */
    const char *reference; /* NULL: none */
    const struct tare_certificate_kind *kind;
    const struct tare_json *lines; /* array, as `tare verify --json` prints it */
};

/* In one transaction; creates the database if need be. */
TARE_MUST_CHECK int tare_verify_store(const char *db, const struct tare_paths *paths,
                                      const struct tare_verify_certificate *certificate, int64_t *out_id,
                                      struct tare_err *err);

#endif
