/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task byte_reviews: do the good words or the bad ones prevail in a long review?
 *
 * A review is plain sentences with opinions strewn in, on average every fourth ("The service was dreadful."):
 * each opinion has one word out of a list of good ones or one of bad ones, and of the two there are never as
 * many. The level is the most bytes of the review, which lacks less than a sentence to it. Half of the items
 * are positive; guessing gets one half.
 *
 * A stand-in for the byte text task of Long Range Arena: made from patterns, not IMDb's reviews, so that it
 * measures counting over a distance, not understanding. Figures compare with no other program's.
 */
#include <string.h>

#include "haystack.h"
#include "synthetic.h"

enum { LONGEST = 1048576, LEVEL_MIN = 128, WORDS = 16, ASPECTS = 12, FORMS = 4 };

/* The n-th of both are equally long, so that which one is taken does not change a review's length. */
static const char *const good[WORDS] = {
    "splendid", "delightful", "superb", "charming",  "flawless", "excellent", "lovely",   "pleasant",
    "generous", "graceful",   "tasty",  "brilliant", "warm",     "refined",   "inviting", "cheerful"};
static const char *const bad[WORDS] = {
    "dreadful", "scandalous", "shabby", "careless",  "hopeless", "miserable", "dismal",   "mediocre",
    "tiresome", "gruesome",   "stale",  "worthless", "rude",     "tedious",   "horrible", "annoying"};
static const char *const aspects[ASPECTS] = {"service", "room",  "soup", "staff", "music", "view",
                                             "seating", "lobby", "tea",  "cake",  "decor", "welcome"};
/* What stands before the aspect, between it and the word, and behind. */
static const char *const forms[FORMS][3] = {{"The ", " was ", ". "},
                                            {"We thought the ", " ", ". "},
                                            {"Everyone called the ", " ", ". "},
                                            {"In the end the ", " proved ", ". "}};

/* One sentence of a review. */
struct sentence {
    bool opinion;
    struct tare_bytes plain;
    size_t form;
    size_t aspect;
    size_t word;
    size_t bytes;
};

struct review {
    struct tare_rng rng;
    struct tare_haystack_walk walk;
};

/* The next sentence; a copy of the review gives the same again. */
static struct sentence next_sentence(struct review *review)
{
    struct sentence s = {.opinion = tare_rng_below(&review->rng, 4) == 0};
    s.form = tare_rng_below(&review->rng, FORMS);
    s.aspect = tare_rng_below(&review->rng, ASPECTS);
    s.word = tare_rng_below(&review->rng, WORDS);
    s.plain = tare_haystack_next(&review->walk);
    s.bytes = s.plain.n + 1;
    if (s.opinion) {
        s.bytes = strlen(aspects[s.aspect]) + strlen(good[s.word]);
        for (size_t i = 0; i < 3; i++) {
            s.bytes += strlen(forms[s.form][i]);
        }
    }
    return s;
}

/* How many sentences fit, and how many of them are opinions. */
static size_t measure(struct review review, size_t most_bytes, uint64_t *opinions)
{
    size_t used = 0;
    *opinions = 0;
    for (size_t n = 0;; n++) {
        struct sentence s = next_sentence(&review);
        if (used + s.bytes > most_bytes) {
            return n;
        }
        used += s.bytes;
        *opinions += s.opinion;
    }
}

static void put_opinion(struct tare_draft *draft, const struct sentence *s, const char *word)
{
    tare_draft_puts(draft, forms[s->form][0]);
    tare_draft_puts(draft, aspects[s->aspect]);
    tare_draft_puts(draft, forms[s->form][1]);
    tare_draft_puts(draft, word);
    tare_draft_puts(draft, forms[s->form][2]);
}

/* n sentences, of whose `opinions` exactly n_good are good: each choice of which is as likely as another. */
static void put_review(struct tare_draft *draft, struct tare_rng *rng, struct review review, size_t n,
                       uint64_t opinions, uint64_t n_good)
{
    for (size_t i = 0; i < n; i++) {
        struct sentence s = next_sentence(&review);
        if (!s.opinion) {
            tare_haystack_put(draft, s.plain);
            continue;
        }
        bool is_good = tare_rng_below(rng, opinions--) < n_good;
        n_good -= is_good;
        put_opinion(draft, &s, (is_good ? good : bad)[s.word]);
    }
}

static void generate(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level)
{
    static const struct tare_haystack plain = {0};
    uint64_t opinions = 0;
    struct review review = {.walk = tare_haystack_walk(&plain, rng)};
    (void)self;
    review.rng = tare_rng_split(&review.walk.rng, "review", 0);
    size_t n = measure(review, (size_t)level, &opinions);
    if (opinions == 0) {
        draft->refused = true;
        return;
    }
    bool positive = tare_rng_below(rng, 2) == 0;
    uint64_t more = opinions / 2 + 1 + tare_rng_below(rng, opinions - opinions / 2);
    put_review(draft, rng, review, n, opinions, positive ? more : opinions - more);
    tare_draft_trim(draft);
    tare_draft_puts(draft, "\nIs this review positive or negative? Answer:");
    tare_draft_end_prompt(draft);
    tare_draft_grade(draft, positive ? " positive" : " negative", 9);
    tare_draft_putc(draft, '\n');
}

static const struct tare_bytes answers[] = {{" positive", 9}, {" negative", 9}};

static const struct tare_synthetic_spec spec = {.name = "byte_reviews",
                                                .n_levels = 3,
                                                .levels = {256, 512, 1024},
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
    TARE_SYNTHETIC_OPT_LEVEL("only reviews up to this many bytes; 0: 256, 512 and 1024 in turn", LONGEST),
    TARE_SYNTHETIC_OPT_SPLIT,
    TARE_SYNTHETIC_OPT_CHOICE_MODE,
    TARE_OPT_END,
};

const struct tare_task tare_task_byte_reviews = {
    .header = TARE_TASK_HEADER,
    .name = "byte_reviews",
    .summary = "tell whether good or bad words prevail in a made-up review (not IMDb, not LRA)",
    .version = 1,
    .priv_size = sizeof(struct tare_synthetic),
    .options = options,
    .metrics = tare_synthetic_choice_metrics,
    .open = open_task,
    .count = tare_synthetic_count,
    .item = tare_synthetic_item,
    .close = tare_synthetic_close,
};
