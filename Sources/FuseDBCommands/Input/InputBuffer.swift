internal import FuseDB
internal import Glibc

/// The part of an input that is read and not yet used: ``start`` to ``end`` of ``bytes``, with room for the JSON parser behind it.
final class InputBuffer {
  /// A line, row or record that is longer than the largest object and 64 thousand of the longest keys cannot be of use.
  private static let largestByteCount = 1 << 33
  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  let file: InputFile
  private(set) var bytes: [UInt8]
  private(set) var start = 0
  private(set) var end = 0
  /// Whether nothing comes behind `end`.
  private(set) var isAtEnd = false
  private var isFresh = true
  private let dropsByteOrderMark: Bool

  /// - Parameters:
  ///   - dropsByteOrderMark: whether a byte order mark at the start says nothing.
  ///   - byteCount: the first size of the buffer, which doubles when a line does not fit; tests make it small.
  init(_ file: InputFile, dropsByteOrderMark: Bool = true, byteCount: Int = 1 << 18) {
    self.file = file
    self.dropsByteOrderMark = dropsByteOrderMark
    bytes = [UInt8](repeating: 0, count: max(byteCount, 4) + JSONParser.padding)
  }

  /// Gives up the bytes before `place`.
  func use(upTo place: Int) {
    precondition(place >= start && place <= end, "only bytes that were read can be used")
    start = place
  }

  /// Reads more; what is unused moves to the front. Returns false when there is no more.
  func fill() throws(FuseError) -> Bool {
    guard !isAtEnd else { return false }
    let unused = end - start
    if unused > (bytes.count - JSONParser.padding) / 2 { try grow() }
    let room = bytes.count - JSONParser.padding
    let from = start
    // SAFETY: `unused` bytes from `start` on lie inside the array.
    unsafe bytes.withUnsafeMutableBytes { bytes in
      _ = unsafe memmove(bytes.baseAddress!, bytes.baseAddress! + from, unused)
    }
    let count = try file.read(into: &bytes, unused..<room)
    start = 0
    end = unused + count
    isAtEnd = end < room
    if isFresh, dropsByteOrderMark, bytes[0..<end].starts(with: Self.byteOrderMark) { start = Self.byteOrderMark.count }
    isFresh = false
    return count > 0
  }

  private func grow() throws(FuseError) {
    let room = bytes.count - JSONParser.padding
    guard room < Self.largestByteCount else {
      throw FuseError(
        .limitExceeded, "a line, row or record is longer than \(Self.largestByteCount) bytes; is the format right?")
    }
    bytes.append(contentsOf: repeatElement(0, count: room))
  }

  /// The place of the first line feed from `place` on.
  func lineFeed(from place: Int) -> Int? {
    let end = end
    precondition(place >= 0 && place <= end, "only bytes that were read can be searched")
    return unsafe bytes.withUnsafeBytes { bytes in
      // SAFETY: `place` to `end` lies inside the array.
      let found = unsafe memchr(bytes.baseAddress! + place, Int32(UInt8(ascii: "\n")), end - place)
      return unsafe found.map { unsafe UnsafeRawPointer($0) - bytes.baseAddress! }
    }
  }

  /// Makes each pair of quotes in `range` one, in place, and returns what is left of the range.
  func undouble(_ quote: UInt8, in range: Range<Int>) -> Range<Int> {
    var to = range.lowerBound
    var from = range.lowerBound
    while from < range.upperBound {
      bytes[to] = bytes[from]
      from += bytes[from] == quote ? 2 : 1
      to += 1
    }
    return range.lowerBound..<to
  }
}
