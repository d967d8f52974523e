/// The file that a build writes: data and key index at the same time, each by a stream of its own, then the block.
final class FileAssembly {
  let file: AtomicFile
  private let index: FileStream
  private(set) var keyCount = 0

  /// - Parameters:
  ///   - path: where the file is to appear.
  ///   - dataByteCount: how long the data section is going to be, at most; the index is written behind that, and moved
  ///     where the data is shorter.
  init(replacing path: String, dataByteCountAtMost dataByteCount: Int) throws(FuseError) {
    file = try AtomicFile(replacing: path)
    index = try file.stream(at: Header.byteCount + dataByteCount)
  }

  /// Where the next object record is going to stand.
  var dataEnd: UInt64 { file.byteCount }

  /// Appends an object record.
  @inline(__always)
  func add(object: RawSpan) throws(FuseError) {
    try file.write(bigEndian: UInt32(truncatingIfNeeded: object.byteCount))
    try file.write(bigEndian: Checksum.of(object))
    try file.write(object)
  }

  /// Appends an entry of the key index.
  @inline(__always)
  func add(key: RawSpan, object: UInt64) throws(FuseError) {
    try index.write(bigEndian: UInt16(truncatingIfNeeded: key.byteCount))
    try index.write(key)
    try index.write(bigEndian: object)
    keyCount &+= 1
  }

  /// Completes the file and lets it appear. Returns its length.
  func publish(objectCount: Int, layout: FuseWriter.Layout, metadata: [UInt8]?) throws(FuseError) -> Int {
    try file.flush()
    try index.flush()
    let indexStart = Int(dataEnd)
    try file.move(index.start..<index.position, to: indexStart)
    let indexEnd = indexStart + index.byteCount
    var checksum = file.checksum
    checksum.append(index.checksum.value, byteCount: index.byteCount)
    let header = Header(
      keyCount: UInt32(keyCount), objectCount: UInt32(objectCount), indexOffset: UInt64(indexStart),
      checksum: checksum.value)
    try file.publish(header: header.bytes)
    return indexEnd
  }
}
