/* SPDX-License-Identifier: Apache-2.0 */
/* One loop over characters, and a table of replacements for each format. */
#include "escape.h"

#include <stdbool.h>
#include <string.h>

struct replacement {
    char c;
    const char *by;
};

static const char *find(const struct replacement *table, char c)
{
    for (; table->by; table++) {
        if (table->c == c) {
            return table->by;
        }
    }
    return NULL;
}

static void add(struct tare_buf *to, const char *text, const struct replacement *table)
{
    for (; *text; text++) {
        const char *by = find(table, *text);
        if (by) {
            tare_buf_add_str(to, by);
        } else {
            tare_buf_add(to, text, 1);
        }
    }
}

/* Bytes of the character whose first byte this is; 0: none begins so. */
static size_t length_by_first(unsigned char c)
{
    static const struct {
        unsigned char from, to;
        size_t n;
    } rows[] = {{0x01, 0x7f, 1}, {0xc2, 0xdf, 2}, {0xe0, 0xef, 3}, {0xf0, 0xf4, 4}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (c >= rows[i].from && c <= rows[i].to) {
            return rows[i].n;
        }
    }
    return 0;
}

/* Overlong forms, surrogates, what lies beyond Unicode, and the two characters that XML leaves out. */
static bool is_forbidden(const unsigned char *text)
{
    static const struct {
        unsigned char first, from, to;
    } rows[] = {{0xe0, 0x80, 0x9f}, {0xed, 0xa0, 0xbf}, {0xf0, 0x80, 0x8f}, {0xf4, 0x90, 0xbf}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (text[0] == rows[i].first && text[1] >= rows[i].from && text[1] <= rows[i].to) {
            return true;
        }
    }
    return text[0] == 0xef && text[1] == 0xbf && text[2] >= 0xbe;
}

/* Bytes of the UTF-8 character at text; 0: none, or one that XML may not hold. */
static size_t xml_length(const unsigned char *text)
{
    size_t n = length_by_first(text[0]);
    for (size_t i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool control = text[0] < 0x20 && !strchr("\t\n\r", text[0]);
    return control || (n > 1 && is_forbidden(text)) ? 0 : n;
}

void tare_gate_add_xml(struct tare_buf *to, const char *text)
{
    static const struct replacement table[] = {{'&', "&amp;"},  {'<', "&lt;"},   {'>', "&gt;"},
                                               {'"', "&quot;"}, {'\n', "&#10;"}, {'\r', "&#13;"},
                                               {'\t', "&#9;"},  {0, NULL}};
    while (*text) {
        size_t n = xml_length((const unsigned char *)text);
        const char *by = n == 1 ? find(table, *text) : n == 0 ? "?" : NULL;
        if (by) {
            tare_buf_add_str(to, by);
        } else {
            tare_buf_add(to, text, n);
        }
        text += n ? n : 1;
    }
}

void tare_gate_add_md(struct tare_buf *to, const char *text)
{
    static const struct replacement table[] = {
        {'|', "\\|"}, {'\n', " "},  {'\r', " "},  {'<', "&lt;"}, {'>', "&gt;"},  {'&', "&amp;"}, {'*', "\\*"},
        {'`', "\\`"}, {'_', "\\_"}, {'[', "\\["}, {']', "\\]"},  {'\\', "\\\\"}, {0, NULL}};
    add(to, text, table);
}

void tare_gate_add_github(struct tare_buf *to, const char *text, int is_property)
{
    static const struct replacement message[] = {{'%', "%25"}, {'\r', "%0D"}, {'\n', "%0A"}, {0, NULL}};
    static const struct replacement property[] = {{'%', "%25"}, {'\r', "%0D"}, {'\n', "%0A"},
                                                  {':', "%3A"}, {',', "%2C"},  {0, NULL}};
    add(to, text, is_property ? property : message);
}

void tare_gate_add_label(struct tare_buf *to, const char *text)
{
    static const struct replacement table[] = {{'\\', "\\\\"}, {'"', "\\\""}, {'\n', "\\n"}, {0, NULL}};
    add(to, text, table);
}
