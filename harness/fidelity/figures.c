/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over items, ratios of sums, and intervals that take items as the units. */
#include "fidelity/figures.h"

#include "stats/interval.h"

#include <stdlib.h>
#include <string.h>
#include <tare/kind.h>

static const double level = 0.95;
enum { seed = 1 };

static const char ruled_out[] = "infinite: at some position one model gives no probability at all to a token "
                                "that the other, or the text, has";

static const char cut_off[] =
    "unknown: the file does not tell how improbable the tokens are that lie 16 nats "
    "below its most probable one";

/* What is being made. num and den have room for all items. */
struct maker {
    const struct tare_fidelity_item *items;
    size_t n;
    const struct tare_fidelity_about *about;
    struct tare_fidelity_figures *to;
    double *num, *den;
    size_t n_units; /* of num and den */
    struct tare_err *err;
};

static void flag(struct tare_figure *f, const char *word)
{
    size_t used = strlen(f->flags);
    (void)snprintf(f->flags + used, sizeof f->flags - used, "%s%s", used ? "," : "", word);
}

/* A new figure without a value; NULL where the list is full, which its size does not let happen. */
static struct tare_fidelity_figure *add(struct maker *m, const char *name, const char *unit, const char *help)
{
    if (m->to->n == TARE_FIDELITY_MOST_FIGURES) {
        return NULL;
    }
    struct tare_fidelity_figure *f = &m->to->list[m->to->n++];
    *f = (struct tare_fidelity_figure){.figure = {.name = name,
                                                  .value = (double)NAN,
                                                  .unit = unit,
                                                  .kind = TARE_KIND_COUNTED,
                                                  .source = m->about->source,
                                                  .scope = "task",
                                                  .n_what = m->about->unit,
                                                  .low = (double)NAN,
                                                  .high = (double)NAN,
                                                  .level = (double)NAN},
                                       .help = help,
                                       .se = (double)NAN};
    if (m->about->rounded) {
        flag(&f->figure, "TEACHER_ROUNDED");
    }
    if (m->about->partial) {
        flag(&f->figure, "ITEMS_FAILED");
    }
    return f;
}

static void put_interval(struct tare_figure *f, const struct tare_interval *i)
{
    f->method = i->method;
    if (i->ok) {
        f->low = i->low;
        f->high = i->high;
        f->level = i->level;
    }
}

/* The sum of that number, and those that it is divided by, of items that have any of the latter. */
static void take(struct maker *m, int num, int den)
{
    m->n_units = 0;
    for (size_t i = 0; i < m->n; i++) {
        if (m->items[i].sums[den] > 0) {
            m->num[m->n_units] = m->items[i].sums[num];
            m->den[m->n_units++] = m->items[i].sums[den];
        }
    }
}

static double total(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
    }
    return sum;
}

/* Covariance of the ratios x / w and y / w between units: n / (n - 1) sum (x - R w)(y - S w) / (sum w)^2. */
static double ratio_covariance(const double *x, const double *y, const double *w, size_t n)
{
    double bottom = total(w, n), r = total(x, n) / bottom, s = total(y, n) / bottom, sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (x[i] - r * w[i]) * (y[i] - s * w[i]);
    }
    return n < 2 ? (double)NAN : (double)n / (double)(n - 1) * sum / (bottom * bottom);
}

enum shape { SHARE_OF_TRIALS, ANY_NUMBER };

/* Out of num and den as they were taken. */
static int fill(struct maker *m, struct tare_fidelity_figure *f, enum shape shape, const char *otherwise)
{
    struct tare_interval interval = {.method = "n too small"};
    double bottom = total(m->den, m->n_units), value = total(m->num, m->n_units) / bottom;
    f->figure.n = (int64_t)m->n_units;
    if (!(bottom > 0) || !isfinite(value)) {
        f->figure.absent = !(bottom > 0) ? otherwise : m->about->rounded ? cut_off : ruled_out;
        return 0;
    }
    int r = 0;
    if (shape == SHARE_OF_TRIALS) {
        interval = tare_cluster_proportion(m->num, m->den, m->n_units, level);
    } else {
        r = tare_ratio_interval(m->num, m->den, m->n_units, level, seed, &interval, m->err);
    }
    f->figure.value = value;
    f->se = sqrt(ratio_covariance(m->num, m->num, m->den, m->n_units));
    put_interval(&f->figure, &interval);
    return r;
}

static int add_mean(struct maker *m, const char *name, const char *unit, enum shape shape, int num, int den,
                    const char *help)
{
    struct tare_fidelity_figure *f = add(m, name, unit, help);
    take(m, num, den);
    return f ? fill(m, f, shape, "no position of this kind") : 0;
}

static const struct {
    const char *name, *unit;
    enum shape shape;
    int sum;
    const char *help;
    int64_t least_vocab; /* without so many tokens it says nothing */
} means[] = {
    {"kl_teacher_student", "nat", ANY_NUMBER, TARE_SUM_KL_TS, "KL(teacher || student)", 1},
    {"kl_student_teacher", "nat", ANY_NUMBER, TARE_SUM_KL_ST, "KL(student || teacher)", 1},
    {"js_divergence", "nat", ANY_NUMBER, TARE_SUM_JS, "Jensen and Shannon's, 0 to ln 2", 1},
    {"probability_loyalty_e", "1", ANY_NUMBER, TARE_SUM_LOYALTY_E, "1 - sqrt(JS), JS in nats: 0.167 to 1", 1},
    {"probability_loyalty_2", "1", ANY_NUMBER, TARE_SUM_LOYALTY_2, "1 - sqrt(JS), JS in bits: 0 to 1", 1},
    {"top1_agreement", "1", SHARE_OF_TRIALS, TARE_SUM_SAME_TOP, "same most probable token (label loyalty)",
     1},
    {"top5_overlap", "1", ANY_NUMBER, TARE_SUM_COMMON_FEW, "share of the 5 most probable tokens in common",
     TARE_TOP_FEW},
    {"top10_overlap", "1", ANY_NUMBER, TARE_SUM_COMMON_MANY, "share of the 10 most probable tokens in common",
     TARE_TOP_MANY},
    {"top1_rank", "1", ANY_NUMBER, TARE_SUM_RANK, "rank of the teacher's first token in the student, from 1",
     1},
    {"top2_swapped", "1", SHARE_OF_TRIALS, TARE_SUM_SWAPPED,
     "student ranks the teacher's second token above its first", 2},
    {"teacher_entropy", "nat", ANY_NUMBER, TARE_SUM_ENTROPY, "of the teacher's distribution", 1},
};

static int add_means(struct maker *m)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof means / sizeof *means; i++) {
        if (m->about->n_vocab >= means[i].least_vocab) {
            r = add_mean(m, means[i].name, means[i].unit, means[i].shape, means[i].sum, TARE_SUM_POSITIONS,
                         means[i].help);
            continue;
        }
        struct tare_fidelity_figure *f = add(m, means[i].name, means[i].unit, means[i].help);
        if (f) {
            f->figure.absent = "the vocabulary has fewer tokens than that";
        }
    }
    return r;
}

/* exp of the difference, with its limits. The standard error is that of the exponential, linearised. */
static void add_ratio(struct maker *m, const struct tare_fidelity_figure *difference)
{
    struct tare_fidelity_figure *f =
        add(m, "ppl_ratio", "1", "perplexity of the student / that of the teacher, per token");
    if (f) {
        f->figure = difference->figure;
        f->figure.name = "ppl_ratio";
        f->figure.unit = "1";
        f->figure.value = exp(difference->figure.value);
        f->figure.low = exp(difference->figure.low);
        f->figure.high = exp(difference->figure.high);
        f->se = f->figure.value * difference->se;
    }
}

/* Between items, of the two log-perplexities; and what that is as a correlation. */
static int add_covariance(struct maker *m)
{
    double *student = calloc(m->n + 1, sizeof *student);
    struct tare_fidelity_figure *c = add(m, "log_ppl_covariance", "nat^2",
                                         "of the two mean log-perplexities, between items"),
                                *rho = add(m, "log_ppl_correlation", "1", "the same as a correlation");
    if (!student || !c || !rho) {
        free(student);
        return student ? 0 : tare_err_set(m->err, TARE_E_NOMEM, "out of memory");
    }
    take(m, TARE_SUM_NLL_S, TARE_SUM_POSITIONS);
    memcpy(student, m->num, m->n_units * sizeof *student);
    take(m, TARE_SUM_NLL_T, TARE_SUM_POSITIONS);
    double both = ratio_covariance(m->num, student, m->den, m->n_units),
           t = ratio_covariance(m->num, m->num, m->den, m->n_units),
           s = ratio_covariance(student, student, m->den, m->n_units);
    free(student);
    c->figure.n = rho->figure.n = (int64_t)m->n_units;
    c->figure.method = rho->figure.method = "no interval is made of it";
    c->figure.value = both;
    rho->figure.value = both / sqrt(t * s);
    const char *why = m->n_units < 2 ? "n too small, 2 items needed" : "no item differs from another";
    c->figure.absent = isfinite(both) ? NULL : why;
    rho->figure.absent = isfinite(rho->figure.value) ? NULL : why;
    return 0;
}

static int add_perplexities(struct maker *m)
{
    int r = add_mean(m, "log_ppl_teacher", "nat", ANY_NUMBER, TARE_SUM_NLL_T, TARE_SUM_POSITIONS,
                     "mean negative log-probability of a token of the text");
    r = r == 0 ? add_mean(m, "log_ppl_student", "nat", ANY_NUMBER, TARE_SUM_NLL_S, TARE_SUM_POSITIONS,
                          "the same of the student")
               : r;
    r = r == 0 ? add_mean(m, "log_ppl_difference", "nat", ANY_NUMBER, TARE_SUM_NLL_DIFFERENCE,
                          TARE_SUM_POSITIONS, "student's less teacher's, paired by token")
               : r;
    if (r == 0) {
        add_ratio(m, &m->to->list[m->to->n - 1]);
        r = add_covariance(m);
    }
    return r;
}

static const struct {
    const char *share, *kl, *agreement, *range;
} buckets[TARE_ENTROPY_BUCKETS] = {
    {"share_h1", "kl_teacher_student_h1", "top1_agreement_h1", "teacher's entropy below 0.1 nat"},
    {"share_h2", "kl_teacher_student_h2", "top1_agreement_h2", "teacher's entropy 0.1 to 0.5 nat"},
    {"share_h3", "kl_teacher_student_h3", "top1_agreement_h3", "teacher's entropy 0.5 to 1 nat"},
    {"share_h4", "kl_teacher_student_h4", "top1_agreement_h4", "teacher's entropy 1 to 2 nat"},
    {"share_h5", "kl_teacher_student_h5", "top1_agreement_h5", "teacher's entropy 2 to 4 nat"},
    {"share_h6", "kl_teacher_student_h6", "top1_agreement_h6", "teacher's entropy 4 nat and more"},
};

static int add_buckets(struct maker *m)
{
    int r = 0;
    for (int b = 0; r == 0 && b < TARE_ENTROPY_BUCKETS; b++) {
        r = add_mean(m, buckets[b].share, "1", SHARE_OF_TRIALS, TARE_SUM_BUCKETS + b, TARE_SUM_POSITIONS,
                     buckets[b].range);
        r = r == 0 ? add_mean(m, buckets[b].kl, "nat", ANY_NUMBER, TARE_SUM_KL_BUCKETS + b,
                              TARE_SUM_BUCKETS + b, buckets[b].range)
                   : r;
        r = r == 0 ? add_mean(m, buckets[b].agreement, "1", SHARE_OF_TRIALS, TARE_SUM_TOP_BUCKETS + b,
                              TARE_SUM_BUCKETS + b, buckets[b].range)
                   : r;
    }
    return r;
}

/* Figures that are one number an item. NaN leaves the item out. */
enum of_item {
    SAME_PICK,
    LOST,
    WON,
    CHOICE_LOYALTY_E,
    CHOICE_LOYALTY_2,
    GREEDY_PREFIX,
    GREEDY_SAME,
    GREEDY_SHARE /* num of a ratio; its den is the teacher's output */
};

static double number_of(const struct tare_fidelity_item *i, enum of_item what)
{
    switch (what) {
    case SAME_PICK:
        return i->is_choice ? i->same_pick : (double)NAN;
    case LOST:
        return i->is_choice ? i->right_t && !i->right_s : (double)NAN;
    case WON:
        return i->is_choice ? !i->right_t && i->right_s : (double)NAN;
    case CHOICE_LOYALTY_E:
        return i->is_choice ? 1 - sqrt(i->choice_js) : (double)NAN;
    case CHOICE_LOYALTY_2:
        return i->is_choice ? 1 - sqrt(i->choice_js / log(2)) : (double)NAN;
    case GREEDY_SAME:
        return i->is_generated ? i->common == i->output_t && i->common == i->output_s : (double)NAN;
    default:
        return i->is_generated ? i->common : (double)NAN;
    }
}

static int add_of_items(struct maker *m, const char *name, const char *unit, enum shape shape,
                        enum of_item what, const char *help)
{
    struct tare_fidelity_figure *f = add(m, name, unit, help);
    m->n_units = 0;
    for (size_t i = 0; i < m->n; i++) {
        double number = number_of(&m->items[i], what);
        double den = what == GREEDY_SHARE ? m->items[i].output_t : 1;
        if (!isnan(number) && den > 0) {
            m->num[m->n_units] = number;
            m->den[m->n_units++] = den;
        }
    }
    return f ? fill(m, f, shape, "no item of this kind") : 0;
}

static int add_choices(struct maker *m)
{
    int r = add_of_items(m, "choice_agreement", "1", SHARE_OF_TRIALS, SAME_PICK,
                         "same choice picked (label loyalty of the task)");
    r = r == 0 ? add_of_items(m, "choice_flips_lost", "1", SHARE_OF_TRIALS, LOST,
                              "items that the teacher alone has right")
               : r;
    r = r == 0 ? add_of_items(m, "choice_flips_won", "1", SHARE_OF_TRIALS, WON,
                              "items that the student alone has right")
               : r;
    r = r == 0 ? add_of_items(m, "choice_loyalty_e", "1", ANY_NUMBER, CHOICE_LOYALTY_E,
                              "1 - sqrt(JS) of the distributions over the choices, nats")
               : r;
    return r == 0 ? add_of_items(m, "choice_loyalty_2", "1", ANY_NUMBER, CHOICE_LOYALTY_2, "the same, bits")
                  : r;
}

/* Where both end alike nobody knows how far they would have gone together. */
static int add_generated(struct maker *m)
{
    bool censored = false;
    int r = add_of_items(m, "greedy_prefix", "tok", ANY_NUMBER, GREEDY_PREFIX,
                         "tokens before two greedy texts part");
    struct tare_figure *prefix = &m->to->list[m->to->n - 1].figure;
    for (size_t i = 0; i < m->n; i++) {
        censored = censored || number_of(&m->items[i], GREEDY_SAME) > 0;
    }
    if (censored) {
        flag(prefix, "CENSORED");
    }
    r = r == 0 ? add_of_items(m, "greedy_share", "1", ANY_NUMBER, GREEDY_SHARE,
                              "share of the teacher's greedy tokens before they part")
               : r;
    return r == 0 ? add_of_items(m, "greedy_identical", "1", SHARE_OF_TRIALS, GREEDY_SAME,
                                 "greedy texts that are equal to the end")
                  : r;
}

static int make(struct maker *m)
{
    bool rows = false, choices = false, generated = false;
    for (size_t i = 0; i < m->n; i++) {
        rows = rows || m->items[i].sums[TARE_SUM_POSITIONS] > 0;
        choices = choices || m->items[i].is_choice;
        generated = generated || m->items[i].is_generated;
    }
    int r = rows ? add_means(m) : 0;
    r = r == 0 && rows ? add_perplexities(m) : r;
    r = r == 0 && rows ? add_buckets(m) : r;
    r = r == 0 && choices ? add_choices(m) : r;
    return r == 0 && generated ? add_generated(m) : r;
}

int tare_fidelity_figures(const struct tare_fidelity_item *items, size_t n,
                          const struct tare_fidelity_about *about, struct tare_fidelity_figures *out,
                          struct tare_err *err)
{
    struct maker m = {.items = items,
                      .n = n,
                      .about = about,
                      .to = out,
                      .num = calloc(n + 1, sizeof *m.num),
                      .den = calloc(n + 1, sizeof *m.den),
                      .err = err};
    memset(out, 0, sizeof *out);
    int r = m.num && m.den ? make(&m) : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    free(m.num);
    free(m.den);
    return r;
}

const struct tare_fidelity_figure *tare_fidelity_find(const struct tare_fidelity_figures *figures,
                                                      const char *name)
{
    for (size_t i = 0; i < figures->n; i++) {
        if (strcmp(figures->list[i].figure.name, name) == 0) {
            return &figures->list[i];
        }
    }
    return NULL;
}
