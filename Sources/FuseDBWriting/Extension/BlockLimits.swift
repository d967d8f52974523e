internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// What the making of an extension block may use. The bytes of the block don't depend on it.
package struct BlockLimits: Sendable {
  static let usualMemory = 512 << 20

  /// In bytes, some 6 MiB at least.
  var memory: Int
  /// Where a temporary file goes that is needed when the memory is not enough.
  var temporaryFolder: String
  var threadCount: Int

  package init(memory: Int = usualMemory, temporaryFolder: String, threadCount: Int = Parallel.processorCount) {
    self.memory = memory
    self.temporaryFolder = temporaryFolder
    self.threadCount = threadCount
  }
}
