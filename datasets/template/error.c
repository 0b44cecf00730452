/* SPDX-License-Identifier: Apache-2.0 */
/* Where in the template something is wrong. */
#include "tree.h"

#include "datasets/unicode/unicode.h"

#include <string.h>

/* A message is one line, and what it quotes may hold others. */
static void make_plain(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f) {
            *text = ' ';
        }
    }
}

int tare_tpl_error(const struct tare_template *t, size_t at, int code, struct tare_err *err, const char *fmt,
                   ...)
{
    char message[320];
    size_t line = 1, begin = 0;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    make_plain(message);
    for (size_t i = 0; i < at; i++) {
        if (t->source[i] == '\n') {
            line++;
            begin = i + 1;
        }
    }
    return tare_err_set(err, code, "%.120s: line %zu, column %zu: %s", t->what, line,
                        1 + tare_unicode_chars((struct tare_bytes){t->source + begin, at - begin}), message);
}
