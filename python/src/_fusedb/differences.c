/* diff(): the keys that two files answer differently. */
#include "common.h"

PyTypeObject *differences_type, *difference_type;

typedef struct Differences {
  PyObject_HEAD
  Snapshot *old;
  Snapshot *new;
  fuse_differences *walk;
  bool bytes_keys;
  bool busy;
  bool ended;
} Differences;

Snapshot *snapshot_of(PyObject *object) {
  int is_reader = PyObject_IsInstance(object, (PyObject *)answering_type);
  if (is_reader != 0) return is_reader < 0 ? NULL : reader_snapshot(object);
  Access access = {fuse_open_options_default(), false};
  return snapshot_open(object, &access, NULL);
}

PyObject *diff(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  (void)module;
  static const Signature signature = {"diff", 2, 2, {"old", "new", "bytes_keys"}};
  PyObject *values[MOST_ARGUMENTS];
  bool bytes_keys = false;
  if (!arguments_read(&signature, arguments, count, names, values) || !argument_flag(values[2], &bytes_keys)) return NULL;
  Snapshot *old = snapshot_of(values[0]);
  Snapshot *new = old == NULL ? NULL : snapshot_of(values[1]);
  fuse_differences *walk = NULL;
  Differences *differences = NULL;
  if (new != NULL) {
    fuse_error *error = NULL;
    fuse_status status = fuse_differences_open(old->reader, new->reader, &walk, &error);
    if (status == FUSE_OK) differences = PyObject_New(Differences, differences_type);
    else raise_error(status, error);
  }
  if (differences == NULL) {
    fuse_differences_close(walk);
    snapshot_drop(old);
    snapshot_drop(new);
    return NULL;
  }
  differences->old = old;
  differences->new = new;
  differences->walk = walk;
  differences->bytes_keys = bytes_keys;
  differences->busy = differences->ended = false;
  return (PyObject *)differences;
}

static PyObject *value_or_none(fuse_span value) {
  return value.data == NULL ? Py_NewRef(Py_None) : value_decode(value.data, value.size);
}

static PyObject *differences_next(PyObject *self) {
  Differences *differences = (Differences *)self;
  if (differences->ended) return NULL;
  if (differences->busy) {
    PyErr_SetString(PyExc_ValueError, "another thread is in this walk; each thread needs one of its own");
    return NULL;
  }
  fuse_difference difference;
  fuse_error *error = NULL;
  differences->busy = true;
  LongCall call;
  long_call_begin(&call, NULL);
  fuse_status status = fuse_differences_next(differences->walk, &call.call, &difference, &error);
  bool goes_on = long_call_end(&call);
  differences->busy = false;
  if (status != FUSE_OK) {
    differences->ended = true;
    return status == FUSE_NONE && goes_on ? NULL : raise_error(status, error);
  }
  if (!goes_on) return NULL;
  static const char *const kinds[] = {"added", "removed", "changed"};
  PyObject *parts[] = {
      PyUnicode_FromString(kinds[difference.kind]),
      differences->bytes_keys ? PyBytes_FromStringAndSize(difference.key.data, (Py_ssize_t)difference.key.size)
                              : text_lossy(difference.key),
      value_or_none(difference.old_value), value_or_none(difference.new_value)};
  PyObject *result = named_tuple(difference_type, 4, parts);
  if (result != NULL && snapshot_check(differences->old) && snapshot_check(differences->new)) return result;
  Py_XDECREF(result);
  return NULL;
}

static void differences_free(PyObject *self) {
  Differences *differences = (Differences *)self;
  PyTypeObject *type = Py_TYPE(self);
  fuse_differences_close(differences->walk);
  snapshot_drop(differences->old);
  snapshot_drop(differences->new);
  PyObject_Free(self);
  Py_DECREF(type);
}

bool tool_types(PyObject *module) {
  static PyStructSequence_Field fields[] = {
      {"kind", "'added', 'removed' or 'changed'"}, {"key", "the key"}, {"old", "the object of the old file, or None"},
      {"new", "the object of the new file, or None"}, {NULL}};
  static PyStructSequence_Desc description = {
      "fusedb_swift.Difference", "A key that two files answer differently.", fields, 4};
  static PyType_Slot slots[] = {
      {Py_tp_dealloc, differences_free}, {Py_tp_iter, PyObject_SelfIter}, {Py_tp_iternext, differences_next}, {0, NULL}};
  static PyType_Spec spec = {
      "fusedb_swift._fusedb.Differences", sizeof(Differences), 0,
      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};
  differences_type = type_make(NULL, &spec, NULL);
  difference_type = PyStructSequence_NewType(&description);
  return differences_type != NULL && difference_type != NULL &&
      PyModule_AddObjectRef(module, "Difference", (PyObject *)difference_type) == 0;
}
