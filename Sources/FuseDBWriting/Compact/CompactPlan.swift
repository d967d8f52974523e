internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

/// A compact file that is to be made of a plain one without a name.
struct CompactTarget {
  /// What is published.
  var file: AtomicFile
  var keysAreRaw: Bool
  var memory: Int
  var sections: SectionRequest

  func write(
    _ mapping: FileMapping, metadata: [UInt8]?, _ progress: (Double) -> Void
  ) throws(FuseError) -> CompactReport {
    // It was written just now: what is compared with checksums is what others wrote.
    let reader = try FuseReader(mapping, checksums: .skipped, expecting: .few)
    var work = try CompactWork(
      reader, to: file, CompactPlan(keysAreRaw: keysAreRaw, memory: memory, metadata: metadata, sections: sections))
    return try work.run(progress)
  }
}

/// What a compact file is to be like.
package struct CompactPlan: Sendable {
  /// Whether keys stand as they are, also where symbols would take fewer bytes.
  package var keysAreRaw: Bool
  /// In bytes, for what grows with the number of keys and of values.
  package var memory: Int
  package var metadata: [UInt8]?
  /// Networks and key lengths.
  package var sections: SectionRequest

  package init(
    keysAreRaw: Bool, memory: Int = BlockLimits.usualMemory, metadata: [UInt8]?, sections: SectionRequest
  ) {
    self.keysAreRaw = keysAreRaw
    self.memory = memory
    self.metadata = metadata
    self.sections = sections
  }
}
