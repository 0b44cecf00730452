/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents of one split, rendered: each as its context, choices, target and what grading needs.
 *
 * Read record by record; a record is rendered and dropped, so that memory holds texts and no trees. All texts
 * lie in one block. Private to datasets/.
 */
#ifndef TARE_DATASETS_STANDARD_DOCUMENTS_H
#define TARE_DATASETS_STANDARD_DOCUMENTS_H

#include "definition.h"
#include "perturbed.h"

/* Offsets into the texts. */
struct tare_text_ref {
    size_t begin;
    size_t n;
};

struct tare_rendered {
    struct tare_text_ref preamble;
    struct tare_text_ref context;     /* of the question itself: no preamble, no examples */
    size_t first_choice, n_choices;   /* texts[] of the choices; the continuations are delimiter + choice */
    size_t first_context, n_contexts; /* one a choice, or none */
    struct tare_text_ref target;      /* what a shot says behind its context; the gold of a generation */
    size_t first_gold, n_golds;       /* several golds of a generation */
    int64_t gold;                     /* index of the right choice; -1: none of them */
    int64_t words, bytes;             /* of the raw text: rolling */
    uint64_t hash;                    /* of the document as JSON: equal documents have equal ones */
    struct tare_json *document;       /* kept only if a metric asks for it; NULL else */
};

struct tare_rendered_documents {
    struct tare_rendered *all;
    size_t n, cap;
    char *text;
    size_t n_text, cap_text;
    struct tare_text_ref *refs;
    size_t n_refs, cap_refs;
};

struct tare_rendering {
    const struct tare_definition *definition;
    const char *folder; /* of the data files */
    size_t limit;       /* the first so many documents; SIZE_MAX: all */
    bool keep;          /* documents are kept for grading */
    struct tare_perturbing
        perturbing; /* of what contexts are made of; never of choices, targets and examples */
};

/* On failure nothing is held. */
int tare_documents_render(const struct tare_rendering *rendering, enum tare_split_name split,
                          struct tare_rendered_documents *out, struct tare_err *err);
/* The same of the examples that stand in the task file. */
int tare_documents_render_samples(const struct tare_rendering *rendering, struct tare_rendered_documents *out,
                                  struct tare_err *err);
void tare_documents_free(struct tare_rendered_documents *documents);
struct tare_bytes tare_documents_text(const struct tare_rendered_documents *documents,
                                      struct tare_text_ref ref);

#endif
