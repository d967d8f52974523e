/* Arrow's C stream interface, and what others take from arrow.c. */
#ifndef FUSEDB_PYTHON_ARROW_H
#define FUSEDB_PYTHON_ARROW_H

#include "common.h"

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
  int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
  const char *(*get_last_error)(struct ArrowArrayStream *);
  void (*release)(struct ArrowArrayStream *);
  void *private_data;
};

#endif

/* An array that several consumers have, on any threads: it is released with the last of them. */
typedef struct SharedArray SharedArray;
SharedArray *shared_array_make(struct ArrowArray *array);
void shared_array_drop(SharedArray *shared);
/* What a consumer gets: an array of its own over the same buffers. False where memory is short. */
bool shared_array_export(SharedArray *shared, struct ArrowArray *out);
/* A copy of a schema. False where memory is short. */
bool schema_copy(const struct ArrowSchema *schema, struct ArrowSchema *out);

/* Calls `use` for each array of an object that has one, or a stream of them, by the PyCapsule interface. False after raising,
 * which `use` does where it returns false; `wanted` is said of an object that has neither. */
typedef bool (*ArrowUse)(void *context, const struct ArrowSchema *schema, const struct ArrowArray *array);
bool arrow_arrays(PyObject *object, const char *wanted, ArrowUse use, void *context);

/* Capsules that release what was not taken. NULL after raising. */
PyObject *schema_capsule(const struct ArrowSchema *schema);
PyObject *array_capsule(SharedArray *shared);
PyObject *stream_capsule(const struct ArrowSchema *schema, SharedArray *const *arrays, size_t count);

#endif
