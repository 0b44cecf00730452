/* SPDX-License-Identifier: Apache-2.0 */
/* Small files of /proc and /sys, read into the caller's memory with open, read, close: nothing is allocated.
 */
#ifndef TARE_METRICS_SYSFILE_H
#define TARE_METRICS_SYSFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The file's first n_text - 1 bytes, NUL-terminated, without a newline at the end. 0, or a negative errno;
 * text is "" then. */
int tare_sysfile_text(const char *path, char *text, size_t n_text);
/* The same with as many reads as it takes: lists (mounts, interfaces) come a page at a time. *whole (may be
 * NULL): the text had room for all of it. */
int tare_sysfile_whole(const char *path, char *text, size_t n_text, bool *whole);
/* The unsigned number that the file begins with. 0, or a negative errno; -EINVAL if it begins with none. */
int tare_sysfile_u64(const char *path, uint64_t *out);
/* The signed one. */
int tare_sysfile_i64(const char *path, int64_t *out);
/* The number behind `key` (whole words at a line's begin, such as "pswpin" or "VmHWM:") in a text. */
bool tare_sysfile_field(const char *text, const char *key, double *out);

#endif
