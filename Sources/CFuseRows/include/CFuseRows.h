// Objects of the compact form, version 3 of a file, made MessagePack again, and passed through in place. See spec/decisions/0041-compact.md.
//
// All of this does what the reader in Swift does, faster, and gives no reasons: where anything is not as it should be, or is seldom, it leaves the
// object to that reader, which says what is wrong.
#ifndef CFUSEROWS_H
#define CFUSEROWS_H

#include <stddef.h>
#include <stdint.h>

/// How many bytes of a file can be read after each row, each item and each table of places; and how many can be written after what is said of the
/// room for an object. So most values are copied without asking how long they are.
enum { fuse_rows_slack = 96 };

/// A table of shapes or of parts.
typedef struct {
  /// Where the places of items stand, and where the first item begins.
  const uint8_t *_Nonnull places;
  const uint8_t *_Nonnull items;
  /// How many bytes all items take, how many items there are, and how long one can be.
  uint64_t byteCount;
  uint64_t count;
  uint64_t most;
  /// Whether a place has six bytes, not four.
  _Bool isWide;
} fuse_items;

/// The rows of a file, and what they lean on.
typedef struct {
  const uint8_t *_Nonnull file;
  /// Where the rows end.
  const uint8_t *_Nonnull rowsEnd;
  fuse_items shapes;
  fuse_items parts;
} fuse_rows;

/// A value in a row, a part or a shape, and what else stands there after it.
typedef struct {
  const uint8_t *_Nonnull at;
  const uint8_t *_Nonnull end;
  /// How many arrays and maps it stands in.
  uint32_t depth;
  /// Whether it is all there is.
  _Bool isWhole;
  /// Whether it stands in a part, and so is no longer than one.
  _Bool isInPart;
} fuse_row_value;

/// What came of something.
enum {
  fuse_row_done = 0,
  fuse_row_absent = -1,
  /// There is too little room.
  fuse_row_full = -2,
  /// Something is wrong or seldom.
  fuse_row_other = -3,
};

/// Goes to the value of the row at an offset of the file, after its CRC-32 was compared: `done` or `other`.
int64_t fuse_row_find(const fuse_rows *_Nonnull rows, size_t offset, fuse_row_value *_Nonnull value);

/// Goes from an array or a map to the value at `index`, negative for none, or under the `count` bytes of a name: `done`, `absent` or `other`. Then the
/// value is where it was.
int64_t fuse_row_enter(
    const fuse_rows *_Nonnull rows, fuse_row_value *_Nonnull value, const uint8_t *_Nullable name, size_t count, int64_t index);

/// Where a text of up to 31 bytes stands: how many bytes it has, or `other` for all else.
int64_t fuse_row_text(
    const fuse_rows *_Nonnull rows, const fuse_row_value *_Nonnull value, const uint8_t *_Nullable *_Nonnull text);

/// Writes the MessagePack of a value. Returns how many bytes that are, `full` or `other`. At `out` there is room for so many bytes, and for the slack.
int64_t fuse_row_expand(const fuse_rows *_Nonnull rows, const fuse_row_value *_Nonnull value, uint8_t *_Nonnull out, size_t room);

#endif
