/* The module _fusedb: what fusedb_swift is made of. Its state is the process's: one interpreter may have it. */
#include "common.h"

PyTypeObject *type_make(PyObject *module, PyType_Spec *spec, PyTypeObject *base) {
  PyObject *bases = base == NULL ? NULL : PyTuple_Pack(1, base);
  if (base != NULL && bases == NULL) return NULL;
  PyObject *type = PyType_FromSpecWithBases(spec, bases);
  Py_XDECREF(bases);
  if (type == NULL) return NULL;
  const char *name = strrchr(spec->name, '.') + 1;
  if (module != NULL && PyModule_AddObjectRef(module, name, type) != 0) Py_CLEAR(type);
  return (PyTypeObject *)type;
}

PyObject *packed_object(PyObject *module, PyObject *object) {
  (void)module;
  Packed packed;
  if (!value_encode(object, &packed)) return NULL;
  PyObject *bytes = PyBytes_FromStringAndSize((const char *)packed.data, (Py_ssize_t)packed.size);
  packed_free(&packed);
  return bytes;
}

PyObject *unpacked_object(PyObject *module, PyObject *object) {
  (void)module;
  char *data;
  Py_ssize_t size;
  return PyBytes_AsStringAndSize(object, &data, &size) == 0 ? value_decode(data, (size_t)size) : NULL;
}

static int execute(PyObject *module) {
  /* Also when it is imported again, after something took it out of sys.modules. */
  static int64_t owner = -1;
  int64_t interpreter = PyInterpreterState_GetID(PyInterpreterState_Get());
  if (owner >= 0 && owner != interpreter) {
    PyErr_SetString(PyExc_ImportError, "fusedb_swift can be imported by one interpreter of a process");
    return -1;
  }
  owner = interpreter;
  if (fuse_abi_version() < FUSE_ABI_VERSION) {
    PyErr_Format(
        PyExc_ImportError, "libfusedb.so is %s, older than what this package was built with: install its later version",
        fuse_library_version());
    return -1;
  }
  bool done = snapshot_types() && reader_types(module) && listing_types() && match_types(module) && about_types(module) &&
      column_types(module) && serving_types(module) && writer_types(module) && tool_types(module) &&
      PyModule_AddFunctions(module, delivery_functions) == 0 && PyModule_AddFunctions(module, set_functions) == 0 &&
      PyModule_AddStringConstant(module, "library_version", fuse_library_version()) == 0;
  return done ? 0 : -1;
}

static void module_free(void *module) {
  (void)module;
  decode_clear();
}

PyMODINIT_FUNC PyInit__fusedb(void) {
  static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, {0, NULL}};
  static PyModuleDef definition = {
      PyModuleDef_HEAD_INIT, "_fusedb", "Calls libfusedb.", 0, tool_functions, slots, NULL, NULL, module_free};
  return PyModuleDef_Init(&definition);
}
