/* From statuses of the library to exceptions, and long calls that signals end. */
#include "common.h"

#include <time.h>

/* Looks for signals, and tells of progress, at most this often. */
static const int64_t nanoseconds_between = 10 * 1000 * 1000;

PyObject *package_call(const char *module, const char *function, const char *format, ...) {
  PyObject *name = PyUnicode_FromFormat("fusedb_swift.%s", module);
  PyObject *loaded = name == NULL ? NULL : PyImport_Import(name);
  PyObject *callable = loaded == NULL ? NULL : PyObject_GetAttrString(loaded, function);
  Py_XDECREF(name);
  Py_XDECREF(loaded);
  if (callable == NULL) return NULL;
  va_list list;
  va_start(list, format);
  PyObject *arguments = Py_VaBuildValue(format, list);
  va_end(list);
  PyObject *result = arguments == NULL ? NULL : PyObject_CallObject(callable, arguments);
  Py_XDECREF(arguments);
  Py_DECREF(callable);
  return result;
}

static void raise_instance(PyObject *exception) {
  if (exception == NULL) return;
  PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
  Py_DECREF(exception);
}

static PyObject *text_or_none(const char *text) {
  if (text == NULL) Py_RETURN_NONE;
  return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "surrogateescape");
}

PyObject *error_exception(fuse_status status, const fuse_error *error) {
  const char *message = error == NULL ? fuse_status_name(status) : fuse_error_message(error);
  uint64_t offset = 0;
  PyObject *place = fuse_error_offset(error, &offset) ? PyLong_FromUnsignedLongLong(offset) : Py_NewRef(Py_None);
  return package_call(
      "_errors", "make", "(isNNNi)", (int)status, message, place, text_or_none(fuse_error_path(error)),
      text_or_none(fuse_error_coding_path(error)), fuse_error_errno(error));
}

void *raise_error(fuse_status status, fuse_error *error) {
  if (!PyErr_Occurred()) raise_instance(error_exception(status, error));
  fuse_error_free(error);
  return NULL;
}

void raise_damage(PyObject *damage, PyObject *path) {
  raise_instance(package_call("_errors", "make_of_damage", "(OO)", damage, path == NULL ? Py_None : path));
}

void *raise_value(const char *message, size_t offset) {
  /* What Python said of the value itself is the same in other words; a lack of memory is not. */
  if (PyErr_Occurred()) {
    if (!PyErr_ExceptionMatches(PyExc_ValueError) && !PyErr_ExceptionMatches(PyExc_TypeError)) return NULL;
    PyErr_Clear();
  }
  raise_instance(package_call("_errors", "make_of_value", "(sn)", message, (Py_ssize_t)offset));
  return NULL;
}

/* ---- long calls ---- */

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void long_call_enter(LongCall *call) { PyEval_RestoreThread(call->thread); }

void long_call_leave(LongCall *call) { call->thread = PyEval_SaveThread(); }

static int progress(void *context, double share) {
  LongCall *call = context;
  int64_t time = now();
  if (time - call->last < nanoseconds_between && share < 1) return 0;
  call->last = time;
  long_call_enter(call);
  PyObject *result = PyErr_Occurred() ? NULL : PyObject_CallFunction(call->progress, "d", share);
  Py_XDECREF(result);
  long_call_leave(call);
  return result == NULL;
}

static int look_for_signals(void *context) {
  LongCall *call = context;
  int64_t time = now();
  if (time - call->looked < nanoseconds_between) return 0;
  call->looked = time;
  long_call_enter(call);
  bool ends = PyErr_Occurred() || PyErr_CheckSignals() != 0;
  long_call_leave(call);
  return ends;
}

void long_call_begin(LongCall *call, PyObject *callback) {
  call->call = fuse_call_default();
  call->call.poll = look_for_signals;
  call->call.context = call;
  call->progress = callback == Py_None ? NULL : callback;
  if (call->progress != NULL) call->call.progress = progress;
  call->last = 0;
  call->looked = now();
  long_call_leave(call);
}

bool long_call_end(LongCall *call) {
  long_call_enter(call);
  return !PyErr_Occurred() && PyErr_CheckSignals() == 0;
}
