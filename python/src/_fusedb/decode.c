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
  /* How many elements of the lists around this place are still to come. */
  uint64_t owed;
} Decoder;

static PyObject *decode(Decoder *decoder, int levels);

/* ---- texts that come again and again: keys of maps, and short values such as countries ---- */

#ifndef Py_GIL_DISABLED
#define TEXT_COUNT 1024
static const size_t longest_name = 32, longest_short_text = 8;

/* Its bytes as four words that cover them, which overlap in short ones. */
typedef struct Text {
  PyObject *object;
  uint64_t words[4];
  size_t size;
} Text;
static Text names[TEXT_COUNT], short_texts[TEXT_COUNT];

static inline uint64_t load(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, 8);
  return word;
}

static inline Text words_of(const uint8_t *bytes, size_t size) {
  Text text = {NULL, {0, 0, 0, 0}, size};
  if (size >= 8) {
    text.words[0] = load(bytes);
    text.words[1] = load(bytes + size - 8);
    if (size > 16) {
      text.words[2] = load(bytes + 8);
      text.words[3] = load(bytes + size - 16);
    }
  } else if (size >= 4) {
    uint32_t first, last;
    memcpy(&first, bytes, 4);
    memcpy(&last, bytes + size - 4, 4);
    text.words[0] = first;
    text.words[1] = last;
  } else {
    text.words[0] = bytes[0];
    text.words[1] = (uint64_t)bytes[size / 2] << 8 | bytes[size - 1];
  }
  return text;
}

/* Where a text stands in a table, if it does. */
static inline Text *place_of(Text *table, const Text *text) {
  const uint64_t *words = text->words;
  uint64_t mixed = words[0] ^ (words[1] << 7 | words[1] >> 57) ^ (words[2] + words[3] * 31) ^ text->size;
  return &table[(mixed * 0x9e3779b97f4a7c15u) >> 54];
}

static inline bool is_same(const Text *one, const Text *other) {
  return one->size == other->size && one->words[0] == other->words[0] && one->words[1] == other->words[1] &&
      one->words[2] == other->words[2] && one->words[3] == other->words[3];
}

static PyObject *put_text(Text *place, Text text, PyObject *object) {
  PyObject *old = place->object;
  if (object == NULL) return NULL;
  text.object = Py_NewRef(object);
  *place = text;
  Py_XDECREF(old);
  return object;
}
#endif

static PyObject *make_text(const uint8_t *bytes, size_t size, bool is_name) {
  PyObject *text = PyUnicode_FromStringAndSize((const char *)bytes, (Py_ssize_t)size);
  if (is_name && text != NULL) PyUnicode_InternInPlace(&text);
  return text;
}

/* NULL after raising what Python raises. */
static inline PyObject *text_object(const uint8_t *bytes, size_t size, bool is_name) {
#ifndef Py_GIL_DISABLED
  if (size > 0 && size <= (is_name ? longest_name : longest_short_text)) {
    Text text = words_of(bytes, size);
    Text *place = place_of(is_name ? names : short_texts, &text);
    if (!UNLIKELY(place->object == NULL) && is_same(place, &text)) return Py_NewRef(place->object);
    /* The file may change meanwhile: what is remembered is of one reading. */
    uint8_t copy[32];
    memcpy(copy, bytes, size);
    text = words_of(copy, size);
    return put_text(place_of(is_name ? names : short_texts, &text), text, make_text(copy, size, is_name));
  }
#endif
  return make_text(bytes, size, is_name);
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
  PyObject *result = text_object(decoder->next, size, false);
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
  /* Each element takes a byte at least, and so do those of the lists around it: what is made for all is in proportion
   * to the bytes. */
  if (!has(decoder, decoder->owed + count)) return NULL;
  PyObject *result = PyList_New((Py_ssize_t)count);
  decoder->owed += count;
  for (uint64_t place = 0; result != NULL && place < count; place++) {
    decoder->owed--;
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
      PyObject *key = text_object(decoder->next + 1, size, true);
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

static PyObject *decode_whole(const void *data, size_t size) {
  Decoder decoder = {data, data, (const uint8_t *)data + size, 0};
  PyObject *value = decode(&decoder, 0);
  if (value == NULL || decoder.next == decoder.end) return value;
  Py_DECREF(value);
  return raise_value("bytes follow the value (extra data)", (size_t)(decoder.next - decoder.start));
}

/* ---- records that are asked for again and again ---- */

#ifndef Py_GIL_DISABLED
/* A flat dict, whose copy is a third of the work of decoding it. It is found by where its bytes stand, and compared by
 * its bytes. What is asked for twice in a row, with nothing between that stands in its place, takes it. */
#define RECORD_COUNT 4096
static const size_t shortest_record = 8, longest_record = 256;

typedef struct Record {
  const void *last;
  PyObject *dict;
  uint8_t *bytes;
  size_t size;
} Record;
static Record records[RECORD_COUNT];

static inline bool is_record(const uint8_t *data, size_t size) {
  return size >= shortest_record && size <= longest_record && (data[0] & 0xf0) == 0x80;
}

static bool is_flat(PyObject *dict) {
  PyObject *key, *value;
  for (Py_ssize_t place = 0; PyDict_Next(dict, &place, &key, &value);)
    if (!PyUnicode_CheckExact(key) ||
        !(PyUnicode_CheckExact(value) || PyLong_CheckExact(value) || PyFloat_CheckExact(value) || value == Py_None ||
          PyBool_Check(value) || PyBytes_CheckExact(value)))
      return false;
  return true;
}

static void record_clear(Record *record) {
  PyObject *dict = record->dict;
  PyMem_Free(record->bytes);
  *record = (Record){NULL, NULL, NULL, 0};
  Py_XDECREF(dict);
}

/* Of a copy of the bytes, which nobody changes between. */
static void record_put(Record *record, const void *data, size_t size) {
  uint8_t *bytes = PyMem_Malloc(size);
  if (bytes == NULL) return;
  memcpy(bytes, data, size);
  PyObject *dict = decode_whole(bytes, size);
  if (dict == NULL || !PyDict_CheckExact(dict) || !is_flat(dict)) {
    PyErr_Clear();
    PyMem_Free(bytes);
    Py_XDECREF(dict);
    return;
  }
  record_clear(record);
  *record = (Record){NULL, dict, bytes, size};
}
#endif

PyObject *value_decode(const void *data, size_t size) {
#ifndef Py_GIL_DISABLED
  if (!is_record(data, size)) return decode_whole(data, size);
  Record *record = &records[((uintptr_t)data * 0x9e3779b97f4a7c15u) >> 52];
  if (record->size == size && memcmp(record->bytes, data, size) == 0) {
    record->last = NULL;
    /* What copying has Python do may put another one here. */
    PyObject *dict = Py_NewRef(record->dict);
    PyObject *copy = PyDict_Copy(dict);
    Py_DECREF(dict);
    return copy;
  }
  PyObject *value = decode_whole(data, size);
  if (value != NULL && record->last == data) record_put(record, data, size);
  else record->last = data;
  return value;
#else
  return decode_whole(data, size);
#endif
}

void decode_clear(void) {
#ifndef Py_GIL_DISABLED
  for (int place = 0; place < RECORD_COUNT; place++) record_clear(&records[place]);
  for (int place = 0; place < TEXT_COUNT; place++) {
    Py_CLEAR(names[place].object);
    Py_CLEAR(short_texts[place].object);
  }
#endif
}

PyObject *text_lossy(fuse_span span) {
  return PyUnicode_DecodeUTF8(span.data == NULL ? "" : span.data, (Py_ssize_t)span.size, "replace");
}
