import ProgramSupport
import Testing

@testable import FuseDBInput

/// UTF-16 with its lower byte first.
private func wide(_ text: String, mark: Bool) -> [UInt8] {
  (mark ? [0xFF, 0xFE] : []) + text.utf8.flatMap { [$0, 0] }
}

/// What begins each kind of file that has no records, and a word of what is said.
private let foreign: [(bytes: [UInt8], word: String)] = [
  (
    Array("FSDB".utf8) + [0, 0, 0, 1],
    "this is a FuseDB database and no records; 'fusedb merge' joins databases, and 'fusedb dump'"
  ),
  (Array("FSDPAT".utf8) + [0, 1], "this is a patch of a database and no records; 'fusedb patch'"),
  (
    [0x04, 0x22, 0x4D, 0x18, 0x64],
    "packed by lz4, and only gzip, zstd, xz and bzip2 are unpacked; read the output of 'lz4 -dc'"
  ),
  ([0x50, 0x4B, 0x03, 0x04, 0x14], "a zip archive"), ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "packed by 7-Zip"),
  (Array("LZIP".utf8) + [1], "packed by lzip"), ([0x1F, 0x9D, 0x90], "packed by compress"),
  (Array("SQLite format 3\0".utf8), "an SQLite database"), (Array("PAR1".utf8) + [0x15, 0x04], "a Parquet file"),
  ([UInt8](repeating: 0x61, count: 257) + Array("ustar".utf8) + [0], "a tar archive"),
  (wide("id,x\n1,2\n", mark: true), "UTF-16 and not UTF-8; read the output of 'iconv -f UTF-16 -t UTF-8'"),
  (wide("id,x\n1,2\n", mark: false), "UTF-16 and not UTF-8"), ([0xFE, 0xFF, 0, 0x69], "UTF-16 and not UTF-8"),
  (Array("\n<!DOCTYPE html><html>".utf8), "an HTML page"), (Array("<HTML><head>".utf8), "an HTML page"),
  (Array("<?xml version=\"1.0\"?>".utf8), "this is XML"),
  ([0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0], "a program or a library (ELF)"),
  ([0xCF, 0xFA, 0xED, 0xFE, 7], "(Mach-O)"), ([0xCA, 0xFE, 0xBA, 0xBE, 0, 0, 0, 0x34], "a class of Java"),
  ([0, 0x61, 0x73, 0x6D, 1, 0, 0, 0], "a module of WebAssembly"), ([0x4D, 0x5A, 0x90, 0, 3], "a program of Windows"),
  ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0], "a PNG image"), ([0xFF, 0xD8, 0xFF, 0xE0, 0], "a JPEG image"),
  (Array("GIF89a".utf8) + [1, 0], "a GIF image"),
  (
    [0x5D, 0, 0, 0x80, 0], "packed by lzma, and only gzip, zstd, xz and bzip2 are unpacked; read the output of 'xz -dc"
  ),
  (Array("Rar!".utf8) + [0x1A, 7, 1, 0], "packed by RAR"), ([0x50, 0x4B, 5, 6, 0], "a zip archive with nothing in it"),
  // Of no kind that is known.
  (Array("XYZ".utf8) + [0, 1, 2, 0xC3, 0x28, 0xFF, 0xFE, 0xFD], "binary: there is a zero byte near its beginning"),
]

struct InputHeadTests {
  private let scratch = Scratch()

  private func head(_ bytes: [UInt8], _ format: FuseInput.Format = .ndjson) throws -> InputHead {
    try InputHead(InputFile(path: scratch.write(bytes, to: "input")), format, .command)
  }

  @Test(arguments: foreign.indices)
  func `a file of another kind is refused with what it is and what to do`(number: Int) {
    let (bytes, word) = foreign[number]
    scratch.write(bytes, to: "in")
    for format in ["ndjson", "csv", "tsv"] {
      let result = scratch.run("build", "@x.fsdb", "@in", "--format", format, "--key", "id")
      #expect(result.status == 65)
      #expect(result.err.hasPrefix("fusedb: @in: this is ") && result.err.contains(word), "\(result.err)")
    }
    #expect(scratch.names == ["in"])
  }

  @Test(arguments: [
    (Array("{\"id\":1}".utf8), "looks like JSON"), (Array("[1]".utf8), "looks like JSON"),
    (foreign[0].bytes, "a FuseDB database"),
    (foreign[2].bytes, "packed by lz4"),
  ])
  func `what is no MessagePack is said, too`(bytes: [UInt8], word: String) {
    let error = #expect(throws: (any Error).self) { _ = try head(bytes, .msgpack) }
    #expect("\(error!)".contains(word))
  }

  @Test(arguments: [
    ("FSDB,x\n1,2\n", FuseInput.Format.csv), ("BZh,x\n", .csv), ("PAR1,x\n", .csv), ("LZIP\tx\n", .tsv), ("", .csv),
    ("", .ndjson), ("a", .csv),
    (" {\"id\":1}", .ndjson), ("<a>,x\n", .csv), ("\u{FEFF}id,x\n", .csv),
  ])
  func `columns may be called like anything`(text: String, format: FuseInput.Format) throws {
    _ = try head(Array(text.utf8), format)
  }

  /// A log that was cut while it was written to begins with zeros, and a cell may hold one.
  @Test func `a zero byte alone is binary where all must be JSON`() throws {
    let bytes = [UInt8](repeating: 0, count: 600) + Array("\n{\"id\":\"a\"}\n".utf8)
    scratch.write(bytes, to: "in")
    let refused = scratch.run("build", "@x.fsdb", "@in", "--key", "id")
    #expect(refused.status == 65 && refused.err.contains("@in: this is binary: "), "\(refused.err)")
    let skipped = scratch.run("build", "@x.fsdb", "@in", "--key", "id", "--skip-bad-rows")
    #expect(skipped.status == 0 && skipped.err.contains("warning: 1 bad record skipped"), "\(skipped.err)")
    scratch.write(Array("id,x\nb,\0\n".utf8), to: "in.csv")
    #expect(scratch.run("build", "@y.fsdb", "@in.csv", "--key", "id").status == 0)
    #expect(scratch.run("get", "@y.fsdb", "b", "--field", "x").out == "\0\n")
    // Where the 512 bytes end in a character.
    scratch.write(Array("id,x\nb,\0".utf8) + Array(String(repeating: "é", count: 400).utf8) + [0x0A], to: "in.csv")
    #expect(scratch.run("build", "@y.fsdb", "@in.csv", "--key", "id").status == 0)
  }

  // MARK: Carriage returns

  @Test(arguments: [
    ("id,x\ra,1\rb,2\r", true), ("id,x\ra,1\nb,2", false), ("id,x\r\na,1\r\n", false), ("id,x", false), ("", false),
    (String(repeating: "x", count: InputHead.byteCount - 1) + "\r\n", false),
    (String(repeating: "x", count: InputHead.byteCount) + "\r", false),
    (String(repeating: "x", count: InputHead.byteCount - 2) + "\ry", true),
  ])
  func `lines end with carriage returns where there is no line feed`(text: String, isTrue: Bool) throws {
    #expect(try head(Array(text.utf8), .csv).endsLinesWithReturns == isTrue)
    #expect(try head(Array(text.utf8), .ndjson).endsLinesWithReturns == isTrue)
    #expect(try !head(Array(text.utf8), .msgpack).endsLinesWithReturns)
  }

  @Test(arguments: [
    (["--format", "csv"], "id,name\r1,A\r2,\"B\r\"\"b\"\r"),
    (["--format", "csv"], "\u{FEFF}id,name\r1,A\r\r2,\"B\r\"\"b\""),
    (["--format", "tsv"], "id\tname\r1\tA\r2\t\"B\r\"\"b\"\r"),
    ([], #"{"id":1,"name":"A"}"# + "\r" + #"{"id":2,"name":"B\n\"b"}"#),
  ])
  func `rows and lines that end with a carriage return alone are read`(words: [String], input: String) {
    let built = scratch.run(["build", "@x.fsdb", "--quiet", "--key", "id"] + words, input: input)
    #expect(built == Scratch.Result(0))
    #expect(scratch.run("get", "@x.fsdb", "1", "2").out == "1\t{\"name\":\"A\"}\n2\t{\"name\":\"B\\n\\\"b\"}\n")
    let bad = scratch.run(["build", "@y.fsdb", "--key", "id"] + words, input: input + "\rx")
    #expect(bad.status == 65 && bad.err.contains("standard input:"), "\(bad.err)")
  }
}
