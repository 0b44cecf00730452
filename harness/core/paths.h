/* SPDX-License-Identifier: Apache-2.0 */
/* Where tare's own files lie: shipped data, the zoo, the backends; installed or in a build folder. */
#ifndef TARE_CORE_PATHS_H
#define TARE_CORE_PATHS_H

#include <stddef.h>
#include <tare/err.h>

enum { TARE_PATH_MAX = 4096 };

struct tare_paths {
    char exe[TARE_PATH_MAX];      /* this executable */
    char data[TARE_PATH_MAX];     /* text/, ... ; TARE_DATA overrides */
    char zoo[TARE_PATH_MAX];      /* model files; TARE_ZOO overrides */
    char backends[TARE_PATH_MAX]; /* shared objects; searched after TARE_BACKEND_PATH */
};

TARE_MUST_CHECK int tare_paths_find(struct tare_paths *out, struct tare_err *err);
/* "zoo:NAME" becomes the zoo's NAME.safetensors, "zoo:NAME.ext" the file of that name, anything else an
 * absolute path (unless url-like: has "://"). */
TARE_MUST_CHECK int tare_paths_model(const struct tare_paths *paths, const char *name, char *out,
                                     size_t n_out, struct tare_err *err);
/* The shared object of a backend: NAME is searched, PATH (with a '/') is taken as it is. */
TARE_MUST_CHECK int tare_paths_backend(const struct tare_paths *paths, const char *name, char *out,
                                       size_t n_out, struct tare_err *err);

#endif
