internal import FuseDBFormat
internal import FuseDBSystem

/// A part of a file, piece by piece.
struct FilePieces {
  private let file: InputDescriptor
  private var range: Range<Int>

  /// How many bytes come at once.
  static let pieceByteCount = 1 << 20

  /// A whole regular file.
  ///
  /// - Throws: ``FuseError`` with code `notFound` where there is none.
  init(path: String) throws(FuseError) {
    let file = try Self.open(path)
    self.init(file, 0..<Int(try file.stamp().byteCount))
  }

  init(_ file: InputDescriptor, _ range: Range<Int>) {
    self.file = file
    self.range = range
  }

  static func open(_ path: String) throws(FuseError) -> InputDescriptor {
    guard let status = FileStatus(at: path) else { throw .system("open the file", path: path) }
    guard status.kind == .regular else { throw FuseError(.notFound, "this is no regular file", path: path) }
    return try InputDescriptor(PinnedPath(path))
  }

  /// The next piece; nil at the end of the part.
  ///
  /// - Throws: ``FuseError`` with code `truncated` where the file ends before it.
  mutating func next() throws(FuseError) -> [UInt8]? {
    guard !range.isEmpty else { return nil }
    let count = min(range.count, Self.pieceByteCount)
    var bytes: [UInt8] = []
    try file.append(count, at: range.lowerBound, to: &bytes)
    guard bytes.count == count else {
      throw FuseError(
        .truncated, "the file ends before what is kept there does", offset: UInt64(range.lowerBound + bytes.count),
        path: file.path)
    }
    range = range.lowerBound + count..<range.upperBound
    return bytes
  }
}
