/* A file that is open, and views of its bytes. */
#include "common.h"

PyTypeObject *snapshot_type, *view_type;

/* ---- opening ---- */

static const char *const verify_words[] = {"reading", "whole", "never", NULL};
static const char *const memory_words[] = {"mapped", "copied", NULL};
static const char *const advice_words[] = {"normal", "random", NULL};
static const char *const prefault_words[] = {"none", "background", "open", NULL};

bool access_read(PyObject *const *values, Access *access) {
  access->options = fuse_open_options_default();
  int32_t verify = 1;
  if (values[0] != NULL && PyUnicode_Check(values[0])) {
    if (!argument_word(values[0], "verify", verify_words, &verify)) return false;
  } else if (values[0] != NULL) {
    int truth = PyObject_IsTrue(values[0]);
    if (truth < 0) return false;
    verify = truth;
  }
  access->whole = verify == 1;
  access->options.checksums = verify == 2 ? FUSE_CHECKSUMS_SKIPPED : FUSE_CHECKSUMS_VERIFIED;
  return argument_word(values[1], "memory", memory_words, &access->options.memory) &&
      argument_word(values[2], "advice", advice_words, &access->options.advice) &&
      argument_word(values[3], "prefault", prefault_words, &access->options.prefault) &&
      argument_flag(values[4], &access->options.locked);
}

Snapshot *snapshot_make(fuse_reader *reader, PyObject *path, PyObject *arguments) {
  Snapshot *snapshot = PyObject_New(Snapshot, snapshot_type);
  if (snapshot == NULL) {
    fuse_reader_close(reader);
    return NULL;
  }
  snapshot->reader = reader;
  snapshot->path = Py_XNewRef(path);
  snapshot->arguments = Py_XNewRef(arguments);
  snapshot->bytes = NULL;
  return snapshot;
}

Snapshot *snapshot_open(PyObject *path, const Access *access, PyObject *arguments) {
  PyObject *bytes;
  if (!path_read(path, &bytes)) return NULL;
  fuse_span span = bytes_span(bytes);
  fuse_reader *reader = NULL;
  fuse_error *error = NULL;
  LongCall call;
  long_call_begin(&call, NULL);
  fuse_status status = fuse_reader_open(span.data, span.size, &access->options, &call.call, &reader, &error);
  bool goes_on = long_call_end(&call);
  PyObject *text = PyUnicode_DecodeFSDefaultAndSize(span.data, (Py_ssize_t)span.size);
  Py_DECREF(bytes);
  Snapshot *snapshot = NULL;
  if (status != FUSE_OK || !goes_on || text == NULL) {
    fuse_reader_close(reader);
    raise_error(status, error);
  } else {
    snapshot = snapshot_make(reader, text, arguments);
  }
  Py_XDECREF(text);
  if (snapshot != NULL && access->whole && !snapshot_compare(snapshot)) {
    snapshot_drop(snapshot);
    return NULL;
  }
  return snapshot;
}

Snapshot *snapshot_open_bytes(PyObject *bytes, const Access *access, PyObject *arguments) {
  fuse_span span = bytes_span(bytes);
  fuse_reader *reader = NULL;
  fuse_error *error = NULL;
  LongCall call;
  long_call_begin(&call, NULL);
  fuse_status status = fuse_reader_open_bytes(span.data, span.size, &access->options, &call.call, &reader, &error);
  bool goes_on = long_call_end(&call);
  if (status != FUSE_OK || !goes_on) {
    fuse_reader_close(reader);
    return raise_error(status, error);
  }
  PyObject *text = PyUnicode_FromString("<bytes>");
  Snapshot *snapshot = text == NULL ? NULL : snapshot_make(reader, text, arguments);
  Py_XDECREF(text);
  if (snapshot != NULL) snapshot->bytes = Py_NewRef(bytes);
  if (snapshot != NULL && access->whole && !snapshot_compare(snapshot)) {
    snapshot_drop(snapshot);
    return NULL;
  }
  return snapshot;
}

/* Keeps the first damage, and looks no further. */
typedef struct FirstDamage {
  LongCall call;
  PyObject *damage;
} FirstDamage;

static int keep_damage(void *context, const fuse_damage *damage) {
  FirstDamage *first = context;
  long_call_enter(&first->call);
  if (first->damage == NULL)
    first->damage = Py_BuildValue("(sKs)", damage->kind, (unsigned long long)damage->offset, damage->message);
  long_call_leave(&first->call);
  return 1;
}

bool snapshot_compare(Snapshot *snapshot) {
  fuse_reader_info info = fuse_reader_info_empty();
  if (fuse_reader_get_info(snapshot->reader, &info, NULL) == FUSE_OK && info.is_plain &&
      info.checksums == FUSE_CHECKSUMS_VERIFIED)
    return true;
  FirstDamage first;
  first.damage = NULL;
  fuse_verify_options options = fuse_verify_options_default();
  options.level = FUSE_LEVEL_CHECKSUMS;
  options.on_damage = keep_damage;
  options.context = &first;
  fuse_error *error = NULL;
  long_call_begin(&first.call, NULL);
  fuse_status status = fuse_reader_verify(snapshot->reader, &options, &first.call.call, NULL, &error);
  bool goes_on = long_call_end(&first.call);
  if (goes_on && first.damage != NULL) {
    raise_damage(first.damage, snapshot->path);
    fuse_error_free(error);
  } else if (status != FUSE_OK || !goes_on) {
    raise_error(status, error);
  }
  Py_XDECREF(first.damage);
  return !PyErr_Occurred();
}

bool snapshot_check(Snapshot *snapshot) {
  fuse_error *error = NULL;
  fuse_status status = fuse_reader_check(snapshot->reader, &error);
  if (!UNLIKELY(status != FUSE_OK)) return true;
  raise_error(status, error);
  return false;
}

static void snapshot_free(PyObject *self) {
  Snapshot *snapshot = (Snapshot *)self;
  PyTypeObject *type = Py_TYPE(self);
  fuse_reader_close(snapshot->reader);
  Py_XDECREF(snapshot->path);
  Py_XDECREF(snapshot->arguments);
  Py_XDECREF(snapshot->bytes);
  PyObject_Free(self);
  Py_DECREF(type);
}

/* ---- views: what a memoryview is made of ---- */

typedef struct View {
  PyObject_HEAD
  Snapshot *snapshot;
  fuse_span span;
} View;

PyObject *snapshot_view(Snapshot *snapshot, fuse_span span) {
  View *view = PyObject_New(View, view_type);
  if (view == NULL) return NULL;
  view->snapshot = snapshot_keep(snapshot);
  view->span = span;
  PyObject *memory = PyMemoryView_FromObject((PyObject *)view);
  Py_DECREF(view);
  return memory;
}

static int view_buffer(PyObject *self, Py_buffer *buffer, int flags) {
  View *view = (View *)self;
  return PyBuffer_FillInfo(buffer, self, (void *)view->span.data, (Py_ssize_t)view->span.size, 1, flags);
}

static void view_free(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  snapshot_drop(((View *)self)->snapshot);
  PyObject_Free(self);
  Py_DECREF(type);
}

bool snapshot_types(void) {
  static PyType_Slot snapshot_slots[] = {{Py_tp_dealloc, snapshot_free}, {0, NULL}};
  static PyType_Spec snapshot_spec = {
      "fusedb_swift._fusedb.Snapshot", sizeof(Snapshot), 0,
      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, snapshot_slots};
  static PyType_Slot view_slots[] = {{Py_tp_dealloc, view_free}, {Py_bf_getbuffer, view_buffer}, {0, NULL}};
  static PyType_Spec view_spec = {
      "fusedb_swift._fusedb.View", sizeof(View), 0,
      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, view_slots};
  snapshot_type = type_make(NULL, &snapshot_spec, NULL);
  view_type = type_make(NULL, &view_spec, NULL);
  return snapshot_type != NULL && view_type != NULL;
}
