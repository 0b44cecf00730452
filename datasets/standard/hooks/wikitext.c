/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WikiText: lines become pages, and pages lose the marks of their tokenizer.
 *
 * A page is all lines from one heading of the first level to the next. A line is such a heading if, with "= =
 * =" and "= =" joined and blanks stripped, it begins with "= " and ends with " =". What stands before the
 * first is a page too unless it is blank. Lines are joined by line feeds; the last page alone ends with one,
 * as the file does (taken for granted). Gives `page` (without the marks), `words` and `bytes` of the page as
 * it was: words are the pieces between runs of white space, so that blanks at the ends add an empty piece
 * each.
 */
#include "datasets/standard/hooks.h"
#include "datasets/unicode/unicode.h"
#include "wikitext_marks.h"

#include <stdlib.h>
#include <string.h>

struct pages {
    char *text; /* of the page being gathered, lines with their ends */
    size_t n, cap;
};

/* "= = =" and then "= =" joined, blanks at the ends aside. */
static bool is_heading(const char *line)
{
    char *joined = tare_wikitext_join_marks(line);
    if (!joined) {
        return false;
    }
    struct tare_bytes t = tare_unicode_strip((struct tare_bytes){joined, strlen(joined)});
    bool heading = t.n >= 4 && memcmp(t.data, "= ", 2) == 0 && memcmp(t.data + t.n - 2, " =", 2) == 0;
    free(joined);
    return heading;
}

static int add_line(struct pages *p, const char *line, struct tare_err *err)
{
    size_t n = strlen(line);
    if (p->n + n + 2 > p->cap) {
        size_t cap = 2 * p->cap + n + 2;
        char *text = realloc(p->text, cap);
        if (!text) {
            return tare_err_set(err, TARE_E_NOMEM, "hook wikitext: out of memory");
        }
        p->text = text;
        p->cap = cap;
    }
    memcpy(p->text + p->n, line, n);
    p->n += n;
    p->text[p->n++] = '\n';
    p->text[p->n] = '\0';
    return 0;
}

/* Pieces between runs of white space; one more than there are runs. */
static int64_t count_words(struct tare_bytes text)
{
    int64_t words = 1;
    bool blank = false;
    for (size_t at = 0; at < text.n;) {
        bool space = tare_unicode_is_space(tare_unicode_next(text, &at));
        words += space && !blank;
        blank = space;
    }
    return words;
}

static bool is_blank(const struct pages *p)
{
    return tare_unicode_strip((struct tare_bytes){p->text, p->n}).n == 0;
}

static int end_page(struct pages *p, bool last, struct tare_documents_sink *to, struct tare_err *err)
{
    if (p->n > 0 && !last) {
        p->text[--p->n] = '\0';
    }
    if (p->n == 0 || is_blank(p)) {
        p->n = 0;
        return 0;
    }
    char *page = NULL;
    int r = tare_wikitext_unmark(p->text, &page, err);
    if (r < 0) {
        return r;
    }
    struct tare_json *doc = tare_json_new_object();
    tare_json_add_str(doc, "page", page);
    tare_json_add_i64(doc, "words", count_words((struct tare_bytes){p->text, p->n}));
    tare_json_add_i64(doc, "bytes", (int64_t)p->n);
    free(page);
    p->n = 0;
    return to->put(to, doc, err);
}

static int record(void *state, const struct tare_json *raw, struct tare_documents_sink *to,
                  struct tare_err *err)
{
    struct pages *p = state;
    const char *line = tare_json_str(tare_json_get(raw, "text"));
    if (!raw) {
        return end_page(p, true, to, err);
    }
    int r = line && is_heading(line) ? end_page(p, false, to, err) : 0;
    return r == 0 ? add_line(p, line ? line : "", err) : r;
}

static void close_pages(void *state)
{
    free(((struct pages *)state)->text);
}

extern const struct tare_hook tare_hook_wikitext;
const struct tare_hook tare_hook_wikitext = {.name = "wikitext",
                                             .summary = "pages out of lines, without the tokenizer's marks",
                                             .record = record,
                                             .state_size = sizeof(struct pages),
                                             .close = close_pages};
