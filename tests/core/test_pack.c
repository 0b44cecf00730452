/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packs: the same content gives the same hash wherever its files lie, other content another, and a pack of
 * which any one byte is changed, cut or added is refused, or is another pack.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/pack.h"

/* A task whose items and files are the test's. */
struct listed {
    const struct tare_item *items;
    size_t n;
    const char *paths[4];
};

static size_t count(void *self)
{
    return ((const struct listed *)self)->n;
}

static int item(void *self, size_t index, struct tare_item *out, struct tare_err *err)
{
    (void)err;
    *out = ((const struct listed *)self)->items[index];
    return 0;
}

static const char *source(void *self, size_t i)
{
    return i < 4 ? ((const struct listed *)self)->paths[i] : NULL;
}

static const struct tare_task task = {TARE_TASK_HEADER, .name = "listed", .version = 3,
                                      .count = count,   .item = item,     .source = source};
static const struct tare_item items[] = {{.kind = TARE_ITEM_TEXT, .text = {"one", 3}},
                                         {.kind = TARE_ITEM_TEXT, .text = {"two", 3}}};

static char folder[64], path_a[100], path_b[100];

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

static int make_files(void **state)
{
    (void)state;
    (void)strcpy(folder, "/tmp/tare_pack_XXXXXX");
    if (!mkdtemp(folder)) {
        return -1;
    }
    (void)snprintf(path_a, sizeof path_a, "%s/s", folder);
    (void)mkdir(path_a, 0700);
    (void)snprintf(path_a, sizeof path_a, "%s/s/a", folder);
    (void)snprintf(path_b, sizeof path_b, "%s/b", folder);
    put(path_a, "alpha");
    put(path_b, "");
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    (void)unlink(path_a);
    (void)unlink(path_b);
    *strrchr(path_a, '/') = '\0';
    (void)rmdir(path_a);
    return rmdir(folder);
}

static int make(const struct listed *of, const struct tare_task *with, FILE *to, struct tare_pack_made *out,
                struct tare_err *err)
{
    const char *const roots[] = {folder, NULL};
    static const struct tare_pack_recipe recipe = {.task = "listed", .seed = 7};
    struct listed self = *of;
    const struct tare_pack_subject subject = {.task = with, .self = &self, .roots = roots, .recipe = &recipe};
    return tare_pack_make(&subject, to, "test", out, err);
}

static void hash_of(const struct listed *of, const struct tare_task *with, char out[TARE_SHA256_HEX])
{
    struct tare_pack_made made;
    struct tare_err err = {0};
    if (make(of, with, NULL, &made, &err) != 0) {
        fail_msg("%s", err.msg);
    }
    memcpy(out, made.sha256, sizeof made.sha256);
}

/* Computed by hand from the format's description: the manifest below, hashed by sha256sum. */
static void test_hash_is_that_of_the_manifest(void **state)
{
    (void)state;
    static const char prompts[] = "{\"kind\":\"text\",\"text\":\"one\",\"level\":0}\n"
                                  "{\"kind\":\"text\",\"text\":\"two\",\"level\":0}\n";
    char of_prompts[TARE_SHA256_HEX], of_alpha[TARE_SHA256_HEX], expected[TARE_SHA256_HEX],
        found[TARE_SHA256_HEX];
    char manifest[1000];
    struct tare_err err = {0};
    assert_int_equal(tare_sha256(prompts, strlen(prompts), of_prompts, &err), 0);
    assert_int_equal(tare_sha256("alpha", 5, of_alpha, &err), 0);
    int n = snprintf(manifest, sizeof manifest,
                     "{\"convention\":\"own\",\"files\":[{\"bytes\":0,\"file\":\"data/b\",\"sha256\":"
                     "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"},"
                     "{\"bytes\":5,\"file\":\"data/s/a\",\"sha256\":\"%s\"},"
                     "{\"bytes\":%zu,\"file\":\"prompts.jsonl\",\"sha256\":\"%s\"}],"
                     "\"items\":2,\"tare_pack\":1,\"task\":\"listed\",\"version\":3}\n",
                     of_alpha, strlen(prompts), of_prompts);
    assert_in_range(n, 1, (int)sizeof manifest - 1);
    assert_int_equal(tare_sha256(manifest, (size_t)n, expected, &err), 0);
    hash_of(&(struct listed){items, 2, {path_a, path_b, path_a}}, &task, found); /* sorted, and once each */
    assert_string_equal(found, expected);
}

static void test_what_changes_the_hash(void **state)
{
    (void)state;
    struct tare_task newer = task, other = task, foreign = task;
    struct tare_item turned[2] = {items[1], items[0]}, level[2] = {items[0], items[1]};
    char base[TARE_SHA256_HEX], found[TARE_SHA256_HEX];
    newer.version++;
    other.name = "other";
    foreign.convention = TARE_CONVENTION_LM_EVAL;
    level[1].level = 1;
    const struct {
        struct listed of;
        const struct tare_task *with;
    } cases[] = {
        {{items, 2, {path_a}}, &newer},   {{items, 2, {path_a}}, &other},
        {{items, 2, {path_a}}, &foreign}, {{items, 1, {path_a}}, &task},
        {{turned, 2, {path_a}}, &task},   {{level, 2, {path_a}}, &task},
        {{items, 2, {path_b}}, &task},    {{items, 2, {path_a, path_b}}, &task},
        {{items, 2, {NULL}}, &task},
    };
    hash_of(&(struct listed){items, 2, {path_a}}, &task, base);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hash_of(&cases[i].of, cases[i].with, found);
        assert_string_not_equal(found, base);
    }
    put(path_a, "alphb");
    hash_of(&(struct listed){items, 2, {path_a}}, &task, found);
    assert_string_not_equal(found, base);
}

static void test_bad_files(void **state)
{
    (void)state;
    static char long_path[300];
    struct tare_pack_made made;
    struct tare_err err = {0};
    memset(long_path, 'x', sizeof long_path - 1);
    const struct {
        const char *path;
        int code;
        const char *why;
    } cases[] = {{"/nowhere/at/all", TARE_E_IO, "/nowhere/at/all"},
                 {long_path, TARE_E_LIMIT, "too long"},
                 {"/tmp/a b", TARE_E_IO, "/tmp/a b"},
                 {"/proc/self/s/../a", TARE_E_IO, "a"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct listed of = {items, 2, {cases[i].path}};
        assert_int_equal(make(&of, &task, NULL, &made, &err), cases[i].code);
        assert_non_null(strstr(err.msg, cases[i].why));
    }
    const struct listed same_name = {items, 2, {path_a, "/elsewhere/a", "/another/a"}};
    assert_int_equal(make(&same_name, &task, NULL, &made, &err), TARE_E_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "one name"));
}

static int read_bytes(char *data, size_t n, struct tare_pack_read *out, struct tare_err *err)
{
    FILE *from = fmemopen(data, n, "rb");
    assert_non_null(from);
    int r = tare_pack_read(from, "test", out, err);
    assert_int_equal(fclose(from), 0);
    return r;
}

/* A pack in memory. */
static size_t make_bytes(char *data, size_t cap, struct tare_pack_made *made)
{
    const struct listed of = {items, 2, {path_a, path_b}};
    struct tare_err err = {0};
    FILE *to = tmpfile();
    assert_non_null(to);
    if (make(&of, &task, to, made, &err) != 0) {
        fail_msg("%s", err.msg);
    }
    rewind(to);
    size_t n = fread(data, 1, cap, to);
    assert_in_range(n, 1, cap - 1);
    assert_int_equal(fclose(to), 0);
    return n;
}

static void test_read(void **state)
{
    (void)state;
    static char data[1 << 16];
    char only_hash[TARE_SHA256_HEX];
    struct tare_pack_made made;
    struct tare_pack_read read;
    struct tare_err err = {0};
    size_t n = make_bytes(data, sizeof data, &made);
    assert_int_equal(n % 512, 0);
    hash_of(&(struct listed){items, 2, {path_a, path_b}}, &task, only_hash);
    assert_string_equal(only_hash, made.sha256);
    assert_int_equal(read_bytes(data, n, &read, &err), 0);
    assert_memory_equal(&read.made, &made, sizeof made);
    assert_string_equal(tare_json_str(tare_json_get(read.recipe, "task")), "listed");
    assert_int_equal(tare_json_num(tare_json_get(read.recipe, "seed")), 7);
    tare_pack_read_fini(&read);
}

static void test_any_changed_byte_is_seen(void **state)
{
    (void)state;
    static char data[1 << 16];
    struct tare_pack_made made;
    size_t n = make_bytes(data, sizeof data, &made), refused = 0, recipe_end = 512 + 512;
    for (size_t i = 0; i < n; i++) {
        struct tare_pack_read read;
        struct tare_err err = {0};
        data[i] = (char)(data[i] ^ 1);
        int r = read_bytes(data, n, &read, &err);
        data[i] = (char)(data[i] ^ 1);
        refused += r != 0;
        if (r == 0) {
            bool in_recipe = i >= 512 && i < recipe_end; /* the one file that the hash does not hold */
            if (!in_recipe && strcmp(read.made.sha256, made.sha256) == 0) {
                fail_msg("byte %zu may be changed", i);
            }
            tare_pack_read_fini(&read);
        }
    }
    assert_in_range(refused, n - 512, n);
}

static void test_cut_and_longer(void **state)
{
    (void)state;
    static char data[1 << 16];
    struct tare_pack_made made;
    struct tare_pack_read read;
    struct tare_err err = {0};
    size_t n = make_bytes(data, sizeof data, &made);
    for (size_t i = 1; i < n; i += i % 512 == 511 ? 1 : 255) {
        assert_int_equal(read_bytes(data, i, &read, &err), TARE_E_FORMAT);
    }
    data[n] = '\0';
    assert_int_equal(read_bytes(data, n + 1, &read, &err), TARE_E_FORMAT);
    assert_non_null(strstr(err.msg, "behind its end"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hash_is_that_of_the_manifest, make_files, remove_files),
        cmocka_unit_test_setup_teardown(test_what_changes_the_hash, make_files, remove_files),
        cmocka_unit_test_setup_teardown(test_bad_files, make_files, remove_files),
        cmocka_unit_test_setup_teardown(test_read, make_files, remove_files),
        cmocka_unit_test_setup_teardown(test_any_changed_byte_is_seen, make_files, remove_files),
        cmocka_unit_test_setup_teardown(test_cut_and_longer, make_files, remove_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
