/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacking archives that somebody else made. Every hostile one is refused with its reason, and leaves
 * neither the folder nor anything beside it.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "datasets/readers/archive.h"
#include "packer.h"
#include "scratch.h"

static const uint64_t ample = UINT64_C(1) << 32;

static const struct kind {
    const char *format, *filter, *name;
} kinds[] = {
    {"zip", NULL, "a.zip"},       {"ustar", NULL, "a.tar"},     {"pax", "gzip", "a.tar.gz"},
    {"gnutar", "xz", "a.tar.xz"}, {"pax", "zstd", "a.tar.zst"},
};
enum { n_kinds = sizeof kinds / sizeof *kinds };

static const struct packer_entry good[] = {
    {"./", PACKER_FOLDER, NULL, 0},
    {"./README", PACKER_FILE, "read me\n", 0},
    {"data/", PACKER_FOLDER, NULL, 0},
    {"data/test/a.csv", PACKER_FILE, "a,b\n1,2\n", 0},
    {"data/empty", PACKER_FILE, "", 0},
    {"data/", PACKER_FOLDER, NULL, 0},
    {"data/big.bin", PACKER_FILE, NULL, 300000},
    {NULL, PACKER_FILE, NULL, 0},
};

static void assert_file(const char *path, const char *text, size_t n)
{
    size_t found;
    char *data = scratch_read(path, &found);
    assert_non_null(data);
    assert_int_equal(found, n);
    assert_true(!text || memcmp(data, text, n) == 0);
    free(data);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07111, 0); /* neither set-user-id nor executable */
}

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_kinds; i++) {
        struct tare_err err = {0};
        struct packed packed = packer_archive(kinds[i].format, kinds[i].filter, NULL, good);
        const char *path = scratch_write(kinds[i].name, packed.data, packed.n);
        size_t before = scratch_count();
        if (tare_archive_unpack(path, scratch_path("out///"), ample, &err) != 0) {
            fail_msg("%s: %s", kinds[i].name, err.msg);
        }
        assert_int_equal(scratch_count(), before + 7);
        assert_file(scratch_path("out/README"), "read me\n", 8);
        assert_file(scratch_path("out/data/test/a.csv"), "a,b\n1,2\n", 8);
        assert_file(scratch_path("out/data/empty"), "", 0);
        assert_file(scratch_path("out/data/big.bin"), NULL, 300000);
        struct stat st;
        mode_t mask = umask(077);
        (void)umask(mask);
        assert_int_equal(stat(scratch_path("out"), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0777 & ~mask);
        /* Not twice into the same folder, which stays as it is. */
        assert_int_equal(tare_archive_unpack(path, scratch_path("out"), ample, &err), TARE_E_USAGE);
        assert_non_null(strstr(err.msg, "already"));
        assert_int_equal(scratch_count(), before + 7);
        assert_int_equal(scratch_remove_tree(scratch_path("out")), 0);
        free(packed.data);
    }
}

/* Whatever the bytes are: refused, the reason is told, nothing is left. */
static void assert_refused(const char *name, const struct packed *packed, uint64_t limit, int code,
                           const char *says)
{
    struct tare_err err = {0};
    const char *path = scratch_write(name, packed->data, packed->n);
    size_t before = scratch_count();
    int r = tare_archive_unpack(path, scratch_path("out"), limit, &err);
    if (r != code || err.code != code || !strstr(err.msg, says) || !strstr(err.msg, path)) {
        fail_msg("%s: %d, \"%s\" where \"%s\" is expected", name, r, err.msg, says);
    }
    assert_int_equal(scratch_count(), before);
    assert_int_equal(unlink(path), 0);
}

#define FILE_(name)               \
    {                             \
        name, PACKER_FILE, "x", 0 \
    }
#define END                        \
    {                              \
        NULL, PACKER_FILE, NULL, 0 \
    }

static void test_hostile_names(void **state)
{
    (void)state;
    static const struct {
        struct packer_entry entries[4];
        const char *says;
    } cases[] = {
        {{FILE_("ok"), FILE_("../evil"), END}, "climbs out"},
        {{FILE_("a/../../evil"), END}, "climbs out"},
        {{FILE_("./../evil"), END}, "climbs out"},
        {{FILE_("/tmp/evil"), END}, "absolute"},
        {{FILE_("a//b"), END}, "empty component"},
        {{FILE_("a\nb"), END}, "control"},
        {{FILE_("twice"), FILE_("other"), FILE_("twice"), END}, "stands twice"},
        {{FILE_("twice"), FILE_("./twice"), END}, "stands twice"},
        {{FILE_("a"), FILE_("a/b"), END}, "needs a folder where a file is"},
        {{FILE_("a/b"), FILE_("a"), END}, "stands twice"},
        {{FILE_("a"), {"a/", PACKER_FOLDER, NULL, 0}, END}, "needs a folder where a file is"},
        {{{"empty/", PACKER_FOLDER, NULL, 0}, END}, "holds no file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t k = 0; k < 2; k++) {
            struct packed packed = packer_archive(kinds[k].format, kinds[k].filter, NULL, cases[i].entries);
            assert_refused(kinds[k].name, &packed, ample, TARE_E_FORMAT, cases[i].says);
            free(packed.data);
        }
    }
}

static void test_hostile_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        struct packer_entry entries[3];
        const char *says;
    } cases[] = {
        {"pax", {{"link", PACKER_SYMLINK, "/etc", 0}, FILE_("link/evil"), END}, "is a link"},
        {"zip", {{"link", PACKER_SYMLINK, "..", 0}, FILE_("link/evil"), END}, "is a link"},
        {"ustar", {FILE_("a"), {"b", PACKER_SYMLINK, "a", 0}, END}, "is a link"},
        {"ustar", {FILE_("a"), {"b", PACKER_HARDLINK, "a", 0}, END}, "is a link"},
        {"pax", {{"b", PACKER_HARDLINK, "/etc/passwd", 0}, END}, "is a link"},
        {"ustar", {FILE_("a\\..\\..\\evil"), END}, "backslash"},
        {"ustar", {FILE_("a"), {"null", PACKER_DEVICE, NULL, 0}, END}, "neither a file nor a folder"},
        {"pax", {FILE_("a"), {"pipe", PACKER_FIFO, NULL, 0}, END}, "neither a file nor a folder"},
        {"pax", {{"holes", PACKER_SPARSE, "x", 0}, END}, "sparse"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct packed packed = packer_archive(cases[i].format, NULL, NULL, cases[i].entries);
        assert_refused("a", &packed, ample, TARE_E_FORMAT, cases[i].says);
        free(packed.data);
    }
}

static void test_encrypted(void **state)
{
    (void)state;
    static const struct packer_entry entries[] = {FILE_("secret"), END};
    struct packed packed = packer_archive("zip", NULL, "password", entries);
    assert_refused("a.zip", &packed, ample, TARE_E_FORMAT, "encrypted");
    free(packed.data);
}

static void test_limits(void **state)
{
    (void)state;
    static const struct packer_entry two[] = {
        {"a", PACKER_FILE, NULL, 600}, {"b", PACKER_FILE, NULL, 400}, END};
    static const struct packer_entry bomb[] = {
        {"a", PACKER_FILE, NULL, (size_t)40 << 20}, {"b", PACKER_FILE, NULL, (size_t)40 << 20}, END};
    for (size_t i = 0; i < n_kinds; i++) {
        struct packed packed = packer_archive(kinds[i].format, kinds[i].filter, NULL, two);
        assert_refused(kinds[i].name, &packed, 999, TARE_E_LIMIT, "limit of 999 bytes");
        struct tare_err err = {0};
        const char *path = scratch_write(kinds[i].name, packed.data, packed.n);
        assert_int_equal(tare_archive_unpack(path, scratch_path("out"), 1000, &err), 0);
        assert_int_equal(scratch_remove_tree(scratch_path("out")), 0);
        free(packed.data);
    }
    for (size_t i = 0; i < n_kinds; i += 4) { /* zip and tar.zst, which are fast */
        struct packed packed = packer_archive(kinds[i].format, kinds[i].filter, NULL, bomb);
        assert_refused(kinds[i].name, &packed, ample, TARE_E_LIMIT, "decompression bomb");
        free(packed.data);
    }
}

/* Cut short at many places, the last byte among them. Behind the two blocks of zeros a tar may be cut: it is
 * whole. */
static void test_cut(void **state)
{
    (void)state;
    static const struct packer_entry entries[] = {
        FILE_("one"), {"two", PACKER_FILE, "two words", 0}, FILE_("three"), END};
    for (size_t i = 0; i < n_kinds; i++) {
        struct packed packed = packer_archive(kinds[i].format, kinds[i].filter, NULL, entries);
        size_t whole = kinds[i].filter || i == 0 ? packed.n : (3 * 2 + 1) * 512;
        for (size_t k = 0; k < 60; k++) {
            struct packed cut = {packed.data,
                                 k < 30 ? whole - 1 - k * (whole / 60) : (k - 30) * (whole / 60)};
            assert_refused(kinds[i].name, &cut, ample, TARE_E_FORMAT, "");
        }
        free(packed.data);
    }
}

/* One bit of the content, which is stored as it is in a zip and packed in a tar.gz. */
static void test_bent(void **state)
{
    (void)state;
    static const struct packer_entry entries[] = {{"a", PACKER_FILE, "what stands here counts", 0}, END};
    for (size_t i = 0; i < n_kinds; i++) {
        if (i == 1 || i == 4) {
            continue; /* a tar has no checksum of contents, and zstd none as libarchive writes it */
        }
        struct packed packed = packer_archive(kinds[i].format, kinds[i].filter, NULL, entries);
        size_t n_refused = 0;
        for (size_t at = 0; at < packed.n; at += 1 + packed.n / 100) {
            struct tare_err err = {0};
            packed.data[at] ^= 4;
            const char *path = scratch_write(kinds[i].name, packed.data, packed.n);
            packed.data[at] ^= 4;
            size_t before = scratch_count();
            if (tare_archive_unpack(path, scratch_path("out"), ample, &err) != 0) {
                n_refused++;
                assert_int_equal(scratch_count(), before);
            } else { /* what came out under the right name is right */
                if (access(scratch_path("out/a"), F_OK) == 0) {
                    assert_file(scratch_path("out/a"), entries[0].text, strlen(entries[0].text));
                }
                assert_int_equal(scratch_remove_tree(scratch_path("out")), 0);
            }
        }
        assert_true(n_refused > 10);
        free(packed.data);
    }
}

static void test_no_archive(void **state)
{
    (void)state;
    static const char text[] = "just some text, and no archive at all\n";
    struct packed packed = {strdup(text), strlen(text)};
    assert_non_null(packed.data);
    assert_refused("a.zip", &packed, ample, TARE_E_FORMAT, "cannot be unpacked");
    packed.n = 0;
    assert_refused("a.tar", &packed, ample, TARE_E_FORMAT, "");
    free(packed.data);
    packed = packer_stream("gzip", text, strlen(text));
    assert_refused("a.tar.gz", &packed, ample, TARE_E_FORMAT, "cannot be unpacked");
    free(packed.data);
    struct tare_err err = {0};
    assert_int_equal(tare_archive_unpack(scratch_path("none.zip"), scratch_path("out"), ample, &err),
                     TARE_E_IO);
    packed = packer_archive("zip", NULL, NULL, good);
    const char *path = scratch_write("a.zip", packed.data, packed.n);
    assert_int_equal(tare_archive_unpack(path, scratch_path("no/such/place"), ample, &err), TARE_E_IO);
    free(packed.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),          cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_hostile_kinds), cmocka_unit_test(test_encrypted),
        cmocka_unit_test(test_limits),        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_bent),          cmocka_unit_test(test_no_archive),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
