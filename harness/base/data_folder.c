/* SPDX-License-Identifier: Apache-2.0 */
/* The environment is asked in one order, for fetching and for reading alike. */
#include <tare/data_folder.h>

#include <stdlib.h>
#include <string.h>

static int join(char *out, size_t n_out, const char *a, const char *b, struct tare_err *err)
{
    size_t n_a = strlen(a), n_b = strlen(b);
    if (n_a >= n_out || n_b >= n_out - n_a) {
        return tare_err_set(err, TARE_E_LIMIT, "path too long: %.100s%.100s", a, b);
    }
    memcpy(out, a, n_a);
    memcpy(out + n_a, b, n_b + 1);
    return 0;
}

/* A variable that is set to something. */
static const char *from_environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

int tare_data_folder(const char *given, char *out, size_t n_out, struct tare_err *err)
{
    const char *set = given && *given ? given : from_environment("TARE_DATASETS");
    if (set) {
        return join(out, n_out, set, "", err);
    }
    const char *xdg = from_environment("XDG_DATA_HOME"), *home = from_environment("HOME");
    if (xdg && xdg[0] == '/') { /* a relative one is to be ignored, says the XDG specification */
        return join(out, n_out, xdg, "/tare/datasets", err);
    }
    return home ? join(out, n_out, home, "/.local/share/tare/datasets", err)
                : tare_err_set(err, TARE_E_ENVIRONMENT,
                               "no folder for data: neither TARE_DATASETS, XDG_DATA_HOME nor HOME is set; "
                               "name one with --data");
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '+' || c == '-';
}

bool tare_data_is_name(const char *file)
{
    size_t n_parts = 0;
    for (;; file++, n_parts++) {
        if (*file == '.' || *file == '-' || !is_plain(*file)) {
            return false;
        }
        while (is_plain(*file)) {
            file++;
        }
        if (*file != '/') {
            return *file == '\0' && n_parts > 0;
        }
    }
}
