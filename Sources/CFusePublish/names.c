// The names that this process would leave behind if it ended now, and a signal handler that removes them.
#define _GNU_SOURCE
#include "CFusePublish.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifndef __APPLE__
#include <sys/syscall.h>
#endif

typedef struct name name;

struct name {
  name *next;
  char path[];
};

static const int endings[] = {SIGHUP, SIGINT, SIGTERM};
enum { ending_count = sizeof endings / sizeof *endings };

// Everything below is read and written under the lock. A thread that holds it has the three signals blocked. So the handler
// never interrupts the holder, and may wait for it on another thread: that takes no longer than a system call.
static atomic_flag lock = ATOMIC_FLAG_INIT;
static name *names;
static char *sentence, *sentence_when_finished;
static int is_finished;

static void acquire(void) {
  const struct timespec moment = {.tv_nsec = 50000};
  while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire)) nanosleep(&moment, NULL);
}

static sigset_t enter(void) {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  for (int i = 0; i < ending_count; i++) sigaddset(&blocked, endings[i]);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  acquire();
  return before;
}

static void leave(sigset_t before) {
  int error = errno;
  atomic_flag_clear_explicit(&lock, memory_order_release);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = error;
}

static name *make_name(const char *path) {
  size_t size = strlen(path) + 1;
  name *made = malloc(sizeof *made + size);
  if (made) memcpy(made->path, path, size);
  return made;
}

static void remember(name *made) {
  made->next = names;
  names = made;
}

static void forget(const char *path) {
  for (name **link = &names; *link; link = &(*link)->next) {
    if (strcmp((*link)->path, path) != 0) continue;
    name *gone = *link;
    *link = gone->next;
    free(gone);
    return;
  }
}

int fuse_create_unfinished(const char *path, unsigned mode) {
  name *made = make_name(path);
  if (!made) return -1;
  sigset_t before = enter();
  int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor >= 0) remember(made);
  leave(before);
  if (descriptor < 0) free(made);
  return descriptor;
}

// The way through /proc is the one that needs no privilege (open(2), O_TMPFILE). /proc/self would be the process's first
// thread, which may have ended.
static int link_unnamed(int descriptor, const char *path) {
  char source[64];
  snprintf(source, sizeof source, "/proc/thread-self/fd/%d", descriptor);
  return linkat(AT_FDCWD, source, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

int fuse_link_unfinished(int descriptor, const char *path) {
  name *made = make_name(path);
  if (!made) return -1;
  sigset_t before = enter();
  int result = link_unnamed(descriptor, path);
  if (result == 0) remember(made);
  leave(before);
  if (result != 0) free(made);
  return result;
}

int fuse_link_finished(int descriptor, const char *path) {
  sigset_t before = enter();
  int result = link_unnamed(descriptor, path);
  if (result == 0) is_finished = 1;
  leave(before);
  return result;
}

int fuse_rename_finished(const char *unfinished, const char *path) {
  sigset_t before = enter();
  int result = rename(unfinished, path);
  if (result == 0) {
    forget(unfinished);
    is_finished = 1;
  }
  leave(before);
  return result;
}

#ifdef __APPLE__
#define st_mtim st_mtimespec
#endif

static bool has_stamp(const char *path, const fuse_stamp *stamp) {
  struct stat found;
  return lstat(path, &found) == 0 && (uint64_t)found.st_dev == stamp->device && found.st_ino == stamp->inode &&
      found.st_size == stamp->byte_count && found.st_mtim.tv_sec == stamp->modified_seconds &&
      found.st_mtim.tv_nsec == stamp->modified_nanoseconds;
}

static bool leads_to(const char *path, int descriptor) {
  struct stat found, open;
  return lstat(path, &found) == 0 && fstat(descriptor, &open) == 0 && found.st_dev == open.st_dev &&
      found.st_ino == open.st_ino;
}

// Gives a file another name that nothing has, and exchanges two names. Neither is in POSIX.
#ifdef __APPLE__
static int rename_to_free(const char *from, const char *to) { return renamex_np(from, to, RENAME_EXCL); }
static int exchange(const char *one, const char *other) { return renamex_np(one, other, RENAME_SWAP); }
#else
// By its number, because musl has no function for it; the flags are those of linux/fs.h.
static int rename_with(const char *from, const char *to, unsigned flags) {
  return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}
static int rename_to_free(const char *from, const char *to) { return rename_with(from, to, 1); }
static int exchange(const char *one, const char *other) { return rename_with(one, other, 2); }
#endif

// Whether the system or the file system lacks the call, rather than refusing this use of it.
static bool is_lacking(int error) {
  return error == EINVAL || error == ENOSYS || error == EPERM || error == EOPNOTSUPP || error == ENOTSUP;
}

// Replaces by an exchange of the two names: only after that is it known which file was replaced, and it can be undone.
static int replace(int descriptor, const char *unfinished, const char *path, const fuse_stamp *expected) {
  if (!expected) {
    if (rename_to_free(unfinished, path) == 0) return FUSE_REPLACED;
    if (!is_lacking(errno)) return -1;
    // link() fails where the name exists already. Some file systems have no hard links either.
    if (link(unfinished, path) == 0) {
      unlink(unfinished);
      return FUSE_REPLACED;
    }
    return is_lacking(errno) ? rename(unfinished, path) : -1;
  }
  if (exchange(unfinished, path) != 0) {
    if (errno == ENOENT) errno = ESTALE;
    if (!is_lacking(errno)) return -1;
    if (has_stamp(path, expected)) return rename(unfinished, path);
    errno = ESTALE;
    return -1;
  }
  if (has_stamp(unfinished, expected)) return unlink(unfinished) == 0 ? FUSE_REPLACED : FUSE_LEFT_OLD;
  if (exchange(unfinished, path) != 0 || !leads_to(unfinished, descriptor))
    return FUSE_LEFT_OTHER;
  errno = ESTALE;
  return -1;
}

int fuse_replace_finished(int descriptor, const char *unfinished, const char *path, const fuse_stamp *expected) {
  sigset_t before = enter();
  int result = replace(descriptor, unfinished, path, expected);
  if (result >= 0) forget(unfinished);
  if (result == FUSE_REPLACED || result == FUSE_LEFT_OLD) is_finished = 1;
  leave(before);
  return result;
}

int fuse_unlink_unfinished(const char *path) {
  sigset_t before = enter();
  int result = unlink(path);
  forget(path);
  leave(before);
  return result;
}

// Calls only what POSIX lists as safe in a handler. The lock is kept, so that no other thread makes or moves a name any
// more.
static void on_ending(int number) {
  acquire();
  for (name *n = names; n; n = n->next) unlink(n->path);
  const char *text = is_finished ? sentence_when_finished : sentence;
  // The pipe may have no reader any more; if it is full, writing would keep the process from ending.
  struct pollfd output = {.fd = STDERR_FILENO, .events = POLLOUT};
  signal(SIGPIPE, SIG_IGN);
  if (text && poll(&output, 1, 0) == 1 && write(STDERR_FILENO, text, strlen(text)) < 0) {
    // There is no other way to report this.
  }
  signal(number, SIG_DFL);
  raise(number);
  sigset_t unblocked;
  sigemptyset(&unblocked);
  sigaddset(&unblocked, number);
  pthread_sigmask(SIG_UNBLOCK, &unblocked, NULL);
  // The first process of a container is not ended by a signal that it sends to itself.
  _exit(128 + number);
}

static void install(void) {
  struct sigaction action = {0};
  action.sa_handler = on_ending;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < ending_count; i++) sigaddset(&action.sa_mask, endings[i]);
  for (int i = 0; i < ending_count; i++) {
    struct sigaction before;
    // A signal that is ignored stays ignored: nohup starts a process like that.
    if (sigaction(endings[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL) sigaction(endings[i], &action, NULL);
  }
}

void fuse_on_interruption(const char *text, const char *text_when_finished) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  char *copy = strdup(text), *copy_when_finished = strdup(text_when_finished);
  sigset_t before = enter();
  free(sentence);
  free(sentence_when_finished);
  sentence = copy;
  sentence_when_finished = copy_when_finished;
  is_finished = 0;
  leave(before);
  pthread_once(&once, install);
}
