#include "parts.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int give_up(int descriptor) {
  int reason = errno;
  if (descriptor >= 0) close(descriptor);
  errno = reason;
  return -1;
}

int fuse_listen(const char *host, uint16_t *port, int backlog) {
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(*port)};
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(*port)};
  int is_six = strchr(host, ':') != NULL;
  if (inet_pton(is_six ? AF_INET6 : AF_INET, host, is_six ? (void *)&six.sin6_addr : (void *)&four.sin_addr) != 1) {
    errno = EINVAL;
    return -1;
  }
  int descriptor = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  int yes = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  socklen_t size = is_six ? sizeof six : sizeof four;
  struct sockaddr *address = is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four;
  if (bind(descriptor, address, size) != 0 || listen(descriptor, backlog) != 0 || getsockname(descriptor, address, &size) != 0)
    return give_up(descriptor);
  *port = ntohs(is_six ? six.sin6_port : four.sin_port);
  return descriptor;
}

int fuse_listen_at_path(const char *path, unsigned mode, int backlog) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(address.sun_path, path);
  struct stat status;
  if (lstat(path, &status) == 0) {
    // What is no socket stays, and so does one that somebody listens at.
    if (!S_ISSOCK(status.st_mode)) {
      errno = EEXIST;
      return -1;
    }
    int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (other < 0) return -1;
    int is_served = connect(other, (struct sockaddr *)&address, sizeof address) == 0 || errno != ECONNREFUSED;
    close(other);
    if (is_served) {
      errno = EADDRINUSE;
      return -1;
    }
    if (unlink(path) != 0) return -1;
  }
  int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  // Nobody can connect before it has its rights.
  mode_t before = umask(0777);
  int is_bound = bind(descriptor, (struct sockaddr *)&address, sizeof address);
  umask(before);
  if (is_bound != 0 || listen(descriptor, backlog) != 0 || chmod(path, mode) != 0) return give_up(descriptor);
  return descriptor;
}

size_t fuse_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur != limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur == RLIM_INFINITY ? (size_t)1 << 20 : (size_t)limit.rlim_cur;
}

static void fill(sigset_t *signals) {
  sigemptyset(signals);
  sigaddset(signals, SIGTERM);
  sigaddset(signals, SIGINT);
}

void fuse_block_signals(void) {
  sigset_t signals;
  fill(&signals);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  signal(SIGPIPE, SIG_IGN);
}

int fuse_wait_for_signal(unsigned milliseconds) {
  sigset_t signals;
  fill(&signals);
  struct timespec time = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
  int found = sigtimedwait(&signals, NULL, &time);
  return found > 0 ? found : 0;
}

int fuse_open_log(const char *path) { return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600); }

void fuse_remove_socket(const char *path) {
  struct stat status;
  if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode)) unlink(path);
}

const char *fuse_interned_kind(const char *kind) {
  static struct { char *text; } known[64];
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  const char *found = "application/octet-stream";
  pthread_mutex_lock(&lock);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (known[i].text == NULL) known[i].text = strdup(kind);
    if (known[i].text == NULL) break;
    if (strcmp(known[i].text, kind) == 0) {
      found = known[i].text;
      break;
    }
  }
  pthread_mutex_unlock(&lock);
  return found;
}
