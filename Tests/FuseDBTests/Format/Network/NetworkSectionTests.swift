import Testing

import FuseDB

@testable import FuseDBReading

/// The worked example of spec/network.md §10 with other fields: 5 and 3 runs in one line and two of eight lanes.
struct `The header of a section of networks` {
  private static func section() throws -> [UInt8] {
    try NetworkBench.section([
      (FuseNetwork("10.0.0.0/8")!, 40), (FuseNetwork("10.1.0.0/16")!, 56), (FuseNetwork("2001:db8::/32")!, 40),
    ])
  }

  private static func refusal(of section: [UInt8]) -> FuseError? {
    let bench = NetworkBench(section)
    return failure { _ = try bench.table() }
  }

  /// What is wrong; where the field stands; its bytes.
  static let forgeries: [(flaw: String, offset: Int, field: String)] = [
    ("no run in one line", 8, "0000000000000000"), ("nine runs in one line", 8, "0900000000000000"),
    ("one run in two lines", 16, "0100000000000000"), ("17 runs in two lines", 16, "1100000000000000"),
    ("more runs than there are numbers", 16, "ffffffffffffffff"), ("a run without lines", 24, "0100000000000000"),
    ("a line without runs", 40, "01000000"),
    ("one line too many", 36, "03000000"), ("one line too few", 36, "01000000"),
    ("as many lines as can be told", 36, "ffffffff"),
    ("a deep line that is not there", 24, "0100000000000000" + "01000000" + "02000000" + "01000000"),
    ("7 bits", 44, "07"), ("9 bits", 44, "09"), ("no bits", 44, "00"), ("255 bits", 44, "ff"),
    ("no lanes", 45, "00"), ("6 lanes", 45, "06"), ("9 lanes", 45, "09"),
    ("length 33 of IPv4", 48, "0001010002000000"), ("length 63 of IPv4", 48, "0001010000000080"),
    ("length 129 of IPv6", 72, "0200000000000000"), ("length 191 of IPv6", 72, "0000000000000080"),
  ]

  @Test(arguments: forgeries)
  func `is refused where a field cannot be, under a right checksum [A7] [A8]`(
    flaw: String, offset: Int, field: String
  ) throws {
    let error = Self.refusal(of: NetworkBench.forging(try Self.section(), at: offset, [UInt8](hex: field)))
    #expect(error?.code == .corrupted)
    #expect(error?.offset == 4096)
  }

  /// The fewest runs and the most, 7 lanes, the greatest lengths.
  @Test(arguments: [
    (8, "0100000000000000"), (8, "0800000000000000"), (16, "0200000000000000"), (16, "1000000000000000"), (45, "07"),
    (48, "0001010001000000"), (72, "0100000000000000"),
  ])
  func `is taken where a field is as large or as small as it may be [A7]`(offset: Int, field: String) throws {
    let section = try Self.section()
    #expect(Self.refusal(of: NetworkBench.forging(section, at: offset, [UInt8](hex: field))) == nil)
  }

  @Test func `is refused where the section ends before its tables do, or after them [A8]`() throws {
    let section = try Self.section()
    #expect(Self.refusal(of: section) == nil)
    for byteCount in 0..<section.count {
      #expect(Self.refusal(of: Array(section[..<byteCount]))?.code == .corrupted, "\(byteCount) bytes")
    }
    for added in [1, 8, 64, 128] {
      #expect(Self.refusal(of: section + [UInt8](repeating: 0, count: added))?.code == .corrupted, "\(added) more")
    }
  }
}
