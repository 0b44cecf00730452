/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that grow. A refused allocation is remembered, and what is added afterwards is dropped. */
#ifndef OPENAI_TEXT_H
#define OPENAI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *data; /* ends in a NUL once anything was added */
    size_t n, cap;
    bool failed;
};

void text_add(struct text *text, const char *bytes, size_t n);
void text_puts(struct text *text, const char *string);
void text_clear(struct text *text); /* keeps the memory */
void text_free(struct text *text);

#endif
