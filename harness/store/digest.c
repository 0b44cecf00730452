/* SPDX-License-Identifier: Apache-2.0 */
/* Rows into a hash, value by value. */
#include "store/digest.h"

#include "base/hash.h"
#include "store/sql.h"

#include <stdlib.h>
#include <string.h>

static void add_value(struct tare_hasher *to, sqlite3_stmt *s, int column)
{
    int type = sqlite3_column_type(s, column);
    const char *name = sqlite3_column_name(s, column);
    const void *data = NULL;
    int64_t integer = 0;
    double real = 0;
    uint64_t n = sizeof integer;
    if (type == SQLITE_NULL) {
        return;
    }
    if (type == SQLITE_INTEGER) {
        integer = sqlite3_column_int64(s, column);
        data = &integer;
    } else if (type == SQLITE_FLOAT) {
        real = sqlite3_column_double(s, column);
        data = &real;
    } else {
        data = sqlite3_column_blob(s, column); /* of a text: its bytes */
        n = (uint64_t)sqlite3_column_bytes(s, column);
    }
    tare_hasher_add(to, name, strlen(name) + 1);
    tare_hasher_add(to, &type, sizeof type);
    tare_hasher_add(to, &n, sizeof n);
    tare_hasher_add(to, data, (size_t)n);
}

static int add_rows(struct tare_store *store, struct tare_hasher *to, const char *sql, int64_t repeat_id,
                    struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(store, sql, &s, err, "i", repeat_id);
    while (r == 0 && (r = tare_sql_step(store, s, err)) == 1) {
        int n = sqlite3_column_count(s);
        for (int i = 0; i < n; i++) {
            add_value(to, s, i);
        }
        tare_hasher_add(to, "\n", 1);
        r = 0;
    }
    if (s) {
        (void)sqlite3_reset(s);
    }
    return r;
}

static int hash_repeat(struct tare_store *store, int64_t repeat_id, char out[TARE_SHA256_HEX],
                       struct tare_err *err)
{
    static const char *const queries[] = {
        "SELECT r.block, r.position, r.outcome, c.ordinal, c.spec, n.plan_sha256 FROM repeat r "
        "JOIN cell c ON c.id = r.cell_id JOIN run n ON n.id = c.run_id WHERE r.id = ?",
        "SELECT * FROM sample WHERE repeat_id = ? ORDER BY item",
        "SELECT * FROM request WHERE repeat_id = ? ORDER BY item, request",
        "SELECT * FROM score WHERE repeat_id = ? ORDER BY name, item",
        "SELECT p.* FROM attempt a CROSS JOIN phase p ON p.attempt_id = a.id WHERE a.repeat_id = ? "
        "ORDER BY p.attempt_id, p.name",
        "SELECT d.* FROM attempt a CROSS JOIN reading d ON d.attempt_id = a.id WHERE a.repeat_id = ? "
        "ORDER BY d.attempt_id, d.phase, d.meter, d.name"};
    struct tare_hasher *hasher = tare_hasher_begin();
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof queries / sizeof *queries; i++) {
        r = add_rows(store, hasher, queries[i], repeat_id, err);
    }
    char digest[TARE_SHA256_HEX];
    int ended = tare_hasher_end(hasher, digest, r == 0 ? err : NULL);
    r = r == 0 ? ended : r;
    if (r == 0) {
        memcpy(out, digest, sizeof digest);
    }
    return r;
}

int tare_store_seal_repeat(struct tare_store *store, int64_t repeat_id, struct tare_err *err)
{
    char digest[TARE_SHA256_HEX];
    int r = hash_repeat(store, repeat_id, digest, err);
    return r == 0 ? tare_sql_run(store, NULL, err, "UPDATE repeat SET sha256 = ? WHERE id = ?", "ti", digest,
                                 repeat_id)
                  : r;
}

struct seal {
    int64_t id;
    char sha256[TARE_SHA256_HEX];
};

/* The sealed repeats of a cell by block; free() the list. Read whole: hashing runs other statements. */
static int list_seals(struct tare_store *store, int64_t cell_id, struct seal **out, size_t *out_n,
                      struct tare_err *err)
{
    struct seal *list = NULL;
    size_t n = 0;
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(
        store, "SELECT id, sha256 FROM repeat WHERE cell_id = ? AND sha256 IS NOT NULL ORDER BY block", &s,
        err, "i", cell_id);
    while (r == 0 && (r = tare_sql_step(store, s, err)) == 1) {
        struct seal *larger = realloc(list, (n + 1) * sizeof *list);
        r = larger ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
        list = larger ? larger : list;
        if (larger) {
            list[n].id = sqlite3_column_int64(s, 0);
            (void)snprintf(list[n].sha256, sizeof list[n].sha256, "%s", tare_sql_text(s, 1));
            n++;
        }
    }
    if (s) {
        (void)sqlite3_reset(s);
    }
    if (r < 0) {
        free(list);
        return r;
    }
    *out = list;
    *out_n = n;
    return 0;
}

static int store_evidence(struct tare_store *store, int64_t cell_id, const struct seal *list, size_t n,
                          struct tare_err *err)
{
    char digest[TARE_SHA256_HEX];
    struct tare_hasher *hasher = tare_hasher_begin();
    for (size_t i = 0; i < n; i++) {
        tare_hasher_add(hasher, list[i].sha256, strlen(list[i].sha256));
    }
    int r = tare_hasher_end(hasher, digest, err);
    return r == 0 ? tare_sql_run(store, NULL, err, "UPDATE cell SET evidence_sha256 = ? WHERE id = ?", "ti",
                                 n ? digest : NULL, cell_id)
                  : r;
}

int tare_store_check_seals(struct tare_store *store, int64_t cell_id, int64_t *out_broken,
                           struct tare_err *err)
{
    struct seal *list = NULL;
    size_t n = 0;
    int64_t broken = 0;
    int r = list_seals(store, cell_id, &list, &n, err);
    for (size_t i = 0; r == 0 && i < n; i++) {
        char now[TARE_SHA256_HEX] = "";
        r = hash_repeat(store, list[i].id, now, err);
        broken += strcmp(now, list[i].sha256) != 0;
    }
    r = r == 0 ? store_evidence(store, cell_id, list, n, err) : r;
    free(list);
    if (r == 0) {
        *out_broken = broken;
    }
    return r;
}
