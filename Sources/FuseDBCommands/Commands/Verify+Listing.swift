internal import FuseDB
internal import FuseDBInput

extension Verify {
  /// What is printed about one file.
  final class Listing {
    private let path: String
    private let isJSON: Bool
    private let out: Output
    private var damageCount = 0

    init(path: String, isJSON: Bool, out: Output) {
      self.path = path
      self.isJSON = isJSON
      self.out = out
    }

    /// Says what is wrong in one place.
    func add(_ damage: Damage) throws(FuseError) {
      guard isJSON else { return try out.line("\(path): \(damage)") }
      let isFirst = damageCount == 0
      damageCount += 1
      try out.part { writer in
        if isFirst { begin(&writer, isSound: false) } else { writer.append(",") }
        writer.append(members: [
          ("kind", .text(damage.kind.rawValue)), ("offset", .offset(damage.offset)), ("message", .text(damage.message)),
        ])
      }
    }

    /// Says that this was all.
    func end(_ summary: VerificationSummary) throws(FuseError) {
      guard !isJSON else {
        return try out.line { writer throws(FuseError) in
          if damageCount == 0 { begin(&writer, isSound: summary.isSound) }
          writer.append(
            "],\"keys\":\(summary.keyCount),\"objects\":\(summary.objectCount),\"bytes\":\(summary.byteCount)}")
        }
      }
      let counts =
        "\(Humans.count(summary.keyCount, "key")), \(Humans.count(summary.objectCount, "object")), \(Humans.size(summary.byteCount))"
      try out.line(
        summary.isSound
          ? "\(path): sound (\(counts))"
          : "\(path): damaged in \(Humans.count(summary.damageCount, "place")) (\(counts))")
    }

    /// Says that the file cannot be read, or not to its end: it is not known to be sound.
    func end(_ error: FuseError) throws(FuseError) {
      guard isJSON else { return }
      try out.line { writer throws(FuseError) in
        if damageCount == 0 { begin(&writer, isSound: false) }
        writer.append("],\"error\":")
        writer.append(string: error.message)
        writer.append("}")
      }
    }

    private func begin(_ writer: inout JSONWriter, isSound: Bool) {
      writer.append("{\"path\":")
      writer.append(string: path)
      writer.append(",\"sound\":\(isSound),\"damage\":[")
    }
  }
}
