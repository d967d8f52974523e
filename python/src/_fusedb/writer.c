/* FuseWriter: collects objects and keys, and writes them as one file. */
#include "common.h"

PyTypeObject *writer_type;

/* ---- life ---- */

typedef struct Writer {
  PyObject_HEAD
  fuse_writer *writer;
  /* Hashes of keys, to count them once; not kept where memory is limited. */
  NumberSet keys;
  bool counts_keys;
  /* A build is going on, which others run beside. */
  bool busy;
  PyObject *attributes;
  PyObject *weak_references;
} Writer;

static int writer_init(PyObject *self, PyObject *arguments, PyObject *named) {
  static const Signature signature = {"FuseWriter", 0, 0, {WRITER_NAMES}};
  Writer *writer = (Writer *)self;
  PyObject *values[MOST_ARGUMENTS];
  WriterOptions options;
  if (!arguments_read_tuple(&signature, arguments, named, values)) return -1;
  if (writer->writer != NULL) {
    PyErr_SetString(PyExc_ValueError, "the writer was made already");
    return -1;
  }
  if (!writer_options_read(values, &options)) return -1;
  fuse_error *error = NULL;
  fuse_status status = fuse_writer_make(&options.options, &writer->writer, &error);
  writer->counts_keys = options.options.memory == 0;
  writer_options_free(&options);
  if (status != FUSE_OK) raise_error(status, error);
  return status == FUSE_OK ? 0 : -1;
}

static int writer_traverse(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(((Writer *)self)->attributes);
  return 0;
}

static int writer_clear(PyObject *self) {
  Py_CLEAR(((Writer *)self)->attributes);
  return 0;
}

static void writer_free(PyObject *self) {
  Writer *writer = (Writer *)self;
  PyTypeObject *type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (writer->weak_references != NULL) PyObject_ClearWeakRefs(self);
  Py_CLEAR(writer->attributes);
  fuse_writer_close(writer->writer);
  numbers_free(&writer->keys);
  freefunc release = PyType_GetSlot(type, Py_tp_free);
  release(self);
  Py_DECREF(type);
}

/* The writer, if it may be used now. */
static Writer *ready(PyObject *self) {
  Writer *writer = (Writer *)self;
  if (writer->writer == NULL) {
    PyErr_SetString(PyExc_ValueError, "the writer was not made: __init__ was not called, or failed");
  } else if (writer->busy) {
    PyErr_SetString(PyExc_RuntimeError, "the writer is building; it can be used again when build() has returned");
  } else {
    return writer;
  }
  return NULL;
}

/* ---- adding ---- */

static bool put_object(PyObject *self, const void *data, size_t size, uint64_t *number) {
  Writer *writer = ready(self);
  if (writer == NULL) return false;
  fuse_error *error = NULL;
  fuse_status status = fuse_writer_add_object(writer->writer, data, size, number, &error);
  if (status != FUSE_OK) raise_error(status, error);
  return status == FUSE_OK;
}

static bool put_key(PyObject *self, const Key *key, uint64_t number) {
  Writer *writer = ready(self);
  if (writer == NULL) return false;
  fuse_error *error = NULL;
  fuse_status status = fuse_writer_add_key(writer->writer, key->data, key->size, number, &error);
  if (status != FUSE_OK) {
    uint64_t objects = 0;
    fuse_writer_counts(writer->writer, NULL, &objects, NULL);
    if (status == FUSE_ERROR_INVALID_ARGUMENT && number >= objects) {
      PyErr_Format(
          PyExc_ValueError, "FuseError: obj_id %llu out of range (have %llu objects)", (unsigned long long)number,
          (unsigned long long)objects);
    } else if (status == FUSE_ERROR_LIMIT_EXCEEDED && key->size > UINT16_MAX) {
      PyErr_Format(PyExc_ValueError, "FuseError: key is %zu bytes, format maximum is 65535", key->size);
    }
    raise_error(status, error);
    return false;
  }
  if (writer->counts_keys && numbers_add(&writer->keys, bytes_hash(key->data, key->size)) < 0) {
    PyErr_NoMemory();
    return false;
  }
  return true;
}

static PyObject *add_object(PyObject *self, PyObject *value) {
  Packed packed;
  if (!value_encode(value, &packed)) return NULL;
  uint64_t object = 0;
  bool done = put_object(self, packed.data, packed.size, &object);
  packed_free(&packed);
  return done ? PyLong_FromUnsignedLongLong(object) : NULL;
}

static bool add_key(PyObject *self, PyObject *name, PyObject *object) {
  if (PyUnicode_Check(object) || PyFloat_Check(object) || !PyIndex_Check(object)) {
    PyObject *type = package_call("_values", "type_name", "(O)", object);
    if (type != NULL)
      PyErr_Format(PyExc_TypeError, "argument 'obj_id': '%U' object cannot be interpreted as an integer", type);
    Py_XDECREF(type);
    return false;
  }
  PyObject *index = PyNumber_Index(object);
  if (index == NULL) return false;
  uint64_t number = PyLong_AsUnsignedLongLong(index);
  Py_DECREF(index);
  if (PyErr_Occurred()) return false;
  Key key;
  if (!key_read(name, &key)) return false;
  bool done = put_key(self, &key, number);
  key_free(&key);
  return done;
}

bool writer_put(PyObject *self, const Key *key, const Packed *value) {
  uint64_t object = 0;
  return put_object(self, value->data, value->size, &object) && put_key(self, key, object);
}

static PyObject *writer_add_object(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"add_object", 1, 1, {"data"}};
  PyObject *values[MOST_ARGUMENTS];
  return arguments_read(&signature, arguments, count, names, values) ? add_object(self, values[0]) : NULL;
}

static PyObject *writer_add_key(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"add_key", 2, 2, {"key", "obj_id"}};
  PyObject *values[MOST_ARGUMENTS];
  if (!arguments_read(&signature, arguments, count, names, values) || !add_key(self, values[0], values[1])) return NULL;
  Py_RETURN_NONE;
}

static PyObject *writer_add(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"add", 2, 2, {"key", "data"}};
  PyObject *values[MOST_ARGUMENTS];
  if (!arguments_read(&signature, arguments, count, names, values)) return NULL;
  PyObject *object = add_object(self, values[1]);
  if (object != NULL && !add_key(self, values[0], object)) Py_CLEAR(object);
  return object;
}

static PyObject *writer_add_keys(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"add_keys", 2, 2, {"keys", "obj_id"}};
  PyObject *values[MOST_ARGUMENTS];
  if (!arguments_read(&signature, arguments, count, names, values)) return NULL;
  PyObject *iterator = PyObject_GetIter(values[0]);
  if (iterator == NULL) return NULL;
  for (PyObject *key; (key = PyIter_Next(iterator)) != NULL;) {
    bool done = add_key(self, key, values[1]);
    Py_DECREF(key);
    if (!done) break;
  }
  Py_DECREF(iterator);
  return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

/* Adds a pair of a key and a value. */
static bool add_pair(PyObject *self, PyObject *pair) {
  PyObject *both = PySequence_Tuple(pair);
  if (both == NULL) return false;
  PyObject *object = NULL;
  if (PyTuple_Size(both) == 2) object = add_object(self, PyTuple_GetItem(both, 1));
  else PyErr_SetString(PyExc_ValueError, "add_many() takes pairs of a key and a value");
  bool done = object != NULL && add_key(self, PyTuple_GetItem(both, 0), object);
  Py_XDECREF(object);
  Py_DECREF(both);
  return done;
}

static PyObject *writer_add_many(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"add_many", 1, 1, {"items"}};
  PyObject *values[MOST_ARGUMENTS];
  if (!arguments_read(&signature, arguments, count, names, values)) return NULL;
  PyObject *items = PyDict_Check(values[0]) ? PyMapping_Items(values[0]) : Py_NewRef(values[0]);
  PyObject *iterator = items == NULL ? NULL : PyObject_GetIter(items);
  Py_XDECREF(items);
  if (iterator == NULL) return NULL;
  Py_ssize_t added = 0;
  for (PyObject *pair; (pair = PyIter_Next(iterator)) != NULL; added++) {
    bool done = add_pair(self, pair);
    Py_DECREF(pair);
    if (!done || ((added & 1023) == 0 && PyErr_CheckSignals() != 0)) break;
  }
  Py_DECREF(iterator);
  return PyErr_Occurred() ? NULL : PyLong_FromSsize_t(added);
}

static PyObject *writer_add_raw(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"add_raw", 1, 1, {"data"}};
  PyObject *values[MOST_ARGUMENTS];
  if (!arguments_read(&signature, arguments, count, names, values)) return NULL;
  if (PyUnicode_Check(values[0]) || !PyObject_CheckBuffer(values[0])) {
    PyErr_Format(PyExc_TypeError, "data must be bytes, and is %R", (PyObject *)Py_TYPE(values[0]));
    return NULL;
  }
  Key bytes;
  if (!key_read(values[0], &bytes)) return NULL;
  uint64_t object = 0;
  bool done = put_object(self, bytes.data, bytes.size, &object);
  key_free(&bytes);
  return done ? PyLong_FromUnsignedLongLong(object) : NULL;
}

static PyObject *writer_add_json(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"add_json", 1, 1, {"text"}};
  PyObject *values[MOST_ARGUMENTS];
  Key text;
  if (!arguments_read(&signature, arguments, count, names, values) || !key_read(values[0], &text)) return NULL;
  Writer *writer = ready(self);
  uint64_t object = 0;
  fuse_error *error = NULL;
  PyObject *result = NULL;
  if (writer != NULL) {
    fuse_status status = fuse_writer_add_json(writer->writer, text.data, text.size, &object, &error);
    result = status == FUSE_OK ? PyLong_FromUnsignedLongLong(object) : raise_error(status, error);
  }
  key_free(&text);
  return result;
}

/* ---- building ---- */

static PyObject *writer_build(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"build", 1, 1, {"path", "progress"}};
  PyObject *values[MOST_ARGUMENTS], *path;
  if (!arguments_read(&signature, arguments, count, names, values) || !path_read(values[0], &path)) return NULL;
  PyObject *checked = package_call("_errors", "check_output", "(O)", path);
  Writer *writer = checked == NULL ? NULL : ready(self);
  Py_XDECREF(checked);
  PyObject *result = NULL;
  if (writer != NULL) {
    fuse_span span = bytes_span(path);
    fuse_error *error = NULL;
    LongCall call;
    writer->busy = true;
    long_call_begin(&call, values[1]);
    fuse_status status = fuse_writer_build(writer->writer, span.data, span.size, &call.call, NULL, &error);
    bool goes_on = long_call_end(&call);
    writer->busy = false;
    result = status == FUSE_OK && goes_on ? Py_NewRef(Py_None) : raise_error(status, error);
  }
  Py_DECREF(path);
  return result;
}

static PyObject *writer_build_shard(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"build_shard", 3, 3, {"folder", "number", "count", "progress"}};
  PyObject *values[MOST_ARGUMENTS], *folder;
  uint64_t number = 0, shards = 0;
  if (!arguments_read(&signature, arguments, count, names, values) || !argument_size(values[1], "number", &number) ||
      !argument_size(values[2], "count", &shards) || !path_read(values[0], &folder))
    return NULL;
  Writer *writer = ready(self);
  PyObject *result = NULL;
  if (writer != NULL) {
    fuse_span path = bytes_span(folder);
    fuse_buffer shard = FUSE_BUFFER_EMPTY;
    fuse_error *error = NULL;
    LongCall call;
    writer->busy = true;
    long_call_begin(&call, values[3]);
    fuse_status status = fuse_writer_build_shard(
        writer->writer, number, shards, path.data, path.size, &call.call, &shard, &error);
    bool goes_on = long_call_end(&call);
    writer->busy = false;
    result = status == FUSE_OK && goes_on
        ? PyUnicode_FromStringAndSize((const char *)shard.data, (Py_ssize_t)shard.size)
        : raise_error(status, error);
    fuse_buffer_free(&shard);
  }
  Py_DECREF(folder);
  return result;
}

static PyObject *writer_repr(PyObject *self) {
  Writer *writer = (Writer *)self;
  if (writer->writer == NULL) return PyUnicode_FromString("FuseWriter(not made)");
  if (writer->busy) return PyUnicode_FromString("FuseWriter(building)");
  uint64_t keys = 0, objects = 0;
  fuse_error *error = NULL;
  fuse_status status = fuse_writer_counts(writer->writer, &keys, &objects, &error);
  if (status != FUSE_OK) return raise_error(status, error);
  if (writer->counts_keys) keys = writer->keys.count;
  return PyUnicode_FromFormat(
      "FuseWriter(objects=%llu, keys=%llu)", (unsigned long long)objects, (unsigned long long)keys);
}

/* ---- the type ---- */

static const char writer_text[] =
    "FuseWriter(*, shared=False, order='insertion', layout='indexed', on_duplicate='last', networks='automatic',\n"
    "           normalise='none', key_lengths=False, reverse_index=False, masks_host_bits=False, metadata=None,\n"
    "           memory=None, temporary_folder=None, threads=None, least_keys=0, greatest_shrink=None,\n"
    "           output_link='replace', form='family')\n--\n\n"
    "Collects objects and keys, and writes them as one file.\n\n"
    "    >>> writer = FuseWriter()\n"
    "    >>> google = writer.add_object({'org': 'Google', 'asn': 15169})\n"
    "    >>> writer.add_key('8.8.8.8', google)\n"
    "    >>> writer.add_key('gmail.com', google)\n"
    "    >>> writer.build('new.fsdb')\n"
    "    >>> writer\n"
    "    FuseWriter(objects=1, keys=2)\n\n"
    "shared=True stores equal objects once. layout='plain' writes the bytes that fusedb 0.3.0 writes. memory=N keeps\n"
    "the process within N bytes, and the rest in a temporary file. form='compact' writes half the bytes, version 3 of\n"
    "the format, which fusedb 0.3.0 cannot read; 'compact-fast' leaves keys as they are.\n";

static PyMemberDef writer_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(Writer, attributes), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Writer, weak_references), READONLY, NULL},
    {NULL}};

static PyGetSetDef writer_properties[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL}, {NULL}};

static PyMethodDef writer_methods[] = {
    METHOD("add_object", writer_add_object, FAST,
        "add_object($self, /, data)\n--\n\n"
        "Adds an object, and says its number, for keys.\n\n"
        "    >>> FuseWriter().add_object({'org': 'Google'})\n"
        "    0\n"),
    METHOD("add_key", writer_add_key, FAST,
        "add_key($self, /, key, obj_id)\n--\n\n"
        "Points a key at an object of this writer.\n\n"
        "    >>> writer = FuseWriter()\n"
        "    >>> writer.add_key('gmail.com', writer.add_object({'org': 'Google'}))\n"),
    METHOD("add", writer_add, FAST,
        "add($self, /, key, data)\n--\n\n"
        "Adds an object and a key of it, and says the object's number.\n\n"
        "    >>> FuseWriter().add('gmail.com', {'org': 'Google'})\n"
        "    0\n"),
    METHOD("add_keys", writer_add_keys, FAST,
        "add_keys($self, /, keys, obj_id)\n--\n\n"
        "Points many keys at one object.\n\n"
        "    >>> writer = FuseWriter()\n"
        "    >>> writer.add_keys(['8.8.8.8', '8.8.4.4'], writer.add_object({'org': 'Google'}))\n"),
    METHOD("add_many", writer_add_many, FAST,
        "add_many($self, /, items)\n--\n\n"
        "Adds (key, object) pairs, or a dict of them, and says how many there were.\n\n"
        "    >>> FuseWriter().add_many({'a': 1, 'b': 2})\n"
        "    2\n"),
    METHOD("add_arrow", writer_add_arrow, FAST,
        "add_arrow($self, /, rows, key, *, shard=None, others=False)\n--\n\n"
        "Adds rows of Arrow data, as of pyarrow, polars or DuckDB, and says how many: the column `key` has the keys, and the\n"
        "other columns become the members of a map, without those that are null. No row becomes an object of Python. With\n"
        "shard=(number, count), only rows are added whose key belongs to that shard of so many; with others=True too, only those\n"
        "of all other shards. Rows before one that cannot be added were added.\n\n"
        "    >>> import pyarrow\n"
        "    >>> table = pyarrow.table({'ip': ['8.8.8.8', '9.9.9.9'], 'org': ['Google', None], 'asn': [15169, 19281]})\n"
        "    >>> FuseWriter().add_arrow(table, 'ip')\n"
        "    2\n"),
    METHOD("add_raw", writer_add_raw, FAST,
        "add_raw($self, /, data)\n--\n\n"
        "Adds an object that is MessagePack already, and says its number.\n\n"
        "    >>> FuseWriter().add_raw(b'\\x81\\xa1a\\x01')\n"
        "    0\n"),
    METHOD("add_json", writer_add_json, FAST,
        "add_json($self, /, text)\n--\n\n"
        "Adds an object that is JSON, and says its number.\n\n"
        "    >>> FuseWriter().add_json('{\"a\": 1}')\n"
        "    0\n"),
    METHOD("build", writer_build, FAST,
        "build($self, /, path, *, progress=None)\n--\n\n"
        "Writes the file, which appears complete or not at all. The writer may go on and build again. `progress` is called\n"
        "with the share that is done, now and then; what it raises ends the build, and the writer.\n\n"
        "    >>> writer = FuseWriter()\n"
        "    >>> writer.add('a', 1)\n"
        "    0\n"
        "    >>> writer.build('new.fsdb')\n"),
    METHOD("build_shard", writer_build_shard, FAST,
        "build_shard($self, /, folder, number, count, *, progress=None)\n--\n\n"
        "Writes what was added as one shard of a set, into a folder that is made where it is missing, and returns what\n"
        "publish_set() needs to know of it: a text. It belongs to no set until then. All keys must belong to the shard:\n"
        "shard_of() says to which they do. order='key' and shared=True make the same file of the same keys.\n\n"
        "    >>> writer = FuseWriter(shared=True, order='key')\n"
        "    >>> number = writer.add('8.8.8.8', 1)\n"
        "    >>> writer.build_shard('another-set', shard_of('8.8.8.8', 64), 64)[:29]\n"
        "    '{\"name\":\"part-00019-of-00064-'\n"),
    {NULL}};

bool writer_types(PyObject *module) {
  static PyType_Slot slots[] = {
      {Py_tp_doc, (void *)writer_text}, {Py_tp_init, writer_init},         {Py_tp_dealloc, writer_free},
      {Py_tp_traverse, writer_traverse}, {Py_tp_clear, writer_clear},      {Py_tp_repr, writer_repr},
      {Py_tp_members, writer_members},  {Py_tp_getset, writer_properties}, {Py_tp_methods, writer_methods},
      {Py_tp_new, PyType_GenericNew},   {0, NULL}};
  static PyType_Spec spec = {
      "fusedb_swift.FuseWriter", sizeof(Writer), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
  writer_type = type_make(module, &spec, NULL);
  return writer_type != NULL;
}
