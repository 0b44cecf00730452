/* SPDX-License-Identifier: Apache-2.0 */
/* Which files `tare fetch` is about: words of the command line made files of sources. */
#ifndef TARE_CMD_FETCH_PICK_H
#define TARE_CMD_FETCH_PICK_H

#include "core/source.h"
#include "fetch/take.h"

/* A file, and what became of it. */
struct tare_pick {
    const struct tare_source *source;
    const struct tare_source_file *file;
    struct tare_source_found found;
    bool taken;
    struct tare_taken_from from; /* if taken */
    char failure[512];           /* "": none */
};

struct tare_picks {
    struct tare_source **sources;
    size_t n_sources;
    struct tare_pick *picks; /* those of a source stand together */
    size_t n_picks;
    size_t n_wanted; /* those that were there already counted, too */
};

/* Zeroed memory first. A word is a source, a file of one ("piqa/valid.jsonl"), a task of tare or the path of
 * a task file, which ends with ".json". A file that is picked twice is there once. */
TARE_MUST_CHECK int tare_picks_add(struct tare_picks *picks, const struct tare_paths *paths, const char *word,
                                   struct tare_err *err);
TARE_MUST_CHECK int tare_picks_add_all(struct tare_picks *picks, const struct tare_paths *paths,
                                       struct tare_err *err);
/* Puts the files of each source together, in its order. */
void tare_picks_sort(struct tare_picks *picks);
void tare_picks_fini(struct tare_picks *picks);

#endif
