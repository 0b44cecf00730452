/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task needle: find numbers in a long text.
 *
 * Sentences "The number of the brass lantern is 4821937." stand among others, of ours or of a prose, and the
 * prompt ends in the question: "What is the number of the brass lantern? It is". There are `keys` things,
 * each with `values` numbers, and `queries` of the things are asked for: single is 1 1 1, multi-key has more
 * keys, multi-value more values, multi-query more queries. Several numbers are answered with commas between,
 * by things as asked and of one thing in the order of the text; each number with its space is graded.
 * The level is the most bytes of a prompt, which lacks less than a sentence to it. Each needle stands between
 * two sentences, all places alike; with depth_percent those asked for stand at the last sentence end at or
 * before that share of the haystack's bytes.
 *
 * As the needle tests of RULER and others in kind, not in text: sentences, things and questions are ours, and
 * a length is bytes, not tokens. Figures compare with no other program's.
 */
#include <string.h>

#include "haystack.h"
#include "synthetic.h"

enum { KEYS_MAX = 64, VALUES_MAX = 16, NEEDLES_MAX = 256, LONGEST = 16777216, NEEDLE_BYTES = 64 };

/* No word of a thing is another's beginning, so that no thing's name stands in another's. */
static const char *const kinds[] = {"amber",   "brass",  "copper", "crimson", "golden", "granite",
                                    "ivory",   "jade",   "linen",  "marble",  "oaken",  "pewter",
                                    "scarlet", "silver", "tin",    "velvet"};
static const char *const things[] = {"anchor",  "basket", "bottle", "candle", "compass", "drum",
                                     "feather", "flute",  "hammer", "helmet", "kettle",  "lantern",
                                     "mirror",  "needle", "saddle", "whistle"};
enum { KINDS = 16, THINGS = 16 };

struct needle {
    struct tare_synthetic set;
    char *path;
    int64_t haystack_kind;
    int64_t keys;
    int64_t values;
    int64_t queries;
    int64_t depth_percent;
    struct tare_haystack haystack;
};

struct hidden {
    size_t key; /* of the item's keys; those below `queries` are asked for */
    size_t gap; /* stands before the sentence of this number */
    uint32_t number;
};

/* What one item draws. */
struct draw {
    size_t names[KEYS_MAX]; /* kind and thing of each key in one number */
    struct hidden hidden[NEEDLES_MAX];
    size_t n_hidden;
    struct tare_haystack_walk walk;
    size_t n_sentences;
    size_t bytes; /* of the sentences */
};

static void put_name(struct tare_draft *draft, size_t name)
{
    tare_draft_puts(draft, "the ");
    tare_draft_puts(draft, kinds[name / THINGS]);
    tare_draft_putc(draft, ' ');
    tare_draft_puts(draft, things[name % THINGS]);
}

static size_t name_bytes(size_t name)
{
    return sizeof "the  " - 1 + strlen(kinds[name / THINGS]) + strlen(things[name % THINGS]);
}

/* Seven digits with a space before them. */
static void write_number(char out[8], uint32_t number)
{
    out[0] = ' ';
    for (size_t i = 7; i > 0; i--) {
        out[i] = (char)('0' + (int)(number % 10));
        number /= 10;
    }
}

static void put_needle(struct tare_draft *draft, const struct draw *draw, const struct hidden *hidden)
{
    char number[8];
    write_number(number, hidden->number);
    tare_draft_puts(draft, "The number of ");
    put_name(draft, draw->names[hidden->key]);
    tare_draft_puts(draft, " is");
    tare_draft_put(draft, number, sizeof number);
    tare_draft_puts(draft, ". ");
}

static size_t needle_bytes(const struct draw *draw, const struct hidden *hidden)
{
    return sizeof "The number of  is 1234567. " - 1 + name_bytes(draw->names[hidden->key]);
}

static void put_question(const struct needle *task, struct tare_draft *draft, const struct draw *draw)
{
    bool several = task->queries * task->values > 1;
    tare_draft_trim(draft);
    tare_draft_puts(draft, several ? "\nWhat are the numbers of " : "\nWhat is the number of ");
    for (size_t i = 0; i < (size_t)task->queries; i++) {
        bool last = i + 1 == (size_t)task->queries;
        tare_draft_puts(draft, i == 0 ? "" : last ? " and " : ", ");
        put_name(draft, draw->names[i]);
    }
    tare_draft_puts(draft, several ? "? They are" : "? It is");
    tare_draft_end_prompt(draft);
}

/* A number that no other needle of the item has. */
static uint32_t draw_number(struct tare_rng *rng, const struct draw *draw)
{
    for (;;) {
        uint32_t number = 1000000 + (uint32_t)tare_rng_below(rng, 9000000);
        size_t i = 0;
        while (i < draw->n_hidden && draw->hidden[i].number != number) {
            i++;
        }
        if (i == draw->n_hidden) {
            return number;
        }
    }
}

static void draw_needles(const struct needle *task, struct tare_rng *rng, struct draw *draw)
{
    size_t names[KINDS * THINGS];
    for (size_t i = 0; i < KINDS * THINGS; i++) {
        names[i] = i;
    }
    tare_rng_shuffle(rng, names, KINDS * THINGS, sizeof names[0]);
    memcpy(draw->names, names, (size_t)task->keys * sizeof names[0]);
    draw->n_hidden = 0;
    for (size_t key = 0; key < (size_t)task->keys; key++) {
        for (size_t value = 0; value < (size_t)task->values; value++) {
            uint32_t number = draw_number(rng, draw);
            draw->hidden[draw->n_hidden++] = (struct hidden){.key = key, .number = number};
        }
    }
    tare_rng_shuffle(rng, draw->hidden, draw->n_hidden, sizeof draw->hidden[0]);
}

/* How many sentences fit; false if not one does. */
static bool measure(const struct needle *task, struct tare_draft *draft, struct draw *draw, int64_t level)
{
    size_t used = 0;
    for (size_t i = 0; i < draw->n_hidden; i++) {
        used += needle_bytes(draw, &draw->hidden[i]);
    }
    put_question(task, draft, draw); /* written to be measured */
    used += draft->n;
    tare_draft_clear(draft);
    struct tare_haystack_walk walk = draw->walk;
    draw->n_sentences = 0;
    draw->bytes = 0;
    for (;;) {
        size_t more = tare_haystack_next(&walk).n + 1;
        if (used + draw->bytes + more > (size_t)level) {
            return draw->n_sentences > 0;
        }
        draw->bytes += more;
        draw->n_sentences++;
    }
}

/* The last sentence end at or before the share of the bytes, as the number of sentences before it. */
static size_t gap_at(const struct draw *draw, uint64_t percent)
{
    struct tare_haystack_walk walk = draw->walk;
    uint64_t before = 0;
    for (size_t gap = 0; gap < draw->n_sentences; gap++) {
        before += tare_haystack_next(&walk).n + 1;
        if (before * 100 > percent * draw->bytes) {
            return gap;
        }
    }
    return draw->n_sentences;
}

static void place(const struct needle *task, struct tare_rng *rng, struct draw *draw)
{
    size_t fixed = task->depth_percent < 0 ? 0 : gap_at(draw, (uint64_t)task->depth_percent);
    for (size_t i = 0; i < draw->n_hidden; i++) {
        bool at_depth = task->depth_percent >= 0 && draw->hidden[i].key < (size_t)task->queries;
        size_t anywhere = tare_rng_below(rng, draw->n_sentences + 1);
        draw->hidden[i].gap = at_depth ? fixed : anywhere;
    }
    /* By place; of equal ones the order stays. */
    for (size_t i = 1; i < draw->n_hidden; i++) {
        struct hidden hidden = draw->hidden[i];
        size_t at = i;
        for (; at > 0 && draw->hidden[at - 1].gap > hidden.gap; at--) {
            draw->hidden[at] = draw->hidden[at - 1];
        }
        draw->hidden[at] = hidden;
    }
}

static void put_text(struct tare_draft *draft, const struct draw *draw)
{
    struct tare_haystack_walk walk = draw->walk;
    size_t done = 0;
    for (size_t gap = 0; gap <= draw->n_sentences; gap++) {
        for (; done < draw->n_hidden && draw->hidden[done].gap == gap; done++) {
            put_needle(draft, draw, &draw->hidden[done]);
        }
        if (gap < draw->n_sentences) {
            tare_haystack_put(draft, tare_haystack_next(&walk));
        }
    }
}

static void put_answer(const struct needle *task, struct tare_draft *draft, const struct draw *draw)
{
    const char *comma = "";
    for (size_t key = 0; key < (size_t)task->queries; key++) {
        for (size_t i = 0; i < draw->n_hidden; i++) {
            char number[8];
            if (draw->hidden[i].key != key) {
                continue;
            }
            write_number(number, draw->hidden[i].number);
            tare_draft_puts(draft, comma);
            tare_draft_grade(draft, number, sizeof number);
            comma = ",";
        }
    }
    tare_draft_putc(draft, '\n');
}

static void generate(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level)
{
    const struct needle *task = (const struct needle *)self;
    struct draw draw = {.walk = tare_haystack_walk(&task->haystack, rng)};
    draw_needles(task, rng, &draw);
    if (!measure(task, draft, &draw, level)) {
        draft->refused = true;
        return;
    }
    place(task, rng, &draw);
    put_text(draft, &draw);
    put_question(task, draft, &draw);
    put_answer(task, draft, &draw);
}

static const struct tare_synthetic_spec spec = {
    .name = "needle", .n_levels = 3, .levels = {300, 600, 1200}, .least_level = 1, .generate = generate};

static int check_options(const struct needle *task, struct tare_err *err)
{
    int64_t least = NEEDLE_BYTES * (task->keys * task->values + task->queries + 2);
    int64_t level = task->set.level ? task->set.level : spec.levels[0];
    if (task->queries > task->keys) {
        return tare_err_set(err, TARE_E_USAGE, "task needle: %lld queries need as many keys, and keys=%lld",
                            (long long)task->queries, (long long)task->keys);
    }
    if (task->keys * task->values > NEEDLES_MAX) {
        return tare_err_set(err, TARE_E_USAGE,
                            "task needle: %lld keys of %lld values are more than %d needles",
                            (long long)task->keys, (long long)task->values, NEEDLES_MAX);
    }
    if (level < least) {
        return tare_err_set(
            err, TARE_E_USAGE,
            "task needle: %lld bytes are too few for the needles, the question and a sentence; "
            "give a level of at least %lld",
            (long long)level, (long long)least);
    }
    if (task->path && task->haystack_kind != TARE_HAYSTACK_PROSE) {
        return tare_err_set(err, TARE_E_USAGE, "task needle: a path needs haystack=prose");
    }
    return 0;
}

static int open_task(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err)
{
    struct needle *task = self;
    int rc = check_options(task, err);
    if (rc == 0 && task->haystack_kind == TARE_HAYSTACK_PROSE) {
        rc = tare_haystack_open(&task->haystack, task->path, data_dir, "The number of ", "needle", err);
    }
    if (rc == 0) {
        rc = tare_synthetic_open(&task->set, &spec, seed, err);
    }
    if (rc) {
        tare_haystack_close(&task->haystack);
    }
    return rc;
}

static void close_task(void *self)
{
    struct needle *task = self;
    tare_synthetic_close(&task->set);
    tare_haystack_close(&task->haystack);
}

static const char *source(void *self, size_t i)
{
    return tare_documents_source(&((const struct needle *)self)->haystack.documents, i);
}

static const char *const haystacks[] = {"noise", "prose", NULL};

#define COUNT(name_, most_, help_)                                                                  \
    {                                                                                               \
        .name = #name_, .type = TARE_OPT_I64, .offset = offsetof(struct needle, name_), .def = "1", \
        .help = (help_), .min = 1, .max = (most_)                                                   \
    }

static const struct tare_opt options[] = {
    TARE_SYNTHETIC_OPT_ITEMS,
    TARE_SYNTHETIC_OPT_LEVEL("only prompts up to this many bytes; 0: 300, 600 and 1200 in turn", LONGEST),
    COUNT(keys, KEYS_MAX, "things that have numbers"),
    COUNT(values, VALUES_MAX, "numbers of each thing"),
    COUNT(queries, KEYS_MAX, "things that are asked for"),
    {.name = "depth_percent",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct needle, depth_percent),
     .def = "-1",
     .help = "where what is asked for stands, in the haystack's bytes; -1: anywhere",
     .min = -1,
     .max = 100},
    {.name = "haystack",
     .type = TARE_OPT_CHOICE,
     .offset = offsetof(struct needle, haystack_kind),
     .def = "noise",
     .help = "plain sentences drawn freely, or a prose in its order",
     .choices = haystacks},
    {.name = "path",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct needle, path),
     .help = "text file of the prose, documents apart by NUL bytes; unset: the shipped prose"},
    TARE_SYNTHETIC_OPT_SPLIT,
    TARE_SYNTHETIC_OPT_MODE,
    TARE_OPT_END,
};

const struct tare_task tare_task_needle = {
    .header = TARE_TASK_HEADER,
    .name = "needle",
    .summary = "find numbers in a long text: one, or several keys, values, queries (not RULER's text)",
    .version = 1,
    .priv_size = sizeof(struct needle),
    .options = options,
    .metrics = tare_synthetic_metrics,
    .open = open_task,
    .count = tare_synthetic_count,
    .item = tare_synthetic_item,
    .source = source,
    .close = close_task,
};
