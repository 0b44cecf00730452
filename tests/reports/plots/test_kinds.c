/* SPDX-License-Identifier: Apache-2.0 */
/* What is built: points are the figures, groups are the right ones, and where there is no data there is a
 * reason and no plot. */
#include "built.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_no_cells(void **state)
{
    (void)state;
    for (size_t i = 0; tare_plot_kinds[i]; i++) {
        refuse(tare_plot_kinds[i]->name, TARE_E_UNSUPPORTED, "nothing to draw");
    }
}

static void test_usage(void **state)
{
    (void)state;
    system_of("a", 1, 0.1, 0.5, 0.01);
    refuse("nonsense", TARE_E_USAGE, "there are depth, energy");
    refuse("pareto{x}", TARE_E_USAGE, "no key=value");
    refuse("pareto{z=1}", TARE_E_USAGE, "z");
    refuse("pareto{x=1", TARE_E_USAGE, "end with");
    build("pareto{}");
    assert_int_equal(plot.n_panels, 1);
}

static void roof_cell(const char *model, double rate, double mfu, double ridge)
{
    size_t c = made_cell(&made, model, "baseline", "t");
    made_figure(&made, c, "achieved_flops_decode", "FLOP/s", rate, rate / 10);
    made_figure(&made, c, "intensity_decode", "FLOP/B", 2, 0);
    made_figure(&made, c, "mfu_decode", "1", mfu, mfu / 10);
    struct tare_figure *f = made_figure(&made, c, "ridge", "FLOP/B", ridge, -1);
    f->kind = TARE_KIND_DECLARED;
    f->source = "peak FLOP/s / peak bandwidth; peak: a datasheet";
}

/* 2e9 FLOP/s at an MFU of 0.02 are a peak of 1e11, and at a ridge of 10 a bandwidth of 1e10. */
static void test_roofline(void **state)
{
    (void)state;
    roof_cell("a", 2e9, 0.02, 10);
    roof_cell("b", 4e9, 0.04, 10);
    build("roofline");
    const struct tare_plot_series *roof = series(0, "roof"), *points = series(0, "decoding");
    assert_point(&roof->points[2], 10, 1e11);
    for (size_t i = 0; i < roof->n_points; i++) {
        assert_near(roof->points[i].y, fmin(1e11, roof->points[i].x * 1e10));
    }
    assert_int_equal(points->n_points, 2);
    assert_point(&points->points[1], 2, 4e9);
    assert_said("declared. Peaks: a datasheet");
    assert_int_equal(plot.panels[0].x.scale, TARE_PLOT_LOG);
}

static void test_roofline_torn(void **state)
{
    (void)state;
    roof_cell("a", 2e9, 0.02, 10);
    roof_cell("b", 4e9, 0.05, 10);
    refuse("roofline", TARE_E_UNSUPPORTED, "different peaks");
}

static void test_roofline_without_roof(void **state)
{
    (void)state;
    size_t c = made_cell(&made, "a", "baseline", "t");
    made_figure(&made, c, "achieved_flops_decode", "FLOP/s", 1e9, 1e8);
    made_figure(&made, c, "intensity_decode", "FLOP/B", 2, 0);
    made_absent(&made, c, "ridge", "no peak is known");
    build("roofline");
    assert_null(made_series(&plot, 0, "roof"));
    assert_said("No roof: no peak is known");
}

static void depth_cell(const char *model, const char *task, int prompt_tok, int max_output, double bytes,
                       double tpot)
{
    size_t c = made_cell(&made, model, "baseline", task);
    made_lengths(&made, c, prompt_tok, max_output);
    made_figure(&made, c, "state_bytes", "B", bytes, 0);
    made_figure(&made, c, "tpot_p50", "s", tpot, tpot / 10);
}

static void test_depth(void **state)
{
    (void)state;
    depth_cell("a", "deep", 512, 33, 512000, 2e-3); /* not in the order of lengths */
    depth_cell("a", "flat", 1, 33, 1000, 1e-3);
    depth_cell("a", "long", 512, 99, 512000, 9);
    depth_cell("b", "flat", 1, 33, 7, 7); /* one length alone is no line */
    build("depth");
    assert_int_equal(plot.n_panels, 2);
    const struct tare_plot_series *memory = series(0, "a"), *time = series(1, "a");
    assert_int_equal(memory->n_points, 2);
    assert_point(&memory->points[0], 1, 1000);
    assert_point(&memory->points[1], 512, 512000);
    assert_true(isnan(memory->points[0].y_low)); /* exact: no bar */
    assert_point(&time->points[1], 512, 2e-3);
    assert_near(time->points[1].y_high, 2.2e-3);
    assert_null(made_series(&plot, 0, "b"));
    assert_said("1 cells that generate another number of tokens are left out");
}

static void test_depth_of_one_length(void **state)
{
    (void)state;
    depth_cell("a", "flat", 1, 33, 1000, 1e-3);
    refuse("depth", TARE_E_UNSUPPORTED, "two lengths");
}

static size_t energy_cell(const char *model, double package, double dram, double total, const char *scope)
{
    size_t c = made_cell(&made, model, "baseline", "t");
    made_figure(&made, c, "energy_package", "J", package, 1);
    if (dram > 0) {
        made_figure(&made, c, "energy_dram", "J", dram, 1);
    }
    made_figure(&made, c, "energy", "J", total, 2)->scope = scope;
    return c;
}

static void test_energy(void **state)
{
    (void)state;
    energy_cell("a", 10, 5, 15, "package+dram");
    energy_cell("b", 20, 4, 24, "package+dram");
    energy_cell("torn", 20, 4, 30, "package+dram");
    build("energy");
    const struct tare_plot_series *package = series(0, "processor packages"), *dram = series(0, "memory"),
                                  *total = series(0, "total");
    assert_int_equal(package->n_points, 2);
    assert_near(package->points[1].base + 1, 1);
    assert_point(&package->points[1], 20, 1);
    assert_near(dram->points[1].base, 20);
    assert_point(&dram->points[1], 24, 1);
    assert_point(&total->points[0], 15, 0);
    assert_near(total->points[0].x_low, 13);
    assert_string_equal(plot.panels[0].y.categories[1], "b");
    assert_true(plot.panels[0].x.from_zero);
    assert_said("1 systems whose parts do not add up");
}

static void test_energy_of_the_wall(void **state)
{
    (void)state;
    energy_cell("a", 10, 0, 25, "wall");
    build("energy");
    assert_near(series(0, "the rest, to the wall")->points[0].base, 10);
    assert_point(&series(0, "the rest, to the wall")->points[0], 25, 0);
}

static void test_energy_without_meter(void **state)
{
    (void)state;
    size_t c = made_cell(&made, "a", "baseline", "t");
    made_absent(&made, c, "energy", "no energy meter works here");
    refuse("energy", TARE_E_UNSUPPORTED, "no energy meter works here");
}

static void load_cell(const char *scenario, double rate, double throughput, double p50, double p99)
{
    size_t c = made_cell(&made, "a", "baseline", "t");
    made.cells[c].scenario = scenario;
    made_figure(&made, c, "offered_rate", "request/s", rate, 0);
    made_figure(&made, c, "request_throughput", "request/s", throughput, 0.5);
    made_figure(&made, c, "latency_p50", "s", p50, p50 / 10);
    made_figure(&made, c, "latency_p99", "s", p99, p99 / 10);
}

static void test_load(void **state)
{
    (void)state;
    load_cell("open-20", 20, 14, 0.4, 3);
    load_cell("open-10", 10, 10, 0.1, 0.2);
    build("load");
    assert_point(&series(0, "a")->points[0], 10, 10);
    assert_point(&series(0, "a")->points[1], 20, 14);
    assert_point(&series(1, "a, p50")->points[1], 20, 0.4);
    assert_point(&series(1, "a, p99")->points[0], 10, 0.2);
    assert_true(series(1, "a, p99")->hollow);
}

static void test_load_without_rates(void **state)
{
    (void)state;
    four_systems();
    refuse("load", TARE_E_UNSUPPORTED, "no cell was measured under an offered load");
    built_begin(state);
    load_cell("open-10", 10, 10, 0.1, 0.2);
    refuse("load", TARE_E_UNSUPPORTED, "at two rates");
}

static void test_scaling(void **state)
{
    (void)state;
    static const double x[] = {1e5, 1e6}, y[] = {2.1, 1.7}, low[] = {2.0, 1.6}, high[] = {2.2, 1.8};
    const struct tare_plot_fit fit = {x, y, low, high, 2, 0.95, "E + A/N^a", "bootstrap over runs"};
    static const double sizes[] = {1e5, 1e6, 1e6}, losses[] = {2.12, 1.71, 1.9};
    for (size_t i = 0; i < 3; i++) {
        size_t c = made_cell(&made, i ? "b" : "a", i == 2 ? "int4" : "baseline", "text");
        made_figure(&made, c, "params_non_embedding", "1", sizes[i], 0);
        made_figure(&made, c, "bits_per_byte", "bit/B", losses[i], 0.02);
    }
    assert_int_equal(tare_plot_scaling(&made.in, "params_non_embedding", "bits_per_byte", &fit, &plot, &err),
                     0);
    assert_int_equal(series(0, "untreated models")->n_points, 2);
    assert_point(&series(0, "untreated models")->points[1], 1e6, 1.71);
    assert_near(series(0, "95 % band")->points[1].y_low, 1.6);
    assert_point(&series(0, "E + A/N^a")->points[0], 1e5, 2.1);
    assert_said("Band: 95 %, bootstrap over runs");
    assert_said("1 treated models are left out");
    tare_plot_fini(&plot);
    build("scaling");
    assert_int_equal(plot.panels[0].n_series, 1);
    assert_said("No law is fitted: ");
}

/* Six models on L = 1.5 + 40 / N^0.35: the plot has the score's law, with its band. */
static void test_scaling_law(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    for (size_t i = 0; i < 6; i++) {
        double size = 1e5 * pow(2, (double)i);
        size_t c = made_cell(&made, names[i], "baseline", "text");
        made.cells[c].facts = "{\"arch\":\"llama\"}";
        made_figure(&made, c, "params_non_embedding", "1", size, 0);
        made_figure(&made, c, "bits_per_byte", "bit/B", 1.5 + 40 / pow(size, 0.35), 0.02);
    }
    build("scaling");
    const struct tare_plot_series *band = series(0, "95 % band");
    assert_int_equal(plot.panels[0].n_series, 3);
    for (size_t i = 0; i < band->n_points; i++) {
        const struct tare_plot_point *p = &band->points[i];
        double truth = 1.5 + 40 / pow(p->x, 0.35);
        assert_true(fabs(p->y - truth) < 1e-3 * truth);
        assert_true(p->y_low <= p->y && p->y <= p->y_high);
    }
    assert_near(band->points[0].x, 1e5);
    assert_said("Band: 95 %, a bootstrap over the models");
    assert_said("through 6 models of llama");
    tare_plot_fini(&plot);
    made.in.n_cells = 4; /* of which resamples hardly ever keep four: no band, and not one of no width */
    build("scaling");
    assert_int_equal(plot.panels[0].n_series, 2);
    assert_said("without a band");
}

static const char facts[] =
    "{\"training_curve\":{\"unit\":\"bit/B\",\"points\":[[10,3.5],[20,2.5],[\"x\",1]]}}";

static void test_curves_of_facts(void **state)
{
    (void)state;
    four_systems();
    refuse("learning-curves", TARE_E_UNSUPPORTED, "training_curve");
    made.cells[1].facts = facts;
    build("learning-curves");
    assert_int_equal(plot.panels[0].n_series, 1);
    assert_int_equal(series(0, "b")->n_points, 2);
    assert_point(&series(0, "b")->points[1], 20, 2.5);
    assert_string_equal(plot.panels[0].y.unit, "bit/B");
    assert_said("Declared");
}

/* A file of that text; its name with the plot's option around it. */
static const char *curve_file(const char *text, char what[64])
{
    char path[] = "/tmp/tare-curve-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
    (void)snprintf(what, 64, "learning-curves{file=%s}", path);
    return what;
}

static void forget(const char *what)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%.*s", (int)strcspn(strchr(what, '=') + 1, "}"),
                   strchr(what, '=') + 1);
    assert_int_equal(unlink(path), 0);
}

static void test_curves_of_file(void **state)
{
    (void)state;
    char what[64];
    build(curve_file("model,tokens [tok],loss [bit/B]\r\na,1,4\r\nb,1,5\r\n\na,2,3", what));
    forget(what);
    assert_int_equal(plot.panels[0].n_series, 2);
    assert_point(&series(0, "a")->points[1], 2, 3);
    assert_string_equal(plot.panels[0].x.label, "tokens");
    assert_string_equal(plot.panels[0].x.unit, "tok");
}

static void test_curves_of_bad_files(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "the first line"},     {"a,b\n", "the first line"},           {"a,b,c,d\n", "the first line"},
        {"m,x,y\na,1\n", "line 2"}, {"m,x,y\na,1,2\na,1,nan\n", "line 3"}, {"m,x,y\na,1,2x\n", "line 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char what[64];
        refuse(curve_file(cases[i].text, what), TARE_E_FORMAT, cases[i].why);
        forget(what);
    }
    refuse("learning-curves{file=/nonexistent}", TARE_E_IO, "/nonexistent");
}

static void test_history(void **state)
{
    (void)state;
    static const double values[] = {10, 11, 12, 20, 22, (double)NAN, 24, 5};
    static const size_t changes[] = {3}, breaks[] = {7}, wrong[] = {8};
    static const char *const labels[] = {"+91 %"};
    struct tare_plot_history h = {.title = "t",
                                  .label = "time",
                                  .unit = "s",
                                  .values = values,
                                  .n = 8,
                                  .changes = changes,
                                  .n_changes = 1,
                                  .change_labels = labels,
                                  .breaks = breaks,
                                  .n_breaks = 1,
                                  .method = "rank scan"};
    assert_int_equal(tare_plot_of_history(&h, &plot, &err), 0);
    assert_int_equal(series(0, "a session")->n_points, 7);
    assert_near(series(0, "change")->points[0].x, 2.5);
    assert_string_equal(series(0, "change")->points[0].label, "+91 %");
    assert_near(series(0, "new series")->points[0].x, 6.5);
    assert_near(series(0, "median between changes")->points[0].y, 11);
    assert_near(plot.panels[0].series[2].points[1].y, 22);
    assert_said("changes (1, by rank scan)");
    tare_plot_fini(&plot);
    h.changes = wrong;
    assert_int_equal(tare_plot_of_history(&h, &plot, &err), TARE_E_FORMAT);
}

static void test_percentiles(void **state)
{
    (void)state;
    for (size_t i = 0; i < 10; i++) { /* two more than can be told apart */
        static const char *const models[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
        size_t c = made_cell(&made, models[i], "baseline", "t");
        made_figure(&made, c, "latency_p50", "s", 0.1 + (double)i, 0.01);
        made_figure(&made, c, "latency_p90", "s", 0.2 + (double)i, 0.02);
        made_absent(&made, c, "latency_p95", "n too small");
    }
    build("percentiles");
    assert_int_equal(plot.panels[0].n_series, 8);
    assert_near(series(0, "c")->points[0].y, 2.1);
    assert_near(series(0, "c")->points[1].y, 2.2);
    assert_near(series(0, "c")->points[1].y_low, 2.18);
    assert_int_equal(plot.panels[0].x.n_categories, 2);
    assert_said("p95 is absent for 8 systems: n too small");
    assert_said("2 more systems are left out");
    tare_plot_fini(&plot);
    build("percentiles{model=j}");
    assert_near(plot.panels[0].series[0].points[0].y, 9.1);
}

static size_t n_samples;

/* 1 ms, 2 ms, ..., backwards. */
static int column(void *ctx, int64_t cell_id, enum tare_column which, double **out, size_t *out_n,
                  struct tare_err *e)
{
    (void)ctx, (void)cell_id, (void)e;
    assert_int_equal(which, TARE_COLUMN_LATENCY_NS);
    *out = malloc((n_samples + 1) * sizeof **out);
    assert_non_null(*out);
    for (size_t i = 0; i < n_samples; i++) {
        (*out)[i] = 1e6 * (double)(n_samples - i);
    }
    *out_n = n_samples;
    return 0;
}

static void cdf_cell(size_t n)
{
    n_samples = n;
    size_t c = made_cell(&made, "a", "baseline", "t");
    made_figure(&made, c, "latency_p50", "s", 0.0025, 0.0005);
    made.in.column = column;
}

static void test_cdf(void **state)
{
    (void)state;
    cdf_cell(4);
    build("latency-cdf");
    const struct tare_plot_series *s = series(0, "a");
    assert_int_equal(s->n_points, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_point(&s->points[i], 1e-3 * (double)(i + 1), 0.25 * (double)(i + 1));
    }
    assert_point(&plot.panels[0].series[1].points[0], 0.0025, 0.5);
    assert_near(plot.panels[0].series[1].points[0].x_low, 0.002);
    tare_plot_fini(&plot);
    build("latency-cdf{tail=true}");
    assert_int_equal(series(0, "a")->n_points, 3);
    assert_point(&series(0, "a")->points[2], 3e-3, 0.25);
}

/* Of many values few are drawn, each where it is, the smallest and the largest among them. */
static void test_cdf_of_many(void **state)
{
    (void)state;
    enum { n = 100000 };
    cdf_cell(n);
    build("latency-cdf");
    const struct tare_plot_series *s = series(0, "a");
    assert_in_range(s->n_points, 200, 400);
    assert_near(s->points[0].x, 1e-3);
    assert_point(&s->points[s->n_points - 1], 1e-3 * n, 1);
    for (size_t i = 0; i < s->n_points; i++) {
        double rank = s->points[i].x * 1e3;
        assert_true(fabs(s->points[i].y - rank / n) < 1e-9);
        assert_true(i == 0 || s->points[i].x > s->points[i - 1].x);
    }
    /* the tail: more than a dozen points above p99.9 */
    assert_true(s->points[s->n_points - 12].y > 0.999);
    assert_said("100000 measured values");
}

static void test_cdf_without_samples(void **state)
{
    (void)state;
    cdf_cell(0);
    refuse("latency-cdf", TARE_E_UNSUPPORTED, "no sample has such a time");
    made.in.column = NULL;
    refuse("latency-cdf", TARE_E_UNSUPPORTED, "no raw samples");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLOT_TEST(test_no_cells),
        PLOT_TEST(test_usage),
        PLOT_TEST(test_roofline),
        PLOT_TEST(test_roofline_torn),
        PLOT_TEST(test_roofline_without_roof),
        PLOT_TEST(test_depth),
        PLOT_TEST(test_depth_of_one_length),
        PLOT_TEST(test_energy),
        PLOT_TEST(test_energy_of_the_wall),
        PLOT_TEST(test_energy_without_meter),
        PLOT_TEST(test_load),
        PLOT_TEST(test_load_without_rates),
        PLOT_TEST(test_scaling),
        PLOT_TEST(test_scaling_law),
        PLOT_TEST(test_curves_of_facts),
        PLOT_TEST(test_curves_of_file),
        PLOT_TEST(test_curves_of_bad_files),
        PLOT_TEST(test_history),
        PLOT_TEST(test_percentiles),
        PLOT_TEST(test_cdf),
        PLOT_TEST(test_cdf_of_many),
        PLOT_TEST(test_cdf_without_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
