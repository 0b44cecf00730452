/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fixed table. Rows: a baseline, compressed variants, one of each way to be absent, and rows of
 * foreign text. Every number is made up, so that a reader of a golden file can check it against this.
 */
#include "fixed_table.h"

#include <math.h>

#define BOOTSTRAP "percentile bootstrap over items"
#define STUDENT   "Student's t over repeats"

#define TEXT(text_)                              \
    {                                            \
        .type = TARE_CELL_TEXT, .text = (text_), \
    }
#define ABSENT(mark_, reason_)                                       \
    {                                                                \
        .type = TARE_CELL_ABSENT, .mark = (mark_), .text = (reason_) \
    }
#define ENDED(outcome_, verdict_, reason_)                                                             \
    {                                                                                                  \
        .type = TARE_CELL_ABSENT, .outcome = TARE_CELL_##outcome_, .mark = "-", .verdict = (verdict_), \
        .text = (reason_)                                                                              \
    }
#define QUANTITY(...)                                    \
    {                                                    \
        .type = TARE_CELL_QUANTITY, .q = { __VA_ARGS__ } \
    }
#define LOSS(value_, low_, high_, ...) LOSS_BY(value_, low_, high_, 0.95, BOOTSTRAP, __VA_ARGS__)
#define LOSS_BY(value_, low_, high_, level_, method_, ...)                                               \
    QUANTITY(.value = (value_), .unit = "bit/B", .kind = TARE_KIND_MEASURED, .source = "score requests", \
             .scope = "process", .n = 512, .n_what = "items", .has_interval = true, .low = (low_),       \
             .high = (high_), .level = (level_), .method = (method_), .decimals = 3, __VA_ARGS__)
#define ACCURACY(value_, low_, high_, ...)                                                             \
    QUANTITY(.value = (value_), .unit = "1", .kind = TARE_KIND_MEASURED, .source = "score requests",   \
             .scope = "process", .n = 512, .n_what = "items", .has_interval = true, .low = (low_),     \
             .high = (high_), .level = 0.95, .method = BOOTSTRAP, .decimals = 1, .display_scale = 100, \
             __VA_ARGS__)
#define LATENCY(value_, low_, high_, n_, ...)                                                          \
    QUANTITY(.value = (value_), .unit = "ns", .kind = TARE_KIND_MEASURED, .source = "CLOCK_MONOTONIC", \
             .scope = "wall", .n = (n_), .n_what = "repeats", .has_interval = true, .low = (low_),     \
             .high = (high_), .level = 0.95, .method = STUDENT, .decimals = 2, .display_scale = 1e-6,  \
             __VA_ARGS__)
#define ENERGY(value_, kind_, source_, ...)                                                            \
    QUANTITY(.value = (value_), .unit = "J", .kind = (kind_), .source = (source_), .scope = "package", \
             .n = 5, .n_what = "repeats", .decimals = 3, .display_scale = 1000, __VA_ARGS__)
#define BYTES(value_, ...)                                                                               \
    QUANTITY(.value = (value_), .unit = "B", .kind = TARE_KIND_COUNTED, .source = "weight file", .n = 0, \
             .decimals = 1, .display_scale = 1.0 / 1048576, __VA_ARGS__)

static const struct tare_table_column columns[fixed_columns] = {
    {.key = "method", .header = "Method"},
    {.key = "bits", .header = "Bits", .help = "bits per weight"},
    {.key = "bits_per_byte@text", .header = "Bits per byte", .unit = "bit/B", .better = TARE_BETTER_LOWER},
    {.key = "accuracy@mqar", .header = "MQAR", .unit = "%", .better = TARE_BETTER_HIGHER},
    {.key = "ttft_p50", .header = "TTFT p50", .unit = "ms", .better = TARE_BETTER_LOWER},
    {.key = "energy_per_token", .header = "Energy per token", .unit = "mJ", .better = TARE_BETTER_LOWER},
    {.key = "weight_bytes", .header = "Weights", .unit = "MiB", .better = TARE_BETTER_LOWER},
    {.key = "remark", .header = "Remark | π"},
};

static const struct tare_table_cell cells[fixed_rows * fixed_columns] = {
    /* all there, two intervals known */
    TEXT("dense"),
    TEXT("32"),
    LOSS(1.2345, 1.21, 1.259, .best = true),
    ACCURACY(0.914, 0.887, 0.936, .best = true),
    LATENCY(12345678.0, 12.1e6, 12.6e6, 5, .flags = "", .second = true, .ratio = 1),
    ENERGY(0.0123, TARE_KIND_MEASURED, "powercap package-0", .has_interval = true, .low = 0.0119,
           .high = 0.0127, .level = 0.95, .method = STUDENT),
    BYTES(109051904.0, .flags = ""),
    TEXT("the \"baseline\""),
    /* flags, a modelled value among measured ones, a tie */
    TEXT("RTN int8"),
    TEXT("8"),
    LOSS(1.2409, 1.216, 1.266, .flags = "few_items"),
    ACCURACY(0.914, 0.887, 0.936, .best = true),
    LATENCY(9876543.0, 9.5e6, 10.25e6, 5, .best = true, .ratio = 1.25, .ratio_low = 1.2, .ratio_high = 1.3,
            .flags = "thermal_throttle , few_items"),
    ENERGY(0.0098, TARE_KIND_MODELLED, "16 W of thermal design power", .method = "none",
           .flags = "thermal_throttle"),
    BYTES(27262976.0, .best = true),
    {.type = TARE_CELL_EMPTY},
    /* each mark */
    TEXT("GPTQ"),
    TEXT("4"),
    ABSENT("OOM", "killed at 2 GiB in load"),
    ABSENT("OOM", "killed at 2 GiB in load"),
    ABSENT("-", "not asked for by the plan"),
    ABSENT("-", "not asked for by the plan"),
    BYTES(13631488.5, .flags = NULL, .ratio = 8),
    TEXT("with | pipe and \\ backslash"),
    TEXT("Wanda 2:4"),
    TEXT("16"),
    ABSENT("CRASH", "SIGSEGV in measure"),
    ABSENT("TIMEOUT", "no answer in 600 s"),
    ABSENT("FAIL", "did not converge: loss | NaN"),
    ABSENT(NULL, NULL),
    ABSENT("CRASH", ""),
    TEXT("two\nlines, a \"quote\" and a comma"),
    /* numbers that are none, a bound that is none, a raw unit that is not the column's */
    TEXT("Mamba-淡 é"),
    TEXT("16"),
    LOSS((double)NAN, 1, 2, .best = true),
    ACCURACY(0.5, -HUGE_VAL, 0.6, .flags = "one_sided"),
    LATENCY(11111111.0, 11e6, 11.25e6, 3, .flags = ""),
    QUANTITY(.value = 0.25, .unit = "J", .kind = TARE_KIND_REPORTED, .source = "provider's usage record",
             .decimals = 2),
    BYTES(HUGE_VAL, .flags = ""),
    TEXT("naïve = ✓, a_b <i>*x*</i> `y` _z_"),
    /* other intervals than those of the rows above */
    TEXT("=RetNet, \"chunked\""),
    TEXT("16"),
    LOSS_BY(1.3, 1.2, 1.4, 0.9, "delta method", .flags = ""),
    ACCURACY(0.0, 0.0, 0.0071, .flags = ""),
    LATENCY(100.5e6, 99.25e6, 101.75e6, 7, .flags = "low_clock"),
    ENERGY(0.1, TARE_KIND_DECLARED, NULL, .flags = ""),
    BYTES(1.0, .flags = ""),
    TEXT("tab\tand bell\a and \x1b[31mred"),
    /* a value that rounds to a negative zero, values beyond the fixed notation */
    TEXT("H3"),
    TEXT("16"),
    LOSS(-0.0001, -0.0004, 0.0002, .flags = ""),
    ACCURACY(1.0, 0.9929, 1.0, .flags = ",, "),
    LATENCY(1e300, 0, 2e300, 5, .flags = ""),
    ENERGY(0.0421, TARE_KIND_COUNTED, "operations times joules", .flags = ""),
    BYTES(0.0, .flags = ""),
    TEXT("bad byte \xff here"),
    /* nothing but text */
    TEXT("RWKV-4"),
    {.type = TARE_CELL_EMPTY},
    {.type = TARE_CELL_EMPTY},
    {.type = TARE_CELL_EMPTY},
    {.type = TARE_CELL_EMPTY},
    {.type = TARE_CELL_EMPTY},
    {.type = TARE_CELL_EMPTY},
    TEXT(""),
    TEXT("AFT"),
    ABSENT("-", "the card does not say"),
    {.type = TARE_CELL_EMPTY},
    {.type = TARE_CELL_EMPTY},
    {.type = TARE_CELL_EMPTY},
    {.type = TARE_CELL_EMPTY},
    {.type = TARE_CELL_EMPTY},
    TEXT(NULL),
    /* each outcome that is no mark of the builder's own */
    TEXT("Sparse attention"),
    TEXT("16"),
    ENDED(INVALID, "INVALID", "THROTTLED: the clock fell by 20 %"),
    ENDED(SKIPPED, "SKIPPED", "the backend has no log-probabilities"),
    ENDED(OOM, "INVALID", "killed at 1 GiB in measure"),
    ENDED(TIMEOUT, "INVALID", "no answer in 60 s"),
    ENDED(MISSING, NULL, "not derived"),
    TEXT("$x_1^2$ & 100% #1 {b} ~ & <script>alert(1)</script>"),
};

static const char *const notes[] = {
    "Groups are compared within a column only.",
    "- A note that begins like a list, with a | pipe, and that is long enough to need more than the one line "
    "which a terminal of the usual width has for it.",
};

/* The heading of the second one is hostile. */
static const struct tare_table_group row_groups[] = {{1, 3, "Compression"}, {4, 3, "S_q & | <c>"}};
static const struct tare_table_group column_groups[] = {{2, 2, "Quality"}, {4, 3, "Cost"}};

static const struct tare_table_picture pictures[] = {
    {.title = "Loss & latency",
     .text = "Two points, RTN int8 left of dense.",
     .svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 40 20\"><circle cx=\"10\" cy=\"10\" "
            "r=\"3\"/>"
            "<circle cx=\"30\" cy=\"8\" r=\"3\"/></svg>"}};

const struct tare_table fixed_table = {
    .title = "Compression of a tiny model",
    .caption = "Batch 1, context 256, one thread.\nEvery figure of this table is invented.",
    .n_columns = fixed_columns,
    .n_rows = fixed_rows,
    .columns = columns,
    .cells = cells,
    .n_notes = sizeof notes / sizeof *notes,
    .notes = notes,
    .n_row_groups = sizeof row_groups / sizeof *row_groups,
    .row_groups = row_groups,
    .n_column_groups = sizeof column_groups / sizeof *column_groups,
    .column_groups = column_groups,
    .n_baseline_rows = 1,
    .n_pictures = sizeof pictures / sizeof *pictures,
    .pictures = pictures,
};
