/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of files for a test, and a task that is opened on it. */
#ifndef TESTS_DATASETS_STANDARD_FILES_H
#define TESTS_DATASETS_STANDARD_FILES_H

#include <tare/standard.h>

/* Makes the folder, once a test; removed with all that put_file has written. */
int make_files(void **state);
int remove_files(void **state);
const char *files_folder(void);
/* Path of a new file of that content. */
const char *put_file(const char *name, const char *text);

/* Removes the file that was put last. */
void drop_file(void);

struct opened_task {
    const struct tare_task *task;
    void *self;
    int rc; /* of what failed first; 0: it is open */
    struct tare_err err;
};

/* Opens a task file; options are "name=value" pairs, NULL ends; data is the folder unless they say another.
 */
struct opened_task open_file(const char *path, const char *const *options);
void close_file(struct opened_task *task);
/* The i-th item; the test fails if there is none. */
struct tare_item item_of(struct opened_task *task, size_t i);
void assert_text(struct tare_bytes text, const char *expected);

#endif
