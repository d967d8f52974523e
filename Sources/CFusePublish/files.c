#define _GNU_SOURCE
#include "CFusePublish.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

int fuse_open_unnamed(const char *folder, unsigned mode) {
#ifdef O_TMPFILE
  // Without /proc such a file could never be given a name.
  if (access("/proc/thread-self/fd", X_OK) != 0) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
#else
  errno = EOPNOTSUPP;
  return -1;
#endif
}

static const char access_list[] = "system.posix_acl_access";

ssize_t fuse_read_access_list(const char *path, void *bytes, size_t size) {
  return getxattr(path, access_list, bytes, size);
}

int fuse_give_access_list(int descriptor, const void *bytes, size_t size) {
  return fsetxattr(descriptor, access_list, bytes, size, 0);
}

void fuse_drop_access_list(int descriptor) { fremovexattr(descriptor, access_list); }
