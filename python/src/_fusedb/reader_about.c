/* What a file says about itself, and whether it is sound. */
#include "common.h"

#include <stdio.h>

PyTypeObject *damage_type, *verification_type;

/* ---- statistics ---- */

static bool put_number(PyObject *dict, const char *name, uint64_t number) {
  PyObject *value = PyLong_FromUnsignedLongLong(number);
  bool done = value != NULL && PyDict_SetItemString(dict, name, value) == 0;
  Py_XDECREF(value);
  return done;
}

static bool put_object(PyObject *dict, const char *name, PyObject *value) {
  bool done = value != NULL && PyDict_SetItemString(dict, name, value) == 0;
  Py_XDECREF(value);
  return done;
}

/* What 0.3.0 says, in its order; all of it stands in the header. */
static PyObject *stats_object(Snapshot *snapshot, const fuse_reader_info *info) {
  PyObject *dict = PyDict_New();
  char checksum[16];
  snprintf(checksum, sizeof checksum, "0x%08x", info->checksum);
  if (dict != NULL && PyDict_SetItemString(dict, "path", snapshot->path) == 0 &&
      put_number(dict, "version", info->version) && put_number(dict, "num_keys", info->key_count) &&
      put_number(dict, "num_objects", info->object_count) && put_number(dict, "index_offset", info->index_offset) &&
      put_number(dict, "data_offset", 40) &&
      put_object(dict, "file_size_kb", PyFloat_FromDouble((double)info->byte_count / 1024)) &&
      put_object(dict, "file_crc32", PyUnicode_FromString(checksum)) && put_number(dict, "file_size", info->byte_count) &&
      put_number(dict, "num_networks", info->network_count))
    return dict;
  Py_XDECREF(dict);
  return NULL;
}

/* What is counted by reading the file. */
static bool add_counted(PyObject *dict, Snapshot *snapshot) {
  fuse_statistics all = fuse_statistics_empty();
  fuse_error *error = NULL;
  LongCall call;
  long_call_begin(&call, NULL);
  fuse_status status = fuse_reader_statistics(snapshot->reader, &call.call, &all, &error);
  if (!long_call_end(&call) || status != FUSE_OK) {
    raise_error(status, error);
    return false;
  }
  return put_number(dict, "data_size", all.data_byte_count) && put_number(dict, "index_size", all.index_byte_count) &&
      put_number(dict, "extension_size", all.extension_byte_count) && put_number(dict, "key_size", all.key_byte_count) &&
      put_number(dict, "object_size", all.object_byte_count) &&
      put_number(dict, "fewest_keys_per_object", all.fewest_keys_per_object) &&
      put_number(dict, "most_keys_per_object", all.most_keys_per_object) &&
      put_number(dict, "unreached_objects", all.unreached_object_count) &&
      put_number(dict, "saved_by_sharing", all.bytes_saved_by_sharing);
}

static PyObject *reader_stats(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"stats", 0, 0, {"full"}};
  PyObject *values[MOST_ARGUMENTS];
  bool full = false;
  if (!arguments_read(&signature, arguments, count, names, values) || !argument_flag(values[0], &full)) return NULL;
  Snapshot *snapshot = reader_snapshot(self);
  if (snapshot == NULL) return NULL;
  fuse_reader_info info = fuse_reader_info_empty();
  fuse_error *error = NULL;
  fuse_status status = fuse_reader_get_info(snapshot->reader, &info, &error);
  PyObject *dict = status == FUSE_OK ? stats_object(snapshot, &info) : raise_error(status, error);
  if (dict != NULL && full && !add_counted(dict, snapshot)) Py_CLEAR(dict);
  snapshot_drop(snapshot);
  return dict;
}

/* ---- metadata ---- */

PyObject *reader_metadata(PyObject *self, void *ignored) {
  (void)ignored;
  Snapshot *snapshot = reader_snapshot(self);
  if (snapshot == NULL) return NULL;
  fuse_buffer buffer = FUSE_BUFFER_EMPTY;
  fuse_error *error = NULL;
  fuse_status status = fuse_reader_metadata_json(snapshot->reader, &buffer, &error);
  PyObject *result = NULL;
  if (status == FUSE_OK) {
    result = package_call("_values", "from_json", "(s#)", (const char *)buffer.data, (Py_ssize_t)buffer.size);
  } else {
    raise_error(status, error);
  }
  fuse_buffer_free(&buffer);
  snapshot_drop(snapshot);
  return result;
}

PyObject *reader_shards(PyObject *self, void *ignored) {
  (void)ignored;
  Snapshot *snapshot = reader_snapshot(self);
  if (snapshot == NULL) return NULL;
  fuse_reader_info info = fuse_reader_info_empty();
  fuse_error *error = NULL;
  fuse_status status = fuse_reader_get_info(snapshot->reader, &info, &error);
  snapshot_drop(snapshot);
  if (status != FUSE_OK) return raise_error(status, error);
  if (info.shard_count == 0) return Py_NewRef(Py_None);
  return Py_BuildValue("(KK)", (unsigned long long)info.shard_count, (unsigned long long)info.set_generation);
}

/* ---- verifying ---- */

typedef struct Verifying {
  LongCall call;
  PyObject *damages;
  /* Whether the first one is enough. */
  bool first_only;
} Verifying;

static int add_damage(void *context, const fuse_damage *damage) {
  Verifying *verifying = context;
  long_call_enter(&verifying->call);
  PyObject *parts[] = {
      PyUnicode_FromString(damage->kind), PyLong_FromUnsignedLongLong(damage->offset),
      PyUnicode_DecodeUTF8(damage->message, (Py_ssize_t)strlen(damage->message), "replace")};
  PyObject *object = named_tuple(damage_type, 3, parts);
  bool ends = object == NULL || PyList_Append(verifying->damages, object) != 0 || verifying->first_only;
  Py_XDECREF(object);
  long_call_leave(&verifying->call);
  return ends;
}

static const char *const level_words[] = {"full", "checksums", NULL};

/* Verifies the file of a reader, or the one at a path. */
static PyObject *verify(
    Snapshot *snapshot, fuse_span path, PyObject *path_text, bool report, PyObject *level, PyObject *progress) {
  Verifying verifying;
  fuse_verify_options options = fuse_verify_options_default();
  if (!argument_word(level, "level", level_words, &options.level)) return NULL;
  options.on_damage = add_damage;
  options.context = &verifying;
  verifying.first_only = !report;
  verifying.damages = PyList_New(0);
  if (verifying.damages == NULL) return NULL;
  fuse_verification all = fuse_verification_empty();
  fuse_error *error = NULL;
  long_call_begin(&verifying.call, progress);
  fuse_status status = snapshot != NULL
      ? fuse_reader_verify(snapshot->reader, &options, &verifying.call.call, &all, &error)
      : fuse_verify(path.data, path.size, &options, &verifying.call.call, &all, &error);
  bool goes_on = long_call_end(&verifying.call);
  PyObject *result = NULL;
  bool is_damaged = PyList_Size(verifying.damages) > 0;
  if (goes_on && is_damaged && !report) {
    raise_damage(PyList_GetItem(verifying.damages, 0), path_text);
    fuse_error_free(error);
  } else if (!goes_on || status != FUSE_OK) {
    raise_error(status, error);
  } else if (!report) {
    result = Py_NewRef(Py_True);
  } else {
    PyObject *parts[] = {
        PyLong_FromUnsignedLongLong(all.byte_count), PyLong_FromUnsignedLongLong(all.key_count),
        PyLong_FromUnsignedLongLong(all.object_count), PyLong_FromUnsignedLongLong(all.damage_count),
        Py_NewRef(verifying.damages)};
    result = named_tuple(verification_type, 5, parts);
  }
  Py_DECREF(verifying.damages);
  return result;
}

static PyObject *reader_verify(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"verify", 0, 0, {"report", "level", "progress"}};
  PyObject *values[MOST_ARGUMENTS];
  bool report = false;
  if (!arguments_read(&signature, arguments, count, names, values) || !argument_flag(values[0], &report)) return NULL;
  Snapshot *snapshot = reader_snapshot(self);
  if (snapshot == NULL) return NULL;
  PyObject *result = verify(snapshot, (fuse_span){NULL, 0}, snapshot->path, report, values[1], values[2]);
  snapshot_drop(snapshot);
  return result;
}

PyObject *verify_path(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  (void)module;
  static const Signature signature = {"verify", 1, 1, {"path", "level", "progress"}};
  PyObject *values[MOST_ARGUMENTS], *path;
  if (!arguments_read(&signature, arguments, count, names, values) || !path_read(values[0], &path)) return NULL;
  PyObject *result = verify(NULL, bytes_span(path), NULL, true, values[1], values[2]);
  Py_DECREF(path);
  return result;
}

static PyObject *reader_check(PyObject *self, PyObject *ignored) {
  (void)ignored;
  Snapshot *snapshot = reader_snapshot(self);
  if (snapshot == NULL) return NULL;
  bool is_sound = snapshot_check(snapshot);
  snapshot_drop(snapshot);
  return is_sound ? Py_NewRef(Py_True) : NULL;
}

PyMethodDef about_methods[] = {
    METHOD("stats", reader_stats, FAST,
        "stats($self, /, *, full=False)\n--\n\n"
        "What the file says that it holds, as a dict; full=True reads the file and counts more.\n\n"
        "    >>> FuseReader('geo.fsdb').stats()['num_keys']\n"
        "    4\n"),
    METHOD("verify", reader_verify, FAST,
        "verify($self, /, *, report=False, level='full', progress=None)\n--\n\n"
        "Checks every byte: True, or FuseCorruptError for the first damage. With report=True all damage is listed\n"
        "instead. level='checksums' compares checksums alone. `progress` is called with the share that is done; what it\n"
        "raises ends the call.\n\n"
        "    >>> db = FuseReader('geo.fsdb')\n"
        "    >>> db.verify()\n"
        "    True\n"
        "    >>> db.verify(report=True).damages\n"
        "    []\n"),
    METHOD("check", reader_check, METH_NOARGS,
        "check($self)\n--\n\n"
        "True while the file is as it was opened; raises once it was cut or overwritten. What was read from a memoryview\n"
        "of get_raw before this was the file's.\n\n"
        "    >>> FuseReader('geo.fsdb').check()\n"
        "    True\n"),
    {NULL}};

bool about_types(PyObject *module) {
  static PyStructSequence_Field damage_fields[] = {
      {"kind", "which rule is broken"}, {"offset", "where in the file"}, {"message", "what is wrong"}, {NULL}};
  static PyStructSequence_Desc damage_description = {
      "fusedb_swift.Damage", "One thing that is wrong with a file.", damage_fields, 3};
  static PyStructSequence_Field fields[] = {
      {"byte_count", "bytes of the file"}, {"key_count", "keys that were read"}, {"object_count", "objects that were read"},
      {"damage_count", "how much is wrong"}, {"damages", "what is wrong, a list"}, {NULL}};
  static PyStructSequence_Desc description = {"fusedb_swift.Verification", "What verify() found.", fields, 5};
  damage_type = PyStructSequence_NewType(&damage_description);
  verification_type = PyStructSequence_NewType(&description);
  return damage_type != NULL && verification_type != NULL &&
      PyModule_AddObjectRef(module, "Damage", (PyObject *)damage_type) == 0 &&
      PyModule_AddObjectRef(module, "Verification", (PyObject *)verification_type) == 0;
}
