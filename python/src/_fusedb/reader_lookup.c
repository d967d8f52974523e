/* Look-ups by key. This is the way that is walked a million times a second: a key is used where it stands, the object
 * is decoded where the file has it, and that the file was not cut meanwhile is asked at last. */
#include "common.h"

/* From this many keys on, others may run while a batch is looked up. */
static const size_t batch_without_lock = 64;

typedef enum Found { FOUND, ABSENT, FAILED } Found;

static inline Found find(Snapshot *snapshot, PyObject *object, fuse_span *value) {
  Key key;
  if (UNLIKELY(!key_read(object, &key))) return FAILED;
  fuse_error *error = NULL;
  fuse_status status = fuse_get(snapshot->reader, key.data, key.size, value, &error);
  key_free(&key);
  if (status == FUSE_OK) return FOUND;
  if (status == FUSE_NONE) return ABSENT;
  raise_error(status, error);
  return FAILED;
}

/* The object of a span, once it is sure that it was the file's. */
static inline PyObject *decoded(Snapshot *snapshot, fuse_span value) {
  PyObject *object = value_decode(value.data, value.size);
  if (UNLIKELY(fuse_reader_check(snapshot->reader, NULL) != FUSE_OK)) {
    PyErr_Clear();
    Py_CLEAR(object);
    snapshot_check(snapshot);
  }
  return object;
}

/* What is under a key, or `fallback`; NULL for that raises KeyError. */
static inline PyObject *look_up(PyObject *self, PyObject *key, PyObject *fallback) {
  Snapshot *snapshot = reader_snapshot(self);
  if (UNLIKELY(snapshot == NULL)) return NULL;
  fuse_span value;
  PyObject *result = NULL;
  Found found = find(snapshot, key, &value);
  if (found == FOUND) result = decoded(snapshot, value);
  else if (found == ABSENT && fallback != NULL) result = Py_NewRef(fallback);
  else if (found == ABSENT) PyErr_SetObject(PyExc_KeyError, key);
  snapshot_drop(snapshot);
  return result;
}

static PyObject *reader_get(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  if (count == 1 && names == NULL) return look_up(self, arguments[0], Py_None);
  static const Signature signature = {"get", 1, 2, {"key", "default"}};
  PyObject *values[MOST_ARGUMENTS];
  if (!arguments_read(&signature, arguments, count, names, values)) return NULL;
  return look_up(self, values[0], values[1] == NULL ? Py_None : values[1]);
}

PyObject *reader_item(PyObject *self, PyObject *key) { return look_up(self, key, NULL); }

int reader_contains(PyObject *self, PyObject *object) {
  Snapshot *snapshot = reader_snapshot(self);
  if (UNLIKELY(snapshot == NULL)) return -1;
  Key key;
  int result = -1;
  if (key_read(object, &key)) {
    fuse_error *error = NULL;
    fuse_status status = fuse_contains(snapshot->reader, key.data, key.size, &error);
    key_free(&key);
    if (status == FUSE_OK || status == FUSE_NONE) result = status == FUSE_OK;
    else raise_error(status, error);
  }
  snapshot_drop(snapshot);
  return result;
}

static PyObject *reader_exists(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  PyObject *key;
  if (count == 1 && names == NULL) {
    key = arguments[0];
  } else {
    static const Signature signature = {"exists", 1, 1, {"key"}};
    PyObject *values[MOST_ARGUMENTS];
    if (!arguments_read(&signature, arguments, count, names, values)) return NULL;
    key = values[0];
  }
  int found = reader_contains(self, key);
  return found < 0 ? NULL : PyBool_FromLong(found);
}

static PyObject *reader_get_raw(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"get_raw", 1, 1, {"key"}};
  PyObject *values[MOST_ARGUMENTS];
  if (!arguments_read(&signature, arguments, count, names, values)) return NULL;
  Snapshot *snapshot = reader_snapshot(self);
  if (snapshot == NULL) return NULL;
  fuse_span value;
  Found found = find(snapshot, values[0], &value);
  PyObject *result = found == FOUND ? snapshot_view(snapshot, value) : found == ABSENT ? Py_NewRef(Py_None) : NULL;
  snapshot_drop(snapshot);
  return result;
}

/* ---- batches ---- */

/* So many keys are looked up at once; between, signals are looked for. */
static const size_t batch_size = 16 * 1024;

/* Puts the objects of a part of a batch into the list. */
static bool put_values(Snapshot *snapshot, PyObject *list, size_t start, const fuse_span *spans, size_t count, PyObject *fallback) {
  for (size_t place = 0; place < count; place++) {
    fuse_span span = spans[place];
    PyObject *value = span.data == NULL ? Py_NewRef(fallback) : value_decode(span.data, span.size);
    if (value == NULL) break;
    PyList_SetItem(list, (Py_ssize_t)(start + place), value);
  }
  if (fuse_reader_check(snapshot->reader, NULL) == FUSE_OK) return !PyErr_Occurred();
  PyErr_Clear();
  return snapshot_check(snapshot);
}

static bool look_up_part(Snapshot *snapshot, const fuse_span *keys, fuse_span *spans, size_t count) {
  fuse_error *error = NULL;
  fuse_status status;
  if (count < batch_without_lock) {
    status = fuse_get_many(snapshot->reader, keys, count, spans, &error);
  } else {
    ALLOW_THREADS(state);
    status = fuse_get_many(snapshot->reader, keys, count, spans, &error);
    DISALLOW_THREADS(state);
  }
  if (status == FUSE_OK) return PyErr_CheckSignals() == 0;
  raise_error(status, error);
  return false;
}

static PyObject *look_up_all(Snapshot *snapshot, const Keys *keys, PyObject *fallback) {
  size_t most = keys->count < batch_size ? keys->count : batch_size;
  fuse_span *spans = PyMem_Malloc((most + 1) * sizeof *spans);
  if (spans == NULL) return PyErr_NoMemory();
  PyObject *list = PyList_New((Py_ssize_t)keys->count);
  for (size_t start = 0; list != NULL && start < keys->count; start += batch_size) {
    size_t count = keys->count - start < batch_size ? keys->count - start : batch_size;
    if (!look_up_part(snapshot, keys->spans + start, spans, count) ||
        !put_values(snapshot, list, start, spans, count, fallback))
      Py_CLEAR(list);
  }
  PyMem_Free(spans);
  return list;
}

static PyObject *reader_get_many(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"get_many", 1, 2, {"keys", "default"}};
  PyObject *values[MOST_ARGUMENTS];
  Keys keys;
  if (!arguments_read(&signature, arguments, count, names, values) || !keys_read(values[0], &keys)) return NULL;
  Snapshot *snapshot = reader_snapshot(self);
  PyObject *result =
      snapshot == NULL ? NULL : look_up_all(snapshot, &keys, values[1] == NULL ? Py_None : values[1]);
  snapshot_drop(snapshot);
  keys_free(&keys);
  return result;
}

static PyObject *reader_exists_many(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"exists_many", 1, 1, {"keys"}};
  PyObject *values[MOST_ARGUMENTS];
  Keys keys;
  if (!arguments_read(&signature, arguments, count, names, values) || !keys_read(values[0], &keys)) return NULL;
  Snapshot *snapshot = reader_snapshot(self);
  bool *found = snapshot == NULL ? NULL : PyMem_Malloc(keys.count + 1);
  PyObject *result = NULL;
  if (found != NULL) {
    fuse_error *error = NULL;
    ALLOW_THREADS(state);
    fuse_status status = fuse_contains_many(snapshot->reader, keys.spans, keys.count, found, &error);
    DISALLOW_THREADS(state);
    if (status == FUSE_OK) result = PyList_New((Py_ssize_t)keys.count);
    else raise_error(status, error);
    for (size_t place = 0; result != NULL && place < keys.count; place++)
      PyList_SetItem(result, (Py_ssize_t)place, PyBool_FromLong(found[place]));
  } else if (snapshot != NULL) {
    PyErr_NoMemory();
  }
  PyMem_Free(found);
  keys_free(&keys);
  snapshot_drop(snapshot);
  return result;
}

/* ---- fields ---- */

#define PATH_NAME "fuse_path"
/* Paths that were asked for before, by their text; emptied when it is full. */
static PyObject *paths;
static const Py_ssize_t most_paths = 256;

static void free_path(PyObject *capsule) { fuse_path_free(PyCapsule_GetPointer(capsule, PATH_NAME)); }

/* The path of a text, kept by the capsule, a new reference. */
static PyObject *path_of(PyObject *text) {
  if (!PyUnicode_Check(text)) {
    PyErr_SetString(PyExc_TypeError, "a path to a field is text such as \"geo.city.0\"");
    return NULL;
  }
  if (paths == NULL && (paths = PyDict_New()) == NULL) return NULL;
  PyObject *known = PyDict_GetItemWithError(paths, text);
  if (known != NULL || PyErr_Occurred()) return Py_XNewRef(known);
  Py_ssize_t size;
  const char *bytes = PyUnicode_AsUTF8AndSize(text, &size);
  if (bytes == NULL) return NULL;
  fuse_path *path = NULL;
  fuse_error *error = NULL;
  fuse_status status = fuse_path_make(bytes, (size_t)size, &path, &error);
  if (status != FUSE_OK) return raise_error(status, error);
  PyObject *capsule = PyCapsule_New(path, PATH_NAME, free_path);
  if (capsule == NULL) {
    fuse_path_free(path);
    return NULL;
  }
  if (PyDict_Size(paths) >= most_paths) PyDict_Clear(paths);
  if (PyDict_SetItem(paths, text, capsule) != 0) Py_CLEAR(capsule);
  return capsule;
}

/* A value that is none is the file's fault here. */
static void raise_stored(fuse_status status, fuse_error *error) {
  uint64_t offset = 0;
  fuse_error_offset(error, &offset);
  if (status == FUSE_ERROR_INVALID_VALUE && error != NULL) raise_value(fuse_error_message(error), (size_t)offset);
  raise_error(status, error);
}

static PyObject *reader_field(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"field", 2, 3, {"key", "path", "default"}};
  PyObject *values[MOST_ARGUMENTS];
  if (!arguments_read(&signature, arguments, count, names, values)) return NULL;
  Key key;
  PyObject *path = path_of(values[1]);
  if (path == NULL) return NULL;
  Snapshot *snapshot = reader_snapshot(self);
  PyObject *result = NULL;
  if (snapshot != NULL && key_read(values[0], &key)) {
    fuse_value value;
    fuse_error *error = NULL;
    fuse_status status = fuse_get_field(
        snapshot->reader, key.data, key.size, PyCapsule_GetPointer(path, PATH_NAME), &value, &error);
    key_free(&key);
    if (status == FUSE_OK) result = decoded(snapshot, value.message_pack);
    else if (status == FUSE_NONE) result = Py_NewRef(values[2] == NULL ? Py_None : values[2]);
    else raise_stored(status, error);
  }
  snapshot_drop(snapshot);
  Py_DECREF(path);
  return result;
}

/* ---- the number of keys ---- */

Py_ssize_t reader_length(PyObject *self) {
  Snapshot *snapshot = reader_snapshot(self);
  if (snapshot == NULL) return -1;
  fuse_reader_info info = fuse_reader_info_empty();
  fuse_error *error = NULL;
  fuse_status status = fuse_reader_get_info(snapshot->reader, &info, &error);
  snapshot_drop(snapshot);
  if (status == FUSE_OK) return (Py_ssize_t)info.key_count;
  raise_error(status, error);
  return -1;
}

/* As with 0.3.0, a reader is true, also of an empty file. */
int reader_true(PyObject *self) {
  (void)self;
  return 1;
}

PyMethodDef lookup_methods[] = {
    METHOD("get", reader_get, FAST,
        "get($self, /, key, default=None)\n--\n\n"
        "The object under a key, or the default.\n\n"
        "    >>> db = FuseReader('geo.fsdb')\n"
        "    >>> db.get('8.8.8.8')\n"
        "    {'org': 'Google', 'asn': 15169}\n"
        "    >>> db.get('nowhere', default={})\n"
        "    {}\n"),
    METHOD("exists", reader_exists, FAST,
        "exists($self, /, key)\n--\n\n"
        "Whether the file has a key. No object is read.\n\n"
        "    >>> FuseReader('geo.fsdb').exists('gmail.com')\n"
        "    True\n"),
    METHOD("get_many", reader_get_many, FAST,
        "get_many($self, /, keys, default=None)\n--\n\n"
        "The objects under many keys, in their order: far faster than one by one.\n\n"
        "    >>> FuseReader('geo.fsdb').get_many(['8.8.8.8', 'nowhere'])\n"
        "    [{'org': 'Google', 'asn': 15169}, None]\n"),
    METHOD("exists_many", reader_exists_many, FAST,
        "exists_many($self, /, keys)\n--\n\n"
        "Whether the file has each of many keys.\n\n"
        "    >>> FuseReader('geo.fsdb').exists_many(['8.8.8.8', 'nowhere'])\n"
        "    [True, False]\n"),
    METHOD("get_raw", reader_get_raw, FAST,
        "get_raw($self, /, key)\n--\n\n"
        "The MessagePack bytes under a key, in place, or None. The view keeps the file open.\n\n"
        "    >>> bytes(FuseReader('geo.fsdb').get_raw('1.1.1.1'))\n"
        "    b'\\x82\\xa3org\\xaaCloudflare\\xa3asn\\xcd4\\x17'\n"),
    METHOD("field", reader_field, FAST,
        "field($self, /, key, path, default=None)\n--\n\n"
        "A part of the object under a key, without decoding the rest. A path is names and places with dots between them.\n\n"
        "    >>> FuseReader('geo.fsdb').field('8.8.8.8', 'org')\n"
        "    'Google'\n"),
    {NULL}};
