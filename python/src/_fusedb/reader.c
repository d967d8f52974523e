/* FuseReader: opening, and what all classes that look up have in common. */
#include "common.h"

PyTypeObject *answering_type, *reader_type;

/* ---- life ---- */

int reader_traverse(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(((Reader *)self)->source);
  Py_VISIT(((Reader *)self)->attributes);
  return 0;
}

int reader_clear(PyObject *self) {
  Py_CLEAR(((Reader *)self)->source);
  Py_CLEAR(((Reader *)self)->attributes);
  return 0;
}

void reader_free(PyObject *self) {
  Reader *reader = (Reader *)self;
  PyTypeObject *type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (reader->weak_references != NULL) PyObject_ClearWeakRefs(self);
  Py_CLEAR(reader->attributes);
  Py_CLEAR(reader->source);
  snapshot_drop(reader->snapshot);
  reader->snapshot = NULL;
  freefunc release = PyType_GetSlot(type, Py_tp_free);
  release(self);
  Py_DECREF(type);
}

PyMemberDef reader_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(Reader, attributes), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Reader, weak_references), READONLY, NULL},
    {NULL}};

/* ---- opening ---- */

void reader_put(PyObject *self, Snapshot *snapshot) {
  Snapshot *old = ((Reader *)self)->snapshot;
  ((Reader *)self)->snapshot = snapshot;
  snapshot_drop(old);
}

static bool put_snapshot(PyObject *self, Snapshot *snapshot) {
  if (snapshot != NULL) reader_put(self, snapshot);
  return snapshot != NULL;
}

static PyObject *answer_from(PyObject *self, PyObject *source) {
  int is_one = PyObject_IsInstance(source, (PyObject *)answering_type);
  if (is_one < 0) return NULL;
  if (!is_one || source == self || ((Reader *)source)->source != NULL) {
    PyErr_SetString(PyExc_TypeError, "only a reader that answers by itself can answer for another");
    return NULL;
  }
  PyObject *old = ((Reader *)self)->source;
  ((Reader *)self)->source = Py_NewRef(source);
  Py_XDECREF(old);
  Py_RETURN_NONE;
}

/* The arguments that open a file again: its path from the root, and those that were given, by name. */
static PyObject *arguments_again(PyObject *path, PyObject *const *values) {
  static const char *const names[] = {ACCESS_NAMES};
  PyObject *named = PyDict_New();
  for (int place = 0; named != NULL && place < ACCESS_COUNT; place++)
    if (values[place] != NULL && PyDict_SetItemString(named, names[place], values[place]) != 0) Py_CLEAR(named);
  PyObject *absolute = named == NULL ? NULL : package_call("_values", "absolute", "(O)", path);
  return absolute == NULL ? (Py_XDECREF(named), NULL) : Py_BuildValue("(NN)", absolute, named);
}

static int reader_init(PyObject *self, PyObject *arguments, PyObject *named) {
  static const Signature signature = {"FuseReader", 1, 2, {"path", ACCESS_NAMES}};
  PyObject *values[MOST_ARGUMENTS];
  Access access;
  if (!arguments_read_tuple(&signature, arguments, named, values) || !access_read(values + 1, &access)) return -1;
  PyObject *path = PyOS_FSPath(values[0]);
  PyObject *again = path == NULL ? NULL : arguments_again(path, values + 1);
  bool done = again != NULL && put_snapshot(self, snapshot_open(path, &access, again));
  Py_XDECREF(again);
  Py_XDECREF(path);
  return done ? 0 : -1;
}

static PyObject *make_empty(PyTypeObject *type) {
  allocfunc allocate = PyType_GetSlot(type, Py_tp_alloc);
  return allocate(type, 0);
}

static PyObject *reader_from_bytes(PyObject *type, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"from_bytes", 1, 2, {"data", ACCESS_NAMES}};
  PyObject *values[MOST_ARGUMENTS];
  Access access;
  if (!arguments_read(&signature, arguments, count, names, values) || !access_read(values + 1, &access)) return NULL;
  if (!PyObject_CheckBuffer(values[0])) {
    PyErr_Format(PyExc_TypeError, "data must be bytes, and is %R", (PyObject *)Py_TYPE(values[0]));
    return NULL;
  }
  PyObject *bytes = PyBytes_FromObject(values[0]);
  PyObject *self = bytes == NULL ? NULL : make_empty((PyTypeObject *)type);
  if (self != NULL && !put_snapshot(self, snapshot_open_bytes(bytes, &access, NULL))) Py_CLEAR(self);
  Py_XDECREF(bytes);
  return self;
}

/* ---- copies ---- */

static PyObject *attributes_of(PyObject *self) {
  PyObject *attributes = ((Reader *)self)->attributes;
  return Py_NewRef(attributes == NULL ? Py_None : attributes);
}

static PyObject *reader_reduce(PyObject *self, PyObject *ignored) {
  (void)ignored;
  Snapshot *snapshot = reader_snapshot(self);
  if (snapshot == NULL) return NULL;
  PyObject *result = NULL;
  if (snapshot->bytes != NULL) {
    PyObject *make = PyObject_GetAttrString((PyObject *)Py_TYPE(self), "from_bytes");
    if (make != NULL) result = Py_BuildValue("(N(O)N)", make, snapshot->bytes, attributes_of(self));
  } else if (snapshot->arguments != NULL) {
    PyObject *package = PyImport_ImportModule("fusedb_swift._values");
    PyObject *make = package == NULL ? NULL : PyObject_GetAttrString(package, "reopened");
    Py_XDECREF(package);
    PyObject *path = PyTuple_GetItem(snapshot->arguments, 0), *named = PyTuple_GetItem(snapshot->arguments, 1);
    if (make != NULL) result = Py_BuildValue("(N(OOO)N)", make, (PyObject *)Py_TYPE(self), path, named, attributes_of(self));
  } else {
    PyErr_SetString(PyExc_TypeError, "this reader belongs to another one, which can be pickled instead");
  }
  snapshot_drop(snapshot);
  return result;
}

/* A reader of the same open file. */
static PyObject *reader_copy(PyObject *self, PyObject *ignored) {
  (void)ignored;
  Snapshot *snapshot = reader_snapshot(self);
  if (snapshot == NULL) return NULL;
  PyObject *copy = make_empty(Py_TYPE(self));
  if (copy == NULL) {
    snapshot_drop(snapshot);
    return NULL;
  }
  ((Reader *)copy)->snapshot = snapshot;
  PyObject *attributes = ((Reader *)self)->attributes;
  if (attributes != NULL && (((Reader *)copy)->attributes = PyDict_Copy(attributes)) == NULL) Py_CLEAR(copy);
  return copy;
}

static PyObject *reader_close(PyObject *self, PyObject *ignored) {
  (void)self;
  (void)ignored;
  Py_RETURN_NONE;
}

static PyObject *reader_enter(PyObject *self, PyObject *ignored) {
  (void)ignored;
  return Py_NewRef(self);
}

static PyObject *reader_exit(PyObject *self, PyObject *ignored) {
  (void)ignored;
  return PyObject_CallMethod(self, "close", NULL);
}

static PyObject *reader_repr(PyObject *self) {
  Snapshot *snapshot = ((Reader *)self)->snapshot;
  if (snapshot == NULL) return PyUnicode_FromString("FuseReader(not open)");
  PyObject *statistics = PyObject_CallMethod(self, "stats", NULL);
  PyObject *name = statistics == NULL ? NULL : package_call("_values", "base_name", "(O)", snapshot->path);
  PyObject *result = name == NULL
      ? NULL
      : PyUnicode_FromFormat(
            "FuseReader('%U', keys=%S, objects=%S)", name, PyDict_GetItemString(statistics, "num_keys"),
            PyDict_GetItemString(statistics, "num_objects"));
  Py_XDECREF(name);
  Py_XDECREF(statistics);
  return result;
}

static PyMethodDef life_methods[] = {
    METHOD("close", reader_close, METH_NOARGS,
        "close($self)\n--\n\n"
        "Does nothing: the reader goes on answering. The file is closed with the last reference to the reader.\n\n"
        "    >>> db = FuseReader('geo.fsdb')\n"
        "    >>> db.close()\n"
        "    >>> db.exists('8.8.8.8')\n"
        "    True\n"),
    METHOD("__enter__", reader_enter, METH_NOARGS, "__enter__($self)\n--\n\nReturns the reader."),
    METHOD("__exit__", reader_exit, METH_VARARGS, "__exit__($self, *exception)\n--\n\nCalls close()."),
    METHOD("_answer_from", answer_from, METH_O, "Has another reader answer."),
    {NULL}};

static PyMethodDef reader_methods[] = {
    METHOD("from_bytes", reader_from_bytes, FAST | METH_CLASS,
        "from_bytes($type, data, verify=True, **access)\n--\n\n"
        "Opens a copy of the bytes of a file.\n\n"
        "    >>> from pathlib import Path\n"
        "    >>> FuseReader.from_bytes(Path('geo.fsdb').read_bytes()).get('8.8.8.8')\n"
        "    {'org': 'Google', 'asn': 15169}\n"),
    METHOD("__reduce__", reader_reduce, METH_NOARGS,
        "__reduce__($self)\n--\n\n"
        "Pickles the path and how it is opened; whoever unpickles opens the file that is there then.\n\n"
        "    >>> import pickle\n"
        "    >>> pickle.loads(pickle.dumps(FuseReader('geo.fsdb'))).get('8.8.8.8')\n"
        "    {'org': 'Google', 'asn': 15169}\n"),
    METHOD("__copy__", reader_copy, METH_NOARGS, "__copy__($self)\n--\n\nA reader of the same open file."),
    METHOD("__deepcopy__", reader_copy, METH_O, "__deepcopy__($self, memo)\n--\n\nA reader of the same open file."),
    {NULL}};

static PyObject *reader_path(PyObject *self, void *ignored) {
  (void)ignored;
  Snapshot *snapshot = reader_snapshot(self);
  PyObject *path = snapshot == NULL ? NULL : Py_NewRef(snapshot->path);
  snapshot_drop(snapshot);
  return path;
}

PyGetSetDef reader_properties[] = {
    {"path", reader_path, NULL,
     PyDoc_STR(
         "The path that the file was opened under.\n\n"
         "    >>> FuseReader('geo.fsdb').path\n"
         "    'geo.fsdb'\n"),
     NULL},
    {"metadata", reader_metadata, NULL,
     PyDoc_STR(
         "What the file says about itself: a dict of texts.\n\n"
         "    >>> FuseReader('geo.fsdb').metadata\n"
         "    {'source': 'an example'}\n"),
     NULL},
    {"shards", reader_shards, NULL,
     PyDoc_STR(
         "Of a set of shards, how many there are, and how often the set was published; None for a file.\n\n"
         "    >>> FuseReader('geo.fsdb').shards\n"),
     NULL},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL}};

/* ---- the type ---- */

static const char reader_text[] =
    "FuseReader(path, verify=True, *, memory='mapped', advice='normal', prefault='none', locked=False)\n--\n\n"
    "A file that is open for look-ups. Any number of threads may use one.\n\n"
    "    >>> with FuseReader('geo.fsdb') as db:\n"
    "    ...     db.get('8.8.8.8')\n"
    "    {'org': 'Google', 'asn': 15169}\n\n"
    "verify=True compares the whole file with its checksums first. verify='reading' and False compare each object when\n"
    "it is read, and open in constant time; verify='never' compares nothing.\n";

/* The methods that all classes have, in one list, which the type keeps. */
static PyMethodDef all_methods[64];

static bool gather(PyMethodDef *all, size_t room, PyMethodDef *const *lists) {
  size_t count = 0;
  for (; *lists != NULL; lists++)
    for (PyMethodDef *method = *lists; method->ml_name != NULL && count + 1 < room; method++) all[count++] = *method;
  return count + 1 < room;
}

bool reader_types(PyObject *module) {
  PyMethodDef *const lists[] = {life_methods, lookup_methods, listing_methods, match_methods, about_methods,
                                column_methods, NULL};
  if (!gather(all_methods, sizeof all_methods / sizeof *all_methods, lists)) return false;
  static PyType_Slot answering_slots[] = {
      {Py_tp_doc, "What all classes that look up have in common."},
      {Py_tp_dealloc, reader_free},      {Py_tp_traverse, reader_traverse}, {Py_tp_clear, reader_clear},
      {Py_tp_members, reader_members},   {Py_tp_getset, reader_properties}, {Py_tp_methods, all_methods},
      {Py_tp_new, PyType_GenericNew},    {Py_mp_length, reader_length},     {Py_mp_subscript, reader_item},
      {Py_sq_contains, reader_contains}, {Py_tp_iter, reader_iterate},      {Py_nb_bool, reader_true},
      {0, NULL}};
  static PyType_Spec answering_spec = {
      "fusedb_swift.Answering", sizeof(Reader), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
      answering_slots};
  static PyType_Slot reader_slots[] = {
      {Py_tp_doc, (void *)reader_text},  {Py_tp_init, reader_init},         {Py_tp_repr, reader_repr},
      {Py_tp_methods, reader_methods},   {Py_tp_dealloc, reader_free},      {Py_tp_traverse, reader_traverse},
      {Py_tp_clear, reader_clear},       {0, NULL}};
  static PyType_Spec reader_spec = {
      "fusedb_swift.FuseReader", sizeof(Reader), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
      reader_slots};
  answering_type = type_make(module, &answering_spec, NULL);
  reader_type = answering_type == NULL ? NULL : type_make(module, &reader_spec, answering_type);
  return reader_type != NULL;
}
