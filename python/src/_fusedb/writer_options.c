/* How files are written: the options of writers and merges. */
#include "common.h"

static const char *const order_words[] = {"key", "insertion", NULL};
static const char *const layout_words[] = {"indexed", "plain", NULL};
const char *const form_words[] = {"family", "compact", "compact-fast", NULL};
static const char *const duplicate_words[] = {"last", "first", "error", NULL};
static const char *const network_words[] = {"automatic", "always", "never", NULL};
static const char *const normalise_words[] = {"none", "network", "domain", "lower", "mac", NULL};
const char *const link_words[] = {"refuse", "follow", "replace", NULL};

/* The bytes of a text, kept in the list. */
static bool keep_text(PyObject *kept, PyObject *text, const char *what, fuse_span *span) {
  Py_ssize_t size;
  const char *data = PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, &size) : NULL;
  if (data == NULL) {
    if (!PyErr_Occurred()) PyErr_Format(PyExc_TypeError, "%s must be text, and is %R", what, text);
    return false;
  }
  *span = (fuse_span){data, (size_t)size};
  return PyList_Append(kept, text) == 0;
}

static bool read_metadata(PyObject *dict, WriterOptions *options) {
  PyObject *items = PyMapping_Items(dict);
  if (items == NULL) return false;
  Py_ssize_t count = PyList_Size(items);
  options->metadata = PyMem_Calloc((size_t)count + 1, sizeof *options->metadata);
  bool done = options->metadata != NULL && PyList_Append(options->kept, items) == 0;
  for (Py_ssize_t place = 0; done && place < count; place++) {
    PyObject *name, *text;
    fuse_metadata *entry = &options->metadata[place];
    done = pair_read(PyList_GetItem(items, place), "an item of the metadata", &name, &text) &&
        keep_text(options->kept, name, "a name of the metadata", &entry->name) &&
        keep_text(options->kept, text, "a text of the metadata", &entry->text);
  }
  Py_DECREF(items);
  options->options.metadata = options->metadata;
  options->options.metadata_count = (size_t)count;
  if (options->metadata == NULL) PyErr_NoMemory();
  return done;
}

bool writer_options_read(PyObject *const *values, WriterOptions *all) {
  fuse_writer_options *options = &all->options;
  *options = fuse_writer_options_default();
  options->order = FUSE_ORDER_INSERTION;
  options->output_link = FUSE_LINK_REPLACED;
  all->metadata = NULL;
  all->kept = PyList_New(0);
  bool shared = false;
  uint64_t threads = 0;
  PyObject *folder = NULL;
  bool done = all->kept != NULL && argument_flag(values[0], &shared) &&
      argument_word(values[1], "order", order_words, &options->order) &&
      argument_word(values[2], "layout", layout_words, &options->layout) &&
      argument_word(values[3], "on_duplicate", duplicate_words, &options->on_duplicate) &&
      argument_word(values[4], "networks", network_words, &options->networks) &&
      argument_word(values[5], "normalise", normalise_words, &options->normalisation) &&
      argument_flag(values[6], &options->key_lengths) && argument_flag(values[7], &options->reverse_index) &&
      argument_flag(values[8], &options->masks_host_bits) &&
      (values[9] == NULL || values[9] == Py_None || read_metadata(values[9], all)) &&
      argument_size(values[10], "memory", &options->memory) &&
      (values[11] == NULL || values[11] == Py_None || path_read(values[11], &folder)) &&
      argument_size(values[12], "threads", &threads) && argument_size(values[13], "least_keys", &options->least_key_count) &&
      argument_share(values[14], "greatest_shrink", &options->greatest_shrink, &options->has_greatest_shrink) &&
      argument_word(values[15], "output_link", link_words, &options->output_link) &&
      argument_word(values[16], "form", form_words, &options->form);
  options->sharing = shared ? FUSE_SHARING_IDENTICAL : FUSE_SHARING_NONE;
  options->thread_count = threads > 1024 ? 1024 : (uint32_t)threads;
  if (done && folder != NULL) {
    options->temporary_folder = bytes_span(folder);
    done = PyList_Append(all->kept, folder) == 0;
  }
  Py_XDECREF(folder);
  if (!done) writer_options_free(all);
  return done;
}

void writer_options_free(WriterOptions *options) {
  PyMem_Free(options->metadata);
  options->metadata = NULL;
  Py_CLEAR(options->kept);
}
