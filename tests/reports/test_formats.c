/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How tables look and what is refused. Golden files hold how the fixed table looks (TARE_UPDATE_GOLDEN=1
 * writes them anew, TARE_GOLDEN names their folder); the rest checks what must hold of any table:
 * columns align, no line is too wide, no number is printed that is none, no fault is silent.
 */
#include "fixed_table.h"
#include "render.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

enum { line_width = 120 };

static void test_list(void **state)
{
    (void)state;
    assert_true(n_formats >= 4);
    for (size_t i = 0; i < n_formats; i++) {
        assert_int_equal(formats[i].format->header.magic, TARE_PLUGIN_MAGIC);
        assert_int_equal(formats[i].format->header.kind, TARE_PLUGIN_FORMAT);
        assert_int_equal(formats[i].format->header.abi, TARE_FORMAT_ABI);
        assert_int_equal(formats[i].format->header.size, sizeof(struct tare_format));
        assert_string_equal(formats[i].format->name, formats[i].listed_as);
        assert_true(i == 0 || strcmp(formats[i - 1].listed_as, formats[i].listed_as) < 0);
        assert_true(*formats[i].format->summary && strchr(formats[i].format->media_type, '/'));
    }
}

static char *read_file(const char *path)
{
    FILE *from = fopen(path, "rb");
    if (!from) {
        fail_msg("%s: no such golden file; TARE_UPDATE_GOLDEN=1 writes it", path);
    }
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, from) > 0);
    assert_int_equal(fclose(from), 0);
    return text;
}

static void check_golden(const struct tare_format *format, const char *folder)
{
    char *text = render(format, &fixed_table);
    char path[4096];
    assert_true(snprintf(path, sizeof path, "%s/table.%s", folder, format->name) < (int)sizeof path);
    const char *update = getenv("TARE_UPDATE_GOLDEN");
    if (update && strcmp(update, "1") == 0) {
        FILE *to = fopen(path, "wb");
        assert_non_null(to);
        assert_int_not_equal(fputs(text, to), EOF);
        assert_int_equal(fclose(to), 0);
    }
    char *golden = read_file(path);
    if (strcmp(text, golden) != 0) {
        print_message("%s differs; the format writes now:\n%s", path, text);
    }
    assert_true(strcmp(text, golden) == 0);
    free(golden);
    free(text);
}

static void test_golden(void **state)
{
    (void)state;
    const char *folder = getenv("TARE_GOLDEN");
    if (!folder || !*folder) {
        fail_msg("set TARE_GOLDEN to the folder of the golden files");
    }
    for (size_t i = 0; i < n_formats; i++) {
        check_golden(formats[i].format, folder);
    }
}

/* Columns of a line as the C library counts them: another source than the one under test. */
static size_t columns_of(const char *line, size_t n)
{
    wchar_t wide[4096];
    char copy[4096];
    assert_true(n < sizeof copy);
    memcpy(copy, line, n);
    copy[n] = '\0';
    size_t n_wide = mbstowcs(wide, copy, sizeof wide / sizeof *wide);
    assert_true(n_wide != (size_t)-1 && n_wide < sizeof wide / sizeof *wide);
    int width = wcswidth(wide, n_wide);
    assert_true(width >= 0); /* -1 is what a control character gives */
    return (size_t)width;
}

static void need_utf8_locale(void)
{
    if (!setlocale(LC_CTYPE, "C.UTF-8")) {
        print_message("skipped: this machine has no locale C.UTF-8 to count columns with\n");
        skip();
    }
}

static size_t count_pipes(const char *line, size_t n)
{
    size_t pipes = 0;
    for (size_t i = 0; i < n; i++) {
        if (line[i] == '\\') {
            i++;
        } else {
            pipes += line[i] == '|';
        }
    }
    return pipes;
}

static void test_md_aligns(void **state)
{
    (void)state;
    need_utf8_locale();
    char *text = render(format_named("md"), &fixed_table);
    size_t width = 0, n_lines = 0;
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        size_t n = strcspn(line, "\n");
        if (*line == '|') {
            width = width ? width : columns_of(line, n);
            assert_int_equal(columns_of(line, n), width);
            assert_int_equal(count_pipes(line, n), fixed_columns + 1);
            n_lines++;
        }
    }
    /* the header, the line under it and the headings of groups */
    assert_int_equal(n_lines, fixed_rows + 2 + fixed_table.n_row_groups);
    free(text);
}

static void test_term_fits(void **state)
{
    (void)state;
    need_utf8_locale();
    char *text = render(format_named("term"), &fixed_table);
    size_t n_blocks = 0;
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        size_t n = strcspn(line, "\n");
        assert_true(columns_of(line, n) <= line_width);
        assert_true(n == 0 || line[n - 1] != ' ');
        n_blocks += strncmp(line, "Method ", 7) == 0;
    }
    assert_int_equal(n_blocks, 3);
    free(text);
}

/* What only looks like UTF-8 is replaced wherever it would do harm: in text and in JSON. */
static void test_bad_utf8(void **state)
{
    (void)state;
    static const char *const bad[] = {"\xed\xa0\x80",     "\xc0\xaf", "\xe0\x80\xaf",
                                      "\xf4\x90\x80\x80", "\xe2\x82", "\x80"};
    static const char *const text_formats[] = {"html", "json", "md", "term"};
    static const struct tare_table_column column = {.key = "a"};
    need_utf8_locale();
    for (size_t i = 0; i < sizeof bad / sizeof *bad * 4; i++) {
        const struct tare_table_cell cell = {.type = TARE_CELL_TEXT, .text = bad[i / 4]};
        const struct tare_table table = {.n_columns = 1, .n_rows = 1, .columns = &column, .cells = &cell};
        char *text = render(format_named(text_formats[i % 4]), &table);
        assert_true(mbstowcs(NULL, text, 0) != (size_t)-1);
        assert_non_null(strstr(text, "\xef\xbf\xbd"));
        free(text);
    }
}

/* Rows of a table of one or two columns, made in place. */
static struct tare_table small_table(const struct tare_table_column *columns, size_t n_columns,
                                     const struct tare_table_cell *cells, size_t n_rows)
{
    return (struct tare_table){.n_columns = n_columns, .n_rows = n_rows, .columns = columns, .cells = cells};
}

static struct tare_table_cell joules(double value, enum tare_kind kind)
{
    struct tare_table_cell cell = {.type = TARE_CELL_QUANTITY,
                                   .q = {.value = value,
                                         .unit = "J",
                                         .kind = kind,
                                         .source = "powercap",
                                         .scope = "package",
                                         .decimals = 2}};
    return cell;
}

static const struct tare_table_column one_column[] = {{.key = "energy", .header = "E", .unit = "J"}};

/* The words nan and inf are in no other text of these tables. */
static void test_no_number_that_is_none(void **state)
{
    (void)state;
    struct tare_table_cell cells[] = {
        joules((double)NAN, TARE_KIND_MEASURED), joules(HUGE_VAL, TARE_KIND_MEASURED),
        joules(-HUGE_VAL, TARE_KIND_MEASURED),   joules(1, TARE_KIND_MEASURED),
        joules(1, TARE_KIND_MEASURED),           joules(1e300, TARE_KIND_MEASURED),
    };
    cells[3].q.has_interval = cells[4].q.has_interval = true;
    cells[3].q.low = cells[3].q.high = cells[3].q.level = (double)NAN;
    cells[4].q.low = -HUGE_VAL;
    cells[4].q.high = HUGE_VAL;
    cells[5].q.display_scale = 1e300;
    struct tare_table table = small_table(one_column, 1, cells, sizeof cells / sizeof *cells);
    for (size_t i = 0; i < n_formats; i++) {
        char *text = render(formats[i].format, &table);
        char *cells_of = strstr(text, "<tbody>"); /* in HTML, where there are programs as well */
        cells_of = cells_of ? cells_of : text;
        char *end = strstr(cells_of, "<dialog");
        if (end) {
            *end = '\0';
        }
        assert_null(strcasestr(cells_of, "nan"));
        assert_null(strcasestr(cells_of, "inf"));
        free(text);
    }
}

static void check_has(const char *format, const struct tare_table *table, const char *needle, bool expected)
{
    char *text = render(format_named(format), table);
    if ((strstr(text, needle) != NULL) != expected) {
        fail_msg("%s: \"%s\" %s in:\n%s", format, needle, expected ? "is not" : "is", text);
    }
    free(text);
}

/* A letter stands in the cells only when they differ in kind. */
static void test_kind_letters(void **state)
{
    (void)state;
    struct tare_table_cell cells[] = {joules(1, TARE_KIND_MEASURED), joules(2, TARE_KIND_MEASURED)};
    struct tare_table table = small_table(one_column, 1, cells, 2);
    check_has("md", &table, "(m)", false);
    check_has("md", &table, "1. measured; scope package; source powercap", true);
    cells[1].q.kind = TARE_KIND_MODELLED;
    check_has("md", &table, "1.00 u? (m)", true);
    check_has("md", &table, "2.00 u? (M)", true);
    check_has("term", &table, "(M) modelled", true);
    cells[1].q.value = (double)NAN; /* what is absent has no kind */
    check_has("md", &table, "(m)", false);
}

/* Rounding may not make a zero of what is none, nor a minus sign of nothing. */
static void test_small_numbers(void **state)
{
    (void)state;
    struct tare_table_cell cell = joules(0.0049, TARE_KIND_MEASURED);
    struct tare_table table = small_table(one_column, 1, &cell, 1);
    check_has("term", &table, "4.9e-03 u?", true);
    cell.q.value = 0.0051;
    check_has("term", &table, "0.01 u?", true);
    cell.q.value = -0.0;
    check_has("term", &table, "-", false);
    cell.q.value = 2.5e15;
    check_has("term", &table, "2.5e+15 u?", true);
    cell = joules(0.1, TARE_KIND_MEASURED);
    cell.q.has_interval = true;
    cell.q.low = -0.001;
    cell.q.high = 0.2;
    check_has("term", &table, "0.10 [0.00, 0.20]", true);
}

static void test_units(void **state)
{
    (void)state;
    struct tare_table_cell cell = joules(3, TARE_KIND_MEASURED);
    struct tare_table table = small_table(one_column, 1, &cell, 1);
    check_has("md", &table, "3.00 u?", true);
    cell.q.unit = "kWh"; /* not the column's */
    check_has("md", &table, "3.00 kWh u?", true);
    cell.q.display_scale = 3.6e6; /* converted */
    check_has("md", &table, "10800000.00 u?", true);
}

static int write_to(const struct tare_format *format, const struct tare_table *table, const char *path,
                    const char *mode)
{
    struct tare_err err = {0};
    FILE *to = fopen(path, mode);
    assert_non_null(to);
    int r = format->write(table, to, &err);
    assert_int_equal(err.code, r);
    assert_true(r == 0 || *err.msg);
    (void)fclose(to);
    return r;
}

static void test_write_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_formats; i++) {
        assert_int_equal(write_to(formats[i].format, &fixed_table, "/dev/null", "w"), 0);
        assert_int_equal(write_to(formats[i].format, &fixed_table, "/dev/full", "w"), TARE_E_IO);
        assert_int_equal(write_to(formats[i].format, &fixed_table, "/dev/null", "r"), TARE_E_IO);
    }
}

/* Refused by this format, with nothing written. */
static void check_refused(const struct tare_format *format, const struct tare_table *table)
{
    char *text = NULL;
    size_t n = 0;
    struct tare_err err = {0};
    FILE *to = open_memstream(&text, &n);
    assert_non_null(to);
    assert_int_equal(format->write(table, to, &err), TARE_E_FORMAT);
    assert_int_equal(fclose(to), 0);
    assert_int_equal(n, 0);
    assert_int_equal(err.code, TARE_E_FORMAT);
    assert_true(*err.msg && !strchr(err.msg, '\n'));
    free(text);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct tare_table_column twins[] = {{.key = "a"}, {.key = "a"}};
    static const struct tare_table_column nameless[] = {{.key = ""}};
    static const struct tare_table_column bad_utf8[] = {{.key = "a\xff"}};
    struct tare_table_cell cells[] = {joules(1, TARE_KIND_MEASURED), joules(1, TARE_KIND_MEASURED)};
    struct tare_table_cell kindless = joules(1, TARE_KIND_DECLARED + 1);
    struct tare_table_cell unitless = joules(1, TARE_KIND_MEASURED);
    struct tare_table_cell typeless = joules(1, TARE_KIND_MEASURED);
    unitless.q.unit = NULL;
    typeless.type = TARE_CELL_ABSENT + 1;
    const struct tare_table tables[] = {
        small_table(twins, 2, cells, 1),          small_table(nameless, 1, cells, 1),
        small_table(bad_utf8, 1, cells, 1),       small_table(one_column, 1, &kindless, 1),
        small_table(one_column, 1, &unitless, 1), small_table(one_column, 1, &typeless, 1),
        small_table(one_column, 0, cells, 1),     small_table(one_column, 1, NULL, 1),
    };
    for (size_t i = 0; i < n_formats; i++) {
        for (size_t j = 0; j < sizeof tables / sizeof *tables; j++) {
            check_refused(formats[i].format, &tables[j]);
        }
    }
    const struct tare_table_group beyond = {0, 2, "g"}, nameless_group = {0, 1, NULL},
                                  empty_group = {0, 0, "g"};
    const struct tare_table_group twice[] = {{0, 1, "g"}, {0, 1, "h"}};
    const struct tare_table_picture blank = {"title", "text", "<p>no svg</p>"};
    struct tare_table_cell void_cell = joules(1, TARE_KIND_MEASURED), both = joules(1, TARE_KIND_MEASURED);
    void_cell.outcome = TARE_CELL_INVALID;
    both.q.best = both.q.second = true;
    struct tare_table framed[8];
    for (size_t j = 0; j < 8; j++) {
        framed[j] = small_table(one_column, 1, j == 6 ? &void_cell : j == 7 ? &both : cells, 1);
    }
    framed[0].row_groups = &beyond, framed[0].n_row_groups = 1;
    framed[1].column_groups = &beyond, framed[1].n_column_groups = 1;
    framed[2].row_groups = &nameless_group, framed[2].n_row_groups = 1;
    framed[3].row_groups = twice, framed[3].n_row_groups = 2;
    framed[4].n_baseline_rows = 2;
    framed[5].pictures = &blank, framed[5].n_pictures = 1;
    for (size_t i = 0; i < n_formats * 8; i++) {
        check_refused(formats[i / 8].format, &framed[i % 8]);
    }
    framed[0].row_groups = &empty_group;
    check_refused(format_named("md"), &framed[0]);
    static const struct tare_table_column clash[] = {{.key = "a"}, {.key = "a_low"}};
    const struct tare_table clashing = small_table(clash, 2, cells, 1);
    check_refused(format_named("csv"), &clashing);
}

/* Where the names of two things would be one, csv refuses; where nothing is added, it does not. */
static void test_csv_own_names(void **state)
{
    (void)state;
    static const struct tare_table_column own = {.key = "row_group"};
    static const struct tare_table_group group = {0, 1, "g"};
    const struct tare_table_cell cell = {.type = TARE_CELL_TEXT, .text = "x"};
    struct tare_table table = small_table(&own, 1, &cell, 1);
    check_has("csv", &table, "row_group\nx\n", true);
    table.row_groups = &group;
    table.n_row_groups = 1;
    check_refused(format_named("csv"), &table);
}

/* What was not asked for, what failed and what is void are told apart in every format. */
static void test_outcomes_differ(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_formats; i++) {
        char *texts[TARE_CELL_OOM + 1] = {NULL};
        for (int outcome = TARE_CELL_MISSING; outcome <= TARE_CELL_OOM; outcome++) {
            const struct tare_table_cell cell = {.type = TARE_CELL_ABSENT,
                                                 .outcome = (enum tare_cell_outcome)outcome,
                                                 .text = "why",
                                                 .mark = "-"};
            const struct tare_table table = small_table(one_column, 1, &cell, 1);
            texts[outcome] = render(formats[i].format, &table);
            for (int other = TARE_CELL_MISSING; other < outcome; other++) {
                assert_string_not_equal(texts[outcome], texts[other]);
            }
        }
        for (int outcome = TARE_CELL_MISSING; outcome <= TARE_CELL_OOM; outcome++) {
            free(texts[outcome]);
        }
    }
}

static void test_ratios(void **state)
{
    (void)state;
    static const struct {
        double ratio;
        const char *text;
    } cases[] = {{1.1, "1.00 (1.10x) u?"},  {9.99, "1.00 (9.99x) u?"},  {9.996, "1.00 (10.0x) u?"},
                 {99.96, "1.00 (100x) u?"}, {0.001, "1.00 (1.0e-03x)"}, {0, "1.00 u?"},
                 {-1, "1.00 u?"},           {2e7, "1.00 (2.0e+07x)"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_table_cell cell = joules(1, TARE_KIND_MEASURED);
        cell.q.ratio = cases[i].ratio;
        const struct tare_table table = small_table(one_column, 1, &cell, 1);
        check_has("term", &table, cases[i].text, true);
        check_has("md", &table, cases[i].text, true);
    }
}

/* A table without rows is a table. */
static void test_empty_table(void **state)
{
    (void)state;
    struct tare_table table = small_table(one_column, 1, NULL, 0);
    check_has("md", &table, "| E (J) |\n| :---- |\n", true);
    check_has("term", &table, "E (J)\n─────\n", true);
    check_has("csv", &table, "energy\n", true);
    check_has("json", &table, "\"rows\":\t[]", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),          cmocka_unit_test(test_golden),
        cmocka_unit_test(test_md_aligns),     cmocka_unit_test(test_term_fits),
        cmocka_unit_test(test_bad_utf8),      cmocka_unit_test(test_no_number_that_is_none),
        cmocka_unit_test(test_kind_letters),  cmocka_unit_test(test_small_numbers),
        cmocka_unit_test(test_units),         cmocka_unit_test(test_write_errors),
        cmocka_unit_test(test_refusals),      cmocka_unit_test(test_empty_table),
        cmocka_unit_test(test_csv_own_names), cmocka_unit_test(test_outcomes_differ),
        cmocka_unit_test(test_ratios),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
