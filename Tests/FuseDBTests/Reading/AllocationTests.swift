import CMalloc
import Testing

import FuseDB

/// Memory that opening and look-ups take, counted in a process of its own, where nothing else runs.
struct `In a file with an extension block` {
  /// A file of so many keys.
  static func build(_ keyCount: Int, _ folder: TemporaryFolder) throws -> String {
    let writer = FuseWriter()
    let objects = try (0..<100).map { try writer.addObject([0xCC, UInt8($0)]) }
    for number in 0..<keyCount { try writer.addKey(Array("key \(number)".utf8), for: objects[number % 100]) }
    let path = folder.path("\(keyCount).fsdb")
    try writer.build(to: path)
    return path
  }

  /// The bytes that are allocated: by malloc, and of private memory in pages.
  static func allocated() -> (heap: Int, pages: Int) {
    let heap = mallinfo2()
    let status = String(decoding: procFile("status"), as: UTF8.self)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmData:") }
    let kilobytes = line?.split(separator: " ").dropFirst().first?.split(separator: "\t").last.flatMap { Int($0) }
    return (Int(heap.uordblks) + Int(heap.hblkhd), 1024 * (kilobytes ?? -1))
  }

  @Test func `opening takes as much memory for two hundred thousand keys as for a thousand`() async {
    await #expect(processExitsWith: .exitCode(44)) {
      let folder = try TemporaryFolder()
      let paths = [try Self.build(1000, folder), try Self.build(200_000, folder)]
      var taken: [(heap: Int, pages: Int)] = []
      // The first rounds also pay for what is set up once.
      for _ in 0..<3 {
        taken = []
        for path in paths {
          let before = Self.allocated()
          let reader = try FuseReader(path: path)
          let after = Self.allocated()
          taken.append((after.heap - before.heap, after.pages - before.pages))
          if try !reader.contains("key 999") { exit44(if: false) }
        }
      }
      // A plain file of as many keys takes 2,050,000 bytes.
      let heaps = taken.map(\.heap)
      let isSmall = taken.allSatisfy { abs($0.heap) < 16_384 && $0.pages >= 0 && $0.pages < 65_536 }
      exit44(if: isSmall && abs(heaps[1] - heaps[0]) < 4096)
    }
  }

  @Test func `a look-up allocates nothing, whether the key is there or not`() async {
    await #expect(processExitsWith: .exitCode(44)) {
      let folder = try TemporaryFolder()
      let path = try Self.build(10_000, folder)
      for checksums in [FuseReader.Checksums.verified, .skipped] {
        let reader = try FuseReader(path: path, checksums: checksums)
        let keys = (0..<10_000).map { Array("key \($0)".utf8) } + (0..<10_000).map { Array("not \($0)".utf8) }
        var found = 0
        // The first round pays for what is set up once, and now and then another thread of the process allocates something.
        var isSame = false
        for round in 0..<3 {
          let before = mallinfo2()
          for key in keys {
            let span = key.rawSpan
            let bytes = try reader.bytes(forKey: span)
            if bytes != nil { found += 1 }
            if try reader.withBytes(forKey: span, { $0.byteCount }) == 2 { found += 1 }
            if try reader.contains(span) { found += 1 }
            if try reader.longestSuffix(ofDomain: span) != nil { found += 1 }
            if try reader.longestPrefix(of: span) != nil { found += 1 }
          }
          let after = mallinfo2()
          if round > 0, before.uordblks == after.uordblks, before.arena == after.arena, before.ordblks == after.ordblks
          {
            isSame = true
          }
        }
        if !isSame || found != 150_000 { exit44(if: false) }
      }
      exit44(if: true)
    }
  }
}
