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

/* Bytes of the UTF-8 character at text; 0: none, or one that XML may not hold. */
static size_t xml_length(const unsigned char *text)
{
    unsigned char c = text[0];
    size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool control = c < 0x20 && c != '\t' && c != '\n' && c != '\r';
    bool overlong = (c == 0xe0 && text[1] < 0xa0) || (c == 0xf0 && text[1] < 0x90);
    bool beyond = (c == 0xf4 && text[1] > 0x8f) || (c == 0xed && text[1] > 0x9f);
    bool none = c == 0xef && text[1] == 0xbf && text[2] >= 0xbe; /* U+FFFE, U+FFFF */
    return control || overlong || beyond || none ? 0 : n;
}

void tare_gate_add_xml(struct tare_buf *to, const char *text)
{
    static const struct replacement table[] = {{'&', "&amp;"},  {'<', "&lt;"},  {'>', "&gt;"},  {'"', "&quot;"},
                                               {'\n', "&#10;"}, {'\r', "&#13;"}, {'\t', "&#9;"}, {0, NULL}};
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
    static const struct replacement table[] = {{'|', "\\|"},  {'\n', " "},    {'\r', " "},    {'<', "&lt;"}, {'>', "&gt;"},
                                               {'&', "&amp;"}, {'*', "\\*"},  {'`', "\\`"},   {'_', "\\_"},  {'[', "\\["},
                                               {']', "\\]"},  {'\\', "\\\\"}, {0, NULL}};
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
