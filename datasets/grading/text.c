/* SPDX-License-Identifier: Apache-2.0 */
/* Growing text and lists of words; see text.h. */
#include "datasets/grading/text.h"

#include "datasets/unicode/unicode.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_TEXT = 256, FIRST_WORDS = 64 };

/* Room for `more` bytes and a NUL. */
static bool grow(struct tare_string *text, size_t more)
{
    if (text->failed || more >= SIZE_MAX / 4 - text->n) {
        text->failed = true;
        return false;
    }
    if (text->n + more < text->cap) {
        return true;
    }
    size_t cap = text->cap ? text->cap : FIRST_TEXT;
    while (cap <= text->n + more) {
        cap *= 2;
    }
    char *data = realloc(text->data, cap);
    if (!data) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->cap = cap;
    return true;
}

void tare_string_add(struct tare_string *text, const char *data, size_t n)
{
    if (grow(text, n) && n > 0) {
        memcpy(text->data + text->n, data, n);
        text->n += n;
    }
}

void tare_string_puts(struct tare_string *text, const char *data)
{
    tare_string_add(text, data, strlen(data));
}

void tare_string_putc(struct tare_string *text, char c)
{
    tare_string_add(text, &c, 1);
}

void tare_string_clear(struct tare_string *text)
{
    text->n = 0;
}

void tare_string_fini(struct tare_string *text)
{
    free(text->data);
    memset(text, 0, sizeof *text);
}

struct tare_bytes tare_string_bytes(const struct tare_string *text)
{
    return (struct tare_bytes){.data = text->data ? text->data : "", .n = text->n};
}

int tare_string_check(const struct tare_string *text, const char *what, struct tare_err *err)
{
    return text->failed ? tare_err_set(err, TARE_E_NOMEM, "no memory for %s", what) : 0;
}

int tare_string_take(struct tare_string *text, const char *what, char **out, size_t *out_n,
                     struct tare_err *err)
{
    (void)grow(text, 0);
    int r = tare_string_check(text, what, err);
    if (r < 0) {
        return r;
    }
    text->data[text->n] = '\0';
    *out = text->data;
    *out_n = text->n;
    memset(text, 0, sizeof *text);
    return 0;
}

/* The bytes that may follow a first one: how many, and the limits of the second (Unicode 15, table 3-7). */
struct lead {
    unsigned char first, last, more, low, high;
};

static const struct lead leads[] = {
    {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf}, {0xe1, 0xec, 2, 0x80, 0xbf},
    {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf}, {0xf0, 0xf0, 3, 0x90, 0xbf},
    {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

/* How many bytes of data[0 .. n) begin a character; *whole says whether they are one. n >= 1. */
static size_t begin_of_character(const unsigned char *data, size_t n, bool *whole)
{
    *whole = data[0] < 0x80;
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++) {
        const struct lead *lead = &leads[i];
        if (data[0] < lead->first || data[0] > lead->last) {
            continue;
        }
        size_t length = 1;
        unsigned char low = lead->low, high = lead->high;
        while (length <= lead->more && length < n && data[length] >= low && data[length] <= high) {
            length++;
            low = 0x80;
            high = 0xbf;
        }
        *whole = length == (size_t)lead->more + 1;
        return length;
    }
    return 1;
}

void tare_string_add_repaired(struct tare_string *text, struct tare_bytes data)
{
    for (size_t at = 0; at < data.n;) {
        bool whole;
        size_t n = begin_of_character((const unsigned char *)data.data + at, data.n - at, &whole);
        if (whole) {
            tare_string_add(text, data.data + at, n);
        } else {
            tare_string_puts(text, "\xef\xbf\xbd");
        }
        at += n;
    }
}

void tare_words_add(struct tare_words *words, struct tare_bytes word)
{
    if (words->n == words->cap && !words->failed) {
        size_t cap = words->cap ? 2 * words->cap : FIRST_WORDS;
        struct tare_bytes *list = realloc(words->list, cap * sizeof *list);
        if (list) {
            words->list = list;
            words->cap = cap;
        }
        words->failed = !list;
    }
    if (!words->failed) {
        words->list[words->n++] = word;
    }
}

void tare_words_split(struct tare_words *words, struct tare_bytes text)
{
    size_t begin = 0, at = 0;
    while (at < text.n) {
        size_t end = at;
        if (!tare_unicode_is_space(tare_unicode_next(text, &at))) {
            continue;
        }
        if (end > begin) {
            tare_words_add(words, (struct tare_bytes){.data = text.data + begin, .n = end - begin});
        }
        begin = at;
    }
    if (text.n > begin) {
        tare_words_add(words, (struct tare_bytes){.data = text.data + begin, .n = text.n - begin});
    }
}

void tare_words_fini(struct tare_words *words)
{
    free(words->list);
    memset(words, 0, sizeof *words);
}

int tare_plain_fault(int code, struct tare_err *err)
{
    char *text = err ? err->msg : NULL;
    for (size_t i = 0; text && text[i]; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) {
            text[i] = ' ';
        }
    }
    size_t n = text ? strlen(text) : 0;
    for (size_t at = 0; at < n; at++) {
        at += tare_unicode_valid((struct tare_bytes){text + at, n - at});
        if (at < n) {
            text[at] = '?';
        }
    }
    return code;
}
