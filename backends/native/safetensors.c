/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The safetensors container: 8 bytes of header length, a JSON header, raw data.
 *
 * Files come from strangers, so nothing the header says is believed before it has been compared with
 * the size of the file. Stricter than the format at large: tensors must follow one another in header
 * order without a gap, lie on multiples of their element size, and hold at least one element.
 */
#include "safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LENGTH_BYTES     8u
#define HEADER_BYTES_MAX (UINT64_C(64) << 20)
#define FILE_BYTES_MAX   (UINT64_C(16) << 30)
#define EXACT_INT_MAX    (INT64_C(1) << 53) /* JSON numbers are doubles */
#define NAME_BYTES_MAX   120
#define METADATA_KEY     "__metadata__"

static const struct dtype_row {
    const char *name;
    enum tare_dtype dtype;
    uint32_t bytes;
} dtype_rows[] = {
    {"BOOL", TARE_DTYPE_BOOL, 1}, {"U8", TARE_DTYPE_U8, 1},   {"I8", TARE_DTYPE_I8, 1},
    {"I16", TARE_DTYPE_I16, 2},   {"U16", TARE_DTYPE_U16, 2}, {"F16", TARE_DTYPE_F16, 2},
    {"BF16", TARE_DTYPE_BF16, 2}, {"I32", TARE_DTYPE_I32, 4}, {"U32", TARE_DTYPE_U32, 4},
    {"F32", TARE_DTYPE_F32, 4},   {"I64", TARE_DTYPE_I64, 8}, {"U64", TARE_DTYPE_U64, 8},
    {"F64", TARE_DTYPE_F64, 8},
};

static const struct dtype_row *dtype_by_name(const char *name)
{
    for (size_t i = 0; name && i < sizeof dtype_rows / sizeof dtype_rows[0]; i++) {
        if (strcmp(dtype_rows[i].name, name) == 0) {
            return &dtype_rows[i];
        }
    }
    return NULL;
}

const char *tare_dtype_name(enum tare_dtype dtype)
{
    for (size_t i = 0; i < sizeof dtype_rows / sizeof dtype_rows[0]; i++) {
        if (dtype_rows[i].dtype == dtype) {
            return dtype_rows[i].name;
        }
    }
    return "unknown";
}

/* What is known while the header is walked. */
struct parse {
    const char *what;
    const unsigned char *data;
    uint64_t data_bytes;
    uint64_t next; /* where the next tensor has to begin */
    size_t index;  /* of the tensor being read */
    struct tare_err *err;
};

/* Names go into messages of one line, so they hold printable ASCII only. */
static bool is_plain(const char *s)
{
    if (*s == '\0') {
        return false;
    }
    for (; *s; s++) {
        if (*s < ' ' || *s > '~') {
            return false;
        }
    }
    return true;
}

static int read_shape(const struct parse *p, const struct tare_json *shape, struct tare_tensor *t)
{
    if (tare_json_type(shape) != TARE_JSON_ARRAY) {
        return tare_err_set(p->err, TARE_E_FORMAT, "%s: tensor '%s' has no array 'shape'", p->what, t->name);
    }
    if (tare_json_size(shape) > TARE_TENSOR_RANK_MAX) {
        return tare_err_set(p->err, TARE_E_FORMAT, "%s: tensor '%s' has %zu dimensions, more than %d",
                            p->what, t->name, tare_json_size(shape), TARE_TENSOR_RANK_MAX);
    }
    t->n_elements = 1;
    for (const struct tare_json *dim = tare_json_first(shape); dim; dim = tare_json_next(dim)) {
        char label[160];
        int64_t size;
        (void)snprintf(label, sizeof label, "%.60s: a dimension of tensor '%.60s'", p->what, t->name);
        int rc = tare_json_i64(dim, label, 1, EXACT_INT_MAX, &size, p->err);
        if (rc < 0) {
            return rc;
        }
        if (__builtin_mul_overflow(t->n_elements, (uint64_t)size, &t->n_elements)) {
            return tare_err_set(p->err, TARE_E_FORMAT, "%s: the shape of tensor '%s' overflows 64 bits",
                                p->what, t->name);
        }
        t->shape[t->rank++] = (uint64_t)size;
    }
    return 0;
}

static int read_offsets(const struct parse *p, const struct tare_json *offsets, const char *name,
                        uint64_t *begin, uint64_t *end)
{
    if (tare_json_type(offsets) != TARE_JSON_ARRAY || tare_json_size(offsets) != 2) {
        return tare_err_set(p->err, TARE_E_FORMAT, "%s: tensor '%s' has no pair 'data_offsets'", p->what,
                            name);
    }
    const struct tare_json *first = tare_json_first(offsets);
    char label[160];
    int64_t from = 0;
    int64_t to = 0;
    (void)snprintf(label, sizeof label, "%.60s: an offset of tensor '%.60s'", p->what, name);
    int rc = tare_json_i64(first, label, 0, EXACT_INT_MAX, &from, p->err);
    if (rc == 0) {
        rc = tare_json_i64(tare_json_next(first), label, 0, EXACT_INT_MAX, &to, p->err);
    }
    if (rc < 0) {
        return rc;
    }
    *begin = (uint64_t)from;
    *end = (uint64_t)to;
    return 0;
}

/* Places a tensor of known shape and type, or says why it cannot lie where the header puts it. */
static int place_tensor(struct parse *p, struct tare_tensor *t, uint32_t element_bytes, uint64_t begin,
                        uint64_t end)
{
    if (begin != p->next) {
        return tare_err_set(p->err, TARE_E_FORMAT,
                            "%s: tensor '%s' begins at %" PRIu64 " where %" PRIu64
                            " was due; tensors must not overlap, leave gaps or be out of order",
                            p->what, t->name, begin, p->next);
    }
    if (end < begin || end > p->data_bytes) {
        return tare_err_set(p->err, TARE_E_FORMAT,
                            "%s: tensor '%s' claims bytes %" PRIu64 " to %" PRIu64 " of %" PRIu64, p->what,
                            t->name, begin, end, p->data_bytes);
    }
    if (__builtin_mul_overflow(t->n_elements, (uint64_t)element_bytes, &t->n_bytes) ||
        t->n_bytes != end - begin) {
        return tare_err_set(p->err, TARE_E_FORMAT,
                            "%s: tensor '%s' has %" PRIu64
                            " bytes of data, not what its shape and type %s need",
                            p->what, t->name, end - begin, tare_dtype_name(t->dtype));
    }
    if (begin % element_bytes != 0) {
        return tare_err_set(p->err, TARE_E_FORMAT, "%s: tensor '%s' begins at %" PRIu64 ", unaligned for %s",
                            p->what, t->name, begin, tare_dtype_name(t->dtype));
    }
    t->data = p->data + begin;
    p->next = end;
    return 0;
}

static int read_tensor(struct parse *p, const struct tare_json *entry, struct tare_tensor *t)
{
    t->name = tare_json_key(entry);
    if (!is_plain(t->name) || strlen(t->name) > NAME_BYTES_MAX) {
        return tare_err_set(
            p->err, TARE_E_FORMAT,
            "%s: tensor %zu of the header has a name that is not 1 to %d printable characters", p->what,
            p->index, NAME_BYTES_MAX);
    }
    if (tare_json_type(entry) != TARE_JSON_OBJECT || tare_json_size(entry) != 3) {
        return tare_err_set(p->err, TARE_E_FORMAT,
                            "%s: tensor '%s' is not an object of dtype, shape and data_offsets", p->what,
                            t->name);
    }
    const struct dtype_row *row = dtype_by_name(tare_json_str(tare_json_get(entry, "dtype")));
    if (!row) {
        return tare_err_set(p->err, TARE_E_FORMAT, "%s: tensor '%s' has no dtype that safetensors knows",
                            p->what, t->name);
    }
    t->dtype = row->dtype;
    int rc = read_shape(p, tare_json_get(entry, "shape"), t);
    if (rc < 0) {
        return rc;
    }
    uint64_t begin = 0;
    uint64_t end = 0;
    rc = read_offsets(p, tare_json_get(entry, "data_offsets"), t->name, &begin, &end);
    return rc < 0 ? rc : place_tensor(p, t, row->bytes, begin, end);
}

static int check_metadata(const struct parse *p, const struct tare_json *metadata)
{
    if (tare_json_type(metadata) != TARE_JSON_OBJECT) {
        return tare_err_set(p->err, TARE_E_FORMAT, "%s: %s is not an object", p->what, METADATA_KEY);
    }
    for (const struct tare_json *v = tare_json_first(metadata); v; v = tare_json_next(v)) {
        const char *value = tare_json_str(v);
        if (!is_plain(tare_json_key(v)) || !value || (*value && !is_plain(value))) {
            return tare_err_set(p->err, TARE_E_FORMAT,
                                "%s: %s holds something that is not a string of printable characters",
                                p->what, METADATA_KEY);
        }
    }
    return 0;
}

static int read_entries(struct tare_safetensors *st, struct parse *p)
{
    for (const struct tare_json *v = tare_json_first(st->header); v; v = tare_json_next(v)) {
        int rc;
        if (strcmp(tare_json_key(v), METADATA_KEY) == 0) {
            rc = check_metadata(p, v);
            st->metadata = v;
        } else {
            p->index = st->n_tensors;
            rc = read_tensor(p, v, &st->tensors[st->n_tensors]);
            st->n_tensors++;
        }
        if (rc < 0) {
            return rc;
        }
    }
    if (p->next != p->data_bytes) {
        return tare_err_set(p->err, TARE_E_FORMAT, "%s: %" PRIu64 " bytes after the last tensor", p->what,
                            p->data_bytes - p->next);
    }
    st->data_bytes = p->data_bytes;
    return 0;
}

/* Where the header ends, or an error. */
static int read_header_length(const unsigned char *bytes, size_t n, const char *what, uint64_t *out,
                              struct tare_err *err)
{
    if (n < LENGTH_BYTES) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: %zu bytes are too few for a safetensors file", what, n);
    }
    uint64_t length = 0;
    for (unsigned i = 0; i < LENGTH_BYTES; i++) {
        length |= (uint64_t)bytes[i] << (8 * i);
    }
    if (length > HEADER_BYTES_MAX || length > n - LENGTH_BYTES) {
        return tare_err_set(err, TARE_E_FORMAT,
                            "%s: the header claims %" PRIu64 " bytes in a file of %zu; truncated, or not "
                            "safetensors",
                            what, length, n);
    }
    if (length % 8 != 0) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: the header length %" PRIu64 " is no multiple of 8", what,
                            length);
    }
    *out = length;
    return 0;
}

static int parse_header(struct tare_safetensors *st, const unsigned char *bytes, uint64_t header_bytes,
                        uint64_t data_bytes, const char *what, struct tare_err *err)
{
    const unsigned char *text = bytes + LENGTH_BYTES;
    int rc = tare_json_parse((const char *)text, (size_t)header_bytes, what, &st->header, err);
    if (rc < 0) {
        return rc;
    }
    if (tare_json_type(st->header) != TARE_JSON_OBJECT) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: the header is not an object", what);
    }
    st->tensors = calloc(tare_json_size(st->header) + 1, sizeof *st->tensors);
    if (!st->tensors) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: no memory for the list of tensors", what);
    }
    struct parse p = {.what = what, .data = text + header_bytes, .data_bytes = data_bytes, .err = err};
    return read_entries(st, &p);
}

int tare_safetensors_parse(struct tare_safetensors *st, const unsigned char *bytes, size_t n,
                           const char *what, struct tare_err *err)
{
    struct tare_safetensors made = {0};
    uint64_t header_bytes = 0;
    int rc = read_header_length(bytes, n, what, &header_bytes, err);
    if (rc < 0) {
        return rc;
    }
    rc = parse_header(&made, bytes, header_bytes, n - LENGTH_BYTES - header_bytes, what, err);
    if (rc < 0) {
        tare_safetensors_close(&made);
        return rc;
    }
    *st = made;
    return 0;
}

static int read_all(int fd, unsigned char *to, size_t n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t got = read(fd, to + done, n - done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            errno = got == 0 ? EIO : errno; /* the file shrank since fstat */
            return -1;
        }
        done += (size_t)got;
    }
    return 0;
}

static int read_fd(int fd, const char *path, unsigned char **out, size_t *out_n, struct tare_err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0) {
        return tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode) || st.st_size < 0 || (uint64_t)st.st_size > FILE_BYTES_MAX) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: not a regular file of at most %" PRIu64 " bytes", path,
                            FILE_BYTES_MAX);
    }
    size_t n = (size_t)st.st_size;
    unsigned char *bytes = malloc(n + 1);
    if (!bytes) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: no memory for %zu bytes", path, n);
    }
    if (read_all(fd, bytes, n) < 0) {
        int code = errno;
        free(bytes);
        return tare_err_set(err, TARE_E_IO, "%s: cannot be read: %s", path, strerror(code));
    }
    *out = bytes;
    *out_n = n;
    return 0;
}

int tare_safetensors_open(struct tare_safetensors *st, const char *path, struct tare_err *err)
{
    /* Non-blocking, so that a named pipe is refused below and not waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
    }
    unsigned char *bytes = NULL;
    size_t n = 0;
    int rc = read_fd(fd, path, &bytes, &n, err);
    (void)close(fd);
    if (rc < 0) {
        return rc;
    }
    rc = tare_safetensors_parse(st, bytes, n, path, err);
    if (rc < 0) {
        free(bytes);
        return rc;
    }
    st->file = bytes;
    return 0;
}

void tare_safetensors_close(struct tare_safetensors *st)
{
    free(st->tensors);
    tare_json_destroy(st->header);
    free(st->file);
    memset(st, 0, sizeof *st);
}

const struct tare_tensor *tare_safetensors_find(const struct tare_safetensors *st, const char *name)
{
    for (size_t i = 0; i < st->n_tensors; i++) {
        if (strcmp(st->tensors[i].name, name) == 0) {
            return &st->tensors[i];
        }
    }
    return NULL;
}

const char *tare_safetensors_meta(const struct tare_safetensors *st, const char *key)
{
    return tare_json_str(tare_json_get(st->metadata, key));
}
