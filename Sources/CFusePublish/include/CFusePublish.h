// Gives a file its name in one step, with the rights of the file that it replaces, and leaves nothing when a signal ends the
// process.
#ifndef CFUSEPUBLISH_H
#define CFUSEPUBLISH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Removes the access control list that a new file inherits from its folder, if any.
void fuse_drop_access_list(int descriptor);

/// Has the disk keep what was written to an open file or folder; -1 and errno on failure.
int fuse_make_durable(int descriptor);

/// Opens a file without a name in the folder `path`, readable and writable; -1 and errno where that is not supported.
int fuse_open_unnamed(const char *_Nonnull folder, unsigned mode);

/// Reads the access control list of the file at `path`, if it has one beyond its mode. Returns its length in bytes,
/// also when `size` is 0; -1 where there is none.
ssize_t fuse_read_access_list(const char *_Nonnull path, void *_Nullable bytes, size_t size);

/// Gives an open file an access control list, which also sets its mode; -1 and errno on failure.
int fuse_give_access_list(int descriptor, const void *_Nonnull bytes, size_t size);

// The calls below make, move and remove names in one step with a list of the names that are to be removed when a signal
// ends the process. They return -1 and errno on failure.

/// Creates a file under a temporary name, which must not exist yet, and opens it, readable and writable.
int fuse_create_unfinished(const char *_Nonnull path, unsigned mode);

/// Gives the file of `descriptor` (from `fuse_open_unnamed`) a temporary name, which must not exist yet.
int fuse_link_unfinished(int descriptor, const char *_Nonnull path);

/// Gives the file of `descriptor` (from `fuse_open_unnamed`) its name, which must not exist yet.
int fuse_link_finished(int descriptor, const char *_Nonnull path);

/// Moves a file from its temporary name to its own.
int fuse_rename_finished(const char *_Nonnull unfinished, const char *_Nonnull path);

/// Differs between two files, and between a file before and after a write. The time is that of the last modification.
typedef struct fuse_stamp fuse_stamp;

struct fuse_stamp {
  uint64_t device, inode;
  int64_t byte_count, modified_seconds, modified_nanoseconds;
};

enum { FUSE_REPLACED = 0, FUSE_LEFT_OLD = 1, FUSE_LEFT_OTHER = 2 };

/// Moves the file of `descriptor` from its temporary name to its own, in place of the file that has this
/// stamp; or only if there is none, where `expected` is NULL. Otherwise the result is -1, `errno` is ESTALE (EEXIST where
/// `expected` is NULL), and nothing has changed.
///
/// FUSE_LEFT_OLD: the file is in place, and the one before it could not be removed from the name `unfinished`.
/// FUSE_LEFT_OTHER: other processes replaced the file at the same time; what is under `unfinished` is the file of one
/// of them.
int fuse_replace_finished(
    int descriptor, const char *_Nonnull unfinished, const char *_Nonnull path, const fuse_stamp *_Nullable expected);

/// Removes a temporary name.
int fuse_unlink_unfinished(const char *_Nonnull path);

/// From now on SIGHUP, SIGINT and SIGTERM, unless they are ignored, remove the temporary names and write `text`
/// to standard error, or the other text once a file has got its own name; then they end the process as they would have.
/// A later call changes the texts. For commands: a library leaves signals to its host.
void fuse_on_interruption(const char *_Nonnull text, const char *_Nonnull text_when_finished);

#endif
