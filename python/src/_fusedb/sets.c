/* Sets of shards: building, publishing, sweeping. Reading them is the reader's business. */
#include "common.h"

static PyObject *set_report(const fuse_set_report *report) {
  return Py_BuildValue(
      "{s:K,s:K,s:K,s:K,s:K,s:N,s:K}", "generation", (unsigned long long)report->generation, "shards",
      (unsigned long long)report->shard_count, "kept_shards", (unsigned long long)report->kept_shard_count, "num_keys",
      (unsigned long long)report->key_count, "file_bytes", (unsigned long long)report->byte_count, "replaced_keys",
      report->replaced ? PyLong_FromUnsignedLongLong(report->replaced_key_count) : Py_NewRef(Py_None), "swept",
      (unsigned long long)report->swept_count);
}

static PyObject *shard_of(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  (void)module;
  static const Signature signature = {"shard_of", 2, 2, {"key", "count"}};
  PyObject *values[MOST_ARGUMENTS];
  uint64_t shards = 0, shard = 0;
  Key key;
  if (!arguments_read(&signature, arguments, count, names, values) || !argument_size(values[1], "count", &shards) ||
      !key_read(values[0], &key))
    return NULL;
  fuse_error *error = NULL;
  fuse_status status = fuse_shard_of(key.data, key.size, shards, &shard, &error);
  key_free(&key);
  return status == FUSE_OK ? PyLong_FromUnsignedLongLong(shard) : raise_error(status, error);
}

static PyObject *set_generation(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  (void)module;
  static const Signature signature = {"set_generation", 1, 1, {"folder"}};
  PyObject *values[MOST_ARGUMENTS], *folder;
  if (!arguments_read(&signature, arguments, count, names, values) || !path_read(values[0], &folder)) return NULL;
  uint64_t generation = 0;
  fuse_span path = bytes_span(folder);
  fuse_error *error = NULL;
  fuse_status status = fuse_set_generation(path.data, path.size, &generation, &error);
  Py_DECREF(folder);
  return status == FUSE_OK ? PyLong_FromUnsignedLongLong(generation) : raise_error(status, error);
}

static PyObject *publish_set(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  (void)module;
  static const Signature signature = {
      "publish_set", 2, 2, {"folder", "shards", "after", "least_keys", "greatest_shrink"}};
  PyObject *values[MOST_ARGUMENTS], *folder = NULL, *result = NULL;
  Keys shards = {NULL, NULL, 0};
  fuse_set_options options = fuse_set_options_default();
  if (!arguments_read(&signature, arguments, count, names, values)) return NULL;
  if (values[2] == NULL) {
    PyErr_SetString(
        PyExc_TypeError, "publish_set() needs after=: what set_generation() said before the shards were built");
    return NULL;
  }
  if (argument_size(values[2], "after", &options.after) &&
      argument_size(values[3], "least_keys", &options.least_key_count) &&
      argument_share(values[4], "greatest_shrink", &options.greatest_shrink, &options.has_greatest_shrink) &&
      keys_read(values[1], &shards) && path_read(values[0], &folder)) {
    fuse_set_report report = fuse_set_report_empty();
    fuse_span path = bytes_span(folder);
    fuse_error *error = NULL;
    LongCall call;
    long_call_begin(&call, NULL);
    fuse_status status =
        fuse_set_publish(path.data, path.size, shards.spans, shards.count, &options, &report, &error);
    bool goes_on = long_call_end(&call);
    result = status == FUSE_OK && goes_on ? set_report(&report) : raise_error(status, error);
  }
  keys_free(&shards);
  Py_XDECREF(folder);
  return result;
}

static PyObject *sweep_set(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  (void)module;
  static const Signature signature = {"sweep_set", 1, 1, {"folder", "age"}};
  PyObject *values[MOST_ARGUMENTS], *folder;
  if (!arguments_read(&signature, arguments, count, names, values)) return NULL;
  double age = values[1] == NULL || values[1] == Py_None ? 0 : PyFloat_AsDouble(values[1]);
  if (PyErr_Occurred() || !path_read(values[0], &folder)) return NULL;
  uint64_t removed = 0;
  fuse_span path = bytes_span(folder);
  fuse_error *error = NULL;
  LongCall call;
  long_call_begin(&call, NULL);
  fuse_status status = fuse_set_sweep(path.data, path.size, age, &removed, &error);
  bool goes_on = long_call_end(&call);
  Py_DECREF(folder);
  return status == FUSE_OK && goes_on ? PyLong_FromUnsignedLongLong(removed) : raise_error(status, error);
}

static PyObject *split_set(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  (void)module;
  static const Signature signature = {
      "split_set", 2, 2, {"source", "folder", "shards", "shard_bytes", "progress", WRITER_NAMES}};
  PyObject *values[MOST_ARGUMENTS], *source = NULL, *folder = NULL, *result = NULL;
  uint64_t shards = 0, bytes = 0;
  WriterOptions writer;
  if (!arguments_read(&signature, arguments, count, names, values) || !writer_options_read(values + 5, &writer))
    return NULL;
  /* A set has one order, and objects once. */
  writer.options.order = FUSE_ORDER_KEY;
  writer.options.sharing = FUSE_SHARING_IDENTICAL;
  if (argument_size(values[2], "shards", &shards) && argument_size(values[3], "shard_bytes", &bytes) &&
      path_read(values[0], &source) && path_read(values[1], &folder)) {
    fuse_set_report report = fuse_set_report_empty();
    fuse_span from = bytes_span(source), to = bytes_span(folder);
    fuse_error *error = NULL;
    LongCall call;
    long_call_begin(&call, values[4]);
    fuse_status status = fuse_set_split(
        from.data, from.size, to.data, to.size, shards, bytes, &writer.options, &call.call, &report, &error);
    bool goes_on = long_call_end(&call);
    result = status == FUSE_OK && goes_on ? set_report(&report) : raise_error(status, error);
  }
  Py_XDECREF(folder);
  Py_XDECREF(source);
  writer_options_free(&writer);
  return result;
}

PyMethodDef set_functions[] = {
    METHOD("shard_of", shard_of, FAST,
        "shard_of(key, count)\n--\n\n"
        "Which of `count` shards holds a key: what Spark computes as pmod(xxhash64(key), count).\n\n"
        "    >>> shard_of('8.8.8.8', 64)\n"
        "    19\n"),
    METHOD("set_generation", set_generation, FAST,
        "set_generation(folder)\n--\n\n"
        "How often the set of shards in a folder was published; 0 where there is none. A job asks before it builds its first\n"
        "shard.\n\n"
        "    >>> set_generation('new-set')\n"
        "    0\n"),
    METHOD("publish_set", publish_set, FAST,
        "publish_set(folder, shards, *, after, least_keys=0, greatest_shrink=None)\n--\n\n"
        "Publishes shards that FuseWriter.build_shard() wrote, all in one step, and sweeps away what is left of earlier ones.\n"
        "`shards` are the texts that it returned, in any order; `after` is what set_generation() said before they were built.\n\n"
        "    >>> shards = [FuseWriter().build_shard('new-set', number, 2) for number in range(2)]\n"
        "    >>> publish_set('new-set', shards, after=0)['generation']\n"
        "    1\n"),
    METHOD("sweep_set", sweep_set, FAST,
        "sweep_set(folder, *, age=0)\n--\n\n"
        "Removes what no manifest names: files of jobs that died, were aborted, or wrote after that, if they were written at\n"
        "least `age` seconds ago. Says how many. publish_set() does that, too.\n\n"
        "    >>> report = split_set('geo.fsdb', 'geo-set', shards=2)\n"
        "    >>> sweep_set('geo-set')\n"
        "    0\n"),
    METHOD("split_set", split_set, FAST,
        "split_set(source, folder, *, shards=0, shard_bytes=0, progress=None, **options)\n--\n\n"
        "Makes a set of a file, or of another set, and publishes it: of so many shards, or of the fewest that have no more than\n"
        "shard_bytes on average. Other options are those of FuseWriter.\n\n"
        "    >>> split_set('geo.fsdb', 'geo-set', shards=4)['shards']\n"
        "    4\n"
        "    >>> FuseReader('geo-set')['8.8.8.8'] == FuseReader('geo.fsdb')['8.8.8.8']\n"
        "    True\n"),
    {NULL}};
