internal import CFuseCuts
internal import FuseDBFormat
internal import FuseDBSystem

/// The digest of an object whose pieces come one after the other, and those of its chunks.
///
/// Where the processor has instructions for SHA-256, each thread makes two digests in turns: of the object and a chunk, or of two chunks.
@safe
final class PieceDigests: Sendable {
  // SAFETY: made in init, freed in deinit. Several threads may work on one piece; nothing else is called meanwhile.
  private nonisolated(unsafe) let pairs: OpaquePointer?
  /// Makes the object's digest without such instructions.
  private let whole: StoreTools

  /// - Parameter inPairs: whether to make two in turns, if the processor can.
  init(inPairs: Bool = true) throws(FuseError) {
    whole = try StoreTools.take()
    // What a put that failed left there.
    _ = try whole.take()
    // SAFETY: nothing is passed.
    unsafe pairs = inPairs && fuse_digests_can() != 0 ? fuse_digests_begin() : nil
  }

  deinit {
    // SAFETY: this object alone has it, and ends here.
    unsafe fuse_digests_free(pairs)
    whole.giveBack()
  }

  /// Begins a piece. Returns in how many parts its digests are made, of which part 0 has the object's; threads may do them at the same time.
  func begin(_ piece: Piece, threadCount: Int) throws(FuseError) -> Int {
    let chunkCount = piece.ends.count
    guard let pairs = unsafe pairs else { return 1 + max(1, min(4 * threadCount, chunkCount / 16)) }
    // SAFETY: nobody works on a piece now.
    guard unsafe fuse_digests_prepare(pairs, chunkCount) != 0 else { throw FuseError.outOfMemory("make a digest") }
    return 1 + min(threadCount, max(1, chunkCount / 2))
  }

  /// Does a part of a piece.
  func work(on piece: Piece, part: Int, of partCount: Int) throws(FuseError) -> [FuseStore.ObjectID] {
    guard let pairs = unsafe pairs else { return try workPlainly(on: piece, part: part, of: partCount) }
    let first = part == 0 ? piece.carried : piece.bytes.count
    // SAFETY: chunks end inside of the piece, where `ends` says, and `begin` made room for as many digests; so do the bytes from `first` on. The
    // call keeps none of the pointers.
    unsafe piece.bytes.withUnsafeBytes { bytes in
      guard let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
      unsafe piece.ends.withUnsafeBufferPointer { ends in
        unsafe fuse_digests_work(pairs, start, ends.baseAddress, start + first, bytes.count - first)
      }
    }
    return []
  }

  private func workPlainly(on piece: Piece, part: Int, of partCount: Int) throws(FuseError) -> [FuseStore.ObjectID] {
    guard part > 0 else {
      try whole.add(piece.bytes.rawSpan.extracting(droppingFirst: piece.carried))
      return []
    }
    let (ends, groupCount) = (piece.ends, partCount - 1)
    let size = (ends.count + groupCount - 1) / groupCount
    let numbers = min((part - 1) * size, ends.count)..<min(part * size, ends.count)
    guard !numbers.isEmpty else { return [] }
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    var ids: [FuseStore.ObjectID] = []
    ids.reserveCapacity(numbers.count)
    for number in numbers {
      let start = number == 0 ? 0 : ends[number - 1]
      ids.append(try tools.digest(of: piece.bytes.rawSpan.extracting(start..<ends[number])))
    }
    return ids
  }

  /// The digests of a piece's chunks, once all parts are done, from what these gave in their order.
  func end(_ piece: Piece, _ parts: [[FuseStore.ObjectID]]) -> [FuseStore.ObjectID] {
    guard let pairs = unsafe pairs else { return parts.flatMap { $0 } }
    let count = piece.ends.count
    // SAFETY: there are as many digests as the piece has chunks, of 32 bytes each, which an identifier has; they are copied.
    return unsafe [FuseStore.ObjectID](unsafeUninitializedCapacity: count) { ids, filled in
      guard count > 0, let values = unsafe fuse_digests_values(pairs) else { return }
      unsafe UnsafeMutableRawPointer(ids.baseAddress!).copyMemory(
        from: values, byteCount: count * FuseStore.ObjectID.byteCount)
      filled = count
    }
  }

  /// The object's digest, once its last piece is done.
  func take() throws(FuseError) -> FuseStore.ObjectID {
    guard let pairs = unsafe pairs else { return try whole.take() }
    var id = FuseStore.ObjectID()
    // SAFETY: the call writes the 32 bytes that the identifier has.
    unsafe withUnsafeMutableBytes(of: &id) { bytes in
      unsafe fuse_digests_take(pairs, bytes.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }
    return id
  }
}
