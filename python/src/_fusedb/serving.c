/* A file that is replaced while it is read: what ReloadableFuseReader and FuseWatcher stand on.
 *
 * The library keeps the newest file. An object of ours answers from a snapshot of it, and takes a new one in the same
 * breath as it learns of a new file, so that a look-up costs what it costs a FuseReader. */
#include "common.h"

#include <unistd.h>

PyTypeObject *serving_type;

/* Whether this thread is in a callback of a watcher, which cannot be closed there. */
static _Thread_local int callbacks;

bool serving_refresh(Serving *serving) {
  fuse_reader *reader = NULL;
  fuse_buffer path = FUSE_BUFFER_EMPTY;
  fuse_error *error = NULL;
  fuse_status status = fuse_reloadable_path(serving->reloadable, &path, &error);
  if (status == FUSE_OK) status = fuse_reloadable_snapshot(serving->reloadable, &reader, &error);
  Snapshot *snapshot = NULL;
  if (status == FUSE_OK) {
    PyObject *text = PyUnicode_DecodeFSDefaultAndSize((const char *)path.data, (Py_ssize_t)path.size);
    if (text != NULL) snapshot = snapshot_make(reader, text, NULL);
    else fuse_reader_close(reader);
    Py_XDECREF(text);
  } else {
    raise_error(status, error);
  }
  fuse_buffer_free(&path);
  if (snapshot != NULL) reader_put((PyObject *)serving, snapshot);
  return snapshot != NULL;
}

bool serving_is_open(Serving *serving) {
  if (serving->reloadable != NULL) return true;
  PyErr_SetString(PyExc_ValueError, "there is no open file: __init__ was not called, or failed");
  return false;
}

/* ---- opening ---- */

static PyObject *serving_open(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {
      "ReloadableFuseReader", 1, 2,
      {"path", ACCESS_NAMES, "least_keys", "greatest_shrink", "required_keys", "allows_empty", "kept_files",
       "counts_lookups", "threads"}};
  Serving *serving = (Serving *)self;
  PyObject *values[MOST_ARGUMENTS], *path = NULL;
  Access access;
  Keys required = {NULL, NULL, 0};
  uint64_t threads = 0;
  fuse_serving_options options = fuse_serving_options_default();
  /* As 0.3.0, unless a rule says otherwise. */
  options.allows_empty = true;
  bool is_read = arguments_read(&signature, arguments, count, names, values) && access_read(values + 1, &access) &&
      argument_size(values[6], "least_keys", &options.least_key_count) &&
      argument_share(values[7], "greatest_shrink", &options.greatest_shrink, &options.has_greatest_shrink) &&
      (values[8] == NULL || values[8] == Py_None || keys_read(values[8], &required)) &&
      argument_flag(values[9], &options.allows_empty) && argument_size(values[10], "kept_files", &options.kept_file_count) &&
      argument_flag(values[11], &options.counts_lookups) && argument_size(values[12], "threads", &threads) &&
      path_read(values[0], &path);
  if (is_read && serving->reloadable != NULL) {
    PyErr_SetString(PyExc_ValueError, "the reader is open");
    is_read = false;
  }
  if (is_read) {
    options.open = &access.options;
    options.check = access.whole ? FUSE_CHECK_CHECKSUMS : FUSE_CHECK_NONE;
    options.thread_count = threads > 1024 ? 1024 : (uint32_t)threads;
    options.required_keys = required.spans;
    options.required_key_count = required.count;
    fuse_span span = bytes_span(path);
    fuse_reloadable *reloadable = NULL;
    fuse_error *error = NULL;
    LongCall call;
    long_call_begin(&call, NULL);
    fuse_status status = fuse_reloadable_open(span.data, span.size, &options, &call.call, &reloadable, &error);
    if (long_call_end(&call) && status == FUSE_OK && serving->reloadable == NULL) {
      serving->reloadable = reloadable;
      serving_refresh(serving);
    } else {
      fuse_reloadable_close(reloadable);
      raise_error(status, error);
    }
  }
  keys_free(&required);
  Py_XDECREF(path);
  return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

/* ---- other files ---- */

/* What a call that may take another file says: True, or False for FUSE_NONE. */
static PyObject *taken(Serving *serving, fuse_status status, fuse_error *error, bool goes_on) {
  if (!goes_on || (status != FUSE_OK && status != FUSE_NONE)) return raise_error(status, error);
  if (status == FUSE_OK && !serving_refresh(serving)) return NULL;
  return PyBool_FromLong(status == FUSE_OK);
}

static PyObject *serving_reload(PyObject *self, PyObject *ignored) {
  (void)ignored;
  Serving *serving = (Serving *)self;
  if (!serving_is_open(serving)) return NULL;
  fuse_error *error = NULL;
  LongCall call;
  long_call_begin(&call, NULL);
  fuse_status status = fuse_reloadable_reload_if_changed(serving->reloadable, &call.call, &error);
  bool goes_on = long_call_end(&call);
  if (status == FUSE_ERROR_NOT_FOUND && goes_on) {
    fuse_error_free(error);
    Py_RETURN_FALSE;
  }
  return taken(serving, status, error, goes_on);
}

static PyObject *serving_swap(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"swap", 1, 1, {"new_path"}};
  Serving *serving = (Serving *)self;
  PyObject *values[MOST_ARGUMENTS], *path;
  if (!arguments_read(&signature, arguments, count, names, values) || !serving_is_open(serving) || !path_read(values[0], &path))
    return NULL;
  fuse_span span = bytes_span(path);
  fuse_error *error = NULL;
  LongCall call;
  long_call_begin(&call, NULL);
  fuse_status status = fuse_reloadable_swap(serving->reloadable, span.data, span.size, &call.call, &error);
  bool goes_on = long_call_end(&call);
  Py_DECREF(path);
  PyObject *result = taken(serving, status, error, goes_on);
  Py_XDECREF(result);
  return result == NULL ? NULL : Py_NewRef(Py_None);
}

static PyObject *serving_rollback(PyObject *self, PyObject *ignored) {
  (void)ignored;
  Serving *serving = (Serving *)self;
  if (!serving_is_open(serving)) return NULL;
  fuse_error *error = NULL;
  ALLOW_THREADS(state);
  fuse_status status = fuse_reloadable_rollback(serving->reloadable, &error);
  DISALLOW_THREADS(state);
  PyObject *result = taken(serving, status, error, true);
  Py_XDECREF(result);
  return result == NULL ? NULL : Py_NewRef(Py_None);
}

static PyObject *serving_snapshot(PyObject *self, PyObject *ignored) {
  (void)ignored;
  Snapshot *snapshot = reader_snapshot(self);
  if (snapshot == NULL) return NULL;
  allocfunc allocate = PyType_GetSlot(reader_type, Py_tp_alloc);
  PyObject *reader = allocate(reader_type, 0);
  if (reader == NULL) snapshot_drop(snapshot);
  else ((Reader *)reader)->snapshot = snapshot;
  return reader;
}

static PyObject *serving_counters(PyObject *self, PyObject *ignored) {
  (void)ignored;
  Serving *serving = (Serving *)self;
  if (!serving_is_open(serving)) return NULL;
  fuse_counters all = fuse_counters_empty();
  fuse_error *error = NULL, *reason = NULL;
  fuse_status status = fuse_reloadable_counters(serving->reloadable, &all, &error);
  if (status != FUSE_OK) return raise_error(status, error);
  PyObject *refusal = Py_NewRef(Py_None);
  if (fuse_reloadable_last_refusal(serving->reloadable, &reason, NULL) == FUSE_OK) {
    Py_DECREF(refusal);
    refusal = error_exception(fuse_error_code(reason), reason);
    fuse_error_free(reason);
  }
  PyObject *built = all.has_built_at ? PyFloat_FromDouble(all.built_at) : Py_NewRef(Py_None);
  return Py_BuildValue(
      "{s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:d,s:N,s:N}", "generation", (unsigned long long)all.generation, "num_keys",
      (unsigned long long)all.key_count, "reloads", (unsigned long long)all.reload_count, "refusals",
      (unsigned long long)all.refusal_count, "hits", (unsigned long long)all.hit_count, "misses",
      (unsigned long long)all.miss_count, "failures", (unsigned long long)all.failure_count, "loaded_at", all.loaded_at,
      "built_at", built, "last_refusal", refusal);
}

/* ---- watching ---- */

void serving_begin(Serving *serving, PyObject *on_reload, PyObject *on_failure) {
  PyObject *old[] = {serving->on_reload, serving->on_failure};
  serving->on_reload = Py_NewRef(on_reload);
  serving->on_failure = Py_NewRef(on_failure);
  Py_XDECREF(old[0]);
  Py_XDECREF(old[1]);
  serving->process = getpid();
  serving->watches = true;
  Py_INCREF((PyObject *)serving);
}

void serving_tell(PyObject *function, PyObject *argument) {
  PyObject *result = function == NULL || argument == NULL ? NULL : PyObject_CallFunction(function, "O", argument);
  Py_XDECREF(result);
  Py_XDECREF(argument);
  if (PyErr_Occurred()) PyErr_WriteUnraisable(function);
}

PyGILState_STATE serving_enter(Serving *serving) {
  PyGILState_STATE state = PyGILState_Ensure();
  callbacks++;
  Py_INCREF((PyObject *)serving);
  return state;
}

void serving_leave(Serving *serving, PyGILState_STATE state) {
  Py_DECREF((PyObject *)serving);
  callbacks--;
  PyGILState_Release(state);
}

static void changed(void *context, const fuse_reader *ignored) {
  (void)ignored;
  Serving *serving = context;
  PyGILState_STATE state = serving_enter(serving);
  if (serving->watches) {
    if (serving_refresh(serving)) serving_tell(serving->on_reload, Py_NewRef((PyObject *)serving));
    else PyErr_WriteUnraisable((PyObject *)serving);
  }
  serving_leave(serving, state);
}

void serving_failed(void *context, const fuse_error *reason) {
  Serving *serving = context;
  PyGILState_STATE state = serving_enter(serving);
  if (serving->watches) serving_tell(serving->on_failure, error_exception(fuse_error_code(reason), reason));
  serving_leave(serving, state);
}

static PyObject *serving_watch(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"_watch", 3, 3, {"interval", "on_reload", "on_failure"}};
  Serving *serving = (Serving *)self;
  PyObject *values[MOST_ARGUMENTS];
  if (!arguments_read(&signature, arguments, count, names, values) || !serving_is_open(serving)) return NULL;
  fuse_watcher_options options = fuse_watcher_options_default();
  options.poll_interval = PyFloat_AsDouble(values[0]);
  if (options.poll_interval == -1 && PyErr_Occurred()) return NULL;
  if (serving->watcher != NULL || serving->subscription != NULL) {
    PyErr_SetString(PyExc_RuntimeError, "threads can only be started once");
    return NULL;
  }
  options.on_reload = changed;
  options.on_failure = serving_failed;
  options.context = serving;
  serving_begin(serving, values[1], values[2]);
  fuse_error *error = NULL;
  fuse_watcher *watcher = NULL;
  ALLOW_THREADS(state);
  fuse_status status = fuse_watcher_start(serving->reloadable, &options, &watcher, &error);
  DISALLOW_THREADS(state);
  serving->watcher = watcher;
  if (status == FUSE_OK) Py_RETURN_NONE;
  serving->watches = false;
  Py_DECREF(self);
  return raise_error(status, error);
}

static PyObject *serving_unwatch(PyObject *self, PyObject *ignored) {
  (void)ignored;
  Serving *serving = (Serving *)self;
  if (!serving->watches) Py_RETURN_NONE;
  serving->watches = false;
  if (serving->process != getpid()) {
    serving->watcher = NULL;
    serving->subscription = NULL;
    Py_DECREF(self);
    Py_RETURN_NONE;
  }
  fuse_error *error = NULL;
  ALLOW_THREADS(state);
  fuse_status status = serving->subscription != NULL ? fuse_subscription_stop(serving->subscription, &error)
                                                     : fuse_watcher_stop(serving->watcher, &error);
  DISALLOW_THREADS(state);
  PyObject *result = status == FUSE_OK ? Py_NewRef(Py_None) : raise_error(status, error);
  Py_DECREF(self);
  return result;
}

/* ---- the type ---- */

static int close_watcher(void *watcher) {
  fuse_watcher_close(watcher);
  return 0;
}

static int close_subscription(void *subscription) {
  fuse_subscription_close(subscription);
  return 0;
}

static int serving_traverse(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(((Serving *)self)->on_reload);
  Py_VISIT(((Serving *)self)->on_failure);
  return reader_traverse(self, visit, arg);
}

static int serving_clear(PyObject *self) {
  Py_CLEAR(((Serving *)self)->on_reload);
  Py_CLEAR(((Serving *)self)->on_failure);
  return reader_clear(self);
}

static void serving_free(PyObject *self) {
  Serving *serving = (Serving *)self;
  PyObject_GC_UnTrack(self);
  /* Either was stopped before: while it runs it has a reference. */
  if (serving->process == getpid()) {
    int (*close)(void *) = serving->subscription != NULL ? close_subscription : close_watcher;
    void *handle = serving->subscription != NULL ? (void *)serving->subscription : (void *)serving->watcher;
    if (callbacks == 0) close(handle);
    else if (handle != NULL) Py_AddPendingCall(close, handle);
  }
  fuse_reloadable_close(serving->reloadable);
  serving->watcher = NULL;
  serving->subscription = NULL;
  serving->reloadable = NULL;
  Py_CLEAR(serving->on_reload);
  Py_CLEAR(serving->on_failure);
  reader_free(self);
}

bool serving_types(PyObject *module) {
  static PyMethodDef methods[] = {
      METHOD("_open", serving_open, FAST, "Opens the file: the arguments of ReloadableFuseReader."),
      METHOD("_watch", serving_watch, FAST, "Begins to watch."),
      METHOD("_unwatch", serving_unwatch, METH_NOARGS, "Ends the watching, or the following."),
      METHOD("_subscribe", serving_subscribe, FAST, "Opens the file, and begins to follow: the arguments of Subscription."),
      METHOD("_update", serving_update, METH_NOARGS, "Asks the remote now."),
      METHOD("_delivery", serving_delivery_counters, METH_NOARGS, "What came of the attempts to fetch."),
      METHOD("reload", serving_reload, METH_NOARGS,
          "reload($self)\n--\n\n"
          "Takes the file that is under the path now: True where it is another one than before. False without a change\n"
          "and where there is no file. Where it is damaged, or a rule refuses it, this raises, and the old one serves on.\n\n"
          "    >>> ReloadableFuseReader('geo.fsdb').reload()\n"
          "    False\n"),
      METHOD("swap", serving_swap, FAST,
          "swap($self, /, new_path)\n--\n\n"
          "Takes the file at another path, and files from there from now on.\n\n"
          "    >>> db = ReloadableFuseReader('geo.fsdb')\n"
          "    >>> db.swap('networks.fsdb')\n"
          "    >>> db.exists('8.8.8.8')\n"
          "    False\n"),
      METHOD("rollback", serving_rollback, METH_NOARGS,
          "rollback($self)\n--\n\n"
          "Goes back to the file before this one, where kept_files keeps some.\n\n"
          "    >>> db = ReloadableFuseReader('geo.fsdb', kept_files=1)\n"
          "    >>> db.swap('networks.fsdb')\n"
          "    >>> db.rollback()\n"
          "    >>> db.exists('8.8.8.8')\n"
          "    True\n"),
      METHOD("snapshot", serving_snapshot, METH_NOARGS,
          "snapshot($self)\n--\n\n"
          "A FuseReader of the newest file, which stays as it is: for look-ups that belong together.\n\n"
          "    >>> ReloadableFuseReader('geo.fsdb').snapshot().get('1.1.1.1')\n"
          "    {'org': 'Cloudflare', 'asn': 13335}\n"),
      METHOD("counters", serving_counters, METH_NOARGS,
          "counters($self)\n--\n\n"
          "How often a file was taken and refused, when, and why the last one was refused, as a dict.\n\n"
          "    >>> ReloadableFuseReader('geo.fsdb').counters()['generation']\n"
          "    1\n"),
      {NULL}};
  static PyType_Slot slots[] = {
      {Py_tp_doc, "What readers of files that are replaced have in common."},
      {Py_tp_methods, methods},          {Py_tp_dealloc, serving_free}, {Py_tp_traverse, serving_traverse},
      {Py_tp_clear, serving_clear},      {0, NULL}};
  static PyType_Spec spec = {
      "fusedb_swift.Serving", sizeof(Serving), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
  serving_type = type_make(module, &spec, answering_type);
  return serving_type != NULL;
}
