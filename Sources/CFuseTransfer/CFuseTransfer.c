#define _GNU_SOURCE
#include "CFuseTransfer.h"

#if !__has_include(<curl/curl.h>)
#error "curl/curl.h not found: apt-get install libcurl4-openssl-dev"
#endif
#include <curl/curl.h>
#include <dlfcn.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// What libcrypto has goes with the process: tidied up when that ends, it would be gone for a thread that follows meanwhile, and the
// process would end by a signal. Whoever begins with it says so; libcurl does not.
static void keep_crypto(void *library) {
  int (*begin_crypto)(uint64_t, const void *);
  *(void **)&begin_crypto = dlsym(library, "OPENSSL_init_crypto");
  const uint64_t without_atexit = 0x00080000;
  if (begin_crypto != NULL) begin_crypto(without_atexit, NULL);
}

struct fuse_transfers {
  CURLM *multi;
  CURL *easy;
};

#ifdef FUSE_OPENS_LATE
// In libfusedb.so: libcurl brings some thirty libraries, for which a program that looks up has no use. So it is opened by the
// first call, and its functions are called through pointers of their own types.
#undef curl_easy_getinfo
#undef curl_easy_setopt
#define FUNCTIONS(DO) \
  DO(curl_easy_cleanup) DO(curl_easy_getinfo) DO(curl_easy_init) DO(curl_easy_reset) DO(curl_easy_setopt) DO(curl_easy_strerror) \
  DO(curl_global_init) DO(curl_multi_add_handle) DO(curl_multi_cleanup) DO(curl_multi_info_read) DO(curl_multi_init) \
  DO(curl_multi_perform) DO(curl_multi_poll) DO(curl_multi_remove_handle) DO(curl_slist_append) DO(curl_slist_free_all)
#define POINTER(name) __typeof__(name) *name;
static struct {
  FUNCTIONS(POINTER)
} late;
#define FIND(name) && (*(void **)&late.name = dlsym(library, #name)) != NULL
static int open_library(void) {
  void *library = dlopen(fuse_transfers_library, RTLD_NOW | RTLD_LOCAL);
  if (library != NULL) keep_crypto(library);
  return library != NULL FUNCTIONS(FIND);
}
#define curl_easy_cleanup late.curl_easy_cleanup
#define curl_easy_getinfo late.curl_easy_getinfo
#define curl_easy_init late.curl_easy_init
#define curl_easy_reset late.curl_easy_reset
#define curl_easy_setopt late.curl_easy_setopt
#define curl_easy_strerror late.curl_easy_strerror
#define curl_global_init late.curl_global_init
#define curl_multi_add_handle late.curl_multi_add_handle
#define curl_multi_cleanup late.curl_multi_cleanup
#define curl_multi_info_read late.curl_multi_info_read
#define curl_multi_init late.curl_multi_init
#define curl_multi_perform late.curl_multi_perform
#define curl_multi_poll late.curl_multi_poll
#define curl_multi_remove_handle late.curl_multi_remove_handle
#define curl_slist_append late.curl_slist_append
#define curl_slist_free_all late.curl_slist_free_all
#else
static int open_library(void) {
  keep_crypto(RTLD_DEFAULT);
  return 1;
}
#endif

static pthread_once_t is_begun = PTHREAD_ONCE_INIT;
static int is_open;
static void begin(void) {
  is_open = open_library();
  if (is_open) curl_global_init(CURL_GLOBAL_DEFAULT);
}

int fuse_transfers_can_be_made(void) {
  pthread_once(&is_begun, begin);
  return is_open;
}

fuse_transfers *fuse_transfers_make(void) {
  if (!fuse_transfers_can_be_made()) return NULL;
  fuse_transfers *transfers = calloc(1, sizeof *transfers);
  if (transfers == NULL) return NULL;
  transfers->multi = curl_multi_init();
  transfers->easy = curl_easy_init();
  if (transfers->multi != NULL && transfers->easy != NULL) return transfers;
  fuse_transfers_free(transfers);
  return NULL;
}

void fuse_transfers_free(fuse_transfers *transfers) {
  if (transfers == NULL) return;
  curl_easy_cleanup(transfers->easy);
  curl_multi_cleanup(transfers->multi);
  free(transfers);
}

// One transfer.
struct state {
  const fuse_request *request;
  fuse_answer *answer;
  CURL *easy;
  int64_t position;   // of the next byte, in the whole body
  int64_t from;       // where the part of this answer begins, as it says
  int has_body_begun;
  fuse_outcome stopped_as;  // why a callback ended the transfer
};

static int64_t header_number(const char *text, size_t size, const char *name, const char **value) {
  size_t length = strlen(name);
  if (size <= length || strncasecmp(text, name, length) != 0) return -1;
  *value = text + length;
  return (int64_t)(size - length);
}

static size_t take_header(char *text, size_t one, size_t size, void *context) {
  (void)one;
  struct state *state = context;
  fuse_answer *answer = state->answer;
  const char *value = NULL;
  if (size > 5 && strncmp(text, "HTTP/", 5) == 0) {
    // Of the next answer: after a redirect, or after one that asked to go on.
    answer->tag[0] = 0;
    state->from = -1;
    return size;
  }
  int64_t length = header_number(text, size, "etag:", &value);
  if (length > 0) {
    while (length > 0 && (*value == ' ' || *value == '\t')) value += 1, length -= 1;
    while (length > 0 && strchr(" \t\r\n", value[length - 1]) != NULL) length -= 1;
    if (length < fuse_tag_size) {
      memcpy(answer->tag, value, (size_t)length);
      answer->tag[length] = 0;
    }
    return size;
  }
  length = header_number(text, size, "content-range:", &value);
  if (length > 0) {
    char range[96];
    if (length >= (int64_t)sizeof range) return size;
    memcpy(range, value, (size_t)length);
    range[length] = 0;
    int64_t from;
    if (sscanf(range, " bytes %" SCNd64 "-", &from) == 1) state->from = from;
  }
  return size;
}

static size_t stop(struct state *state, fuse_outcome outcome, const char *reason) {
  state->stopped_as = outcome;
  if (state->answer->reason[0] == 0) snprintf(state->answer->reason, fuse_reason_size, "%s", reason);
  return 0;
}

static size_t take_body(char *bytes, size_t one, size_t count, void *context) {
  (void)one;
  struct state *state = context;
  const fuse_request *request = state->request;
  long status = 0;
  curl_easy_getinfo(state->easy, CURLINFO_RESPONSE_CODE, &status);
  // Pages of errors are for people with browsers.
  if (status != 200 && status != 206) {
    state->answer->body_size += (int64_t)count;
    return state->answer->body_size > 1 << 16 ? stop(state, FUSE_TRANSFER_REFUSED, "") : count;
  }
  if (!state->has_body_begun) {
    state->has_body_begun = 1;
    if (status == 206) {
      if (state->from != request->from) return stop(state, FUSE_TRANSFER_FAILED, "the server sends another range than it was asked for");
    } else if (request->from > 0) {
      request->begin_anew(request->context);
      state->position = 0;
    }
  }
  if ((int64_t)count > request->most - state->position) return stop(state, FUSE_TRANSFER_TOO_LONG, "the answer is longer than it may be");
  state->position += (int64_t)count;
  state->answer->body_size += (int64_t)count;
  return request->take(request->context, (const uint8_t *)bytes, count) == 0 ? count : stop(state, FUSE_TRANSFER_STOPPED, "");
}

static fuse_outcome outcome_of(CURLcode code) {
  switch (code) {
    case CURLE_OUT_OF_MEMORY: return FUSE_TRANSFER_OUT_OF_MEMORY;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_NOT_BUILT_IN:
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_LOGIN_DENIED: return FUSE_TRANSFER_FORBIDDEN;
    default: return FUSE_TRANSFER_FAILED;
  }
}

// Returns 0 where an option could not be set.
static int prepare(CURL *easy, struct state *state, char *reason, struct curl_slist **fields) {
  const fuse_request *request = state->request;
  int is_secure = strncasecmp(request->url, "https:", 6) == 0;
  CURLcode code = CURLE_OK;
#define SET(option, value) if (code == CURLE_OK) code = curl_easy_setopt(easy, option, value)
  SET(CURLOPT_URL, request->url);
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_REDIR_PROTOCOLS_STR, is_secure ? "https" : "http,https");
  SET(CURLOPT_FOLLOWLOCATION, 1L);
  SET(CURLOPT_MAXREDIRS, 5L);
  SET(CURLOPT_SSL_VERIFYPEER, 1L);
  SET(CURLOPT_SSL_VERIFYHOST, 2L);
  SET(CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_USERAGENT, "fusedb");
  SET(CURLOPT_ERRORBUFFER, reason);
  SET(CURLOPT_HEADERFUNCTION, take_header);
  SET(CURLOPT_HEADERDATA, state);
  SET(CURLOPT_WRITEFUNCTION, take_body);
  SET(CURLOPT_WRITEDATA, state);
  SET(CURLOPT_TIMEOUT_MS, (long)(request->deadline * 1000));
  SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(request->connect_deadline * 1000));
  if (request->stall_deadline > 0) {
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, (long)(request->stall_deadline < 1 ? 1 : request->stall_deadline));
  }
  SET(CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)request->most_per_second);
  if (request->from > 0) {
    char range[32];
    snprintf(range, sizeof range, "%" PRId64 "-", request->from);
    SET(CURLOPT_RANGE, range);
  }
  if (code == CURLE_OK && request->tag != NULL) {
    char field[fuse_tag_size + 20];
    snprintf(field, sizeof field, "If-None-Match: %s", request->tag);
    *fields = curl_slist_append(NULL, field);
    if (*fields == NULL) code = CURLE_OUT_OF_MEMORY;
    SET(CURLOPT_HTTPHEADER, *fields);
  }
#undef SET
  return code == CURLE_OK;
}

// Drives the transfer to its end.
static CURLcode drive(CURLM *multi, CURL *easy, struct state *state) {
  if (curl_multi_add_handle(multi, easy) != CURLM_OK) return CURLE_OUT_OF_MEMORY;
  CURLcode code = CURLE_OK;
  for (int running = 1; running != 0;) {
    CURLMcode result = curl_multi_perform(multi, &running);
    if (result == CURLM_OK && running != 0) result = curl_multi_poll(multi, NULL, 0, 100, NULL);
    if (result != CURLM_OK) {
      code = result == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_RECV_ERROR;
      break;
    }
    if (running != 0 && state->request->poll(state->request->context) != 0) {
      stop(state, FUSE_TRANSFER_STOPPED, "");
      code = CURLE_ABORTED_BY_CALLBACK;
      break;
    }
  }
  int left;
  for (CURLMsg *message; (message = curl_multi_info_read(multi, &left)) != NULL;) {
    if (message->msg == CURLMSG_DONE && message->easy_handle == easy) code = message->data.result;
  }
  curl_multi_remove_handle(multi, easy);
  return code;
}

void fuse_transfer(fuse_transfers *transfers, const fuse_request *request, fuse_answer *answer) {
  memset(answer, 0, sizeof *answer);
  CURL *easy = transfers->easy;
  curl_easy_reset(easy);
  struct state state = {.request = request, .answer = answer, .easy = easy, .position = request->from, .from = -1, .stopped_as = FUSE_TRANSFER_DONE};
  char reason[CURL_ERROR_SIZE] = "";
  struct curl_slist *fields = NULL;
  CURLcode code = prepare(easy, &state, reason, &fields) ? drive(transfers->multi, easy, &state) : CURLE_OUT_OF_MEMORY;
  long status = 0, head_size = 0, request_size = 0;
  curl_off_t received = 0, wait = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_HEADER_SIZE, &head_size);
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_size);
  curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait);
  answer->status = (int)status;
  answer->wire_size = (int64_t)received + head_size + request_size;
  answer->retry_after = (int64_t)wait;
  if (state.stopped_as != FUSE_TRANSFER_DONE) {
    answer->outcome = state.stopped_as;
  } else if (code != CURLE_OK) {
    answer->outcome = outcome_of(code);
    snprintf(answer->reason, fuse_reason_size, "%s", reason[0] != 0 ? reason : curl_easy_strerror(code));
  } else if (status == 304) {
    answer->outcome = FUSE_TRANSFER_NOT_MODIFIED;
  } else if (status == 200 || status == 206) {
    // A body without a byte comes here without its callback.
    if (!state.has_body_begun && status == 200 && request->from > 0) request->begin_anew(request->context);
    answer->outcome = FUSE_TRANSFER_DONE;
  } else {
    answer->outcome = FUSE_TRANSFER_REFUSED;
  }
  // The URL may hold a password, and nothing of this transfer is for the next.
  curl_easy_reset(easy);
  curl_slist_free_all(fields);
}
