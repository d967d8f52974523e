internal import FuseDB
internal import FuseDBInput

extension Arguments {
  /// The option `--meta K=V`, of the commands that write a file.
  static let metadataOption = Option.value(
    "--meta", "K=V", "metadata of the file, such as source=... or built=...; may be repeated", repeats: true)

  /// Names and texts of `--meta`; nil where it is not given.
  func metadata() throws(UsageError) -> [String: String]? {
    let words = values(of: Self.metadataOption.name)
    guard !words.isEmpty else { return nil }
    var metadata: [String: String] = [:]
    for word in words {
      guard let equals = word.firstIndex(of: UInt8(ascii: "=")) else {
        throw error("--meta takes K=V, and \(quoted(word)) has no '='")
      }
      guard equals > 0 else { throw error("--meta takes K=V, and in \(quoted(word)) K is empty") }
      guard let name = String(validating: word[..<equals], as: UTF8.self),
        let text = String(validating: word[(equals + 1)...], as: UTF8.self)
      else { throw error("--meta takes text, and \(quoted(word)) is not UTF-8") }
      guard metadata.updateValue(text, forKey: name) == nil else {
        throw error("--meta names \(quoted(Array(name.utf8))) twice")
      }
    }
    return metadata
  }
}
