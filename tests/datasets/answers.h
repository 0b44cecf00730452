/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkers of the synthetic tasks, one a task: form, answer and graded spans of one teacher-forced item.
 *
 * Each takes the item's text as a NUL-terminated line, asserts, and returns the length of the prompt.
 * What a set of items promises is test_synthetic.c's business.
 */
#ifndef TARE_TESTS_DATASETS_ANSWERS_H
#define TARE_TESTS_DATASETS_ANSWERS_H

#include <tare/task.h>

typedef size_t check_line(const char *line, const struct tare_item *item);

size_t answer_recall(const char *line, const struct tare_item *item);
size_t answer_copy(const char *line, const struct tare_item *item);
size_t answer_sort(const char *line, const struct tare_item *item);
size_t answer_add(const char *line, const struct tare_item *item);
size_t answer_calc(const char *line, const struct tare_item *item);
size_t answer_flip(const char *line, const struct tare_item *item);

#endif
