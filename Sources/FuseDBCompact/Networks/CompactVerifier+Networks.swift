internal import FuseDBFormat
internal import FuseDBSystem

extension CompactVerifier {
  /// A key in a block of a file of networks alone is the canonical text of a network that is not shown. [CN2]
  func checkNetwork(_ key: [UInt8], among shown: ShownBlocks, entryAt offset: Int) {
    let mapping = mapping
    guard let spelling = NetworkSpelling(key.rawSpan), spelling.flaws.isEmpty else {
      return report("a key is no network in canonical text", at: offset)
    }
    guard spelling.network.family == .ipv4 else { return }
    do throws(FuseError) {
      let first = UInt32(truncatingIfNeeded: spelling.network.address.bits)
      let answer = try shown.answer(at: first, in: mapping.bytes)
      if answer.length > 32 || Int(answer.length) <= spelling.network.prefixLength {
        report("a block of IPv4 stands among the keys, and no longer one hides it", at: offset)
      }
    } catch { report(error) }
  }

  /// The keys that the lines show: how many begin before each line that has a count, and where their rows begin. [CN3] [CN4]
  mutating func checkShown(_ shown: ShownBlocks) throws(FuseError) {
    let mapping = mapping
    let file = mapping.bytes
    var count = 0
    for number in 0..<shown.lineCount {
      if number & 0xFFF == 0 { try Cancellation.check() }
      do throws(FuseError) {
        if number % NetworkStartCounter.linesPerCount == 0 {
          let stored = try shown.count(beforeGroup: number / NetworkStartCounter.linesPerCount, in: file)
          if stored != count {
            report("\(counted(count, "network")) begin before a line, and SHOW says \(stored)", at: shown.start)
          }
        }
        for run in try shown.runs(ofLine: number, in: file) {
          count += run.count
          guard run.row >= UInt64(Header.byteCount),
            (run.row - UInt64(Header.byteCount)) & (1 << layout.blocks.shift - 1) == 0
          else {
            report("a run of networks refers to a place where no row begins", at: shown.offset(ofLine: number))
            continue
          }
          checkReference(
            (run.row - UInt64(Header.byteCount)) >> layout.blocks.shift, entryAt: shown.offset(ofLine: number))
        }
      } catch { report(error) }
    }
    keyCount += count
    if count != shown.count { report("SHOW counts \(shown.count) networks, and \(count) begin", at: shown.start) }
    if let offset = shown.firstUnused(in: file) { report("a byte of SHOW is not zero that must be", at: offset) }
  }
}
