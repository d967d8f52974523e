package import FuseDBFormat
internal import FuseDBJSON
package import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// A file or standard input, read from its start to its end; what gzip, zstd, xz or bzip2 packed is unpacked on the way, whatever
/// the file's name.
package final class InputFile {
  /// What stands for `-` in messages.
  package static let standardInputName = "standard input"

  /// The path, or ``standardInputName``.
  package let name: String
  /// How many bytes there are to read, where the system knows.
  let byteCount: Int?
  /// How many bytes were read, packed as they are.
  package private(set) var bytesRead = 0

  private let descriptor: Descriptor
  private let isOwned: Bool
  /// The first bytes, by which the kind of file was recognized, until they are passed on.
  private var head: [UInt8] = []
  /// How many bytes of ``head`` were passed on.
  private var headOffset = 0
  /// What the unpacked input begins with, as far as ``peek(_:)`` read it, and how many bytes of it were passed on.
  private var ahead: [UInt8] = []
  private var aheadOffset = 0
  private var packed: PackedInput?

  /// Opens the file at `path`.
  ///
  /// - Parameter windowByteCount: how much memory unpacking may take.
  /// - Throws: ``FuseError`` with code `notFound` when it cannot be read.
  package convenience init(
    path: String, unpacks: Bool = true, windowByteCount: Int = PackedInput.mostWindowBytes
  ) throws(FuseError) {
    try self.init(
      Descriptor(reading: path), name: path, isOwned: true, unpacks: unpacks, windowByteCount: windowByteCount)
  }

  /// Reads from `descriptor`, and closes it at the end when it is `isOwned`.
  ///
  /// - Parameter unpacks: whether bytes that look packed are; false where any bytes may come first.
  package init(
    _ descriptor: Descriptor, name: String, isOwned: Bool, unpacks: Bool = true,
    windowByteCount: Int = PackedInput.mostWindowBytes
  ) throws(FuseError) {
    self.descriptor = descriptor
    self.name = name
    self.isOwned = isOwned
    byteCount = descriptor.unreadByteCount

    var head = [UInt8](repeating: 0, count: PackedInput.headByteCount)
    var headCount = 0
    // Of a stream no more is waited for than it takes to tell: its first line may be shorter.
    while headCount < head.count, PackedInput.mayBegin(head[..<headCount]) {
      let count = try descriptor.read(into: &head, headCount..<head.count, name: name)
      guard count > 0 else { break }
      headCount += count
      bytesRead += count
    }
    head.removeSubrange(headCount...)
    packed = unpacks ? PackedInput(head, windowByteCount: windowByteCount) : nil
    if packed == nil { self.head = head }
  }

  deinit {
    if isOwned { descriptor.close() }
  }

  /// The first `count` bytes of the unpacked input, or all where it has fewer. They are still to be read.
  ///
  /// - Throws: as ``read(into:_:)``.
  func peek(_ count: Int) throws(FuseError) -> [UInt8] {
    precondition(aheadOffset == 0 && ahead.isEmpty, "whoever looks ahead does so once, before anything is read")
    var bytes = [UInt8](repeating: 0, count: count)
    bytes.removeSubrange(try readUnpacked(into: &bytes, bytes.indices)...)
    ahead = bytes
    return bytes
  }

  /// Fills `bytes[range]` as far as the input reaches, and returns how far that is.
  ///
  /// - Throws: ``FuseError`` with code `notFound` when the input cannot be read, `invalidValue` when it is packed data
  ///   that is cut short or damaged.
  func read(into bytes: inout [UInt8], _ range: Range<Int>) throws(FuseError) -> Int {
    let known = Self.pass(&ahead, &aheadOffset, to: &bytes, range)
    return try known + readUnpacked(into: &bytes, range.lowerBound + known..<range.upperBound)
  }

  /// Reads into `bytes[range]` what is there, at least one byte; 0 at the end. What is packed is unpacked as far as the range reaches.
  ///
  /// - Precondition: the range is not empty.
  /// - Throws: as ``read(into:_:)``.
  func readSome(into bytes: inout [UInt8], _ range: Range<Int>) throws(FuseError) -> Int {
    precondition(!range.isEmpty, "without room the end cannot be told")
    guard packed == nil, ahead.isEmpty, head.isEmpty else {
      // What was looked at comes first, and then what is there.
      let known = min(range.count, max(1, head.count - headOffset + ahead.count - aheadOffset))
      return try read(into: &bytes, packed == nil ? range.lowerBound..<range.lowerBound + known : range)
    }
    let count = try descriptor.read(into: &bytes, range, name: name)
    bytesRead += count
    return count
  }

  private func readUnpacked(into bytes: inout [UInt8], _ range: Range<Int>) throws(FuseError) -> Int {
    if let packed {
      do throws(FuseError) {
        return try packed.read(into: &bytes, range) { packed throws(FuseError) in
          try readPacked(into: &packed, packed.indices)
        }
      } catch {
        throw FuseError(error.code, error.message, path: error.path ?? name, errno: error.errno)
      }
    }
    let known = Self.pass(&head, &headOffset, to: &bytes, range)
    return try known + readPacked(into: &bytes, range.lowerBound + known..<range.upperBound)
  }

  /// Fills `bytes[range]` with what is left of `head` from `offset` on, and returns how far that reaches.
  private static func pass(
    _ head: inout [UInt8], _ offset: inout Int, to bytes: inout [UInt8], _ range: Range<Int>
  ) -> Int {
    guard !head.isEmpty else { return 0 }
    let known = min(head.count - offset, range.count)
    bytes.replaceSubrange(range.lowerBound..<range.lowerBound + known, with: head[offset..<offset + known])
    offset += known
    if offset == head.count {
      head = []
      offset = 0
    }
    return known
  }

  /// Fills `bytes[range]` with bytes of the file as it is.
  private func readPacked(into bytes: inout [UInt8], _ range: Range<Int>) throws(FuseError) -> Int {
    var offset = range.lowerBound
    while offset < range.upperBound {
      let count = try descriptor.read(into: &bytes, offset..<range.upperBound, name: name)
      if count == 0 { break }
      offset += count
      bytesRead += count
    }
    return offset - range.lowerBound
  }
}
