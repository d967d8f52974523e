#include "CFusePages.h"

#if !__has_include(<microhttpd.h>)
#error "microhttpd.h not found: apt-get install libmicrohttpd-dev"
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct fuse_page {
  struct MHD_Daemon *daemon;
  char *path;
  char *kind;
  uint16_t port;
  pthread_mutex_t lock;
  // Under the lock.
  uint8_t *text;
  size_t size;
};

static void release(fuse_page *page) {
  pthread_mutex_destroy(&page->lock);
  free(page->text);
  free(page->kind);
  free(page->path);
  free(page);
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *kind, const void *text, size_t size) {
  struct MHD_Response *response = MHD_create_response_from_buffer(size, (void *)text, MHD_RESPMEM_MUST_COPY);
  if (response == NULL) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, kind);
  if (status == MHD_HTTP_METHOD_NOT_ALLOWED) MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  enum MHD_Result result = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned status, const char *text) {
  return answer(connection, status, "text/plain; charset=utf-8", text, strlen(text));
}

static enum MHD_Result handle(
    void *context, struct MHD_Connection *connection, const char *url, const char *method, const char *version, const char *body,
    size_t *body_size, void **state) {
  (void)version;
  (void)body;
  fuse_page *page = context;
  // First comes the head alone, then each part of the body, of which nothing is taken.
  static int seen;
  if (*state == NULL) {
    *state = &seen;
    return MHD_YES;
  }
  if (*body_size > 0) {
    *body_size = 0;
    return MHD_YES;
  }
  if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
    return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
  }
  if (strcmp(url, page->path) != 0) return say(connection, MHD_HTTP_NOT_FOUND, "there is no such page\n");
  pthread_mutex_lock(&page->lock);
  enum MHD_Result result = answer(connection, MHD_HTTP_OK, page->kind, page->text, page->size);
  pthread_mutex_unlock(&page->lock);
  return result;
}

fuse_page *fuse_page_serve(const char *host, uint16_t port, const char *path, const char *kind) {
  struct sockaddr_in four = {0};
  struct sockaddr_in6 six = {0};
  const struct sockaddr *address = (const struct sockaddr *)&four;
  int is_six = strchr(host, ':') != NULL;
  if (is_six) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    address = (const struct sockaddr *)&six;
  } else {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
  }
  void *place = is_six ? (void *)&six.sin6_addr : (void *)&four.sin_addr;
  if (inet_pton(is_six ? AF_INET6 : AF_INET, host, place) != 1) {
    errno = EINVAL;
    return NULL;
  }
  fuse_page *page = calloc(1, sizeof *page);
  if (page == NULL) return NULL;
  *page = (fuse_page){.path = strdup(path), .kind = strdup(kind), .port = port, .lock = PTHREAD_MUTEX_INITIALIZER};
  if (page->path == NULL || page->kind == NULL) {
    release(page);
    errno = ENOMEM;
    return NULL;
  }
  // One thread, few connections, and none that stays silent.
  errno = 0;
  page->daemon = MHD_start_daemon(
      MHD_USE_INTERNAL_POLLING_THREAD | (is_six ? MHD_USE_IPv6 : 0), port, NULL, NULL, handle, page, MHD_OPTION_SOCK_ADDR, address,
      MHD_OPTION_CONNECTION_LIMIT, 16u, MHD_OPTION_CONNECTION_TIMEOUT, 10u, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384,
      MHD_OPTION_END);
  if (page->daemon == NULL) {
    int reason = errno;
    release(page);
    errno = reason;
    return NULL;
  }
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(page->daemon, MHD_DAEMON_INFO_BIND_PORT);
  if (info != NULL) page->port = info->port;
  return page;
}

uint16_t fuse_page_port(const fuse_page *page) { return page->port; }

int fuse_page_set(fuse_page *page, const uint8_t *text, size_t size) {
  uint8_t *copy = malloc(size == 0 ? 1 : size);
  if (copy == NULL) return 0;
  if (size > 0) memcpy(copy, text, size);
  pthread_mutex_lock(&page->lock);
  uint8_t *old = page->text;
  page->text = copy;
  page->size = size;
  pthread_mutex_unlock(&page->lock);
  free(old);
  return 1;
}

void fuse_page_end(fuse_page *page) {
  if (page == NULL) return;
  MHD_stop_daemon(page->daemon);
  release(page);
}
