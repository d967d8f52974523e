/// What is answered.
package struct WebResponse: Sendable {
  package var status: Int
  /// The `Content-Type`.
  package var kind: String
  /// Other headers. `Content-Length`, `Date` and those that every answer bears are added where it is sent.
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]

  package init(status: Int = 200, kind: String, headers: [(name: String, value: String)] = [], body: [UInt8]) {
    self.status = status
    self.kind = kind
    self.headers = headers
    self.body = body
  }
}
