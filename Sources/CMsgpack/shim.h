#if !__has_include(<msgpack.h>)
#error "msgpack.h not found: apt-get install libmsgpack-dev"
#endif
#include <msgpack.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/// Bytes that grow at their end. See spec/decisions/0013-reading-on-all-cores.md.
typedef struct {
  uint8_t *_Nullable data;
  size_t size;
  size_t capacity;
} fuse_pack_buffer;

/// Makes room for `count` more bytes; -1 when memory is short.
static __attribute__((noinline, unused)) int fuse_pack_grow(fuse_pack_buffer *_Nonnull buffer, size_t count) {
  if (count > SIZE_MAX / 4 - buffer->size) return -1;
  size_t capacity = 2 * (buffer->size + count);
  if (capacity < 256) capacity = 256;
  uint8_t *data = (uint8_t *)realloc(buffer->data, capacity);
  if (!data) return -1;
  buffer->data = data;
  buffer->capacity = capacity;
  return 0;
}

/// Appends `count` bytes; -1 when memory is short.
static inline __attribute__((always_inline)) int
fuse_pack_append(fuse_pack_buffer *_Nonnull buffer, const void *_Nonnull bytes, size_t count) {
  if (__builtin_expect(buffer->capacity - buffer->size < count, 0) && fuse_pack_grow(buffer, count) != 0) return -1;
  memcpy(buffer->data + buffer->size, bytes, count);
  buffer->size += count;
  return 0;
}

/// The same, 16 bytes at a time: the 15 bytes after `bytes` must be readable.
static inline __attribute__((always_inline)) int
fuse_pack_append_padded(fuse_pack_buffer *_Nonnull buffer, const void *_Nonnull bytes, size_t count) {
  if (__builtin_expect(buffer->capacity - buffer->size < count + 16, 0) && fuse_pack_grow(buffer, count + 16) != 0) return -1;
  uint8_t *to = buffer->data + buffer->size;
  for (size_t done = 0; done < count; done += 16) memcpy(to + done, (const uint8_t *)bytes + done, 16);
  buffer->size += count;
  return 0;
}

/// Appends `name` as it is and `text` as a string, 16 bytes at a time: the 15 bytes after each must be readable.
static inline __attribute__((always_inline)) int
fuse_pack_pair_padded(fuse_pack_buffer *_Nonnull buffer, const void *_Nonnull name, size_t name_count, const void *_Nonnull text, size_t count) {
  if (__builtin_expect(count > UINT32_MAX, 0)) return -1;
  // A head has five bytes at most.
  size_t most = name_count + 5 + count + 16;
  if (__builtin_expect(buffer->capacity - buffer->size < most, 0) && fuse_pack_grow(buffer, most) != 0) return -1;
  uint8_t *to = buffer->data + buffer->size;
  for (size_t done = 0; done < name_count; done += 16) memcpy(to + done, (const uint8_t *)name + done, 16);
  to += name_count;
  if (count < 32) {
    *to++ = (uint8_t)(0xA0 | count);
  } else if (count < 256) {
    *to++ = 0xD9;
    *to++ = (uint8_t)count;
  } else {
    _Bool is_long = count > 0xFFFF;
    *to++ = is_long ? 0xDB : 0xDA;
    for (int shift = is_long ? 24 : 8; shift >= 0; shift -= 8) *to++ = (uint8_t)(count >> shift);
  }
  for (size_t done = 0; done < count; done += 16) memcpy(to + done, (const uint8_t *)text + done, 16);
  buffer->size = (size_t)(to - buffer->data) + count;
  return 0;
}

// msgpack-c's packing into that buffer: `fuse_pack_str` and so on. Its own packer calls a function pointer for each piece.
#define msgpack_pack_inline_func(name) static inline int fuse_pack##name
#define msgpack_pack_inline_func_cint(name) static inline int fuse_pack##name
#define msgpack_pack_inline_func_fixint(name) static inline int fuse_pack_fix##name
#define msgpack_pack_user fuse_pack_buffer *_Nonnull
#define msgpack_pack_append_buffer(user, bytes, count) return fuse_pack_append(user, bytes, count)
#include <msgpack/pack_template.h>
