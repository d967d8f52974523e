package import FuseDBFormat

/// Reads a stream anywhere, of which the writing has ended.
@safe
package struct SpillLookup {
  private let contents: SpillContents
  /// Where in the stream each chunk begins, and where the last one ends.
  private let starts: [Int]

  package init(_ stream: SpillStream) {
    contents = stream.contents
    var starts = [0]
    for chunk in contents.chunks { starts.append(starts[starts.count - 1] + chunk.byteCount) }
    self.starts = starts
  }

  /// Appends `count` bytes of the stream from `offset` on to `bytes`, or as many as there are.
  package func append(_ count: Int, at offset: Int, to bytes: inout [UInt8]) throws(FuseError) {
    var (offset, left) = (offset, min(count, starts[starts.count - 1] - offset))
    guard left > 0 else { return }
    try bytes.makeRoom(for: left)
    var number = chunk(at: offset)
    while left > 0 {
      let part = min(left, starts[number + 1] - offset)
      let from = offset - starts[number]
      let to = bytes.count
      switch contents.chunks[number] {
      case .memory(let memory, _):
        // SAFETY: the chunk has so many bytes from there on, and the array copies them.
        unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: memory.start + from, count: part))
      case .file(let start, _):
        bytes.append(contentsOf: repeatElement(0, count: part))
        let file = try contents.spill.temporaryFile()
        // SAFETY: the array has room for the part from `to` on.
        let failure = unsafe bytes.withUnsafeMutableBytes { all -> FuseError? in
          do throws(FuseError) {
            unsafe try file.read(into: UnsafeMutableRawBufferPointer(rebasing: all[to...]), at: start + from)
            return nil
          } catch {
            return error
          }
        }
        if let failure { throw failure }
      }
      offset += part
      left -= part
      number += 1
    }
  }

  /// The last chunk that does not begin after an offset.
  private func chunk(at offset: Int) -> Int {
    var (low, high) = (0, starts.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= offset { low = middle } else { high = middle }
    }
    // Of no bytes are only chunks before it.
    return low
  }
}

extension SpillContents.Chunk {
  fileprivate var byteCount: Int {
    switch self {
    case .memory(_, let byteCount), .file(_, let byteCount): byteCount
    }
  }
}
