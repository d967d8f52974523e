// How a file gets its name in one step, with the rights of the one before it, and leaves nothing when a signal ends the process.
#ifndef CFUSEPUBLISH_H
#define CFUSEPUBLISH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Takes away the access control list that a new file has from its folder, if it has one.
void fuse_drop_access_list(int descriptor);

/// Opens a file without a name in the folder `path`, readable and writable; -1 and errno where that is not supported.
int fuse_open_unnamed(const char *_Nonnull folder, unsigned mode);

/// Reads the access control list of the file at `path`, which says more than its mode. Returns its length, also when `size`
/// is 0; -1 where there is none.
ssize_t fuse_read_access_list(const char *_Nonnull path, void *_Nullable bytes, size_t size);

/// Gives an open file an access control list, and so a mode; -1 and errno on failure.
int fuse_give_access_list(int descriptor, const void *_Nonnull bytes, size_t size);

// The calls below make, move and remove names in one step with a list of the names that are to be removed when a signal
// ends the process. They return -1 and errno on failure.

/// Creates a file under a name that must not exist yet and is not to stay, and opens it, readable and writable.
int fuse_create_unfinished(const char *_Nonnull path, unsigned mode);

/// Gives the file of `descriptor` (from `fuse_open_unnamed`) a name that must not exist yet and is not to stay.
int fuse_link_unfinished(int descriptor, const char *_Nonnull path);

/// Gives the file of `descriptor` (from `fuse_open_unnamed`) its name, which must not exist yet.
int fuse_link_finished(int descriptor, const char *_Nonnull path);

/// Moves a file from a name that was not to stay to its own.
int fuse_rename_finished(const char *_Nonnull unfinished, const char *_Nonnull path);

/// What tells a file from another one, and from what it was before somebody wrote to it.
typedef struct fuse_stamp fuse_stamp;

struct fuse_stamp {
  uint64_t device, inode;
  int64_t byte_count, modified_seconds, modified_nanoseconds;
};

enum { FUSE_REPLACED = 0, FUSE_LEFT_OLD = 1, FUSE_LEFT_OTHER = 2 };

/// Moves the file of `descriptor` from a name that was not to stay to its own, in place of the file that has this
/// stamp; of nothing, where that is NULL. Where something else stands there, the result is -1, `errno` ESTALE (EEXIST
/// instead of nothing), and nothing has changed.
///
/// FUSE_LEFT_OLD: the file is in place, and the one before it could not be removed from the name `unfinished`.
/// FUSE_LEFT_OTHER: somebody replaced the file several times in this moment; what is under `unfinished` is theirs.
int fuse_replace_finished(
    int descriptor, const char *_Nonnull unfinished, const char *_Nonnull path, const fuse_stamp *_Nullable expected);

/// Removes a name that was not to stay.
int fuse_unlink_unfinished(const char *_Nonnull path);

/// From now on SIGHUP, SIGINT and SIGTERM, unless they are ignored, remove the names that are not to stay and write `text`
/// to standard error, or the other text once a file has got its own name; then they end the process as they would have.
/// A later call changes the texts. For commands: a library leaves signals to its host.
void fuse_on_interruption(const char *_Nonnull text, const char *_Nonnull text_when_finished);

#endif
