import Glibc

@testable import FuseDBCommands
@testable import FuseDBSystem

/// A folder for one test, gone afterwards, and the command run in it.
final class Scratch {
  let folder: String

  init() {
    // SAFETY: getenv's string is copied before anything changes the environment.
    let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/fusedb-commands-XXXXXX".utf8CString)
    // SAFETY: the template is a C string, which mkdtemp changes in place.
    let made = unsafe template.withUnsafeMutableBufferPointer { unsafe mkdtemp($0.baseAddress!) }
    precondition(unsafe made != nil, "no folder for the test")
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in names { unsafe unlink(path(name)) }
    unsafe rmdir(folder)
  }

  /// The names of the files that are there.
  var names: [String] {
    guard let directory = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  @discardableResult
  func write(_ bytes: [UInt8], to name: String) -> String {
    let descriptor = unsafe open(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    precondition(descriptor >= 0, "no file for the test")
    defer { close(descriptor) }
    precondition(unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count, "the disk is full")
    return path(name)
  }

  @discardableResult
  func write(_ text: String, to name: String) -> String { write(Array(text.utf8), to: name) }

  func read(_ name: String) -> [UInt8]? {
    let descriptor = unsafe open(path(name), O_RDONLY)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: Int(lseek(descriptor, 0, SEEK_END)))
    lseek(descriptor, 0, SEEK_SET)
    precondition(unsafe Glibc.read(descriptor, &bytes, bytes.count) == bytes.count, "the file changed")
    return bytes
  }

  // MARK: The command

  /// What a run of the command gave.
  struct Result: Equatable {
    var status: Int32
    var out: String
    var err: String

    init(_ status: Int32, out: String = "", err: String = "") {
      self.status = status
      self.out = out
      self.err = err
    }
  }

  /// Runs the command. In `words`, `@name` is a file of this folder, and so it is in what comes back.
  func run(_ words: String..., input: String = "") -> Result { run(words, input: input) }

  func run(_ words: [String], input: String = "") -> Result {
    run(words.map { Array($0.replacing("@", with: folder + "/").utf8) }, input: Array(input.utf8))
  }

  func run(_ words: [[UInt8]], input: [UInt8] = []) -> Result {
    let descriptor = unsafe open(write(input, to: "standard input"), O_RDONLY)
    defer {
      close(descriptor)
      unsafe unlink(path("standard input"))
    }
    let console = Console(
      out: Output(nil, name: "standard output"), err: Output(nil, name: "standard error"), input: Descriptor(descriptor)
    )
    let status = Tool.run(words, console)
    return Result(
      status, out: console.out.text.replacing(folder + "/", with: "@"),
      err: console.err.text.replacing(folder + "/", with: "@"))
  }
}

extension String {
  /// The text with every `old` made `new`.
  func replacing(_ old: String, with new: String) -> String {
    var result = ""
    var rest = self[...]
    while !rest.isEmpty {
      if rest.hasPrefix(old) {
        result += new
        rest = rest.dropFirst(old.count)
      } else {
        result.append(rest.removeFirst())
      }
    }
    return result
  }

  /// The lines, without their ends.
  var lines: [String] {
    // Characters would not do: a carriage return and a line feed are one.
    let lines = utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { String($0)! }
    return lines.last == "" ? lines.dropLast() : lines
  }
}
