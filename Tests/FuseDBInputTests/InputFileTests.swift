import FuseDB
import Glibc
import ProgramSupport
import Testing

@testable import FuseDBInput

/// What gzip makes of "hello\n", "world\n" and nothing.
private let hello = bytes("1f8b08000000000002ffcb48cdc9c9e7020020303a3606000000")
private let world = bytes("1f8b08000000000002ff2bcf2fca49e10200a86138dd06000000")
private let nothing = bytes("1f8b08000000000002ff03000000000000000000")

/// What zstd makes of the same, and a frame to be skipped.
private let zstdHello = bytes("28b52ffd 04 58 310000 68656c6c6f0a 5388bd91")
private let zstdWorld = bytes("28b52ffd 20 06 310000 776f726c640a")
private let zstdNothing = bytes("28b52ffd 24 00 010000 99e9d851")
private let skipped = bytes("5e2a4d18 03000000 68690a")

/// What xz makes of them, and bzip2.
private let xzHello = bytes(
  """
  fd377a585a000004e6d6b4460200210116000000742fe5a301000568656c6c6f0a000000a56097f194f6fde000011e06
  c12fa41d1fb6f37d010000000004595a
  """)
private let xzWorld = bytes(
  """
  fd377a585a0000016922de360200210116000000742fe5a3010005776f726c640a000000a86138dd00011a06c5eac879
  9042990d010000000001595a
  """)
private let xzNothing = bytes("fd377a585a000004e6d6b446000000001cdf44211fb6f37d010000000004595a")
private let bzip2Hello = bytes(
  """
  425a6839314159265359c1c080e2000001410000100244a00030cd00c3462997177245385090c1c080e2
  """)
private let bzip2World = bytes(
  """
  425a68313141592653590a580695000002c18000100404908020002218683004e8185dc914e1424029601a54
  """)
private let bzip2Nothing = bytes("425a683917724538509000000000")

/// All that an input holds, read in pieces of `step` bytes.
private func contents(_ input: InputFile, step: Int) throws -> [UInt8] {
  var all: [UInt8] = []
  var piece = [UInt8](repeating: 0, count: step + 2)
  while true {
    let count = try input.read(into: &piece, 1..<step + 1)
    guard count > 0 else { return all }
    all += piece[1..<count + 1]
  }
}

struct InputFileTests {
  private static let inputs: [(bytes: [UInt8], expected: String)] = [
    ([], ""), (Array("plain\n".utf8), "plain\n"), ([0x1F], "\u{1F}"), (hello, "hello\n"), (nothing, ""),
    (hello + world, "hello\nworld\n"), (nothing + hello + nothing + world, "hello\nworld\n"),
    (hello + [0, 0, 0, 0], "hello\n"), (hello + [0, 0] + world, "hello\nworld\n"),
    (zstdHello, "hello\n"), (zstdNothing, ""), (skipped, ""), (skipped + zstdHello + skipped, "hello\n"),
    (zstdWorld + zstdHello, "world\nhello\n"), (zstdNothing + skipped + zstdWorld, "world\n"),
    (xzHello, "hello\n"), (xzNothing, ""), (xzWorld + xzNothing + xzHello, "world\nhello\n"),
    (xzHello + [0, 0, 0, 0] + xzWorld + [0, 0, 0, 0], "hello\nworld\n"),
    (bzip2Hello, "hello\n"), (bzip2Nothing, ""), (bzip2World + bzip2Nothing + bzip2Hello, "world\nhello\n"),
    (Array("BZh9".utf8), "BZh9"), (Array("BZh9x,y\n".utf8), "BZh9x,y\n"), ([0xFD], "\u{FFFD}"),
    ([0x28, 0xB5, 0x2F], "\u{28}\u{FFFD}/"), ([0x5E, 0x2A, 0x4D, 0x19], "^*M\u{19}"),
  ]

  @Test(arguments: inputs)
  func `a file is read as it is, and unpacked when it is packed`(bytes: [UInt8], expected: String) throws {
    let scratch = Scratch()
    for step in [1, 2, 3, 4096] {
      let input = try scratch.input(bytes)
      #expect(String(decoding: try contents(input, step: step), as: UTF8.self) == expected)
      #expect(input.bytesRead == bytes.count)
      #expect(input.byteCount == bytes.count)
    }
  }

  @Test(arguments: inputs)
  func `what is there of a file is at last all of it`(bytes: [UInt8], expected: String) throws {
    let scratch = Scratch()
    for step in [1, 2, 3, 4096] {
      let input = try scratch.input(bytes)
      // As much as is looked at before, or nothing.
      let head = step == 2 ? try input.peek(5) : []
      var all: [UInt8] = []
      var piece = [UInt8](repeating: 0, count: step + 2)
      while case let count = try input.readSome(into: &piece, 1..<step + 1), count > 0 { all += piece[1..<count + 1] }
      #expect(String(decoding: all, as: UTF8.self) == expected)
      #expect(all.starts(with: head))
    }
  }

  @Test(arguments: [
    (hello, world), (zstdHello, zstdWorld), (zstdWorld, skipped), (skipped, zstdHello), (xzHello, xzWorld),
    (xzNothing, xzHello), (bzip2Hello, bzip2World), (bzip2Nothing, bzip2Hello),
  ])
  func `packed data that is cut short anywhere is bad data`(part: [UInt8], before: [UInt8]) throws {
    let scratch = Scratch()
    for count in 1..<part.count {
      // A few bytes are not known for packed data yet.
      if count >= 5 {
        #expect(throws: FuseError.self, "cut after \(count) bytes") {
          try contents(scratch.input(Array(part[..<count])), step: 100)
        }
      }
      #expect(throws: FuseError.self, "the second part cut after \(count) bytes") {
        try contents(scratch.input(before + part[..<count]), step: 100)
      }
    }
  }

  @Test(arguments: [hello, zstdHello, xzHello, bzip2Hello])
  func `a flipped bit in packed data is bad data, or changes nothing that is read`(part: [UInt8]) throws {
    let scratch = Scratch()
    for bit in 0..<part.count * 8 {
      var damaged = part
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      do {
        let read = try contents(scratch.input(damaged), step: 100)
        // Without its magic it is no packed data; times, systems, window sizes and unused flags say nothing about the content.
        #expect(read == Array("hello\n".utf8) || (bit < 80 && read == damaged), "bit \(bit)")
      } catch {
        #expect((error as? FuseError)?.code == .invalidValue, "bit \(bit)")
      }
    }
  }

  @Test(arguments: [[0x6D, 0x6F, 0x72, 0x65], [0x1E, 0x8B], [0, 0, 7], [0x1F, 0x8C, 8, 0]] as [[UInt8]])
  func `what follows packed data and is none is bad data, not the end`(rest: [UInt8]) throws {
    let scratch = Scratch()
    for part in [hello, zstdHello, skipped, xzHello, bzip2Hello] {
      #expect(throws: FuseError.self) { try contents(scratch.input(part + rest), step: 100) }
    }
  }

  @Test(arguments: [1000, 4096, 131_071, 131_072, 1 << 20])
  func `what comes out when all packed bytes are used up is not lost`(step: Int) throws {
    // A block that is one byte, 131,072 times, without a checksum after it.
    let frame = bytes("28b52ffd 00 58 030010 61")
    let input = try Scratch().input(frame + frame)
    #expect(try contents(input, step: step) == [UInt8](repeating: 0x61, count: 2 << 17))
  }

  @Test func `a zstd frame takes at most 128 MiB for its window`() throws {
    let scratch = Scratch()
    // Nothing, with windows of 2^27 bytes, of an eighth more, of 2^28 and of 2^41.
    #expect(try contents(scratch.input(bytes("28b52ffd 00 88 010000")), step: 100) == [])
    for window in ["89", "90", "f8"] {
      let input = try scratch.input(bytes("28b52ffd 00 \(window) 010000"))
      let error = #expect(throws: FuseError.self) { try contents(input, step: 100) }
      #expect(error?.code == .invalidValue)
      #expect(error?.message.hasPrefix("the zstd data needs a window of more than 128 MiB; ") == true, "\(window)")
    }
  }

  @Test func `an xz stream takes at most 128 MiB for its dictionary`() throws {
    let scratch = Scratch()
    // "hello" with dictionaries of 128 MiB, 192 MiB and 1.5 GiB.
    for (dictionary, fits) in [
      ("020021011e0000009b075166", true), ("020021011f000000fe60edde", false), ("02002101250000003b787b41", false),
    ] {
      let input = try scratch.input(
        bytes(
          "fd377a585a000004e6d6b446" + dictionary
            + "01000568656c6c6f0a000000a56097f194f6fde000011e06c12fa41d1fb6f37d010000000004595a"))
      if fits {
        #expect(try contents(input, step: 100) == Array("hello\n".utf8))
        continue
      }
      let error = #expect(throws: FuseError.self) { try contents(input, step: 100) }
      #expect(error?.code == .invalidValue)
      #expect(error?.message.hasPrefix("the xz data needs a dictionary of more than 128 MiB; ") == true)
    }
  }

  @Test func `an input that is not there, or no file, is named`() throws {
    let scratch = Scratch()
    let path = scratch.path("absent")
    let absent = FuseError(.notFound, "cannot open the input: No such file or directory", path: path, errno: ENOENT)
    #expect(throws: absent) { try InputFile(path: path) }
    #expect(throws: absent) { try Descriptor.checkReadable(path) }
    let folder = FuseError(.notFound, "cannot read the input: Is a directory", path: scratch.folder, errno: EISDIR)
    #expect(throws: folder) { try InputFile(path: scratch.folder) }
    #expect(throws: folder) { try Descriptor.checkReadable(scratch.folder) }
  }
}

struct InputFormatTests {
  @Test(arguments: [
    ("x.ndjson", FuseInput.Format.ndjson), ("x.jsonl", .ndjson), ("x.json", .ndjson), ("x.csv", .csv), ("x.tsv", .tsv),
    ("x.CSV", .csv), ("x.msgpack", .msgpack), ("x.mpk.zst", .msgpack),
    ("x.csv.gz", .csv), ("x.tsv.GZ", .tsv), ("x.json.gz", .ndjson), ("x.csv.zst", .csv), ("x.NDJSON.ZST", .ndjson),
    ("x.csv.bz2", .csv), ("x.msgpack.xz", .msgpack), ("x.xz", nil), ("x.csv.lz4", nil),
    ("x.zst", nil), ("x.csv.gz.zst", nil), ("x", nil), ("csv", nil),
    ("a.csv/b", nil), ("x.gz", nil), ("x.fsdb", nil),
  ])
  func `a name's ending tells the format`(name: String, format: FuseInput.Format?) {
    #expect(FuseInput.Format(guessedFrom: name) == format)
  }
}
