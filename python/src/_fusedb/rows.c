/* FuseWriter.add_arrow: rows of Arrow data become keys and objects, without an object in Python for each. */
#include "arrow.h"

#include <stdlib.h>

/* ---- columns ---- */

typedef enum Kind {
  KIND_NULL, KIND_BOOL, KIND_SIGNED, KIND_UNSIGNED, KIND_FLOAT, KIND_DOUBLE, KIND_TEXT, KIND_BINARY, KIND_MOMENT,
  KIND_STRUCT, KIND_LIST, KIND_MAP
} Kind;

/* How a kind lies in memory: offsets of 4 or 8 bytes, views, or so many bytes or children each. */
typedef enum Layout { LAYOUT_FIXED, LAYOUT_SMALL, LAYOUT_LARGE, LAYOUT_VIEW } Layout;

typedef struct Column {
  Kind kind;
  Layout layout;
  /* Of a number or a fixed list: bytes, or children. Of a moment: how many there are in a second. */
  int64_t size;
  fuse_span name;
  struct Column *children;
  int64_t count;
  /* Numbers of values, which a second array has. */
  struct Column *dictionary;
} Column;

enum { most_nesting = 64 };

static void column_free(Column *column) {
  for (int64_t place = 0; place < column->count; place++) column_free(&column->children[place]);
  PyMem_Free(column->children);
  if (column->dictionary != NULL) column_free(column->dictionary);
  PyMem_Free(column->dictionary);
}

/* Types that a file has none for. */
static const struct {
  const char *format, *name;
} refused[] = {{"e", "half-precision numbers"}, {"d:", "decimals"}, {"td", "dates"}, {"tt", "times of day"},
               {"tD", "durations"}, {"ti", "intervals"}, {"+u", "unions"}, {"+r", "runs"}, {"", "values of another type"}};

static bool refuse_type(const Column *column, const char *format) {
  size_t place = 0;
  while (strncmp(format, refused[place].format, strlen(refused[place].format)) != 0) place++;
  PyObject *name = PyUnicode_DecodeUTF8(column->name.data, (Py_ssize_t)column->name.size, "replace");
  if (name != NULL)
    PyErr_Format(
        PyExc_ValueError, "the column '%U' has %s ('%s' in Arrow's words), for which a file has no type; cast them to text "
        "or to numbers", name, refused[place].name, format);
  Py_XDECREF(name);
  return false;
}

static bool read_format(Column *column, const char *format) {
  static const struct {
    const char *format;
    Kind kind;
    Layout layout;
    int64_t size;
  } known[] = {
      {"n", KIND_NULL, LAYOUT_FIXED, 0}, {"b", KIND_BOOL, LAYOUT_FIXED, 0}, {"c", KIND_SIGNED, LAYOUT_FIXED, 1},
      {"C", KIND_UNSIGNED, LAYOUT_FIXED, 1}, {"s", KIND_SIGNED, LAYOUT_FIXED, 2}, {"S", KIND_UNSIGNED, LAYOUT_FIXED, 2},
      {"i", KIND_SIGNED, LAYOUT_FIXED, 4}, {"I", KIND_UNSIGNED, LAYOUT_FIXED, 4}, {"l", KIND_SIGNED, LAYOUT_FIXED, 8},
      {"L", KIND_UNSIGNED, LAYOUT_FIXED, 8}, {"f", KIND_FLOAT, LAYOUT_FIXED, 4}, {"g", KIND_DOUBLE, LAYOUT_FIXED, 8},
      {"u", KIND_TEXT, LAYOUT_SMALL, 0}, {"U", KIND_TEXT, LAYOUT_LARGE, 0}, {"vu", KIND_TEXT, LAYOUT_VIEW, 0},
      {"z", KIND_BINARY, LAYOUT_SMALL, 0}, {"Z", KIND_BINARY, LAYOUT_LARGE, 0}, {"vz", KIND_BINARY, LAYOUT_VIEW, 0},
      {"+s", KIND_STRUCT, LAYOUT_FIXED, 0}, {"+l", KIND_LIST, LAYOUT_SMALL, 0}, {"+L", KIND_LIST, LAYOUT_LARGE, 0},
      {"+m", KIND_MAP, LAYOUT_SMALL, 0}};
  for (size_t place = 0; place < sizeof known / sizeof *known; place++) {
    if (strcmp(format, known[place].format) != 0) continue;
    column->kind = known[place].kind;
    column->layout = known[place].layout;
    column->size = known[place].size;
    return true;
  }
  column->layout = LAYOUT_FIXED;
  if (strncmp(format, "ts", 2) == 0 && format[2] != 0 && format[3] == ':') {
    static const char units[] = "smun";
    const char *unit = strchr(units, format[2]);
    column->kind = KIND_MOMENT;
    column->size = 1;
    for (const char *one = units; unit != NULL && one < unit; one++) column->size *= 1000;
    if (unit != NULL) return true;
  }
  bool is_list = strncmp(format, "+w:", 3) == 0;
  if (is_list || strncmp(format, "w:", 2) == 0) {
    char *end;
    column->kind = is_list ? KIND_LIST : KIND_BINARY;
    column->size = strtoll(format + (is_list ? 3 : 2), &end, 10);
    if (*end == 0 && column->size >= 0) return true;
  }
  return refuse_type(column, format);
}

static bool broken(const char *what) {
  PyErr_Format(PyExc_ValueError, "the rows break Arrow's rules: %s", what);
  return false;
}

static bool read_column(const struct ArrowSchema *schema, Column *column, int levels) {
  if (levels > most_nesting) return broken("its types are nested deeper than 64 levels");
  const char *name = schema->name == NULL ? "" : schema->name;
  column->name = (fuse_span){name, strlen(name)};
  if (!read_format(column, schema->format)) return false;
  if (schema->dictionary != NULL) {
    column->dictionary = PyMem_Calloc(1, sizeof *column->dictionary);
    if (column->dictionary == NULL) return PyErr_NoMemory(), false;
    if (!read_column(schema->dictionary, column->dictionary, levels + 1)) return false;
    column->dictionary->name = column->name;
    if (column->kind == KIND_SIGNED || column->kind == KIND_UNSIGNED) return true;
    return broken("numbers of a dictionary are no integers");
  }
  int64_t wanted = column->kind == KIND_STRUCT ? schema->n_children : column->kind == KIND_LIST || column->kind == KIND_MAP;
  if (schema->n_children != wanted || wanted < 0) return broken("a type has another number of children");
  column->children = PyMem_Calloc((size_t)wanted + 1, sizeof *column->children);
  if (column->children == NULL) return PyErr_NoMemory(), false;
  for (; column->count < wanted; column->count++) {
    /* Counted before it is read, so that what it has by then is freed. */
    if (!read_column(schema->children[column->count], &column->children[column->count], levels + 1)) {
      column->count++;
      return false;
    }
  }
  if (column->kind != KIND_MAP) return true;
  const Column *pair = &column->children[0];
  if (pair->kind != KIND_STRUCT || pair->count != 2) return broken("the entries of a map are no pairs");
  if (pair->children[0].kind == KIND_TEXT && pair->children[0].dictionary == NULL) return true;
  PyErr_Format(PyExc_ValueError, "the column '%s' has maps whose keys are no text; cast them", name);
  return false;
}

/* Whether an array is one of the column: each number that leads somewhere is compared when it is used, these once. */
static bool check_array(const Column *column, const struct ArrowArray *array) {
  static const char *const lacks = "an array has another number of buffers, children or rows than its type asks for";
  if (array == NULL || array->length < 0 || array->offset < 0 || array->length > INT64_MAX / 16 - array->offset ||
      array->n_children != column->count || (array->dictionary != NULL) != (column->dictionary != NULL))
    return broken(lacks);
  int64_t buffers = column->kind == KIND_NULL ? 0 : column->kind == KIND_STRUCT ? 1 : 2;
  if (column->layout == LAYOUT_FIXED && column->kind == KIND_LIST) buffers = 1;
  if (column->layout != LAYOUT_FIXED && (column->kind == KIND_TEXT || column->kind == KIND_BINARY)) buffers = 3;
  if (column->layout == LAYOUT_VIEW ? array->n_buffers < buffers : array->n_buffers != buffers) return broken(lacks);
  if (array->length > 0 && buffers > 1 && array->buffers[1] == NULL &&
      !(column->kind == KIND_BINARY && column->layout == LAYOUT_FIXED && column->size == 0))
    return broken("a buffer is missing");
  if (column->dictionary != NULL) return check_array(column->dictionary, array->dictionary);
  for (int64_t place = 0; place < column->count; place++) {
    const struct ArrowArray *child = array->children[place];
    if (!check_array(&column->children[place], child)) return false;
    int64_t rows = column->kind == KIND_STRUCT ? 1 : column->layout == LAYOUT_FIXED ? column->size : 0;
    if (rows > 0 && (array->length + array->offset) > child->length / rows) return broken(lacks);
  }
  return true;
}

/* ---- cells: `row` counts from the array's own first, before its offset ---- */

static bool is_there(const Column *column, const struct ArrowArray *array, int64_t row) {
  if (column->kind == KIND_NULL) return false;
  const uint8_t *bits = array->buffers[0];
  row += array->offset;
  return bits == NULL || (bits[row >> 3] >> (row & 7) & 1) != 0;
}

static int64_t signed_at(const void *values, int64_t size, int64_t row) {
  switch (size) {
  case 1: return ((const int8_t *)values)[row];
  case 2: return ((const int16_t *)values)[row];
  case 4: return ((const int32_t *)values)[row];
  default: return ((const int64_t *)values)[row];
  }
}

static uint64_t unsigned_at(const void *values, int64_t size, int64_t row) {
  switch (size) {
  case 1: return ((const uint8_t *)values)[row];
  case 2: return ((const uint16_t *)values)[row];
  case 4: return ((const uint32_t *)values)[row];
  default: return ((const uint64_t *)values)[row];
  }
}

/* What the offsets of a row say. */
static bool range_at(const Column *column, const struct ArrowArray *array, int64_t row, int64_t *start, int64_t *end) {
  row += array->offset;
  if (column->layout == LAYOUT_FIXED) {
    *start = row * column->size;
    *end = *start + column->size;
    return true;
  }
  int64_t size = column->layout == LAYOUT_LARGE ? 8 : 4;
  *start = signed_at(array->buffers[1], size, row);
  *end = signed_at(array->buffers[1], size, row + 1);
  return *start >= 0 && *end >= *start ? true : broken("offsets descend");
}

/* The bytes of a text or of binary data. */
static bool bytes_at(const Column *column, const struct ArrowArray *array, int64_t row, fuse_span *span) {
  if (column->layout == LAYOUT_VIEW) {
    const uint8_t *view = (const uint8_t *)array->buffers[1] + (row + array->offset) * 16;
    int32_t size, buffer, start;
    memcpy(&size, view, 4);
    memcpy(&buffer, view + 8, 4);
    memcpy(&start, view + 12, 4);
    *span = (fuse_span){(const char *)view + 4, (size_t)size};
    if (size >= 0 && size <= 12) return true;
    const int64_t *sizes = array->buffers[array->n_buffers - 1];
    if (size < 0 || buffer < 0 || start < 0 || buffer >= array->n_buffers - 3 || start + (int64_t)size > sizes[buffer])
      return broken("a view leads outside of its buffer");
    span->data = (const char *)array->buffers[2 + buffer] + start;
    return true;
  }
  int64_t start, end;
  if (!range_at(column, array, row, &start, &end)) return false;
  const char *bytes = array->buffers[column->layout == LAYOUT_FIXED ? 1 : 2];
  *span = (fuse_span){end > start ? bytes + start : "", (size_t)(end - start)};
  return bytes != NULL || end == start ? true : broken("a buffer is missing");
}

/* Leads from a number of a dictionary to its value; false with nothing raised where that is null. */
static bool resolve(const Column **column, const struct ArrowArray **array, int64_t *row) {
  while (is_there(*column, *array, *row)) {
    if ((*column)->dictionary == NULL) return true;
    int64_t number = (*column)->kind == KIND_SIGNED
        ? signed_at((*array)->buffers[1], (*column)->size, *row + (*array)->offset)
        : (int64_t)unsigned_at((*array)->buffers[1], (*column)->size, *row + (*array)->offset);
    *array = (*array)->dictionary;
    *column = (*column)->dictionary;
    if (number < 0 || number >= (*array)->length) return broken("a number leads outside of its dictionary");
    *row = number;
  }
  return false;
}

static bool put_value(Packed *packed, const Column *column, const struct ArrowArray *array, int64_t row);

/* A cell, or nil. */
static bool put_cell(Packed *packed, const Column *column, const struct ArrowArray *array, int64_t row) {
  if (resolve(&column, &array, &row)) return put_value(packed, column, array, row);
  return !PyErr_Occurred() && packed_put(packed, 0xc0, 0, 0);
}

/* The members that are not null, without that at one place. */
static bool put_members(
    Packed *packed, const Column *column, const struct ArrowArray *array, int64_t row, int64_t without) {
  size_t count = 0;
  for (int pass = 0; pass < 2; pass++) {
    if (pass == 1 && !packed_map(packed, count)) return false;
    for (int64_t place = 0; place < column->count; place++) {
      const Column *member = &column->children[place];
      const struct ArrowArray *values = array->children[place];
      int64_t own = row + array->offset;
      if (place == without || !resolve(&member, &values, &own)) {
        if (PyErr_Occurred()) return false;
        continue;
      }
      count++;
      const fuse_span *name = &column->children[place].name;
      if (pass == 1 && !(packed_text(packed, name->data, name->size) && put_value(packed, member, values, own))) return false;
    }
  }
  return true;
}

static bool put_pairs(Packed *packed, const Column *column, const struct ArrowArray *array, int64_t start, int64_t end) {
  const Column *pair = &column->children[0];
  const struct ArrowArray *pairs = array->children[0];
  if (!packed_map(packed, (size_t)(end - start))) return false;
  for (int64_t row = start; row < end; row++) {
    int64_t own = row + pairs->offset;
    fuse_span key;
    if (!is_there(&pair->children[0], pairs->children[0], own)) return broken("a key of a map is null");
    if (!bytes_at(&pair->children[0], pairs->children[0], own, &key) || !packed_text(packed, key.data, key.size) ||
        !put_cell(packed, &pair->children[1], pairs->children[1], own))
      return false;
  }
  return true;
}

static bool put_moment(Packed *packed, int64_t number, int64_t in_a_second) {
  int64_t rest = number % in_a_second, seconds = number / in_a_second;
  if (rest < 0) {
    rest += in_a_second;
    seconds--;
  }
  uint64_t nanoseconds = (uint64_t)(rest * (1000000000 / in_a_second)), low = (uint64_t)seconds;
  uint8_t data[12];
  int size = seconds < 0 || seconds >> 34 != 0 ? 12 : nanoseconds == 0 && seconds >> 32 == 0 ? 4 : 8;
  uint64_t tail = size == 8 ? nanoseconds << 34 | low : low;
  for (int place = 0; place < 4; place++) data[place] = (uint8_t)(nanoseconds >> (24 - 8 * place));
  int head = size == 12 ? 4 : 0;
  for (int place = head; place < size; place++) data[place] = (uint8_t)(tail >> (8 * (size - 1 - place)));
  return packed_extension(packed, -1, data, (size_t)size);
}

/* A cell that is there. */
static bool put_value(Packed *packed, const Column *column, const struct ArrowArray *array, int64_t row) {
  const void *values = array->n_buffers > 1 ? array->buffers[1] : NULL;
  int64_t place = row + array->offset, start, end;
  fuse_span span;
  switch (column->kind) {
  case KIND_NULL: return packed_put(packed, 0xc0, 0, 0);
  case KIND_BOOL: return packed_put(packed, 0xc2 | (((const uint8_t *)values)[place >> 3] >> (place & 7) & 1), 0, 0);
  case KIND_SIGNED: return packed_signed(packed, signed_at(values, column->size, place));
  case KIND_UNSIGNED: return packed_unsigned(packed, unsigned_at(values, column->size, place));
  case KIND_FLOAT: return packed_double(packed, ((const float *)values)[place]);
  case KIND_DOUBLE: return packed_double(packed, ((const double *)values)[place]);
  case KIND_MOMENT: return put_moment(packed, ((const int64_t *)values)[place], column->size);
  case KIND_TEXT: return bytes_at(column, array, row, &span) && packed_text(packed, span.data, span.size);
  case KIND_BINARY: return bytes_at(column, array, row, &span) && packed_binary(packed, span.data, span.size);
  case KIND_STRUCT: return put_members(packed, column, array, row, -1);
  case KIND_LIST:
  case KIND_MAP: break;
  }
  if (!range_at(column, array, row, &start, &end)) return false;
  if (end > array->children[0]->length) return broken("offsets lead outside of their child");
  if (column->kind == KIND_MAP) return put_pairs(packed, column, array, start, end);
  bool done = packed_list(packed, (size_t)(end - start));
  for (; done && start < end; start++) done = put_cell(packed, &column->children[0], array->children[0], start);
  return done;
}

/* ---- rows ---- */

typedef struct Rows {
  PyObject *writer;
  fuse_span key;
  /* Which rows are added: those whose key belongs to a shard, or those of all others; all where there are no shards. */
  uint64_t shard, shards;
  bool others;
  uint64_t read, added;
} Rows;

static bool is_wanted(const Rows *rows, const Key *key, bool *wanted) {
  *wanted = true;
  if (rows->shards == 0) return true;
  uint64_t shard = 0;
  fuse_error *error = NULL;
  fuse_status status = fuse_shard_of(key->data, key->size, rows->shards, &shard, &error);
  *wanted = (shard == rows->shard) != rows->others;
  if (status != FUSE_OK) raise_error(status, error);
  return status == FUSE_OK;
}

static bool add_row(Rows *rows, const Column *all, const struct ArrowArray *array, int64_t place, int64_t row) {
  const Column *column = &all->children[place];
  const struct ArrowArray *keys = array->children[place];
  int64_t own = row + array->offset;
  fuse_span span;
  if (!resolve(&column, &keys, &own)) {
    if (!PyErr_Occurred())
      PyErr_Format(
          PyExc_ValueError, "row %llu has no key: the column '%s' is null there; leave such rows out before",
          (unsigned long long)rows->read, rows->key.data);
    return false;
  }
  if (!bytes_at(column, keys, own, &span)) return false;
  Key key = {span.data, span.size, NULL};
  bool wanted;
  if (!is_wanted(rows, &key, &wanted)) return false;
  if (!wanted) return true;
  Packed packed;
  packed_begin(&packed);
  bool done = put_members(&packed, all, array, row, place) && writer_put(rows->writer, &key, &packed);
  packed_free(&packed);
  rows->added += done;
  return done;
}

/* The column of the keys; -1 after raising. */
static int64_t find_key(const Rows *rows, const Column *all) {
  int64_t found = -1;
  for (int64_t place = 0; place < all->count; place++) {
    const fuse_span *name = &all->children[place].name;
    for (int64_t other = 0; other < place; other++) {
      const fuse_span *before = &all->children[other].name;
      if (before->size != name->size || memcmp(before->data, name->data, name->size) != 0) continue;
      PyErr_Format(PyExc_ValueError, "two columns have the name '%s'", name->data);
      return -1;
    }
    if (name->size == rows->key.size && memcmp(name->data, rows->key.data, name->size) == 0) found = place;
  }
  if (found < 0) {
    PyErr_Format(PyExc_ValueError, "the rows have no column '%s' for the keys", rows->key.data);
    return -1;
  }
  const Column *keys = &all->children[found];
  while (keys->dictionary != NULL) keys = keys->dictionary;
  if (keys->kind == KIND_TEXT || keys->kind == KIND_BINARY) return found;
  PyErr_Format(PyExc_ValueError, "keys are text or bytes, and the column '%s' has another type; cast it", rows->key.data);
  return -1;
}

static bool add_rows(void *context, const struct ArrowSchema *schema, const struct ArrowArray *array) {
  Rows *rows = context;
  if (strcmp(schema->format, "+s") != 0) {
    PyErr_SetString(PyExc_TypeError, "rows must be a table, a record batch or a data frame, and are one array");
    return false;
  }
  Column all = {.children = NULL};
  bool done = read_column(schema, &all, 0) && check_array(&all, array);
  int64_t place = done ? find_key(rows, &all) : -1;
  done = place >= 0;
  for (int64_t row = 0; done && row < array->length; row++, rows->read++) {
    done = add_row(rows, &all, array, place, row);
    if (done && (row & 4095) == 4095) done = PyErr_CheckSignals() == 0;
  }
  column_free(&all);
  return done;
}

PyObject *writer_add_arrow(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"add_arrow", 2, 2, {"rows", "key", "shard", "others"}};
  PyObject *values[MOST_ARGUMENTS];
  Rows rows = {.writer = self};
  if (!arguments_read(&signature, arguments, count, names, values) || !argument_flag(values[3], &rows.others)) return NULL;
  Py_ssize_t size;
  const char *key = PyUnicode_Check(values[1]) ? PyUnicode_AsUTF8AndSize(values[1], &size) : NULL;
  if (key == NULL) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "key must be the name of the column that has the keys");
    return NULL;
  }
  rows.key = (fuse_span){key, (size_t)size};
  if (values[2] != NULL && values[2] != Py_None) {
    PyObject *number, *shards;
    if (!pair_read(values[2], "shard, a number and how many there are,", &number, &shards) ||
        !argument_size(number, "shard", &rows.shard) || !argument_size(shards, "shard", &rows.shards))
      return NULL;
    if (rows.shard >= rows.shards) {
      PyErr_Format(
          PyExc_ValueError, "there is no shard %llu of %llu", (unsigned long long)rows.shard, (unsigned long long)rows.shards);
      return NULL;
    }
  } else if (rows.others) {
    PyErr_SetString(PyExc_ValueError, "others=True needs a shard: the rows of all others are added");
    return NULL;
  }
  bool done = arrow_arrays(values[0], "rows must be Arrow data, as a table of pyarrow or a frame of polars", add_rows, &rows);
  return done ? PyLong_FromUnsignedLongLong(rows.added) : NULL;
}
