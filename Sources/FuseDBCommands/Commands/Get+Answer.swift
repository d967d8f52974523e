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
        let hint = defaultValue == nil && !printsJSON ? asking.hints.hint(for: fields[0].text, in: value) : ""
        let message = "no field \(fields[0].text)\(hint) in the value of the key"
        return try answerAbsent(key, message, matched: answer.key, asking, console)
      }
      switch format {
      case .text:
        try console.out.line { writer throws(FuseError) in
          if !isSingle {
            EscapedText.append(key.rawSpan, to: &writer.out)
            writer.append("\t")
          }
          if printsKey {
            EscapedText.append(answer.key, to: &writer.out)
            writer.append("\t")
          }
          try appendColumns(value, isAlone: isSingle && !printsKey && fields.count == 1, to: &writer)
          try reader.checkNotShrunk()
        }
      case .ndjson:
        try console.out.line { writer throws(FuseError) in
          try appendJSON(value, of: key, answer, to: &writer)
          try reader.checkNotShrunk()
        }
      case .csv, .tsv:
        try console.out.line { writer throws(FuseError) in
          try appendCells(value, of: key, matched: answer.key, asking, to: &writer)
          try reader.checkNotShrunk()
        }
      case .msgpack: try printMessagePack(value, of: key, asking, console)
      }
      guard defaultValue == nil else { return true }
      if !printsJSON {
        for field in absent {
          let hint = asking.hints.hint(for: field.text, in: value)
          try sayAbsent(key, "no field \(field.text)\(hint) in the value of the key", console)
        }
      }
      return absent.isEmpty
    }
  }

  /// Prints what `--default` answers where nothing else does, or says that nothing does; returns whether there was an answer.
  func answerAbsent(
    _ key: [UInt8], _ message: String, matched: RawSpan? = nil, _ asking: Asking, _ console: Console
  ) throws(FuseError) -> Bool {
    guard let defaultValue else {
      try sayAbsent(key, message, console)
      return false
    }
    // Of no field: so each column is that of the default.
    let value = FuseView(validated: defaultValue.rawSpan)
    let names = fields.map { $0.text }
    switch format {
    case .text:
      try console.out.line { writer throws(FuseError) in
        if !asking.isSingle {
          EscapedText.append(key.rawSpan, to: &writer.out)
          writer.append("\t")
        }
        // Where other answers say their key.
        if printsMatch || !asking.isSingle && asking.hasMatchColumn {
          if let matched { EscapedText.append(matched, to: &writer.out) }
          writer.append("\t")
        }
        guard !names.isEmpty else { return try writer.append(value) }
        for number in names.indices {
          if number > 0 { writer.append("\t") }
          try appendColumn(value, isAlone: asking.isSingle && names.count == 1, to: &writer)
        }
      }
    case .ndjson:
      try console.out.line { writer throws(FuseError) in
        writer.append("{\"key\":")
        writer.append(key: key.rawSpan)
        writer.append(",\"found\":false,")
        if names.count > 1 {
          writer.append("\"fields\":{")
          for (number, name) in names.enumerated() {
            if number > 0 { writer.append(",") }
            writer.append(string: name)
            writer.append(":")
            try writer.append(value)
          }
          writer.append("}}")
        } else {
          writer.append("\"value\":")
          try writer.append(value)
          writer.append("}")
        }
      }
    case .csv, .tsv:
      try console.out.line { writer throws(FuseError) in
        try asking.cells.append(key: key.rawSpan, to: &writer)
        if asking.hasMatchColumn {
          writer.out.append(format.separator)
          if let matched { try asking.cells.append(key: matched, to: &writer) }
        }
        for name in names.isEmpty ? ["value"] : names {
          try asking.cells.append(
            defaultValue.rawSpan, called: Array(name.utf8), of: key.rawSpan, to: &writer)
        }
      }
    case .msgpack:
      let packer = MessagePackPacker()
      if !asking.isSingle { packer.packRecordHead(key.rawSpan) }
      if names.count > 1 {
        packer.packMap(count: names.count)
        for name in names {
          packer.pack(text: name)
          packer.append(defaultValue.rawSpan)
        }
      } else {
        packer.append(defaultValue.rawSpan)
      }
      try console.out.part { writer in writer.append(text: packer.bytes) }
    }
    return true
  }

  // MARK: JSON

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
      let found = value[path: field.path]
      guard found != nil || defaultValue != nil else { continue }
      if !isFirst { writer.append(",") }
      isFirst = false
      writer.append(string: field.text)
      writer.append(":")
      if let found {
        try writer.append(found)
      } else if let defaultValue {
        try writer.append(messagePack: defaultValue.rawSpan)
      }
    }
    writer.append("}")
  }

  // MARK: Text

  /// Appends what of an object is printed of many; returns false where a field is absent, and then some of it may be appended.
  func appendAllColumns(
    ofObjectAt offset: UInt64, _ reader: FuseReader, to writer: inout JSONWriter
  ) throws(FuseError) -> Bool {
    var areAllThere = true
    try reader.decoding(at: offset) { () throws(FuseError) in
      try reader.withPlainErrors {
        try reader.withValue(at: offset) { value in
          guard !fields.isEmpty else { return try writer.append(value) }
          for (index, field) in fields.enumerated() {
            guard let found = value[path: field.path] else {
              areAllThere = false
              return
            }
            if index > 0 { writer.append("\t") }
            try appendColumn(found, isAlone: false, to: &writer)
          }
        }
      }
    }
    return areAllThere
  }

  /// Appends the value, or the fields with tabs between them.
  private func appendColumns(_ value: FuseView, isAlone: Bool, to writer: inout JSONWriter) throws(FuseError) {
    guard !fields.isEmpty else { return try writer.append(value) }
    for (index, field) in fields.enumerated() {
      if index > 0 { writer.append("\t") }
      if let found = value[path: field.path] {
        try appendColumn(found, isAlone: isAlone, to: &writer)
      } else if let defaultValue {
        try appendColumn(FuseView(validated: defaultValue.rawSpan), isAlone: isAlone, to: &writer)
      }
    }
  }

  private func appendColumn(_ value: FuseView, isAlone: Bool, to writer: inout JSONWriter) throws(FuseError) {
    guard let text = value.stringBytes else { return try writer.append(value) }
    // Where lines are records, a string must not end its line or its column.
    if isAlone { writer.append(text: text) } else { EscapedText.append(text, to: &writer.out) }
  }

  // MARK: Tables and MessagePack

  /// Prints the names of a table's columns.
  func printHead(_ asking: Asking, _ console: Console) throws(FuseError) {
    let names =
      ["key"] + (asking.hasMatchColumn ? ["match"] : []) + (fields.isEmpty ? ["value"] : fields.map { $0.text })
    try console.out.line { writer throws(FuseError) in
      for (number, name) in names.enumerated() {
        if number > 0 { writer.out.append(format.separator) }
        asking.cells.append(to: &writer) { $0.append(name) }
      }
    }
  }

  private func appendCells(
    _ value: FuseView, of key: [UInt8], matched: RawSpan, _ asking: Asking, to writer: inout JSONWriter
  ) throws(FuseError) {
    try asking.cells.append(key: key.rawSpan, to: &writer)
    if asking.hasMatchColumn {
      writer.out.append(format.separator)
      try asking.cells.append(key: matched, to: &writer)
    }
    guard !fields.isEmpty else {
      return try asking.cells.append(value.messagePack, called: Array("value".utf8), of: key.rawSpan, to: &writer)
    }
    for field in fields {
      let name = Array(field.text.utf8)
      if let found = value[path: field.path] {
        try asking.cells.append(found.messagePack, called: name, of: key.rawSpan, to: &writer)
      } else if let defaultValue {
        try asking.cells.append(defaultValue.rawSpan, called: name, of: key.rawSpan, to: &writer)
      } else {
        writer.out.append(format.separator)
      }
    }
  }

  private func printMessagePack(
    _ value: FuseView, of key: [UInt8], _ asking: Asking, _ console: Console
  ) throws(FuseError) {
    let packer = MessagePackPacker()
    if !asking.isSingle { packer.packRecordHead(key.rawSpan) }
    if fields.isEmpty {
      packer.append(value.messagePack)
    } else if fields.count == 1 {
      if let found = value[path: fields[0].path] { packer.append(found.messagePack) }
    } else {
      packer.packMap(count: defaultValue == nil ? fields.count { value[path: $0.path] != nil } : fields.count)
      for field in fields {
        let found = value[path: field.path]
        guard found != nil || defaultValue != nil else { continue }
        packer.pack(text: field.text)
        if let found {
          packer.append(found.messagePack)
        } else if let defaultValue {
          packer.append(defaultValue.rawSpan)
        }
      }
    }
    try asking.reader.checkNotShrunk()
    try console.out.part { writer in writer.append(text: packer.bytes) }
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

extension MessagePackPacker {
  /// Packs a key: as text, or as bytes where it is none.
  func pack(key: RawSpan) { if key.isUTF8 { pack(string: key) } else { pack(binary: key) } }

  /// Packs what comes before the value in an array of one key and its value. [S1]
  func packRecordHead(_ key: RawSpan) {
    packArray(count: 2)
    packArray(count: 1)
    pack(key: key)
  }
}
