internal import FuseDBFormat
package import FuseDBSystem
internal import FuseDBValues

extension Checksum {
  /// What a thread reads before it looks for more. In larger files it is more, so that the parts stay few.
  private static let partByteCount = 1 << 20
  private static let mostParts = 1024

  /// The checksum of a part of a file, by all processors.
  ///
  /// - Complexity: O(bytes), divided by the number of processors as far as memory keeps up.
  package static func of(
    _ range: Range<Int>, in mapping: FileMapping, threadCount: Int = Parallel.processorCount,
    onProgress: (Double) -> Void = { _ in }
  ) -> UInt32 {
    let step = max(partByteCount, range.count / mostParts + 1)
    let parts = stride(from: range.lowerBound, to: range.upperBound, by: step).map {
      $0..<min(range.upperBound, $0 + step)
    }
    let checksums = Parallel.map(parts.count, threadCount: threadCount, onProgress: onProgress) { number in
      let file = mapping.bytes
      return Checksum.of(file.extracting(parts[number]))
    }
    var whole = Checksum()
    for (part, checksum) in zip(parts, checksums) { whole.append(checksum, byteCount: part.count) }
    return whole.value
  }
}
