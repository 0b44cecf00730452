/* SPDX-License-Identifier: Apache-2.0 */
/* A command line without a shell: no variables, no wildcards, nothing is ever run by the way. */
#include "words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* Copies one word to *to; returns where it ends, or NULL where a quote is left open. */
static const char *take_word(const char *text, char **to)
{
    char quote = '\0';
    for (; *text && (quote || !is_blank(*text)); text++) {
        if (quote ? *text == quote : *text == '\'' || *text == '"') {
            quote = quote ? '\0' : *text;
        } else if (*text == '\\' && quote != '\'' && text[1]) {
            *(*to)++ = *++text;
        } else {
            *(*to)++ = *text;
        }
    }
    *(*to)++ = '\0';
    return quote ? NULL : text;
}

int tare_words_split(const char *text, const char *what, char ***out, size_t *out_n, struct tare_err *err)
{
    size_t n_text = strlen(text), most = n_text / 2 + 2; /* a word and a blank take two bytes */
    char **list = malloc(most * sizeof *list + n_text + most);
    if (!list) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", what);
    }
    char *to = (char *)(void *)(list + most);
    size_t n = 0;
    while (text && *(text += strspn(text, " \t\n"))) {
        list[n++] = to;
        text = take_word(text, &to);
    }
    if (!text) {
        free(list);
        return tare_err_set(err, TARE_E_USAGE, "%s: a quote is not closed", what);
    }
    list[n] = NULL;
    *out = list;
    *out_n = n;
    return 0;
}
