import FuseDB

/// Models that come from the other implementation, and go there.
enum Exchange {
  static func recode() {
    while let line = readLine() { answer { try again(FuseDecoder().decode(Model.self, from: bytes(line))) } }
  }

  static func read(_ path: String) throws {
    let reader = try FuseReader(path: path)
    while let key = readLine() {
      answer {
        guard let model = try reader.value(Model.self, forKey: key) else { return "absent" }
        return try again(model)
      }
    }
  }

  static func write(_ path: String) throws {
    let writer = FuseWriter()
    while let line = readLine() {
      let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
      let keys = parts[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      try writer.add(keys, try FuseDecoder().decode(Model.self, from: bytes(parts[1])))
    }
    try writer.build(to: path)
  }

  private static func again(_ model: Model) throws -> String { try FuseEncoder().encode(model).hex }

  private static func bytes(_ hex: some StringProtocol) -> [UInt8] {
    guard let bytes = [UInt8](hex: hex) else { fatalError("this is no hex: \(hex.prefix(40))") }
    return bytes
  }

  private static func answer(_ line: () throws -> String) {
    do { print(try line()) } catch { print("error \(error)") }
  }
}
