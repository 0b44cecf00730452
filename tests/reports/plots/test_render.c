/* SPDX-License-Identifier: Apache-2.0 */
/* Axes, text and places: what a plot becomes before gnuplot sees it, and what becomes of gnuplot's SVG. */
#include "made.h"

#include "reports/plots/render.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tare_plot_point points[200];
static struct tare_plot_series line = {.style = TARE_PLOT_POINTS, .points = points};
static struct tare_plot plot;
static struct tare_err err;

/* A plot of n points along x. */
static void make(size_t n, double x_low, double x_high)
{
    double none = (double)NAN;
    for (size_t i = 0; i < n; i++) {
        double at = n > 1 ? (double)i / (double)(n - 1) : 0;
        points[i] = (struct tare_plot_point){.x = x_low + at * (x_high - x_low),
                                             .y = 1 + at,
                                             .x_low = none,
                                             .x_high = none,
                                             .y_low = none,
                                             .y_high = none};
    }
    line.n_points = n;
    plot = (struct tare_plot){.title = "t", .caption = "c", .n_panels = 1};
    plot.panels[0] = (struct tare_plot_panel){.x = {.label = "x", .unit = "s", .low = none, .high = none},
                                              .y = {.label = "y", .unit = "1", .low = none, .high = none},
                                              .series = &line,
                                              .n_series = 1};
}

static void test_ticks(void **state)
{
    (void)state;
    static const struct {
        double low, high;
        const char *unit, *shown, *texts;
        bool log;
    } cases[] = {
        {0, 10, "s", "s", "0 2 4 6 8 10", false},
        {0, 0.0012, "s", "ms", "0.0 0.2 0.4 0.6 0.8 1.0 1.2", false},
        {1, 1000, "s", "s", "1 10 100 1000", true},
        {2e-6, 3e-4, "s", "\xc2\xb5s", "2 5 10 20 50 100 200", true},
        {1, 100, "s", "s", "0 20 40 60 80 100", false}, /* two decades are not more than two */
        {-5, 5, "s", "s", "-4 -2 0 2 4", false},
        {1.5e6, 3e6, "B", "MB", "1.6 1.8 2.0 2.2 2.4 2.6 2.8 3.0", false},
        {1e5, 2e6, "1", "million", "0.0 0.5 1.0 1.5 2.0", false},
        {0.1, 0.9, "1", "", "0.2 0.4 0.6 0.8", false},
        {1e9, 5e9, "FLOP/s", "GFLOP/s", "1 2 3 4 5", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_axis_map map;
        char texts[400] = "";
        make(2, cases[i].low, cases[i].high);
        plot.panels[0].x.unit = cases[i].unit;
        tare_axis_map_make(&plot, 0, true, &map);
        for (size_t k = 0; k < map.n_ticks; k++) {
            (void)strcat(strcat(texts, k ? " " : ""), map.texts[k]);
            assert_true(map.ticks[k] >= map.low * (1 - 1e-9) - 1e-12 &&
                        map.ticks[k] <= map.high * (1 + 1e-9));
            char *end = NULL;
            assert_true(fabs(strtod(map.texts[k], &end) - map.ticks[k] * map.scale) <
                        1e-6 * fabs(map.high * map.scale));
        }
        assert_int_equal(map.log, cases[i].log);
        assert_string_equal(map.unit, cases[i].shown);
        assert_string_equal(texts, cases[i].texts);
        assert_true(map.low < cases[i].low + 1e-12 && map.high > cases[i].high - 1e-12);
    }
}

/* Constant, empty of width, negative on a logarithmic axis: there are always ticks, and no endless loop. */
static void test_odd_axes(void **state)
{
    (void)state;
    static const double ends[][2] = {{0, 0},          {5, 5},           {-3, -3},         {1e-300, 1e300},
                                     {-1e300, 1e300}, {1e15, 1e15 + 1}, {5e-324, 1e-300}, {-1, 1000}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct tare_axis_map map;
        make(2, ends[i][0], ends[i][1]);
        plot.panels[0].x.scale = TARE_PLOT_LOG;
        tare_axis_map_make(&plot, 0, true, &map);
        assert_true(map.low < map.high);
        assert_in_range(map.n_ticks, 1, TARE_AXIS_MAX_TICKS);
        assert_true(isfinite(tare_axis_map_at(&map, ends[i][0])));
    }
}

static void test_units(void **state)
{
    (void)state;
    static const struct {
        const char *unit;
        double size;
        const char *shown;
        double scale;
    } cases[] = {
        {"s", 0.005, "ms", 1e3},
        {"s", 5e-8, "ns", 1e9},
        {"s", 5e-13, "ns", 1e9},
        {"B", 999, "B", 1},
        {"B", 1000, "kB", 1e-3},
        {"x", 5000, "x", 1},
        {"%", 0.001, "%", 1},
        {"1", 9999, "", 1},
        {"1", 20000, "thousand", 1e-3},
        {"1", 7e9, "billion", 1e-9},
        {NULL, 0, "", 1},
        {"EUR", 1e6, "EUR", 1},
        {"tok/s", 14000, "ktok/s", 1e-3},
        {"B/s", 2e30, "PB/s", 1e-15},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char shown[48];
        double scale = tare_unit_scale(cases[i].unit, cases[i].size, shown, sizeof shown);
        assert_string_equal(shown, cases[i].shown);
        assert_true(fabs(scale - cases[i].scale) < 1e-9 * cases[i].scale);
    }
}

static void test_text(void **state)
{
    (void)state;
    static const struct {
        const char *text, *quoted, *tex, *xml;
    } cases[] = {
        {"plain 1", "\"plain 1\"", "plain 1", "plain 1"},
        {"a'b", "\"a'b\"", "a'b", "a&#39;b"},
        {"`id` $(id)", "\"\\140id\\140 $(id)\"", "\\textasciigrave{}id\\textasciigrave{} \\$(id)",
         "`id` $(id)"},
        {"50%", "\"50%%\"", "50\\%", "50%"},
        {"\\input{x}", "\"\\\\input{x}\"", "\\textbackslash{}input\\{x\\}", "\\input{x}"},
        {"a_b^c&d#e~", "\"a_b^c&d#e~\"", "a\\_b\\textasciicircum{}c\\&d\\#e\\textasciitilde{}",
         "a_b^c&amp;d#e~"},
        {"<b>\"", "\"<b>\\\"\"", "\\ensuremath{<}b\\ensuremath{>}\\textquotedbl{}", "&lt;b&gt;&quot;"},
        {"a\nb\tc\x1b[0m", "\"a b c [0m\"", "a b c [0m", "a b c [0m"},
        {"\xff\xfe", "\"\xef\xbf\xbd\xef\xbf\xbd\"", "[U+FFFD][U+FFFD]", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xc3\xa9\xe6\xa8\xa1", "\"\xc3\xa9\xe6\xa8\xa1\"", "\xc3\xa9[U+6A21]", "\xc3\xa9\xe6\xa8\xa1"},
        {"\xe2\x80\xae"
         "abc",
         "\" abc\"", " abc", " abc"},
        {"\xc2\xb5s", "\"\xc2\xb5s\"", "\\ensuremath{\\mu}s", "\xc2\xb5s"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_buf quoted, tex, xml;
        tare_buf_init(&quoted, 1000);
        tare_buf_init(&tex, 1000);
        tare_buf_init(&xml, 1000);
        tare_plot_quote(&quoted, cases[i].text, TARE_LETTERS_ALL, true);
        tare_plot_tex(&tex, cases[i].text);
        tare_plot_xml(&xml, cases[i].text);
        assert_string_equal(tare_buf_str(&quoted), cases[i].quoted);
        assert_string_equal(tare_buf_str(&tex), cases[i].tex);
        assert_string_equal(tare_buf_str(&xml), cases[i].xml);
        tare_buf_fini(&quoted);
        tare_buf_fini(&tex);
        tare_buf_fini(&xml);
    }
}

static void test_letters(void **state)
{
    (void)state;
    struct tare_buf to;
    tare_buf_init(&to, 1000);
    tare_plot_quote(&to, "\xc2\xb5 \xe2\x89\xa4 \xe6\xa8\xa1 \xf0\x9f\x98\x80", TARE_LETTERS_CAIRO, false);
    assert_string_equal(tare_buf_str(&to), "\"\xc2\xb5 \xe2\x89\xa4 [U+6A21] [U+1F600]\"");
    tare_buf_fini(&to);
}

static void test_cut(void **state)
{
    (void)state;
    struct tare_buf to;
    tare_buf_init(&to, 1000);
    tare_plot_clean(&to, "\xe6\xa8\xa1\xe6\xa8\xa1\xe6\xa8\xa1\xe6\xa8\xa1\xe6\xa8\xa1", 4);
    assert_string_equal(tare_buf_str(&to), "\xe6\xa8\xa1...");
    tare_buf_clear(&to);
    tare_plot_clean(&to, "abcd", 4);
    assert_string_equal(tare_buf_str(&to), "abcd");
    tare_buf_fini(&to);
}

static bool apart(const struct tare_placed *a, const struct tare_placed *b)
{
    double wa = tare_plot_width(a->text) * 11 / 12, wb = tare_plot_width(b->text) * 11 / 12;
    return a->x + wa <= b->x + 1e-6 || b->x + wb <= a->x + 1e-6 || fabs(a->y - b->y) >= 13 - 1e-6;
}

/* Crowded or not: labels lie inside of the frame and not on each other, and what has none is counted. */
static void test_labels(void **state)
{
    (void)state;
    unsigned seed = 1;
    for (size_t n = 1; n <= 200; n += n < 20 ? 1 : 45) {
        struct tare_layout l;
        make(n, 0, 1);
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1664525u + 1013904223u;
            points[i].x = (double)(seed >> 8) / (1 << 24);
            seed = seed * 1664525u + 1013904223u;
            points[i].y = (double)(seed >> 8) / (1 << 24);
            points[i].label = "a label";
        }
        assert_int_equal(tare_layout_make(&plot, true, true, &l, &err), 0);
        assert_int_equal(l.n_labels + l.n_unplaced, n);
        assert_true(n > 12 || l.n_unplaced == 0);
        for (size_t i = 0; i < l.n_labels; i++) {
            double end = l.labels[i].x + tare_plot_width(l.labels[i].text) * 11 / 12;
            assert_true(l.labels[i].x > l.frames[0].left && end < l.frames[0].right);
            assert_true(l.labels[i].y > l.frames[0].bottom && l.labels[i].y < l.frames[0].top);
            for (size_t j = 0; j < i; j++) {
                assert_true(apart(&l.labels[i], &l.labels[j]));
            }
        }
        assert_true(l.n_unplaced == 0 || strstr(l.lines[l.n_lines - 1], "have no label"));
        tare_layout_fini(&l);
    }
}

/* All of a caption is on the sheet, within its width and above its lower edge. */
static void test_caption(void **state)
{
    (void)state;
    struct tare_layout l;
    char text[2000], joined[2400] = "";
    make(2, 0, 1);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        text[i] = i % 7 == 6 ? ' ' : (char)('a' + i % 26);
    }
    memset(text + 700, 'x', 300); /* a word that no line holds */
    text[sizeof text - 1] = '\0';
    plot.caption = text;
    assert_int_equal(tare_layout_make(&plot, true, true, &l, &err), 0);
    for (size_t i = 0; i < l.n_lines; i++) {
        assert_true(tare_plot_width(l.lines[i]) * 10 / 12 < l.width - 20);
        (void)strcat(joined, l.lines[i]);
    }
    size_t n = 0;
    for (const char *p = text; *p; p++) { /* blanks at the ends of lines are gone */
        text[n] = *p;
        n += *p != ' ';
    }
    text[n] = '\0';
    n = 0;
    for (const char *p = joined; *p; p++) {
        joined[n] = *p;
        n += *p != ' ';
    }
    joined[n] = '\0';
    assert_string_equal(joined, text);
    assert_true(l.caption_top - 14 * (double)(l.n_lines - 1) > 0);
    tare_layout_fini(&l);
}

/* L* of CIE 1976 of "#RRGGBB" (sRGB). */
static double lightness(const char *colour)
{
    static const double weights[] = {0.2126, 0.7152, 0.0722};
    double y = 0;
    for (size_t i = 0; i < 3; i++) {
        char hex[3] = {colour[1 + 2 * i], colour[2 + 2 * i], 0};
        double v = (double)strtol(hex, NULL, 16) / 255;
        y += weights[i] * (v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
    }
    return y > 0.008856 ? 116 * cbrt(y) - 16 : 903.3 * y;
}

static void test_looks(void **state)
{
    (void)state;
    for (int i = 0; i < TARE_PLOT_MAX_LOOKS; i++) {
        struct tare_look a = tare_look_of(&(struct tare_plot_series){.look = i});
        double grey = lightness(a.colour);
        assert_true(grey > 30 && grey < 72); /* seen on white and on dark grey */
        for (int j = 0; j < i; j++) {
            struct tare_look b = tare_look_of(&(struct tare_plot_series){.look = j});
            assert_true(a.symbol != b.symbol);
            assert_string_not_equal(a.dash, b.dash);
            assert_string_not_equal(a.colour, b.colour);
            if (j == i - 1) {
                assert_true(fabs(grey - lightness(b.colour)) >= 10);
            }
        }
    }
}

static void test_script(void **state)
{
    (void)state;
    struct tare_buf script;
    tare_buf_init(&script, 1 << 20);
    make(2, 0.001, 0.003);
    points[0].y_low = 0.5;
    points[0].y_high = 1.5;
    line.name = "it's";
    assert_int_equal(tare_plot_script(&plot, TARE_PLOT_SCRIPT, TARE_FORM_FILE, &script, &err), 0);
    static const char *const parts[] = {" 0.001 1 NaN NaN 0.5 1.5 0\n",
                                        "title \"it's\"",
                                        "set terminal svg",
                                        "set xlabel \"x, ms\"",
                                        "using ($1*1000):($5*1):(0):(($6-$5)*1) with vectors",
                                        "# c\n"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!strstr(tare_buf_str(&script), parts[i])) {
            fail_msg("no %s in\n%s", parts[i], tare_buf_str(&script));
        }
    }
    line.name = NULL;
    tare_buf_fini(&script);
}

static void test_svg(void **state)
{
    (void)state;
    static const char made_by_gnuplot[] =
        "<?xml version=\"1.0\"?>\n<svg \n width=\"9\" height=\"8\"\n viewBox=\"0 0 9 "
        "8\"\n>\n\n<title>Gnuplot</title>\n"
        "<desc>Produced</desc>\n<g id=\"gnuplot_canvas\">\n<rect x=\"0\" y=\"0\" width=\"9\" height=\"8\" "
        "fill=\"#ffffff\"/>\n<circle id='gpDot' r='0.5'/><use xlink:href='#gpDot'/><filter "
        "id='textbox'>\n<x/></filter>"
        "<path stroke='black' d='M0'/><text>id='a' href='#b' "
        "color=\"black\"</text><text>]]></text>\n</g>\n</svg>\n";
    struct tare_buf to;
    tare_buf_init(&to, 1 << 16);
    make(2, 0, 1);
    plot.title = "<t>";
    assert_int_equal(
        tare_svg_finish(&plot, made_by_gnuplot, strlen(made_by_gnuplot), TARE_FORM_PAGE, &to, &err), 0);
    const char *svg = tare_buf_str(&to);
    assert_ptr_equal(strstr(svg, "<svg"), svg);
    assert_non_null(strstr(svg, "&lt;t&gt;</title>"));
    assert_null(strstr(svg, "Gnuplot"));
    assert_null(strstr(svg, "filter"));
    assert_null(strstr(svg, "#ffffff"));
    assert_null(strstr(svg, "stroke='black'"));
    assert_null(strstr(svg, "id='gpDot'"));
    assert_non_null(strstr(svg, "<text>id='a' href='#b' color=\"black\"</text>")); /* text is text */
    assert_non_null(strstr(svg, "<text>]]&gt;</text>"));
    char *id = strstr(svg, "<circle id='") + strlen("<circle id='"),
         *use = strstr(svg, "href='#") + strlen("href='#");
    assert_memory_equal(id, use, strcspn(id, "'") + 1);
    tare_buf_clear(&to);
    assert_int_equal(tare_svg_finish(&plot, "nothing", 7, TARE_FORM_PAGE, &to, &err), TARE_E_FORMAT);
    tare_buf_fini(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ticks),  cmocka_unit_test(test_odd_axes), cmocka_unit_test(test_units),
        cmocka_unit_test(test_text),   cmocka_unit_test(test_letters),  cmocka_unit_test(test_cut),
        cmocka_unit_test(test_labels), cmocka_unit_test(test_caption),  cmocka_unit_test(test_looks),
        cmocka_unit_test(test_script), cmocka_unit_test(test_svg),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
