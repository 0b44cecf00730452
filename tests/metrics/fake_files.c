/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_files.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

void fake_files_open(struct fake_files *f)
{
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/tare-fake-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
}

void fake_files_put(const struct fake_files *f, const char *path, const char *text)
{
    char full[512];
    (void)snprintf(full, sizeof full, "%s/%s", f->dir, path);
    for (char *at = full + strlen(f->dir) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        (void)mkdir(full, 0755);
        *at = '/';
    }
    FILE *to = fopen(full, "we");
    assert_non_null(to);
    assert_true(fputs(text, to) >= 0);
    assert_int_equal(fclose(to), 0);
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

void fake_files_close(struct fake_files *f)
{
    (void)nftw(f->dir, drop, 16, FTW_DEPTH | FTW_PHYS);
}
