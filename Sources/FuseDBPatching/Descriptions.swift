internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

// What print(_:) and a debugger show: a line, however large the files are.

extension Difference: CustomStringConvertible {
  /// `+`, `-` or `~`, and the key, or the first 60 bytes of it: `~ "8.8.8.8" -> object at 40`.
  public var description: String {
    switch self {
    case .added(let entry): "+ \(entry)"
    case .removed(let entry): "- \(entry)"
    case .changed(_, let entry): "~ \(entry)"
    }
  }
}

extension Differences: CustomStringConvertible, CustomReflectable {
  /// Such as `Differences(12 equal keys so far)`.
  public var description: String { "Differences(\(counted(equalCount, "equal key")) so far)" }

  /// How many keys were equal so far.
  public var customMirror: Mirror { Mirror(self, children: ["equalCount": equalCount]) }
}
