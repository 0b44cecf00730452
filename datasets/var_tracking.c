/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task var_tracking: which names hold a value, directly or through others?
 *
 * "Let QXB be 48213. ... Let RTM be QXB. ..." and at the end "Which names hold 48213? In order:". A chain is
 * one name that gets a number and, `level` times, a new name that gets the name before it; there are `chains`
 * chains with numbers of their own, their sentences drawn into one order with `filler` plain sentences
 * before each. All names of the asked chain are answered in the order of the text; each with its space is
 * graded. As the variable tracking of RULER in kind, not in text: figures compare with no other program's.
 */
#include <string.h>

#include "haystack.h"
#include "synthetic.h"

enum { CHAINS_MAX = 16, HOPS_MAX = 60, NAMES_MAX = CHAINS_MAX * (HOPS_MAX + 1), LETTERS = 26 };

struct var_tracking {
    struct tare_synthetic set;
    int64_t chains;
    int64_t filler;
    struct tare_haystack haystack; /* stays zero: the plain sentences */
};

struct chain {
    char number[6]; /* five digits and NUL */
    size_t said;    /* sentences written so far */
};

/* Three capitals each, all different: names[i] is a number in base 26. */
static void draw_names(struct tare_rng *rng, uint32_t *names, size_t n)
{
    bool taken[LETTERS * LETTERS * LETTERS] = {false};
    for (size_t i = 0; i < n;) {
        uint32_t name = (uint32_t)tare_rng_below(rng, LETTERS * LETTERS * LETTERS);
        if (!taken[name]) {
            taken[name] = true;
            names[i++] = name;
        }
    }
}

/* With a space before it. */
static void write_name(char out[4], uint32_t name)
{
    out[0] = ' ';
    for (size_t i = 3; i > 0; i--) {
        out[i] = (char)('A' + (int)(name % LETTERS));
        name /= LETTERS;
    }
}

static void put_name(struct tare_draft *draft, uint32_t name)
{
    char bytes[4];
    write_name(bytes, name);
    tare_draft_put(draft, bytes, sizeof bytes);
}

/* Different numbers; a later chain's differs from those before it by its draw. */
static void draw_chains(struct tare_rng *rng, struct chain *chains, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint64_t number = 10000 + tare_rng_below(rng, 90000);
        for (size_t d = 5; d > 0; d--, number /= 10) {
            chains[i].number[d - 1] = (char)('0' + (int)(number % 10));
        }
        chains[i].number[5] = '\0';
        chains[i].said = 0;
        size_t same = 0;
        while (same < i && strcmp(chains[same].number, chains[i].number) != 0) {
            same++;
        }
        i += same == i;
    }
}

/* A chain with something left to say, each as likely as it has sentences left. */
static size_t draw_turn(struct tare_rng *rng, const struct chain *chains, size_t length, size_t left)
{
    uint64_t at = tare_rng_below(rng, left);
    size_t i = 0;
    while (at >= length - chains[i].said) {
        at -= length - chains[i++].said;
    }
    return i;
}

static void put_sentence(struct tare_draft *draft, struct chain *chain, const uint32_t *names)
{
    tare_draft_puts(draft, "Let");
    put_name(draft, names[chain->said]);
    tare_draft_puts(draft, " be");
    if (chain->said == 0) {
        tare_draft_putc(draft, ' ');
        tare_draft_puts(draft, chain->number);
    } else {
        put_name(draft, names[chain->said - 1]);
    }
    tare_draft_puts(draft, ". ");
    chain->said++;
}

static void generate(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level)
{
    const struct var_tracking *task = (const struct var_tracking *)self;
    size_t n = (size_t)task->chains;
    size_t length = (size_t)level + 1;
    struct chain chains[CHAINS_MAX];
    uint32_t names[NAMES_MAX];
    struct tare_haystack_walk walk = tare_haystack_walk(&task->haystack, rng);
    draw_chains(rng, chains, n);
    draw_names(rng, names, n * length);
    for (size_t left = n * length; left > 0; left--) {
        size_t i = draw_turn(rng, chains, length, left);
        for (int64_t f = 0; f < task->filler; f++) {
            tare_haystack_put(draft, tare_haystack_next(&walk));
        }
        put_sentence(draft, &chains[i], names + i * length);
    }
    size_t asked = tare_rng_below(rng, n);
    tare_draft_trim(draft);
    tare_draft_puts(draft, "\nWhich names hold ");
    tare_draft_puts(draft, chains[asked].number);
    tare_draft_puts(draft, "? In order:");
    tare_draft_end_prompt(draft);
    for (size_t i = 0; i < length; i++) {
        char name[4];
        write_name(name, names[asked * length + i]);
        tare_draft_grade(draft, name, sizeof name);
    }
    tare_draft_putc(draft, '\n');
}

static const struct tare_synthetic_spec spec = {
    .name = "var_tracking", .n_levels = 3, .levels = {1, 2, 4}, .least_level = 1, .generate = generate};

static int open_task(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err)
{
    (void)data_dir;
    return tare_synthetic_open(self, &spec, seed, err);
}

static const struct tare_opt options[] = {
    TARE_SYNTHETIC_OPT_ITEMS,
    TARE_SYNTHETIC_OPT_LEVEL("only chains of this many hops; 0: 1, 2 and 4 in turn", HOPS_MAX),
    {.name = "chains",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct var_tracking, chains),
     .def = "2",
     .help = "chains, one of which is asked for",
     .min = 1,
     .max = CHAINS_MAX},
    {.name = "filler",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct var_tracking, filler),
     .def = "1",
     .help = "plain sentences before each of the chains' sentences",
     .min = 0,
     .max = 10000},
    TARE_SYNTHETIC_OPT_SPLIT,
    TARE_SYNTHETIC_OPT_MODE,
    TARE_OPT_END,
};

const struct tare_task tare_task_var_tracking = {
    .header = TARE_TASK_HEADER,
    .name = "var_tracking",
    .summary = "name all that hold a value, directly or through others (not RULER's text)",
    .version = 1,
    .priv_size = sizeof(struct var_tracking),
    .options = options,
    .metrics = tare_synthetic_metrics,
    .open = open_task,
    .count = tare_synthetic_count,
    .item = tare_synthetic_item,
    .close = tare_synthetic_close,
};
