/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of ONNX Runtime's C API that is used, without its header.
 *
 * The library exports one function, OrtGetApiBase, and hands out one table of function pointers that has
 * only ever been appended to: a slot keeps its number and its type for good once its version has shipped.
 * Each line below is a slot: number, the API version that it came with, result, name, parameters. Where the
 * real header is at hand (-Donnxruntime_prefix), header_check.c proves every line against it while building.
 *
 * Opaque structs have ONNX Runtime's own tags, so that the two declarations are one type. Enumerations are
 * written as the integers that they are in C. Nothing is linked: a library by path is opened at run time.
 */
#ifndef TARE_ONNX_API_H
#define TARE_ONNX_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

struct OrtAllocator;
struct OrtCUDAProviderOptionsV2;
struct OrtEnv;
struct OrtKeyValuePairs;
struct OrtMemoryInfo;
struct OrtModelMetadata;
struct OrtRunOptions;
struct OrtSession;
struct OrtSessionOptions;
struct OrtStatus;
struct OrtTensorTypeAndShapeInfo;
struct OrtTypeInfo;
struct OrtValue;

/* Called by the library, on any of its threads. */
typedef void (*tare_ort_logger)(void *param, unsigned severity, const char *category, const char *id,
                                const char *where, const char *message);

/* clang-format off */
#define TARE_ORT_SLOTS(X) \
X(1, 1, unsigned, GetErrorCode, (const struct OrtStatus *)) \
X(2, 1, const char *, GetErrorMessage, (const struct OrtStatus *)) \
X(4, 1, struct OrtStatus *, CreateEnvWithCustomLogger, (tare_ort_logger, void *, unsigned, const char *, struct OrtEnv **)) \
X(7, 1, struct OrtStatus *, CreateSession, (const struct OrtEnv *, const char *, const struct OrtSessionOptions *, struct OrtSession **)) \
X(9, 1, struct OrtStatus *, Run, (struct OrtSession *, const struct OrtRunOptions *, const char *const *, const struct OrtValue *const *, size_t, const char *const *, size_t, struct OrtValue **)) \
X(10, 1, struct OrtStatus *, CreateSessionOptions, (struct OrtSessionOptions **)) \
X(13, 1, struct OrtStatus *, SetSessionExecutionMode, (struct OrtSessionOptions *, unsigned)) \
X(23, 1, struct OrtStatus *, SetSessionGraphOptimizationLevel, (struct OrtSessionOptions *, unsigned)) \
X(24, 1, struct OrtStatus *, SetIntraOpNumThreads, (struct OrtSessionOptions *, int)) \
X(25, 1, struct OrtStatus *, SetInterOpNumThreads, (struct OrtSessionOptions *, int)) \
X(30, 1, struct OrtStatus *, SessionGetInputCount, (const struct OrtSession *, size_t *)) \
X(31, 1, struct OrtStatus *, SessionGetOutputCount, (const struct OrtSession *, size_t *)) \
X(33, 1, struct OrtStatus *, SessionGetInputTypeInfo, (const struct OrtSession *, size_t, struct OrtTypeInfo **)) \
X(34, 1, struct OrtStatus *, SessionGetOutputTypeInfo, (const struct OrtSession *, size_t, struct OrtTypeInfo **)) \
X(36, 1, struct OrtStatus *, SessionGetInputName, (const struct OrtSession *, size_t, struct OrtAllocator *, char **)) \
X(37, 1, struct OrtStatus *, SessionGetOutputName, (const struct OrtSession *, size_t, struct OrtAllocator *, char **)) \
X(48, 1, struct OrtStatus *, CreateTensorAsOrtValue, (struct OrtAllocator *, const int64_t *, size_t, unsigned, struct OrtValue **)) \
X(49, 1, struct OrtStatus *, CreateTensorWithDataAsOrtValue, (const struct OrtMemoryInfo *, void *, size_t, const int64_t *, size_t, unsigned, struct OrtValue **)) \
X(51, 1, struct OrtStatus *, GetTensorMutableData, (struct OrtValue *, void **)) \
X(55, 1, struct OrtStatus *, CastTypeInfoToTensorInfo, (const struct OrtTypeInfo *, const struct OrtTensorTypeAndShapeInfo **)) \
X(60, 1, struct OrtStatus *, GetTensorElementType, (const struct OrtTensorTypeAndShapeInfo *, unsigned *)) \
X(61, 1, struct OrtStatus *, GetDimensionsCount, (const struct OrtTensorTypeAndShapeInfo *, size_t *)) \
X(62, 1, struct OrtStatus *, GetDimensions, (const struct OrtTensorTypeAndShapeInfo *, int64_t *, size_t)) \
X(65, 1, struct OrtStatus *, GetTensorTypeAndShape, (const struct OrtValue *, struct OrtTensorTypeAndShapeInfo **)) \
X(69, 1, struct OrtStatus *, CreateCpuMemoryInfo, (int, int, struct OrtMemoryInfo **)) \
X(76, 1, struct OrtStatus *, AllocatorFree, (struct OrtAllocator *, void *)) \
X(78, 1, struct OrtStatus *, GetAllocatorWithDefaultOptions, (struct OrtAllocator **)) \
X(92, 1, void, ReleaseEnv, (struct OrtEnv *)) \
X(93, 1, void, ReleaseStatus, (struct OrtStatus *)) \
X(94, 1, void, ReleaseMemoryInfo, (struct OrtMemoryInfo *)) \
X(95, 1, void, ReleaseSession, (struct OrtSession *)) \
X(96, 1, void, ReleaseValue, (struct OrtValue *)) \
X(98, 1, void, ReleaseTypeInfo, (struct OrtTypeInfo *)) \
X(99, 1, void, ReleaseTensorTypeAndShapeInfo, (struct OrtTensorTypeAndShapeInfo *)) \
X(100, 1, void, ReleaseSessionOptions, (struct OrtSessionOptions *)) \
X(111, 2, struct OrtStatus *, SessionGetModelMetadata, (const struct OrtSession *, struct OrtModelMetadata **)) \
X(116, 2, struct OrtStatus *, ModelMetadataLookupCustomMetadataMap, (const struct OrtModelMetadata *, struct OrtAllocator *, const char *, char **)) \
X(118, 2, void, ReleaseModelMetadata, (struct OrtModelMetadata *)) \
X(125, 4, struct OrtStatus *, GetAvailableProviders, (char ***, int *)) \
X(126, 4, struct OrtStatus *, ReleaseAvailableProviders, (char **, int)) \
X(130, 5, struct OrtStatus *, AddSessionConfigEntry, (struct OrtSessionOptions *, const char *, const char *)) \
X(131, 5, struct OrtStatus *, CreateAllocator, (const struct OrtSession *, const struct OrtMemoryInfo *, struct OrtAllocator **)) \
X(132, 5, void, ReleaseAllocator, (struct OrtAllocator *)) \
X(204, 11, struct OrtStatus *, SessionOptionsAppendExecutionProvider_CUDA_V2, (struct OrtSessionOptions *, const struct OrtCUDAProviderOptionsV2 *)) \
X(205, 11, struct OrtStatus *, CreateCUDAProviderOptions, (struct OrtCUDAProviderOptionsV2 **)) \
X(206, 11, struct OrtStatus *, UpdateCUDAProviderOptions, (struct OrtCUDAProviderOptionsV2 *, const char *const *, const char *const *, size_t)) \
X(208, 11, void, ReleaseCUDAProviderOptions, (struct OrtCUDAProviderOptionsV2 *)) \
X(216, 12, struct OrtStatus *, SessionOptionsAppendExecutionProvider, (struct OrtSessionOptions *, const char *, const char *const *, const char *const *, size_t)) \
X(297, 22, const char *, GetKeyValue, (const struct OrtKeyValuePairs *, const char *)) \
X(300, 22, void, ReleaseKeyValuePairs, (struct OrtKeyValuePairs *)) \
X(319, 23, struct OrtStatus *, AllocatorGetStats, (const struct OrtAllocator *, struct OrtKeyValuePairs **))
/* clang-format on */

/* The lowest version that has all that cannot be done without; later slots may be NULL. */
#define TARE_ORT_NEEDED 5u

/* enum values, as C sees them */
enum tare_ort_type {
    TARE_ORT_FLOAT = 1,
    TARE_ORT_INT32 = 6,
    TARE_ORT_INT64 = 7,
    TARE_ORT_FLOAT16 = 10,
    TARE_ORT_BFLOAT16 = 16
};
enum { TARE_ORT_WARNING = 2 };                                        /* OrtLoggingLevel */
enum { TARE_ORT_DEVICE_ALLOCATOR = 0, TARE_ORT_ARENA_ALLOCATOR = 1 }; /* OrtAllocatorType */
enum { TARE_ORT_MEM_DEFAULT = 0 };                                    /* OrtMemType */
enum tare_ort_error {
    TARE_ORT_NO_SUCHFILE = 3,
    TARE_ORT_NO_MODEL = 4,
    TARE_ORT_INVALID_PROTOBUF = 7,
    TARE_ORT_NOT_IMPLEMENTED = 9,
    TARE_ORT_INVALID_GRAPH = 10
};

#define TARE_ORT_MEMBER(slot, since, result, name, args) result(*name) args;
struct tare_ort {
    TARE_ORT_SLOTS(TARE_ORT_MEMBER)
    char version[32]; /* as the library says: "1.30.0" */
    uint32_t api;     /* newest version of the table that it has */
};

/* Opens `path`, or what TARE_ONNXRUNTIME names, or libonnxruntime.so.1 as the loader finds it, and reads the
 * table. The library stays open until the process ends: it has threads and exit handlers of its own. */
TARE_MUST_CHECK int tare_ort_open(struct tare_ort *ort, const char *path, struct tare_err *err);
/* 0 for a status of NULL; else releases it and makes an error of it: "WHAT: the library's message". */
TARE_MUST_CHECK int tare_ort_check(const struct tare_ort *ort, struct OrtStatus *status, const char *what,
                                   struct tare_err *err);
/* Whether it is NULL; releases it. For what may fail without harm. */
bool tare_ort_ok(const struct tare_ort *ort, struct OrtStatus *status);
/* "float32" for 1; "type N" for one without a name here, in a buffer of its own until the next call. */
const char *tare_ort_type_name(unsigned type);

#endif
