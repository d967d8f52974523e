import Foundation
import FuseDB

/// A set of shards beside one file of the same keys and objects: what finding the shard costs.
///
/// The turns are those of ``CompactBenchmark``; a row has the nanoseconds of one file and, of each round, how many more the set takes.
struct ShardBenchmark {
  private static let sizes = [1_000_000, 10_000_000]
  private static let shardCount = 64
  private static let questionCount = 1_000_000

  let folder: String
  private let watch: QuietWatch

  init(folder: String) throws {
    self.folder = folder
    watch = try QuietWatch()
  }

  /// Returns tables.
  func run() throws -> String {
    var parts: [String] = []
    for size in Self.sizes { parts.append(try measure(size)) }
    let disturbances = try watch.end([]).disturbances
    if !disturbances.isEmpty {
      parts.insert("**This run was disturbed**: \(disturbances.joined(separator: "; ")).", at: 0)
    }
    return parts.joined(separator: "\n\n")
  }

  private func measure(_ keyCount: Int) throws -> String {
    FileHandle.standardError.write(Data("shards: \(keyCount) keys\n".utf8))
    let workload = Workload(keyCount: keyCount, questionCount: Self.questionCount)
    let (path, set) = (folder + "/whole.fsdb", folder + "/shards")
    defer { for path in [path, set] { try? FileManager.default.removeItem(atPath: path) } }
    let writer = FuseWriter()
    // Each key has an object of its own: shards would repeat one that keys of several share, and the set would be larger than the file.
    var object: [UInt8] = []
    for i in 0..<workload.keyCount {
      object.removeAll(keepingCapacity: true)
      object += [0x92, 0xCE]
      withUnsafeBytes(of: UInt32(i).bigEndian) { object += $0 }
      object += workload.objects[Int(workload.objectOfKey[i])]
      let id = try object.withUnsafeBytes { try writer.addObject(RawSpan(_unsafeBytes: $0)) }
      try writer.addKey(RawSpan(_unsafeBytes: workload.keys[i]), for: id)
    }
    try writer.build(to: path)
    let report = try FuseSet.split(FuseReader(path: path), into: set, by: .hash(count: Self.shardCount))
    let size = try CompactBenchmark.size(path)

    var table = Comparison(["one file", "\(Self.shardCount) shards"], measure: "difference")
    for (name, checksums) in [("", FuseReader.Checksums.verified), (", checksums off", .skipped)] {
      let reader = try FuseReader(path: path, checksums: checksums)
      let shards = try ShardedReader(path: set, checksums: checksums)
      let whole = shards.reader
      try shards.openAll()
      for one in [reader, whole] {
        let found = try FuseDBDatabase(one).tally(workload.hits, 0..<workload.hits.count).found
        let absent = try FuseDBDatabase(one).tally(workload.misses, 0..<workload.misses.count).found
        guard found == workload.hits.count, absent == 0 else { throw WrongAnswer("\(one) lacks keys, or has others") }
      }
      try table.measureMore(
        "hit" + name, workload.hits.count,
        { try FuseDBLookUp(reader: reader).tally(workload.hits, 0..<workload.hits.count) },
        { try ShardLookUp(set: shards).tally(workload.hits, 0..<workload.hits.count) })
      try table.measureMore(
        "hit, one after the other" + name, workload.hits.count,
        { try SerialLookUp(other: FuseDBLookUp(reader: reader)).tally(workload.hits, 0..<workload.hits.count) },
        { try SerialLookUp(other: ShardLookUp(set: shards)).tally(workload.hits, 0..<workload.hits.count) })
      try table.measureMore(
        "miss" + name, workload.misses.count,
        { try FuseDBLookUp(reader: reader).tally(workload.misses, 0..<workload.misses.count) },
        { try ShardLookUp(set: shards).tally(workload.misses, 0..<workload.misses.count) })
      let (ours, theirs) = (FuseDBDatabase(reader), FuseDBDatabase(whole))
      try table.measureMore(
        "hit, by `FuseReader`" + name, workload.hits.count,
        { try ours.tally(workload.hits, 0..<workload.hits.count) },
        { try theirs.tally(workload.hits, 0..<workload.hits.count) })
      try table.measureMore(
        "hit, 64 in a call" + name, workload.hits.count,
        { try ours.batchTally(workload.hits, 0..<workload.hits.count, size: 64) ?? Tally() },
        { try theirs.batchTally(workload.hits, 0..<workload.hits.count, size: 64) ?? Tally() })
      try table.measureMore(
        "scan" + name, keyCount, { try ours.scanTally() ?? Tally() }, { try theirs.scanTally() ?? Tally() })
    }
    return """
      ## \(grouped(keyCount)) keys, each with an object of its own

      The file has \(grouped(size)) bytes, and the shards \(grouped(report.byteCount)).

      \(table.markdown)
      """
  }
}

private struct ShardLookUp: LookUp {
  let set: ShardedReader

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    try set.withBytes(forKey: RawSpan(_unsafeBytes: key)) { $0.firstWord }
  }
}
