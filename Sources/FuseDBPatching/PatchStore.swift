internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Pieces of bytes that patches brought and that a later file of a chain may need: objects, or keys, each found by its number.
///
/// Some are in memory; those before them in a file without a name, beside the output. See spec/patch.md §9.
final class PatchStore {
  /// What waits in memory.
  private static let memoryByteCount = 4 << 20
  /// So much may be kept in vain before what is needed moves to a new store.
  private static let vainByteCount = 1 << 20

  private let folder: String
  private var file: TemporaryFile?
  /// How many bytes the file has; what comes after them is in memory.
  private var filedByteCount = 0
  private var memory: [UInt8] = []
  /// Where each piece ends.
  private var ends: [UInt64] = []

  init(in folder: String) { self.folder = folder }

  /// How many pieces there are,
  var count: Int { ends.count }
  /// and the length of all.
  var byteCount: Int { Int(ends.last ?? 0) }

  /// How many bytes a piece has.
  func byteCount(of number: Int) -> Int { Int(ends[number]) - start(of: number) }

  private func start(of number: Int) -> Int { number == 0 ? 0 : Int(ends[number - 1]) }

  /// Adds a piece; its number is how many there were before.
  func append(_ piece: RawSpan) throws(FuseError) {
    let end = UInt64(byteCount + piece.byteCount)
    if memory.count + piece.byteCount > Self.memoryByteCount {
      let full = memory
      memory = []
      try putAway(full.rawSpan)
    }
    if piece.byteCount > Self.memoryByteCount {
      try putAway(piece)
    } else {
      try memory.makeRoom(for: piece.byteCount)
      // SAFETY: the array copies the span's bytes before the pointer ends.
      unsafe piece.withUnsafeBytes { unsafe memory.append(contentsOf: $0) }
    }
    try ends.grow(by: end)
  }

  private func putAway(_ bytes: RawSpan) throws(FuseError) {
    guard bytes.byteCount > 0 else { return }
    let file = if let file { file } else { try TemporaryFile(in: folder) }
    self.file = file
    _ = try file.append(bytes)
    filedByteCount += bytes.byteCount
  }

  /// Reads a piece, in place of what `bytes` holds.
  func read(_ number: Int, into bytes: inout [UInt8]) throws(FuseError) {
    let (start, count) = (start(of: number), byteCount(of: number))
    bytes.removeAll(keepingCapacity: true)
    try bytes.reserve(count)
    guard start < filedByteCount, let file else {
      return bytes.append(contentsOf: memory[start - filedByteCount..<start - filedByteCount + count])
    }
    bytes.append(contentsOf: repeatElement(0, count: count))
    // SAFETY: the array has so many bytes.
    let failure = unsafe bytes.withUnsafeMutableBytes { all -> FuseError? in
      do throws(FuseError) {
        unsafe try file.read(into: all, at: start)
        return nil
      } catch {
        return error
      }
    }
    if let failure { throw failure }
  }

  /// The store that is to go on with: this one, or one of the pieces alone that `origins` still name, once half of this one is
  /// kept in vain. So a store is no larger than twice what one file of a chain needs, however many there are. [U23]
  ///
  /// - Parameters:
  ///   - origins: pieces by their numbers, counted on from `oldCount`; they get the new numbers.
  ///   - oldCount: what is below this is in the old file.
  func compacted(for origins: inout [UInt32], oldCount: Int) throws(FuseError) -> PatchStore {
    var numbers = try [UInt32](count, of: RecordOrigins.none)
    var (needed, neededByteCount) = (0, 0)
    for origin in origins where Int(origin) >= oldCount {
      let number = Int(origin) - oldCount
      guard numbers[number] == RecordOrigins.none else { continue }
      numbers[number] = 0
      needed += 1
      neededByteCount += byteCount(of: number)
    }
    // A piece costs as much as some bytes, also where it has none.
    let perPiece = MemoryLayout<UInt64>.size
    guard count * perPiece + byteCount > 2 * (needed * perPiece + neededByteCount) + Self.vainByteCount else {
      return self
    }
    let store = PatchStore(in: folder)
    var piece: [UInt8] = []
    for number in numbers.indices where numbers[number] != RecordOrigins.none {
      numbers[number] = UInt32(store.count)
      try read(number, into: &piece)
      try store.append(piece.rawSpan)
    }
    for place in origins.indices where Int(origins[place]) >= oldCount {
      origins[place] = UInt32(oldCount) + numbers[Int(origins[place]) - oldCount]
    }
    return store
  }
}
