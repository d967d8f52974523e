import FuseDB
import Glibc
import ProgramSupport

extension CallFiles {
  @discardableResult
  private func merge(_ options: MergeOptions = MergeOptions(), with more: [String] = []) throws -> MergeReport {
    var options = options
    options.memory = Self.memory
    options.temporaryFolder = folder.folder
    return try FuseWriter.merge([old, new, plain] + more, to: output, options: options)
  }

  /// Does `body` while the process may have no more than so many descriptors.
  private func withDescriptors(atMost count: UInt, _ body: () throws -> Void) throws {
    let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard unsafe getrlimit(kind, &limit) == 0 else { throw Violation("cannot read the limit of descriptors") }
    var lower = rlimit(rlim_cur: count, rlim_max: limit.rlim_max)
    guard unsafe setrlimit(kind, &lower) == 0 else { throw Violation("cannot lower the limit of descriptors") }
    defer { unsafe setrlimit(kind, &limit) }
    try body()
  }

  private func merging(_ policy: MergeOptions.ConflictPolicy) throws { try merge(MergeOptions(onConflict: policy)) }

  /// Merging.
  var merging: [LongCall] {
    let mine = FuseError(.limitExceeded, "enough")
    return [
      LongCall("merge, the last counts") { try merging(.last) },
      LongCall("merge, the first counts") { try merging(.first) },
      LongCall("merge that combines") {
        try merging(.combine { (_, _, _) throws(FuseError) in .value([0xC0]) })
      },
      LongCall("merge that keeps one of two") {
        try merging(.combine { (_, _, _) throws(FuseError) in .second })
      },
      LongCall("merge in insertion order, plain") { try merge(MergeOptions(order: .insertion, layout: .plain)) },
      LongCall("merge that subtracts") { try merge(MergeOptions(subtracting: [new, plain])) },
      LongCall("merge of keys with a prefix") { try merge(MergeOptions(prefixes: [Array("key 1".utf8)])) },
      LongCall("merge of more files than stay open") {
        // Of sixteen descriptors that the process may have, a merge keeps one.
        try withDescriptors(atMost: 96) {
          guard try merge(with: Array(repeating: other, count: 40)).keyCount == 400 else {
            throw Violation("a wrong count")
          }
        }
      },
      LongCall("merge beyond the memory") {
        guard try merge(with: [large]).spilledByteCount > 0 else { throw Violation("all of it is in memory") }
      },
      LongCall("merge with a conflict that is refused", fails: .duplicateKey) { try merging(.error) },
      LongCall("merge with a function that throws", fails: .limitExceeded) {
        try merging(.combine { (_, _, _) throws(FuseError) in throw mine })
      },
      LongCall("merge with a function that makes no value", fails: .invalidValue) {
        try merging(.combine { (_, _, _) throws(FuseError) in .value([0xC1]) })
      },
      LongCall("merge of a damaged file", fails: .corrupted) { try merge(with: [damagedObject]) },
      LongCall("merge that subtracts what is no database", fails: .notADatabase) {
        try merge(MergeOptions(subtracting: [new, damagedPatch]))
      },
      LongCall("merge of a file that is not there", fails: .notFound) { try merge(with: [missing]) },
      LongCall("merge into a folder that is not there", fails: .inputOutput) {
        try FuseWriter.merge([old, new], to: unwritable, options: MergeOptions(memory: Self.memory))
      },
    ]
  }
}
