/* Arguments of functions: by place and by name, keys, paths, words. */
#include "common.h"

static int place_of(const Signature *signature, PyObject *name) {
  for (int place = 0; place < MOST_ARGUMENTS && signature->names[place] != NULL; place++)
    if (PyUnicode_CompareWithASCIIString(name, signature->names[place]) == 0) return place;
  PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", signature->function, name);
  return -1;
}

static bool put_named(const Signature *signature, PyObject *name, PyObject *value, PyObject **values) {
  if (!PyUnicode_Check(name)) {
    PyErr_Format(PyExc_TypeError, "%s() keywords must be strings", signature->function);
    return false;
  }
  int place = place_of(signature, name);
  if (place < 0) return false;
  if (values[place] != NULL) {
    PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%U'", signature->function, name);
    return false;
  }
  values[place] = value;
  return true;
}

static bool has_room(const Signature *signature, Py_ssize_t count) {
  if (count <= signature->positional) return true;
  PyErr_Format(
      PyExc_TypeError, "%s() takes at most %d positional arguments (%zd given)", signature->function,
      signature->positional, count);
  return false;
}

static bool has_required(const Signature *signature, PyObject **values) {
  for (int place = 0; place < signature->required; place++) {
    if (values[place] != NULL) continue;
    PyErr_Format(PyExc_TypeError, "%s() missing required argument: '%s'", signature->function, signature->names[place]);
    return false;
  }
  return true;
}

bool arguments_read(
    const Signature *signature, PyObject *const *arguments, Py_ssize_t count, PyObject *names, PyObject **values) {
  memset(values, 0, MOST_ARGUMENTS * sizeof *values);
  if (!has_room(signature, count)) return false;
  for (Py_ssize_t place = 0; place < count; place++) values[place] = arguments[place];
  Py_ssize_t named = names == NULL ? 0 : PyTuple_Size(names);
  for (Py_ssize_t place = 0; place < named; place++)
    if (!put_named(signature, PyTuple_GetItem(names, place), arguments[count + place], values)) return false;
  return has_required(signature, values);
}

bool arguments_read_tuple(const Signature *signature, PyObject *arguments, PyObject *named, PyObject **values) {
  memset(values, 0, MOST_ARGUMENTS * sizeof *values);
  Py_ssize_t count = PyTuple_Size(arguments);
  if (!has_room(signature, count)) return false;
  for (Py_ssize_t place = 0; place < count; place++) values[place] = PyTuple_GetItem(arguments, place);
  PyObject *name, *value;
  for (Py_ssize_t place = 0; named != NULL && PyDict_Next(named, &place, &name, &value);)
    if (!put_named(signature, name, value, values)) return false;
  return has_required(signature, values);
}

static bool is_given(PyObject *value) { return value != NULL && value != Py_None; }

bool argument_flag(PyObject *value, bool *flag) {
  if (!is_given(value)) return true;
  int truth = PyObject_IsTrue(value);
  *flag = truth > 0;
  return truth >= 0;
}

bool argument_size(PyObject *value, const char *name, uint64_t *number) {
  if (!is_given(value)) return true;
  PyObject *index = PyNumber_Index(value);
  if (index == NULL) return false;
  *number = PyLong_AsUnsignedLongLong(index);
  Py_DECREF(index);
  if (!PyErr_Occurred()) return true;
  PyErr_Clear();
  PyErr_Format(PyExc_ValueError, "%s must be from 0 to 2**64 - 1, and is %R", name, value);
  return false;
}

bool argument_share(PyObject *value, const char *name, double *number, bool *given) {
  if (!is_given(value)) return true;
  *number = PyFloat_AsDouble(value);
  if (*number == -1 && PyErr_Occurred()) return false;
  *given = true;
  if (*number >= 0 && *number <= 1) return true;
  PyErr_Format(PyExc_ValueError, "%s must be from 0 to 1, and is %R", name, value);
  return false;
}

bool argument_word(PyObject *value, const char *name, const char *const *words, int32_t *number) {
  if (!is_given(value)) return true;
  for (int32_t place = 0; PyUnicode_Check(value) && words[place] != NULL; place++) {
    if (PyUnicode_CompareWithASCIIString(value, words[place]) != 0) continue;
    *number = place;
    return true;
  }
  PyObject *all = PyUnicode_FromFormat("\"%s\"", words[0]);
  for (int place = 1; all != NULL && words[place] != NULL; place++) {
    PyObject *longer = PyUnicode_FromFormat("%U, \"%s\"", all, words[place]);
    Py_DECREF(all);
    all = longer;
  }
  if (all != NULL) PyErr_Format(PyExc_ValueError, "%s must be one of %U, and is %R", name, all, value);
  Py_XDECREF(all);
  return false;
}

bool pair_read(PyObject *pair, const char *what, PyObject **first, PyObject **second) {
  if (PyTuple_Check(pair) && PyTuple_Size(pair) == 2) {
    *first = PyTuple_GetItem(pair, 0);
    *second = PyTuple_GetItem(pair, 1);
    return true;
  }
  PyErr_Format(PyExc_TypeError, "%s must be a tuple of two, and is %R", what, pair);
  return false;
}

/* ---- keys ---- */

static bool refuse_key(void) {
  if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_TypeError) && !PyErr_ExceptionMatches(PyExc_BufferError) &&
      !PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
    return false;
  PyErr_Clear();
  PyErr_SetString(PyExc_ValueError, "key must be str or bytes");
  return false;
}

bool key_read_slowly(PyObject *object, Key *key) {
  key->copy = NULL;
  key->data = NULL;
  key->size = 0;
  if (PyErr_Occurred()) return refuse_key();
  if (PyBytes_Check(object)) {
    key->data = PyBytes_AsString(object);
    key->size = (size_t)PyBytes_Size(object);
    return true;
  }
  if (PyUnicode_Check(object)) {
    Py_ssize_t size;
    key->data = PyUnicode_AsUTF8AndSize(object, &size);
    key->size = (size_t)size;
    return key->data != NULL || refuse_key();
  }
  /* What can change gets copied: others may run while the key is in use. */
  if (!PyObject_CheckBuffer(object)) return refuse_key();
  key->copy = PyBytes_FromObject(object);
  if (key->copy == NULL) return refuse_key();
  key->data = PyBytes_AsString(key->copy);
  key->size = (size_t)PyBytes_Size(key->copy);
  return true;
}

bool keys_read(PyObject *iterable, Keys *keys) {
  keys->spans = NULL;
  keys->count = 0;
  if (PyUnicode_Check(iterable) || PyBytes_Check(iterable)) {
    keys->tuple = NULL;
    PyErr_SetString(PyExc_TypeError, "keys must be an iterable of keys, and is one key");
    return false;
  }
  keys->tuple = PySequence_Tuple(iterable);
  if (keys->tuple == NULL) return false;
  Py_ssize_t count = PyTuple_Size(keys->tuple);
  keys->spans = PyMem_Malloc((size_t)(count > 0 ? count : 1) * sizeof *keys->spans);
  PyObject *copies = NULL;
  if (keys->spans == NULL) PyErr_NoMemory();
  for (Py_ssize_t place = 0; keys->spans != NULL && place < count; place++) {
    Key key;
    if (!key_read(PyTuple_GetItem(keys->tuple, place), &key)) break;
    keys->spans[place] = (fuse_span){key.data, key.size};
    keys->count++;
    if (key.copy == NULL) continue;
    if (copies == NULL) copies = PyList_New(0);
    int failure = copies == NULL || PyList_Append(copies, key.copy) != 0;
    Py_DECREF(key.copy);
    if (failure) break;
  }
  /* The tuple keeps what the copies are made of, too: as one pair. */
  if (copies != NULL && !PyErr_Occurred()) {
    PyObject *both = PyTuple_Pack(2, keys->tuple, copies);
    Py_DECREF(keys->tuple);
    keys->tuple = both;
  }
  Py_XDECREF(copies);
  if (!PyErr_Occurred()) return true;
  keys_free(keys);
  return false;
}

void keys_free(Keys *keys) {
  PyMem_Free(keys->spans);
  keys->spans = NULL;
  Py_CLEAR(keys->tuple);
}

bool path_read(PyObject *object, PyObject **bytes) {
  *bytes = NULL;
  if (!PyUnicode_FSConverter(object, bytes)) return false;
  if (PyBytes_Size(*bytes) > 0) return true;
  Py_CLEAR(*bytes);
  PyErr_SetString(PyExc_ValueError, "the path is empty");
  return false;
}

void paths_free(Paths *paths) {
  PyMem_Free(paths->spans);
  Py_CLEAR(paths->kept);
  *paths = (Paths){NULL, NULL, 0};
}

bool paths_read(PyObject *const *objects, Py_ssize_t count, Paths *paths) {
  *paths = (Paths){PyList_New(0), PyMem_Malloc(((size_t)count + 1) * sizeof(fuse_span)), 0};
  if (paths->spans == NULL) PyErr_NoMemory();
  for (Py_ssize_t place = 0; place < count && !PyErr_Occurred(); place++) {
    PyObject *bytes;
    if (!path_read(objects[place], &bytes)) break;
    paths->spans[paths->count++] = bytes_span(bytes);
    PyList_Append(paths->kept, bytes);
    Py_DECREF(bytes);
  }
  if (!PyErr_Occurred()) return true;
  paths_free(paths);
  return false;
}

bool paths_read_list(PyObject *iterable, const char *name, Paths *paths) {
  *paths = (Paths){NULL, NULL, 0};
  if (iterable == NULL || iterable == Py_None) return true;
  if (PyUnicode_Check(iterable) || PyBytes_Check(iterable)) {
    PyErr_Format(PyExc_TypeError, "%s must be an iterable of paths, and is one path", name);
    return false;
  }
  PyObject *tuple = PySequence_Tuple(iterable);
  Py_ssize_t count = tuple == NULL ? 0 : PyTuple_Size(tuple);
  PyObject **objects = tuple == NULL ? NULL : PyMem_Malloc(((size_t)count + 1) * sizeof *objects);
  for (Py_ssize_t place = 0; objects != NULL && place < count; place++) objects[place] = PyTuple_GetItem(tuple, place);
  bool done = objects != NULL && paths_read(objects, count, paths);
  PyMem_Free(objects);
  Py_XDECREF(tuple);
  return done;
}
