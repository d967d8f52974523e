/* Publishing, fetching, and following what is published. */
#include "common.h"

/* ---- arguments ---- */

#define DELIVERY_NAMES \
  "trusted", "least_keys", "greatest_shrink", "required_keys", "allows_empty", "kept_files", "connect_timeout", \
      "stall_timeout", "deadline", "rate", "retries", "patches_only"
#define DELIVERY_COUNT 12

/* Where a version comes from, and how. */
typedef struct Delivery {
  PyObject *remote, *path;
  fuse_span name;
  Paths trusted;
  Keys required;
  fuse_serving_options serving;
  fuse_delivery_options options;
} Delivery;

/* Seconds; None for no end. */
static bool read_time(PyObject *value, const char *name, double *seconds) {
  if (value == NULL) return true;
  if (value == Py_None) {
    *seconds = -1;
    return true;
  }
  *seconds = PyFloat_AsDouble(value);
  if (*seconds == -1 && PyErr_Occurred()) return false;
  if (*seconds > 0) return true;
  PyErr_Format(PyExc_ValueError, "%s must be a number of seconds above 0, and is %R", name, value);
  return false;
}

static bool read_text(PyObject *value, const char *name, fuse_span *span) {
  Py_ssize_t size;
  const char *data = PyUnicode_Check(value) ? PyUnicode_AsUTF8AndSize(value, &size) : NULL;
  if (data == NULL) {
    if (!PyErr_Occurred()) PyErr_Format(PyExc_TypeError, "%s must be text, and is %R", name, value);
    return false;
  }
  *span = (fuse_span){data, (size_t)size};
  return true;
}

/* One key, or an iterable of keys: texts or paths. */
static bool read_trusted(PyObject *value, Paths *trusted) {
  if (value != NULL && (PyUnicode_Check(value) || PyBytes_Check(value))) return paths_read(&value, 1, trusted);
  return paths_read_list(value, "trusted", trusted);
}

static void delivery_free(Delivery *delivery) {
  Py_CLEAR(delivery->remote);
  Py_CLEAR(delivery->path);
  paths_free(&delivery->trusted);
  keys_free(&delivery->required);
}

/* Reads remote, name and path, and the arguments of DELIVERY_NAMES. */
static bool delivery_read(PyObject *const *places, PyObject *const *values, Delivery *delivery) {
  memset(delivery, 0, sizeof *delivery);
  delivery->serving = fuse_serving_options_default();
  /* As ReloadableFuseReader. */
  delivery->serving.allows_empty = true;
  delivery->options = fuse_delivery_options_default();
  uint64_t retries = 4;
  bool done = path_read(places[0], &delivery->remote) && read_text(places[1], "name", &delivery->name) &&
      path_read(places[2], &delivery->path) && read_trusted(values[0], &delivery->trusted) &&
      argument_size(values[1], "least_keys", &delivery->serving.least_key_count) &&
      argument_share(
          values[2], "greatest_shrink", &delivery->serving.greatest_shrink, &delivery->serving.has_greatest_shrink) &&
      (values[3] == NULL || values[3] == Py_None || keys_read(values[3], &delivery->required)) &&
      argument_flag(values[4], &delivery->serving.allows_empty) &&
      argument_size(values[5], "kept_files", &delivery->options.kept_file_count) &&
      read_time(values[6], "connect_timeout", &delivery->options.connect_timeout) &&
      read_time(values[7], "stall_timeout", &delivery->options.stall_timeout) &&
      read_time(values[8], "deadline", &delivery->options.deadline) &&
      argument_size(values[9], "rate", &delivery->options.greatest_rate) &&
      argument_size(values[10], "retries", &retries) && argument_flag(values[11], &delivery->options.patches_only);
  delivery->options.retry_count = retries == 0 ? -1 : retries > INT32_MAX ? INT32_MAX : (int32_t)retries;
  delivery->serving.required_keys = delivery->required.spans;
  delivery->serving.required_key_count = delivery->required.count;
  delivery->options.trusted_keys = delivery->trusted.spans;
  delivery->options.trusted_key_count = delivery->trusted.count;
  if (!done) delivery_free(delivery);
  return done;
}

static PyObject *report_dict(const fuse_fetch_report *report) {
  static const char *const ways[] = {"none", "patches", "whole"};
  return Py_BuildValue(
      "{s:s,s:I,s:K,s:s,s:K,s:K,s:K,s:K,s:d,s:d,s:d,s:N}", "way", ways[report->way > 2 ? 2 : report->way], "patches",
      (unsigned int)report->patch_count, "generation", (unsigned long long)report->generation, "manifest",
      report->manifest[0] == 0 ? NULL : report->manifest, "file_bytes", (unsigned long long)report->file_byte_count,
      "planned_bytes", (unsigned long long)report->planned_byte_count, "bytes", (unsigned long long)report->byte_count,
      "requests", (unsigned long long)report->request_count, "seconds_asking", report->seconds_asking,
      "seconds_transferring", report->seconds_transferring, "seconds_making", report->seconds_making, "fell_back",
      PyBool_FromLong(report->fell_back));
}

/* ---- functions of the module ---- */

static PyObject *fetch(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  (void)module;
  static const Signature signature = {
      "fetch", 3, 3, {"remote", "name", "path", "verify", "trial", "progress", DELIVERY_NAMES}};
  PyObject *values[MOST_ARGUMENTS], *result = NULL;
  Delivery delivery;
  bool whole = true, is_trial = false;
  if (!arguments_read(&signature, arguments, count, names, values) || !argument_flag(values[3], &whole) ||
      !argument_flag(values[4], &is_trial) || !delivery_read(values, values + 6, &delivery))
    return NULL;
  delivery.serving.check = whole ? FUSE_CHECK_FULL : FUSE_CHECK_NONE;
  delivery.options.serving = &delivery.serving;
  fuse_span remote = bytes_span(delivery.remote), path = bytes_span(delivery.path);
  fuse_fetch_report report = fuse_fetch_report_empty();
  fuse_error *error = NULL;
  LongCall call;
  long_call_begin(&call, values[5]);
  fuse_status status = fuse_fetch(
      remote.data, remote.size, delivery.name.data, delivery.name.size, path.data, path.size, &delivery.options, is_trial,
      &call.call, &report, &error);
  if (long_call_end(&call) && status >= 0) result = report_dict(&report);
  else raise_error(status, error);
  delivery_free(&delivery);
  return result;
}

/* Distances of patches: None for the usual ones, an empty iterable for none. */
static bool read_distances(PyObject *iterable, fuse_publish_options *options, uint32_t **distances) {
  if (iterable == NULL || iterable == Py_None) return true;
  PyObject *tuple = PySequence_Tuple(iterable);
  Py_ssize_t count = tuple == NULL ? 0 : PyTuple_Size(tuple);
  *distances = tuple == NULL ? NULL : PyMem_Malloc(((size_t)count + 1) * sizeof **distances);
  bool done = *distances != NULL;
  if (tuple != NULL && !done) PyErr_NoMemory();
  for (Py_ssize_t place = 0; done && place < count; place++) {
    uint64_t number = 0;
    done = argument_size(PyTuple_GetItem(tuple, place), "patches", &number);
    (*distances)[place] = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
  }
  options->patch_distances = *distances;
  options->patch_distance_count = (size_t)count;
  options->makes_no_patches = count == 0;
  Py_XDECREF(tuple);
  return done;
}

static PyObject *publish(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  (void)module;
  static const Signature signature = {
      "publish", 3, 3,
      {"remote", "name", "path", "keys", "metadata", "validity", "patches", "least_keys", "greatest_shrink", "progress"}};
  PyObject *values[MOST_ARGUMENTS], *remote = NULL, *path = NULL, *result = NULL;
  fuse_publish_options options = fuse_publish_options_default();
  fuse_span name;
  Paths keys = {NULL, NULL, 0};
  uint32_t *distances = NULL;
  if (!arguments_read(&signature, arguments, count, names, values)) return NULL;
  /* The names of a writer's options that count here, in their places. */
  PyObject *rest[WRITER_COUNT] = {NULL};
  rest[9] = values[4];
  rest[13] = values[7];
  rest[14] = values[8];
  WriterOptions writer;
  if (!writer_options_read(rest, &writer)) return NULL;
  options.metadata = writer.options.metadata;
  options.metadata_count = writer.options.metadata_count;
  options.least_key_count = writer.options.least_key_count;
  options.greatest_shrink = writer.options.greatest_shrink;
  options.has_greatest_shrink = writer.options.has_greatest_shrink;
  if (path_read(values[0], &remote) && read_text(values[1], "name", &name) && path_read(values[2], &path) &&
      paths_read_list(values[3], "keys", &keys) &&
      (values[5] == Py_None || read_time(values[5], "validity", &options.validity)) &&
      read_distances(values[6], &options, &distances)) {
    options.key_paths = keys.spans;
    options.key_path_count = keys.count;
    fuse_span to = bytes_span(remote), from = bytes_span(path);
    fuse_publish_report report = fuse_publish_report_empty();
    fuse_error *error = NULL;
    LongCall call;
    long_call_begin(&call, values[9]);
    fuse_status status = fuse_publish(
        to.data, to.size, name.data, name.size, from.data, from.size, &options, &call.call, &report, &error);
    if (long_call_end(&call) && status >= 0) {
      result = Py_BuildValue(
          "{s:K,s:s,s:N,s:K,s:K,s:K,s:K,s:K}", "generation", (unsigned long long)report.generation, "manifest",
          report.manifest, "new", PyBool_FromLong(status == FUSE_OK), "num_keys", (unsigned long long)report.key_count,
          "file_bytes", (unsigned long long)report.byte_count, "packed_bytes",
          (unsigned long long)report.packed_byte_count, "patches", (unsigned long long)report.patch_count, "patch_bytes",
          (unsigned long long)report.patch_byte_count);
    } else {
      raise_error(status, error);
    }
  }
  PyMem_Free(distances);
  paths_free(&keys);
  Py_XDECREF(path);
  Py_XDECREF(remote);
  writer_options_free(&writer);
  return result;
}

/* ---- following ---- */

/* What the thread has to tell waits until the object can answer. */
static void wait_for_opening(Serving *serving) {
  pthread_mutex_lock(&serving->opening);
  pthread_mutex_unlock(&serving->opening);
}

static void updated(void *context, const fuse_fetch_report *report) {
  Serving *serving = context;
  wait_for_opening(serving);
  PyGILState_STATE state = serving_enter(serving);
  if (serving->watches) {
    if (serving_refresh(serving)) serving_tell(serving->on_reload, report_dict(report));
    else PyErr_WriteUnraisable((PyObject *)serving);
  }
  serving_leave(serving, state);
}

static void failed(void *context, const fuse_error *reason) {
  wait_for_opening(context);
  serving_failed(context, reason);
}

PyObject *serving_subscribe(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {
      "Subscription", 3, 3,
      {"remote", "name", "path", ACCESS_NAMES, "interval", "longest_interval", "on_update", "on_failure", DELIVERY_NAMES}};
  Serving *serving = (Serving *)self;
  PyObject *values[MOST_ARGUMENTS];
  Access access;
  Delivery delivery;
  if (!arguments_read(&signature, arguments, count, names, values) || !access_read(values + 3, &access) ||
      !delivery_read(values, values + 3 + ACCESS_COUNT + 4, &delivery))
    return NULL;
  fuse_delivery_options *options = &delivery.options;
  PyObject **rest = values + 3 + ACCESS_COUNT;
  bool is_read = read_time(rest[0], "interval", &options->interval) &&
      read_time(rest[1], "longest_interval", &options->longest_interval);
  if (is_read && serving->reloadable != NULL) {
    PyErr_SetString(PyExc_ValueError, "the reader is open");
    is_read = false;
  }
  if (is_read) {
    delivery.serving.open = &access.options;
    delivery.serving.check = access.whole ? FUSE_CHECK_CHECKSUMS : FUSE_CHECK_NONE;
    options->serving = &delivery.serving;
    options->on_update = updated;
    options->on_failure = failed;
    options->context = serving;
    serving_begin(serving, rest[2] == NULL ? Py_None : rest[2], rest[3] == NULL ? Py_None : rest[3]);
    pthread_mutex_init(&serving->opening, NULL);
    fuse_span remote = bytes_span(delivery.remote), path = bytes_span(delivery.path);
    fuse_subscription *subscription = NULL;
    fuse_reloadable *reloadable = NULL;
    fuse_error *error = NULL;
    LongCall call;
    long_call_begin(&call, NULL);
    pthread_mutex_lock(&serving->opening);
    fuse_status status = fuse_subscription_open(
        remote.data, remote.size, delivery.name.data, delivery.name.size, path.data, path.size, options, &call.call,
        &subscription, &error);
    if (status == FUSE_OK) status = fuse_subscription_reloadable(subscription, &reloadable, &error);
    bool goes_on = long_call_end(&call);
    serving->subscription = subscription;
    serving->reloadable = reloadable;
    if (!goes_on || status != FUSE_OK || !serving_refresh(serving)) {
      raise_error(status, error);
      serving->watches = false;
    }
    pthread_mutex_unlock(&serving->opening);
    if (!serving->watches) {
      ALLOW_THREADS(state);
      if (subscription != NULL) fuse_subscription_stop(subscription, NULL);
      DISALLOW_THREADS(state);
      Py_DECREF(self);
    }
  }
  delivery_free(&delivery);
  return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

PyObject *serving_update(PyObject *self, PyObject *ignored) {
  (void)ignored;
  Serving *serving = (Serving *)self;
  if (!serving_is_open(serving)) return NULL;
  fuse_fetch_report report = fuse_fetch_report_empty();
  fuse_error *error = NULL;
  LongCall call;
  long_call_begin(&call, NULL);
  fuse_status status = fuse_subscription_update(serving->subscription, &call.call, &report, &error);
  if (!long_call_end(&call) || status < 0) return raise_error(status, error);
  return status == FUSE_OK && !serving_refresh(serving) ? NULL : report_dict(&report);
}

PyObject *serving_delivery_counters(PyObject *self, PyObject *ignored) {
  (void)ignored;
  Serving *serving = (Serving *)self;
  if (!serving_is_open(serving)) return NULL;
  fuse_delivery_counters all = fuse_delivery_counters_empty();
  fuse_error *error = NULL, *reason = NULL;
  fuse_status status = fuse_subscription_counters(serving->subscription, &all, &error);
  if (status != FUSE_OK) return raise_error(status, error);
  PyObject *failure = NULL;
  if (fuse_subscription_last_failure(serving->subscription, &reason, NULL) == FUSE_OK) {
    failure = error_exception(fuse_error_code(reason), reason);
    fuse_error_free(reason);
  }
  PyObject *time = all.succeeded_at > 0 ? PyFloat_FromDouble(all.succeeded_at) : Py_NewRef(Py_None);
  return Py_BuildValue(
      "{s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:N,s:N}", "generation", (unsigned long long)all.generation, "attempts",
      (unsigned long long)all.attempt_count, "updates", (unsigned long long)all.update_count, "failures",
      (unsigned long long)all.failure_count, "refusals", (unsigned long long)all.refusal_count, "bytes",
      (unsigned long long)all.byte_count, "requests", (unsigned long long)all.request_count, "succeeded_at", time,
      "last_failure", failure == NULL ? Py_NewRef(Py_None) : failure);
}

PyMethodDef delivery_functions[] = {
    METHOD("fetch", fetch, FAST,
        "fetch(remote, name, path, *, trusted=(), verify=True, trial=False, least_keys=0, greatest_shrink=None,\n"
        "      required_keys=(), allows_empty=True, kept_files=0, connect_timeout=10.0, stall_timeout=30.0,\n"
        "      deadline=3600.0, rate=None, retries=4, patches_only=False, progress=None)\n--\n\n"
        "Makes the file at a path the version that a name leads to, at a folder or a URL: by patches where there is an\n"
        "earlier version, else as a whole. What comes is proved before it takes the place of the old file. `trusted` are\n"
        "public keys, as text or as paths, of which one must have signed. Says what it took.\n\n"
        "    >>> fetch('remote', 'geo', 'fetched.fsdb')['way']\n"
        "    'whole'\n"
        "    >>> fetch('remote', 'geo', 'fetched.fsdb')['way']\n"
        "    'none'\n"),
    METHOD("publish", publish, FAST,
        "publish(remote, name, path, *, keys=(), metadata=None, validity=None, patches=None, least_keys=0,\n"
        "        greatest_shrink=None, progress=None)\n--\n\n"
        "Adds a file to a remote, a folder, as the newest version, with patches from earlier ones, and has a name lead to\n"
        "it. `keys` are paths of keys that sign, `validity` is for how many seconds clients may trust the name, `patches`\n"
        "are the distances to the versions that get one (1, 2, 4, 8, 16 and 24).\n\n"
        "    >>> publish('published', 'geo', 'geo.fsdb')['generation']\n"
        "    1\n"),
    {NULL}};
