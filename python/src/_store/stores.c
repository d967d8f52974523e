/* A store: what its class in Python calls. */
#include "common.h"

PyTypeObject *store_type;

static fuse_store *store_of(PyObject *self) { return ((StoreObject *)self)->store; }

static void store_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  fuse_store_close(store_of(self));
  PyObject_Free(self);
  Py_DECREF(type);
}

static PyObject *store_made(fuse_status status, fuse_store *store, fuse_store_error *error) {
  if (status != FUSE_OK) return raise_error(status, error);
  StoreObject *made = PyObject_New(StoreObject, store_type);
  if (made == NULL) fuse_store_close(store);
  else made->store = store;
  return (PyObject *)made;
}

static PyObject *store_open(PyObject *module, PyObject *arguments) {
  (void)module;
  const char *path;
  Py_ssize_t size;
  if (!PyArg_ParseTuple(arguments, "y#", &path, &size)) return NULL;
  fuse_store *store = NULL;
  fuse_store_error *error = NULL;
  Call call;
  call_begin(&call, Py_None);
  fuse_status status = fuse_store_open(path, (size_t)size, &store, &error);
  call_enter(&call);
  return store_made(status, store, error);
}

static PyObject *store_create(PyObject *module, PyObject *arguments) {
  (void)module;
  const char *path, *chunking, *compression;
  Py_ssize_t size, chunking_size, compression_size;
  unsigned long long pack_size;
  if (!PyArg_ParseTuple(arguments, "z#z#z#K", &path, &size, &chunking, &chunking_size, &compression, &compression_size, &pack_size))
    return NULL;
  fuse_store_options options = fuse_store_options_default();
  options.chunking = (fuse_span){chunking, (size_t)chunking_size};
  options.compression = (fuse_span){compression, (size_t)compression_size};
  options.pack_byte_count = pack_size;
  fuse_store *store = NULL;
  fuse_store_error *error = NULL;
  Call call;
  call_begin(&call, Py_None);
  fuse_status status = path == NULL ? fuse_store_create_in_memory(&options, &store, &error)
                                    : fuse_store_create(path, (size_t)size, &options, &store, &error);
  call_enter(&call);
  return store_made(status, store, error);
}

/* ---- putting ---- */

static PyObject *put_done(Call *call, fuse_status status, fuse_store_put_report *report, fuse_store_error *error) {
  return call_end(call) && status == FUSE_OK ? put_report(report) : raise_error(status, error);
}

static PyObject *store_put(PyObject *self, PyObject *arguments) {
  Py_buffer data;
  PyObject *tuple;
  if (!PyArg_ParseTuple(arguments, "y*O!", &data, &PyTuple_Type, &tuple)) return NULL;
  fuse_store_put_options options;
  PyObject *result = NULL;
  if (put_options_read(tuple, &options)) {
    fuse_store_put_report report = fuse_store_put_report_empty();
    fuse_store_error *error = NULL;
    Call call;
    call_begin(&call, Py_None);
    fuse_status status = fuse_store_put(store_of(self), data.buf, (size_t)data.len, &options, &report, &error);
    result = put_done(&call, status, &report, error);
  }
  PyBuffer_Release(&data);
  return result;
}

static PyObject *store_put_file(PyObject *self, PyObject *arguments) {
  const char *path;
  Py_ssize_t size;
  PyObject *tuple, *progress;
  fuse_store_put_options options;
  if (!PyArg_ParseTuple(arguments, "y#O!O", &path, &size, &PyTuple_Type, &tuple, &progress) || !put_options_read(tuple, &options))
    return NULL;
  fuse_store_put_report report = fuse_store_put_report_empty();
  fuse_store_error *error = NULL;
  Call call;
  call_begin(&call, progress);
  fuse_status status = fuse_store_put_file(store_of(self), path, (size_t)size, &options, &call.call, &report, &error);
  return put_done(&call, status, &report, error);
}

static PyObject *store_put_stream(PyObject *self, PyObject *arguments) {
  PyObject *read, *tuple, *progress;
  fuse_store_put_options options;
  if (!PyArg_ParseTuple(arguments, "OO!O", &read, &PyTuple_Type, &tuple, &progress) || !put_options_read(tuple, &options))
    return NULL;
  fuse_store_put_report report = fuse_store_put_report_empty();
  fuse_store_error *error = NULL;
  Call call;
  Reading reading = {&call, read};
  call_begin(&call, progress);
  fuse_status status = fuse_store_put_stream(store_of(self), reading_next, &reading, &options, &call.call, &report, &error);
  return put_done(&call, status, &report, error);
}

/* ---- getting ---- */

static PyObject *store_get(PyObject *self, PyObject *arguments) {
  const char *text;
  Py_ssize_t size;
  unsigned long long offset, count;
  fuse_store_id id;
  if (!PyArg_ParseTuple(arguments, "s#KK", &text, &size, &offset, &count) || !id_read(text, size, &id)) return NULL;
  fuse_buffer bytes = FUSE_BUFFER_EMPTY;
  fuse_store_error *error = NULL;
  Call call;
  call_begin(&call, Py_None);
  fuse_status status = fuse_store_get(store_of(self), &id, offset, count, &bytes, &error);
  PyObject *result = !call_end(&call) || status < 0 ? raise_error(status, error)
      : status == FUSE_NONE ? Py_NewRef(Py_None) : PyBytes_FromStringAndSize((const char *)bytes.data, (Py_ssize_t)bytes.size);
  fuse_store_buffer_free(&bytes);
  return result;
}

typedef struct Writing {
  Call *call;
  PyObject *method;
} Writing;

static int write_piece(void *context, const void *data, size_t size) {
  Writing *writing = context;
  call_enter(writing->call);
  PyObject *result = PyErr_Occurred() ? NULL : PyObject_CallFunction(writing->method, "y#", data, (Py_ssize_t)size);
  Py_XDECREF(result);
  call_leave(writing->call);
  return result == NULL;
}

/* True, or False where there is no such object. */
static PyObject *found(Call *call, fuse_status status, fuse_store_error *error) {
  return call_end(call) && status >= 0 ? PyBool_FromLong(status == FUSE_OK) : raise_error(status, error);
}

static PyObject *store_write(PyObject *self, PyObject *arguments) {
  const char *text;
  Py_ssize_t size;
  PyObject *method, *progress;
  fuse_store_id id;
  if (!PyArg_ParseTuple(arguments, "s#OO", &text, &size, &method, &progress) || !id_read(text, size, &id)) return NULL;
  fuse_store_error *error = NULL;
  Call call;
  Writing writing = {&call, method};
  call_begin(&call, progress);
  fuse_status status = fuse_store_write(store_of(self), &id, write_piece, &writing, &call.call, &error);
  return found(&call, status, error);
}

static PyObject *store_write_file(PyObject *self, PyObject *arguments) {
  const char *text, *path;
  Py_ssize_t size, path_size;
  PyObject *progress;
  fuse_store_id id;
  if (!PyArg_ParseTuple(arguments, "s#y#O", &text, &size, &path, &path_size, &progress) || !id_read(text, size, &id)) return NULL;
  fuse_store_error *error = NULL;
  Call call;
  call_begin(&call, progress);
  fuse_status status = fuse_store_write_file(store_of(self), &id, path, (size_t)path_size, &call.call, &error);
  return found(&call, status, error);
}

static PyObject *store_contains(PyObject *self, PyObject *arguments) {
  const char *text;
  Py_ssize_t size;
  fuse_store_id id;
  if (!PyArg_ParseTuple(arguments, "s#", &text, &size) || !id_read(text, size, &id)) return NULL;
  fuse_store_error *error = NULL;
  Call call;
  call_begin(&call, Py_None);
  fuse_status status = fuse_store_contains(store_of(self), &id, &error);
  return found(&call, status, error);
}

static PyObject *store_size(PyObject *self, PyObject *arguments) {
  const char *text;
  Py_ssize_t size;
  fuse_store_id id;
  if (!PyArg_ParseTuple(arguments, "s#", &text, &size) || !id_read(text, size, &id)) return NULL;
  fuse_store_error *error = NULL;
  uint64_t count = 0;
  Call call;
  call_begin(&call, Py_None);
  fuse_status status = fuse_store_size(store_of(self), &id, &count, &error);
  if (!call_end(&call) || status < 0) return raise_error(status, error);
  return status == FUSE_NONE ? Py_NewRef(Py_None) : PyLong_FromUnsignedLongLong(count);
}

/* ---- names ---- */

static PyObject *store_name_get(PyObject *self, PyObject *arguments) {
  const char *name;
  Py_ssize_t size;
  if (!PyArg_ParseTuple(arguments, "y#", &name, &size)) return NULL;
  fuse_store_error *error = NULL;
  fuse_store_id id;
  bool is_folder = false;
  Call call;
  call_begin(&call, Py_None);
  fuse_status status = fuse_store_name_get(store_of(self), name, (size_t)size, &id, &is_folder, &error);
  if (!call_end(&call) || status < 0) return raise_error(status, error);
  return status == FUSE_NONE ? Py_NewRef(Py_None) : Py_BuildValue("(NN)", id_text(&id), PyBool_FromLong(is_folder));
}

static PyObject *store_name_set(PyObject *self, PyObject *arguments) {
  const char *name, *text;
  Py_ssize_t name_size, size;
  fuse_store_id id;
  if (!PyArg_ParseTuple(arguments, "y#s#", &name, &name_size, &text, &size) || !id_read(text, size, &id)) return NULL;
  fuse_store_error *error = NULL;
  Call call;
  call_begin(&call, Py_None);
  fuse_status status = fuse_store_name_set(store_of(self), name, (size_t)name_size, &id, &error);
  return found(&call, status, error);
}

static PyObject *store_name_remove(PyObject *self, PyObject *arguments) {
  const char *name;
  Py_ssize_t size;
  if (!PyArg_ParseTuple(arguments, "y#", &name, &size)) return NULL;
  fuse_store_error *error = NULL;
  Call call;
  call_begin(&call, Py_None);
  fuse_status status = fuse_store_name_remove(store_of(self), name, (size_t)size, &error);
  return found(&call, status, error);
}

static PyObject *store_remove(PyObject *self, PyObject *arguments) {
  const char *text;
  Py_ssize_t size;
  fuse_store_id id;
  if (!PyArg_ParseTuple(arguments, "s#", &text, &size) || !id_read(text, size, &id)) return NULL;
  fuse_store_error *error = NULL;
  Call call;
  call_begin(&call, Py_None);
  fuse_status status = fuse_store_remove(store_of(self), &id, &error);
  return found(&call, status, error);
}

/* ---- lists ---- */

typedef struct List {
  Call *call;
  PyObject *list;
} List;

static int list_add(List *list, PyObject *item) {
  int result = item == NULL || PyList_Append(list->list, item) != 0;
  Py_XDECREF(item);
  call_leave(list->call);
  return result;
}

static int list_name(void *context, const fuse_store_entry *entry) {
  List *list = context;
  call_enter(list->call);
  return list_add(list, Py_BuildValue(
      "(y#NNKI)", entry->name, (Py_ssize_t)entry->name_size, id_text(&entry->id), PyBool_FromLong(entry->is_folder),
      (unsigned long long)entry->byte_count, (unsigned int)entry->mode));
}

static int list_object(void *context, const fuse_store_entry *entry) {
  List *list = context;
  call_enter(list->call);
  return list_add(list, id_text(&entry->id));
}

static int list_chunk(void *context, const fuse_store_chunk *chunk) {
  List *list = context;
  call_enter(list->call);
  return list_add(list, Py_BuildValue(
      "(NKKssK)", id_text(&chunk->id), (unsigned long long)chunk->byte_count, (unsigned long long)chunk->stored_byte_count,
      chunk->codec, chunk->pack, (unsigned long long)chunk->offset));
}

/* A list of what a function of the library tells. */
#define LISTED(statement) \
  do { \
    fuse_store_error *error = NULL; \
    Call call; \
    List list = {&call, PyList_New(0)}; \
    if (list.list == NULL) return NULL; \
    call_begin(&call, Py_None); \
    fuse_status status = statement; \
    if (call_end(&call) && status == FUSE_OK) return list.list; \
    Py_DECREF(list.list); \
    if (status == FUSE_NONE && !PyErr_Occurred()) return Py_NewRef(Py_None); \
    return raise_error(status, error); \
  } while (0)

static PyObject *store_names(PyObject *self, PyObject *ignored) {
  (void)ignored;
  LISTED(fuse_store_list_names(store_of(self), list_name, &list, &error));
}

static PyObject *store_objects(PyObject *self, PyObject *ignored) {
  (void)ignored;
  LISTED(fuse_store_list_objects(store_of(self), list_object, &list, &error));
}

static PyObject *store_files(PyObject *self, PyObject *arguments) {
  const char *text;
  Py_ssize_t size;
  fuse_store_id id;
  if (!PyArg_ParseTuple(arguments, "s#", &text, &size) || !id_read(text, size, &id)) return NULL;
  LISTED(fuse_store_list_files(store_of(self), &id, list_name, &list, &error));
}

static PyObject *store_chunks(PyObject *self, PyObject *arguments) {
  const char *text;
  Py_ssize_t size;
  fuse_store_id id;
  if (!PyArg_ParseTuple(arguments, "s#", &text, &size) || !id_read(text, size, &id)) return NULL;
  LISTED(fuse_store_list_chunks(store_of(self), &id, list_chunk, &list, &error));
}

/* ---- keeping house ---- */

#define COUNT(report, field) (unsigned long long)(report).field

static PyObject *store_gc(PyObject *self, PyObject *arguments) {
  double least_live;
  int packs_all;
  PyObject *progress;
  if (!PyArg_ParseTuple(arguments, "dpO", &least_live, &packs_all, &progress)) return NULL;
  fuse_store_gc_options options = fuse_store_gc_options_default();
  options.has_least_live = least_live >= 0;
  options.least_live = options.has_least_live ? least_live : 0;
  options.packs_all = packs_all;
  fuse_store_gc_report report = fuse_store_gc_report_empty();
  fuse_store_error *error = NULL;
  Call call;
  call_begin(&call, progress);
  fuse_status status = fuse_store_gc(store_of(self), &options, &call.call, &report, &error);
  if (!call_end(&call) || status != FUSE_OK) return raise_error(status, error);
  return Py_BuildValue(
      "{s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K}", "packed_loose", COUNT(report, packed_loose_count), "live", COUNT(report, live_count),
      "live_bytes", COUNT(report, live_byte_count), "condemned", COUNT(report, condemned_count), "removed",
      COUNT(report, removed_count), "removed_bytes", COUNT(report, removed_byte_count), "waiting",
      COUNT(report, waiting_count), "swept", COUNT(report, swept_count));
}

static PyObject *store_pack_loose(PyObject *self, PyObject *arguments) {
  PyObject *progress;
  if (!PyArg_ParseTuple(arguments, "O", &progress)) return NULL;
  fuse_store_error *error = NULL;
  uint64_t count = 0;
  Call call;
  call_begin(&call, progress);
  fuse_status status = fuse_store_pack_loose(store_of(self), &call.call, &count, &error);
  if (!call_end(&call) || status != FUSE_OK) return raise_error(status, error);
  return PyLong_FromUnsignedLongLong(count);
}

static void list_flaw(void *context, const fuse_store_flaw *flaw) {
  List *list = context;
  call_enter(list->call);
  PyObject *offset = flaw->offset == UINT64_MAX ? Py_NewRef(Py_None) : PyLong_FromUnsignedLongLong(flaw->offset);
  PyObject *id = flaw->is_lost ? id_text(&flaw->id) : Py_NewRef(Py_None);
  if (!PyErr_Occurred()) (void)list_add(list, Py_BuildValue("(sNsN)", flaw->file, offset, flaw->message, id));
  else call_leave(list->call);
}

/* A list of (file, offset, message, lost id). */
static PyObject *store_verify(PyObject *self, PyObject *arguments) {
  int level, repairs;
  PyObject *progress;
  if (!PyArg_ParseTuple(arguments, "ipO", &level, &repairs, &progress)) return NULL;
  fuse_store_error *error = NULL;
  Call call;
  List list = {&call, PyList_New(0)};
  if (list.list == NULL) return NULL;
  call_begin(&call, progress);
  fuse_status status = repairs ? fuse_store_repair(store_of(self), list_flaw, &list, &call.call, &error)
                               : fuse_store_verify(store_of(self), level, list_flaw, &list, &call.call, NULL, &error);
  if (call_end(&call) && (status == FUSE_OK || (status == FUSE_ERROR_CORRUPTED && PyList_Size(list.list) > 0))) {
    fuse_store_error_free(error);
    return list.list;
  }
  Py_DECREF(list.list);
  return raise_error(status, error);
}

static PyObject *store_stats(PyObject *self, PyObject *ignored) {
  (void)ignored;
  fuse_store_stats_report report = fuse_store_stats_report_empty();
  fuse_store_error *error = NULL;
  Call call;
  call_begin(&call, Py_None);
  fuse_status status = fuse_store_stats(store_of(self), &call.call, &report, &error);
  if (!call_end(&call) || status != FUSE_OK) return raise_error(status, error);
  return Py_BuildValue(
      "{s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:d}", "names", COUNT(report, name_count), "kept",
      COUNT(report, kept_count), "chunks", COUNT(report, chunk_count), "recipes", COUNT(report, recipe_count), "loose",
      COUNT(report, loose_count), "packs", COUNT(report, pack_count), "condemned", COUNT(report, condemned_pack_count), "files",
      COUNT(report, file_count), "logical_bytes", COUNT(report, logical_byte_count), "chunk_bytes",
      COUNT(report, chunk_byte_count), "pack_bytes", COUNT(report, pack_byte_count), "index_bytes",
      COUNT(report, index_byte_count), "loose_bytes", COUNT(report, loose_byte_count), "physical_bytes",
      COUNT(report, physical_byte_count), "savings", report.savings);
}

static PyObject *store_copy(PyObject *self, PyObject *arguments) {
  PyObject *other, *progress;
  if (!PyArg_ParseTuple(arguments, "O!O", store_type, &other, &progress)) return NULL;
  fuse_store_error *error = NULL;
  uint64_t count = 0, size = 0;
  Call call;
  call_begin(&call, progress);
  fuse_status status = fuse_store_copy(store_of(self), store_of(other), &call.call, &count, &size, &error);
  if (!call_end(&call) || status != FUSE_OK) return raise_error(status, error);
  return Py_BuildValue("(KK)", (unsigned long long)count, (unsigned long long)size);
}

PyMethodDef store_functions[] = {
    METHOD("open", store_open, "open(path)\n--\n\nOpens the store in a folder."),
    METHOD("create", store_create, "create(path, chunking, compression, pack_size)\n--\n\nMakes a store."),
    {NULL, NULL, 0, NULL}};

bool store_types(PyObject *module) {
  static PyMethodDef methods[] = {
      METHOD("put", store_put, "Puts bytes."),
      METHOD("put_file", store_put_file, "Puts a file."),
      METHOD("put_stream", store_put_stream, "Puts what a function reads."),
      METHOD("get", store_get, "A part of an object, or None."),
      METHOD("write", store_write, "Hands an object to a function."),
      METHOD("write_file", store_write_file, "Writes an object to a file."),
      METHOD("contains", store_contains, "Whether an object is there."),
      METHOD("size", store_size, "How many bytes an object has."),
      METHOD("name_get", store_name_get, "What a name leads to."),
      METHOD("name_set", store_name_set, "Has a name lead to an object."),
      METHOD("name_remove", store_name_remove, "Takes a name away."),
      METHOD("remove", store_remove, "Has an object no longer stay."),
      {"names", store_names, METH_NOARGS, PyDoc_STR("All names.")},
      {"objects", store_objects, METH_NOARGS, PyDoc_STR("All objects that are kept.")},
      METHOD("files", store_files, "The files of a folder."),
      METHOD("chunks", store_chunks, "The chunks of an object."),
      METHOD("gc", store_gc, "Removes what nothing needs."),
      METHOD("pack_loose", store_pack_loose, "Packs loose objects."),
      METHOD("verify", store_verify, "What is damaged."),
      {"stats", store_stats, METH_NOARGS, PyDoc_STR("What the store has.")},
      METHOD("copy", store_copy, "Copies what another store lacks."),
      {"writer", writer_open, METH_NOARGS, PyDoc_STR("Begins to write.")},
      {NULL, NULL, 0, NULL}};
  static PyType_Slot slots[] = {{Py_tp_dealloc, store_dealloc}, {Py_tp_methods, methods}, {0, NULL}};
  static PyType_Spec spec = {
      "fusedb_swift._store.StoreHandle", sizeof(StoreObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
  store_type = (PyTypeObject *)PyType_FromSpec(&spec);
  return store_type != NULL && PyModule_AddObjectRef(module, "StoreHandle", (PyObject *)store_type) == 0;
}
