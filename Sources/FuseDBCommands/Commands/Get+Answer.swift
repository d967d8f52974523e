internal import FuseDB
internal import FuseDBInput

extension Get {
  /// What answers a question.
  struct Answer: ~Escapable {
    let object: RawSpan
    /// The key that answers.
    let key: RawSpan
    /// Whether another key than the question may answer.
    let isMatched: Bool
    /// Of an address: the largest block around it with this answer.
    let scope: String?

    @_lifetime(copy object, copy key)
    init(object: RawSpan, key: RawSpan, isMatched: Bool = false, scope: String? = nil) {
      self.object = object
      self.key = key
      self.isMatched = isMatched
      self.scope = scope
    }
  }

  /// Prints what answers `key`; returns whether anything does, and all fields asked for are there.
  func answer(
    _ key: [UInt8], _ answer: borrowing Answer, _ asking: Asking, _ console: Console
  ) throws(FuseError) -> Bool {
    let (reader, isSingle) = (asking.reader, asking.isSingle)
    // Where the file decided, and not --match, it says which key it took.
    let printsKey = printsMatch || (matching == nil && answer.isMatched)
    return try reader.decoding(objectOf: key) { () throws(FuseError) in
      let value = try FuseView(validating: answer.object)
      let absent = fields.filter { value[path: $0.path] == nil }
      // A truncated file reads as zeros, so that a field may seem absent.
      try reader.checkNotShrunk()
      // A single absent field is no answer. Of several, an absent one leaves its column empty.
      guard fields.count != 1 || absent.isEmpty else {
        try sayAbsent(key, absent: fields[0], value, asking, console)
        return false
      }
      try console.out.line { writer throws(FuseError) in
        if printsJSON {
          try appendJSON(value, of: key, answer, to: &writer)
        } else {
          if !isSingle {
            EscapedText.append(key.rawSpan, to: &writer.out)
            writer.append("\t")
          }
          if printsKey {
            EscapedText.append(answer.key, to: &writer.out)
            writer.append("\t")
          }
          try appendColumns(value, isAlone: isSingle && !printsKey && fields.count == 1, to: &writer)
        }
        try reader.checkNotShrunk()
      }
      if !printsJSON { for field in absent { try sayAbsent(key, absent: field, value, asking, console) } }
      return absent.isEmpty
    }
  }

  private func appendJSON(
    _ value: FuseView, of key: [UInt8], _ answer: borrowing Answer, to writer: inout JSONWriter
  ) throws(FuseError) {
    writer.append("{\"key\":")
    writer.append(key: key.rawSpan)
    writer.append(",\"found\":true,")
    if answer.isMatched {
      writer.append("\"match\":")
      writer.append(key: answer.key)
      writer.append(",")
    }
    if let scope = answer.scope { writer.append("\"scope\":\"\(scope)\",") }
    try appendMember(value, to: &writer)
    writer.append("}")
  }

  /// Appends the member "value" or "fields" of an answer in JSON.
  private func appendMember(_ value: FuseView, to writer: inout JSONWriter) throws(FuseError) {
    guard fields.count > 1 else {
      writer.append("\"value\":")
      guard let found = fields.isEmpty ? value : value[path: fields[0].path] else { return writer.append("null") }
      return try writer.append(found)
    }
    writer.append("\"fields\":{")
    var isFirst = true
    for field in fields {
      guard let found = value[path: field.path] else { continue }
      if !isFirst { writer.append(",") }
      isFirst = false
      writer.append(string: field.text)
      writer.append(":")
      try writer.append(found)
    }
    writer.append("}")
  }

  /// Appends what of an object is printed of many; returns false where a field is absent.
  func appendAllColumns(
    of object: RawSpan, at offset: UInt64, _ reader: FuseReader, to writer: inout JSONWriter
  ) throws(FuseError) -> Bool {
    var areAllThere = true
    try reader.decoding(at: offset) { () throws(FuseError) in
      let value = try FuseView(validating: object)
      for field in fields where value[path: field.path] == nil { areAllThere = false }
      if areAllThere { try appendColumns(value, isAlone: false, to: &writer) }
    }
    return areAllThere
  }

  /// Appends the value, or the fields with tabs between them.
  private func appendColumns(_ value: FuseView, isAlone: Bool, to writer: inout JSONWriter) throws(FuseError) {
    guard !fields.isEmpty else { return try writer.append(value) }
    for (index, field) in fields.enumerated() {
      if index > 0 { writer.append("\t") }
      guard let found = value[path: field.path] else { continue }
      guard let text = found.stringBytes else {
        try writer.append(found)
        continue
      }
      // Where lines are records, a string must not end its line or its column.
      if isAlone { writer.append(text: text) } else { EscapedText.append(text, to: &writer.out) }
    }
  }

  private func sayAbsent(
    _ key: [UInt8], absent field: Field, _ value: FuseView, _ asking: Asking, _ console: Console
  ) throws(FuseError) {
    let hint = printsJSON ? "" : asking.hints.hint(for: field.text, in: value)
    try sayAbsent(key, "no field \(field.text)\(hint) in the value of the key", console)
  }

  func sayAbsent(_ key: [UInt8], _ message: String, _ console: Console) throws(FuseError) {
    if printsJSON {
      try console.out.line { writer throws(FuseError) in
        writer.append("{\"key\":")
        writer.append(key: key.rawSpan)
        writer.append(",\"found\":false}")
      }
    } else {
      console.note("\(path): \(message)", key.rawSpan)
    }
  }
}
