/* lookup_arrow: an Arrow array of keys in, Arrow columns of fields out, without an object for each row. */
#include "arrow.h"

PyTypeObject *columns_type;

/* What a look-up gave: a batch for each array of keys. */
typedef struct Columns {
  PyObject_HEAD
  struct ArrowSchema schema;
  SharedArray **arrays;
  size_t count;
  uint64_t row_count;
  uint64_t found_count;
  uint64_t other_count;
} Columns;

/* ---- the fields that are asked for ---- */

typedef struct Fields {
  fuse_column *columns;
  size_t count;
  bool finds_types;
  PyObject *kept;
} Fields;

static const char *const type_words[] = {"automatic", "bool", "int64", "uint64", "float64", "string", "bytes",
                                         "timestamp", "json", "messagepack", NULL};

static const char *const match_words[] = {"exact", "network", "domain", "email", "prefix", NULL};

static bool text_span(PyObject *text, fuse_span *span) {
  Py_ssize_t size = 0;
  const char *data = PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, &size) : NULL;
  *span = (fuse_span){data, (size_t)size};
  if (data == NULL && !PyErr_Occurred())
    PyErr_Format(PyExc_TypeError, "names and paths of fields are text, and not %R", text);
  return data != NULL;
}

/* A field: a path, or a pair of a path and a type; a path of None is the whole object. */
static bool read_field(PyObject *name, PyObject *field, fuse_column *column) {
  PyObject *path = field, *type = NULL;
  if (PyTuple_Check(field) && !pair_read(field, "a field, a path and a type,", &path, &type))
    return false;
  column->type = FUSE_COLUMN_AUTOMATIC;
  column->path = (fuse_span){NULL, 0};
  return text_span(name, &column->name) && (path == Py_None || text_span(path, &column->path)) &&
      argument_word(type, "the type of a field", type_words, &column->type);
}

static void fields_free(Fields *fields) {
  PyMem_Free(fields->columns);
  Py_CLEAR(fields->kept);
}

/* A dict of names and fields, or paths, which are the names as well. */
static bool fields_read(PyObject *object, Fields *fields) {
  *fields = (Fields){NULL, 0, false, NULL};
  if (PyUnicode_Check(object) || PyBytes_Check(object)) {
    PyErr_SetString(PyExc_TypeError, "fields must be a list of paths, or a dict, and is one path");
    return false;
  }
  bool is_dict = PyDict_Check(object);
  PyObject *list = is_dict ? PyMapping_Items(object) : object;
  fields->kept = list == NULL ? NULL : PySequence_Tuple(list);
  if (is_dict) Py_XDECREF(list);
  if (fields->kept == NULL) return false;
  Py_ssize_t count = PyTuple_Size(fields->kept);
  fields->columns = PyMem_Calloc((size_t)count + 1, sizeof *fields->columns);
  if (fields->columns == NULL) PyErr_NoMemory();
  for (Py_ssize_t place = 0; fields->columns != NULL && place < count; place++) {
    PyObject *name = PyTuple_GetItem(fields->kept, place), *field = name;
    if (is_dict && !pair_read(name, "an item of fields", &name, &field)) break;
    if (!read_field(name, field, &fields->columns[place])) break;
    fields->finds_types = fields->finds_types || fields->columns[place].type == FUSE_COLUMN_AUTOMATIC;
    fields->count++;
  }
  if (!PyErr_Occurred()) return true;
  fields_free(fields);
  return false;
}

/* ---- looking up ---- */

typedef struct Lookup {
  Snapshot *snapshot;
  Fields fields;
  fuse_columns_options options;
  PyObject *progress;
  Columns *columns;
} Lookup;

/* Looks one array of keys up and adds the batch. */
static bool look_up_array(Lookup *lookup, const struct ArrowSchema *schema, const struct ArrowArray *keys) {
  Columns *columns = lookup->columns;
  if (columns->count > 0 && lookup->fields.finds_types) {
    PyErr_SetString(
        PyExc_ValueError,
        "the keys are several arrays, whose values may have different types: name the types of the fields, as "
        "{\"org\": (\"org\", \"string\")}, or make one array of the keys");
    return false;
  }
  SharedArray **arrays = PyMem_Realloc(columns->arrays, (columns->count + 1) * sizeof *arrays);
  if (arrays == NULL) {
    PyErr_NoMemory();
    return false;
  }
  columns->arrays = arrays;
  struct ArrowSchema found_schema = {.release = NULL};
  struct ArrowArray found = {.release = NULL};
  fuse_columns_report report = fuse_columns_report_empty();
  fuse_error *error = NULL;
  LongCall call;
  long_call_begin(&call, lookup->progress);
  fuse_status status = fuse_lookup_columns(
      lookup->snapshot->reader, schema, keys, &lookup->options, &call.call, &found_schema, &found, &report, &error);
  bool goes_on = long_call_end(&call);
  if (status != FUSE_OK) {
    raise_error(status, error);
    return false;
  }
  SharedArray *shared = goes_on ? shared_array_make(&found) : NULL;
  if (shared == NULL) {
    found.release(&found);
    found_schema.release(&found_schema);
    if (goes_on) PyErr_NoMemory();
    return false;
  }
  if (columns->count == 0) columns->schema = found_schema;
  else found_schema.release(&found_schema);
  columns->arrays[columns->count++] = shared;
  columns->row_count += report.row_count;
  columns->found_count += report.found_count;
  columns->other_count += report.other_count;
  return true;
}

static bool look_up_one(void *context, const struct ArrowSchema *schema, const struct ArrowArray *keys) {
  return look_up_array(context, schema, keys);
}

/* How what stands on the stack is released. */
static void keep_schema(struct ArrowSchema *schema) { (void)schema; }
static void keep_array(struct ArrowArray *array) { (void)array; }

/* Looks all arrays of keys up, and an empty one where a stream has none. */
static bool look_up_keys(Lookup *lookup, PyObject *keys) {
  if (!arrow_arrays(keys, "keys must be an Arrow array, as of pyarrow or polars", look_up_one, lookup)) return false;
  if (lookup->columns->count > 0) return true;
  static const int64_t zeros[2];
  const void *buffers[] = {NULL, zeros, NULL};
  struct ArrowSchema schema = {.format = "U", .name = "", .release = keep_schema};
  struct ArrowArray empty = {.n_buffers = 3, .buffers = buffers, .release = keep_array};
  return look_up_array(lookup, &schema, &empty);
}

static Columns *make_columns(void) {
  Columns *columns = PyObject_New(Columns, columns_type);
  if (columns == NULL) return NULL;
  memset(&columns->schema, 0, sizeof columns->schema);
  columns->arrays = NULL;
  columns->count = 0;
  columns->row_count = columns->found_count = columns->other_count = 0;
  return columns;
}

static PyObject *reader_lookup_arrow(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {
      "lookup_arrow", 2, 2, {"array", "fields", "found", "strict", "sample_size", "progress", "match", "large"}};
  PyObject *values[MOST_ARGUMENTS];
  Lookup lookup = {.options = fuse_columns_options_default()};
  bool found = true, large = true;
  if (!arguments_read(&signature, arguments, count, names, values) || !argument_flag(values[2], &found) ||
      !argument_flag(values[7], &large) ||
      !argument_flag(values[3], &lookup.options.refuses_others) ||
      !argument_size(values[4], "sample_size", &lookup.options.sample_size) ||
      !argument_word(values[6], "match", match_words, &lookup.options.match) || !fields_read(values[1], &lookup.fields))
    return NULL;
  lookup.options.columns = lookup.fields.columns;
  lookup.options.column_count = lookup.fields.count;
  lookup.options.omits_found = !found;
  lookup.options.has_small_offsets = !large;
  lookup.progress = values[5];
  lookup.snapshot = reader_snapshot(self);
  lookup.columns = lookup.snapshot == NULL ? NULL : make_columns();
  bool done = lookup.columns != NULL && look_up_keys(&lookup, values[0]);
  snapshot_drop(lookup.snapshot);
  fields_free(&lookup.fields);
  if (!done) Py_XDECREF((PyObject *)lookup.columns);
  return done ? (PyObject *)lookup.columns : NULL;
}

/* ---- the result ---- */

static void columns_free(PyObject *self) {
  Columns *columns = (Columns *)self;
  PyTypeObject *type = Py_TYPE(self);
  for (size_t place = 0; place < columns->count; place++) shared_array_drop(columns->arrays[place]);
  PyMem_Free(columns->arrays);
  if (columns->schema.release != NULL) columns->schema.release(&columns->schema);
  PyObject_Free(self);
  Py_DECREF(type);
}

static PyObject *columns_schema(PyObject *self, PyObject *ignored) {
  (void)ignored;
  return schema_capsule(&((Columns *)self)->schema);
}

static PyObject *columns_array(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"__arrow_c_array__", 0, 1, {"requested_schema"}};
  PyObject *values[MOST_ARGUMENTS];
  Columns *columns = (Columns *)self;
  if (!arguments_read(&signature, arguments, count, names, values)) return NULL;
  if (columns->count != 1) {
    PyErr_SetString(PyExc_ValueError, "the keys were several arrays, and so are the columns: take them as a stream");
    return NULL;
  }
  PyObject *schema = schema_capsule(&columns->schema);
  PyObject *array = schema == NULL ? NULL : array_capsule(columns->arrays[0]);
  return array == NULL ? (Py_XDECREF(schema), NULL) : Py_BuildValue("(NN)", schema, array);
}

static PyObject *columns_stream(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  static const Signature signature = {"__arrow_c_stream__", 0, 1, {"requested_schema"}};
  PyObject *values[MOST_ARGUMENTS];
  Columns *columns = (Columns *)self;
  if (!arguments_read(&signature, arguments, count, names, values)) return NULL;
  return stream_capsule(&columns->schema, columns->arrays, columns->count);
}

static Py_ssize_t columns_length(PyObject *self) { return (Py_ssize_t)((Columns *)self)->row_count; }

static PyObject *columns_found(PyObject *self, void *ignored) {
  (void)ignored;
  return PyLong_FromUnsignedLongLong(((Columns *)self)->found_count);
}

static PyObject *columns_others(PyObject *self, void *ignored) {
  (void)ignored;
  return PyLong_FromUnsignedLongLong(((Columns *)self)->other_count);
}

PyMethodDef column_methods[] = {
    METHOD("lookup_arrow", reader_lookup_arrow, FAST,
        "lookup_arrow($self, /, array, fields, *, found=True, strict=False, sample_size=None, progress=None, match='exact', "
        "large=True)\n--\n\n"
        "Looks up an Arrow array of keys, as of pyarrow or polars, and makes Arrow columns of fields of the objects. Fields\n"
        "are paths, or a dict of names and paths, or of names and pairs of a path and a type; the path None is the whole\n"
        "object. Without a type, it is found by a sample. What is absent, or of another type, is null; strict=True has the\n"
        "latter raise. A column `found` tells absent keys, unless found=False. match='network' takes the longest block around\n"
        "each address, 'domain', 'email' and 'prefix' the key that covers each question best.\n"
        "large=False makes strings and bytes with offsets of 32 bits.\n\n"
        "    >>> import pyarrow\n"
        "    >>> keys = pyarrow.array(['8.8.8.8', 'nowhere'])\n"
        "    >>> columns = FuseReader('geo.fsdb').lookup_arrow(keys, ['org', 'asn'])\n"
        "    >>> pyarrow.record_batch(columns).to_pylist()[0]\n"
        "    {'found': True, 'org': 'Google', 'asn': 15169}\n"),
    {NULL}};

bool column_types(PyObject *module) {
  static PyMethodDef methods[] = {
      METHOD("__arrow_c_schema__", columns_schema, METH_NOARGS, "__arrow_c_schema__($self)\n--\n\nThe types, in a capsule."),
      METHOD("__arrow_c_array__", columns_array, FAST,
          "__arrow_c_array__($self, /, requested_schema=None)\n--\n\nThe columns, in capsules, where they are one batch."),
      METHOD("__arrow_c_stream__", columns_stream, FAST,
          "__arrow_c_stream__($self, /, requested_schema=None)\n--\n\nThe columns as a stream, in a capsule."),
      {NULL}};
  static PyGetSetDef properties[] = {
      {"found_count", columns_found, NULL, PyDoc_STR("How many of the keys the file has."), NULL},
      {"other_count", columns_others, NULL,
       PyDoc_STR("How many values are null because they are of another type than their column."), NULL},
      {NULL}};
  static PyType_Slot slots[] = {
      {Py_tp_doc, "Arrow columns, which pyarrow, polars, duckdb and others take. len() is the number of rows."},
      {Py_tp_dealloc, columns_free}, {Py_tp_methods, methods}, {Py_tp_getset, properties}, {Py_mp_length, columns_length},
      {0, NULL}};
  static PyType_Spec spec = {
      "fusedb_swift.ArrowColumns", sizeof(Columns), 0,
      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};
  columns_type = type_make(module, &spec, NULL);
  return columns_type != NULL;
}
