/* What the files of the extension share. Each section is one file.
 *
 * All of it runs with the interpreter's lock held, except between ALLOW_THREADS and DISALLOW_THREADS. Names that begin
 * with fuse_ are the library's. */
#ifndef FUSEDB_PYTHON_COMMON_H
#define FUSEDB_PYTHON_COMMON_H

/* The one place where Python versions differ. The buffer protocol is in the limited API from 3.11 on; 3.10, and builds
 * without the interpreter's lock, get an extension of their own (setup.py leaves the macro away). The module does not
 * declare that it works without that lock, so such a build takes the lock when it imports it. */
#ifdef FUSEDB_LIMITED_API
#define Py_LIMITED_API 0x030b0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "fusedb.h"

#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define ALLOW_THREADS(state) PyThreadState *state = PyEval_SaveThread()
#define DISALLOW_THREADS(state) PyEval_RestoreThread(state)
#define METHOD(name, function, flags, text) {name, (PyCFunction)(void (*)(void))(function), flags, PyDoc_STR(text)}
/* How methods are called: arguments in a row, then the names of those that were named. */
#define FAST (METH_FASTCALL | METH_KEYWORDS)

/* ---- arguments.c ---- */

#define MOST_ARGUMENTS 24
/* The arguments of a function: the first `positional` may be given by place, `required` must be given. */
typedef struct Signature {
  const char *function;
  int required;
  int positional;
  const char *names[MOST_ARGUMENTS];
} Signature;

/* Puts arguments into `values`, NULL for those that are not given; borrowed. False after raising. */
bool arguments_read(
    const Signature *signature, PyObject *const *arguments, Py_ssize_t count, PyObject *names, PyObject **values);
/* The same of what tp_init and tp_new get. */
bool arguments_read_tuple(const Signature *signature, PyObject *arguments, PyObject *named, PyObject **values);

/* Readers of single arguments; NULL and None leave the default. False after raising. */
bool argument_flag(PyObject *value, bool *flag);
bool argument_size(PyObject *value, const char *name, uint64_t *number);
bool argument_share(PyObject *value, const char *name, double *number, bool *given);
/* One of a few words, whose place in `words` is the number. */
bool argument_word(PyObject *value, const char *name, const char *const *words, int32_t *number);

/* The two parts of a tuple, borrowed. */
bool pair_read(PyObject *pair, const char *what, PyObject **first, PyObject **second);

/* The bytes of a key: text in UTF-8, or any object with bytes. */
typedef struct Key {
  const char *data;
  size_t size;
  /* Owned; NULL where the bytes belong to the argument. */
  PyObject *copy;
} Key;

bool key_read_slowly(PyObject *object, Key *key);
static inline bool key_read(PyObject *object, Key *key) {
  if (PyUnicode_CheckExact(object)) {
    Py_ssize_t size;
    key->data = PyUnicode_AsUTF8AndSize(object, &size);
    key->size = (size_t)size;
    key->copy = NULL;
    if (!UNLIKELY(key->data == NULL)) return true;
  }
  return key_read_slowly(object, key);
}
static inline void key_free(Key *key) { Py_CLEAR(key->copy); }

/* The keys of an iterable, which is kept as a tuple. */
typedef struct Keys {
  PyObject *tuple;
  fuse_span *spans;
  size_t count;
} Keys;
bool keys_read(PyObject *iterable, Keys *keys);
void keys_free(Keys *keys);

/* A path in bytes, by os.fspath. */
bool path_read(PyObject *object, PyObject **bytes);
static inline fuse_span bytes_span(PyObject *bytes) {
  return (fuse_span){PyBytes_AsString(bytes), (size_t)PyBytes_Size(bytes)};
}

/* Paths of an iterable, kept by the list. */
typedef struct Paths {
  PyObject *kept;
  fuse_span *spans;
  size_t count;
} Paths;
bool paths_read(PyObject *const *objects, Py_ssize_t count, Paths *paths);
/* The same of an iterable; nothing for NULL and None. One path is refused: its letters would be taken for paths. */
bool paths_read_list(PyObject *iterable, const char *name, Paths *paths);
void paths_free(Paths *paths);

/* ---- errors.c ---- */

/* Raises what a call said, unless something is raised already, and frees the error. */
void *raise_error(fuse_status status, fuse_error *error);
/* Makes the exception without raising it. */
PyObject *error_exception(fuse_status status, const fuse_error *error);
/* Raises FuseCorruptError for a damage that was found. */
void raise_damage(PyObject *damage, PyObject *path);
/* Raises FuseCorruptError for a value that is no MessagePack. */
void *raise_value(const char *message, size_t offset);
/* Calls a function of a module of the package, as "_errors"; a new reference. */
PyObject *package_call(const char *module, const char *function, const char *format, ...);

/* A long call: without the interpreter's lock, which it takes now and then to look for signals. */
typedef struct LongCall {
  fuse_call call;
  PyThreadState *thread;
  PyObject *progress;
  int64_t last, looked;
} LongCall;
/* Fills in the call and lets other threads run; `progress` is borrowed, and may be NULL or None. */
void long_call_begin(LongCall *call, PyObject *progress);
/* Ends it. False where something was raised meanwhile. */
bool long_call_end(LongCall *call);
/* For callbacks on the thread of a long call: takes the lock, and gives it back. */
void long_call_enter(LongCall *call);
void long_call_leave(LongCall *call);

/* ---- decode.c, encode.c ---- */

/* The Python object of one MessagePack value. NULL after raising. */
PyObject *value_decode(const void *data, size_t size);
/* Text of the file, with U+FFFD for bytes that are none. */
PyObject *text_lossy(fuse_span span);
void decode_clear(void);

/* MessagePack bytes that grow; the first ones stand in place. */
typedef struct Packed {
  uint8_t *data;
  size_t size;
  size_t capacity;
  uint8_t place[512];
} Packed;
bool value_encode(PyObject *object, Packed *packed);
void packed_begin(Packed *packed);
void packed_free(Packed *packed);
/* Parts of a value, one after the other; false after raising. First a tag, and a number of `size` bytes. */
bool packed_put(Packed *packed, uint8_t tag, uint64_t number, int size);
bool packed_bytes(Packed *packed, const void *data, size_t size);
bool packed_unsigned(Packed *packed, uint64_t number);
bool packed_signed(Packed *packed, int64_t number);
bool packed_double(Packed *packed, double number);
bool packed_text(Packed *packed, const void *data, size_t size);
bool packed_binary(Packed *packed, const void *data, size_t size);
bool packed_extension(Packed *packed, int8_t code, const void *data, size_t size);
/* The heads of what has so many parts. */
bool packed_list(Packed *packed, size_t count);
bool packed_map(Packed *packed, size_t count);

/* ---- numbers.c: a set of 64-bit numbers ---- */

typedef struct NumberSet {
  uint64_t *slots;
  size_t capacity;
  size_t count;
} NumberSet;
/* 1 where the number is new, 0 where not, -1 where memory is short. */
int numbers_add(NumberSet *set, uint64_t number);
void numbers_free(NumberSet *set);
uint64_t bytes_hash(const void *data, size_t size);

/* ---- snapshot.c ---- */

/* A file that is open. Readers have one; what is read from it keeps it. */
typedef struct Snapshot {
  PyObject_HEAD
  fuse_reader *reader;
  /* As it was given, as text. */
  PyObject *path;
  /* The arguments that open it again, of `FuseReader`; a tuple. */
  PyObject *arguments;
  /* The bytes that it is a copy of; NULL for a file. */
  PyObject *bytes;
} Snapshot;

static inline Snapshot *snapshot_keep(Snapshot *snapshot) {
  Py_INCREF((PyObject *)snapshot);
  return snapshot;
}
static inline void snapshot_drop(Snapshot *snapshot) { Py_XDECREF((PyObject *)snapshot); }

/* How a file is opened: the arguments of FuseReader that follow the path. */
typedef struct Access {
  fuse_open_options options;
  /* Whether the whole file is compared when it is opened. */
  bool whole;
} Access;
#define ACCESS_NAMES "verify", "memory", "advice", "prefault", "locked"
#define ACCESS_COUNT 5
/* Reads the five arguments with those names. */
bool access_read(PyObject *const *values, Access *access);
Snapshot *snapshot_open(PyObject *path, const Access *access, PyObject *arguments);
Snapshot *snapshot_open_bytes(PyObject *bytes, const Access *access, PyObject *arguments);
/* Takes over a reader of the library. */
Snapshot *snapshot_make(fuse_reader *reader, PyObject *path, PyObject *arguments);
/* Compares the whole file with its checksums. False after raising. */
bool snapshot_compare(Snapshot *snapshot);
/* A memoryview of bytes of the snapshot, which keeps it. */
PyObject *snapshot_view(Snapshot *snapshot, fuse_span span);
/* Raises where the file was cut or overwritten since it was opened. */
bool snapshot_check(Snapshot *snapshot);

/* ---- reader*.c ---- */

/* Each class that looks up begins like this, and shares the functions of its methods. */
typedef struct Reader {
  PyObject_HEAD
  /* NULL until it was opened. Replaced while others read: keep a reference while it is used. */
  Snapshot *snapshot;
  /* Another one of these that answers instead; NULL for none. */
  PyObject *source;
  PyObject *attributes;
  PyObject *weak_references;
} Reader;

/* The snapshot that answers, a new reference; NULL after raising. */
static inline Snapshot *reader_snapshot(PyObject *self) {
  PyObject *source = ((Reader *)self)->source;
  Snapshot *snapshot = ((Reader *)(source == NULL ? self : source))->snapshot;
  if (UNLIKELY(snapshot == NULL)) {
    PyErr_SetString(PyExc_ValueError, "there is no open file: __init__ was not called, or failed");
    return NULL;
  }
  return snapshot_keep(snapshot);
}
int reader_traverse(PyObject *self, visitproc visit, void *arg);
int reader_clear(PyObject *self);
void reader_free(PyObject *self);
extern PyMemberDef reader_members[];
extern PyGetSetDef reader_properties[];
/* Methods by file; each list ends with an empty one. */
extern PyMethodDef lookup_methods[], listing_methods[], match_methods[], about_methods[], column_methods[];
Py_ssize_t reader_length(PyObject *self);
PyObject *reader_item(PyObject *self, PyObject *key);
int reader_contains(PyObject *self, PyObject *key);
PyObject *reader_iterate(PyObject *self);
int reader_true(PyObject *self);
PyObject *reader_metadata(PyObject *self, void *ignored);
PyObject *reader_shards(PyObject *self, void *ignored);
PyObject *verify_path(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names);
/* Has an object answer from a snapshot, which is taken over. */
void reader_put(PyObject *self, Snapshot *snapshot);

/* ---- serving.c, delivery.c ---- */

/* A reader of a file that is replaced: by a watcher or a subscription, or when it is told to. */
typedef struct Serving {
  Reader reader;
  fuse_reloadable *reloadable;
  /* One of these at most is there. */
  fuse_watcher *watcher;
  fuse_subscription *subscription;
  /* The process with the thread of either: a child after fork has none, and cannot wait for it. */
  pid_t process;
  /* Whether that thread runs, and keeps this object. */
  bool watches;
  /* Held while a subscription opens. */
  pthread_mutex_t opening;
  PyObject *on_reload;
  PyObject *on_failure;
} Serving;

/* Takes a snapshot of the newest file. False after raising. */
bool serving_refresh(Serving *serving);
bool serving_is_open(Serving *serving);
/* Keeps two functions, and the object for as long as the thread that calls them runs. */
void serving_begin(Serving *serving, PyObject *on_reload, PyObject *on_failure);
/* Calls one of them on that thread, with the interpreter's lock, which the caller takes by serving_enter and gives back
 * by serving_leave; what it raises is written to standard error. Takes over the argument. */
PyGILState_STATE serving_enter(Serving *serving);
void serving_tell(PyObject *function, PyObject *argument);
void serving_leave(Serving *serving, PyGILState_STATE state);
/* Tells on_failure, in this way. */
void serving_failed(void *context, const fuse_error *reason);
extern PyMethodDef delivery_functions[];

/* ---- writer.c, rows.c ---- */

/* Adds an object of a writer and a key of it. False after raising. */
bool writer_put(PyObject *writer, const Key *key, const Packed *value);
PyObject *writer_add_arrow(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names);

/* ---- sets.c ---- */

extern PyMethodDef set_functions[];
PyObject *serving_subscribe(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names);
PyObject *serving_update(PyObject *self, PyObject *ignored);
PyObject *serving_delivery_counters(PyObject *self, PyObject *ignored);

/* ---- types ---- */

extern PyTypeObject *snapshot_type, *view_type, *answering_type, *reader_type, *serving_type, *scan_type, *differences_type, *writer_type;
/* Tuples with names. */
extern PyTypeObject *match_type, *network_match_type, *difference_type, *damage_type, *verification_type;
bool snapshot_types(void);
bool reader_types(PyObject *module);
bool listing_types(void);
bool match_types(PyObject *module);
bool about_types(PyObject *module);
bool column_types(PyObject *module);
bool serving_types(PyObject *module);
bool writer_types(PyObject *module);
bool tool_types(PyObject *module);
extern PyMethodDef tool_functions[];
PyObject *packed_object(PyObject *module, PyObject *object);
PyObject *unpacked_object(PyObject *module, PyObject *object);
/* A snapshot of a reader of ours, or of the file at a path. A new reference. */
Snapshot *snapshot_of(PyObject *object);
PyObject *diff(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names);
/* Makes a type and, where there is a module, puts it there. */
PyTypeObject *type_make(PyObject *module, PyType_Spec *spec, PyTypeObject *base);
/* A tuple with names, of the values, which are taken over, also where that fails. */
PyObject *named_tuple(PyTypeObject *type, int count, PyObject **values);

/* ---- writer_options.c ---- */

/* The options of writers, as builds and merges take them. */
typedef struct WriterOptions {
  fuse_writer_options options;
  fuse_metadata *metadata;
  PyObject *kept;
} WriterOptions;
#define WRITER_NAMES \
  "shared", "order", "layout", "on_duplicate", "networks", "normalise", "key_lengths", "reverse_index", \
      "masks_host_bits", "metadata", "memory", "temporary_folder", "threads", "least_keys", "greatest_shrink", \
      "output_link", "form"
#define WRITER_COUNT 17
bool writer_options_read(PyObject *const *values, WriterOptions *options);
void writer_options_free(WriterOptions *options);
extern const char *const link_words[];

#endif
