/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The item store of the synthetic tasks: draws, held-out rule, repeats, levels.
 *
 * It owns every item from open to close and never draws outside open. What an item says is the
 * generator's business, in the task's own file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "synthetic.h"

/* One block per item: the spans, then the text. */
struct tare_synthetic_item {
    struct tare_span *spans; /* the block */
    size_t n_spans;
    const char *text;
    size_t n;
    size_t prompt_n;
    int32_t level;
    uint32_t gold; /* index of the answer among the spec's choices, their number without any */
};

/* The part of a set that belongs to one level. */
struct share {
    int64_t level;
    size_t first;  /* index of its first item; the others follow every `stride` */
    size_t stride; /* number of levels */
    size_t need;
};

enum {
    HELD_OUT_ONE_IN = 16,
    EXTRA_TOKENS = 4, /* in mode generate: room for the newline and a worse split into tokens */
    STORE_LIMIT_MIB = 1024
};

const struct tare_metric tare_synthetic_metrics[] = {
    {.name = "token_acc",
     .rule = TARE_METRIC_RATIO,
     .scale = 1.0,
     .unit = "1",
     .help = "share of the graded tokens that are the most probable ones"},
    {.name = "exact",
     .rule = TARE_METRIC_EXACT,
     .scale = 1.0,
     .unit = "1",
     .help = "share of the items whose whole answer is right"},
    {0},
};

const struct tare_metric tare_synthetic_choice_metrics[] = {
    {.name = "acc",
     .rule = TARE_METRIC_EXACT,
     .scale = 1.0,
     .unit = "1",
     .help = "share of the items whose answer is right"},
    {0},
};

const char *const tare_synthetic_modes[] = {"teacher", "generate", NULL};
const char *const tare_synthetic_choice_modes[] = {"teacher", "generate", "choice", NULL};
const char *const tare_synthetic_splits[] = {"test", "train", NULL};

double tare_synthetic_power(double base, int64_t n)
{
    double product = 1.0;
    for (int64_t i = 0; i < n; i++) {
        product *= base;
    }
    return product;
}

char tare_synthetic_digit(struct tare_rng *rng)
{
    return (char)('0' + (int)tare_rng_below(rng, 10));
}

/* CRC-32 of IEEE 802.3: reflected polynomial 0xEDB88320, all ones before and after; four bits at a time. */
static uint32_t crc32_of(const char *bytes, size_t n)
{
    static const uint32_t remainders[16] = {
        0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u, 0x6b6b51f4u,
        0x4db26158u, 0x5005713cu, 0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu,
        0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu,
    };
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        crc ^= (unsigned char)bytes[i];
        crc = (crc >> 4) ^ remainders[crc & 15u];
        crc = (crc >> 4) ^ remainders[crc & 15u];
    }
    return ~crc;
}

/* The slot that holds this prompt, or the free one where it belongs. */
static size_t find_slot(const struct tare_synthetic *self, const struct tare_draft *draft, uint32_t crc)
{
    /* The low bits of a held-out prompt's CRC are all zero and would crowd the table. */
    size_t at = (crc / HELD_OUT_ONE_IN) & (self->n_slots - 1);
    while (self->slots[at] != 0) {
        const struct tare_synthetic_item *other = &self->kept[self->slots[at] - 1];
        if (other->prompt_n == draft->prompt_n && memcmp(other->text, draft->text, draft->prompt_n) == 0) {
            break;
        }
        at = (at + 1) & (self->n_slots - 1);
    }
    return at;
}

/* Which of the choices the draft's answer is, the newline at its end aside. */
static uint32_t find_gold(const struct tare_synthetic_spec *spec, const struct tare_draft *draft)
{
    const char *answer = draft->text + draft->prompt_n;
    size_t n = draft->n - draft->prompt_n - 1;
    uint32_t i = 0;
    while (i < spec->n_choices &&
           (spec->choices[i].n != n || memcmp(spec->choices[i].data, answer, n) != 0)) {
        i++;
    }
    return i;
}

static int keep(struct tare_synthetic *self, const struct tare_draft *draft, int64_t level, size_t index,
                struct tare_err *err)
{
    size_t spans_bytes = draft->n_spans * sizeof *draft->spans;
    size_t limit = (size_t)STORE_LIMIT_MIB << 20;
    if (spans_bytes + draft->n > limit - self->bytes) {
        return tare_err_set(err, TARE_E_LIMIT,
                            "the items need more than %d MiB; ask for fewer or shorter ones",
                            STORE_LIMIT_MIB);
    }
    struct tare_span *block = malloc(spans_bytes + draft->n);
    if (!block) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for %zu bytes of an item", spans_bytes + draft->n);
    }
    char *text = (char *)block + spans_bytes;
    memcpy(block, draft->spans, spans_bytes);
    memcpy(text, draft->text, draft->n);
    self->bytes += spans_bytes + draft->n;
    self->kept[index] = (struct tare_synthetic_item){.spans = block,
                                                     .n_spans = draft->n_spans,
                                                     .text = text,
                                                     .n = draft->n,
                                                     .prompt_n = draft->prompt_n,
                                                     .level = (int32_t)level,
                                                     .gold = find_gold(self->spec, draft)};
    return 0;
}

/*
 * Attempts without a new item after which a level counts as exhausted. With p equally likely prompts
 * 32 p attempts miss a given one with probability exp(-32); the constant serves the smallest levels,
 * and above a million prompts a set of at most 100000 items does not get near the end. Where the number of
 * prompts is not known, a million attempts in vain are the end.
 */
static uint64_t patience(const struct tare_synthetic *self, int64_t level)
{
    if (!self->spec->prompts) {
        return 1000000u;
    }
    double prompts = self->spec->prompts(self, level);
    return 100000u + 32u * (uint64_t)(prompts < 1e6 ? prompts : 1e6);
}

static int exhausted(const struct tare_synthetic *self, const struct share *share, size_t found,
                     struct tare_err *err)
{
    const struct tare_synthetic_spec *spec = self->spec;
    const char *which = self->split == TARE_SYNTHETIC_TEST ? "held-out" : "training";
    char of[64] = "";
    if (spec->prompts) {
        (void)snprintf(of, sizeof of, " (%d in %d of %.0f)",
                       self->split == TARE_SYNTHETIC_TEST ? 1 : HELD_OUT_ONE_IN - 1, HELD_OUT_ONE_IN,
                       spec->prompts(self, share->level));
    }
    return tare_err_set(err, TARE_E_USAGE,
                        "task %s: level %lld has at most %zu %s prompts%s and %zu were "
                        "asked for; ask for at most %zu items or for another level",
                        spec->name, (long long)share->level, found, which, of, share->need,
                        found * share->stride + share->first);
}

/* One attempt: the draft's CRC into *crc if it is of the split that was asked for. */
static bool attempt_item(const struct tare_synthetic *self, const struct share *share, struct tare_rng *rng,
                         struct tare_draft *draft, uint32_t *crc)
{
    tare_draft_clear(draft);
    self->spec->generate(self, draft, rng, share->level);
    if (draft->failed || draft->refused) {
        return false;
    }
    *crc = crc32_of(draft->text, draft->prompt_n);
    return (*crc % HELD_OUT_ONE_IN == 0) == (self->split == TARE_SYNTHETIC_TEST);
}

static int fill_share(struct tare_synthetic *self, const struct tare_rng *seed, const struct share *share,
                      struct tare_draft *draft, struct tare_err *err)
{
    const struct tare_rng stream = tare_rng_split(seed, "level", (uint64_t)share->level);
    const uint64_t limit = patience(self, share->level);
    size_t found = 0;
    for (uint64_t attempt = 0, last = 0; found < share->need; attempt++) {
        if (attempt - last > limit) {
            return exhausted(self, share, found, err);
        }
        struct tare_rng rng = tare_rng_split(&stream, "attempt", attempt);
        uint32_t crc = 0;
        bool fits = attempt_item(self, share, &rng, draft, &crc);
        if (draft->failed) {
            return tare_err_set(err, TARE_E_NOMEM, "task %s: no memory to write an item", self->spec->name);
        }
        if (!fits) {
            continue;
        }
        size_t slot = find_slot(self, draft, crc);
        if (self->slots[slot] != 0) {
            continue;
        }
        size_t index = share->first + found * share->stride;
        int rc = keep(self, draft, share->level, index, err);
        if (rc) {
            return rc;
        }
        self->slots[slot] = (uint32_t)index + 1;
        last = attempt;
        found++;
    }
    return 0;
}

static int fill(struct tare_synthetic *self, const struct tare_rng *seed, struct tare_err *err)
{
    const struct tare_synthetic_spec *spec = self->spec;
    struct tare_draft draft = {0};
    size_t n = (size_t)self->items;
    size_t stride = self->level ? 1 : spec->n_levels;
    int rc = 0;
    for (size_t k = 0; rc == 0 && k < stride && k < n; k++) {
        const struct share share = {.level = self->level ? self->level : spec->levels[k],
                                    .first = k,
                                    .stride = stride,
                                    .need = (n - k + stride - 1) / stride};
        rc = fill_share(self, seed, &share, &draft, err);
    }
    tare_draft_fini(&draft);
    return rc;
}

int tare_synthetic_open(struct tare_synthetic *self, const struct tare_synthetic_spec *spec,
                        const struct tare_rng *seed, struct tare_err *err)
{
    if (self->level != 0 && self->level < spec->least_level) {
        return tare_err_set(err, TARE_E_USAGE,
                            "task %s: level %lld leaves nothing to grade; the least is %lld", spec->name,
                            (long long)self->level, (long long)spec->least_level);
    }
    self->spec = spec;
    self->bytes = 0;
    self->n_slots = 16;
    while (self->n_slots < 2 * (size_t)self->items) {
        self->n_slots *= 2;
    }
    self->kept = calloc((size_t)self->items, sizeof *self->kept);
    self->slots = calloc(self->n_slots, sizeof *self->slots);
    int rc = self->kept && self->slots ? fill(self, seed, err)
                                       : tare_err_set(err, TARE_E_NOMEM, "task %s: no memory for %lld items",
                                                      spec->name, (long long)self->items);
    free(self->slots);
    self->slots = NULL;
    if (rc) {
        tare_synthetic_close(self);
    }
    return rc;
}

size_t tare_synthetic_count(void *self)
{
    return (size_t)((const struct tare_synthetic *)self)->items;
}

int tare_synthetic_item(void *self, size_t index, struct tare_item *out, struct tare_err *err)
{
    static const struct tare_bytes newline = {.data = "\n", .n = 1};
    const struct tare_synthetic *set = self;
    if (index >= (size_t)set->items) {
        return tare_err_set(err, TARE_E_USAGE, "there is no item %zu; the last is %lld", index,
                            (long long)set->items - 1);
    }
    const struct tare_synthetic_item *item = &set->kept[index];
    if (set->mode == TARE_SYNTHETIC_TEACHER) {
        *out = (struct tare_item){.kind = TARE_ITEM_SPANS,
                                  .text = {.data = item->text, .n = item->n},
                                  .spans = item->spans,
                                  .n_spans = item->n_spans,
                                  .level = item->level};
        return 0;
    }
    if (set->mode == TARE_SYNTHETIC_CHOICE) {
        *out = (struct tare_item){.kind = TARE_ITEM_CHOICE,
                                  .text = {.data = item->text, .n = item->prompt_n},
                                  .choices = set->spec->choices,
                                  .n_choices = set->spec->n_choices,
                                  .gold = item->gold,
                                  .level = item->level};
        return 0;
    }
    size_t answer_n = item->n - item->prompt_n - 1; /* without the newline */
    *out = (struct tare_item){.kind = TARE_ITEM_GENERATE,
                              .text = {.data = item->text, .n = item->prompt_n},
                              .stops = &newline,
                              .n_stops = 1,
                              .reference = {.data = item->text + item->prompt_n, .n = answer_n},
                              .max_output = (uint32_t)answer_n + EXTRA_TOKENS,
                              .level = item->level};
    return 0;
}

void tare_synthetic_close(void *self)
{
    struct tare_synthetic *set = self;
    for (int64_t i = 0; set->kept && i < set->items; i++) {
        free(set->kept[i].spans);
    }
    free(set->kept);
    set->kept = NULL;
}
