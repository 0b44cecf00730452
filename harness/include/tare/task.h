/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The task contract: where items come from and how an answer is scored.
 *
 * A task produces items, as text; the harness turns an item into requests (tokenizing, windows,
 * context split, stop strings), sends them and grades the answers by the item's kind. A task neither
 * sees a backend nor a result. Items are numbered 0 .. count-1 and depend only on the options and the
 * seed, so a run can be resumed at any item.
 */
#ifndef TARE_TASK_H
#define TARE_TASK_H

#include <stdbool.h>
#include <tare/json.h>
#include <tare/opt.h>
#include <tare/plugin.h>
#include <tare/rng.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TARE_TASK_ABI 1u

/* Of a task's own numbers of an item. */
#define TARE_MAX_COLUMNS 32u

/*
 * How an item is asked and graded. num, den and exact are what a sample stores.
 *
 * TEXT      The whole text, cut into windows of the model's context; num = nats, den = bytes.
 * SPANS     The text, teacher-forced; a token is graded if its bytes overlap a span, and right if it
 *           is the most probable one; num = right tokens, den = graded tokens, exact = all right.
 * CHOICE    text + each choice, tokenized apart; the likeliest choice is picked; num = exact =
 *           picked gold, den = 1. With `contexts` each choice has a context of its own.
 * GENERATE  Greedy continuation of text, or of its first n_tokens tokens, up to a stop string; exact = equals
 * `reference` (if any); no num and den. TOKENS    Like GENERATE from n_tokens copies of a byte; needs no
 * tokenizer and is not graded.
 */
enum tare_item_kind {
    TARE_ITEM_TEXT = 1,
    TARE_ITEM_SPANS,
    TARE_ITEM_CHOICE,
    TARE_ITEM_GENERATE,
    TARE_ITEM_TOKENS
};

struct tare_bytes {
    const char *data;
    size_t n;
};

/* Byte range [begin, end) of an item's text. */
struct tare_span {
    uint32_t begin;
    uint32_t end;
};

/* Everything borrowed from the task and valid until its next call. */
struct tare_item {
    enum tare_item_kind kind;
    struct tare_bytes text;
    const struct tare_span *spans; /* SPANS: sorted, disjoint */
    size_t n_spans;
    const struct tare_bytes *choices; /* CHOICE */
    size_t n_choices;
    size_t gold;
    const struct tare_bytes *stops; /* GENERATE */
    size_t n_stops;
    struct tare_bytes reference; /* GENERATE: data NULL for none */
    uint32_t n_tokens;           /* TOKENS: prompt length; GENERATE: the prompt is cut to so many, the
                                  * beginning-of-sequence token included; 0: all of the text */
    uint32_t max_output;         /* GENERATE, TOKENS */
    int32_t level;               /* difficulty or length class; 0 if none */
    uint32_t n_picked;           /* CHOICE: the first so many may be picked, the rest is only asked; 0: all */
    const struct tare_bytes *contexts; /* CHOICE: what stands before each choice; NULL: text before all. Needs
                                        * TARE_CONVENTION_LM_EVAL */
};

/* What came back of one request of an item, in the order of its choices or windows. Borrowed. */
struct tare_answer {
    double loglik;            /* of what was scored, nats; NaN of a generation */
    bool greedy;              /* each scored token was the most probable one */
    struct tare_bytes output; /* of a generation, up to the stop string */
};

/* CHOICE: what the log-likelihood of a choice is divided by before the choices are compared. */
enum tare_choice_norm { TARE_NORM_NONE = 0, TARE_NORM_BYTES };

/*
 * By whose rules text becomes requests.
 *
 * OWN      Context and choice are tokenized apart, each window of a text starts afresh, and an item that does
 *          not fit the context is not asked.
 * LM_EVAL  As lm-evaluation-harness does: blanks at the end of the context belong to the choice; context and
 *          choice are tokenized as one text and cut by the number of the context's own tokens; windows of a
 *          text go on with one token of the window before; what does not fit is cut from the left.
 */
enum tare_convention { TARE_CONVENTION_OWN = 0, TARE_CONVENTION_LM_EVAL };

/* How a figure follows from the samples of a cell. */
enum tare_metric_rule {
    TARE_METRIC_RATIO = 1, /* scale * sum(num) / sum(den) over items */
    TARE_METRIC_EXACT,     /* share of items with exact = 1 */
    TARE_METRIC_SCORES     /* `aggregation` over columns of what the task's own `grade` gave */
};

struct tare_metric {
    const char *name; /* as in tables: bits_per_byte */
    enum tare_metric_rule rule;
    double scale;
    const char *unit; /* "bit/B", "1" */
    bool lower_is_better;
    const char *help;
    /* SCORES: a name of stats/lm_eval.h (mean, perplexity, ...), and the columns it works on. */
    const char *aggregation;
    uint32_t column;
    uint32_t n_columns;
};

struct tare_task {
    struct tare_plugin_header header; /* kind TARE_PLUGIN_TASK, abi TARE_TASK_ABI */
    const char *name;
    const char *summary;
    uint32_t version; /* raised when the same options would give other items or scores */
    uint32_t priv_size;
    const struct tare_opt *options;
    const struct tare_metric *metrics; /* name NULL ends the list; the first is the task's headline */
    enum tare_choice_norm norm;
    /* Untimed. data_dir holds the shipped data; seed is the task's own stream. */
    int (*open)(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err);
    size_t (*count)(void *self);
    int (*item)(void *self, size_t index, struct tare_item *out, struct tare_err *err);
    /* Optional: path of the i-th file the items were read from, to be hashed; NULL ends. Of an opened task,
     * or where `source_unopened` is set of one whose options are set. */
    const char *(*source)(void *self, size_t i);
    /* Only after an open that succeeded. */
    void (*close)(void *self);
    enum tare_convention convention;
    bool source_unopened;
    /*
     * Optional, both or none: a task that makes numbers of its own out of the answers. `columns` names them,
     * NULL ends. `grade` is called outside of everything timed, after the last item was asked, and fills
     * one number a column; NaN: this item has none. It may allocate.
     */
    const char *const *columns;
    int (*grade)(void *self, size_t index, const struct tare_answer *answers, size_t n, double *scores,
                 struct tare_err *err);
};

#define TARE_TASK_HEADER                                                                       \
    {                                                                                          \
        TARE_PLUGIN_MAGIC, TARE_PLUGIN_TASK, TARE_TASK_ABI, (uint32_t)sizeof(struct tare_task) \
    }

#ifdef __cplusplus
}
#endif
#endif
