internal import FuseDB

extension Arguments {
  /// The options of commands that need memory, disk and time.
  static let resourceOptions: [Option] = [
    .value("--memory", "SIZE", "how much memory to use, such as 512M or 2G (default: a quarter of what is free)"),
    .value("--temp", "DIR", "the folder for a temporary file, if memory does not suffice (default: that of OUTPUT)"),
    .value("--threads", "N", "how many threads to use (default: one for each processor)"),
  ]
  private static let leastMemory = 16 << 20
  private static let mostThreads = 1024

  /// What those options say; nil where they are not given.
  struct Resources {
    var memory: Int?
    var temporaryFolder: String?
    var threadCount: Int?
  }

  /// Takes those options.
  func resources() throws(UsageError) -> Resources {
    var resources = Resources()
    resources.memory = try size(of: "--memory")
    if let size = resources.memory, size < Self.leastMemory {
      throw error("the option --memory takes 16M at least, and not '\(text(of: "--memory") ?? "")'")
    }
    if let folder = text(of: "--temp") {
      guard !folder.isEmpty else { throw error("the option --temp takes the path of a folder") }
      resources.temporaryFolder = folder
    }
    if let count = try count(of: "--threads") {
      guard (1...Self.mostThreads).contains(count) else {
        throw error("the option --threads takes a number from 1 to \(Self.mostThreads), and not '\(count)'")
      }
      resources.threadCount = count
    }
    return resources
  }

  /// The size that an option names; nil where it is not given.
  func size(of option: String) throws(UsageError) -> Int? {
    guard let text = text(of: option) else { return nil }
    guard let size = Self.byteCount(text) else {
      throw error("the option \(option) takes bytes, or a number with K, M, G or T as in 512M, and not '\(text)'")
    }
    return size
  }

  /// The size that a text spells: bytes, or steps of 1,024 with K, M, G or T after the number, in either case and with or
  /// without `B` or `iB`. Nil for anything else.
  static func byteCount(_ text: String) -> Int? {
    let digits = text.utf8.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    guard let number = Int(String(digits) ?? "") else { return nil }
    var unit = text.dropFirst(digits.count).uppercased()
    if unit.hasSuffix("IB"), unit.count == 3 { unit.removeLast(2) }
    if unit.hasSuffix("B"), unit.count <= 2 { unit.removeLast() }
    guard let power = ["", "K", "M", "G", "T"].firstIndex(of: unit) else { return nil }
    let (size, overflows) = number.multipliedReportingOverflow(by: 1 << (10 * power))
    return overflows ? nil : size
  }
}
