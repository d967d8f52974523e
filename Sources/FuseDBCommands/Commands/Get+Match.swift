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
    _ keys: [[UInt8]], _ reader: FuseReader, isSingle: Bool, _ console: Console
  ) throws(FuseError) -> Bool {
    var areAllThere = true
    var addresses: [FuseAddress] = []
    var numbers: [Int] = []
    for (number, key) in keys.enumerated() {
      guard let address = FuseAddress(text: key.rawSpan), try isAddressAlone(key, address, reader) else { continue }
      addresses.append(address)
      numbers.append(number)
    }
    var next = 0
    func answerExactly(upTo end: Int) throws(FuseError) {
      while next < end {
        if try !answerBlock(keys[next], reader, isSingle: isSingle, console) { areAllThere = false }
        next += 1
      }
    }
    try reader.forEachLongestMatch(of: addresses) { (number, match) throws(FuseError) in
      try answerExactly(upTo: numbers[number])
      next += 1
      let key = keys[numbers[number]]
      guard let match else {
        try sayAbsent(key, "no block holds the address", console)
        areAllThere = false
        return
      }
      if try !answer(key, match, reader, isSingle: isSingle, console) { areAllThere = false }
    }
    try answerExactly(upTo: keys.count)
    return areAllThere
  }

  /// Prints what answers an address; returns whether all fields asked for are there.
  func answer(
    _ key: [UInt8], _ match: borrowing FuseNetworkMatch, _ reader: FuseReader, isSingle: Bool, _ console: Console
  ) throws(FuseError) -> Bool {
    let text = try reader.keyText(of: match.key)
    let answer = Answer(
      object: try match.bytes, key: text.bytes, isMatched: true, scope: printsJSON ? match.scope.description : nil)
    return try self.answer(key, answer, reader, isSingle: isSingle, console)
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
  func answerBlock(
    _ key: [UInt8], _ reader: FuseReader, isSingle: Bool, _ console: Console
  ) throws(FuseError) -> Bool {
    if let object = try reader.bytes(forKey: key) {
      let answer = Answer(object: object, key: printsMatch ? key.rawSpan : nil)
      return try self.answer(key, answer, reader, isSingle: isSingle, console)
    }
    // A block in another spelling.
    guard let spelling = NetworkSpelling(key.rawSpan), !spelling.isAddress, !spelling.flaws.contains(.hostBits) else {
      try sayAbsent(key, "no such key", console)
      return false
    }
    let text = try reader.keyText(of: spelling.network)
    guard let object = try reader.bytes(forKey: text.bytes) else {
      try sayAbsent(key, "no such block", console)
      return false
    }
    let answer = Answer(object: object, key: text.bytes, isMatched: true)
    return try self.answer(key, answer, reader, isSingle: isSingle, console)
  }

  /// Prints what answers a name, an e-mail address or a text; returns whether anything did.
  func answerByKey(
    _ question: [UInt8], _ reader: FuseReader, isSingle: Bool, _ console: Console
  ) throws(FuseError) -> Bool {
    let match =
      switch matching {
      case .domain?: try reader.longestSuffix(ofDomain: question)
      case .email?: try reader.longestMatch(ofEmail: question)
      default: try reader.longestPrefix(of: question)
      }
    guard let match else {
      try sayAbsent(question, "no key answers", console)
      return false
    }
    let answer = Answer(object: match.bytes, key: match.key, isMatched: true)
    return try self.answer(question, answer, reader, isSingle: isSingle, console)
  }
}
