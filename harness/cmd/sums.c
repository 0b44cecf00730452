/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the folder's list anew each time: it is small, and a list that was put right counts at once. */
#include "cmd/sums.h"

#include "base/buf.h"
#include "base/hash.h"

#include <string.h>

static const char list_name[] = "SHA256SUMS";

enum { digits = TARE_SHA256_HEX - 1, max_list_bytes = 1 << 20 };

/* The digits of the line for `name`: "DIGITS  name" or "DIGITS *name"; NULL if there is none. */
static const char *find_line(const char *text, const char *name)
{
    size_t n = strlen(name);
    while (*text) {
        size_t line = strcspn(text, "\r\n");
        if (line == digits + 2 + n && strspn(text, "0123456789abcdef") == digits && text[digits] == ' ' &&
            memcmp(text + digits + 2, name, n) == 0) {
            return text;
        }
        text += line + strspn(text + line, "\r\n");
    }
    return NULL;
}

int tare_sums_check(const char *path, const char *sha256, struct tare_err *err)
{
    const char *slash = strrchr(path, '/');
    struct tare_buf list, text;
    tare_buf_init(&list, 1 << 16);
    tare_buf_init(&text, max_list_bytes);
    tare_buf_add(&list, path, slash ? (size_t)(slash - path) + 1 : 0);
    tare_buf_add_str(&list, list_name);
    int r = 0;
    if (!list.failed && tare_buf_read_file(&text, tare_buf_str(&list), NULL) == 0) {
        const char *meant = find_line(tare_buf_str(&text), slash ? slash + 1 : path);
        if (meant && memcmp(meant, sha256, digits) != 0) {
            r = tare_err_set(err, TARE_E_FORMAT,
                             "%.200s: is not the file that %s beside it lists (SHA-256 %.12s..., should be "
                             "%.12s...); restore it, or take its line out if the change is yours",
                             path, list_name, sha256, meant);
        }
    }
    tare_buf_fini(&text);
    tare_buf_fini(&list);
    return r;
}
