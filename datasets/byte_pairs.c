/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task byte_pairs: do two long texts cite a name in common?
 *
 * Each text is plain sentences with citations strewn in ("The survey follows Tavori in most points."), one
 * for 128 bytes and at least one. Names are made up, of three syllables, and no other word begins with a
 * capital but a sentence's first. In half of the items one citation of the second text names somebody whom
 * the first cites; in the others all names differ. The level is the most bytes of each text, which lacks less
 * than a sentence to it. Guessing gets one half.
 *
 * A stand-in for the retrieval task of Long Range Arena: no papers, and one decoder reads both texts in one
 * prompt, where the arena has two towers. Figures compare with no other program's.
 */
#include <string.h>

#include "haystack.h"
#include "synthetic.h"

enum {
    LONGEST = 65536,
    LEVEL_MIN = 128,
    BYTES_A_NAME = 128,
    NAMES_MAX = LONGEST / BYTES_A_NAME,
    NAME_BYTES = 6,
    FORMS = 6
};

/* Around the name; all of one form's bytes stand before or behind it. */
static const char *const forms[FORMS][2] = {
    {"The survey follows ", " in most points. "},         {"A later note disputes ", " on this. "},
    {"The table was taken from ", " without a change. "}, {"These figures agree with ", " well enough. "},
    {"The method goes back to ", " and has lasted. "},    {"An appendix thanks ", " for the samples. "}};

/* Three of 16 consonants with 5 vowels each: 512000 names. */
struct name {
    char letters[NAME_BYTES];
};

static struct name draw_name(struct tare_rng *rng)
{
    static const char consonants[] = "bdfgjklmnprstvwz";
    struct name name;
    for (size_t i = 0; i < NAME_BYTES; i += 2) {
        name.letters[i] = consonants[tare_rng_below(rng, 16)];
        name.letters[i + 1] = "aeiou"[tare_rng_below(rng, 5)];
    }
    name.letters[0] = (char)(name.letters[0] - 'a' + 'A');
    return name;
}

static bool is_among(const struct name *names, size_t n, const struct name *name)
{
    for (size_t i = 0; i < n; i++) {
        if (memcmp(names[i].letters, name->letters, NAME_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

static size_t form_bytes(size_t form)
{
    return strlen(forms[form][0]) + NAME_BYTES + strlen(forms[form][1]);
}

static void put_citation(struct tare_draft *draft, size_t form, const struct name *name)
{
    tare_draft_puts(draft, forms[form][0]);
    tare_draft_put(draft, name->letters, NAME_BYTES);
    tare_draft_puts(draft, forms[form][1]);
}

/* How many plain sentences fit beside what is used. */
static size_t count_plain(struct tare_haystack_walk walk, size_t used, size_t most_bytes)
{
    for (size_t n = 0;; n++) {
        used += tare_haystack_next(&walk).n + 1;
        if (used > most_bytes) {
            return n;
        }
    }
}

/* The citations in their order among plain sentences, each choice of places as likely as another. */
static void put_text(struct tare_draft *draft, struct tare_rng *rng, size_t most_bytes,
                     const struct name *names, size_t n_names)
{
    static const struct tare_haystack plain = {0};
    struct tare_haystack_walk walk = tare_haystack_walk(&plain, rng);
    struct tare_rng chooser = tare_rng_split(&walk.rng, "forms", 0);
    struct tare_rng again = chooser;
    size_t used = 0;
    for (size_t i = 0; i < n_names; i++) {
        used += form_bytes(tare_rng_below(&chooser, FORMS));
    }
    size_t left_plain = count_plain(walk, used, most_bytes);
    size_t left_names = n_names;
    while (left_plain + left_names > 0) {
        if (tare_rng_below(rng, left_plain + left_names) < left_plain) {
            tare_haystack_put(draft, tare_haystack_next(&walk));
            left_plain--;
        } else {
            put_citation(draft, tare_rng_below(&again, FORMS), &names[n_names - left_names]);
            left_names--;
        }
    }
}

static void generate(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level)
{
    struct name names[2 * NAMES_MAX]; /* of the first text, then of the second */
    size_t n = (size_t)level / BYTES_A_NAME;
    (void)self;
    for (size_t i = 0; i < 2 * n;) {
        names[i] = draw_name(rng);
        i += !is_among(names, i, &names[i]);
    }
    bool related = tare_rng_below(rng, 2) == 0;
    size_t from = tare_rng_below(rng, n);
    size_t to = tare_rng_below(rng, n);
    if (related) {
        names[n + to] = names[from];
    }
    tare_draft_puts(draft, "First text: ");
    put_text(draft, rng, (size_t)level, names, n);
    tare_draft_trim(draft);
    tare_draft_puts(draft, "\nSecond text: ");
    put_text(draft, rng, (size_t)level, names + n, n);
    tare_draft_trim(draft);
    tare_draft_puts(draft, "\nDo the two texts cite a name in common? Answer:");
    tare_draft_end_prompt(draft);
    tare_draft_grade(draft, related ? " yes" : " no", related ? 4 : 3);
    tare_draft_putc(draft, '\n');
}

static const struct tare_bytes answers[] = {{" yes", 4}, {" no", 3}};

static const struct tare_synthetic_spec spec = {.name = "byte_pairs",
                                                .n_levels = 3,
                                                .levels = {128, 256, 512},
                                                .least_level = LEVEL_MIN,
                                                .generate = generate,
                                                .choices = answers,
                                                .n_choices = 2};

static int open_task(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err)
{
    (void)data_dir;
    return tare_synthetic_open(self, &spec, seed, err);
}

static const struct tare_opt options[] = {
    TARE_SYNTHETIC_OPT_ITEMS,
    TARE_SYNTHETIC_OPT_LEVEL("only texts up to this many bytes each; 0: 128, 256 and 512 in turn", LONGEST),
    TARE_SYNTHETIC_OPT_SPLIT,
    TARE_SYNTHETIC_OPT_CHOICE_MODE,
    TARE_OPT_END,
};

const struct tare_task tare_task_byte_pairs = {
    .header = TARE_TASK_HEADER,
    .name = "byte_pairs",
    .summary = "tell whether two made-up texts cite a name in common (not AAN, not LRA)",
    .version = 1,
    .priv_size = sizeof(struct tare_synthetic),
    .options = options,
    .metrics = tare_synthetic_choice_metrics,
    .open = open_task,
    .count = tare_synthetic_count,
    .item = tare_synthetic_item,
    .close = tare_synthetic_close,
};
