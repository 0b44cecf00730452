/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves api.h against the real header while building: number and type of every slot, values of the
 * enumerations. Without -Donnxruntime_prefix there is no header to prove it against. Makes no code.
 */
#include "api.h"

#if defined(TARE_ONNXRUNTIME_HEADER)
#include <onnxruntime_c_api.h>

#define TARE_X(slot, since, result, name, args)                                                  \
    _Static_assert(offsetof(OrtApi, name) == (slot) * sizeof(void *), #name " is another slot"); \
    _Static_assert(__builtin_types_compatible_p(__typeof__(((OrtApi *)0)->name),                 \
                                                __typeof__(((struct tare_ort *)0)->name)),       \
                   #name " has another type");
TARE_ORT_SLOTS(TARE_X)
#undef TARE_X

_Static_assert(offsetof(OrtApiBase, GetApi) == 0, "GetApi");
_Static_assert(offsetof(OrtApiBase, GetVersionString) == sizeof(void *), "GetVersionString");
_Static_assert(TARE_ORT_FLOAT == (int)ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, "float");
_Static_assert(TARE_ORT_INT32 == (int)ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, "int32");
_Static_assert(TARE_ORT_INT64 == (int)ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, "int64");
_Static_assert(TARE_ORT_FLOAT16 == (int)ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, "float16");
_Static_assert(TARE_ORT_BFLOAT16 == (int)ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16, "bfloat16");
_Static_assert(TARE_ORT_WARNING == (int)ORT_LOGGING_LEVEL_WARNING, "warning");
_Static_assert(TARE_ORT_DEVICE_ALLOCATOR == (int)OrtDeviceAllocator, "allocator without arena");
_Static_assert(TARE_ORT_ARENA_ALLOCATOR == (int)OrtArenaAllocator, "arena");
_Static_assert(TARE_ORT_MEM_DEFAULT == (int)OrtMemTypeDefault, "memory");
_Static_assert(TARE_ORT_NO_SUCHFILE == (int)ORT_NO_SUCHFILE, "no such file");
_Static_assert(TARE_ORT_NO_MODEL == (int)ORT_NO_MODEL, "no model");
_Static_assert(TARE_ORT_INVALID_PROTOBUF == (int)ORT_INVALID_PROTOBUF, "invalid protobuf");
_Static_assert(TARE_ORT_NOT_IMPLEMENTED == (int)ORT_NOT_IMPLEMENTED, "not implemented");
_Static_assert(TARE_ORT_INVALID_GRAPH == (int)ORT_INVALID_GRAPH, "invalid graph");
_Static_assert(ORT_API_VERSION >= 23, "the header must have all slots");
#endif
