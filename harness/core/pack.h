/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packs: a task as content. The files that its items were read from and the items themselves, as they are
 * asked, each with its SHA-256 in manifest.json; the SHA-256 of that manifest is the pack's hash, the version
 * of the benchmark: equal hash, equal questions. docs/pack.md has the format.
 *
 * What is in the hash: name, version and convention of the task, the files, the items in their order. What is
 * not: the options and the seed by which they were made (recipe.json has them), paths, times, and this tare's
 * version.
 */
#ifndef TARE_CORE_PACK_H
#define TARE_CORE_PACK_H

#include "base/hash.h"

#include <stdint.h>
#include <stdio.h>
#include <tare/json.h>
#include <tare/task.h>

/* Enough of how a task was opened to do it again. */
struct tare_pack_recipe {
    const char *task;
    int64_t seed;
    const struct tare_json *options; /* object, or NULL */
};

struct tare_pack_subject {
    const struct tare_task *task;
    void *self;               /* opened */
    const char *const *roots; /* files below these folders keep their path from there, others only their
                               * name; NULL-terminated, the first that fits counts */
    const struct tare_pack_recipe *recipe; /* needed if a file is written */
};

struct tare_pack_made {
    char sha256[TARE_SHA256_HEX]; /* of the manifest: the pack's hash */
    int64_t files, items;
    int64_t bytes; /* of files and items */
};

/* Writes the pack to a seekable file that is empty, or, `to` NULL, only finds the hash. `what` names `to` in
 * messages. */
TARE_MUST_CHECK int tare_pack_make(const struct tare_pack_subject *subject, FILE *to, const char *what,
                                   struct tare_pack_made *out, struct tare_err *err);

/* What stands in a pack. tare_pack_read_fini. */
struct tare_pack_read {
    struct tare_pack_made made;
    struct tare_json *recipe, *manifest;
};

/* Reads a pack to its end: every file must be the one that its manifest tells of, and nothing else may be in
 * it. */
TARE_MUST_CHECK int tare_pack_read(FILE *from, const char *what, struct tare_pack_read *out,
                                   struct tare_err *err);
void tare_pack_read_fini(struct tare_pack_read *read);

#define TARE_PACK_MANIFEST "manifest.json"
#define TARE_PACK_PROMPTS  "prompts.jsonl"
#define TARE_PACK_RECIPE   "recipe.json"

#endif
