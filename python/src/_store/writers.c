/* A writer, and the module. */
#include "common.h"

PyTypeObject *writer_type;

typedef struct WriterObject {
  PyObject_HEAD
  fuse_store_writer *writer;
  /* Whether a thread is in a call with it: others may not be, then. */
  bool is_used;
} WriterObject;

static void writer_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  fuse_store_writer_close(((WriterObject *)self)->writer);
  PyObject_Free(self);
  Py_DECREF(type);
}

PyObject *writer_open(PyObject *self, PyObject *ignored) {
  (void)ignored;
  fuse_store_writer *writer = NULL;
  fuse_store_error *error = NULL;
  fuse_status status = fuse_store_writer_open(((StoreObject *)self)->store, &writer, &error);
  if (status != FUSE_OK) return raise_error(status, error);
  WriterObject *made = PyObject_New(WriterObject, writer_type);
  if (made == NULL) {
    fuse_store_writer_close(writer);
    return NULL;
  }
  made->writer = writer;
  made->is_used = false;
  return (PyObject *)made;
}

/* Begins a call, unless another thread is in one. */
static bool use(PyObject *self, Call *call, PyObject *progress) {
  WriterObject *writer = (WriterObject *)self;
  if (writer->is_used) {
    PyErr_SetString(PyExc_RuntimeError, "another thread uses this writer; give each thread one of its own");
    return false;
  }
  writer->is_used = true;
  call_begin(call, progress);
  return true;
}

static bool used(PyObject *self, Call *call) {
  bool done = call_end(call);
  ((WriterObject *)self)->is_used = false;
  return done;
}

#define WRITER(self) ((WriterObject *)self)->writer

static PyObject *put_done(PyObject *self, Call *call, fuse_status status, fuse_store_put_report *report, fuse_store_error *error) {
  return used(self, call) && status == FUSE_OK ? put_report(report) : raise_error(status, error);
}

static PyObject *writer_put(PyObject *self, PyObject *arguments) {
  Py_buffer data;
  PyObject *tuple, *result = NULL;
  if (!PyArg_ParseTuple(arguments, "y*O!", &data, &PyTuple_Type, &tuple)) return NULL;
  fuse_store_put_options options;
  Call call;
  if (put_options_read(tuple, &options) && use(self, &call, Py_None)) {
    fuse_store_put_report report = fuse_store_put_report_empty();
    fuse_store_error *error = NULL;
    fuse_status status = fuse_store_writer_put(WRITER(self), data.buf, (size_t)data.len, &options, &report, &error);
    result = put_done(self, &call, status, &report, error);
  }
  PyBuffer_Release(&data);
  return result;
}

typedef fuse_status (*PutPath)(
    fuse_store_writer *, const char *, size_t, const fuse_store_put_options *, const fuse_store_call *, fuse_store_put_report *,
    fuse_store_error **);

static PyObject *put_path(PyObject *self, PyObject *arguments, PutPath put) {
  const char *path;
  Py_ssize_t size;
  PyObject *tuple, *progress;
  fuse_store_put_options options;
  Call call;
  if (!PyArg_ParseTuple(arguments, "y#O!O", &path, &size, &PyTuple_Type, &tuple, &progress) ||
      !put_options_read(tuple, &options) || !use(self, &call, progress))
    return NULL;
  fuse_store_put_report report = fuse_store_put_report_empty();
  fuse_store_error *error = NULL;
  fuse_status status = put(WRITER(self), path, (size_t)size, &options, &call.call, &report, &error);
  return put_done(self, &call, status, &report, error);
}

static PyObject *writer_put_file(PyObject *self, PyObject *arguments) {
  return put_path(self, arguments, fuse_store_writer_put_file);
}

static PyObject *writer_put_folder(PyObject *self, PyObject *arguments) {
  return put_path(self, arguments, fuse_store_writer_put_folder);
}

static PyObject *writer_put_stream(PyObject *self, PyObject *arguments) {
  PyObject *read, *tuple, *progress;
  fuse_store_put_options options;
  Call call;
  if (!PyArg_ParseTuple(arguments, "OO!O", &read, &PyTuple_Type, &tuple, &progress) || !put_options_read(tuple, &options) ||
      !use(self, &call, progress))
    return NULL;
  fuse_store_put_report report = fuse_store_put_report_empty();
  fuse_store_error *error = NULL;
  Reading reading = {&call, read};
  fuse_status status = fuse_store_writer_put_stream(WRITER(self), reading_next, &reading, &options, &call.call, &report, &error);
  return put_done(self, &call, status, &report, error);
}

static PyObject *done(PyObject *self, Call *call, fuse_status status, fuse_store_error *error) {
  return used(self, call) && status == FUSE_OK ? Py_NewRef(Py_None) : raise_error(status, error);
}

static PyObject *writer_set_name(PyObject *self, PyObject *arguments) {
  const char *name, *text;
  Py_ssize_t name_size, size;
  fuse_store_id id;
  Call call;
  if (!PyArg_ParseTuple(arguments, "y#s#", &name, &name_size, &text, &size) || !id_read(text, size, &id) ||
      !use(self, &call, Py_None))
    return NULL;
  fuse_store_error *error = NULL;
  fuse_status status = fuse_store_writer_set_name(WRITER(self), name, (size_t)name_size, &id, &error);
  return done(self, &call, status, error);
}

static PyObject *writer_remove_name(PyObject *self, PyObject *arguments) {
  const char *name;
  Py_ssize_t size;
  Call call;
  if (!PyArg_ParseTuple(arguments, "y#", &name, &size) || !use(self, &call, Py_None)) return NULL;
  fuse_store_error *error = NULL;
  fuse_status status = fuse_store_writer_remove_name(WRITER(self), name, (size_t)size, &error);
  return done(self, &call, status, error);
}

static PyObject *writer_commit(PyObject *self, PyObject *ignored) {
  (void)ignored;
  Call call;
  if (!use(self, &call, Py_None)) return NULL;
  fuse_store_error *error = NULL;
  fuse_status status = fuse_store_writer_commit(WRITER(self), &error);
  return done(self, &call, status, error);
}

bool writer_types(PyObject *module) {
  static PyMethodDef methods[] = {
      METHOD("put", writer_put, "Puts bytes."),
      METHOD("put_file", writer_put_file, "Puts a file."),
      METHOD("put_folder", writer_put_folder, "Puts the files of a folder."),
      METHOD("put_stream", writer_put_stream, "Puts what a function reads."),
      METHOD("set_name", writer_set_name, "Has a name lead to an object."),
      METHOD("remove_name", writer_remove_name, "Takes a name away."),
      {"commit", writer_commit, METH_NOARGS, PyDoc_STR("Makes all of it last.")},
      {NULL, NULL, 0, NULL}};
  static PyType_Slot slots[] = {{Py_tp_dealloc, writer_dealloc}, {Py_tp_methods, methods}, {0, NULL}};
  static PyType_Spec spec = {
      "fusedb_swift._store.WriterHandle", sizeof(WriterObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
  writer_type = (PyTypeObject *)PyType_FromSpec(&spec);
  return writer_type != NULL && PyModule_AddObjectRef(module, "WriterHandle", (PyObject *)writer_type) == 0;
}

static int execute(PyObject *module) {
  /* As _fusedb, which is imported first. */
  static int64_t owner = -1;
  int64_t interpreter = PyInterpreterState_GetID(PyInterpreterState_Get());
  if (owner >= 0 && owner != interpreter) {
    PyErr_SetString(PyExc_ImportError, "fusedb_swift.store can be imported by one interpreter of a process");
    return -1;
  }
  owner = interpreter;
  return calls_begin(module) && store_types(module) && writer_types(module) ? 0 : -1;
}

PyMODINIT_FUNC PyInit__store(void) {
  static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, {0, NULL}};
  static PyModuleDef definition = {
      PyModuleDef_HEAD_INIT, "_store", "Calls libfusedb-store.", 0, store_functions, slots, NULL, NULL, NULL};
  return PyModuleDef_Init(&definition);
}
