/* MessagePack to Python objects.
 *
 * Lengths are compared with the bytes that remain before anything is made of them. The bytes may change while they are
 * read, when a file is overwritten in place: each length is read once, so that it gives wrong objects at worst, and
 * the reader's check afterwards says so. */
#include "common.h"

/* As deep as 0.3.0 reads and FuseDB writes. */
static const int most_levels = 1024;

typedef struct Decoder {
  const uint8_t *start;
  const uint8_t *next;
  const uint8_t *end;
} Decoder;

static PyObject *decode(Decoder *decoder, int levels);

/* ---- names: the same few keys of maps come again and again ---- */

#ifndef Py_GIL_DISABLED
#define NAME_COUNT 1024
/* Up to 32 bytes, as four words that cover them, which overlap in short ones. */
typedef struct Name {
  PyObject *text;
  uint64_t words[4];
  size_t size;
} Name;
static Name names[NAME_COUNT];
#endif

static inline uint64_t load(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, 8);
  return word;
}

void decode_clear(void) {
#ifndef Py_GIL_DISABLED
  for (int place = 0; place < NAME_COUNT; place++) Py_CLEAR(names[place].text);
#endif
}

static PyObject *make_name(const uint8_t *bytes, size_t size) {
  PyObject *text = PyUnicode_FromStringAndSize((const char *)bytes, (Py_ssize_t)size);
  if (text != NULL) PyUnicode_InternInPlace(&text);
  return text;
}

static inline PyObject *name(const uint8_t *bytes, size_t size) {
#ifndef Py_GIL_DISABLED
  if (size > 0 && size <= 32) {
    uint64_t first, last, second = 0, third = 0;
    if (size >= 8) {
      first = load(bytes);
      last = load(bytes + size - 8);
      if (size > 16) {
        second = load(bytes + 8);
        third = load(bytes + size - 16);
      }
    } else if (size >= 4) {
      uint32_t low, high;
      memcpy(&low, bytes, 4);
      memcpy(&high, bytes + size - 4, 4);
      first = low;
      last = high;
    } else {
      first = bytes[0];
      last = (uint64_t)bytes[size / 2] << 8 | bytes[size - 1];
    }
    uint64_t mixed = (first ^ (last << 7 | last >> 57) ^ (second + third * 31) ^ size) * 0x9e3779b97f4a7c15u;
    Name *entry = &names[mixed >> 54];
    if (entry->text != NULL && entry->size == size && entry->words[0] == first && entry->words[1] == last &&
        entry->words[2] == second && entry->words[3] == third)
      return Py_NewRef(entry->text);
    PyObject *text = make_name(bytes, size);
    if (text == NULL) return NULL;
    PyObject *old = entry->text;
    *entry = (Name){Py_NewRef(text), {first, last, second, third}, size};
    Py_XDECREF(old);
    return text;
  }
#endif
  return make_name(bytes, size);
}

/* ---- parts ---- */

static void *cut_short(Decoder *decoder) {
  return raise_value("a value ends before its content does (incomplete input)", (size_t)(decoder->next - decoder->start));
}

static inline bool has(Decoder *decoder, uint64_t size) {
  if (!UNLIKELY(size > (uint64_t)(decoder->end - decoder->next))) return true;
  cut_short(decoder);
  return false;
}

/* A number in network order, of 1, 2, 4 or 8 bytes. */
static inline bool number(Decoder *decoder, int size, uint64_t *value) {
  if (!has(decoder, (uint64_t)size)) return false;
  uint64_t sum = 0;
  for (int place = 0; place < size; place++) sum = sum << 8 | decoder->next[place];
  decoder->next += size;
  *value = sum;
  return true;
}

static PyObject *text(Decoder *decoder, uint64_t size) {
  if (!has(decoder, size)) return NULL;
  PyObject *result = PyUnicode_FromStringAndSize((const char *)decoder->next, (Py_ssize_t)size);
  if (UNLIKELY(result == NULL)) return raise_value("text is no UTF-8", (size_t)(decoder->next - decoder->start));
  decoder->next += size;
  return result;
}

static PyObject *bytes(Decoder *decoder, uint64_t size) {
  if (!has(decoder, size)) return NULL;
  PyObject *result = PyBytes_FromStringAndSize((const char *)decoder->next, (Py_ssize_t)size);
  decoder->next += size;
  return result;
}

static PyObject *extension(Decoder *decoder, uint64_t size) {
  if (!has(decoder, size + 1)) return NULL;
  int code = (int8_t)decoder->next[0];
  size_t offset = (size_t)(decoder->next - decoder->start);
  PyObject *result = package_call(
      "_values", code == -1 ? "timestamp" : "extension", "(iy#)", code, decoder->next + 1, (Py_ssize_t)size);
  decoder->next += size + 1;
  return result != NULL ? result : raise_value("an extension of type -1 is no timestamp", offset);
}

static PyObject *list(Decoder *decoder, uint64_t count, int levels) {
  if (UNLIKELY(levels >= most_levels))
    return raise_value("values are nested deeper than 1024 levels", (size_t)(decoder->next - decoder->start));
  /* Each element takes a byte at least. */
  if (!has(decoder, count)) return NULL;
  PyObject *result = PyList_New((Py_ssize_t)count);
  for (uint64_t place = 0; result != NULL && place < count; place++) {
    PyObject *element = decode(decoder, levels + 1);
    if (element == NULL) Py_CLEAR(result);
    else PyList_SetItem(result, (Py_ssize_t)place, element);
  }
  return result;
}

static inline PyObject *map_key(Decoder *decoder, int levels) {
  if (decoder->next < decoder->end && (*decoder->next & 0xe0) == 0xa0) {
    size_t size = *decoder->next & 0x1f;
    if (size < (size_t)(decoder->end - decoder->next)) {
      PyObject *key = name(decoder->next + 1, size);
      if (key != NULL) decoder->next += 1 + size;
      else raise_value("text is no UTF-8", (size_t)(decoder->next - decoder->start));
      return key;
    }
  }
  PyObject *key = decode(decoder, levels);
  if (key != NULL && PyUnicode_CheckExact(key)) PyUnicode_InternInPlace(&key);
  return key;
}

static PyObject *map(Decoder *decoder, uint64_t count, int levels) {
  if (UNLIKELY(levels >= most_levels))
    return raise_value("values are nested deeper than 1024 levels", (size_t)(decoder->next - decoder->start));
  PyObject *result = PyDict_New();
  for (uint64_t place = 0; result != NULL && place < count; place++) {
    size_t offset = (size_t)(decoder->next - decoder->start);
    PyObject *key = map_key(decoder, levels + 1);
    PyObject *value = key == NULL ? NULL : decode(decoder, levels + 1);
    if (UNLIKELY(value == NULL)) Py_CLEAR(result);
    else if (UNLIKELY(PyDict_SetItem(result, key, value) != 0)) {
      Py_CLEAR(result);
      raise_value("a key of a map is a list or a map, which no dict can have as its key", offset);
    }
    Py_XDECREF(key);
    Py_XDECREF(value);
  }
  return result;
}

static PyObject *floating(Decoder *decoder, bool is_double) {
  uint64_t bits;
  if (!number(decoder, is_double ? 8 : 4, &bits)) return NULL;
  double value;
  if (is_double) {
    memcpy(&value, &bits, 8);
  } else {
    uint32_t half = (uint32_t)bits;
    float single;
    memcpy(&single, &half, 4);
    value = single;
  }
  return PyFloat_FromDouble(value);
}

/* What begins with a byte from 0xc0 to 0xdf. */
static PyObject *decode_tagged(Decoder *decoder, uint8_t tag, int levels) {
  uint64_t value;
  switch (tag) {
    case 0xc0: Py_RETURN_NONE;
    case 0xc2: Py_RETURN_FALSE;
    case 0xc3: Py_RETURN_TRUE;
    case 0xc4: case 0xc5: case 0xc6: return number(decoder, 1 << (tag - 0xc4), &value) ? bytes(decoder, value) : NULL;
    case 0xc7: case 0xc8: case 0xc9:
      return number(decoder, 1 << (tag - 0xc7), &value) ? extension(decoder, value) : NULL;
    case 0xca: return floating(decoder, false);
    case 0xcb: return floating(decoder, true);
    case 0xcc: case 0xcd: case 0xce: case 0xcf:
      return number(decoder, 1 << (tag - 0xcc), &value) ? PyLong_FromUnsignedLongLong(value) : NULL;
    case 0xd0: return number(decoder, 1, &value) ? PyLong_FromLong((int8_t)value) : NULL;
    case 0xd1: return number(decoder, 2, &value) ? PyLong_FromLong((int16_t)value) : NULL;
    case 0xd2: return number(decoder, 4, &value) ? PyLong_FromLong((int32_t)value) : NULL;
    case 0xd3: return number(decoder, 8, &value) ? PyLong_FromLongLong((int64_t)value) : NULL;
    case 0xd4: case 0xd5: case 0xd6: case 0xd7: case 0xd8: return extension(decoder, 1u << (tag - 0xd4));
    case 0xd9: case 0xda: case 0xdb: return number(decoder, 1 << (tag - 0xd9), &value) ? text(decoder, value) : NULL;
    case 0xdc: case 0xdd: return number(decoder, 2 << (tag - 0xdc), &value) ? list(decoder, value, levels) : NULL;
    case 0xde: case 0xdf: return number(decoder, 2 << (tag - 0xde), &value) ? map(decoder, value, levels) : NULL;
    default: return raise_value("byte 0xc1 begins no value", (size_t)(decoder->next - 1 - decoder->start));
  }
}

static PyObject *decode(Decoder *decoder, int levels) {
  if (UNLIKELY(decoder->next == decoder->end)) return cut_short(decoder);
  uint8_t tag = *decoder->next++;
  if (tag < 0x80) return PyLong_FromLong(tag);
  if (tag >= 0xe0) return PyLong_FromLong((int8_t)tag);
  if (tag >= 0xc0) return decode_tagged(decoder, tag, levels);
  if (tag >= 0xa0) return text(decoder, tag & 0x1f);
  return tag >= 0x90 ? list(decoder, tag & 0x0f, levels) : map(decoder, tag & 0x0f, levels);
}

PyObject *value_decode(const void *data, size_t size) {
  Decoder decoder = {data, data, (const uint8_t *)data + size};
  PyObject *value = decode(&decoder, 0);
  if (value == NULL || decoder.next == decoder.end) return value;
  Py_DECREF(value);
  return raise_value("bytes follow the value (extra data)", (size_t)(decoder.next - decoder.start));
}

PyObject *text_lossy(fuse_span span) {
  return PyUnicode_DecodeUTF8(span.data == NULL ? "" : span.data, (Py_ssize_t)span.size, "replace");
}
