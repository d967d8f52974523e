/* How many locks the first open and look-up of a process take, and the next: locks KIND FILE prints both. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <fusedb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int count;

/* The library calls these instead of those of the C library. */
int pthread_mutex_lock(pthread_mutex_t *lock) {
  static int (*real)(pthread_mutex_t *);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_lock");
  count += 1;
  return real(lock);
}

int pthread_once(pthread_once_t *once, void (*body)(void)) {
  static int (*real)(pthread_once_t *, void (*)(void));
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pthread_once");
  count += 1;
  return real(once, body);
}

static void need(int is_true, const char *what) {
  if (is_true) return;
  fprintf(stderr, "not so: %s\n", what);
  exit(99);
}
#define NEED(condition) need(condition, #condition)

static int go_on(void *context) {
  (void)context;
  return 0;
}

static int locks_of(const char *kind, const char *path) {
  static char bytes[1 << 20];
  int descriptor = open(path, O_RDONLY);
  ssize_t size = read(descriptor, bytes, sizeof bytes);
  NEED(size > 0 && size < (ssize_t)sizeof bytes);
  fuse_open_options options = fuse_open_options_default();
  fuse_reader *reader = NULL;
  fuse_reloadable *store = NULL;
  fuse_call call = fuse_call_default();
  call.poll = go_on;
  fuse_span value;
  int before = count;
  if (strcmp(kind, "copied") == 0) options.memory = FUSE_MEMORY_COPIED;
  if (strcmp(kind, "descriptor") == 0) {
    NEED(fuse_reader_open_descriptor(descriptor, &options, NULL, &reader, NULL) == FUSE_OK);
  } else if (strcmp(kind, "bytes") == 0) {
    NEED(fuse_reader_open_bytes(bytes, (size_t)size, &options, NULL, &reader, NULL) == FUSE_OK);
  } else if (strcmp(kind, "reloadable") == 0) {
    NEED(fuse_reloadable_open(path, strlen(path), NULL, NULL, &store, NULL) == FUSE_OK);
    NEED(fuse_reloadable_snapshot(store, &reader, NULL) == FUSE_OK);
  } else {
    NEED(fuse_reader_open(path, strlen(path), &options, strcmp(kind, "call") == 0 ? &call : NULL, &reader, NULL) == FUSE_OK);
  }
  if (strcmp(kind, "missing") == 0) {
    fuse_error *error = NULL;
    fuse_reader *none = NULL;
    NEED(fuse_reader_open("/missing", 8, &options, NULL, &none, &error) == FUSE_ERROR_NOT_FOUND);
    NEED(strlen(fuse_error_description(error)) > 0);
    fuse_error_free(error);
  }
  NEED(fuse_contains(reader, "key-x", 5, NULL) == FUSE_NONE);
  NEED(fuse_get(reader, "key-7", 5, &value, NULL) == FUSE_OK);
  NEED(fuse_reader_close(reader) == FUSE_OK);
  NEED(fuse_reloadable_close(store) == FUSE_OK);
  int locks = count - before;
  close(descriptor);
  return locks;
}

int main(int argument_count, char **arguments) {
  NEED(argument_count == 3);
  int first = locks_of(arguments[1], arguments[2]);
  printf("%d %d\n", first, locks_of(arguments[1], arguments[2]));
  return 0;
}
