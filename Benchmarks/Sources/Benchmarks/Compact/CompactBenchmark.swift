import Foundation
import FuseDB

/// Compact files beside those of version 2 and LMDB's, with the same keys and objects, the same questions and the same answers.
///
/// In every round each file has its turn, so that what disturbs the machine meets all of them. A ratio is that of one round; a table has the medians.
struct CompactBenchmark {
  static let roundCount = 5
  private static let sizes = [1_000_000, 10_000_000]
  private static let questionCount = 1_000_000

  let folder: String
  let python: String
  let command: String
  private let watch: QuietWatch

  /// - Parameter python: one that has `maxminddb-geolite2`.
  init(folder: String, python: String, command: String) throws {
    self.folder = folder
    self.python = python
    self.command = command
    watch = try QuietWatch()
  }

  /// Returns tables.
  func run() throws -> String {
    var parts: [String] = []
    for size in Self.sizes { parts.append(try measureKeys(size)) }
    parts.append(try measureObjects())
    parts.append(try measureCity())
    parts.append(try measureSizes())
    let disturbances = try watch.end([]).disturbances
    if !disturbances.isEmpty {
      parts.insert("**This run was disturbed**: \(disturbances.joined(separator: "; ")).", at: 0)
    }
    return parts.joined(separator: "\n\n")
  }

  // MARK: Keys

  /// Finding and walking, with a file of each form and LMDB's.
  private func measureKeys(_ keyCount: Int) throws -> String {
    note("\(keyCount) keys: building")
    let workload = Workload(keyCount: keyCount, questionCount: Self.questionCount)
    let forms = FuseWriter.Form.allCases
    let paths = forms.map { "\(folder)/\($0).fsdb" }
    let lmdbPath = folder + "/lmdb.mdb"
    defer { for path in paths + [lmdbPath] { try? FileManager.default.removeItem(atPath: path) } }
    var builds = [[Double]](repeating: [], count: forms.count)
    for round in 0..<3 {
      for turn in forms.indices {
        let number = (turn + round) % forms.count
        builds[number].append(try Self.build(workload, paths[number], forms[number]))
      }
    }
    let peer = LMDBPeer()
    _ = try peer.build(workload, at: lmdbPath)
    let readers = try paths.map { try FuseReader(path: $0) }
    let lmdb = try LMDBDatabase(LMDBEnvironment(lmdbPath, isReadOnly: true))
    for reader in readers { try FuseDBDatabase(reader).check(workload) }
    try lmdb.check(workload)

    note("\(keyCount) keys: asking")
    let jobs: [(String, Int, (FuseDBDatabase) throws -> Tally, (() throws -> Tally)?)] = [
      (
        "found", workload.hits.count, { try Presence(reader: $0.reader).tally(workload.hits, 0..<workload.hits.count) },
        nil
      ),
      (
        "found, one after the other", workload.hits.count,
        { try SerialLookUp(other: Presence(reader: $0.reader)).tally(workload.hits, 0..<workload.hits.count) }, nil
      ),
      (
        "absent", workload.misses.count,
        { try Presence(reader: $0.reader).tally(workload.misses, 0..<workload.misses.count) }, nil
      ),
      (
        "found, 64 in a call", workload.hits.count,
        { try Presence(reader: $0.reader).batchTally(workload.hits, size: 64) }, nil
      ),
      (
        "its bytes", workload.hits.count, { try $0.tally(workload.hits, 0..<workload.hits.count) },
        { try lmdb.tally(workload.hits, 0..<workload.hits.count) }
      ),
      (
        "its bytes, one after the other", workload.hits.count,
        { try SerialLookUp(other: FuseDBLookUp(reader: $0.reader)).tally(workload.hits, 0..<workload.hits.count) }, nil
      ),
      ("scan of keys", keyCount, { try Self.scanKeys($0.reader) }, nil),
      ("scan in place", keyCount, { try $0.scanTally() ?? Tally() }, { try lmdb.scanTally() ?? Tally() }),
      (
        "prefix", workload.prefixes.count,
        { try $0.prefixTally(workload.prefixes, 0..<workload.prefixes.count) ?? Tally() },
        { try lmdb.prefixTally(workload.prefixes, 0..<workload.prefixes.count) ?? Tally() }
      ),
    ]
    let databases = readers.map { FuseDBDatabase($0) }
    var table = Comparison(["version 2", "compact", "compact=fast", "LMDB"])
    for (name, count, ours, theirs) in jobs {
      var ways = databases.map { database in { try ours(database) } }
      if let theirs { ways.append(theirs) }
      try table.measure(name, operations: count, ways)
    }
    table.add("build, ms", builds.map { $0.map { $0 / 1e6 } })
    table.add("bytes", try (paths + [lmdbPath]).map { [Double(try Self.size($0))] })
    return "## \(grouped(keyCount)) keys\n\n" + table.markdown
  }

  private static func build(_ workload: Workload, _ path: String, _ form: FuseWriter.Form) throws -> Double {
    try timed {
      var options = FuseWriter.Options()
      options.form = form
      let writer = FuseWriter(options)
      let objects = try (0..<workload.objects.count).map {
        try writer.addObject(RawSpan(_unsafeBytes: workload.objects[$0]))
      }
      for i in 0..<workload.keyCount {
        try writer.addKey(RawSpan(_unsafeBytes: workload.keys[i]), for: objects[Int(workload.objectOfKey[i])])
      }
      try writer.build(to: path)
    }
  }

  @inline(never)
  private static func scanKeys(_ reader: FuseReader) throws -> Tally {
    var tally = Tally()
    var entries = try reader.entries()
    while let entry = try entries.next() { tally.add(UInt64(try entry.key.count)) }
    return tally
  }

  // MARK: Objects

  /// A field, a struct and all bytes of objects with five members.
  private func measureObjects() throws -> String {
    note("fields of 1,000,000 keys")
    let workload = ValueWorkload(keyCount: 1_000_000, questionCount: 250_000)
    let paths = ["v2", "compact"].map { "\(folder)/values-\($0).fsdb" }
    let flat = paths.map { $0 + ".flat" }
    defer { for path in paths + flat { try? FileManager.default.removeItem(atPath: path) } }
    let ours = try zip(zip(paths, flat), [FuseWriter.Form.family, .compact]).map { files, form in
      try FuseDBValues(files.0, flatPath: files.1, form: form, workload)
    }
    let loops = ours.map { $0.loops(workload).filter { $0.start != .found } }
    var table = Comparison(["version 2", "compact"])
    for (number, loop) in loops[0].enumerated() {
      let ways = try loops.map { all -> () throws -> Tally in
        guard let tally = all[number].tally else { throw WrongAnswer("\(all[number].name) is not measured here") }
        return { try tally(0..<workload.hits.count) }
      }
      let expected = workload.expected(loop.wanted, 0..<workload.hits.count)
      try table.measure(loop.name, operations: workload.hits.count, ways, expected: expected)
    }
    return "## Fields, 1,000,000 keys, objects of five members\n\n" + table.markdown
  }

  // MARK: Help

  static func size(_ path: String) throws -> Int {
    (try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber)?.intValue ?? 0
  }

  func note(_ text: String) { FileHandle.standardError.write(Data("compact: \(text)\n".utf8)) }
}

/// Whether a key is there: no byte of its object is looked at.
private struct Presence: LookUp {
  let reader: FuseReader

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    try reader.contains(RawSpan(_unsafeBytes: key)) ? 1 : nil
  }

  func batchTally(_ keys: ByteList, size: Int) throws -> Tally {
    var tally = Tally()
    for start in stride(from: 0, to: keys.count, by: size) {
      let batch = Batch(keys: keys, startIndex: start, endIndex: min(start + size, keys.count))
      for isThere in try reader.contains(keys: batch) where isThere { tally.add(1) }
    }
    return tally
  }
}
