internal import FuseDBFormat

/// Writes blocks into a file on a thread of its own, one after the other, while the next one is filled: handing bytes to the system takes
/// as long as making them.
final class WriteBehind: Sendable {
  private struct Piece {
    var block: ZeroedMemory
    var byteCount: Int
    var offset: Int
  }

  private struct State {
    /// What is being written, or waits for it; nil where the thread has nothing to do.
    var piece: Piece?
    /// The block that is not being filled, unless it is being written.
    var spare: ZeroedMemory?
    var checksum = Checksum()
    /// What went wrong; nothing is written after it.
    var failure: FuseError?
    var isClosed = false
  }

  private let state: Monitor<State>
  private let work: BackgroundWork<Void>

  /// Nil where the system has no thread left, or no memory for another block.
  ///
  /// - Parameters:
  ///   - file: stays open until all was written.
  ///   - checksum: that of what was written before.
  ///   - path: for errors.
  init?(to file: OwnedDescriptor, after checksum: Checksum, blockByteCount: Int, path: String) {
    guard let spare = try? ZeroedMemory(byteCount: blockByteCount, inLargePages: false) else { return nil }
    let state = Monitor(State(spare: spare, checksum: checksum))
    self.state = state
    // Not by this object, which the thread would keep.
    work = BackgroundWork(isWorthThread: true) { Self.write(to: file, state, path: path) }
    guard work.hasThread else { return nil }
  }

  deinit {
    guard work.hasThread else { return }
    state.change { $0.isClosed = true }
    work.wait()
  }

  /// Writes what is handed over, until nothing comes any more.
  private static func write(to file: OwnedDescriptor, _ state: Monitor<State>, path: String) {
    var checksum = state.change { $0.checksum }
    while let piece = next(state) {
      let failure = write(piece, to: file, &checksum, path: path)
      let value = checksum
      state.change { state in
        state.checksum = value
        state.failure = failure
        state.piece = nil
        state.spare = piece.block
      }
    }
  }

  private static func next(_ state: Monitor<State>) -> Piece? {
    state.wait { state -> Piece?? in
      if let piece = state.piece { return .some(piece) }
      return state.isClosed ? .some(nil) : nil
    }
  }

  /// Writes one block, and says what went wrong.
  @inline(never)
  private static func write(
    _ piece: Piece, to file: OwnedDescriptor, _ checksum: inout Checksum, path: String
  ) -> FuseError? {
    // SAFETY: so many bytes of the block were filled, and nobody else has it until it is the spare one.
    let block = piece.block
    let bytes = unsafe RawSpan(_unsafeStart: block.start, byteCount: piece.byteCount)
    checksum.update(bytes)
    return writeAll(bytes, to: file.number, at: piece.offset) ? nil : AtomicFile.failed("write", path: path)
  }

  /// Has a block written, and gives another one to fill.
  ///
  /// - Parameter byteCount: how much of it was filled.
  /// - Throws: ``FuseError`` with code `inputOutput` when an earlier one could not be written.
  func write(_ block: ZeroedMemory, byteCount: Int, at offset: Int) throws(FuseError) -> ZeroedMemory {
    let spare = state.wait { state -> Result<ZeroedMemory, FuseError>? in
      if let failure = state.failure { return .failure(failure) }
      guard let spare = state.spare else { return nil }
      state.piece = Piece(block: block, byteCount: byteCount, offset: offset)
      state.spare = nil
      return .success(spare)
    }
    return try spare.get()
  }

  /// Waits until all was written. Returns its checksum.
  ///
  /// - Throws: as ``write(_:byteCount:at:)``.
  func finish() throws(FuseError) -> Checksum {
    let checksum = state.wait { state -> Result<Checksum, FuseError>? in
      if let failure = state.failure { return .failure(failure) }
      return state.spare == nil ? nil : .success(state.checksum)
    }
    return try checksum.get()
  }
}
