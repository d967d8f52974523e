internal import CFuseDB
internal import FuseDB

// Columns as Arrow takes them: each struct has what it owns, and a function that lets go of it.

/// A text that Arrow keeps.
private func copy(_ text: String) -> UnsafeMutablePointer<CChar> {
  let bytes = text.utf8CString
  let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
  bytes.withUnsafeBufferPointer { copy.initialize(from: $0.baseAddress!, count: bytes.count) }
  return copy
}

extension ArrowSchema {
  /// What a column is called, and what it holds; or a struct of such.
  init(_ name: String, _ format: StaticString, isNullable: Bool = true, children: [ArrowSchema] = []) {
    self.init()
    self.format = UnsafeRawPointer(format.utf8Start).assumingMemoryBound(to: CChar.self)
    self.name = UnsafePointer(FuseDBC.copy(name))
    flags = isNullable ? Int64(ARROW_FLAG_NULLABLE) : 0
    n_children = Int64(children.count)
    if !children.isEmpty {
      self.children = .allocate(capacity: children.count)
      for (number, child) in children.enumerated() {
        self.children[number] = .allocate(capacity: 1)
        self.children[number]!.initialize(to: child)
      }
    }
    release = { schema in
      guard let schema else { return }
      schema.pointee.name?.deallocate()
      for number in 0..<Int(schema.pointee.n_children) {
        // One that was moved away has no function any more.
        let child = schema.pointee.children[number]!
        child.pointee.release?(child)
        child.deallocate()
      }
      schema.pointee.children?.deallocate()
      schema.pointee.release = nil
    }
  }
}

extension ArrowArray {
  /// The rows of a column.
  init(_ column: ColumnBuilder) {
    var buffers = [UnsafeRawPointer(column.validity.start), UnsafeRawPointer(column.fixed.start)]
    if let data = column.data { buffers.append(UnsafeRawPointer(data.start)) }
    self.init(
      rowCount: column.rowCount, nullCount: column.rowCount - column.setCount, buffers: buffers, children: [],
      owner: column)
  }

  /// Rows of columns.
  init(rowCount: Int, children: [ArrowArray]) {
    self.init(rowCount: rowCount, nullCount: 0, buffers: [nil], children: children, owner: nil)
  }

  private init(
    rowCount: Int, nullCount: Int, buffers: [UnsafeRawPointer?], children: [ArrowArray], owner: ColumnBuilder?
  ) {
    self.init()
    length = Int64(rowCount)
    null_count = Int64(nullCount)
    n_buffers = Int64(buffers.count)
    self.buffers = .allocate(capacity: buffers.count)
    for (number, buffer) in buffers.enumerated() { self.buffers[number] = buffer }
    n_children = Int64(children.count)
    if !children.isEmpty {
      self.children = .allocate(capacity: children.count)
      for (number, child) in children.enumerated() {
        self.children[number] = .allocate(capacity: 1)
        self.children[number]!.initialize(to: child)
      }
    }
    private_data = owner.map { Unmanaged.passRetained($0).toOpaque() }
    release = { array in
      guard let array else { return }
      array.pointee.buffers?.deallocate()
      for number in 0..<Int(array.pointee.n_children) {
        let child = array.pointee.children[number]!
        child.pointee.release?(child)
        child.deallocate()
      }
      array.pointee.children?.deallocate()
      if let owner = array.pointee.private_data { Unmanaged<ColumnBuilder>.fromOpaque(owner).release() }
      array.pointee.release = nil
    }
  }
}
