/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of unknown origin on its way into a script, TeX and XML. gnuplot is always told `noenhanced`, and
 * single quotes keep it from escapes and back-quotes; so only the quote itself has to be doubled.
 */
#include "reports/plots/render.h"
#include "reports/utf8.h"

#include <string.h>

/* Controls, the marks that turn the direction of what follows, and what XML forbids. */
static bool is_harmful(uint32_t code)
{
    return tare_utf8_is_control(code) || (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0x2028 || code == 0x2029 || code == 0xfffe ||
           code == 0xffff;
}

void tare_plot_clean(struct tare_buf *to, const char *text, size_t max_chars)
{
    uint32_t code = 0;
    size_t n, done = 0, left = 0;
    for (const char *p = text; (n = tare_utf8_next(p, &code)) > 0; p += n) {
        left++;
    }
    for (; (n = tare_utf8_next(text, &code)) > 0; text += n, done++) {
        if (left > max_chars && done + 3 >= max_chars) {
            tare_buf_add_str(to, "...");
            return;
        }
        if (code == TARE_UTF8_BAD) {
            tare_buf_add_str(to, TARE_UTF8_PROXY);
        } else if (is_harmful(code)) {
            tare_buf_add_str(to, " ");
        } else {
            tare_buf_add(to, text, n);
        }
    }
}

/* Mean widths of DejaVu Sans and Helvetica at 12 px, the wider of the two. */
static double glyph(char c)
{
    return strchr("iljtfrI.,:;|'!()[]", c) ? 4.4
           : strchr("mwMWGOQ@%", c)        ? 10.6
           : c >= 'A' && c <= 'Z'          ? 8.4
                                           : 7.3;
}

double tare_plot_width(const char *text)
{
    double width = 0;
    uint32_t code = 0;
    for (size_t n; (n = tare_utf8_next(text, &code)) > 0; text += n) {
        width += n == 1 && *text ? glyph(*text) : 7.3 * (double)tare_utf8_width(text, n);
    }
    return width;
}

/* Latin, Greek, Cyrillic, Armenian; further Latin, punctuation, arrows, mathematics. */
static bool cairo_knows(uint32_t code)
{
    return code < 0x590 || (code >= 0x1e00 && code < 0x2c00) || code == 0xfffd;
}

static void put_cairo(struct tare_buf *to, const char *text)
{
    struct tare_buf clean;
    tare_buf_init(&clean, 1 << 16);
    tare_plot_clean(&clean, text, SIZE_MAX);
    uint32_t code = 0;
    const char *p = tare_buf_str(&clean);
    for (size_t n; (n = tare_utf8_next(p, &code)) > 0; p += n) {
        if (cairo_knows(code)) {
            tare_buf_add(to, p, n);
        } else {
            tare_buf_printf(to, "[U+%04X]", (unsigned)code);
        }
    }
    tare_buf_fini(&clean);
}

/* Back-quotes would run a command and "@" begins a macro, so they are written by their codes. */
static void put_quoted(struct tare_buf *to, char c, bool percent)
{
    if (c == '`' || c == '@') {
        tare_buf_printf(to, "\\%03o", (unsigned)c);
    } else if (c == '"' || c == '\\') {
        tare_buf_printf(to, "\\%c", c);
    } else {
        tare_buf_add(to, &c, 1);
    }
    if (c == '%' && percent) {
        tare_buf_add(to, &c, 1);
    }
}

void tare_plot_quote(struct tare_buf *to, const char *text, enum tare_letters letters, bool percent)
{
    struct tare_buf safe;
    tare_buf_init(&safe, 1 << 16);
    if (letters == TARE_LETTERS_TEX) {
        tare_plot_tex(&safe, text);
    } else if (letters == TARE_LETTERS_CAIRO) {
        put_cairo(&safe, text);
    } else {
        tare_plot_clean(&safe, text, SIZE_MAX);
    }
    tare_buf_add_str(to, "\"");
    for (const char *p = tare_buf_str(&safe); *p; p++) {
        put_quoted(to, *p, percent);
    }
    tare_buf_add_str(to, "\"");
    tare_buf_fini(&safe);
}

static const char *tex_of(uint32_t code)
{
    static const struct {
        uint32_t code;
        const char *tex;
    } specials[] = {
        {'\\', "\\textbackslash{}"},
        {'{', "\\{"},
        {'}', "\\}"},
        {'$', "\\$"},
        {'&', "\\&"},
        {'#', "\\#"},
        {'%', "\\%"},
        {'_', "\\_"},
        {'^', "\\textasciicircum{}"},
        {'~', "\\textasciitilde{}"},
        {'<', "\\ensuremath{<}"},
        {'>', "\\ensuremath{>}"},
        {'|', "\\ensuremath{|}"},
        {'"', "\\textquotedbl{}"},
        {'-', "-{}"},
        {'`', "\\textasciigrave{}"},
        {0xb5, "\\ensuremath{\\mu}"},
        {0x3bc, "\\ensuremath{\\mu}"},
        {0xb1, "\\ensuremath{\\pm}"},
        {0xd7, "\\ensuremath{\\times}"},
        {0x2013, "--"},
    };
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
        if (specials[i].code == code) {
            return specials[i].tex;
        }
    }
    return NULL;
}

/* Letters that every LaTeX of the last years reads as UTF-8 in every font. */
static bool tex_knows(uint32_t code)
{
    return code < 0x80 || (code >= 0xc0 && code <= 0xff && code != 0xd0 && code != 0xde && code != 0xf0 &&
                           code != 0xfe && code != 0xf7);
}

void tare_plot_tex(struct tare_buf *to, const char *text)
{
    struct tare_buf clean;
    tare_buf_init(&clean, 1 << 16);
    tare_plot_clean(&clean, text, SIZE_MAX);
    uint32_t code = 0;
    const char *p = tare_buf_str(&clean);
    for (size_t n; (n = tare_utf8_next(p, &code)) > 0; p += n) {
        const char *tex = tex_of(code);
        if (tex) {
            tare_buf_add_str(to, tex);
        } else if (tex_knows(code)) {
            tare_buf_add(to, p, n);
        } else { /* pdflatex has no letter for it, and would stop */
            tare_buf_printf(to, "[U+%04X]", (unsigned)code);
        }
    }
    tare_buf_fini(&clean);
}

void tare_plot_xml(struct tare_buf *to, const char *text)
{
    struct tare_buf clean;
    tare_buf_init(&clean, 1 << 16);
    tare_plot_clean(&clean, text, SIZE_MAX);
    for (const char *p = tare_buf_str(&clean); *p; p++) {
        const char *entity = *p == '&'    ? "&amp;"
                             : *p == '<'  ? "&lt;"
                             : *p == '>'  ? "&gt;"
                             : *p == '"'  ? "&quot;"
                             : *p == '\'' ? "&#39;"
                                          : NULL;
        if (entity) {
            tare_buf_add_str(to, entity);
        } else {
            tare_buf_add(to, p, 1);
        }
    }
    tare_buf_fini(&clean);
}
