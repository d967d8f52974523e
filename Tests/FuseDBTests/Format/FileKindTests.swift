import Testing

import FuseDB

struct `What a file is by its first bytes` {
  @Test(arguments: [
    ("FSDB", FileKind.database), ("FSDPAT\0\u{1}", .patch), ("{\"keys\":[]}", .json), ("\u{FEFF}{}", .text),
    (" \r\n\t[1", .json),
    ("a,b\n1,2\n", .text), ("é", .text), ("FSD", .text), ("BZh9", .packed(by: "bzip2", unpack: "bunzip2")),
    ("PK\u{3}\u{4}", .packed(by: "zip", unpack: "unzip")), ("", .unknown), ("a\0b", .unknown), ("a\u{7F}", .unknown),
  ])
  func `is known where they tell`(text: String, kind: FileKind) {
    #expect(FileKind(of: Array(text.utf8).rawSpan) == kind)
  }

  @Test(arguments: [
    ("1f8b08", "gzip"), ("28b52ffd00", "zstd"), ("fd377a585a00", "xz"), ("04224d18", "lz4"),
  ])
  func `packed bytes are named by the program that packs so`(hex: String, packer: String) {
    let kind = FileKind(of: [UInt8](hex: hex).rawSpan)
    #expect(kind.advice?.hasPrefix("it is packed by \(packer); unpack it first, with ") == true)
  }

  @Test func `text may be cut inside of a character, and only at the end of what is looked at`() {
    let long = Array(("x" + String(repeating: "é", count: 200)).utf8)
    #expect(FileKind(of: long.rawSpan) == .text)
    #expect(FileKind(of: Array(long.prefix(4)).rawSpan) == .unknown)
    #expect(FileKind(of: ([0xFF] + long).rawSpan) == .unknown)
  }
}
