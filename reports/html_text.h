/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cells of the HTML format are made of: escaped text, values that link to where they come from, and
 * the list of those origins, each once. Internal to the format; the page around them is html.c's.
 */
#ifndef TARE_REPORTS_HTML_TEXT_H
#define TARE_REPORTS_HTML_TEXT_H

#include "text.h"

/* Where quantities come from: those alike in kind, unit, source, scope, n and interval share an entry. */
struct tare_html_origins {
    struct tare_quantity *list; /* strings are the table's */
    size_t n, room;
    bool failed; /* memory was refused */
};

/* The entry of the quantity, from 0; a new one where it has none yet. */
size_t tare_html_origin(struct tare_html_origins *origins, const struct tare_quantity *q);
/* Text between tags and in quoted attributes. Newlines stay; other controls become U+FFFD. */
void tare_html_put(FILE *to, const char *text);
/* The shortest digits that read back as the value. */
void tare_html_put_double(FILE *to, double value);
/* An SVG element with a title and a description for those who cannot see it, numbered for its ids. */
void tare_html_put_picture(FILE *to, const struct tare_table_picture *picture, size_t number);
/* How text.c is to write cells; ctx is the origins. */
struct tare_text_style tare_html_style(struct tare_html_origins *origins);
/* The attributes of a cell that programs read, each with a blank before it. */
void tare_html_put_data(FILE *to, const struct tare_table_cell *settled);
void tare_html_put_origins(FILE *to, const struct tare_html_origins *origins);

#endif
