/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of unknown origin for LaTeX. The output is ASCII: accents and common signs become commands that every
 * encoding of fonts has, and a character beyond those is named by its number, since no stock font holds all
 * of Unicode and an unknown one would stop the compiler.
 */
#include "latex_text.h"
#include "utf8.h"

#include <string.h>

/* In ascending order. */
static const struct {
    uint32_t code;
    const char *text;
} signs[] = {
    {0x00a0, "~"},
    {0x00a1, "\\textexclamdown{}"},
    {0x00a3, "\\pounds{}"},
    {0x00a7, "\\S{}"},
    {0x00a9, "\\copyright{}"},
    {0x00ac, "$\\neg$"},
    {0x00b0, "$^{\\circ}$"},
    {0x00b1, "$\\pm$"},
    {0x00b2, "$^{2}$"},
    {0x00b3, "$^{3}$"},
    {0x00b5, "$\\mu$"},
    {0x00b6, "\\P{}"},
    {0x00b7, "$\\cdot$"},
    {0x00b9, "$^{1}$"},
    {0x00bf, "\\textquestiondown{}"},
    {0x00c0, "\\`{A}"},
    {0x00c1, "\\'{A}"},
    {0x00c2, "\\^{A}"},
    {0x00c3, "\\~{A}"},
    {0x00c4, "\\\"{A}"},
    {0x00c5, "\\AA{}"},
    {0x00c6, "\\AE{}"},
    {0x00c7, "\\c {C}"},
    {0x00c8, "\\`{E}"},
    {0x00c9, "\\'{E}"},
    {0x00ca, "\\^{E}"},
    {0x00cb, "\\\"{E}"},
    {0x00cc, "\\`{I}"},
    {0x00cd, "\\'{I}"},
    {0x00ce, "\\^{I}"},
    {0x00cf, "\\\"{I}"},
    {0x00d1, "\\~{N}"},
    {0x00d2, "\\`{O}"},
    {0x00d3, "\\'{O}"},
    {0x00d4, "\\^{O}"},
    {0x00d5, "\\~{O}"},
    {0x00d6, "\\\"{O}"},
    {0x00d7, "$\\times$"},
    {0x00d8, "\\O{}"},
    {0x00d9, "\\`{U}"},
    {0x00da, "\\'{U}"},
    {0x00db, "\\^{U}"},
    {0x00dc, "\\\"{U}"},
    {0x00dd, "\\'{Y}"},
    {0x00df, "\\ss{}"},
    {0x00e0, "\\`{a}"},
    {0x00e1, "\\'{a}"},
    {0x00e2, "\\^{a}"},
    {0x00e3, "\\~{a}"},
    {0x00e4, "\\\"{a}"},
    {0x00e5, "\\aa{}"},
    {0x00e6, "\\ae{}"},
    {0x00e7, "\\c {c}"},
    {0x00e8, "\\`{e}"},
    {0x00e9, "\\'{e}"},
    {0x00ea, "\\^{e}"},
    {0x00eb, "\\\"{e}"},
    {0x00ec, "\\`{\\i}"},
    {0x00ed, "\\'{\\i}"},
    {0x00ee, "\\^{\\i}"},
    {0x00ef, "\\\"{\\i}"},
    {0x00f1, "\\~{n}"},
    {0x00f2, "\\`{o}"},
    {0x00f3, "\\'{o}"},
    {0x00f4, "\\^{o}"},
    {0x00f5, "\\~{o}"},
    {0x00f6, "\\\"{o}"},
    {0x00f7, "$\\div$"},
    {0x00f8, "\\o{}"},
    {0x00f9, "\\`{u}"},
    {0x00fa, "\\'{u}"},
    {0x00fb, "\\^{u}"},
    {0x00fc, "\\\"{u}"},
    {0x00fd, "\\'{y}"},
    {0x00ff, "\\\"{y}"},
    {0x0100, "\\={A}"},
    {0x0101, "\\={a}"},
    {0x0102, "\\u {A}"},
    {0x0103, "\\u {a}"},
    {0x0106, "\\'{C}"},
    {0x0107, "\\'{c}"},
    {0x0108, "\\^{C}"},
    {0x0109, "\\^{c}"},
    {0x010a, "\\.{C}"},
    {0x010b, "\\.{c}"},
    {0x010c, "\\v {C}"},
    {0x010d, "\\v {c}"},
    {0x010e, "\\v {D}"},
    {0x010f, "\\v {d}"},
    {0x0112, "\\={E}"},
    {0x0113, "\\={e}"},
    {0x0114, "\\u {E}"},
    {0x0115, "\\u {e}"},
    {0x0116, "\\.{E}"},
    {0x0117, "\\.{e}"},
    {0x011a, "\\v {E}"},
    {0x011b, "\\v {e}"},
    {0x011c, "\\^{G}"},
    {0x011d, "\\^{g}"},
    {0x011e, "\\u {G}"},
    {0x011f, "\\u {g}"},
    {0x0120, "\\.{G}"},
    {0x0121, "\\.{g}"},
    {0x0122, "\\c {G}"},
    {0x0123, "\\c {g}"},
    {0x0124, "\\^{H}"},
    {0x0125, "\\^{h}"},
    {0x0128, "\\~{I}"},
    {0x0129, "\\~{\\i}"},
    {0x012a, "\\={I}"},
    {0x012b, "\\={\\i}"},
    {0x012c, "\\u {I}"},
    {0x012d, "\\u {\\i}"},
    {0x0130, "\\.{I}"},
    {0x0131, "\\i{}"},
    {0x0134, "\\^{J}"},
    {0x0135, "\\^{\\j}"},
    {0x0136, "\\c {K}"},
    {0x0137, "\\c {k}"},
    {0x0139, "\\'{L}"},
    {0x013a, "\\'{l}"},
    {0x013b, "\\c {L}"},
    {0x013c, "\\c {l}"},
    {0x013d, "\\v {L}"},
    {0x013e, "\\v {l}"},
    {0x0141, "\\L{}"},
    {0x0142, "\\l{}"},
    {0x0143, "\\'{N}"},
    {0x0144, "\\'{n}"},
    {0x0145, "\\c {N}"},
    {0x0146, "\\c {n}"},
    {0x0147, "\\v {N}"},
    {0x0148, "\\v {n}"},
    {0x014c, "\\={O}"},
    {0x014d, "\\={o}"},
    {0x014e, "\\u {O}"},
    {0x014f, "\\u {o}"},
    {0x0150, "\\H {O}"},
    {0x0151, "\\H {o}"},
    {0x0152, "\\OE{}"},
    {0x0153, "\\oe{}"},
    {0x0154, "\\'{R}"},
    {0x0155, "\\'{r}"},
    {0x0156, "\\c {R}"},
    {0x0157, "\\c {r}"},
    {0x0158, "\\v {R}"},
    {0x0159, "\\v {r}"},
    {0x015a, "\\'{S}"},
    {0x015b, "\\'{s}"},
    {0x015c, "\\^{S}"},
    {0x015d, "\\^{s}"},
    {0x015e, "\\c {S}"},
    {0x015f, "\\c {s}"},
    {0x0160, "\\v {S}"},
    {0x0161, "\\v {s}"},
    {0x0162, "\\c {T}"},
    {0x0163, "\\c {t}"},
    {0x0164, "\\v {T}"},
    {0x0165, "\\v {t}"},
    {0x0168, "\\~{U}"},
    {0x0169, "\\~{u}"},
    {0x016a, "\\={U}"},
    {0x016b, "\\={u}"},
    {0x016c, "\\u {U}"},
    {0x016d, "\\u {u}"},
    {0x016e, "\\r {U}"},
    {0x016f, "\\r {u}"},
    {0x0170, "\\H {U}"},
    {0x0171, "\\H {u}"},
    {0x0174, "\\^{W}"},
    {0x0175, "\\^{w}"},
    {0x0176, "\\^{Y}"},
    {0x0177, "\\^{y}"},
    {0x0178, "\\\"{Y}"},
    {0x0179, "\\'{Z}"},
    {0x017a, "\\'{z}"},
    {0x017b, "\\.{Z}"},
    {0x017c, "\\.{z}"},
    {0x017d, "\\v {Z}"},
    {0x017e, "\\v {z}"},
    {0x0393, "$\\Gamma$"},
    {0x0394, "$\\Delta$"},
    {0x0398, "$\\Theta$"},
    {0x039b, "$\\Lambda$"},
    {0x039e, "$\\Xi$"},
    {0x03a0, "$\\Pi$"},
    {0x03a3, "$\\Sigma$"},
    {0x03a6, "$\\Phi$"},
    {0x03a8, "$\\Psi$"},
    {0x03a9, "$\\Omega$"},
    {0x03b1, "$\\alpha$"},
    {0x03b2, "$\\beta$"},
    {0x03b3, "$\\gamma$"},
    {0x03b4, "$\\delta$"},
    {0x03b5, "$\\varepsilon$"},
    {0x03b6, "$\\zeta$"},
    {0x03b7, "$\\eta$"},
    {0x03b8, "$\\theta$"},
    {0x03b9, "$\\iota$"},
    {0x03ba, "$\\kappa$"},
    {0x03bb, "$\\lambda$"},
    {0x03bc, "$\\mu$"},
    {0x03bd, "$\\nu$"},
    {0x03be, "$\\xi$"},
    {0x03bf, "$o$"},
    {0x03c0, "$\\pi$"},
    {0x03c1, "$\\rho$"},
    {0x03c2, "$\\varsigma$"},
    {0x03c3, "$\\sigma$"},
    {0x03c4, "$\\tau$"},
    {0x03c5, "$\\upsilon$"},
    {0x03c6, "$\\varphi$"},
    {0x03c7, "$\\chi$"},
    {0x03c8, "$\\psi$"},
    {0x03c9, "$\\omega$"},
    {0x2009, "\\,"},
    {0x200b, ""},
    {0x2010, "-"},
    {0x2011, "-"},
    {0x2013, "--"},
    {0x2014, "---"},
    {0x2018, "`"},
    {0x2019, "'"},
    {0x201c, "``"},
    {0x201d, "''"},
    {0x2020, "\\dag{}"},
    {0x2021, "\\ddag{}"},
    {0x2022, "$\\bullet$"},
    {0x2026, "\\dots{}"},
    {0x202f, "\\,"},
    {0x2070, "$^{0}$"},
    {0x2074, "$^{4}$"},
    {0x2190, "$\\leftarrow$"},
    {0x2191, "$\\uparrow$"},
    {0x2192, "$\\rightarrow$"},
    {0x2193, "$\\downarrow$"},
    {0x2202, "$\\partial$"},
    {0x2206, "$\\Delta$"},
    {0x2208, "$\\in$"},
    {0x2211, "$\\sum$"},
    {0x2212, "$-$"},
    {0x221a, "$\\surd$"},
    {0x221e, "$\\infty$"},
    {0x2248, "$\\approx$"},
    {0x2260, "$\\neq$"},
    {0x2264, "$\\leq$"},
    {0x2265, "$\\geq$"},
};

static const char *sign_of(uint32_t code)
{
    size_t low = 0, high = sizeof signs / sizeof *signs;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (signs[middle].code == code) {
            return signs[middle].text;
        }
        low = signs[middle].code < code ? middle + 1 : low;
        high = signs[middle].code < code ? high : middle;
    }
    return NULL;
}

/* What an ASCII character becomes; NULL: itself. Names of figures and techniques may break at their joints.
 */
static const char *ascii_of(uint32_t code)
{
    static const struct {
        char code;
        const char *text;
    } list[] = {
        {'\\', "\\textbackslash{}"},
        {'{', "\\{"},
        {'}', "\\}"},
        {'$', "\\$"},
        {'&', "\\&"},
        {'%', "\\%"},
        {'#', "\\#"},
        {'_', "\\_\\allowbreak{}"},
        {'~', "\\textasciitilde{}"},
        {'^', "\\textasciicircum{}"},
        {'<', "\\textless{}"},
        {'>', "\\textgreater{}"},
        {'|', "\\textbar{}"},
        {'"', "{\\ttfamily\\char34}"},
        {'\'', "{}'"},
        {'`', "\\`{}"},
        {'-', "-{}"},
        {'[', "{[}"},
        {']', "{]}"},
        {'*', "{*}"},
        {'.', ".\\allowbreak{}"},
        {'/', "/\\allowbreak{}"},
        {'@', "\\allowbreak{}@"},
        {'\n', " "},
        {'\r', " "},
        {'\t', " "},
        {'!', "!{}"},
        {'?', "?{}"},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        if ((uint32_t)list[i].code == code) {
            return list[i].text;
        }
    }
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

void tare_latex_put(FILE *to, const char *text)
{
    uint32_t code;
    for (size_t n; (n = tare_utf8_next(text, &code)) > 0; text += n) {
        bool point = *text == '.' && is_digit(text[1]); /* a number stays whole */
        const char *as = code < 0x80 ? (point ? NULL : ascii_of(code)) : sign_of(code);
        if (as) {
            (void)fputs(as, to);
        } else if (code == TARE_UTF8_BAD || tare_utf8_is_control(code)) {
            (void)fputs("\\TareChar{FFFD}", to);
        } else if (code >= 0x80) {
            (void)fprintf(to, "\\TareChar{%04X}", (unsigned)code);
        } else {
            (void)fputc(*text, to);
        }
    }
}

static void put_number(FILE *to, const char *digits)
{
    (void)fprintf(to, "\\num{%s}", digits);
}

static void put_mark(FILE *to, size_t number)
{
    (void)fprintf(to, "%zu", number);
}

static void put_outcome(FILE *to, const struct tare_table_cell *cell)
{
    (void)fputs("\\TareOutcome{", to);
    tare_latex_put(to, strcmp(cell->mark, "-") == 0 ? "\xe2\x80\x93" : cell->mark);
    (void)fputs("}", to);
}

static void open_value(void *ctx, FILE *to, const struct tare_quantity *q)
{
    (void)ctx;
    (void)fputs(q->best ? "\\textbf{" : q->second ? "\\underline{" : "", to);
}

static void close_value(void *ctx, FILE *to, const struct tare_quantity *q)
{
    (void)ctx;
    (void)fputs(q->best || q->second ? "}" : "", to);
}

const struct tare_text_style tare_latex_style = {
    .put = tare_latex_put,
    .put_number = put_number,
    .put_mark = put_mark,
    .put_outcome = put_outcome,
    .open = open_value,
    .close = close_value,
    .aligns_closed = true,
    .best_name = "\\textbf{bold}",
    .second_name = "\\underline{underlined}",
    .unknown_name = "$\\dagger$",
    .unknown = "\\textsuperscript{$\\dagger$}",
    .higher = "$\\uparrow$",
    .lower = "$\\downarrow$",
    .times = "$\\times$",
    .interval_open = "\\TareInterval{",
    .interval_close = "}",
    .marks_open = "\\textsuperscript{",
    .marks_close = "}",
};
