package import FuseDBFormat
internal import FuseDBSystem
package import FuseDBValues

/// A MaxMind DB in memory: a search tree over bits of addresses, and the values that its leaves lead to. See spec/mmdb.md.
///
/// Nothing in it is believed: each number is compared with what it numbers before it is used.
package struct MaxMindFile: Sendable {
  /// What stands before the metadata, the last time in the file.
  static let marker = [0xAB, 0xCD, 0xEF] + Array("MaxMind.com".utf8)
  /// How far from the end that may be.
  static let mostMetadataBytes = 128 << 10
  /// Zeros between the tree and the values.
  static let separatorByteCount = 16

  let bytes: [UInt8]
  package let metadata: MaxMindMetadata
  /// Where the values stand.
  let data: Range<Int>

  /// Finds the parts of a file.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when it is none, is cut short, or has a version or sizes that the format does not
  ///   know.
  package init(_ bytes: [UInt8]) throws(FuseError) {
    guard let start = Self.metadataStart(in: bytes) else {
      throw FuseError(
        .invalidValue,
        "this is no MaxMind DB, or one that is cut short: its metadata are not where it ends; download it again")
    }
    let metadata = try MaxMindMetadata(in: bytes, from: start)
    let end = start - Self.marker.count
    let nodeByteCount = metadata.recordBits / 4
    // Not multiplied: a count from the file may be any.
    guard metadata.nodeCount <= (end - min(end, Self.separatorByteCount)) / nodeByteCount else {
      throw .invalidValue(
        "the metadata count \(metadata.nodeCount) nodes of \(nodeByteCount) bytes, and the file has not so many; it is cut short, download it again",
        at: end)
    }
    data =
      metadata.nodeCount * nodeByteCount
      + Self.separatorByteCount..<max(
        end, metadata.nodeCount * nodeByteCount + Self.separatorByteCount)
    guard data.upperBound <= end else {
      throw .invalidValue("there is no room for values between the tree and the metadata", at: end)
    }
    self.bytes = bytes
    self.metadata = metadata
  }

  /// What follows the last marker near the end.
  private static func metadataStart(in bytes: [UInt8]) -> Int? {
    let first = max(0, bytes.count - mostMetadataBytes)
    var place = bytes.count - marker.count
    while place >= first {
      if bytes[place] == marker[0], bytes[place..<place + marker.count].elementsEqual(marker) {
        return place + marker.count
      }
      place -= 1
    }
    return nil
  }

  /// Whether the file at a path ends as such a file does.
  package static func isMaxMind(at path: String) -> Bool {
    guard let mapping = try? FileMapping(path: path) else { return false }
    let end = mapping.bytes.extracting(last: mostMetadataBytes).array()
    return metadataStart(in: end) != nil
  }

  /// How many bytes the file has.
  package var byteCount: Int { bytes.count }

  /// What decodes its values.
  ///
  /// - Parameters:
  ///   - packer: where they are written.
  ///   - mostBytes: how many bytes one may have. Whatever this says, one that has 256 KiB more than the file is refused: pointers
  ///     make a large value of a small file.
  ///   - languages: of `names`, the members that stay; nil for all.
  package func decoder(
    to packer: MessagePackPacker, mostBytes: Int, languages: [[UInt8]]? = nil
  ) -> MaxMindDecoder {
    MaxMindDecoder(
      bytes, data, to: packer, mostBytes: min(mostBytes, bytes.count + MaxMindDecoder.bytesMoreThanFile),
      mostBytesInAll: MaxMindDecoder.mostBytes(inAllOf: bytes.count), languages: languages)
  }
}
