/* Functions of the module over whole files: merge, patches, reindex. */
#include "common.h"

/* ---- merge ---- */

typedef struct Merging {
  LongCall call;
  PyObject *combine;
  PyObject *on_conflict;
  /* What a callback raised. */
  PyObject *type, *value, *trace;
} Merging;

/* What combine() says of two objects: one of them, or another value. */
static int combined(Merging *merging, fuse_span key, fuse_span first, fuse_span second, fuse_buffer *value) {
  PyObject *name = text_lossy(key);
  PyObject *one = name == NULL ? NULL : value_decode(first.data, first.size);
  PyObject *other = one == NULL ? NULL : value_decode(second.data, second.size);
  PyObject *result =
      other == NULL ? NULL : PyObject_CallFunctionObjArgs(merging->combine, name, one, other, NULL);
  int choice = -1;
  Packed packed;
  if (result != NULL && result == one) choice = FUSE_COMBINE_FIRST;
  else if (result != NULL && result == other) choice = FUSE_COMBINE_SECOND;
  else if (result != NULL && value_encode(result, &packed)) {
    fuse_error *error = NULL;
    fuse_status status = fuse_buffer_set(value, packed.data, packed.size, &error);
    packed_free(&packed);
    if (status == FUSE_OK) choice = FUSE_COMBINE_VALUE;
    else raise_error(status, error);
  }
  Py_XDECREF(result);
  Py_XDECREF(other);
  Py_XDECREF(one);
  Py_XDECREF(name);
  return choice;
}

/* On a thread of the library: what is raised is kept for the thread that merges. */
static int combine(void *context, fuse_span key, fuse_span first, fuse_span second, fuse_buffer *value) {
  Merging *merging = context;
  PyGILState_STATE state = PyGILState_Ensure();
  int choice = merging->type == NULL ? combined(merging, key, first, second, value) : -1;
  if (PyErr_Occurred() && merging->type == NULL) PyErr_Fetch(&merging->type, &merging->value, &merging->trace);
  PyGILState_Release(state);
  return choice;
}

static void conflict(void *context, fuse_span key, size_t kept, size_t dropped) {
  Merging *merging = context;
  long_call_enter(&merging->call);
  if (!PyErr_Occurred()) {
    PyObject *name = text_lossy(key);
    PyObject *result = name == NULL ? NULL
        : kept == SIZE_MAX
        ? PyObject_CallFunction(merging->on_conflict, "OOO", name, Py_None, Py_None)
        : PyObject_CallFunction(merging->on_conflict, "Onn", name, (Py_ssize_t)kept, (Py_ssize_t)dropped);
    Py_XDECREF(result);
    Py_XDECREF(name);
  }
  long_call_leave(&merging->call);
}

static PyObject *build_nothing(const fuse_writer_options *options, fuse_span output, PyObject *progress) {
  fuse_writer *writer = NULL;
  fuse_error *error = NULL;
  fuse_status status = fuse_writer_make(options, &writer, &error);
  LongCall call;
  long_call_begin(&call, progress);
  if (status == FUSE_OK) status = fuse_writer_build(writer, output.data, output.size, &call.call, NULL, &error);
  bool goes_on = long_call_end(&call);
  fuse_writer_close(writer);
  return status == FUSE_OK && goes_on ? Py_NewRef(Py_None) : raise_error(status, error);
}

static PyObject *merge_files(
    const Paths *sources, fuse_span output, fuse_merge_options *options, Merging *merging, PyObject *progress) {
  fuse_error *error = NULL;
  long_call_begin(&merging->call, progress);
  fuse_status status = fuse_merge(
      sources->spans, sources->count, output.data, output.size, options, &merging->call.call, NULL, &error);
  bool goes_on = long_call_end(&merging->call);
  if (merging->type != NULL) {
    if (PyErr_Occurred()) PyErr_Clear();
    PyErr_Restore(merging->type, merging->value, merging->trace);
    goes_on = false;
  }
  return status == FUSE_OK && goes_on ? Py_NewRef(Py_None) : raise_error(status, error);
}

static PyObject *merge(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  (void)module;
  static const Signature signature = {
      "merge", 1, 0, {"output", "combine", "on_conflict", "subtract", "prefixes", "progress", WRITER_NAMES}};
  PyObject *values[MOST_ARGUMENTS];
  if (!arguments_read(&signature, arguments + count, 0, names, values)) return NULL;
  WriterOptions writer;
  if (!writer_options_read(values + 6, &writer)) return NULL;
  Paths sources = {NULL, NULL, 0}, subtracted = {NULL, NULL, 0};
  Keys prefixes = {NULL, NULL, 0};
  Merging merging = {.combine = values[1], .on_conflict = values[2]};
  PyObject *output = NULL, *result = NULL;
  if (paths_read(arguments, count, &sources) && paths_read_list(values[3], "subtract", &subtracted) &&
      (values[4] == NULL || values[4] == Py_None || keys_read(values[4], &prefixes)) && path_read(values[0], &output)) {
    fuse_merge_options options = fuse_merge_options_default();
    writer.options.sharing = FUSE_SHARING_IDENTICAL;
    options.writer = &writer.options;
    options.subtracting = subtracted.spans;
    options.subtracting_count = subtracted.count;
    options.prefixes = prefixes.spans;
    options.prefix_count = prefixes.count;
    options.context = &merging;
    if (merging.combine != NULL && merging.combine != Py_None) {
      writer.options.on_duplicate = FUSE_DUPLICATE_COMBINE;
      options.combine = combine;
    }
    if (merging.on_conflict != NULL && merging.on_conflict != Py_None) options.on_conflict = conflict;
    result = sources.count == 0 ? build_nothing(&writer.options, bytes_span(output), values[5])
                                : merge_files(&sources, bytes_span(output), &options, &merging, values[5]);
  }
  Py_XDECREF(output);
  keys_free(&prefixes);
  paths_free(&subtracted);
  paths_free(&sources);
  writer_options_free(&writer);
  return result;
}

/* ---- patches ---- */

static PyObject *make_patch(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  (void)module;
  static const Signature signature = {"make_patch", 3, 3, {"old", "new", "output", "output_link", "progress"}};
  PyObject *values[MOST_ARGUMENTS], *output;
  int32_t link = FUSE_LINK_REPLACED;
  if (!arguments_read(&signature, arguments, count, names, values) ||
      !argument_word(values[3], "output_link", link_words, &link) || !path_read(values[2], &output))
    return NULL;
  Snapshot *old = snapshot_of(values[0]);
  Snapshot *new = old == NULL ? NULL : snapshot_of(values[1]);
  PyObject *result = NULL;
  if (new != NULL) {
    fuse_span span = bytes_span(output);
    fuse_error *error = NULL;
    fuse_patch_report report = fuse_patch_report_empty();
    LongCall call;
    long_call_begin(&call, values[4]);
    fuse_status status =
        fuse_patch_make(old->reader, new->reader, span.data, span.size, link, &call.call, &report, &error);
    if (long_call_end(&call) && status == FUSE_OK) {
      result = Py_BuildValue(
          "{s:K,s:K,s:K,s:K,s:K,s:K}", "size", (unsigned long long)report.byte_count, "copied_objects",
          (unsigned long long)report.copied_object_count, "edited_objects",
          (unsigned long long)report.edited_object_count, "new_objects", (unsigned long long)report.new_object_count,
          "added_keys", (unsigned long long)report.added_key_count, "redirected_keys",
          (unsigned long long)report.redirected_key_count);
    } else {
      raise_error(status, error);
    }
  }
  snapshot_drop(old);
  snapshot_drop(new);
  Py_DECREF(output);
  return result;
}

/* One patch, or a list or tuple of them. */
static bool patches_read(PyObject *given, Paths *patches) {
  if (PyList_Check(given) || PyTuple_Check(given)) return paths_read_list(given, "patch", patches);
  return paths_read(&given, 1, patches);
}

static PyObject *apply_patch(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  (void)module;
  static const Signature signature = {
      "patch", 3, 3,
      {"old", "patch", "output", "least_keys", "greatest_shrink", "greatest_size", "output_link", "progress"}};
  PyObject *values[MOST_ARGUMENTS], *output = NULL;
  Paths patches = {NULL, NULL, 0};
  fuse_patch_options options = fuse_patch_options_default();
  options.output_link = FUSE_LINK_REPLACED;
  if (!arguments_read(&signature, arguments, count, names, values) ||
      !argument_size(values[3], "least_keys", &options.least_key_count) ||
      !argument_share(values[4], "greatest_shrink", &options.greatest_shrink, &options.has_greatest_shrink) ||
      !argument_size(values[5], "greatest_size", &options.greatest_byte_count) ||
      !argument_word(values[6], "output_link", link_words, &options.output_link) ||
      !patches_read(values[1], &patches))
    return NULL;
  Snapshot *old = path_read(values[2], &output) ? snapshot_of(values[0]) : NULL;
  PyObject *result = NULL;
  if (old != NULL) {
    fuse_span to = bytes_span(output);
    fuse_error *error = NULL;
    fuse_patched_file file = fuse_patched_file_empty();
    LongCall call;
    long_call_begin(&call, values[7]);
    fuse_status status = fuse_patch_apply_many(
        patches.spans, patches.count, old->reader, to.data, to.size, &options, &call.call, &file, &error);
    if (long_call_end(&call) && status == FUSE_OK) {
      result = Py_BuildValue(
          "{s:K,s:K,s:K}", "num_keys", (unsigned long long)file.key_count, "num_objects",
          (unsigned long long)file.object_count, "file_size", (unsigned long long)file.byte_count);
    } else {
      raise_error(status, error);
    }
  }
  snapshot_drop(old);
  Py_XDECREF(output);
  paths_free(&patches);
  return result;
}

/* ---- reindex ---- */

static PyObject *reindex(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  (void)module;
  /* The names of a writer's options that count here, in their places. */
  static const Signature signature = {"reindex", 1, 2, {"path", "output", "progress", WRITER_NAMES}};
  PyObject *values[MOST_ARGUMENTS], *path = NULL, *output = NULL, *result = NULL;
  WriterOptions writer;
  if (!arguments_read(&signature, arguments, count, names, values) || !writer_options_read(values + 3, &writer)) return NULL;
  fuse_reindex_options options = fuse_reindex_options_default();
  options.output_link = writer.options.output_link;
  options.networks = writer.options.networks;
  options.key_lengths = writer.options.key_lengths;
  options.reverse_index = writer.options.reverse_index;
  options.replaces_metadata = writer.metadata != NULL;
  options.metadata = writer.options.metadata;
  options.metadata_count = writer.options.metadata_count;
  options.has_greatest_shrink = writer.options.has_greatest_shrink;
  options.greatest_shrink = writer.options.greatest_shrink;
  options.least_key_count = writer.options.least_key_count;
  options.form = writer.options.form;
  options.has_form = values[3 + WRITER_COUNT - 1] != NULL && values[3 + WRITER_COUNT - 1] != Py_None;
  if (path_read(values[0], &path) && (values[1] == NULL || values[1] == Py_None || path_read(values[1], &output))) {
    if (output != NULL) options.output = bytes_span(output);
    fuse_span from = bytes_span(path);
    fuse_error *error = NULL;
    LongCall call;
    long_call_begin(&call, values[2]);
    fuse_status status = fuse_reindex(from.data, from.size, &options, &call.call, NULL, &error);
    bool goes_on = long_call_end(&call);
    result = status == FUSE_OK && goes_on ? Py_NewRef(Py_None) : raise_error(status, error);
  }
  Py_XDECREF(output);
  Py_XDECREF(path);
  writer_options_free(&writer);
  return result;
}

static PyObject *set_signals(PyObject *module, PyObject *word) {
  (void)module;
  static const char *const words[] = {"in-front", "once", "none", NULL};
  int32_t signals = -1;
  if (!argument_word(word, "signals", words, &signals)) return NULL;
  fuse_error *error = NULL;
  fuse_status status = fuse_set_signals(signals, &error);
  return status == FUSE_OK ? Py_NewRef(Py_None) : raise_error(status, error);
}

PyMethodDef tool_functions[] = {
    METHOD("merge", merge, FAST,
        "merge(*sources, output, combine=None, on_conflict=None, subtract=(), prefixes=(), progress=None, **options)\n--\n\n"
        "Writes one file with the keys of many. Of a key that several have, the last one counts, unless on_duplicate is\n"
        "'first' or 'error', or combine(key, first, second) says what it gets. Keys of the files in `subtract` are left\n"
        "out, and those that begin with none of `prefixes`. on_conflict(key, kept, dropped) hears of the first few keys\n"
        "of which files differ. Other options are those of FuseWriter.\n\n"
        "    >>> merge('geo.fsdb', 'networks.fsdb', output='merged.fsdb')\n"
        "    >>> len(FuseReader('merged.fsdb'))\n"
        "    6\n"),
    METHOD("make_patch", make_patch, FAST,
        "make_patch(old, new, output, *, output_link='replace', progress=None)\n--\n\n"
        "Writes the patch that makes the new file of the old one. Files are readers or paths. Returns what is in it.\n\n"
        "    >>> make_patch('geo.fsdb', 'geo-2.fsdb', 'geo.patch')['added_keys']\n"
        "    1\n"),
    METHOD("patch", apply_patch, FAST,
        "patch(old, patch, output, *, least_keys=0, greatest_shrink=None, greatest_size=None, output_link='replace',\n"
        "      progress=None)\n--\n\n"
        "Makes the new file of the old one and a patch; both are verified. The old one is a reader or a path. A list of\n"
        "patches, each made from what the one before it makes, is applied in one pass.\n\n"
        "    >>> report = make_patch('geo.fsdb', 'geo-2.fsdb', 'geo.patch')\n"
        "    >>> patch('geo.fsdb', 'geo.patch', 'patched.fsdb')['num_keys']\n"
        "    5\n"),
    METHOD("reindex", reindex, FAST,
        "reindex(path, output=None, *, metadata=None, networks='automatic', key_lengths=False, reverse_index=False,\n"
        "        least_keys=0, greatest_shrink=None, output_link='replace', form=None, progress=None)\n--\n\n"
        "Gives a file a new extension block, in its place or as another file. It is verified first. form='compact',\n"
        "'compact-fast' or 'family' writes it in that form; None keeps its own.\n\n"
        "    >>> reindex('geo.fsdb', 'described.fsdb', metadata={'source': 'a list'})\n"
        "    >>> FuseReader('described.fsdb').metadata\n"
        "    {'source': 'a list'}\n"),
    METHOD("verify", verify_path, FAST,
        "verify(path, *, level='full', progress=None)\n--\n\n"
        "Checks every byte of a file, also of one that cannot be opened, and says what is wrong.\n\n"
        "    >>> verify('geo.fsdb').damage_count\n"
        "    0\n"),
    METHOD("diff", diff, FAST,
        "diff(old, new, *, bytes_keys=False)\n--\n\n"
        "Walks through the keys that two files answer differently, in order. Files are readers or paths.\n\n"
        "    >>> [(change.kind, change.key) for change in diff('geo.fsdb', 'geo-2.fsdb')]\n"
        "    [('added', '9.9.9.9')]\n"),
    METHOD("set_signals", set_signals, METH_O,
        "set_signals(signals, /)\n--\n\n"
        "Says what happens to the process's handler of SIGBUS, which a mapped file raises that is cut while it is read. That of\n"
        "the library makes it FuseCorruptError, and passes on what is not about its files. 'in-front', the default: each open\n"
        "puts it before one that came later, such as faulthandler's, once for each. 'once': the first open alone. 'none': it\n"
        "is not installed, and such a file ends the process; memory='copied' is not concerned.\n\n"
        "    >>> set_signals('in-front')\n"),
    METHOD("_pack", packed_object, METH_O, "MessagePack of an object, as FuseWriter stores it."),
    METHOD("_unpack", unpacked_object, METH_O, "The object of MessagePack, as FuseReader gives it."),
    {NULL}};
