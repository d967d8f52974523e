internal import CXXHash

/// XXH3-64 of bytes that come in pieces: what ``RawSpan/hash(seed:)`` gives for all of them at once.
@safe
package struct RunningHash: ~Copyable {
  // SAFETY: made in init, freed in deinit.
  private let state: UnsafeMutableRawPointer

  package init(seed: UInt64) throws(FuseError) {
    // SAFETY: the library gives a state or nil, and nil is turned away.
    guard let state = unsafe fuse_xxh3_64_begin(seed) else {
      throw .outOfMemory("allocate a hash")
    }
    unsafe self.state = state
  }

  // SAFETY: a hash is not copied, so nobody else has the state that is freed.
  deinit { unsafe fuse_xxh3_64_end(state) }

  /// Continues over `bytes`.
  package mutating func update(_ bytes: RawSpan) {
    // SAFETY: the library reads exactly the span's bytes.
    unsafe bytes.withUnsafeBytes { unsafe fuse_xxh3_64_continue(state, $0.baseAddress, $0.count) }
  }

  // SAFETY: the state is there until deinit, and asking for the value changes nothing.
  /// The hash of the bytes so far.
  package var value: UInt64 { unsafe fuse_xxh3_64_value(state) }
}
