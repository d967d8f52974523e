/* Walks through entries: scan() and the lists made of it. */
#include "common.h"

/* So many entries are fetched at once, while others run. */
#define BATCH 128

PyTypeObject *scan_type;

/* What a walk gives for each entry. */
typedef enum Gives { KEYS, VALUES, PAIRS } Gives;

typedef struct Scan {
  PyObject_HEAD
  Snapshot *snapshot;
  fuse_scan *scan;
  Gives gives;
  bool bytes_keys;
  /* Another thread fetches. */
  bool busy;
  /* After the last entry that was fetched: FUSE_OK where there may be more. */
  fuse_status status;
  fuse_error *error;
  size_t next;
  size_t count;
  fuse_entry entries[BATCH];
} Scan;

/* Takes over the walk, and the reference to the snapshot. */
static PyObject *make_scan(Snapshot *snapshot, fuse_scan *walk, Gives gives, bool bytes_keys) {
  Scan *scan = PyObject_New(Scan, scan_type);
  if (scan == NULL) {
    fuse_scan_close(walk);
    snapshot_drop(snapshot);
    return NULL;
  }
  scan->snapshot = snapshot;
  scan->scan = walk;
  scan->gives = gives;
  scan->bytes_keys = bytes_keys;
  scan->busy = false;
  scan->status = FUSE_OK;
  scan->error = NULL;
  scan->next = scan->count = 0;
  return (PyObject *)scan;
}

static void scan_free(PyObject *self) {
  Scan *scan = (Scan *)self;
  PyTypeObject *type = Py_TYPE(self);
  fuse_scan_close(scan->scan);
  fuse_error_free(scan->error);
  snapshot_drop(scan->snapshot);
  PyObject_Free(self);
  Py_DECREF(type);
}

/* Fetches the next entries. False where there are none, or after raising. */
static bool fetch(Scan *scan) {
  if (scan->busy) {
    PyErr_SetString(PyExc_ValueError, "another thread is in this scan; each thread needs a scan of its own");
    return false;
  }
  if (scan->status == FUSE_NONE) return false;
  if (scan->status != FUSE_OK) {
    fuse_error *error = scan->error;
    fuse_status status = scan->status;
    scan->error = NULL;
    scan->status = FUSE_NONE;
    raise_error(status, error);
    return false;
  }
  /* Meanwhile `next` and `count` say that there is nothing to take. */
  scan->busy = true;
  size_t count = 0;
  ALLOW_THREADS(state);
  fuse_status status = fuse_scan_next_many(scan->scan, scan->entries, BATCH, &count, &scan->error);
  DISALLOW_THREADS(state);
  scan->busy = false;
  scan->next = 0;
  scan->count = count;
  scan->status = status == FUSE_OK && count == 0 ? FUSE_NONE : status;
  if (PyErr_CheckSignals() != 0) return false;
  return count > 0 || fetch(scan);
}

static PyObject *key_object(Scan *scan, fuse_span key) {
  return scan->bytes_keys ? PyBytes_FromStringAndSize(key.data, (Py_ssize_t)key.size) : text_lossy(key);
}

static PyObject *pair(PyObject *first, PyObject *second) {
  PyObject *tuple = first == NULL || second == NULL ? NULL : PyTuple_New(2);
  if (tuple == NULL) {
    Py_XDECREF(first);
    Py_XDECREF(second);
    return NULL;
  }
  PyTuple_SetItem(tuple, 0, first);
  PyTuple_SetItem(tuple, 1, second);
  return tuple;
}

static PyObject *scan_next(PyObject *self) {
  Scan *scan = (Scan *)self;
  if (scan->next == scan->count && !fetch(scan)) return NULL;
  fuse_entry entry = scan->entries[scan->next++];
  PyObject *key = scan->gives == VALUES ? NULL : key_object(scan, entry.key);
  PyObject *value = scan->gives == KEYS ? NULL : value_decode(entry.value.data, entry.value.size);
  PyObject *result = scan->gives == PAIRS ? pair(key, value) : scan->gives == KEYS ? key : value;
  if (!UNLIKELY(fuse_reader_check(scan->snapshot->reader, NULL) != FUSE_OK)) return result;
  PyErr_Clear();
  Py_XDECREF(result);
  snapshot_check(scan->snapshot);
  return NULL;
}

static PyObject *scan_length_hint(PyObject *self, PyObject *ignored) {
  (void)ignored;
  Scan *scan = (Scan *)self;
  uint64_t remaining = 0;
  if (scan->busy || fuse_scan_remaining(scan->scan, &remaining, NULL) != FUSE_OK) return Py_NewRef(Py_NotImplemented);
  return PyLong_FromUnsignedLongLong(remaining + (scan->count - scan->next));
}

/* ---- opening walks ---- */

typedef struct Bounds {
  Key from, up_to, prefix;
  fuse_scan_options options;
} Bounds;

static bool read_bound(PyObject *object, Key *key, const void **data, size_t *size) {
  if (object == NULL || object == Py_None) return true;
  if (!key_read(object, key)) return false;
  *data = key->data == NULL ? "" : key->data;
  *size = key->size;
  return true;
}

static PyObject *open_scan(
    PyObject *self, PyObject *prefix, PyObject *from, PyObject *up_to, bool reverse, Gives gives, bool bytes_keys) {
  Bounds bounds;
  memset(&bounds, 0, sizeof bounds);
  bounds.options = fuse_scan_options_default();
  fuse_scan_options *options = &bounds.options;
  /* Each batch is made into objects before the next one is read. */
  options->until_next = true;
  options->direction = reverse ? FUSE_DESCENDING : FUSE_ASCENDING;
  options->keys_only = gives == KEYS;
  Snapshot *snapshot = reader_snapshot(self);
  PyObject *scan = NULL;
  if (snapshot != NULL && read_bound(prefix, &bounds.prefix, &options->prefix, &options->prefix_size) &&
      read_bound(from, &bounds.from, &options->from, &options->from_size) &&
      read_bound(up_to, &bounds.up_to, &options->up_to, &options->up_to_size)) {
    fuse_scan *walk = NULL;
    fuse_error *error = NULL;
    fuse_status status = fuse_scan_open(snapshot->reader, options, &walk, &error);
    if (status == FUSE_OK) {
      scan = make_scan(snapshot_keep(snapshot), walk, gives, bytes_keys);
    } else {
      raise_error(status, error);
    }
  }
  key_free(&bounds.from);
  key_free(&bounds.up_to);
  key_free(&bounds.prefix);
  snapshot_drop(snapshot);
  return scan;
}

PyObject *reader_iterate(PyObject *self) { return open_scan(self, NULL, NULL, NULL, false, KEYS, false); }

static PyObject *reader_scan(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {
      "scan", 0, 1, {"prefix", "start", "stop", "reverse", "keys_only", "bytes_keys"}};
  PyObject *values[MOST_ARGUMENTS];
  bool reverse = false, keys_only = false, bytes_keys = false;
  if (!arguments_read(&signature, arguments, count, names, values) || !argument_flag(values[3], &reverse) ||
      !argument_flag(values[4], &keys_only) || !argument_flag(values[5], &bytes_keys))
    return NULL;
  return open_scan(self, values[0], values[1], values[2], reverse, keys_only ? KEYS : PAIRS, bytes_keys);
}

/* ---- lists ---- */

static PyObject *list_of(PyObject *scan) {
  PyObject *list = scan == NULL ? NULL : PySequence_List(scan);
  Py_XDECREF(scan);
  return list;
}

static PyObject *list_all(
    PyObject *self, const Signature *signature, Gives gives, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  PyObject *values[MOST_ARGUMENTS];
  bool bytes_keys = false;
  if (!arguments_read(signature, arguments, count, names, values) || !argument_flag(values[0], &bytes_keys)) return NULL;
  return list_of(open_scan(self, NULL, NULL, NULL, false, gives, bytes_keys));
}

static PyObject *reader_keys(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"keys", 0, 0, {"bytes_keys"}};
  return list_all(self, &signature, KEYS, arguments, count, names);
}

static PyObject *reader_items(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"items", 0, 0, {"bytes_keys"}};
  return list_all(self, &signature, PAIRS, arguments, count, names);
}

static PyObject *reader_prefix(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"prefix", 1, 1, {"prefix", "bytes_keys"}};
  PyObject *values[MOST_ARGUMENTS];
  bool bytes_keys = false;
  if (!arguments_read(&signature, arguments, count, names, values) || !argument_flag(values[1], &bytes_keys)) return NULL;
  if (values[0] == Py_None) {
    PyErr_SetString(PyExc_ValueError, "key must be str or bytes");
    return NULL;
  }
  return list_of(open_scan(self, values[0], NULL, NULL, false, PAIRS, bytes_keys));
}

/* Puts the objects of entries that are seen for the first time into a list. */
static bool add_objects(Scan *scan, NumberSet *seen, PyObject *list) {
  for (; scan->next < scan->count; scan->next++) {
    const fuse_entry *entry = &scan->entries[scan->next];
    int is_new = numbers_add(seen, entry->object);
    if (is_new < 0) PyErr_NoMemory();
    if (is_new == 0) continue;
    PyObject *value = is_new < 0 ? NULL : value_decode(entry->value.data, entry->value.size);
    bool done = value != NULL && PyList_Append(list, value) == 0;
    Py_XDECREF(value);
    if (!done) return false;
  }
  return snapshot_check(scan->snapshot);
}

static PyObject *reader_objects(PyObject *self, PyObject *ignored) {
  (void)ignored;
  Scan *scan = (Scan *)open_scan(self, NULL, NULL, NULL, false, PAIRS, false);
  PyObject *list = scan == NULL ? NULL : PyList_New(0);
  NumberSet seen = {NULL, 0, 0};
  while (list != NULL && fetch(scan))
    if (!add_objects(scan, &seen, list)) Py_CLEAR(list);
  if (PyErr_Occurred()) Py_CLEAR(list);
  numbers_free(&seen);
  Py_XDECREF((PyObject *)scan);
  return list;
}

/* ---- walks of another kind ---- */

static PyObject *reader_aliases(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"aliases", 1, 1, {"key", "bytes_keys"}};
  PyObject *values[MOST_ARGUMENTS];
  bool bytes_keys = false;
  Key key;
  if (!arguments_read(&signature, arguments, count, names, values) || !argument_flag(values[1], &bytes_keys)) return NULL;
  Snapshot *snapshot = reader_snapshot(self);
  if (snapshot == NULL || !key_read(values[0], &key)) {
    snapshot_drop(snapshot);
    return NULL;
  }
  fuse_scan_options options = fuse_scan_options_default();
  options.until_next = true;
  options.keys_only = true;
  fuse_scan *walk = NULL;
  fuse_error *error = NULL;
  fuse_status status = fuse_scan_open_sharing(snapshot->reader, key.data, key.size, &options, &walk, &error);
  key_free(&key);
  if (status == FUSE_OK) return list_of(make_scan(snapshot, walk, KEYS, bytes_keys));
  snapshot_drop(snapshot);
  return status == FUSE_NONE ? PyList_New(0) : raise_error(status, error);
}

static PyObject *reader_networks(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"networks", 1, 1, {"block", "keys_only"}};
  PyObject *values[MOST_ARGUMENTS];
  bool keys_only = false;
  if (!arguments_read(&signature, arguments, count, names, values) || !argument_flag(values[1], &keys_only)) return NULL;
  PyObject *text = PyObject_Str(values[0]);
  Py_ssize_t size = 0;
  const char *block = text == NULL ? NULL : PyUnicode_AsUTF8AndSize(text, &size);
  Snapshot *snapshot = block == NULL ? NULL : reader_snapshot(self);
  PyObject *result = NULL;
  if (snapshot != NULL) {
    fuse_scan_options options = fuse_scan_options_default();
    options.until_next = true;
    options.keys_only = keys_only;
    fuse_scan *walk = NULL;
    fuse_error *error = NULL;
    fuse_status status = fuse_scan_open_networks(snapshot->reader, block, (size_t)size, &options, &walk, &error);
    if (status == FUSE_OK) {
      result = make_scan(snapshot, walk, keys_only ? KEYS : PAIRS, false);
    } else {
      snapshot_drop(snapshot);
      raise_error(status, error);
    }
  }
  Py_XDECREF(text);
  return result;
}

PyMethodDef listing_methods[] = {
    METHOD("scan", reader_scan, FAST,
        "scan($self, /, prefix=None, *, start=None, stop=None, reverse=False, keys_only=False, bytes_keys=False)\n--\n\n"
        "Walks through (key, object) pairs in the order of the keys' bytes, a few at a time: from `start` on, up to but\n"
        "without `stop`, or through the keys with a prefix.\n\n"
        "    >>> for key, value in FuseReader('geo.fsdb').scan(start='2'):\n"
        "    ...     print(key, value['org'])\n"
        "    8.8.4.4 Google\n"
        "    8.8.8.8 Google\n"
        "    gmail.com Google\n"),
    METHOD("keys", reader_keys, FAST,
        "keys($self, /, *, bytes_keys=False)\n--\n\n"
        "All keys in order. What is no UTF-8 in them becomes U+FFFD, unless bytes_keys asks for bytes.\n\n"
        "    >>> FuseReader('geo.fsdb').keys()\n"
        "    ['1.1.1.1', '8.8.4.4', '8.8.8.8', 'gmail.com']\n"),
    METHOD("items", reader_items, FAST,
        "items($self, /, *, bytes_keys=False)\n--\n\n"
        "All (key, object) pairs in the order of the keys.\n\n"
        "    >>> FuseReader('geo.fsdb').items()[0]\n"
        "    ('1.1.1.1', {'org': 'Cloudflare', 'asn': 13335})\n"),
    METHOD("prefix", reader_prefix, FAST,
        "prefix($self, /, prefix, *, bytes_keys=False)\n--\n\n"
        "The (key, object) pairs whose key begins with a prefix, in order.\n\n"
        "    >>> [key for key, value in FuseReader('geo.fsdb').prefix('8.8.')]\n"
        "    ['8.8.4.4', '8.8.8.8']\n"),
    METHOD("objects", reader_objects, METH_NOARGS,
        "objects($self)\n--\n\n"
        "Each object once, in the order of its first key.\n\n"
        "    >>> [value['asn'] for value in FuseReader('geo.fsdb').objects()]\n"
        "    [13335, 15169]\n"),
    METHOD("aliases", reader_aliases, FAST,
        "aliases($self, /, key, *, bytes_keys=False)\n--\n\n"
        "The keys that share the object of a key, itself among them; none where the file lacks it. In a file without a\n"
        "reverse index this looks at all keys.\n\n"
        "    >>> FuseReader('geo.fsdb').aliases('gmail.com')\n"
        "    ['8.8.4.4', '8.8.8.8', 'gmail.com']\n"),
    METHOD("networks", reader_networks, FAST,
        "networks($self, /, block, *, keys_only=False)\n--\n\n"
        "Walks through the blocks of addresses inside of one.\n\n"
        "    >>> [key for key, value in FuseReader('networks.fsdb').networks('10.0.0.0/8')]\n"
        "    ['10.0.0.0/8', '10.1.0.0/16']\n"),
    {NULL}};

bool listing_types(void) {
  static PyMethodDef methods[] = {
      METHOD("__length_hint__", scan_length_hint, METH_NOARGS, "How many entries are still to come."), {NULL}};
  static PyType_Slot slots[] = {
      {Py_tp_dealloc, scan_free}, {Py_tp_iter, PyObject_SelfIter}, {Py_tp_iternext, scan_next}, {Py_tp_methods, methods},
      {0, NULL}};
  static PyType_Spec spec = {
      "fusedb_swift._fusedb.Scan", sizeof(Scan), 0,
      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};
  scan_type = type_make(NULL, &spec, NULL);
  return scan_type != NULL;
}
