/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading documents, through the task text: splitting at NUL, what counts as a document, which files are
 * read in which order, and every way a path can be wrong.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"

extern const struct tare_task tare_task_text;

static char folder[64];
static char made[16][96]; /* inside the folder, to be removed in reverse order */
static size_t n_made;

static int make_folder(void **state)
{
    (void)state;
    (void)strcpy(folder, "/tmp/tare_documents_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    while (n_made > 0) {
        (void)remove(made[--n_made]);
    }
    return rmdir(folder);
}

static const char *new_name(const char *name)
{
    assert_true(n_made < 16);
    char *path = made[n_made++];
    assert_in_range(snprintf(path, sizeof made[0], "%s/%s", folder, name), 1, 95);
    return path;
}

static const char *write_file(const char *name, const char *bytes, size_t n)
{
    const char *path = new_name(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
    return path;
}

static void make_dir(const char *name)
{
    assert_int_equal(mkdir(new_name(name), 0700), 0);
}

static struct fixture open_path(const char *path, const char *words)
{
    struct fixture f = fixture_make(&tare_task_text);
    fixture_set_text(&f, "path", path);
    fixture_set(&f, words);
    if (fixture_open(&f, 1)) {
        fail_msg("%s", f.err.msg);
    }
    return f;
}

static void test_split_at_nul(void **state)
{
    (void)state;
    static const char bytes[] = "\0 one \n\0\0two\n\0\xff\xfe";
    const char *path = write_file("a.bin", bytes, sizeof bytes - 1);
    struct fixture f = open_path(path, NULL);
    assert_int_equal(tare_task_text.count(f.self), 3);
    fixture_assert_bytes(fixture_item(&f, 0).text, " one \n", 6);
    fixture_assert_bytes(fixture_item(&f, 1).text, "two\n", 4);
    fixture_assert_bytes(fixture_item(&f, 2).text, "\xff\xfe", 2);
    assert_int_equal(fixture_item(&f, 2).kind, TARE_ITEM_TEXT);
    assert_string_equal(tare_task_text.source(f.self, 0), path);
    assert_null(tare_task_text.source(f.self, 1));
    struct tare_item item = {.level = 77};
    assert_int_equal(tare_task_text.item(f.self, 3, &item, &f.err), TARE_E_USAGE);
    assert_int_equal(item.level, 77);
    fixture_done(&f);
}

static void test_without_nul(void **state)
{
    (void)state;
    const char *path = write_file("plain.txt", "just one", 8);
    struct fixture f = open_path(path, NULL);
    assert_int_equal(tare_task_text.count(f.self), 1);
    fixture_assert_bytes(fixture_item(&f, 0).text, "just one", 8);
    fixture_done(&f);
}

static void test_items_limits(void **state)
{
    (void)state;
    const char *path = write_file("b.bin", "x\0y\0z", 5);
    struct fixture f = open_path(path, "items=2");
    assert_int_equal(tare_task_text.count(f.self), 2);
    fixture_assert_bytes(fixture_item(&f, 1).text, "y", 1);
    fixture_done(&f);
    f = open_path(path, "items=9");
    assert_int_equal(tare_task_text.count(f.self), 3);
    fixture_done(&f);
}

static void assert_refused(const char *path, int code, const char *says)
{
    struct fixture f = fixture_make(&tare_task_text);
    fixture_set_text(&f, "path", path);
    assert_int_equal(fixture_open(&f, 1), code);
    assert_int_equal(f.err.code, code);
    if (!strstr(f.err.msg, says) || !strstr(f.err.msg, path)) {
        fail_msg("\"%s\" lacks \"%s\" or the path", f.err.msg, says);
    }
    assert_int_equal(tare_task_text.count(f.self), 0);
    fixture_done(&f);
}

static void test_bad_paths(void **state)
{
    (void)state;
    char missing[96];
    (void)snprintf(missing, sizeof missing, "%s/none.txt", folder);
    assert_refused(missing, TARE_E_IO, "No such file");
    assert_refused(folder, TARE_E_IO, "directory");
    assert_refused(write_file("empty.txt", "", 0), TARE_E_FORMAT, "no text");
    assert_refused(write_file("nuls.bin", "\0\0\0", 3), TARE_E_FORMAT, "no text");
    const char *fifo = new_name("fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_refused(fifo, TARE_E_IO, "not a regular file");
    const char *huge = write_file("huge.txt", "a", 1); /* sparse: takes no room on the disk */
    assert_int_equal(truncate(huge, ((off_t)1 << 30) + 1), 0);
    assert_refused(huge, TARE_E_LIMIT, "larger than");
}

/* A data folder of our own: order by name, other files and empty ones passed over, NUL kept. */
static void test_prose_of_a_folder(void **state)
{
    (void)state;
    make_dir("text");
    make_dir("text/prose");
    (void)write_file("text/prose/b.txt", "B\0b", 3);
    (void)write_file("text/prose/Z.txt", "Z", 1);
    (void)write_file("text/prose/a.txt", "", 0);
    (void)write_file("text/prose/c.md", "no", 2);
    struct fixture f = fixture_make(&tare_task_text);
    assert_int_equal(fixture_open_in(&f, 1, folder), 0);
    assert_int_equal(tare_task_text.count(f.self), 2);
    fixture_assert_bytes(fixture_item(&f, 0).text, "Z", 1);
    fixture_assert_bytes(fixture_item(&f, 1).text, "B\0b", 3);
    assert_non_null(strstr(tare_task_text.source(f.self, 0), "/text/prose/Z.txt"));
    assert_non_null(strstr(tare_task_text.source(f.self, 1), "/text/prose/a.txt"));
    assert_non_null(strstr(tare_task_text.source(f.self, 2), "/text/prose/b.txt"));
    assert_null(tare_task_text.source(f.self, 3));
    fixture_done(&f);
}

static void test_no_prose(void **state)
{
    (void)state;
    struct fixture f = fixture_make(&tare_task_text);
    assert_int_equal(fixture_open_in(&f, 1, folder), TARE_E_IO);
    assert_non_null(strstr(f.err.msg, "text/prose"));
    make_dir("text");
    make_dir("text/prose");
    assert_int_equal(fixture_open_in(&f, 1, folder), TARE_E_FORMAT);
    assert_non_null(strstr(f.err.msg, "no .txt file"));
    fixture_done(&f);
}

static size_t count_shipped(void)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/text/prose", fixture_data_dir());
    DIR *dir = opendir(path);
    assert_non_null(dir);
    size_t n = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        size_t len = strlen(entry->d_name);
        n += len > 4 && strcmp(entry->d_name + len - 4, ".txt") == 0;
    }
    (void)closedir(dir);
    return n;
}

static void test_shipped_prose(void **state)
{
    (void)state;
    struct fixture f = fixture_opened(&tare_task_text, NULL, 1);
    size_t n = count_shipped();
    assert_true(n > 0);
    assert_int_equal(tare_task_text.count(f.self), n);
    for (size_t i = 0; i < n; i++) {
        const char *path = tare_task_text.source(f.self, i);
        size_t size = 0;
        char *bytes = fixture_read(path, &size);
        fixture_assert_bytes(fixture_item(&f, i).text, bytes, size);
        free(bytes);
        assert_true(i == 0 || strcmp(tare_task_text.source(f.self, i - 1), path) < 0);
    }
    assert_null(tare_task_text.source(f.self, n));
    fixture_done(&f);
}

/* A model that spends 8 bits on every byte: nats / bytes * scale must give 8. */
static void test_bits_per_byte(void **state)
{
    (void)state;
    const struct tare_metric *metric = tare_task_text.metrics;
    const double ln_256 = 5.545177444479562;
    assert_string_equal(metric->name, "bits_per_byte");
    assert_int_equal(metric->rule, TARE_METRIC_RATIO);
    assert_true(metric->lower_is_better);
    double error = metric->scale * ln_256 - 8.0;
    assert_true(error < 1e-14 && error > -1e-14);
    assert_null(metric[1].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_split_at_nul, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_without_nul, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_items_limits, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_bad_paths, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_prose_of_a_folder, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_no_prose, make_folder, remove_folder),
        cmocka_unit_test(test_shipped_prose),
        cmocka_unit_test(test_bits_per_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
