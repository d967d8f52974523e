#define _GNU_SOURCE
#include "CFusePublish.h"

#include <errno.h>
#include <fcntl.h>
#ifndef __APPLE__
#include <sys/xattr.h>
#endif
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

int fuse_make_durable(int descriptor) {
#ifdef F_FULLFSYNC
  // There, fsync leaves it to the disk when to write. Not every file system has more to offer.
  if (fcntl(descriptor, F_FULLFSYNC) == 0) return 0;
  if (errno != ENOTSUP && errno != EINVAL) return -1;
#endif
  return fsync(descriptor);
}

#ifdef __APPLE__
// Its access control lists are of another kind. A new file has those that its folder gives.
ssize_t fuse_read_access_list(const char *path, void *bytes, size_t size) {
  (void)path, (void)bytes, (void)size;
  errno = ENOTSUP;
  return -1;
}

int fuse_give_access_list(int descriptor, const void *bytes, size_t size) {
  (void)descriptor, (void)bytes, (void)size;
  errno = ENOTSUP;
  return -1;
}

void fuse_drop_access_list(int descriptor) { (void)descriptor; }
#else
static const char access_list[] = "system.posix_acl_access";

ssize_t fuse_read_access_list(const char *path, void *bytes, size_t size) {
  return getxattr(path, access_list, bytes, size);
}

int fuse_give_access_list(int descriptor, const void *bytes, size_t size) {
  return fsetxattr(descriptor, access_list, bytes, size, 0);
}

void fuse_drop_access_list(int descriptor) { fremovexattr(descriptor, access_list); }
#endif
