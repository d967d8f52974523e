/* Calls of the library: without the interpreter's lock, ended by signals and by what is raised; errors; arguments. */
#include "common.h"

#include <time.h>

/* How often a long call looks for signals, and tells its progress. */
enum { nanoseconds_between = 50000000 };

static PyObject *make_error;

bool calls_begin(PyObject *module) {
  (void)module;
  PyObject *errors = PyImport_ImportModule("fusedb_swift._errors");
  PyObject *made = errors == NULL ? NULL : PyObject_GetAttrString(errors, "make");
  Py_XDECREF(errors);
  if (made == NULL) return false;
  PyObject *before = make_error;
  make_error = made;
  Py_XDECREF(before);
  return true;
}

PyObject *raise_error(fuse_status status, fuse_store_error *error) {
  if (!PyErr_Occurred()) {
    uint64_t offset = 0;
    PyObject *place = fuse_store_error_offset(error, &offset) ? PyLong_FromUnsignedLongLong(offset) : Py_NewRef(Py_None);
    PyObject *made = place == NULL ? NULL : PyObject_CallFunction(
        make_error, "isOzzi", (int)status, error == NULL ? "memory is short" : fuse_store_error_message(error), place,
        fuse_store_error_path(error), NULL, fuse_store_error_errno(error));
    if (made != NULL) PyErr_SetObject((PyObject *)Py_TYPE(made), made);
    Py_XDECREF(made);
    Py_XDECREF(place);
  }
  fuse_store_error_free(error);
  return NULL;
}

/* ---- without the lock ---- */

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void call_enter(Call *call) { PyEval_RestoreThread(call->thread); }
void call_leave(Call *call) { call->thread = PyEval_SaveThread(); }

static int tell(void *context, double share) {
  Call *call = context;
  int64_t time = now();
  if (time - call->told < nanoseconds_between && share < 1) return 0;
  call->told = time;
  call_enter(call);
  PyObject *result = PyErr_Occurred() ? NULL
      : share < 0 ? PyObject_CallFunction(call->progress, "O", Py_None) : PyObject_CallFunction(call->progress, "d", share);
  Py_XDECREF(result);
  call_leave(call);
  return result == NULL;
}

static int look_for_signals(void *context) {
  Call *call = context;
  int64_t time = now();
  if (time - call->looked < nanoseconds_between) return 0;
  call->looked = time;
  call_enter(call);
  bool ends = PyErr_Occurred() || PyErr_CheckSignals() != 0;
  call_leave(call);
  return ends;
}

void call_begin(Call *call, PyObject *progress) {
  call->call = fuse_store_call_default();
  call->call.poll = look_for_signals;
  call->call.context = call;
  call->progress = progress == Py_None ? NULL : progress;
  if (call->progress != NULL) call->call.progress = tell;
  call->told = 0;
  call->looked = now();
  call_leave(call);
}

bool call_end(Call *call) {
  call_enter(call);
  return !PyErr_Occurred() && PyErr_CheckSignals() == 0;
}

/* ---- arguments ---- */

bool id_read(const char *text, Py_ssize_t size, fuse_store_id *id) {
  if (fuse_store_id_parse(text, (size_t)size, id) == FUSE_OK) return true;
  PyErr_Format(PyExc_ValueError, "'%.80s' is no id: it has 64 hexadecimal digits", text);
  return false;
}

PyObject *id_text(const fuse_store_id *id) {
  char text[FUSE_STORE_ID_TEXT_SIZE];
  fuse_store_id_text(id, text);
  return PyUnicode_FromStringAndSize(text, FUSE_STORE_ID_TEXT_SIZE - 1);
}

bool put_options_read(PyObject *tuple, fuse_store_put_options *options) {
  *options = fuse_store_put_options_default();
  const char *name = NULL, *chunking = NULL, *compression = NULL;
  Py_ssize_t name_size = 0, chunking_size = 0, compression_size = 0;
  int keep = 0, to = 0;
  if (!PyArg_ParseTuple(tuple, "z#z#z#ii", &name, &name_size, &chunking, &chunking_size, &compression, &compression_size,
                        &keep, &to))
    return false;
  options->name = (fuse_span){name, (size_t)name_size};
  options->chunking = (fuse_span){chunking, (size_t)chunking_size};
  options->compression = (fuse_span){compression, (size_t)compression_size};
  options->keep = keep;
  options->to = to;
  return true;
}

PyObject *put_report(const fuse_store_put_report *report) {
  return Py_BuildValue(
      "(NNKK)", id_text(&report->id), PyBool_FromLong(report->is_new), (unsigned long long)report->byte_count,
      (unsigned long long)report->new_byte_count);
}

int64_t reading_next(void *context, void *data, size_t size) {
  Reading *reading = context;
  int64_t count = -1;
  call_enter(reading->call);
  PyObject *piece = PyErr_Occurred() ? NULL : PyObject_CallFunction(reading->method, "n", (Py_ssize_t)size);
  Py_buffer view;
  if (piece != NULL && PyObject_GetBuffer(piece, &view, PyBUF_SIMPLE) == 0) {
    if ((size_t)view.len > size) {
      PyErr_SetString(PyExc_ValueError, "read() gave more bytes than it was asked for");
    } else {
      memcpy(data, view.buf, (size_t)view.len);
      count = view.len;
    }
    PyBuffer_Release(&view);
  }
  Py_XDECREF(piece);
  call_leave(reading->call);
  return count;
}
