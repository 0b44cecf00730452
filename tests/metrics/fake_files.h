/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of small files that stands for /proc or /sys in a test. */
#ifndef TARE_TESTS_METRICS_FAKE_FILES_H
#define TARE_TESTS_METRICS_FAKE_FILES_H

struct fake_files {
    char dir[64];
};

void fake_files_open(struct fake_files *f);
/* Writes dir/path, making its folders. */
void fake_files_put(const struct fake_files *f, const char *path, const char *text);
/* Removes all of it. */
void fake_files_close(struct fake_files *f);

#endif
