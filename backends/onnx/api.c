/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table is asked for in the versions that its slots came with, the lowest first, and never in a version
 * that the library's own version string does not promise: for those it prints on standard error.
 */
#include "api.h"

#include <ctype.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY  "libonnxruntime.so.1"
#define VARIABLE "TARE_ONNXRUNTIME"

/* What OrtGetApiBase returns. */
struct api_base {
    const void *(*get_api)(uint32_t version);
    const char *(*get_version)(void);
};

struct slot {
    uint32_t number;
    uint32_t since;
    size_t offset; /* of the member in struct tare_ort */
};

static const struct slot slots[] = {
#define TARE_X(slot, since, result, name, args) {slot, since, offsetof(struct tare_ort, name)},
    TARE_ORT_SLOTS(TARE_X)
#undef TARE_X
};

typedef void (*any_function)(void);

/* Slots that came behind version `from`, up to `to`, out of the table of version `to`. */
static void take_slots(struct tare_ort *ort, const void *table, uint32_t from, uint32_t to)
{
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        if (slots[i].since > from && slots[i].since <= to) {
            any_function f;
            memcpy(&f, (const char *)table + slots[i].number * sizeof f, sizeof f);
            memcpy((char *)ort + slots[i].offset, &f, sizeof f);
        }
    }
}

/* N of "1.N.p", which is the newest API version of that release; 0 if the text is none of that form. */
static uint32_t api_of(const char *version)
{
    if (!version || strncmp(version, "1.", 2) != 0 || !isdigit((unsigned char)version[2])) {
        return 0;
    }
    char *end;
    unsigned long n = strtoul(version + 2, &end, 10);
    return (*end == '.' || *end == '\0') && n < 1000 ? (uint32_t)n : 0;
}

static int find_base(const char *path, const struct api_base **out, struct tare_err *err)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *why = dlerror();
        return tare_err_set(
            err, TARE_E_UNSUPPORTED,
            "onnx: no ONNX Runtime: %.200s; name the library with the option 'library' or in " VARIABLE,
            why ? why : path);
    }
    const struct api_base *(*get_base)(void) = NULL;
    void *symbol = dlsym(library, "OrtGetApiBase");
    memcpy(&get_base, &symbol, sizeof get_base);
    *out = get_base ? get_base() : NULL;
    return *out && (*out)->get_api && (*out)->get_version
               ? 0
               : tare_err_set(err, TARE_E_UNSUPPORTED,
                              "onnx: %.300s is no ONNX Runtime: it has no OrtGetApiBase", path);
}

int tare_ort_open(struct tare_ort *ort, const char *path, struct tare_err *err)
{
    static const uint32_t wanted[] = {TARE_ORT_NEEDED, 12, 23};
    const char *variable = getenv(VARIABLE);
    const struct api_base *base = NULL;
    path = path ? path : variable && *variable ? variable : LIBRARY;
    int rc = find_base(path, &base, err);
    if (rc < 0) {
        return rc;
    }
    struct tare_ort made = {0};
    const char *version = base->get_version();
    (void)snprintf(made.version, sizeof made.version, "%s", version ? version : "without a version");
    made.api = api_of(version);
    uint32_t have = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0] && wanted[i] <= made.api; i++) {
        const void *table = base->get_api(wanted[i]);
        if (!table) {
            break;
        }
        take_slots(&made, table, have, wanted[i]);
        have = wanted[i];
    }
    if (have < TARE_ORT_NEEDED) {
        return tare_err_set(
            err, TARE_E_UNSUPPORTED,
            "onnx: %.200s is ONNX Runtime %s, which does not hand out version %u of its C API; "
            "1.%u or newer is needed",
            path, made.version, TARE_ORT_NEEDED, TARE_ORT_NEEDED);
    }
    *ort = made;
    return 0;
}

static int code_of(unsigned error, const char *message)
{
    if (strstr(message, "bad_alloc") || strstr(message, "Failed to allocate")) {
        return TARE_E_NOMEM;
    }
    switch (error) {
    case TARE_ORT_NO_SUCHFILE:
        return TARE_E_IO;
    case TARE_ORT_NO_MODEL:
    case TARE_ORT_INVALID_PROTOBUF:
    case TARE_ORT_INVALID_GRAPH:
        return TARE_E_FORMAT;
    case TARE_ORT_NOT_IMPLEMENTED:
        return TARE_E_UNSUPPORTED;
    default:
        return TARE_E_BACKEND;
    }
}

int tare_ort_check(const struct tare_ort *ort, struct OrtStatus *status, const char *what,
                   struct tare_err *err)
{
    if (!status) {
        return 0;
    }
    const char *message = ort->GetErrorMessage(status);
    int code = code_of(ort->GetErrorCode(status), message);
    if (err) {
        (void)tare_err_set(err, code, "onnx: %.200s: %s", what, message);
        for (char *c = err->msg; *c; c++) {
            *c = iscntrl((unsigned char)*c) ? ' ' : *c;
        }
    }
    ort->ReleaseStatus(status);
    return code;
}

bool tare_ort_ok(const struct tare_ort *ort, struct OrtStatus *status)
{
    if (status) {
        ort->ReleaseStatus(status);
    }
    return !status;
}

const char *tare_ort_type_name(unsigned type)
{
    static const char *const names[] = {
        "undefined", "float32", "uint8",   "int8",   "uint16", "int16",     "int32",      "int64",   "string",
        "bool",      "float16", "float64", "uint32", "uint64", "complex64", "complex128", "bfloat16"};
    static char number[24];
    if (type < sizeof names / sizeof names[0]) {
        return names[type];
    }
    (void)snprintf(number, sizeof number, "type %u", type);
    return number;
}
