// SPDX-License-Identifier: Apache-2.0
// Scope cleanup: an owned local is freed where its scope ends; gw_take moves ownership out, visibly.
// Depends on: nothing.
#pragma once
#include <stdlib.h>
#include <unistd.h>

#define GW_CLEANUP(function) __attribute__((cleanup(function)))
#define gw_take(pointer)                                                                                               \
    __extension__({                                                                                                    \
        __typeof__(*(pointer)) taken_ = *(pointer);                                                                    \
        *(pointer) = NULL;                                                                                             \
        taken_;                                                                                                        \
    })

// Defines x_freep(x **) for GW_CLEANUP from x_free(x *).
#define GW_DEFINE_FREEP(type, free_function)                                                                           \
    __attribute__((unused)) static inline void type##_freep(type **pointer) {                                          \
        free_function(*pointer);                                                                                       \
    }

static inline void gw_freep(void *pointer) {
    free(*(void **)pointer);
}
static inline void gw_closep(int *descriptor) {
    if (*descriptor >= 0)
        close(*descriptor);
}
