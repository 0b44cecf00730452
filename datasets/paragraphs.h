/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The long paragraphs of documents, and where a paragraph may be cut.
 *
 * A paragraph lies between blank lines, is one line and longer than 420 bytes: long enough to cut a
 * context and a continuation from, and without the line breaks of verse and tables. Private to
 * datasets/; it copies nothing, so its documents must outlive it.
 */
#ifndef TARE_DATASETS_PARAGRAPHS_H
#define TARE_DATASETS_PARAGRAPHS_H

#include "documents.h"

/* Zero-initialise. Documents without such a paragraph are left out. */
struct tare_paragraphs {
    struct tare_bytes *all;
    size_t n;
    size_t *first; /* group g, of one document, is all[first[g]] .. all[first[g + 1] - 1] */
    size_t n_groups;
};

/* Fails when there are fewer than `least` paragraphs. `task` names the asker in messages. */
int tare_paragraphs_open(struct tare_paragraphs *paragraphs, const struct tare_documents *documents,
                         size_t least, const char *task, struct tare_err *err);
void tare_paragraphs_close(struct tare_paragraphs *paragraphs);

bool tare_is_letter(char c);
/* The first space at or after `at` that a letter follows; text.n if there is none. */
size_t tare_text_cut(struct tare_bytes text, size_t at);

#endif
