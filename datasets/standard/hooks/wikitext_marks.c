/* SPDX-License-Identifier: Apache-2.0 */
/* Replacements in their order, each over the whole text from left to right; the order matters. */
#include "wikitext_marks.h"

#include "datasets/unicode/unicode.h"

#include <stdlib.h>
#include <string.h>

struct pair {
    const char *from, *to; /* `to` is no longer */
};

static const struct pair before_pairs[] = {{" @-@ ", "-"}, {" @,@ ", ","}, {" @.@ ", "."},
                                           {" : ", ": "},  {" ; ", "; "},  {" . ", ". "},
                                           {" ! ", "! "},  {" ? ", "? "},  {" , ", ", "}};
static const struct pair behind_pairs[] = {
    {"= = = =", "===="}, {"= = =", "==="}, {"= =", "=="},  {" \xc2\xb0 ", "\xc2\xb0"},
    {" \n", "\n"},       {"\n ", "\n"},    {" N ", " 1 "}, {" 's", "'s"}};
static const char openers[] = "([{\"'", closers[] = ")]}\"'";

static void replace(char *text, const struct pair *pair)
{
    size_t n_from = strlen(pair->from), n_to = strlen(pair->to);
    char *out = text;
    while (*text) {
        if (strncmp(text, pair->from, n_from) == 0) {
            memcpy(out, pair->to, n_to);
            out += n_to;
            text += n_from;
        } else {
            *out++ = *text++;
        }
    }
    *out = '\0';
}

static void replace_all(char *text, const struct pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        replace(text, &pairs[i]);
    }
}

/* A slash, an apostrophe, a blank, a digit, a slash: a slip of the original, which writes its own pattern
 * there. The one rule that makes a text longer: by 3 bytes for 5. */
static char *with_slip(const char *text)
{
    static const char slip[] = "/'[0-9]/";
    char *all = malloc(2 * strlen(text) + 1), *out = all;
    while (all && *text) {
        bool hit = strncmp(text, "/' ", 3) == 0 && text[3] >= '0' && text[3] <= '9' && text[4] == '/';
        if (hit) {
            memcpy(out, slip, sizeof slip - 1);
            out += sizeof slip - 1;
            text += 5;
        } else {
            *out++ = *text++;
        }
    }
    if (all) {
        *out = '\0';
    }
    return all;
}

/* White space just inside a pair is dropped. A pair ends at the next closing character; it may span lines. */
static void tighten(char *text, char opener, char closer)
{
    char *out = text;
    while (*text) {
        char *end = *text == opener ? strchr(text + 1, closer) : NULL;
        if (!end) {
            *out++ = *text++;
            continue;
        }
        struct tare_bytes inner = tare_unicode_strip((struct tare_bytes){text + 1, (size_t)(end - text) - 1});
        *out++ = opener;
        memmove(out, inner.data, inner.n);
        out += inner.n;
        *out++ = closer;
        text = end + 1;
    }
    *out = '\0';
}

char *tare_wikitext_join_marks(const char *text)
{
    char *copy = strdup(text);
    if (copy) {
        replace_all(copy, behind_pairs + 1, 2);
    }
    return copy;
}

int tare_wikitext_unmark(const char *text, char **out, struct tare_err *err)
{
    static const struct pair genitive = {"s '", "s'"};
    char *first = strdup(text);
    if (first) {
        replace(first, &genitive);
    }
    char *all = first ? with_slip(first) : NULL;
    free(first);
    if (!all) {
        return tare_err_set(err, TARE_E_NOMEM, "hook wikitext: out of memory");
    }
    replace_all(all, before_pairs, sizeof before_pairs / sizeof *before_pairs);
    for (size_t i = 0; openers[i]; i++) {
        tighten(all, openers[i], closers[i]);
    }
    replace_all(all, behind_pairs, sizeof behind_pairs / sizeof *behind_pairs);
    *out = all;
    return 0;
}
