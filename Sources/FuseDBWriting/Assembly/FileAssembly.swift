internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// The file that a build writes: data and key index at the same time, each by a stream of its own, then the block.
final class FileAssembly {
  let file: AtomicFile
  private let index: FileStream
  private let collector: BlockCollector?
  private(set) var keyCount = 0

  /// - Parameters:
  ///   - file: what is to be written.
  ///   - layout: whether there is to be a block.
  ///   - keyCount: how many keys may come.
  ///   - dataByteCount: how long the data section is going to be, at most; the index is written after that, and moved
  ///     where the data is shorter.
  ///   - indexByteCount: how long the index is going to be, at most.
  ///   - limits: what the making of the block may use.
  init(
    _ file: AtomicFile, _ layout: FuseWriter.Layout, keyCountAtMost keyCount: Int,
    dataByteCountAtMost dataByteCount: Int, indexByteCountAtMost indexByteCount: Int, limits: BlockLimits
  ) throws(FuseError) {
    self.file = file
    let indexStart = Header.byteCount + dataByteCount
    index = try file.stream(at: indexStart)
    collector =
      layout == .plain
      ? nil
      : try BlockCollector(
        keyCountAtMost: keyCount, indexEndAtMost: indexStart + indexByteCount, limits: limits)
  }

  /// Where the next object record is going to stand.
  var dataEnd: UInt64 { file.byteCount }

  /// Appends an object record.
  @inline(__always)
  func add(object: RawSpan) throws(FuseError) {
    try file.body.write(record: object)
  }

  /// Appends an entry of the key index.
  @inline(__always)
  func add(key: RawSpan, object: UInt64) throws(FuseError) {
    try index.write(entry: key, object: object)
    try collector?.add(key: key, object: object)
    keyCount &+= 1
  }

  /// Completes the file and lets it appear. Returns its length, and what it replaced.
  func publish(
    objectCount: Int, metadata: [UInt8]?, _ progress: (BuildPhase, Double) -> Void
  ) throws(FuseError) -> (byteCount: Int, replaced: ReplacedFile?) {
    try file.flush()
    try index.flush()
    let indexStart = Int(dataEnd)
    try file.move(index.start..<index.position, to: indexStart)
    let indexRange = indexStart..<indexStart + index.byteCount
    var checksum = file.checksum
    checksum.append(index.checksum.value, byteCount: index.byteCount)
    var header = Header(
      keyCount: UInt32(keyCount), objectCount: UInt32(objectCount), indexOffset: UInt64(indexStart),
      checksum: checksum.value)
    var end = indexRange.upperBound
    if let collector {
      progress(.indexing, 0)
      var block = ExtensionWriter(to: file, index: indexRange, checksum: checksum)
      header = try block.write(header: header, metadata: metadata, from: collector)
      end = block.end
    }
    progress(.syncing, 0)
    return (end, try file.publish(header: header.bytes, keyCount: keyCount))
  }
}
