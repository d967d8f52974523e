import FuseDB
import Glibc
import Testing

@testable import FuseDBCommands

/// What gzip makes of "hello\n", "world\n" and nothing.
private let hello = bytes("1f8b08000000000002ffcb48cdc9c9e7020020303a3606000000")
private let world = bytes("1f8b08000000000002ff2bcf2fca49e10200a86138dd06000000")
private let nothing = bytes("1f8b08000000000002ff03000000000000000000")

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
  ]

  @Test(arguments: inputs)
  func `a file is read as it is, and unpacked when it is gzip data`(bytes: [UInt8], expected: String) throws {
    let scratch = Scratch()
    for step in [1, 2, 3, 4096] {
      let input = try scratch.input(bytes)
      #expect(try contents(input, step: step) == Array(expected.utf8))
      #expect(input.bytesRead == bytes.count)
      #expect(input.byteCount == bytes.count)
    }
  }

  @Test func `gzip data that is cut short anywhere is bad data`() throws {
    let scratch = Scratch()
    for count in 2..<hello.count {
      #expect(throws: FuseError.self, "cut after \(count) bytes") {
        try contents(scratch.input(Array(hello[..<count])), step: 100)
      }
      #expect(throws: FuseError.self, "the second member cut after \(count) bytes") {
        try contents(scratch.input(world + hello[..<count]), step: 100)
      }
    }
  }

  @Test func `a flipped bit in gzip data is bad data, or changes nothing that is read`() throws {
    let scratch = Scratch()
    for bit in 0..<hello.count * 8 {
      var damaged = hello
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      do {
        let read = try contents(scratch.input(damaged), step: 100)
        // Without its magic it is no gzip data; the time, the system and an unused flag say nothing about the content.
        #expect(read == Array("hello\n".utf8) || (bit < 16 && read == damaged), "bit \(bit)")
      } catch {
        #expect((error as? FuseError)?.code == .invalidValue, "bit \(bit)")
      }
    }
  }

  @Test(arguments: [[0x6D, 0x6F, 0x72, 0x65], [0x1E, 0x8B], [0, 0, 7], [0x1F, 0x8C, 8, 0]] as [[UInt8]])
  func `what follows gzip data and is none is bad data, not the end`(rest: [UInt8]) throws {
    let scratch = Scratch()
    #expect(throws: FuseError.self) { try contents(scratch.input(hello + rest), step: 100) }
  }

  @Test func `an input that is not there, or no file, is named`() throws {
    let scratch = Scratch()
    let path = scratch.path("absent")
    let absent = FuseError(.notFound, "cannot open the input: No such file or directory", path: path, errno: ENOENT)
    #expect(throws: absent) { try InputFile(path: path) }
    #expect(throws: absent) { try InputFile.check(path: path) }
    let folder = FuseError(.notFound, "cannot read the input: Is a directory", path: scratch.folder, errno: EISDIR)
    #expect(throws: folder) { try InputFile(path: scratch.folder) }
    #expect(throws: folder) { try InputFile.check(path: scratch.folder) }
  }
}

struct InputFormatTests {
  @Test(arguments: [
    ("x.ndjson", InputFormat.ndjson), ("x.jsonl", .ndjson), ("x.json", .ndjson), ("x.csv", .csv), ("x.tsv", .tsv),
    ("x.CSV", .csv),
    ("x.csv.gz", .csv), ("x.tsv.GZ", .tsv), ("x.json.gz", .ndjson), ("x", nil), ("csv", nil), ("x.csv.bz2", nil),
    ("a.csv/b", nil), ("x.gz", nil), ("x.fsdb", nil),
  ])
  func `a name's ending tells the format`(name: String, format: InputFormat?) {
    #expect(InputFormat(guessedFrom: name) == format)
  }
}
