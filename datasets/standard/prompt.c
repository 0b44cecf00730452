/* SPDX-License-Identifier: Apache-2.0 */
#include "prompt.h"

#include <stdlib.h>
#include <string.h>

static int no_memory(const struct tare_prompts *p, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_NOMEM, "task %s: out of memory for its prompts", p->definition->name);
}

static bool add(struct tare_prompts *p, struct tare_bytes text)
{
    if (p->n_room + text.n > p->cap_room) {
        size_t cap = 2 * (p->n_room + text.n) + 256;
        char *room = realloc(p->room, cap);
        if (!room) {
            return false;
        }
        p->room = room;
        p->cap_room = cap;
    }
    if (text.n > 0) {
        memcpy(p->room + p->n_room, text.data, text.n);
    }
    p->n_room += text.n;
    return true;
}

static bool add_text(struct tare_prompts *p, const char *text)
{
    return add(p, (struct tare_bytes){text, strlen(text)});
}

/* The context of a document: where each choice has its own, that of the right one. */
static struct tare_bytes context_of(const struct tare_rendered_documents *in, const struct tare_rendered *d)
{
    bool own = d->n_contexts > 0 && d->gold >= 0;
    return tare_documents_text(in, own ? in->refs[d->first_context + (size_t)d->gold] : d->context);
}

static bool add_shots(struct tare_prompts *p, size_t index)
{
    bool fits = add(p, tare_documents_text(&p->documents, p->documents.all[index].preamble));
    for (size_t k = 0; fits && k < p->shots.n_shots; k++) {
        const struct tare_rendered *shot = &p->pool.all[p->shots.all[index * p->shots.n_shots + k]];
        fits = add(p, context_of(&p->pool, shot)) && add_text(p, p->definition->target_delimiter) &&
               add(p, tare_documents_text(&p->pool, shot->target)) &&
               add_text(p, p->definition->fewshot_delimiter);
    }
    return fits;
}

/* Texts behind one another in room, the end of each kept; they are cut apart when room moves no more. */
static bool add_choices(struct tare_prompts *p, size_t index, size_t *n)
{
    const struct tare_rendered *d = &p->documents.all[index];
    bool fits = true;
    for (size_t i = 0; fits && i < d->n_choices; i++) {
        fits = add_text(p, p->definition->target_delimiter) &&
               add(p, tare_documents_text(&p->documents, p->documents.refs[d->first_choice + i]));
        p->ends[(*n)++] = p->n_room;
    }
    for (size_t i = 0; fits && i < d->n_contexts; i++) {
        fits = add_shots(p, index) &&
               add(p, tare_documents_text(&p->documents, p->documents.refs[d->first_context + i]));
        p->ends[(*n)++] = p->n_room;
    }
    return fits;
}

/* The one continuation of a likelihood. */
static bool add_target(struct tare_prompts *p, size_t index, size_t *n)
{
    bool fits = add_text(p, p->definition->target_delimiter) &&
                add(p, tare_documents_text(&p->documents, p->documents.all[index].target));
    p->ends[(*n)++] = p->n_room;
    return fits;
}

static void cut(struct tare_prompts *p, size_t begin, struct tare_bytes *to, size_t first, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = (struct tare_bytes){p->room + begin, p->ends[first + i] - begin};
        begin = p->ends[first + i];
    }
}

/* Every choice a second time, without a context; those of the first time get one each. */
static void add_alone(struct tare_prompts *p, struct tare_bytes context, bool own, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        p->contexts[i] = own ? p->contexts[i] : context;
        p->contexts[n + i] = (struct tare_bytes){"", 0};
        p->choices[n + i] = p->choices[i];
    }
}

/* Requests that ask for choices: n_choices of them, or the one of a likelihood. */
static int choice_item(struct tare_prompts *p, size_t index, struct tare_item *out, struct tare_err *err)
{
    const struct tare_rendered *d = &p->documents.all[index];
    bool several = p->definition->output == TARE_OUTPUT_MULTIPLE_CHOICE;
    size_t n = 0, n_choices = several ? d->n_choices : 1;
    p->n_room = 0;
    bool fits = add_shots(p, index) && add(p, tare_documents_text(&p->documents, d->context));
    size_t n_text = p->n_room;
    fits = fits && (several ? add_choices(p, index, &n) : add_target(p, index, &n));
    if (!fits) {
        return no_memory(p, err);
    }
    cut(p, n_text, p->choices, 0, n_choices);
    if (d->n_contexts > 0 && several) {
        cut(p, p->ends[n_choices - 1], p->contexts, n_choices, d->n_contexts);
    }
    uint32_t n_picked = 0;
    bool contexts = several && d->n_contexts > 0;
    if (several && p->alone) {
        add_alone(p, (struct tare_bytes){p->room, n_text}, contexts, n_choices);
        contexts = true;
        n_choices *= 2;
        n_picked = (uint32_t)d->n_choices;
    }
    *out = (struct tare_item){.kind = TARE_ITEM_CHOICE,
                              .text = {p->room, n_text},
                              .choices = p->choices,
                              .n_choices = n_choices,
                              .contexts = contexts ? p->contexts : NULL,
                              .n_picked = n_picked,
                              .gold = d->gold >= 0 ? (size_t)d->gold : 0};
    return 0;
}

static int generate_item(struct tare_prompts *p, size_t index, struct tare_item *out, struct tare_err *err)
{
    const struct tare_rendered *d = &p->documents.all[index];
    p->n_room = 0;
    if (!add_shots(p, index) || !add(p, tare_documents_text(&p->documents, d->context))) {
        return no_memory(p, err);
    }
    *out = (struct tare_item){.kind = TARE_ITEM_GENERATE,
                              .text = {p->room, p->n_room},
                              .stops = p->definition->until,
                              .n_stops = p->definition->n_until,
                              .max_output = (uint32_t)p->definition->max_output};
    return 0;
}

int tare_prompts_item(struct tare_prompts *p, size_t index, struct tare_item *out, struct tare_err *err)
{
    if (index >= p->documents.n) {
        return tare_err_set(err, TARE_E_USAGE, "task %s: there is no item %zu", p->definition->name, index);
    }
    if (p->definition->output == TARE_OUTPUT_ROLLING) {
        *out = (struct tare_item){.kind = TARE_ITEM_TEXT,
                                  .text = tare_documents_text(&p->documents, p->documents.all[index].target)};
        return 0;
    }
    return p->definition->output == TARE_OUTPUT_GENERATE ? generate_item(p, index, out, err)
                                                         : choice_item(p, index, out, err);
}

static int make_examples(const struct tare_rendering *how, uint64_t seed, struct tare_prompts *p,
                         struct tare_err *err)
{
    struct tare_rendering all = *how;
    all.limit = SIZE_MAX;
    all.keep = false;
    all.perturbing.rate = 0;
    if (how->definition->num_fewshot == 0) {
        return 0;
    }
    int r = how->definition->samples
                ? tare_documents_render_samples(&all, &p->pool, err)
                : tare_documents_render(&all, how->definition->fewshot_split, &p->pool, err);
    return r == 0 ? tare_shots_draw(how->definition, (size_t)how->definition->num_fewshot, seed,
                                    &p->documents, &p->pool, &p->shots, err)
                  : r;
}

static int make_room(struct tare_prompts *p, struct tare_err *err)
{
    size_t most = 1;
    for (size_t i = 0; i < p->documents.n; i++) {
        most = p->documents.all[i].n_choices > most ? p->documents.all[i].n_choices : most;
    }
    p->choices = calloc(2 * most, sizeof *p->choices);
    p->contexts = calloc(2 * most, sizeof *p->contexts);
    p->ends = calloc(2 * most, sizeof *p->ends);
    return p->choices && p->contexts && p->ends ? 0 : no_memory(p, err);
}

int tare_prompts_make(const struct tare_rendering *how, uint64_t fewshot_seed, struct tare_prompts *out,
                      struct tare_err *err)
{
    struct tare_prompts p = {.definition = how->definition};
    int r = tare_documents_render(how, how->definition->split, &p.documents, err);
    r = r == 0 ? make_examples(how, fewshot_seed, &p, err) : r;
    r = r == 0 ? make_room(&p, err) : r;
    if (r < 0) {
        tare_prompts_free(&p);
        return r;
    }
    *out = p;
    return 0;
}

void tare_prompts_free(struct tare_prompts *p)
{
    tare_documents_free(&p->documents);
    tare_documents_free(&p->pool);
    tare_shots_free(&p->shots);
    free(p->room);
    free(p->choices);
    free(p->contexts);
    free(p->ends);
    memset(p, 0, sizeof *p);
}
