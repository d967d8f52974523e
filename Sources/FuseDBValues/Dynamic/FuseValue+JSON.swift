// Values as JSON text, exactly. See spec/json.md.
internal import FuseDBFormat

extension FuseValue {
  /// The value as JSON text on one line, which ``init(json:)`` makes the same value of.
  ///
  /// - Throws: as ``messagePack``.
  public var json: String {
    get throws(FuseError) { try FuseJSON.text(from: try messagePack) }
  }
}

extension FuseValue: CustomStringConvertible {
  /// The value as JSON text; of a value that has none, what is wrong with it.
  public var description: String {
    do { return try json } catch { return error.message }
  }
}
