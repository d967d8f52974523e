enum OpenAPI {
  static let document = "{}\n"
}
