/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents that the text tasks are made from: one file, or the shipped prose.
 *
 * A file named by the user is split at NUL bytes, and what lies between two of them is a document,
 * byte for byte; empty ones are dropped. Without a path every DATA_DIR/text/prose/NAME.txt is one
 * document, in the order of their names compared as bytes. Private to datasets/.
 */
#ifndef TARE_DATASETS_DOCUMENTS_H
#define TARE_DATASETS_DOCUMENTS_H

#include <tare/task.h>

/* Zero-initialise. docs point into `files`. */
struct tare_documents {
    struct tare_bytes *docs;
    size_t n;
    char **paths; /* of the files read, in order */
    char **files; /* their contents */
    size_t n_files;
};

/* path NULL: the shipped prose below data_dir. On failure nothing is held. */
int tare_documents_open(struct tare_documents *documents, const char *path, const char *data_dir,
                        struct tare_err *err);
/* Path of the i-th file, NULL past the last. */
const char *tare_documents_source(const struct tare_documents *documents, size_t i);
void tare_documents_close(struct tare_documents *documents);

#endif
