internal import FuseDB
internal import FuseDBInput

/// A command that publishes or fetches: libcurl alone would double the time that `fusedb` takes to start. See spec/decisions/0038-delivery.md.
protocol DeliveryCommand: HelpedCommand where Request == DeliveryRequest {}

extension DeliveryCommand {
  static var helper: String { Helper.delivery }
}

/// What is to be done, with its arguments.
package enum DeliveryRequest {
  case publish(Publish)
  case versions(Versions)
  case announce(Announce)
  case expire(Expire)
  case fetch(Fetch)
  case follow(Follow)
  case keygen(Keygen)
  case sign(Sign)
}

extension Arguments {
  /// The name of a database and of its channel.
  static let channelOption = Option.value(
    "--channel", "CHANNEL", "the channel, such as canary: a ref of its own (default: the one without a name)")
  static let signOption = Option.value(
    "--sign", "KEYFILE", "sign with the secret key in KEYFILE, from 'fusedb keygen'; may be repeated", repeats: true)
  static let validOption = Option.value(
    "--valid", "TIME", "let clients refuse the ref after this time, such as 7d (default: never)")

  /// Takes the operand NAME, with `--channel`.
  mutating func refName() throws(UsageError) -> String {
    let name = String(decoding: try operand("NAME"), as: UTF8.self)
    return name + (text(of: "--channel").map { "@" + $0 } ?? "")
  }

  /// Takes the operand REMOTE.
  mutating func remote() throws(UsageError) -> String { try path("REMOTE") }

  /// The time that an option names, in seconds: `90`, `30s`, `5m`, `2h`, `7d`.
  func seconds(of option: String) throws(UsageError) -> Double? {
    guard let text = text(of: option) else { return nil }
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    let unit = text.last.flatMap { units[$0] }
    let digits = unit == nil ? text : String(text.dropLast())
    let isDecimal =
      !digits.isEmpty
      && digits.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")) ~= $0 }
    guard isDecimal, let number = Double(digits), number > 0, number * (unit ?? 1) <= 1e9 else {
      throw error("the option \(option) takes a time such as 30s, 5m, 2h or 7d, and not '\(text)'")
    }
    return number * (unit ?? 1)
  }

  /// The paths of key files that sign.
  func signingKeys() throws(UsageError) -> [String] { try paths(of: "--sign", "KEYFILE") }
}
