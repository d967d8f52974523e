/* What covers a question best: blocks of addresses, domains, prefixes, e-mail addresses. */
#include "common.h"

PyTypeObject *match_type, *network_match_type;

/* Puts values that are owned into a new tuple with names; NULL among them, or as the type, fails. */
PyObject *named_tuple(PyTypeObject *type, int count, PyObject **values) {
  bool complete = true;
  for (int place = 0; place < count; place++) complete = complete && values[place] != NULL;
  PyObject *tuple = complete ? PyStructSequence_New(type) : NULL;
  for (int place = 0; place < count; place++) {
    if (tuple != NULL) PyStructSequence_SetItem(tuple, place, values[place]);
    else Py_XDECREF(values[place]);
  }
  return tuple;
}

/* ---- domains, prefixes, e-mail addresses ---- */

typedef fuse_status Finder(
    const fuse_reader *reader, const char *text, size_t size, fuse_match *match, fuse_error **error);

static fuse_status longest_prefix(
    const fuse_reader *reader, const char *text, size_t size, fuse_match *match, fuse_error **error) {
  return fuse_longest_prefix(reader, text, size, match, error);
}

static PyObject *find_match(
    PyObject *self, Finder *finder, const Signature *signature, PyObject *const *arguments, Py_ssize_t count,
    PyObject *names) {
  PyObject *values[MOST_ARGUMENTS];
  Key key;
  if (!arguments_read(signature, arguments, count, names, values) || !key_read(values[0], &key)) return NULL;
  Snapshot *snapshot = reader_snapshot(self);
  PyObject *result = NULL;
  if (snapshot != NULL) {
    fuse_match match;
    fuse_error *error = NULL;
    fuse_status status = finder(snapshot->reader, key.data, key.size, &match, &error);
    if (status == FUSE_OK) {
      PyObject *parts[] = {text_lossy(match.key), value_decode(match.value.data, match.value.size)};
      result = named_tuple(match_type, 2, parts);
      if (fuse_reader_check(snapshot->reader, NULL) != FUSE_OK) {
        PyErr_Clear();
        Py_CLEAR(result);
        snapshot_check(snapshot);
      }
    } else if (status == FUSE_NONE) {
      result = Py_NewRef(Py_None);
    } else {
      raise_error(status, error);
    }
    snapshot_drop(snapshot);
  }
  key_free(&key);
  return result;
}

static PyObject *reader_longest_suffix(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"longest_suffix", 1, 1, {"domain"}};
  return find_match(self, fuse_longest_suffix, &signature, arguments, count, names);
}

static PyObject *reader_longest_email(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"longest_email", 1, 1, {"address"}};
  return find_match(self, fuse_longest_email, &signature, arguments, count, names);
}

static PyObject *reader_longest_prefix(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"longest_prefix", 1, 1, {"text"}};
  return find_match(self, longest_prefix, &signature, arguments, count, names);
}

/* ---- addresses ---- */

/* An address: text, 4 or 16 bytes, or an object of Python's ipaddress, which knows its bytes. */
typedef struct Address {
  Key key;
  /* What the object knows; owned. */
  PyObject *packed;
  bool is_bytes;
} Address;

static bool read_address(PyObject *object, Address *address) {
  address->packed = NULL;
  address->key.copy = NULL;
  address->is_bytes = !PyUnicode_Check(object);
  PyObject *source = object;
  if (address->is_bytes && !PyObject_CheckBuffer(object)) {
    source = address->packed = PyObject_GetAttrString(object, "packed");
    if (source == NULL && !PyErr_ExceptionMatches(PyExc_AttributeError)) return false;
    PyErr_Clear();
  }
  if (source != NULL && (PyUnicode_Check(source) || PyObject_CheckBuffer(source))) {
    if (!key_read(source, &address->key)) {
      Py_CLEAR(address->packed);
      return false;
    }
    if (!address->is_bytes || address->key.size == 4 || address->key.size == 16) return true;
    key_free(&address->key);
  }
  Py_CLEAR(address->packed);
  PyErr_SetString(PyExc_ValueError, "an address is text, 4 or 16 bytes, or an address of ipaddress");
  return false;
}

static void free_address(Address *address) {
  key_free(&address->key);
  Py_CLEAR(address->packed);
}

static PyObject *network_object(const fuse_network *network) {
  char text[FUSE_NETWORK_TEXT_SIZE];
  fuse_error *error = NULL;
  fuse_status status = fuse_network_text(network, text, &error);
  return status == FUSE_OK ? PyUnicode_FromString(text) : raise_error(status, error);
}

static PyObject *network_match_object(Snapshot *snapshot, const fuse_network_match *match) {
  PyObject *parts[] = {
      network_object(&match->key), value_decode(match->value.data, match->value.size), network_object(&match->scope)};
  PyObject *result = named_tuple(network_match_type, 3, parts);
  if (fuse_reader_check(snapshot->reader, NULL) == FUSE_OK) return result;
  PyErr_Clear();
  Py_XDECREF(result);
  snapshot_check(snapshot);
  return NULL;
}

static PyObject *reader_longest_match(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"longest_match", 1, 1, {"address"}};
  PyObject *values[MOST_ARGUMENTS];
  Address address;
  if (!arguments_read(&signature, arguments, count, names, values)) return NULL;
  if (!read_address(values[0], &address)) return NULL;
  Snapshot *snapshot = reader_snapshot(self);
  PyObject *result = NULL;
  if (snapshot != NULL) {
    fuse_network_match match;
    fuse_error *error = NULL;
    fuse_status status = address.is_bytes
        ? fuse_longest_match_bytes(snapshot->reader, (const uint8_t *)address.key.data, address.key.size, &match, &error)
        : fuse_longest_match(snapshot->reader, address.key.data, address.key.size, &match, &error);
    if (status == FUSE_OK) result = network_match_object(snapshot, &match);
    else result = status == FUSE_NONE ? Py_NewRef(Py_None) : raise_error(status, error);
    snapshot_drop(snapshot);
  }
  free_address(&address);
  return result;
}

/* One for each length of a prefix: what fuse_containing gives at most. */
#define MOST_BLOCKS 129

static PyObject *reader_containing(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"containing", 1, 1, {"address"}};
  PyObject *values[MOST_ARGUMENTS];
  if (!arguments_read(&signature, arguments, count, names, values)) return NULL;
  PyObject *text = PyObject_Str(values[0]);
  Py_ssize_t size = 0;
  const char *address = text == NULL ? NULL : PyUnicode_AsUTF8AndSize(text, &size);
  Snapshot *snapshot = address == NULL ? NULL : reader_snapshot(self);
  fuse_network_match *matches = snapshot == NULL ? NULL : PyMem_Malloc(MOST_BLOCKS * sizeof *matches);
  PyObject *list = NULL;
  if (matches != NULL) {
    size_t found = 0;
    fuse_error *error = NULL;
    fuse_status status =
        fuse_containing(snapshot->reader, address, (size_t)size, matches, MOST_BLOCKS, &found, &error);
    if (status == FUSE_OK || status == FUSE_NONE) list = PyList_New(0);
    else raise_error(status, error);
    for (size_t place = 0; list != NULL && status == FUSE_OK && place < found && place < MOST_BLOCKS; place++) {
      PyObject *match = network_match_object(snapshot, &matches[place]);
      if (match == NULL || PyList_Append(list, match) != 0) Py_CLEAR(list);
      Py_XDECREF(match);
    }
  }
  PyMem_Free(matches);
  snapshot_drop(snapshot);
  Py_XDECREF(text);
  return list;
}

PyMethodDef match_methods[] = {
    METHOD("longest_match", reader_longest_match, FAST,
        "longest_match($self, /, address)\n--\n\n"
        "The longest block that holds an address: its key, the object, and the largest block around the address of which\n"
        "all addresses have this answer. None where no block does. Addresses are text, 4 or 16 bytes, or objects of\n"
        "ipaddress.\n\n"
        "    >>> match = FuseReader('networks.fsdb').longest_match('10.1.2.3')\n"
        "    >>> match.key, match.value, match.scope\n"
        "    ('10.1.0.0/16', {'name': 'office'}, '10.1.0.0/16')\n"),
    METHOD("containing", reader_containing, FAST,
        "containing($self, /, address)\n--\n\n"
        "All blocks that hold an address, the longest first.\n\n"
        "    >>> [match.key for match in FuseReader('networks.fsdb').containing('10.1.2.3')]\n"
        "    ['10.1.0.0/16', '10.0.0.0/8']\n"),
    METHOD("longest_suffix", reader_longest_suffix, FAST,
        "longest_suffix($self, /, domain)\n--\n\n"
        "The key that covers a domain name best: the name, or *.x or .x of a part of it. None where none does.\n\n"
        "    >>> FuseReader('domains.fsdb').longest_suffix('www.example.com').key\n"
        "    '.example.com'\n"),
    METHOD("longest_email", reader_longest_email, FAST,
        "longest_email($self, /, address)\n--\n\n"
        "The key that covers an e-mail address best: itself, or what covers its domain.\n\n"
        "    >>> FuseReader('domains.fsdb').longest_email('someone@example.com').key\n"
        "    '.example.com'\n"),
    METHOD("longest_prefix", reader_longest_prefix, FAST,
        "longest_prefix($self, /, text)\n--\n\n"
        "The longest key with which a text begins.\n\n"
        "    >>> FuseReader('prefixes.fsdb').longest_prefix('+49 30 123').key\n"
        "    '+49 30'\n"),
    {NULL}};

bool match_types(PyObject *module) {
  static PyStructSequence_Field match_fields[] = {{"key", "the key"}, {"value", "the object"}, {NULL}};
  static PyStructSequence_Desc match_description = {"fusedb_swift.Match", "The key that covers a question best.", match_fields, 2};
  static PyStructSequence_Field network_fields[] = {
      {"key", "the block"}, {"value", "the object"},
      {"scope", "the largest block around the address of which all addresses have this answer"}, {NULL}};
  static PyStructSequence_Desc network_description = {
      "fusedb_swift.NetworkMatch", "The longest block that holds an address.", network_fields, 3};
  match_type = PyStructSequence_NewType(&match_description);
  network_match_type = PyStructSequence_NewType(&network_description);
  return match_type != NULL && network_match_type != NULL &&
      PyModule_AddObjectRef(module, "Match", (PyObject *)match_type) == 0 &&
      PyModule_AddObjectRef(module, "NetworkMatch", (PyObject *)network_match_type) == 0;
}
