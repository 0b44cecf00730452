/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of each document: preamble, examples and question joined. Private to datasets/. */
#ifndef TARE_DATASETS_STANDARD_PROMPT_H
#define TARE_DATASETS_STANDARD_PROMPT_H

#include "shots.h"

struct tare_prompts {
    const struct tare_definition *definition;
    struct tare_rendered_documents documents;
    struct tare_rendered_documents pool; /* of the examples; empty without any */
    struct tare_shots shots;
    bool alone; /* choices are asked once more with nothing before them */
    char *room; /* texts of the item that was made last */
    size_t n_room, cap_room;
    struct tare_bytes *choices, *contexts; /* point into room, once it is filled */
    size_t *ends;
    size_t cap_choices;
};

/* Renders the documents, draws the examples. On failure nothing is held. */
int tare_prompts_make(const struct tare_rendering *how, uint64_t fewshot_seed, struct tare_prompts *out,
                      struct tare_err *err);
void tare_prompts_free(struct tare_prompts *prompts);
/* Borrowed until the next call. */
int tare_prompts_item(struct tare_prompts *prompts, size_t index, struct tare_item *out,
                      struct tare_err *err);

#endif
