import FuseDB
import ProgramSupport

extension CallFiles {
  private func read(_ path: String, _ access: FuseAccess = .mapped) throws {
    let reader = try FuseReader(path: path, access: access)
    guard try reader.contains("key 7"), try !reader.contains("key 7000") else { throw Violation("a wrong answer") }
    var entries = try reader.entries()
    for _ in 0..<50 { _ = try entries.next() }
  }

  private func verify(_ path: String, _ level: VerificationLevel, isSound: Bool) throws {
    guard try FuseReader.verify(path: path, level: level).isSound == isSound else { throw Violation("a wrong verdict") }
  }

  /// Opening, looking up and verifying.
  var reading: [LongCall] {
    let fixtures = #filePath.split(separator: "/").dropLast(2).map { "/" + $0 }.joined() + "/Fixtures/bad/"
    let badFiles = Scratch.names(in: fixtures) ?? []
    // Every seventh of some 260, chosen by their names.
    let sample = badFiles.filter { $0.hasSuffix(".fsdb") }.sorted().enumerated().filter { $0.offset % 7 == 0 }
      .map { fixtures + $0.element }
    return [
      LongCall("open and look up") { try read(old) },
      LongCall("open a plain file and look up") { try read(plain) },
      LongCall("open a copy in memory and look up") { try read(old, FuseAccess(memory: .copied)) },
      LongCall("open and read into memory") { try read(old, FuseAccess(prefault: .background)) },
      LongCall("open a file that is not there", fails: .notFound) { try read(missing) },
      LongCall("open \(sample.count) bad files") {
        guard sample.count > 30 else { throw Violation("the bad files are not at \(fixtures)") }
        for path in sample {
          do { _ = try FuseReader(path: path).contains("a") } catch is FuseError {}
        }
      },
      LongCall("verify") { try verify(old, .full, isSound: true) },
      LongCall("verify by checksums") { try verify(old, .checksums, isSound: true) },
      LongCall("verify a damaged file") { try verify(damagedObject, .full, isSound: false) },
      LongCall("verify a file with a damaged block") { try verify(damagedBlock, .full, isSound: false) },
      LongCall("verify a damaged file by checksums") { try verify(damagedObject, .checksums, isSound: false) },
      LongCall("verify that is ended", fails: .limitExceeded) {
        _ = try FuseReader.verify(path: damagedObject) { _ throws(FuseError) in throw FuseError(.limitExceeded, "one") }
      },
    ]
  }
}
