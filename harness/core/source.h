/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources of data: what each file of a data set must be (size, SHA-256), where it may be had, and under
 * which licence. One file a source, datasets/sources/NAME.json; docs/fetch.md has the format.
 *
 * This reads those and says what is in a data folder. It takes nothing from anywhere: harness/fetch does.
 */
#ifndef TARE_CORE_SOURCE_H
#define TARE_CORE_SOURCE_H

#include "base/hash.h"
#include "core/paths.h"

#include <stddef.h>
#include <stdint.h>
#include <tare/json.h>

/* All strings belong to the source. */
struct tare_source_file {
    const char *file;                  /* path in the data folder; begins with the source's name */
    int64_t bytes;                     /* -1: not known */
    const char *sha256;                /* NULL: not known, so never taken */
    const char *why;                   /* why it has no address or no hash; NULL if it has both */
    const struct tare_json *urls;      /* array of strings, may be empty */
    const struct tare_json *made_from; /* array of strings, or NULL */
};

struct tare_source {
    const char *name, *summary;
    const char *licence, *licence_from; /* its name, and where that is stated */
    const char *licence_url;            /* NULL: none */
    const char *cite;
    const char *note; /* NULL: none */
    size_t n_files;
    struct tare_source_file *files;
    struct tare_json *json; /* owns the strings */
};

/* Takes the tree over, also when it fails; `what` names it in messages. */
TARE_MUST_CHECK int tare_source_parse(struct tare_json *json, const char *what, struct tare_source **out,
                                      struct tare_err *err);
/* By name; an unknown one is an error that names the nearest. tare_source_destroy(*out). */
TARE_MUST_CHECK int tare_source_load(const struct tare_paths *paths, const char *name,
                                     struct tare_source **out, struct tare_err *err);
void tare_source_destroy(struct tare_source *source);
/* Appends the names of all sources, sorted, to an array. */
TARE_MUST_CHECK int tare_source_names(const struct tare_paths *paths, struct tare_json *to,
                                      struct tare_err *err);
/* NULL: it has no such file. */
const struct tare_source_file *tare_source_find(const struct tare_source *source, const char *file);

enum tare_source_state {
    TARE_SOURCE_ABSENT,   /* no such file */
    TARE_SOURCE_PRESENT,  /* there, with the size and the hash that it must have */
    TARE_SOURCE_CHANGED,  /* there, with another size or hash */
    TARE_SOURCE_UNPINNED, /* there, but nobody knows what it must be */
};

/* What a file was found to be. */
struct tare_source_found {
    enum tare_source_state state;
    int64_t bytes;                /* of what is there; -1: absent */
    char sha256[TARE_SHA256_HEX]; /* "": absent, or a size that is wrong anyway */
};

/* "absent", "present", "changed", "unpinned" */
const char *tare_source_state_name(enum tare_source_state state);
/* Reads the whole file, unless its size says enough. What is no regular file is an error. */
TARE_MUST_CHECK int tare_source_look(const struct tare_source_file *file, const char *folder,
                                     struct tare_source_found *out, struct tare_err *err);

#endif
