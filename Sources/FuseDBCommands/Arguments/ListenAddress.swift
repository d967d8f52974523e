internal import FuseDB

/// Where to listen.
package struct ListenAddress: CustomStringConvertible {
  package var host: String
  package var port: UInt16

  package init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// `127.0.0.1:9187`, or `[::1]:9187`; nil for what is neither.
  init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
      return nil
    }
    var host = text[..<colon]
    let isBracketed = host.first == "[" && host.last == "]"
    if isBracketed { host = host.dropFirst().dropLast() }
    guard let address = FuseAddress(String(host)), (address.family == .ipv6) == isBracketed else { return nil }
    self.init(host: String(host), port: port)
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Whether only this machine reaches it.
  var isLoopback: Bool {
    guard let address = FuseAddress(host) else { return false }
    switch address.family {
    case .ipv4: return address.bits >> 24 == 127
    case .ipv6: return address.bits == 1
    }
  }
}
