internal import CFuseDB
internal import FuseDB
internal import FuseDBFormat
internal import FuseDBReading

/// Which key answers a question, in the order of the header's constants.
enum ColumnMatch: CaseIterable {
  case key, network, domain, email, prefix

  /// Calls `body` with the object that answers each question in order, or nil, for as long as it returns true.
  @inline(__always)
  func answer(
    _ questions: SpanKeys, in reader: FuseReader,
    _ body: (_ number: Int, _ object: RawSpan?) throws(FuseError) -> Bool
  ) throws(FuseError) {
    switch self {
    case .key: try reader.answer(questions, body)
    case .network: try answerByNetworks(questions, in: reader, body)
    case .domain, .email, .prefix:
      for number in 0..<questions.count {
        let question = questions[number]
        guard try answer(question.keyBytes, number, in: reader, body) else { break }
      }
      try reader.checkNotShrunk()
    }
  }

  private func answer(
    _ question: RawSpan, _ number: Int, in reader: FuseReader,
    _ body: (_ number: Int, _ object: RawSpan?) throws(FuseError) -> Bool
  ) throws(FuseError) -> Bool {
    // An empty question, as that of a null, has no answer.
    guard !question.isEmpty else { return try body(number, nil) }
    let match =
      switch self {
      case .domain: try reader.longestSuffix(ofDomain: question)
      case .email: try reader.longestMatch(ofEmail: question)
      default: try reader.longestPrefix(of: question)
      }
    guard let match else { return try body(number, nil) }
    return try body(number, match.bytes)
  }

  private func answerByNetworks(
    _ questions: SpanKeys, in reader: FuseReader,
    _ body: (_ number: Int, _ object: RawSpan?) throws(FuseError) -> Bool
  ) throws(FuseError) {
    // What spells no address has no answer; the others are asked for together.
    var addresses: [FuseAddress] = []
    var rows: [Int] = []
    addresses.reserveCapacity(questions.count)
    rows.reserveCapacity(questions.count)
    for number in 0..<questions.count {
      let question = questions[number]
      guard let address = FuseAddress(text: question.keyBytes) else { continue }
      addresses.append(address)
      rows.append(number)
    }
    // Rows without an address come right after the one before them, so that an error is of the row that is next.
    var next = 0
    var goesOn = true
    func pass(to row: Int) throws(FuseError) {
      while goesOn, next < row {
        goesOn = try body(next, nil)
        next += 1
      }
    }
    try pass(to: rows.first ?? questions.count)
    try reader.forEachLongestMatch(of: addresses) { (place, match) throws(FuseError) in
      guard goesOn else { return }
      next += 1
      if let match { goesOn = try body(rows[place], match.bytes) } else { goesOn = try body(rows[place], nil) }
      try pass(to: place + 1 < rows.count ? rows[place + 1] : questions.count)
    }
  }
}

extension FuseError {
  /// The same of damage to what a key leads to, with the key.
  func naming(_ key: fuse_span) -> FuseError {
    guard code == .corrupted || code == .invalidValue, (codingPath ?? "").isEmpty else { return self }
    let name = key.size > 0 ? quoted(bytes(key.data, key.size).bytes) : "\"\""
    return FuseError(code, "\(message); it is what the key \(name) leads to", offset: offset, path: path, errno: errno)
  }
}
