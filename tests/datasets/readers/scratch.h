/* SPDX-License-Identifier: Apache-2.0 */
/* A folder for the files of one test program, and records as text. */
#ifndef TARE_TESTS_READERS_SCRATCH_H
#define TARE_TESTS_READERS_SCRATCH_H

#include <stddef.h>
#include <tare/err.h>

#include "datasets/readers/reader.h"

/* cmocka group fixtures. */
int scratch_make(void **state);
int scratch_remove(void **state);
/* FOLDER/NAME; valid until the next but seven. */
const char *scratch_path(const char *name);
/* Writes a file and returns its path, as above. */
const char *scratch_write(const char *name, const void *data, size_t n);
/* The whole file; free(). NULL if there is none. */
char *scratch_read(const char *path, size_t *n);
/* How many things there are in the scratch folder, all the way down, itself not counted. */
size_t scratch_count(void);

/* Removes a folder with all that is in it. Returns 0. */
int scratch_remove_tree(const char *path);

/* All records of a file, each as JSON and a line feed; free() it. On failure NULL, and *err says why; what
 * was read before that is thrown away. */
char *scratch_records(const char *path, const struct tare_reader_options *options, struct tare_err *err);

#endif
