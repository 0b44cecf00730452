/* SPDX-License-Identifier: Apache-2.0 */
/* Doubling. */
#include "text.h"

#include <stdlib.h>
#include <string.h>

static bool reserve(struct text *text, size_t n)
{
    size_t cap = text->cap ? text->cap : 256;
    while (cap < n) {
        cap *= 2;
    }
    char *data = cap > text->cap ? realloc(text->data, cap) : text->data;
    text->failed = text->failed || !data;
    if (data) {
        text->data = data;
        text->cap = cap;
    }
    return !text->failed;
}

void text_add(struct text *text, const char *bytes, size_t n)
{
    if (text->failed || n >= ((size_t)-1) / 4 - text->n || !reserve(text, text->n + n + 1)) {
        text->failed = true;
        return;
    }
    if (n > 0) {
        memcpy(text->data + text->n, bytes, n);
    }
    text->n += n;
    text->data[text->n] = '\0';
}

void text_puts(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_clear(struct text *text)
{
    text->n = 0;
    text->failed = false;
}

void text_free(struct text *text)
{
    free(text->data);
    memset(text, 0, sizeof *text);
}
