/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the linear layers of a model see on text: second moments of their inputs.
 *
 * The model is run over calibration text as it stands (dense, or with earlier layers already changed), and
 * each product's input is added to X^T X of the matrices it belongs to. Which text, and how much of it, is
 * part of a technique's parameters and recorded with the result.
 */
#ifndef TARE_NATIVE_CALIBRATION_H
#define TARE_NATIVE_CALIBRATION_H

#include "technique.h"

struct tare_calibration {
    const struct tare_treatment *treatment; /* borrowed */
    int32_t *tokens;                        /* owned: windows of `window` tokens one after the other */
    uint32_t window;
    uint32_t n_windows;
};

/* Moments of one matrix: h = sum over tokens of x x^T. */
struct tare_moments {
    double *h;   /* owned, [in, in], symmetric */
    double *abs; /* owned, [in]: sum of |x| */
    uint32_t in;
    int64_t tokens; /* that were summed over; 0: the layer was never used */
};

/* Which text, as the options of a technique: `calib` and `calib_tok` for a params struct `owner` with a
 * member `struct tare_calibration_choice calib`. */
struct tare_calibration_choice {
    char *path; /* owned by whoever parsed; NULL: the shipped text */
    int64_t most_tok;
    int64_t window_tok; /* 0: the context of the model */
};
/* clang-format off */
#define TARE_CALIBRATION_OPTIONS(owner)                                                              \
    {.name = "calib", .type = TARE_OPT_STR, .offset = offsetof(struct owner, calib.path),             \
     .help = "file of calibration text, documents apart by NUL; by default calibration.bin beside the model"}, \
    {.name = "calib_tok", .type = TARE_OPT_I64, .offset = offsetof(struct owner, calib.most_tok),     \
     .def = "16384", .help = "calibration tokens at most, in windows spread evenly over the text",   \
     .unit = "tok", .min = 2, .max = 1 << 24}
/* For what is done with moments: all queries look at the first token of a window, and in windows of the whole
 * context it counts so little that its keys are sacrificed. */
#define TARE_CALIBRATION_WINDOW(owner)                                                               \
    {.name = "calib_window", .type = TARE_OPT_I64, .offset = offsetof(struct owner, calib.window_tok), \
     .def = "128", .help = "tokens of a window; 0: the context of the model", .unit = "tok",         \
     .min = 0, .max = 1 << 24}
/* clang-format on */

/* Reads and cuts the text; path NULL: the calibration text shipped beside the model. Adds the tokens of
 * all windows to treatment->calibration_tok. */
TARE_MUST_CHECK int tare_calibration_open(struct tare_calibration *calibration,
                                          struct tare_treatment *treatment, const char *path,
                                          int64_t most_tokens, struct tare_err *err);
TARE_MUST_CHECK int tare_calibration_open_choice(struct tare_calibration *calibration,
                                                 struct tare_treatment *treatment,
                                                 const struct tare_calibration_choice *choice,
                                                 struct tare_err *err);
void tare_calibration_close(struct tare_calibration *calibration);

/* Runs the model and collects for the n matrices in `of`; out has n entries, each to be closed. */
TARE_MUST_CHECK int tare_calibration_collect(const struct tare_calibration *calibration,
                                             const struct tare_linear *const *of, size_t n,
                                             struct tare_moments *out, struct tare_err *err);
void tare_moments_close(struct tare_moments *moments);

#endif
