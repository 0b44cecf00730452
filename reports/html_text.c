/* SPDX-License-Identifier: Apache-2.0 */
/* Cells of the HTML format, and where their values come from. Nothing foreign reaches the page unescaped, but
 * for pictures, which are ours. */
#include "html_text.h"
#include "utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *entity_of(uint32_t code)
{
    switch (code) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\t':
        return " ";
    case '\n':
        return "\n";
    default:
        return code == TARE_UTF8_BAD || tare_utf8_is_control(code) ? TARE_UTF8_PROXY : NULL;
    }
}

void tare_html_put(FILE *to, const char *text)
{
    uint32_t code;
    for (size_t n; (n = tare_utf8_next(text, &code)) > 0; text += n) {
        const char *entity = entity_of(code);
        if (code == '\r') {
            (void)fputs(text[1] == '\n' ? "" : "\n", to);
        } else if (entity) {
            (void)fputs(entity, to);
        } else {
            (void)fwrite(text, 1, n, to);
        }
    }
}

void tare_html_put_double(FILE *to, double value)
{
    char digits[64];
    for (int precision = 15; precision <= 17; precision++) {
        (void)snprintf(digits, sizeof digits, "%.*g", precision, value);
        double back = strtod(digits, NULL);
        if (back >= value && back <= value) {
            break;
        }
    }
    (void)fputs(digits, to);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || strcmp(tare_text_or_empty(a), tare_text_or_empty(b)) == 0;
}

static bool same_number(double a, double b)
{
    return a >= b && a <= b;
}

static bool same_interval(const struct tare_quantity *a, const struct tare_quantity *b)
{
    return a->has_interval == b->has_interval &&
           (!a->has_interval || (same_number(a->level, b->level) && same_text(a->method, b->method)));
}

static bool same_origin(const struct tare_quantity *a, const struct tare_quantity *b)
{
    return a->kind == b->kind && a->n == b->n && a->exact == b->exact && same_text(a->unit, b->unit) &&
           same_text(a->source, b->source) && same_text(a->scope, b->scope) &&
           same_text(a->n_what, b->n_what) && same_interval(a, b);
}

size_t tare_html_origin(struct tare_html_origins *origins, const struct tare_quantity *q)
{
    for (size_t i = origins->n; i > 0; i--) { /* neighbours are alike */
        if (same_origin(&origins->list[i - 1], q)) {
            return i - 1;
        }
    }
    if (origins->n == origins->room) {
        size_t room = origins->room ? 2 * origins->room : 64;
        struct tare_quantity *more = reallocarray(origins->list, room, sizeof *more);
        if (!more) {
            origins->failed = true;
            return 0;
        }
        origins->list = more;
        origins->room = room;
    }
    origins->list[origins->n] = *q;
    return origins->n++;
}

static void open_value(void *ctx, FILE *to, const struct tare_quantity *q)
{
    (void)fprintf(to, "<a href=#o%zu>%s", tare_html_origin(ctx, q) + 1,
                  q->best     ? "<b>"
                  : q->second ? "<u>"
                              : "");
}

static void close_value(void *ctx, FILE *to, const struct tare_quantity *q)
{
    (void)ctx;
    (void)fprintf(to, "%s</a>%s",
                  q->best     ? "</b>"
                  : q->second ? "</u>"
                              : "",
                  q->best     ? "<span class=k>best</span>"
                  : q->second ? "<span class=\"k k2\">second</span>"
                              : "");
}

static void put_mark(FILE *to, size_t number)
{
    (void)fprintf(to, "<a href=#n%zu>%zu</a>", number, number);
}

struct tare_text_style tare_html_style(struct tare_html_origins *origins)
{
    return (struct tare_text_style){TARE_TEXT_SIGNS,
                                    .put = tare_html_put,
                                    .put_mark = put_mark,
                                    .open = open_value,
                                    .close = close_value,
                                    .best_name = "<b>bold</b>, \"best\":",
                                    .second_name = "<u>underlined</u>, \"second\":",
                                    .interval_open = "<i>",
                                    .interval_close = "</i>",
                                    .marks_open = "<sup>",
                                    .marks_close = "</sup>",
                                    .ctx = origins};
}

static void put_number(FILE *to, const char *name, double value)
{
    if (isfinite(value)) {
        (void)fprintf(to, " data-%s=", name);
        tare_html_put_double(to, value);
    }
}

static void put_ratio(FILE *to, const struct tare_quantity *q)
{
    if (!tare_quantity_has_ratio(q)) {
        return;
    }
    (void)fprintf(to, " data-r=\"%.4g", q->ratio);
    if (tare_quantity_has_ratio_interval(q)) {
        (void)fprintf(to, " [%.4g, %.4g]", q->ratio_low, q->ratio_high);
    }
    (void)fputs("\"", to);
}

void tare_html_put_data(FILE *to, const struct tare_table_cell *settled)
{
    const struct tare_quantity *q = &settled->q;
    if (settled->type == TARE_CELL_QUANTITY) {
        put_number(to, "v", q->value);
        if (q->has_interval && isfinite(q->low) && isfinite(q->high) && !q->exact) {
            put_number(to, "l", q->low);
            put_number(to, "h", q->high);
        }
        put_ratio(to, q);
    } else if (settled->type == TARE_CELL_ABSENT) {
        (void)fprintf(to, " data-o=%s", tare_outcome_name(settled->outcome));
    }
    /* VALID is the rule, and left out. */
    bool worked = settled->type == TARE_CELL_QUANTITY || settled->type == TARE_CELL_ABSENT;
    if (worked && strcmp(tare_text_or_empty(settled->verdict), "VALID") != 0) {
        (void)fputs(" data-w=\"", to);
        tare_html_put(to, settled->verdict ? settled->verdict : "not judged");
        (void)fputs("\"", to);
    }
}

static void put_part(FILE *to, const char *name, const char *text)
{
    if (*tare_text_or_empty(text)) {
        (void)fprintf(to, "; %s <span data-k=%s>", name, name);
        tare_html_put(to, text);
        (void)fputs("</span>", to);
    }
}

static void put_origin(FILE *to, size_t number, const struct tare_quantity *q)
{
    (void)fprintf(to, "<li id=o%zu data-u=\"", number);
    tare_html_put(to, q->unit);
    (void)fprintf(to, "\"><span data-k=Kind>%s</span>", tare_kind_name((int)q->kind));
    put_part(to, "Unit", q->unit);
    put_part(to, "Scope", q->scope);
    put_part(to, "Source", *tare_text_or_empty(q->source) ? q->source : "not recorded");
    if (q->n > 0) {
        (void)fprintf(to, "; n <span data-k=n>%" PRId64 " ", q->n);
        tare_html_put(to, tare_text_or_empty(q->n_what));
        (void)fputs("</span>", to);
    }
    if (q->has_interval && q->level > 0 && q->level < 1) {
        (void)fprintf(to, "; Level <span data-k=Level>%.6g %%</span>", q->level * 100);
    }
    put_part(to, "Method", q->has_interval ? q->method : NULL);
    (void)fputs("\n", to);
}

void tare_html_put_origins(FILE *to, const struct tare_html_origins *origins)
{
    for (size_t i = 0; i < origins->n; i++) {
        put_origin(to, i + 1, &origins->list[i]);
    }
}

/* Where the tag that begins an element ends: its ">", not one within quotes. */
static const char *tag_end(const char *at)
{
    for (char quote = '\0'; *at && (quote || *at != '>'); at++) {
        if (quote ? *at == quote : *at == '"' || *at == '\'') {
            quote = quote ? '\0' : *at;
        }
    }
    return at;
}

void tare_html_put_picture(FILE *to, const struct tare_table_picture *picture, size_t number)
{
    const char *end = tag_end(picture->svg);
    size_t n = (size_t)(end - picture->svg);
    bool empty = n > 0 && end[-1] == '/';
    (void)fputs("<figure>", to);
    (void)fwrite(picture->svg, 1, empty ? n - 1 : n, to);
    (void)fprintf(to, " role=\"img\" aria-labelledby=\"p%zut p%zud\"><title id=\"p%zut\">", number, number,
                  number);
    tare_html_put(to, picture->title);
    (void)fprintf(to, "</title><desc id=\"p%zud\">", number);
    tare_html_put(to, picture->text);
    (void)fputs("</desc>", to);
    tare_utf8_put(to, empty ? "</svg>" : *end ? end + 1 : "</svg>");
    (void)fputs("<figcaption><b>", to);
    tare_html_put(to, picture->title);
    (void)fputs("</b> ", to);
    tare_html_put(to, picture->text);
    (void)fputs("</figcaption></figure>\n", to);
}
