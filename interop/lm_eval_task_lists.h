/* SPDX-License-Identifier: Apache-2.0 */
/* The lists in a task of lm-evaluation-harness: metrics, filters, generation settings. Private to interop/.
 */
#ifndef TARE_INTEROP_LM_EVAL_TASK_LISTS_H
#define TARE_INTEROP_LM_EVAL_TASK_LISTS_H

#include <tare/json.h>

/* A file on its way. */
struct tare_lm_eval_task {
    const struct tare_json *from;
    struct tare_json *to, *notes;
    const char *what;
    struct tare_err *err;
};

/* An error that names the file. Returns TARE_E_FORMAT. */
TARE_PRINTF(2, 3) int tare_lm_eval_task_bad(const struct tare_lm_eval_task *t, const char *fmt, ...);
/* Every key of the object is one of the words; else an error that names it and the nearest. */
TARE_MUST_CHECK int tare_lm_eval_task_known(const struct tare_lm_eval_task *t, const struct tare_json *object,
                                            const char *where, const char *const *words);
/* NULL where the key is absent or null. */
const struct tare_json *tare_lm_eval_task_get(const struct tare_json *object, const char *key);
/* A scalar as Python's str() shows it; other types are an error. Valid as long as the tree, or `room`. */
TARE_MUST_CHECK int tare_lm_eval_task_str(const struct tare_lm_eval_task *t, const struct tare_json *v,
                                          const char *where, char room[64], const char **out);

TARE_MUST_CHECK int tare_lm_eval_task_metrics(const struct tare_lm_eval_task *t, const char *output);
TARE_MUST_CHECK int tare_lm_eval_task_filters(const struct tare_lm_eval_task *t);
TARE_MUST_CHECK int tare_lm_eval_task_generation(const struct tare_lm_eval_task *t, const char *delimiter);

#endif
