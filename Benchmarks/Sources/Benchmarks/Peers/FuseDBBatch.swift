import FuseDB

/// Some of the questions, as the library takes many keys.
struct Batch: RandomAccessCollection {
  struct Key: FuseKeyBytes {
    let bytes: UnsafeRawBufferPointer

    var keyBytes: RawSpan {
      @_lifetime(borrow self)
      get { _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self) }
    }
  }

  let keys: ByteList
  let startIndex: Int
  let endIndex: Int

  subscript(index: Int) -> Key { Key(bytes: keys[index]) }
}

extension FuseDBLookUp {
  /// Looks up the keys of `range` in batches of `size`.
  func batchTally(_ keys: ByteList, _ range: Range<Int>, size: Int) throws -> Tally {
    var tally = Tally()
    for start in stride(from: range.lowerBound, to: range.upperBound, by: size) {
      let batch = Batch(keys: keys, startIndex: start, endIndex: Swift.min(start + size, range.upperBound))
      try reader.withBytes(forKeys: batch) { (_: Int, bytes: RawSpan?) in
        if let bytes { tally.add(bytes.firstWord) }
      }
    }
    return tally
  }
}
