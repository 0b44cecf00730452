/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task files of lm-evaluation-harness (YAML) as task files of ours (JSON). docs/interop.md has the rules.
 *
 * What is converted is what can be: templates go over as they are and are not looked into here. Python code
 * (!function) and every key whose meaning would be lost is an error that names it. Keys that change no score
 * (tag, task_alias, ..) are left out and listed.
 */
#ifndef TARE_INTEROP_LM_EVAL_TASK_H
#define TARE_INTEROP_LM_EVAL_TASK_H

#include <tare/json.h>

/* The file with its includes merged in, of which the later and then the file itself win. */
TARE_MUST_CHECK int tare_lm_eval_task_load(const char *path, struct tare_json **out, struct tare_err *err);
/*
 * The task of a merged file. `what` names the file in messages. notes is an array of ours; texts are appended
 * that say what a person should know or complete (where the data has to lie, what was left out).
 */
TARE_MUST_CHECK int tare_lm_eval_task_convert(const struct tare_json *yaml, const char *what,
                                              struct tare_json **out, struct tare_json *notes,
                                              struct tare_err *err);

#endif
