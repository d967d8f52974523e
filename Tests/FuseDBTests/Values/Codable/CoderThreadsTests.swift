import Testing

import FuseDB

/// One decoder, one encoder and one reader on several threads.
struct `Coders on four threads` {
  @Test func `give what they give on one`() throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter()
    for number in 0..<100 {
      var sample = Sample.full
      sample.port = UInt16(number)
      try writer.add(["key \(number)"], sample)
    }
    try writer.build(to: folder.path("typed.fsdb"))
    let reader = try FuseReader(path: folder.path("typed.fsdb"))
    let (decoder, encoder) = (FuseDecoder(), FuseEncoder())
    let meeting = MeetingPoint(4)
    let failures = onThreads(4) { thread -> Int in
      meeting.pass()
      var failures = 0
      for round in 0..<300 {
        let number = (round * 7 + thread) % 100
        var sample = Sample.full
        sample.port = UInt16(number)
        do {
          let found = try reader.value(Sample.self, forKey: "key \(number)", decoder: decoder)
          let again = try decoder.decode(Sample.self, from: try encoder.encode(sample))
          if found != sample || again != sample { failures += 1 }
          if try reader.value(Sample.self, forKey: "none", decoder: decoder) != nil { failures += 1 }
        } catch { failures += 1 }
      }
      return failures
    }
    #expect(failures == [0, 0, 0, 0])
  }
}
