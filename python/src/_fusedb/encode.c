/* Python objects to MessagePack, as msgpack.packb(object, use_bin_type=True) writes them. */
#include "common.h"

static const int most_levels = 1024;

static bool encode(PyObject *object, Packed *packed, int levels);

void packed_begin(Packed *packed) {
  packed->data = packed->place;
  packed->size = 0;
  packed->capacity = sizeof packed->place;
}

void packed_free(Packed *packed) {
  if (packed->data != packed->place) PyMem_Free(packed->data);
}

static uint8_t *room(Packed *packed, size_t size) {
  if (size > packed->capacity - packed->size) {
    size_t capacity = 2 * packed->capacity > packed->size + size ? 2 * packed->capacity : packed->size + size;
    uint8_t *data = packed->data == packed->place ? PyMem_Malloc(capacity) : PyMem_Realloc(packed->data, capacity);
    if (data == NULL) {
      PyErr_NoMemory();
      return NULL;
    }
    if (packed->data == packed->place) memcpy(data, packed->place, packed->size);
    packed->data = data;
    packed->capacity = capacity;
  }
  uint8_t *place = packed->data + packed->size;
  packed->size += size;
  return place;
}

/* A tag, and a number of `size` bytes in network order. */
bool packed_put(Packed *packed, uint8_t tag, uint64_t number, int size) {
  uint8_t *place = room(packed, (size_t)size + 1);
  if (place == NULL) return false;
  *place++ = tag;
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) *place++ = (uint8_t)(number >> shift);
  return true;
}

bool packed_bytes(Packed *packed, const void *data, size_t size) {
  uint8_t *place = room(packed, size);
  if (place == NULL) return false;
  if (size > 0) memcpy(place, data, size);
  return true;
}

/* The head of what has a length: tags for 1, 2 and 4 bytes, of which 0 is none. */
static bool packed_head(Packed *packed, size_t size, uint8_t small, size_t least, uint8_t one, uint8_t two, uint8_t four) {
  if (size < least) return packed_put(packed, (uint8_t)(small | size), 0, 0);
  if (one != 0 && size <= UINT8_MAX) return packed_put(packed, one, size, 1);
  if (size <= UINT16_MAX) return packed_put(packed, two, size, 2);
  if (size <= UINT32_MAX) return packed_put(packed, four, size, 4);
  PyErr_SetString(PyExc_ValueError, "a part of the value is longer than 4 GiB");
  return false;
}

bool packed_unsigned(Packed *packed, uint64_t number) {
  if (number < 0x80) return packed_put(packed, (uint8_t)number, 0, 0);
  if (number <= UINT8_MAX) return packed_put(packed, 0xcc, number, 1);
  if (number <= UINT16_MAX) return packed_put(packed, 0xcd, number, 2);
  if (number <= UINT32_MAX) return packed_put(packed, 0xce, number, 4);
  return packed_put(packed, 0xcf, number, 8);
}

bool packed_signed(Packed *packed, int64_t number) {
  if (number >= 0) return packed_unsigned(packed, (uint64_t)number);
  if (number >= -32) return packed_put(packed, (uint8_t)number, 0, 0);
  if (number >= INT8_MIN) return packed_put(packed, 0xd0, (uint64_t)number, 1);
  if (number >= INT16_MIN) return packed_put(packed, 0xd1, (uint64_t)number, 2);
  if (number >= INT32_MIN) return packed_put(packed, 0xd2, (uint64_t)number, 4);
  return packed_put(packed, 0xd3, (uint64_t)number, 8);
}

bool packed_double(Packed *packed, double number) {
  uint64_t bits;
  memcpy(&bits, &number, 8);
  return packed_put(packed, 0xcb, bits, 8);
}

bool packed_text(Packed *packed, const void *data, size_t size) {
  return packed_head(packed, size, 0xa0, 32, 0xd9, 0xda, 0xdb) && packed_bytes(packed, data, size);
}

bool packed_binary(Packed *packed, const void *data, size_t size) {
  return packed_head(packed, size, 0, 0, 0xc4, 0xc5, 0xc6) && packed_bytes(packed, data, size);
}

bool packed_list(Packed *packed, size_t count) { return packed_head(packed, count, 0x90, 16, 0, 0xdc, 0xdd); }

bool packed_map(Packed *packed, size_t count) { return packed_head(packed, count, 0x80, 16, 0, 0xde, 0xdf); }

bool packed_extension(Packed *packed, int8_t code, const void *data, size_t size) {
  bool is_fixed = size > 0 && size <= 16 && (size & (size - 1)) == 0;
  uint8_t type = (uint8_t)code;
  return (is_fixed ? packed_put(packed, (uint8_t)(0xd4 + __builtin_ctz((unsigned)size)), 0, 0)
                   : packed_head(packed, size, 0, 0, 0xc7, 0xc8, 0xc9)) &&
      packed_bytes(packed, &type, 1) && packed_bytes(packed, data, size);
}

static bool encode_integer(PyObject *object, Packed *packed) {
  int overflow;
  long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
  if (number == -1 && overflow == 0 && PyErr_Occurred()) return false;
  if (overflow > 0) {
    unsigned long long large = PyLong_AsUnsignedLongLong(object);
    if (!PyErr_Occurred()) return packed_unsigned(packed, large);
    PyErr_Clear();
  }
  if (overflow != 0) {
    PyErr_SetString(PyExc_OverflowError, "Integer value out of range");
    return false;
  }
  return packed_signed(packed, number);
}

static bool encode_text(PyObject *object, Packed *packed) {
  Py_ssize_t size;
  const char *data = PyUnicode_AsUTF8AndSize(object, &size);
  return data != NULL && packed_text(packed, data, (size_t)size);
}

static bool encode_bytes(PyObject *object, Packed *packed) {
  if (PyBytes_Check(object)) return packed_binary(packed, PyBytes_AsString(object), (size_t)PyBytes_Size(object));
  PyObject *copy = PyBytes_FromObject(object);
  bool done = copy != NULL && encode_bytes(copy, packed);
  Py_XDECREF(copy);
  return done;
}

static bool encode_sequence(PyObject *object, Packed *packed, int levels) {
  /* A tuple of the elements, which nobody changes meanwhile. */
  PyObject *tuple = PySequence_Tuple(object);
  if (tuple == NULL) return false;
  Py_ssize_t count = PyTuple_Size(tuple);
  bool done = packed_list(packed, (size_t)count);
  for (Py_ssize_t place = 0; done && place < count; place++)
    done = encode(PyTuple_GetItem(tuple, place), packed, levels + 1);
  Py_DECREF(tuple);
  return done;
}

static bool encode_pairs(PyObject *object, Packed *packed, int levels) {
  PyObject *items = PyMapping_Items(object);
  if (items == NULL) return false;
  Py_ssize_t count = PyList_Size(items);
  bool done = packed_map(packed, (size_t)count);
  for (Py_ssize_t place = 0; done && place < count; place++) {
    PyObject *pair = PySequence_Tuple(PyList_GetItem(items, place));
    done = pair != NULL && PyTuple_Size(pair) == 2 && encode(PyTuple_GetItem(pair, 0), packed, levels + 1) &&
        encode(PyTuple_GetItem(pair, 1), packed, levels + 1);
    Py_XDECREF(pair);
  }
  Py_DECREF(items);
  if (!done && !PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "items() of a map gave something else than pairs");
  return done;
}

static bool encode_dict(PyObject *object, Packed *packed, int levels) {
  Py_ssize_t count = PyDict_Size(object);
  if (!packed_map(packed, (size_t)count)) return false;
  PyObject *key, *value;
  Py_ssize_t written = 0;
  for (Py_ssize_t place = 0; written <= count && PyDict_Next(object, &place, &key, &value); written++) {
    Py_INCREF(key);
    Py_INCREF(value);
    bool done = encode(key, packed, levels + 1) && encode(value, packed, levels + 1);
    Py_DECREF(key);
    Py_DECREF(value);
    if (!done) return false;
  }
  if (written == count) return true;
  PyErr_SetString(PyExc_RuntimeError, "a dict changed while it was written");
  return false;
}

/* ExtType and Timestamp, of msgpack or of ours: (code, data). False with nothing raised: neither. */
static bool encode_extension(PyObject *object, Packed *packed, bool *is_one) {
  PyObject *pair = package_call("_values", "extension_parts", "(O)", object);
  *is_one = pair != NULL && pair != Py_None;
  int code = 0;
  const char *data = NULL;
  Py_ssize_t size = 0;
  bool done = *is_one && PyArg_ParseTuple(pair, "iy#", &code, &data, &size) &&
      packed_extension(packed, (int8_t)code, data, (size_t)size);
  Py_XDECREF(pair);
  return done;
}

static bool encode_other(PyObject *object, Packed *packed, int levels) {
  bool is_one;
  if (encode_extension(object, packed, &is_one)) return true;
  if (is_one || PyErr_Occurred()) return false;
  if (PyLong_Check(object)) return encode_integer(object, packed);
  if (PyUnicode_Check(object)) return encode_text(object, packed);
  if (PyDict_Check(object)) return encode_pairs(object, packed, levels);
  if (PyList_Check(object) || PyTuple_Check(object)) return encode_sequence(object, packed, levels);
  if (PyBytes_Check(object) || PyByteArray_Check(object) || PyMemoryView_Check(object)) return encode_bytes(object, packed);
  if (PyFloat_Check(object)) return packed_double(packed, PyFloat_AsDouble(object));
  /* With the module in it, as msgpack says it. */
  PyObject *type = package_call("_values", "type_name", "(O)", object);
  if (type != NULL) PyErr_Format(PyExc_TypeError, "can not serialize '%U' object", type);
  Py_XDECREF(type);
  return false;
}

static bool encode(PyObject *object, Packed *packed, int levels) {
  if (UNLIKELY(levels > most_levels)) {
    PyErr_SetString(PyExc_ValueError, "recursion limit exceeded: values are nested deeper than 1024 levels");
    return false;
  }
  if (PyUnicode_CheckExact(object)) return encode_text(object, packed);
  if (PyLong_CheckExact(object)) return encode_integer(object, packed);
  if (object == Py_None) return packed_put(packed, 0xc0, 0, 0);
  if (object == Py_False) return packed_put(packed, 0xc2, 0, 0);
  if (object == Py_True) return packed_put(packed, 0xc3, 0, 0);
  if (PyDict_CheckExact(object)) return encode_dict(object, packed, levels);
  if (PyList_CheckExact(object) || PyTuple_CheckExact(object)) return encode_sequence(object, packed, levels);
  if (PyFloat_CheckExact(object)) return packed_double(packed, PyFloat_AsDouble(object));
  if (PyBytes_CheckExact(object)) return encode_bytes(object, packed);
  return encode_other(object, packed, levels);
}

bool value_encode(PyObject *object, Packed *packed) {
  packed_begin(packed);
  if (encode(object, packed, 0)) return true;
  packed_free(packed);
  packed->data = packed->place;
  return false;
}
