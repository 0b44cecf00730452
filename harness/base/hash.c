/* SPDX-License-Identifier: Apache-2.0 */
/* The only user of libcrypto. */
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int finish(EVP_MD_CTX *ctx, char out[TARE_SHA256_HEX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    if (EVP_DigestFinal_ex(ctx, digest, &n) != 1 || n != 32) {
        return -1;
    }
    for (unsigned int i = 0; i < n; i++) {
        static const char digits[] = "0123456789abcdef";
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[64] = '\0';
    return 0;
}

static EVP_MD_CTX *begin(void)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

int tare_sha256(const void *data, size_t n, char out[TARE_SHA256_HEX], struct tare_err *err)
{
    EVP_MD_CTX *ctx = begin();
    int ok = ctx && EVP_DigestUpdate(ctx, data, n) == 1 && finish(ctx, out) == 0;
    EVP_MD_CTX_free(ctx);
    return ok ? 0 : tare_err_set(err, TARE_E_NOMEM, "SHA-256 is not available from libcrypto");
}

/* Returns the bytes hashed, or a negative errno. */
static int64_t update_from(EVP_MD_CTX *ctx, int fd)
{
    static const size_t chunk_bytes = 1 << 16;
    unsigned char chunk[1 << 16];
    int64_t total = 0;
    for (;;) {
        ssize_t n = read(fd, chunk, chunk_bytes);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -errno;
        }
        if (n == 0) {
            return total;
        }
        if (EVP_DigestUpdate(ctx, chunk, (size_t)n) != 1) {
            return -EINVAL;
        }
        total += n;
    }
}

int tare_sha256_file(const char *path, char out[TARE_SHA256_HEX], int64_t *out_bytes, struct tare_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return tare_err_set(err, TARE_E_IO, "open %s: %s", path, strerror(errno));
    }
    EVP_MD_CTX *ctx = begin();
    int64_t n = ctx ? update_from(ctx, fd) : -ENOMEM;
    int ok = n >= 0 && finish(ctx, out) == 0;
    EVP_MD_CTX_free(ctx);
    close(fd);
    if (!ok) {
        return tare_err_set(err, TARE_E_IO, "hash %s: %s", path, n < 0 ? strerror((int)-n) : "digest failed");
    }
    if (out_bytes) {
        *out_bytes = n;
    }
    return 0;
}

/* Small pieces are gathered: a call of libcrypto costs more than the few bytes of a number. */
struct tare_hasher {
    EVP_MD_CTX *ctx;
    bool failed;
    size_t used;
    unsigned char pending[4096];
};

struct tare_hasher *tare_hasher_begin(void)
{
    struct tare_hasher *hasher = calloc(1, sizeof *hasher);
    if (hasher) {
        hasher->ctx = begin();
        hasher->failed = !hasher->ctx;
    }
    return hasher;
}

static void update(struct tare_hasher *hasher, const void *data, size_t n)
{
    hasher->failed = hasher->failed || EVP_DigestUpdate(hasher->ctx, data, n) != 1;
}

void tare_hasher_add(struct tare_hasher *hasher, const void *data, size_t n)
{
    if (!hasher || n == 0) {
        return;
    }
    if (n > sizeof hasher->pending - hasher->used) {
        update(hasher, hasher->pending, hasher->used);
        hasher->used = 0;
    }
    if (n > sizeof hasher->pending) {
        update(hasher, data, n);
        return;
    }
    memcpy(hasher->pending + hasher->used, data, n);
    hasher->used += n;
}

int tare_hasher_end(struct tare_hasher *hasher, char out[TARE_SHA256_HEX], struct tare_err *err)
{
    char digest[TARE_SHA256_HEX];
    if (hasher) {
        update(hasher, hasher->pending, hasher->used);
    }
    int ok = hasher && !hasher->failed && finish(hasher->ctx, digest) == 0;
    if (hasher) {
        EVP_MD_CTX_free(hasher->ctx);
    }
    free(hasher);
    if (!ok) {
        return tare_err_set(err, TARE_E_NOMEM, "SHA-256 is not available from libcrypto");
    }
    memcpy(out, digest, sizeof digest);
    return 0;
}
