/// One request over HTTP, as the routes see it: taken apart, and with every percent-encoding undone.
package struct WebRequest: Sendable {
  package enum Method: String, Sendable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
  }

  package var method: Method
  /// The segments of the path between slashes, decoded; none of `/`.
  package var path: [[UInt8]]
  /// The parts of the query in their order, decoded: `+` is a space.
  package var query: [(name: String, value: [UInt8])]
  /// The headers; names are in lower case.
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]
  /// Whether the request may change something: it bore a token that is known, and comes from no page of another origin.
  package var mayControl: Bool

  package init(
    method: Method = .get, path: [[UInt8]], query: [(name: String, value: [UInt8])] = [],
    headers: [(name: String, value: String)] = [], body: [UInt8] = [], mayControl: Bool = false
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
    self.mayControl = mayControl
  }

  /// The first value under `name` in the query.
  package func parameter(_ name: String) -> [UInt8]? { query.first { $0.name == name }?.value }

  /// The first value of the header `name`, which is in lower case.
  package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}
