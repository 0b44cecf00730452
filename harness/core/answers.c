/* SPDX-License-Identifier: Apache-2.0 */
#include "core/answers.h"

#include <stdlib.h>
#include <string.h>

static size_t count_requests(const struct tare_prepared *prepared, size_t first_item, size_t *first,
                             size_t *out_text)
{
    size_t n = 0;
    *out_text = 0;
    for (size_t i = 0; i < prepared->count; i++) {
        const struct tare_prepared_item *item = i < first_item ? NULL : prepared->items[i];
        first[i] = n;
        n += item ? item->n_requests : 0;
        for (uint32_t q = 0; item && q < item->n_requests; q++) {
            uint32_t tok = item->requests[q].max_output;
            *out_text += tok ? tare_ask_output_bytes(tok) : 0;
        }
    }
    first[prepared->count] = n;
    return n;
}

int tare_answers_init(struct tare_answers *answers, const struct tare_prepared *prepared, size_t first_item,
                      struct tare_err *err)
{
    struct tare_answers a = {.n_items = prepared->count};
    a.first = calloc(prepared->count + 1, sizeof *a.first);
    a.asked = calloc(prepared->count + 1, sizeof *a.asked);
    size_t n = a.first ? count_requests(prepared, first_item, a.first, &a.cap_text) : 0;
    a.all = calloc(n + 1, sizeof *a.all);
    a.text = malloc(a.cap_text + 1);
    if (!a.first || !a.asked || !a.all || !a.text) {
        tare_answers_fini(&a);
        return tare_err_set(err, TARE_E_NOMEM, "out of memory for the answers to be graded");
    }
    memset(a.all, 0xff, (n + 1) * sizeof *a.all); /* the pages are there before anything is timed */
    *answers = a;
    return 0;
}

void tare_answers_fini(struct tare_answers *answers)
{
    free(answers->first);
    free(answers->asked);
    free(answers->all);
    free(answers->text);
    memset(answers, 0, sizeof *answers);
}

void tare_answers_keep(struct tare_answers *answers, const struct tare_ask *ask,
                       const struct tare_sample *sample)
{
    size_t item = (size_t)sample->item;
    if (sample->code != 0 || item >= answers->n_items) {
        return;
    }
    struct tare_answer *to = &answers->all[answers->first[item]];
    size_t n = answers->first[item + 1] - answers->first[item];
    for (size_t i = 0; i < n && i < sample->n_requests; i++) {
        to[i] = (struct tare_answer){.loglik = ask->records[i].loglik, .greedy = ask->greedy[i]};
    }
    if (n == 1 && sample->n_output <= answers->cap_text - answers->n_text) {
        char *text = answers->text + answers->n_text;
        memcpy(text, sample->n_output ? sample->output : "", sample->n_output);
        to->output = (struct tare_bytes){.data = text, .n = sample->n_output};
        answers->n_text += sample->n_output;
    }
    answers->asked[item] = sample->n_requests == n;
}

const struct tare_answer *tare_answers_of(const struct tare_answers *answers, size_t item, size_t *out_n)
{
    if (item >= answers->n_items || !answers->asked[item]) {
        return NULL;
    }
    *out_n = answers->first[item + 1] - answers->first[item];
    return &answers->all[answers->first[item]];
}
