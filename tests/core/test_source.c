/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources: what is refused and why, what is found in a folder, and that every shipped source is one: pinned
 * to a commit by its address, and equal to the reference data where those are there (TARE_SHARED).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/source.h"

/* SHA-256 of "abc", FIPS 180-2. */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define HEAD                                                                                             \
    "{\"tare_source\":1,\"name\":\"s\",\"summary\":\"x\",\"licence\":\"MIT\",\"licence_from\":\"here\"," \
    "\"cite\":\"us\","
#define FILE_ABC "\"file\":\"s/f.txt\",\"bytes\":3,\"sha256\":\"" ABC "\""
#define GOOD     HEAD "\"files\":[{" FILE_ABC ",\"urls\":[\"https://h/f\"]}]}"

static int parse(const char *text, struct tare_source **out, struct tare_err *err)
{
    struct tare_json *json = NULL;
    assert_int_equal(tare_json_parse(text, strlen(text), "test", &json, err), 0);
    return tare_source_parse(json, "test", out, err);
}

static void test_good(void **state)
{
    (void)state;
    struct tare_source *s = NULL;
    struct tare_err err = {0};
    assert_int_equal(parse(GOOD, &s, &err), 0);
    assert_string_equal(s->licence, "MIT");
    assert_null(s->licence_url);
    assert_int_equal(s->n_files, 1);
    assert_int_equal(s->files[0].bytes, 3);
    assert_string_equal(s->files[0].sha256, ABC);
    assert_null(s->files[0].why);
    assert_ptr_equal(tare_source_find(s, "s/f.txt"), &s->files[0]);
    assert_null(tare_source_find(s, "f.txt"));
    tare_source_destroy(s);
}

static void test_bad(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"[]", "must be an object"},
        {"{\"tare_source\":2,\"name\":\"s\"}", "must be 1"},
        {"{\"tare_source\":1,\"nam\":\"s\"}", "unknown key \"nam\"; is \"name\" meant?"},
        {"{\"tare_source\":1,\"name\":\"s\"}", "\"summary\" must be a text"},
        {HEAD "\"note\":\"\",\"files\":[]}", "\"note\" must be a text"},
        {HEAD "\"note\":\"a\\u001b[2J\",\"files\":[]}", "\"note\" must be a text"},
        {HEAD "\"note\":3,\"files\":[]}", "\"note\" must be a text"},
        {HEAD "\"files\":[]}", "list of 1 to"},
        {HEAD "\"files\":{}}", "list of 1 to"},
        {HEAD "\"files\":[3]}", "file 1: it must be an object"},
        {HEAD "\"files\":[{" FILE_ABC "}]}", "addresses must be a list"},
        {HEAD "\"files\":[{" FILE_ABC ",\"urls\":[]}]}", "must say \"why\""},
        {HEAD "\"files\":[{" FILE_ABC ",\"urls\":[\"https://h/f\"],\"why\":\"x\"}]}", "\"why\" belongs to"},
        {HEAD "\"files\":[{" FILE_ABC ",\"urls\":[\"ftp://h/f\"]}]}", "must begin with https://"},
        {HEAD "\"files\":[{" FILE_ABC ",\"urls\":[\"file:///etc/passwd\"]}]}", "must begin with https://"},
        {HEAD "\"files\":[{" FILE_ABC ",\"urls\":[\"https://h/a b\"]}]}", "must begin with https://"},
        {HEAD "\"files\":[{" FILE_ABC ",\"urls\":[3]}]}", "must begin with https://"},
        {HEAD "\"files\":[{" FILE_ABC ",\"urls\":[\"https://h/f\"],\"unpack\":\"zip\"}]}",
         "unknown key \"unpack\""},
        {HEAD "\"files\":[{\"file\":\"s/f\",\"sha256\":\"" ABC "\",\"urls\":[\"https://h/f\"]}]}",
         "\"bytes\" beside it"},
        {HEAD "\"files\":[{\"file\":\"s/f\",\"bytes\":3,\"sha256\":\"BA78\",\"urls\":[\"https://h/f\"]}]}",
         "64 lower-case"},
        {HEAD "\"files\":[{\"file\":\"s/f\",\"bytes\":-1,\"urls\":[],\"why\":\"x\"}]}",
         "whole number of bytes"},
        {HEAD "\"files\":[{\"file\":\"s/f\",\"bytes\":1.5,\"urls\":[],\"why\":\"x\"}]}",
         "whole number of bytes"},
        {HEAD "\"files\":[{\"file\":\"s/f\",\"urls\":[]}]}", "must say \"why\""},
        {HEAD "\"files\":[{\"file\":\"t/f\",\"urls\":[],\"why\":\"x\"}]}", "begins with s/"},
        {HEAD "\"files\":[{\"file\":\"s2/f\",\"urls\":[],\"why\":\"x\"}]}", "begins with s/"},
        {HEAD "\"files\":[{\"file\":\"s/../f\",\"urls\":[],\"why\":\"x\"}]}", "begins with s/"},
        {HEAD "\"files\":[{\"file\":\"/s/f\",\"urls\":[],\"why\":\"x\"}]}", "begins with s/"},
        {HEAD "\"files\":[{\"file\":\"s/f\",\"urls\":[],\"why\":\"x\"},{\"file\":\"s/"
              "f\",\"urls\":[],\"why\":\"x\"}]}",
         "there twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_source *s = NULL;
        struct tare_err err = {0};
        assert_int_equal(parse(cases[i].text, &s, &err), TARE_E_FORMAT);
        assert_null(s);
        if (!strstr(err.msg, cases[i].why)) {
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].text, err.msg, cases[i].why);
        }
    }
}

static char folder[] = "/tmp/tare_source_XXXXXX";

static void put(const char *text)
{
    char path[100];
    (void)snprintf(path, sizeof path, "%s/s/f.txt", folder);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

static void test_look(void **state)
{
    (void)state;
    struct tare_source *s = NULL;
    struct tare_source_found found;
    struct tare_err err = {0};
    char path[100];
    assert_non_null(mkdtemp(folder));
    assert_int_equal(parse(GOOD, &s, &err), 0);
    assert_int_equal(tare_source_look(&s->files[0], folder, &found, &err), 0);
    assert_int_equal(found.state, TARE_SOURCE_ABSENT);
    assert_int_equal(found.bytes, -1);
    (void)snprintf(path, sizeof path, "%s/s", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    static const struct {
        const char *text;
        enum tare_source_state state;
        const char *sha256;
    } cases[] = {
        {"abc", TARE_SOURCE_PRESENT, ABC},
        {"abcd", TARE_SOURCE_CHANGED, ""},
        {"", TARE_SOURCE_CHANGED, ""},
        /* computed by sha256sum */
        {"abd", TARE_SOURCE_CHANGED, "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(cases[i].text);
        assert_int_equal(tare_source_look(&s->files[0], folder, &found, &err), 0);
        assert_int_equal(found.state, cases[i].state);
        assert_string_equal(found.sha256, cases[i].sha256);
        assert_int_equal(found.bytes, strlen(cases[i].text));
    }
    (void)snprintf(path, sizeof path, "%s/s/f.txt", folder);
    assert_int_equal(remove(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(tare_source_look(&s->files[0], folder, &found, &err), TARE_E_IO);
    assert_int_equal(rmdir(path), 0);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(folder), 0);
    tare_source_destroy(s);
}

static void find_shipped(struct tare_paths *paths)
{
    const char *data = getenv("TARE_DATA");
    if (!data) {
        fail_msg("TARE_DATA is not set; it names the folder datasets");
    }
    assert_in_range(snprintf(paths->data, sizeof paths->data, "%s", data), 1, (int)sizeof paths->data - 1);
}

/* What cannot change under us: an address with a commit in it. */
static int has_commit(const char *url)
{
    for (const char *c = url; (c = strchr(c, '/')) != NULL; c++) {
        if (strspn(c + 1, "0123456789abcdef") == 40 && c[41] == '/') {
            return 1;
        }
    }
    return 0;
}

static void check_shipped(const struct tare_source *s, size_t *n_pinned)
{
    for (size_t i = 0; i < s->n_files; i++) {
        const struct tare_source_file *f = &s->files[i];
        *n_pinned += f->sha256 && tare_json_size(f->urls) > 0;
        for (const struct tare_json *v = tare_json_first(f->urls); v; v = tare_json_next(v)) {
            const char *url = tare_json_str(v);
            if (strncmp(url, "https://", 8) != 0 || !has_commit(url)) {
                fail_msg("%s: %s is not pinned to a commit", f->file, url);
            }
        }
    }
}

static void test_shipped(void **state)
{
    (void)state;
    static struct tare_paths paths;
    struct tare_err err = {0};
    struct tare_json *names = tare_json_new_array();
    size_t n_pinned = 0;
    find_shipped(&paths);
    assert_int_equal(tare_source_names(&paths, names, &err), 0);
    assert_in_range(tare_json_size(names), 24, 10000);
    for (const struct tare_json *v = tare_json_first(names); v; v = tare_json_next(v)) {
        struct tare_source *s = NULL;
        if (tare_source_load(&paths, tare_json_str(v), &s, &err) != 0) {
            fail_msg("%s", err.msg);
        }
        check_shipped(s, &n_pinned);
        tare_source_destroy(s);
    }
    assert_in_range(n_pinned, 58, 100000);
    tare_json_destroy(names);
}

static void test_unknown(void **state)
{
    (void)state;
    static struct tare_paths paths;
    static const struct {
        const char *name, *why;
    } cases[] = {{"pika", "is \"piqa\" meant?"}, {"../piqa", "no source of data"}, {"", "no source of data"}};
    find_shipped(&paths);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_source *s = NULL;
        struct tare_err err = {0};
        assert_int_equal(tare_source_load(&paths, cases[i].name, &s, &err), TARE_E_USAGE);
        assert_null(s);
        assert_non_null(strstr(err.msg, cases[i].why));
    }
}

/* Files taken whole have the pinned bytes; a source names at least one of them. */
static void test_reference_data(void **state)
{
    (void)state;
    static struct tare_paths paths;
    const char *shared = getenv("TARE_SHARED");
    char data[TARE_PATH_MAX];
    struct tare_err err = {0};
    size_t counts[4] = {0};
    if (!shared) {
        print_message("skipped: TARE_SHARED names no folder of reference data\n");
        skip();
    }
    assert_in_range(snprintf(data, sizeof data, "%s/data", shared), 1, (int)sizeof data - 1);
    find_shipped(&paths);
    struct tare_json *names = tare_json_new_array();
    assert_int_equal(tare_source_names(&paths, names, &err), 0);
    for (const struct tare_json *v = tare_json_first(names); v; v = tare_json_next(v)) {
        struct tare_source *s = NULL;
        assert_int_equal(tare_source_load(&paths, tare_json_str(v), &s, &err), 0);
        for (size_t i = 0; i < s->n_files; i++) {
            struct tare_source_found found;
            assert_int_equal(tare_source_look(&s->files[i], data, &found, &err), 0);
            counts[found.state]++;
            if (found.state == TARE_SOURCE_CHANGED) {
                fail_msg("%s has %s", s->files[i].file, found.sha256);
            }
        }
        tare_source_destroy(s);
    }
    assert_in_range(counts[TARE_SOURCE_PRESENT], 50, 100);
    assert_int_equal(counts[TARE_SOURCE_UNPINNED], 0);
    tare_json_destroy(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),    cmocka_unit_test(test_bad),     cmocka_unit_test(test_look),
        cmocka_unit_test(test_shipped), cmocka_unit_test(test_unknown), cmocka_unit_test(test_reference_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
