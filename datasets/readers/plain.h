/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of foreign files: are they UTF-8, and how they are shown in a message. */
#ifndef TARE_DATASETS_READERS_PLAIN_H
#define TARE_DATASETS_READERS_PLAIN_H

#include <stddef.h>

/* How many bytes at the begin of text[0 .. n) are UTF-8 without NUL: n when all are. */
size_t tare_readers_valid(const char *text, size_t n);
enum { TARE_READERS_SHOWN = 81 };
/* The begin of the text with anything but printable ASCII as '?', in out. Returns out. */
const char *tare_readers_show(const char *text, char out[TARE_READERS_SHOWN]);

#endif
