/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata of a zoo file, turned into numbers and checked against each other.
 *
 * Every value is a string in the file. The limits are far above any model of the zoo; they keep all
 * later products of two or three of these numbers inside 64 bits. No tensor is looked at here.
 */
#include "arch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_NAME "tare-zoo-1"

struct source {
    const struct tare_safetensors *st;
    const char *what;
    struct tare_err *err;
};

static int read_text(const struct source *from, const char *key, char *out, size_t cap)
{
    const char *value = tare_safetensors_meta(from->st, key);
    size_t n = value ? strlen(value) : 0;
    if (n == 0 || n >= cap) {
        return tare_err_set(from->err, TARE_E_FORMAT,
                            "%s: metadata '%s' is not a string of 1 to %zu characters", from->what, key,
                            cap - 1);
    }
    memcpy(out, value, n + 1);
    return 0;
}

/* Decimal digits only; at most 15 of them, so that nothing overflows. */
static int read_int(const struct source *from, const char *key, int64_t min, int64_t max, int64_t *out)
{
    const char *value = tare_safetensors_meta(from->st, key);
    size_t n = value ? strlen(value) : 0;
    int64_t number = -1;
    if (n > 0 && n <= 15 && strspn(value, "0123456789") == n) {
        number = strtoll(value, NULL, 10);
    }
    if (number < min || number > max) {
        return tare_err_set(from->err, TARE_E_FORMAT,
                            "%s: metadata '%s' is '%.40s', not a whole number from %" PRId64 " to %" PRId64,
                            from->what, key, value ? value : "(absent)", min, max);
    }
    *out = number;
    return 0;
}

static int read_size(const struct source *from, const char *key, int64_t max, uint32_t *to)
{
    int64_t value;
    int rc = read_int(from, key, 1, max, &value);
    if (rc == 0) {
        *to = (uint32_t)value;
    }
    return rc;
}

static int read_sizes(const struct source *from, const struct tare_arch *arch, struct tare_model_config *c)
{
    const struct {
        const char *key;
        int64_t max;
        uint32_t *to;
    } rows[] = {
        {"d_model", 16384, &c->d_model}, {"n_layers", 256, &c->n_layers}, {"ffn", 65536, &c->ffn},
        {"vocab", 65536, &c->n_vocab},   {"max_ctx", 65536, &c->n_ctx},
    };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof rows / sizeof rows[0]; i++) {
        rc = read_size(from, rows[i].key, rows[i].max, rows[i].to);
    }
    for (size_t i = 0; rc == 0 && arch->keys[i].name; i++) {
        rc = read_size(from, arch->keys[i].name, arch->keys[i].max, &c->size[i]);
    }
    return rc;
}

static int check_kind(const struct source *from, const struct tare_arch **arch)
{
    const char *format = tare_safetensors_meta(from->st, "format");
    if (!format || strcmp(format, FORMAT_NAME) != 0) {
        return tare_err_set(from->err, TARE_E_FORMAT,
                            "%s: metadata 'format' is '%.40s'; this engine reads '" FORMAT_NAME "' files",
                            from->what, format ? format : "(absent)");
    }
    const char *name = tare_safetensors_meta(from->st, "arch");
    if (!name) {
        return tare_err_set(from->err, TARE_E_FORMAT, "%s: metadata 'arch' is absent", from->what);
    }
    *arch = tare_arch_find(name);
    if (!*arch) {
        return tare_err_set(from->err, TARE_E_UNSUPPORTED,
                            "%s: arch '%.40s' is not supported; this engine runs %s", from->what, name,
                            tare_arch_names());
    }
    return 0;
}

static int read_rest(const struct source *from, struct tare_model_config *c)
{
    int64_t bos = 0;
    int rc = read_int(from, "bos", 0, (int64_t)c->n_vocab - 1, &bos);
    c->bos = (int32_t)bos;
    if (rc == 0) {
        rc = read_int(from, "n_params", 1, INT64_C(1) << 48, &c->n_params);
    }
    if (rc == 0 && tare_safetensors_meta(from->st, "train_tokens")) {
        rc = read_int(from, "train_tokens", 1, INT64_C(1) << 48, &c->train_tok);
    }
    if (rc == 0) {
        rc = read_text(from, "name", c->name, sizeof c->name);
    }
    if (rc == 0) {
        rc = read_text(from, "tokenizer_sha", c->tokenizer_sha, sizeof c->tokenizer_sha);
    }
    return rc;
}

int tare_model_read_config(struct tare_model_config *config, const struct tare_arch **arch,
                           const struct tare_safetensors *st, const char *what, struct tare_err *err)
{
    const struct source from = {.st = st, .what = what, .err = err};
    const struct tare_arch *found = NULL;
    struct tare_model_config c = {0};
    int rc = check_kind(&from, &found);
    if (rc == 0) {
        rc = read_sizes(&from, found, &c);
    }
    if (rc == 0 && found->check) {
        rc = found->check(&c, what, err);
    }
    if (rc == 0) {
        rc = read_rest(&from, &c);
    }
    if (rc < 0) {
        return rc;
    }
    *arch = found;
    *config = c;
    return 0;
}
