/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TruthfulQA's multiple choice file: answers are the keys of an object whose order is that of the choices.
 *
 * Gives mc1_targets and mc2_targets as {"choices": [...], "labels": [...]}, which is how they are called
 * elsewhere; records that have them so already pass through.
 */
#include "datasets/standard/hooks.h"

#include <string.h>

static void add_targets(const struct tare_json *from, const char *key, struct tare_json *to)
{
    struct tare_json *targets = tare_json_add_object(to, key);
    struct tare_json *choices = tare_json_add_array(targets, "choices");
    struct tare_json *labels = tare_json_add_array(targets, "labels");
    for (const struct tare_json *v = tare_json_first(from); v; v = tare_json_next(v)) {
        tare_json_add_str(choices, NULL, tare_json_key(v));
        tare_json_add_i64(labels, NULL, (int64_t)tare_json_num(v));
    }
}

static int record(void *state, const struct tare_json *raw, struct tare_documents_sink *to,
                  struct tare_err *err)
{
    static const char *const names[] = {"mc1_targets", "mc2_targets"};
    const char *question = tare_json_str(tare_json_get(raw, "question"));
    (void)state;
    if (!raw) {
        return 0;
    }
    if (!question) {
        return tare_err_set(err, TARE_E_FORMAT, "hook truthfulqa: a record has no question");
    }
    struct tare_json *doc = tare_json_new_object();
    tare_json_add_str(doc, "question", question);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct tare_json *targets = tare_json_get(raw, names[i]);
        if (tare_json_get(targets, "choices")) {
            tare_json_add_copy(doc, names[i], targets);
        } else if (targets) {
            add_targets(targets, names[i], doc);
        }
    }
    return to->put(to, doc, err);
}

extern const struct tare_hook tare_hook_truthfulqa;
const struct tare_hook tare_hook_truthfulqa = {
    .name = "truthfulqa",
    .summary = "answers that are keys of an object become lists of choices and labels",
    .record = record};
