/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task mqar: several keys asked for amid a text (multi-query associative recall).
 *
 * "Q: c K b J f a b J L a c K": the level is the number P of pairs. Symbols 1 .. V/2-1 are keys and V/2 ..
 * V-1 values, P of each without repeats. The text begins with the P pairs; what is left of its S symbols is
 * slots of two, and each key comes again, with its value, in a slot of its own. Slots are drawn without
 * replacement, all alike (`gaps=uniform`) or the i-th with a weight of 1/i (`gaps=power`), so that most stand
 * close behind the pairs. The other slots hold any symbols, or full stops with filler=dots. The second coming
 * of each value is graded.
 *
 * The rule is that of MQAR in zoology, whose models are trained on it. What differs: this is text, where a
 * value must stand behind its key to be graded (there it is a label and something else stands behind the
 * key); the weight there is i^(a-1) with a = 0.01, of which 1/i is the limit for small a and needs no
 * floating point. Not offered as free generation: the answers stand amid the text.
 */
#include "symbols.h"
#include "synthetic.h"

/* The longest text by the rule of lengths is 8 symbols for each of the most pairs. */
enum { PAIRS_MAX = 512, LENGTH_MAX = 4096, SLOTS_MAX = LENGTH_MAX / 2, SYMBOLS_MAX = 8192 };
enum gaps { GAPS_POWER, GAPS_UNIFORM };
enum filler { FILLER_SYMBOLS, FILLER_DOTS };

struct mqar {
    struct tare_synthetic set;
    int64_t symbols;
    int64_t length;
    int64_t gaps;
    int64_t filler;
};

/* What one item draws. */
struct draw {
    uint32_t keys[PAIRS_MAX];
    uint32_t values[PAIRS_MAX];
    uint32_t asked[SLOTS_MAX]; /* index of the pair that a slot asks for + 1; 0: filler */
};

/* 16 symbols a pair up to 512 in all, 8 a pair above: 64, 128, 256, 512 for 4, 8, 16, 64 pairs. */
static int64_t length_of(const struct mqar *task, int64_t level)
{
    if (task->length) {
        return task->length;
    }
    return 16 * level <= 512 ? 16 * level : 8 * level > 512 ? 8 * level : 512;
}

/* n different numbers of first .. first + range - 1, in any order. */
static void draw_different(struct tare_rng *rng, uint32_t first, uint32_t range, uint32_t *out, size_t n)
{
    uint32_t all[SYMBOLS_MAX / 2] = {0};
    for (uint32_t i = 0; i < range; i++) {
        all[i] = first + i;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t other = i + (uint32_t)tare_rng_below(rng, range - i);
        out[i] = all[other];
        all[other] = all[i];
    }
}

/* Takes a free slot by weight. *total is the weight of all free ones. */
static size_t take_slot(struct tare_rng *rng, uint64_t *weights, size_t n, uint64_t *total)
{
    uint64_t at = tare_rng_below(rng, *total);
    size_t slot = 0;
    while (slot + 1 < n && at >= weights[slot]) {
        at -= weights[slot++];
    }
    *total -= weights[slot];
    weights[slot] = 0;
    return slot;
}

static void draw_slots(const struct mqar *task, struct tare_rng *rng, size_t n_pairs, size_t n_slots,
                       uint32_t *asked)
{
    uint64_t weights[SLOTS_MAX] = {0};
    uint64_t total = 0;
    for (size_t i = 0; i < n_slots; i++) {
        weights[i] = task->gaps == GAPS_POWER ? ((uint64_t)1 << 40) / (i + 1) : 1;
        total += weights[i];
        asked[i] = 0;
    }
    for (uint32_t pair = 0; pair < n_pairs; pair++) {
        asked[take_slot(rng, weights, n_slots, &total)] = pair + 1;
    }
}

static void put_filler(const struct mqar *task, struct tare_draft *draft, struct tare_rng *rng)
{
    if (task->filler == FILLER_DOTS) {
        tare_draft_puts(draft, " .");
    } else {
        tare_symbol_put(draft, tare_rng_below(rng, (uint64_t)task->symbols), (uint64_t)task->symbols);
    }
}

static void generate(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level)
{
    const struct mqar *task = (const struct mqar *)self;
    uint64_t n = (uint64_t)task->symbols;
    size_t n_pairs = (size_t)level;
    size_t n_slots = (size_t)length_of(task, level) / 2 - n_pairs;
    struct draw draw;
    draw_different(rng, 1, (uint32_t)n / 2 - 1, draw.keys, n_pairs);
    draw_different(rng, (uint32_t)n / 2, (uint32_t)n / 2, draw.values, n_pairs);
    draw_slots(task, rng, n_pairs, n_slots, draw.asked);
    tare_draft_puts(draft, "Q:");
    for (size_t i = 0; i < n_pairs; i++) {
        tare_symbol_put(draft, draw.keys[i], n);
        tare_symbol_put(draft, draw.values[i], n);
    }
    for (size_t i = 0; i < n_slots; i++) {
        if (draw.asked[i]) {
            tare_symbol_put(draft, draw.keys[draw.asked[i] - 1], n);
            tare_symbol_grade(draft, draw.values[draw.asked[i] - 1], n);
        } else {
            put_filler(task, draft, rng);
            put_filler(task, draft, rng);
        }
    }
    tare_draft_end_prompt(draft);
    tare_draft_putc(draft, '\n');
}

static const struct tare_synthetic_spec spec = {
    .name = "mqar", .n_levels = 3, .levels = {4, 8, 16}, .least_level = 1, .generate = generate};

static int check_level(const struct mqar *task, int64_t level, struct tare_err *err)
{
    int64_t length = length_of(task, level);
    if (length % 2 != 0 || 4 * level > length) {
        return tare_err_set(
            err, TARE_E_USAGE,
            "task mqar: length=%lld does not hold %lld pairs and as many questions in pairs of "
            "symbols; give an even number of at least %lld",
            (long long)length, (long long)level, 4 * (long long)level);
    }
    if (level > task->symbols / 2 - 1) {
        return tare_err_set(err, TARE_E_USAGE,
                            "task mqar: %lld symbols have only %lld keys for %lld pairs; give symbols=%lld",
                            (long long)task->symbols, (long long)task->symbols / 2 - 1, (long long)level,
                            2 * (long long)level + 2);
    }
    return 0;
}

static int open_task(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err)
{
    const struct mqar *task = self;
    int rc = 0;
    (void)data_dir;
    if (task->symbols % 2 != 0) {
        return tare_err_set(
            err, TARE_E_USAGE,
            "task mqar: symbols=%lld cannot be halved into keys and values; give an even number",
            (long long)task->symbols);
    }
    for (size_t i = 0; rc == 0 && i < (task->set.level ? 1 : spec.n_levels); i++) {
        rc = check_level(task, task->set.level ? task->set.level : spec.levels[i], err);
    }
    return rc ? rc : tare_synthetic_open(self, &spec, seed, err);
}

static const char *const gaps[] = {"power", "uniform", NULL};
static const char *const fillers[] = {"symbols", "dots", NULL};

static const struct tare_opt options[] = {
    TARE_SYNTHETIC_OPT_ITEMS,
    TARE_SYNTHETIC_OPT_LEVEL("only this many pairs; 0: 4, 8 and 16 in turn", PAIRS_MAX),
    {.name = "symbols",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct mqar, symbols),
     .def = "52",
     .help = "different symbols, an even number; half are keys, half values",
     .min = 4,
     .max = SYMBOLS_MAX},
    {.name = "length",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct mqar, length),
     .def = "0",
     .help = "symbols of a text; 0: 64, 128, 256, 512 for 4, 8, 16, 64 pairs",
     .min = 0,
     .max = LENGTH_MAX},
    {.name = "gaps",
     .type = TARE_OPT_CHOICE,
     .offset = offsetof(struct mqar, gaps),
     .def = "power",
     .help = "questions mostly near the pairs, or anywhere alike",
     .choices = gaps},
    {.name = "filler",
     .type = TARE_OPT_CHOICE,
     .offset = offsetof(struct mqar, filler),
     .def = "symbols",
     .help = "what stands where nothing is asked",
     .choices = fillers},
    TARE_SYNTHETIC_OPT_SPLIT,
    TARE_OPT_END,
};

const struct tare_task tare_task_mqar = {
    .header = TARE_TASK_HEADER,
    .name = "mqar",
    .summary = "values of several keys amid a text (multi-query associative recall, in text)",
    .version = 1,
    .priv_size = sizeof(struct mqar),
    .options = options,
    .metrics = tare_synthetic_metrics,
    .open = open_task,
    .count = tare_synthetic_count,
    .item = tare_synthetic_item,
    .close = tare_synthetic_close,
};
