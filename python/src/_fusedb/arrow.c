/* Arrow's C data interface: columns that several consumers take, on any threads, without the interpreter's lock. */
#include "arrow.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

/* ---- arrays ---- */

struct SharedArray {
  atomic_size_t count;
  struct ArrowArray array;
};

SharedArray *shared_array_make(struct ArrowArray *array) {
  SharedArray *shared = malloc(sizeof *shared);
  if (shared == NULL) return NULL;
  atomic_init(&shared->count, 1);
  shared->array = *array;
  array->release = NULL;
  return shared;
}

void shared_array_drop(SharedArray *shared) {
  if (shared == NULL || atomic_fetch_sub(&shared->count, 1) != 1) return;
  if (shared->array.release != NULL) shared->array.release(&shared->array);
  free(shared);
}

/* Children belong to their parent unless a consumer moved them away, which their `release` tells. */
static void release_array(struct ArrowArray *array) {
  for (int64_t place = 0; place < array->n_children; place++) {
    struct ArrowArray *child = array->children[place];
    if (child != NULL && child->release != NULL) child->release(child);
    free(child);
  }
  free(array->children);
  shared_array_drop(array->private_data);
  array->release = NULL;
}

static bool export_part(SharedArray *shared, const struct ArrowArray *part, struct ArrowArray *out) {
  *out = *part;
  out->children = NULL;
  out->n_children = 0;
  out->private_data = shared;
  out->release = release_array;
  atomic_fetch_add(&shared->count, 1);
  if (part->n_children == 0) return true;
  out->children = calloc((size_t)part->n_children, sizeof *out->children);
  for (int64_t place = 0; out->children != NULL && place < part->n_children; place++) {
    struct ArrowArray *child = calloc(1, sizeof *child);
    if (child == NULL || !export_part(shared, part->children[place], child)) {
      free(child);
      break;
    }
    out->children[out->n_children++] = child;
  }
  if (out->n_children == part->n_children) return true;
  release_array(out);
  return false;
}

bool shared_array_export(SharedArray *shared, struct ArrowArray *out) { return export_part(shared, &shared->array, out); }

/* ---- schemas ---- */

static void release_schema(struct ArrowSchema *schema) {
  for (int64_t place = 0; place < schema->n_children; place++) {
    struct ArrowSchema *child = schema->children[place];
    if (child != NULL && child->release != NULL) child->release(child);
    free(child);
  }
  free(schema->children);
  free((char *)schema->format);
  free((char *)schema->name);
  schema->release = NULL;
}

bool schema_copy(const struct ArrowSchema *schema, struct ArrowSchema *out) {
  memset(out, 0, sizeof *out);
  out->flags = schema->flags;
  out->release = release_schema;
  out->format = strdup(schema->format);
  out->name = strdup(schema->name == NULL ? "" : schema->name);
  if (schema->n_children > 0) out->children = calloc((size_t)schema->n_children, sizeof *out->children);
  bool done = out->format != NULL && out->name != NULL && (schema->n_children == 0 || out->children != NULL);
  for (int64_t place = 0; done && place < schema->n_children; place++) {
    struct ArrowSchema *child = calloc(1, sizeof *child);
    done = child != NULL && schema_copy(schema->children[place], child);
    if (done) out->children[out->n_children++] = child;
    else free(child);
  }
  if (!done) release_schema(out);
  return done;
}

/* ---- streams ---- */

typedef struct Batches {
  struct ArrowSchema schema;
  size_t next;
  size_t count;
  SharedArray *arrays[];
} Batches;

static int stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
  return schema_copy(&((Batches *)stream->private_data)->schema, out) ? 0 : ENOMEM;
}

static int stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
  Batches *batches = stream->private_data;
  if (batches->next == batches->count) {
    memset(out, 0, sizeof *out);
    return 0;
  }
  return shared_array_export(batches->arrays[batches->next++], out) ? 0 : ENOMEM;
}

static const char *stream_error(struct ArrowArrayStream *stream) {
  (void)stream;
  return "memory is short";
}

static void release_stream(struct ArrowArrayStream *stream) {
  Batches *batches = stream->private_data;
  for (size_t place = 0; place < batches->count; place++) shared_array_drop(batches->arrays[place]);
  if (batches->schema.release != NULL) batches->schema.release(&batches->schema);
  free(batches);
  stream->release = NULL;
}

/* ---- capsules ---- */

static void free_schema_capsule(PyObject *capsule) {
  struct ArrowSchema *schema = PyCapsule_GetPointer(capsule, "arrow_schema");
  if (schema->release != NULL) schema->release(schema);
  free(schema);
}

static void free_array_capsule(PyObject *capsule) {
  struct ArrowArray *array = PyCapsule_GetPointer(capsule, "arrow_array");
  if (array->release != NULL) array->release(array);
  free(array);
}

static void free_stream_capsule(PyObject *capsule) {
  struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
  if (stream->release != NULL) stream->release(stream);
  free(stream);
}

PyObject *schema_capsule(const struct ArrowSchema *schema) {
  struct ArrowSchema *copy = calloc(1, sizeof *copy);
  if (copy == NULL || !schema_copy(schema, copy)) {
    free(copy);
    return PyErr_NoMemory();
  }
  PyObject *capsule = PyCapsule_New(copy, "arrow_schema", free_schema_capsule);
  if (capsule == NULL) {
    copy->release(copy);
    free(copy);
  }
  return capsule;
}

PyObject *array_capsule(SharedArray *shared) {
  struct ArrowArray *copy = calloc(1, sizeof *copy);
  if (copy == NULL || !shared_array_export(shared, copy)) {
    free(copy);
    return PyErr_NoMemory();
  }
  PyObject *capsule = PyCapsule_New(copy, "arrow_array", free_array_capsule);
  if (capsule == NULL) {
    copy->release(copy);
    free(copy);
  }
  return capsule;
}

PyObject *stream_capsule(const struct ArrowSchema *schema, SharedArray *const *arrays, size_t count) {
  Batches *batches = calloc(1, sizeof *batches + count * sizeof *batches->arrays);
  struct ArrowArrayStream *stream = calloc(1, sizeof *stream);
  if (batches == NULL || stream == NULL || !schema_copy(schema, &batches->schema)) {
    free(batches);
    free(stream);
    return PyErr_NoMemory();
  }
  for (size_t place = 0; place < count; place++) {
    atomic_fetch_add(&arrays[place]->count, 1);
    batches->arrays[batches->count++] = arrays[place];
  }
  *stream = (struct ArrowArrayStream){stream_schema, stream_next, stream_error, release_stream, batches};
  PyObject *capsule = PyCapsule_New(stream, "arrow_array_stream", free_stream_capsule);
  if (capsule == NULL) {
    release_stream(stream);
    free(stream);
  }
  return capsule;
}

/* ---- reading what others have ---- */

static bool use_stream(struct ArrowArrayStream *stream, ArrowUse use, void *context) {
  struct ArrowSchema schema = {.release = NULL};
  struct ArrowArray array = {.release = NULL};
  int failure;
  {
    ALLOW_THREADS(state);
    failure = stream->get_schema(stream, &schema);
    DISALLOW_THREADS(state);
  }
  bool done = failure == 0;
  while (done) {
    ALLOW_THREADS(state);
    failure = stream->get_next(stream, &array);
    DISALLOW_THREADS(state);
    if (failure != 0 || array.release == NULL) break;
    done = use(context, &schema, &array);
    array.release(&array);
    array.release = NULL;
  }
  if (failure != 0) {
    const char *reason = stream->get_last_error(stream);
    PyErr_Format(PyExc_ValueError, "the Arrow stream failed: %s", reason == NULL ? strerror(failure) : reason);
    done = false;
  }
  if (schema.release != NULL) schema.release(&schema);
  return done;
}

bool arrow_arrays(PyObject *object, const char *wanted, ArrowUse use, void *context) {
  PyObject *exported = PyObject_CallMethod(object, "__arrow_c_array__", NULL);
  if (exported != NULL) {
    PyObject *schema_object, *array_object;
    bool done = pair_read(exported, "what __arrow_c_array__() gives", &schema_object, &array_object);
    struct ArrowSchema *schema = done ? PyCapsule_GetPointer(schema_object, "arrow_schema") : NULL;
    struct ArrowArray *array = schema == NULL ? NULL : PyCapsule_GetPointer(array_object, "arrow_array");
    done = array != NULL && use(context, schema, array);
    Py_DECREF(exported);
    return done;
  }
  if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return false;
  PyErr_Clear();
  exported = PyObject_CallMethod(object, "__arrow_c_stream__", NULL);
  if (exported != NULL) {
    struct ArrowArrayStream *stream = PyCapsule_GetPointer(exported, "arrow_array_stream");
    bool done = stream != NULL && stream->release != NULL && use_stream(stream, use, context);
    Py_DECREF(exported);
    if (!done && !PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "the Arrow stream was read already");
    return done;
  }
  if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return false;
  PyErr_Clear();
  PyErr_Format(PyExc_TypeError, "%s, and is %R", wanted, (PyObject *)Py_TYPE(object));
  return false;
}
