internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

// What print(_:) and a debugger show: a line, however much a writer holds.

extension FuseWriter: CustomStringConvertible, CustomReflectable {
  /// Such as `FuseWriter(12 keys added)`.
  public var description: String { "FuseWriter(\(counted(addedKeyCount, "key")) added)" }

  /// How much was added, and the options.
  public var customMirror: Mirror { Mirror(self, children: ["addedKeyCount": addedKeyCount, "options": options]) }
}

extension ObjectID: CustomStringConvertible, CustomReflectable {
  /// Such as `ObjectID(5)`.
  public var description: String { "ObjectID(\(rawNumber))" }

  /// Its number.
  public var customMirror: Mirror { Mirror(self, children: ["number": rawNumber]) }
}

extension MergeConflict: CustomStringConvertible {
  /// The key, or the first 60 bytes of it, and which files had different objects: `"8.8.8.8": kept that of file 1, dropped that of 0`.
  public var description: String {
    let sentence =
      switch outcome {
      case .kept(let kept, let dropped): "kept that of file \(kept), dropped that of \(dropped)"
      case .combined(let files): "combined those of files \(files.map { "\($0)" }.joined(separator: ", "))"
      }
    return "\(quoted(key)): \(sentence)"
  }
}
