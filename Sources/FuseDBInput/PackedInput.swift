internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// The unpacked bytes of a packed input: parts of gzip, zstd, xz or bzip2 data, one after the other, each unpacked when it
/// is asked for.
///
/// Data that ends inside of a part is an error, and so are bytes after a part that begin none: other tools ignore both. [S5]
package final class PackedInput {
  private static let bufferByteCount = 1 << 17
  /// How many bytes tell what kind of data a file holds.
  static let headByteCount = 10
  /// The most memory that unpacking takes for bytes it may refer back to.
  package static let mostWindowBytes = Unzstd.mostWindowBytes

  /// The part of `memory` bytes that unpacking may take.
  package static func windowByteCount(memory: Int) -> Int { min(memory / 8, mostWindowBytes) }

  /// Whether bytes that begin like this, or with more of the same, may be packed.
  static func mayBegin(_ head: ArraySlice<UInt8>) -> Bool {
    // The first of the bytes that begin skippable frames of zstd is one of sixteen.
    if let first = head.first, Unzstd.firstSkippable.contains(first) {
      return head.dropFirst().starts(likeOneOf: [Unzstd.skippableMagic])
    }
    return head.starts(likeOneOf: [Gunzip.magic, Unzstd.magic, Unxz.magic, Bunzip2.magic])
  }

  private let unpacker: any Unpacker
  private var packed: [UInt8]
  private var start = 0
  private var end: Int
  private var isInsidePart = false

  /// Makes one whose first bytes, `head`, are read already; nil when they begin no packed data.
  ///
  /// - Parameter windowByteCount: how much memory unpacking may take.
  init?(_ head: [UInt8], windowByteCount: Int = mostWindowBytes) {
    if head.starts(with: Gunzip.magic) {
      unpacker = Gunzip()
    } else if Unzstd.begins(with: head) {
      unpacker = Unzstd(windowByteCount: windowByteCount)
    } else if Unxz.begins(with: head) {
      unpacker = Unxz(windowByteCount: windowByteCount)
    } else if Bunzip2.begins(with: head) {
      unpacker = Bunzip2()
    } else {
      return nil
    }
    packed = [UInt8](repeating: 0, count: Self.bufferByteCount)
    packed.replaceSubrange(0..<head.count, with: head)
    end = head.count
  }

  /// Fills `bytes[range]` as far as the data reaches, and returns how far that is. `refill` fills an array with packed
  /// bytes in the same way.
  func read(
    into bytes: inout [UInt8], _ range: Range<Int>, refill: (inout [UInt8]) throws(FuseError) -> Int
  ) throws(FuseError) -> Int {
    var offset = range.lowerBound
    while offset < range.upperBound {
      // No library takes the last byte of a part before all that it holds is out: without packed bytes there is
      // nothing to wait for.
      if start == end {
        start = 0
        end = try refill(&packed)
        if end == 0 {
          guard !isInsidePart else {
            throw FuseError(
              .invalidValue, "the \(unpacker.name) data ends in its middle; copy or pack the file again")
          }
          break
        }
      }
      if !isInsidePart {
        start = try unpacker.begin(packed, start..<end)
        guard start < end else { continue }
        isInsidePart = true
      }
      let piece = try unpacker.unpack(packed, start..<end, into: &bytes, offset..<range.upperBound)
      start += piece.usedCount
      offset += piece.byteCount
      isInsidePart = !piece.endsPart
    }
    return offset - range.lowerBound
  }
}

extension ArraySlice<UInt8> {
  /// Whether it is all or the first bytes of one of these, or begins with one.
  fileprivate func starts(likeOneOf magics: [[UInt8]]) -> Bool {
    magics.contains { zip(self, $0).allSatisfy { $0 == $1 } }
  }
}
