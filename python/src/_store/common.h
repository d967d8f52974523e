/* What the files of the extension _store share: it calls libfusedb-store.so, for fusedb_swift.store, which alone imports it.
 *
 * All of it runs with the interpreter's lock held, except between call_begin and call_end. */
#ifndef FUSEDB_PYTHON_STORE_H
#define FUSEDB_PYTHON_STORE_H

/* As in the extension _fusedb. */
#ifdef FUSEDB_LIMITED_API
#define Py_LIMITED_API 0x030b0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "fusedb_store.h"

#define METHOD(name, function, text) {name, function, METH_VARARGS, PyDoc_STR(text)}

/* ---- calls.c ---- */

/* A call that is made without the interpreter's lock. */
typedef struct Call {
  fuse_store_call call;
  PyThreadState *thread;
  PyObject *progress;
  int64_t told, looked;
} Call;
/* Lets go of the lock; `progress` is a callable or None, borrowed. */
void call_begin(Call *call, PyObject *progress);
/* Takes it again; false where something was raised meanwhile. */
bool call_end(Call *call);
void call_enter(Call *call);
void call_leave(Call *call);

/* Raises what the library says, unless something was raised already. Returns NULL. */
PyObject *raise_error(fuse_status status, fuse_store_error *error);
/* Loads the exception's maker. */
bool calls_begin(PyObject *module);

/* ---- arguments ---- */

/* An id, as 64 digits. False after raising. */
bool id_read(const char *text, Py_ssize_t size, fuse_store_id *id);
PyObject *id_text(const fuse_store_id *id);
/* How an object is put: (name, chunking, compression, keep, to), borrowed from a tuple. */
bool put_options_read(PyObject *tuple, fuse_store_put_options *options);
/* (id, is_new, bytes, new_bytes) */
PyObject *put_report(const fuse_store_put_report *report);

/* A stream of Python's, read by the library. */
typedef struct Reading {
  Call *call;
  PyObject *method;
} Reading;
int64_t reading_next(void *context, void *data, size_t size);

/* ---- stores.c, writers.c ---- */

typedef struct StoreObject {
  PyObject_HEAD
  fuse_store *store;
} StoreObject;

extern PyTypeObject *store_type, *writer_type;
bool store_types(PyObject *module);
bool writer_types(PyObject *module);
PyObject *writer_open(PyObject *self, PyObject *arguments);
extern PyMethodDef store_functions[];

#endif
