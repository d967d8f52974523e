// Transfers over HTTP by libcurl, one at a time, over connections that are kept.
#ifndef CFUSETRANSFER_H
#define CFUSETRANSFER_H

#include <stddef.h>
#include <stdint.h>

/// What is kept between transfers: connections, and what is known of hosts. One thread at a time.
typedef struct fuse_transfers fuse_transfers;

/// Whether the library is there. It is the program's own, but libfusedb.so opens it with the first of these calls.
int fuse_transfers_can_be_made(void);
#define fuse_transfers_library "libcurl.so.4"
/// NULL where memory is short, or the library is not there.
fuse_transfers *_Nullable fuse_transfers_make(void);
void fuse_transfers_free(fuse_transfers *_Nullable transfers);

typedef struct fuse_request {
  const char *_Nonnull url;
  /// The answer is wanted unless it has this entity tag; NULL for none.
  const char *_Nullable tag;
  /// How many bytes of the body are here already: the rest is asked for.
  int64_t from;
  /// The whole body is that long, or at most so long: what is longer ends the transfer.
  int64_t most;
  /// In seconds, and bytes a second; 0 for none.
  double deadline;
  double connect_deadline;
  double stall_deadline;
  int64_t most_per_second;
  /// Takes bytes of the body, in their order; other than 0 ends the transfer.
  int (*_Nonnull take)(void *_Nullable context, const uint8_t *_Nonnull bytes, size_t count);
  /// Called before the first byte where the server does not go on after `from`, but begins anew.
  void (*_Nonnull begin_anew)(void *_Nullable context);
  /// Called ten times a second; other than 0 ends the transfer.
  int (*_Nonnull poll)(void *_Nullable context);
  void *_Nullable context;
} fuse_request;

enum { fuse_tag_size = 512, fuse_reason_size = 512 };

typedef enum fuse_outcome {
  /// The body is here: status 200 or 206.
  FUSE_TRANSFER_DONE,
  /// Status 304.
  FUSE_TRANSFER_NOT_MODIFIED,
  /// Another status.
  FUSE_TRANSFER_REFUSED,
  /// More bytes than `most`.
  FUSE_TRANSFER_TOO_LONG,
  /// No answer, or one that broke off; trying again may help.
  FUSE_TRANSFER_FAILED,
  /// Such as a certificate that does not hold or a redirect to another protocol: trying again won't help.
  FUSE_TRANSFER_FORBIDDEN,
  /// `take` or `poll` said so.
  FUSE_TRANSFER_STOPPED,
  FUSE_TRANSFER_OUT_OF_MEMORY,
} fuse_outcome;

typedef struct fuse_answer {
  fuse_outcome outcome;
  int status;
  /// Seconds that the server asks to wait; 0 where it does not.
  int64_t retry_after;
  /// Of the body, and of all with heads, in both directions.
  int64_t body_size;
  int64_t wire_size;
  /// The entity tag; empty where there is none, or it is too long.
  char tag[fuse_tag_size];
  /// What failed; empty where nothing did.
  char reason[fuse_reason_size];
} fuse_answer;

/// Makes a transfer, and waits for its end.
void fuse_transfer(fuse_transfers *_Nonnull transfers, const fuse_request *_Nonnull request, fuse_answer *_Nonnull answer);

#endif
