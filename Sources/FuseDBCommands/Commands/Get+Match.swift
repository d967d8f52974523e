internal import FuseDB
internal import FuseDBInput

extension Get {
  /// Which key answers a question.
  enum Matching {
    /// The question itself.
    case exact
    /// Of an address, the longest block that holds it; of a block, that block.
    case network
    /// Of a name, that name or the longest above it.
    case domain
    /// The longest key with which the question begins.
    case prefix
    /// Of an e-mail address, that address or what answers for its domain.
    case email
  }

  /// Prints what answers each of `keys` in a file of networks; returns whether all were answered.
  ///
  /// Addresses are looked up together. What is no address answers itself; without `--match` that goes before, for a file may
  /// have keys that are addresses in other spellings.
  func answerByNetwork(
    _ questions: Questions, _ asking: Asking, _ console: Console
  ) throws(FuseError) -> Bool {
    let reader = asking.reader
    var areAllThere = true
    var addresses: [FuseAddress] = []
    var numbers: [Int] = []
    for (number, key) in questions.keys.enumerated() {
      guard let address = FuseAddress(text: key.rawSpan), try isAddressAlone(key, address, reader) else { continue }
      addresses.append(address)
      numbers.append(number)
    }
    var next = 0
    func answerExactly(upTo end: Int) throws(FuseError) {
      while next < end {
        if try !answerBlock(questions.texts[next], questions.keys[next], asking, console) { areAllThere = false }
        next += 1
      }
    }
    try reader.forEachLongestMatch(of: addresses) { (number, match) throws(FuseError) in
      try answerExactly(upTo: numbers[number])
      next += 1
      let text = questions.texts[numbers[number]]
      guard let match else {
        if try !answerAbsent(text, "no block holds the address", asking, console) { areAllThere = false }
        return
      }
      if try !answer(text, match, asking, console) { areAllThere = false }
    }
    try answerExactly(upTo: questions.keys.count)
    return areAllThere
  }

  /// Prints what answers an address; returns whether all fields asked for are there.
  func answer(
    _ text: [UInt8], _ match: borrowing FuseNetworkMatch, _ asking: Asking, _ console: Console
  ) throws(FuseError) -> Bool {
    let key = try asking.reader.keyText(of: match.key)
    let answer = Answer(
      object: try match.bytes, key: key.bytes, isMatched: true, scope: printsJSON ? match.scope.description : nil)
    return try self.answer(text, answer, asking, console)
  }

  /// Whether a question that is an address is not a key in a spelling of its own.
  func isAddressAlone(_ key: [UInt8], _ address: FuseAddress, _ reader: FuseReader) throws(FuseError) -> Bool {
    // IPv4 has one spelling.
    guard matching == nil, address.family == .ipv6 || key.contains(UInt8(ascii: ":")) else { return true }
    let text = NetworkText(address)
    if text.bytes.equals(key.rawSpan) { return true }
    return try !reader.contains(key)
  }

  /// Prints what stands under a block, or another key that is no address.
  private func answerBlock(
    _ text: [UInt8], _ key: [UInt8], _ asking: Asking, _ console: Console
  ) throws(FuseError) -> Bool {
    let reader = asking.reader
    if let object = try reader.bytes(forKey: key) {
      return try answer(text, Answer(object: object, key: key.rawSpan), asking, console)
    }
    // A block in another spelling.
    guard let spelling = NetworkSpelling(key.rawSpan), !spelling.isAddress, !spelling.flaws.contains(.hostBits) else {
      return try answerAbsent(text, "no such key", asking, console)
    }
    let canonical = try reader.keyText(of: spelling.network)
    guard let object = try reader.bytes(forKey: canonical.bytes) else {
      return try answerAbsent(text, "no such block", asking, console)
    }
    return try answer(text, Answer(object: object, key: canonical.bytes, isMatched: true), asking, console)
  }

  /// Prints what answers names, e-mail addresses or texts; returns whether all were answered.
  func answerByKey(_ questions: Questions, _ asking: Asking, _ console: Console) throws(FuseError) -> Bool {
    var areAllThere = true
    for (text, key) in zip(questions.texts, questions.keys) {
      let match =
        switch matching {
        case .prefix?: try asking.reader.longestPrefix(of: key)
        case .email?: try asking.reader.longestMatch(ofEmail: key)
        default: try asking.reader.longestSuffix(ofDomain: key)
        }
      guard let match else {
        if try !answerAbsent(text, "no key answers", asking, console) { areAllThere = false }
        continue
      }
      let answer = Answer(object: match.bytes, key: match.key, isMatched: true)
      if try !self.answer(text, answer, asking, console) { areAllThere = false }
    }
    return areAllThere
  }
}
