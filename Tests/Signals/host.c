/* A process with a handler of SIGBUS of its own, and files that are cut while it reads them: host MODE FOLDER. */
#define _GNU_SOURCE
#include <fusedb.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *folder;

static void need(int is_true, const char *what) {
  if (is_true) return;
  fprintf(stderr, "not so: %s\n", what);
  exit(99);
}
#define NEED(condition) need(condition, #condition)

static const char *path_of(const char *name) {
  static __thread char path[1024];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void write_file(const char *name) {
  fuse_writer *writer = NULL;
  NEED(fuse_writer_make(NULL, &writer, NULL) == FUSE_OK);
  for (int i = 0; i < 5000; i++) {
    char key[32], json[64];
    uint64_t object;
    snprintf(key, sizeof key, "key-%d", i);
    snprintf(json, sizeof json, "\"value number %d\"", i);
    NEED(fuse_writer_add_json(writer, json, strlen(json), &object, NULL) == FUSE_OK);
    NEED(fuse_writer_add_key(writer, key, strlen(key), object, NULL) == FUSE_OK);
  }
  const char *path = path_of(name);
  NEED(fuse_writer_build(writer, path, strlen(path), NULL, NULL, NULL) == FUSE_OK);
  fuse_writer_close(writer);
}

static fuse_reader *open_file(const char *name, int32_t memory) {
  fuse_open_options options = fuse_open_options_default();
  options.memory = memory;
  fuse_reader *reader = NULL;
  fuse_error *error = NULL;
  const char *path = path_of(name);
  need(fuse_reader_open(path, strlen(path), &options, NULL, &reader, &error) == FUSE_OK, fuse_error_description(error));
  return reader;
}

/* Asks for all keys; whether all were there. */
static fuse_status ask(const fuse_reader *reader) {
  for (int i = 0; i < 5000; i++) {
    char key[32];
    fuse_span value;
    snprintf(key, sizeof key, "key-%d", i);
    fuse_status status = fuse_get(reader, key, strlen(key), &value, NULL);
    if (status != FUSE_OK) return status;
  }
  return FUSE_OK;
}

static void cut(const char *name) { NEED(truncate(path_of(name), 4096) == 0); }

/* Reads beyond the end of a file that is none of the library's. */
static void fault(void) {
  FILE *file = tmpfile();
  NEED(file && ftruncate(fileno(file), 4096) == 0);
  const volatile char *bytes = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fileno(file), 0);
  NEED(bytes != MAP_FAILED);
  (void)bytes[4096];
}

static void say(const char *text) { NEED(write(1, text, strlen(text)) > 0); }

static struct sigaction previous;

static void report_and_end(int number, siginfo_t *info, void *context) {
  (void)number, (void)info, (void)context;
  say("reported\n");
  _exit(3);
}

/* As Python's faulthandler does. */
static void report_and_raise(int number, siginfo_t *info, void *context) {
  (void)info, (void)context;
  sigaction(SIGBUS, &previous, NULL);
  say("reported\n");
  raise(number);
}

static void report_and_chain(int number, siginfo_t *info, void *context) {
  say("reported\n");
  if (previous.sa_flags & SA_SIGINFO) previous.sa_sigaction(number, info, context);
  else _exit(98);
}

/* As crash reporters do: what was there before has the next try. */
static void report_and_return(int number, siginfo_t *info, void *context) {
  (void)info, (void)context;
  sigaction(number, &previous, NULL);
  say("reported\n");
}

static void report(int number, siginfo_t *info, void *context) {
  (void)number, (void)info, (void)context;
  say("reported\n");
}

static jmp_buf place;

static void jump(int number, siginfo_t *info, void *context) {
  (void)number, (void)info, (void)context;
  longjmp(place, 1);
}

static void install_with(int flags, void (*handler)(int, siginfo_t *, void *)) {
  struct sigaction action = {0};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  NEED(sigaction(SIGBUS, &action, &previous) == 0);
}

static void install(void (*handler)(int, siginfo_t *, void *)) { install_with(SA_NODEFER, handler); }

/* A file that is cut is an error, and no signal that somebody sees. */
static void survive(const char *name) {
  write_file(name);
  fuse_reader *reader = open_file(name, FUSE_MEMORY_MAPPED);
  NEED(ask(reader) == FUSE_OK);
  cut(name);
  NEED(ask(reader) == FUSE_ERROR_TRUNCATED);
  fuse_reader_close(reader);
  say("survived\n");
}

static void *open_and_close(void *stop) {
  while (!__atomic_load_n((int *)stop, __ATOMIC_ACQUIRE)) fuse_reader_close(open_file("a.fsdb", FUSE_MEMORY_MAPPED));
  return NULL;
}

static void fork_while_others_open(void) {
  int stop = 0;
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) NEED(pthread_create(&threads[i], NULL, open_and_close, &stop) == 0);
  for (int i = 0; i < 300; i++) {
    pid_t child = fork();
    if (child == 0) {
      alarm(30);
      fuse_reader *reader = open_file("a.fsdb", FUSE_MEMORY_MAPPED);
      _exit(ask(reader) == FUSE_OK ? 0 : 1);
    }
    int status;
    NEED(child > 0 && waitpid(child, &status, 0) == child);
    NEED(status == 0);
  }
  __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  say("forked\n");
}

int main(int count, char **arguments) {
  NEED(count == 3);
  const char *mode = arguments[1];
  folder = arguments[2];
  if (strcmp(mode, "before") == 0) {
    install(report_and_end);
    survive("a.fsdb");
    fault();
  } else if (strcmp(mode, "after") == 0 || strcmp(mode, "raises") == 0 || strcmp(mode, "chains") == 0 ||
             strcmp(mode, "returns") == 0) {
    survive("a.fsdb");
    install(*mode == 'a' ? report_and_end : *mode == 'c' ? report_and_chain : mode[1] == 'a' ? report_and_raise : report_and_return);
    survive("b.fsdb");
    survive("c.fsdb");
    fault();
  } else if (strcmp(mode, "resets") == 0) {
    install_with(SA_RESETHAND, report);
    survive("a.fsdb");
    fault();
  } else if (strcmp(mode, "jumps") == 0) {
    install(jump);
    survive("a.fsdb");
    for (volatile int round = 0; round < 2; round++) {
      if (setjmp(place) == 0) fault();
      say("jumped\n");
    }
  } else if (strcmp(mode, "ignores") == 0) {
    signal(SIGBUS, SIG_IGN);
    survive("a.fsdb");
    raise(SIGBUS);
    survive("b.fsdb");
  } else if (strcmp(mode, "insists") == 0) {
    /* Once for each other handler: who puts theirs in front again, keeps it there. */
    survive("a.fsdb");
    install(report_and_end);
    survive("b.fsdb");
    install(report_and_end);
    survive("c.fsdb");
  } else if (strcmp(mode, "once") == 0) {
    NEED(fuse_set_signals(FUSE_SIGNALS_ONCE, NULL) == FUSE_OK);
    survive("a.fsdb");
    install(report_and_end);
    survive("b.fsdb");
  } else if (strcmp(mode, "none") == 0) {
    NEED(fuse_set_signals(FUSE_SIGNALS_NONE, NULL) == FUSE_OK);
    write_file("a.fsdb");
    fuse_reader *reader = open_file("a.fsdb", FUSE_MEMORY_COPIED);
    cut("a.fsdb");
    NEED(ask(reader) == FUSE_OK);
    say("survived\n");
    survive("b.fsdb");
  } else if (strcmp(mode, "fork") == 0) {
    write_file("a.fsdb");
    fork_while_others_open();
  } else {
    NEED(0);
  }
  say("went on\n");
  return 0;
}
