/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the synthetic tasks (docs/synthetic.md lists them) have in common.
 *
 * A task of this family is a generator, a list of levels and a table; the store below draws items,
 * keeps the held-out ones, drops repeated prompts and serves them. All items are made in open.
 *
 * Held out: CRC-32 (IEEE 802.3) of the prompt is a multiple of 16. The shipped models were never
 * trained on such a prompt, so what they get right here they did not memorise. Where a task has the option
 * `split`, `test` is the held-out prompts and `train` is the others, so that no prompt is in both, whatever
 * the seeds.
 *
 * Draws: attempt a (0, 1, ...) at an item of level l uses the stream split(split(seed, "level", l),
 * "attempt", a) and nothing else. A generator may refuse an attempt. Kept items are dealt to the levels in
 * turn: item i has level levels[i % n_levels], so the first items of a longer set are those of a shorter one.
 */
#ifndef TARE_DATASETS_SYNTHETIC_H
#define TARE_DATASETS_SYNTHETIC_H

#include <tare/task.h>

#include "draft.h"

enum { TARE_SYNTHETIC_LEVELS = 4 };
enum tare_synthetic_mode { TARE_SYNTHETIC_TEACHER = 0, TARE_SYNTHETIC_GENERATE, TARE_SYNTHETIC_CHOICE };
enum tare_synthetic_split { TARE_SYNTHETIC_TEST = 0, TARE_SYNTHETIC_TRAIN };

struct tare_synthetic;

/* One kind of synthetic item. What it draws hangs on whole numbers alone, so that every compiler makes the
 * same items (flip and calc compare a uniform double with a constant, which is as exact). */
struct tare_synthetic_spec {
    const char *name;
    size_t n_levels;
    int64_t levels[TARE_SYNTHETIC_LEVELS];
    int64_t least_level; /* the shortest item that holds anything to grade */
    /* Writes one whole line, with its newline, into an empty draft, or refuses. `self` is the opened task,
     * for its options. */
    void (*generate)(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level);
    /* How many different prompts a level has, infinity included; NULL: not known. */
    double (*prompts)(const struct tare_synthetic *self, int64_t level);
    const struct tare_bytes *choices; /* all the answers there are, each with its space; NULL: no such list */
    size_t n_choices;
};

struct tare_synthetic_item;

/* The options and the items of one opened task: its `self`, or the first member of it. */
struct tare_synthetic {
    int64_t items;
    int64_t level; /* 0: all of the spec's levels */
    int64_t mode;  /* enum tare_synthetic_mode */
    int64_t split; /* enum tare_synthetic_split */
    const struct tare_synthetic_spec *spec;
    struct tare_synthetic_item *kept;
    uint32_t *slots; /* hash of the prompts kept so far: index + 1 into kept, 0 if free */
    size_t n_slots;  /* a power of two */
    size_t bytes;    /* held by the items */
};

extern const struct tare_metric tare_synthetic_metrics[];
/* Of tasks with a list of answers: one figure that means the same in every mode. */
extern const struct tare_metric tare_synthetic_choice_metrics[];
extern const char *const tare_synthetic_modes[];
extern const char *const tare_synthetic_choice_modes[];
extern const char *const tare_synthetic_splits[];

int tare_synthetic_open(struct tare_synthetic *self, const struct tare_synthetic_spec *spec,
                        const struct tare_rng *seed, struct tare_err *err);
/* The hooks of the same names. */
size_t tare_synthetic_count(void *self);
int tare_synthetic_item(void *self, size_t index, struct tare_item *out, struct tare_err *err);
void tare_synthetic_close(void *self);

/* base to the power n. */
double tare_synthetic_power(double base, int64_t n);
/* A uniform decimal digit. */
char tare_synthetic_digit(struct tare_rng *rng);

/* clang-format off */
#define TARE_SYNTHETIC_OPT_ITEMS                                                                     \
    {.name = "items", .type = TARE_OPT_I64, .offset = offsetof(struct tare_synthetic, items),        \
     .def = "96", .help = "items in all, spread evenly over the levels", .min = 1, .max = 100000}
#define TARE_SYNTHETIC_OPT_LEVEL(text, most)                                                         \
    {.name = "level", .type = TARE_OPT_I64, .offset = offsetof(struct tare_synthetic, level),        \
     .def = "0", .help = text, .min = 0, .max = (most)}
#define TARE_SYNTHETIC_OPT_MODE                                                                      \
    {.name = "mode", .type = TARE_OPT_CHOICE, .offset = offsetof(struct tare_synthetic, mode),       \
     .def = "teacher", .help = "grade the answer as given, or let the model write it",               \
     .choices = tare_synthetic_modes}
#define TARE_SYNTHETIC_OPT_CHOICE_MODE                                                               \
    {.name = "mode", .type = TARE_OPT_CHOICE, .offset = offsetof(struct tare_synthetic, mode),       \
     .def = "choice", .help = "compare all answers, grade the one given, or let the model write it", \
     .choices = tare_synthetic_choice_modes}
#define TARE_SYNTHETIC_OPT_SPLIT                                                                     \
    {.name = "split", .type = TARE_OPT_CHOICE, .offset = offsetof(struct tare_synthetic, split),     \
     .def = "test", .help = "the held-out prompts, or the others",                                   \
     .choices = tare_synthetic_splits}
/* clang-format on */

#endif
