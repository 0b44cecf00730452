/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding paragraphs and cutting places.
 *
 * A letter is an ASCII letter here, so that a cut never falls into a character of UTF-8. Which
 * paragraph is drawn and what becomes of it is the tasks' business.
 */
#include <stdlib.h>
#include <string.h>

#include "paragraphs.h"

enum { LONGER_THAN = 420 };

bool tare_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

size_t tare_text_cut(struct tare_bytes text, size_t at)
{
    for (size_t i = at; i + 1 < text.n; i++) {
        if (text.data[i] == ' ' && tare_is_letter(text.data[i + 1])) {
            return i;
        }
    }
    return text.n;
}

/* Takes the next piece between blank lines off the front of *rest. */
static struct tare_bytes next_piece(struct tare_bytes *rest)
{
    while (rest->n > 0 && rest->data[0] == '\n') {
        rest->data++;
        rest->n--;
    }
    const char *blank = memmem(rest->data, rest->n, "\n\n", 2);
    struct tare_bytes piece = {.data = rest->data, .n = blank ? (size_t)(blank - rest->data) : rest->n};
    rest->data += piece.n;
    rest->n -= piece.n;
    if (piece.n > 0 && piece.data[piece.n - 1] == '\n') {
        piece.n--;
    }
    return piece;
}

static size_t scan_document(struct tare_bytes doc, struct tare_bytes *out)
{
    size_t found = 0;
    while (doc.n > 0) {
        struct tare_bytes piece = next_piece(&doc);
        if (piece.n > LONGER_THAN && !memchr(piece.data, '\n', piece.n)) {
            if (out) {
                out[found] = piece;
            }
            found++;
        }
    }
    return found;
}

static void fill(struct tare_paragraphs *paragraphs, const struct tare_documents *documents)
{
    paragraphs->first[0] = 0;
    for (size_t i = 0; i < documents->n; i++) {
        size_t found = scan_document(documents->docs[i], paragraphs->all + paragraphs->n);
        if (found > 0) {
            paragraphs->n += found;
            paragraphs->first[++paragraphs->n_groups] = paragraphs->n;
        }
    }
}

int tare_paragraphs_open(struct tare_paragraphs *paragraphs, const struct tare_documents *documents,
                         size_t least, const char *task, struct tare_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < documents->n; i++) {
        n += scan_document(documents->docs[i], NULL);
    }
    if (n < least) {
        return tare_err_set(
            err, TARE_E_FORMAT,
            "task %s: needs %zu paragraphs of more than %d bytes, each on one line between blank "
            "lines, and found %zu; choose another text",
            task, least, LONGER_THAN, n);
    }
    struct tare_paragraphs opened = {0};
    opened.all = calloc(n ? n : 1, sizeof *opened.all);
    opened.first = calloc(documents->n + 1, sizeof *opened.first);
    if (!opened.all || !opened.first) {
        tare_paragraphs_close(&opened);
        return tare_err_set(err, TARE_E_NOMEM, "task %s: no memory to list %zu paragraphs", task, n);
    }
    fill(&opened, documents);
    *paragraphs = opened;
    return 0;
}

void tare_paragraphs_close(struct tare_paragraphs *paragraphs)
{
    free(paragraphs->all);
    free(paragraphs->first);
    memset(paragraphs, 0, sizeof *paragraphs);
}
