internal import FuseDB
internal import FuseDBInput

extension Get {
  /// Prints what is found under `key`; returns whether the key and all fields asked for are there.
  func answer(
    _ key: [UInt8], _ object: RawSpan?, _ reader: FuseReader, isSingle: Bool, _ console: Console
  ) throws(FuseError) -> Bool {
    guard let object else {
      try sayAbsent(key, "no such key", console)
      return false
    }
    return try reader.decoding(objectOf: key) { () throws(FuseError) in
      let value = try FuseView(validating: object)
      let absent = fields.filter { value[path: $0.path] == nil }
      // A truncated file reads as zeros, so that a field may seem absent.
      try reader.checkNotShrunk()
      // A single absent field is no answer. Of several, an absent one leaves its column empty.
      guard fields.count != 1 || absent.isEmpty else {
        try sayAbsent(key, absent: fields[0], console)
        return false
      }
      try console.out.line { writer throws(FuseError) in
        try append(value, of: key, isSingle: isSingle, to: &writer)
        try reader.checkNotShrunk()
      }
      if !printsJSON { for field in absent { try sayAbsent(key, absent: field, console) } }
      return absent.isEmpty
    }
  }

  private func append(
    _ value: FuseView, of key: [UInt8], isSingle: Bool, to writer: inout JSONWriter
  ) throws(FuseError) {
    if printsJSON {
      writer.append("{\"key\":")
      writer.append(key: key.rawSpan)
      writer.append(",\"found\":true,")
      try appendMember(value, to: &writer)
      writer.append("}")
    } else {
      if !isSingle {
        EscapedText.append(key.rawSpan, to: &writer.out)
        writer.append("\t")
      }
      try appendColumns(value, isAlone: isSingle && fields.count == 1, to: &writer)
    }
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

  private func sayAbsent(_ key: [UInt8], absent field: Field, _ console: Console) throws(FuseError) {
    try sayAbsent(key, "no field \(field.text) in the value of the key", console)
  }

  private func sayAbsent(_ key: [UInt8], _ message: String, _ console: Console) throws(FuseError) {
    if printsJSON {
      try console.out.line { writer throws(FuseError) in
        writer.append("{\"key\":")
        writer.append(key: key.rawSpan)
        writer.append(",\"found\":false}")
      }
    } else {
      try? console.err.line { writer throws(FuseError) in
        writer.append("fusedb: \(path): \(message): ")
        EscapedText.append(key.rawSpan, to: &writer.out)
      }
    }
  }
}
