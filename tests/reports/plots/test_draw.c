/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every format of made plots through the real gnuplot, with labels that mean harm; and what is said where
 * there is no gnuplot. TARE_PLOT_DIR keeps the files, to be looked at. Skipped without gnuplot, but for what
 * needs none.
 */
#include "made.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct made made;
static struct tare_plot plot;
static struct tare_err err;

static const char *const hostile[] = {
    "<script>alert(1)</script>",
    "'; system \"touch pwned\" #",
    "`touch pwned`",
    "\\input{/etc/passwd} \\end{x}",
    "$x_{2}^$ %s%n 50%",
    "na\xc3\xafve \xe6\xa8\xa1\xe5\x9e\x8b \xf0\x9f\x98\x80",
    "two\nlines\rand\x1b[2J",
    "\xff\xfe not UTF-8",
    "]]> --> ' \" & ; {} [] |",
    "a very long name of a model that would fill the whole width of the sheet and more",
};
enum { n_hostile = sizeof hostile / sizeof *hostile };

static bool is_there(const char *program)
{
    char path[4096];
    const char *list = getenv("PATH");
    for (const char *p = list; p && *p; p += strcspn(p, ":"), p += *p == ':') {
        (void)snprintf(path, sizeof path, "%.*s/%s", (int)strcspn(p, ":"), p, program);
        if (access(path, X_OK) == 0) {
            return true;
        }
    }
    return false;
}

static void keep(const char *name, const char *suffix, const char *data, size_t n)
{
    const char *folder = getenv("TARE_PLOT_DIR");
    char path[4096];
    if (folder) {
        (void)snprintf(path, sizeof path, "%s/%s.%s", folder, name, suffix);
        FILE *to = fopen(path, "we");
        assert_non_null(to);
        assert_int_equal(fwrite(data, 1, n, to), n);
        assert_int_equal(fclose(to), 0);
    }
}

/* Draws in this format; the file must begin and end as one of its kind. */
static char *draw(const char *name, enum tare_plot_format format, size_t *out_n)
{
    static const char *const begins[] = {"<?xml", "%PDF-", "\x89PNG\r\n\x1a\n", "% Needs", "# "};
    static const char *const ends[] = {"</svg>\n", "%%EOF\n", "IEND\xae\x42\x60\x82", "\\end{tikzpicture}\n",
                                       "\n"};
    char *data = NULL;
    size_t n = 0, n_end = strlen(ends[format]);
    if (tare_plot_render(&plot, format, &data, &n, &err) != 0) {
        fail_msg("%s as %s: %s", name, tare_plot_format_names[format], err.msg);
    }
    assert_true(n > 500);
    assert_memory_equal(data, begins[format], strlen(begins[format]));
    const char *tail = data + n - n_end;
    while (format == TARE_PLOT_SVG && tail > data && memcmp(tail, ends[format], n_end) != 0 &&
           data + n - tail < 20) {
        tail--; /* blank lines at the end */
    }
    assert_memory_equal(tail, ends[format], n_end);
    keep(name, tare_plot_format_names[format], data, n);
    *out_n = n;
    return data;
}

static void draw_all(const char *name)
{
    for (int f = TARE_PLOT_SVG; f <= TARE_PLOT_SCRIPT; f++) {
        size_t n = 0;
        free(draw(name, (enum tare_plot_format)f, &n));
    }
}

static void build(const char *what)
{
    if (tare_plot_build(&made.in, what, &plot, &err) != 0) {
        fail_msg("%s: %s", what, err.msg);
    }
}

static void hostile_systems(void)
{
    made_begin(&made);
    made.in.title = "'; quit # <b>\\bye";
    for (size_t i = 0; i < n_hostile; i++) {
        size_t c = made_cell(&made, hostile[i], "baseline", "t_{1}%");
        made_figure(&made, c, "decode_throughput", "tok/s", 1000 * (double)(i + 1), 100);
        made_figure(&made, c, "acc", "1", 0.5 + 0.04 * (double)(i * 7 % n_hostile), 0.02);
        made_figure(&made, c, "latency_p50", "s", 0.001 * (double)(i + 1), 0.0002);
        made_figure(&made, c, "latency_p90", "s", 0.002 * (double)(i + 1), 0.0004);
        made_figure(&made, c, "energy_package", "J", 10 + (double)i, 1);
        made_figure(&made, c, "energy_dram", "J", 3, 0.1);
        made_figure(&made, c, "energy_gpu", "J", 4 + (double)i, 0.1);
        made_figure(&made, c, "energy", "J", 17 + 2 * (double)i, 2)->scope = "package+dram+device";
    }
}

#define NEED_GNUPLOT()          \
    if (!is_there("gnuplot")) { \
        skip();                 \
    }

static void test_hostile_labels(void **state)
{
    (void)state;
    NEED_GNUPLOT();
    static const char *const kinds[] = {"pareto", "percentiles", "energy"};
    hostile_systems();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        build(kinds[i]);
        draw_all(kinds[i]);
        tare_plot_fini(&plot);
    }
    assert_int_equal(access("pwned", F_OK), -1);
}

static void test_svg_is_harmless(void **state)
{
    (void)state;
    NEED_GNUPLOT();
    hostile_systems();
    build("pareto");
    char *svg = NULL;
    assert_int_equal(tare_plot_svg(&plot, &svg, &err), 0);
    keep("inline", "svg", svg, strlen(svg));
    static const char *const never[] = {"<script", "<?xml", "#ffffff",    "url(http", "href=\"http",
                                        "onload",  "\xff",  "rgb(0,0,0)", "black",    "fill=\"rgb(106"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        if (strstr(svg, never[i])) {
            fail_msg("%s in the picture", never[i]);
        }
    }
    assert_non_null(strstr(svg, "role=\"img\""));
    assert_non_null(strstr(svg, "&lt;script"));
    free(svg);
    tare_plot_fini(&plot);
}

/* Two different plots on a page share no id. */
static void test_ids_differ(void **state)
{
    (void)state;
    NEED_GNUPLOT();
    struct tare_table_picture a, b;
    hostile_systems();
    assert_int_equal(tare_plot_picture(&made.in, "pareto", &a, &err), 0);
    assert_int_equal(tare_plot_picture(&made.in, "energy", &b, &err), 0);
    size_t n = 0;
    for (const char *p = a.svg; (p = strstr(p, " id=")); p += 4, n++) {
        char id[80];
        (void)snprintf(id, sizeof id, "%.*s", (int)(strcspn(p + 5, "'\"") + 6), p);
        assert_null(strstr(b.svg, id));
    }
    assert_true(n >= 2);
    assert_non_null(strstr(b.title, "where the energy went"));
    assert_null(strstr(b.svg, "<title id")); /* the page has both beside it; series may have theirs */
    assert_null(strstr(b.svg, "role="));
    assert_null(strstr(b.svg, "gross, idle included"));
    keep("bare", "svg", b.svg, strlen(b.svg));
    assert_true(strlen(b.text) > 50);
    tare_plot_picture_fini(&a);
    tare_plot_picture_fini(&b);
}

static void test_styles(void **state)
{
    (void)state;
    NEED_GNUPLOT();
    static double values[60], low[60], high[60];
    static const size_t changes[] = {20, 41}, breaks[] = {50};
    static const char *const labels[] = {"+5.1 % [4.2, 6.0]", "-2.0 %"};
    for (size_t i = 0; i < 60; i++) {
        values[i] = 1e-3 * (i < 20 ? 1 : i < 41 ? 1.051 : 1.03) * (1 + 0.004 * (double)(i * 37 % 11) / 11);
        low[i] = values[i] * 0.997;
        high[i] = values[i] * 1.003;
    }
    struct tare_plot_history h = {.title = "llama-1m: time per output token",
                                  .label = "time per output token, p50",
                                  .unit = "s",
                                  .values = values,
                                  .low = low,
                                  .high = high,
                                  .level = 0.969,
                                  .n = 60,
                                  .changes = changes,
                                  .n_changes = 2,
                                  .change_labels = labels,
                                  .breaks = breaks,
                                  .n_breaks = 1,
                                  .method = "rank scan"};
    assert_int_equal(tare_plot_of_history(&h, &plot, &err), 0);
    draw_all("history");
    tare_plot_fini(&plot);
    static const char *const days[] = {"2026-05-01", "2026-05-02", "2026-05-03", "2026-05-04", "2026-05-05",
                                       "2026-05-06", "2026-05-07", "2026-05-08", "2026-05-09", "2026-05-10",
                                       "2026-05-11", "2026-05-12", "2026-05-13", "2026-05-14", "2026-05-15"};
    h.names = days;
    h.n = 15;
    h.n_changes = h.n_breaks = 0;
    size_t n_named = 0;
    assert_int_equal(tare_plot_of_history(&h, &plot, &err), 0);
    free(draw("history-named", TARE_PLOT_SVG, &n_named));
    tare_plot_fini(&plot);
    made_begin(&made);
    for (size_t i = 0; i < 6; i++) {
        static const char *const names[] = {"m1", "m2", "m3", "m4", "m5", "m6"};
        size_t c = made_cell(&made, names[i], "baseline", "text");
        made_figure(&made, c, "params_non_embedding", "1", 1e5 * pow(3, (double)i), 0);
        made_figure(&made, c, "bits_per_byte", "bit/B", 1.2 + 20 * pow(1e5 * pow(3, (double)i), -0.3), 0.03);
    }
    static double x[40], y[40], y_low[40], y_high[40];
    for (size_t i = 0; i < 40; i++) {
        x[i] = 8e4 * pow(400, (double)i / 39);
        y[i] = 1.2 + 20 * pow(x[i], -0.3);
        y_low[i] = y[i] - 0.02;
        y_high[i] = y[i] + 0.02;
    }
    struct tare_plot_fit fit = {x, y, y_low, y_high, 40, 0.95, "1.2 + 20 / N^0.3", "bootstrap over runs"};
    assert_int_equal(tare_plot_scaling(&made.in, "params_non_embedding", "bits_per_byte", &fit, &plot, &err),
                     0);
    draw_all("scaling");
    tare_plot_fini(&plot);
}

static void test_two_panels(void **state)
{
    (void)state;
    NEED_GNUPLOT();
    made_begin(&made);
    for (size_t i = 0; i < 12; i++) {
        size_t c = made_cell(&made, i < 6 ? "server a" : "server b", "baseline", "chat");
        double rate = 5 * (double)(i % 6 + 1), p50 = 0.1 / (1.05 - rate / 31);
        made_figure(&made, c, "offered_rate", "request/s", rate, 0);
        made_figure(&made, c, "request_throughput", "request/s", rate < 25 ? rate : 24, 0.5);
        made_figure(&made, c, "latency_p50", "s", p50, p50 / 10);
        made_figure(&made, c, "latency_p99", "s", p50 * (i < 6 ? 4 : 9), p50 / 3);
    }
    build("load");
    draw_all("load");
    tare_plot_fini(&plot);
}

/* Equal plots are equal files, but for PDF, which has a date. PNG is left out: it is the slowest. */
static void test_same_again(void **state)
{
    (void)state;
    NEED_GNUPLOT();
    hostile_systems();
    build("pareto");
    for (int f = TARE_PLOT_SVG; f <= TARE_PLOT_SCRIPT; f++) {
        if (f == TARE_PLOT_PDF || f == TARE_PLOT_PNG) {
            continue;
        }
        size_t n = 0, again = 0;
        char *a = draw("again", (enum tare_plot_format)f, &n),
             *b = draw("again", (enum tare_plot_format)f, &again);
        assert_int_equal(n, again);
        assert_memory_equal(a, b, n);
        free(a);
        free(b);
    }
    tare_plot_fini(&plot);
}

/* With this text as PATH; what was there comes back. */
static void refuse_under(const char *path, const char *why)
{
    char *old = strdup(getenv("PATH") ? getenv("PATH") : "");
    char *data = NULL;
    size_t n = 7;
    assert_non_null(old);
    assert_int_equal(setenv("PATH", path, 1), 0);
    int r = tare_plot_render(&plot, TARE_PLOT_PNG, &data, &n, &err);
    assert_int_equal(setenv("PATH", old, 1), 0);
    free(old);
    assert_int_equal(r, TARE_E_ENVIRONMENT);
    assert_non_null(strstr(err.msg, why));
    assert_null(data);
    assert_int_equal(n, 7);
}

/* A program of that name with that text, in a folder of its own. */
static void refuse_program(const char *text, const char *why)
{
    char folder[] = "/tmp/tare-plot-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/gnuplot", folder);
    FILE *to = fopen(path, "we");
    assert_non_null(to);
    assert_true(fputs(text, to) >= 0 && fclose(to) == 0);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(chmod(path, 0755), 0);
    refuse_under(folder, why);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void test_no_gnuplot(void **state)
{
    (void)state;
    char *data = NULL;
    size_t n = 0;
    hostile_systems();
    build("pareto");
    refuse_under("/nonexistent", "install the package gnuplot-nox");
    refuse_program("#!/bin/sh\necho '  unknown or ambiguous terminal type' >&2; exit 1\n",
                   "ambiguous terminal type");
    refuse_program("#!/bin/sh\necho hello\n", "wrote no png");
    refuse_program("#!/bin/sh\nexit 0\n", "said nothing");
    refuse_program("#!/bin/sh\nkill -9 $$\n", "signal 9");
    assert_int_equal(tare_plot_render(&plot, TARE_PLOT_SCRIPT, &data, &n, &err), 0); /* needs none */
    free(data);
    tare_plot_fini(&plot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_labels), cmocka_unit_test(test_svg_is_harmless),
        cmocka_unit_test(test_ids_differ),     cmocka_unit_test(test_styles),
        cmocka_unit_test(test_two_panels),     cmocka_unit_test(test_same_again),
        cmocka_unit_test(test_no_gnuplot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
