internal import FuseDBFormat

/// One step of the way to the value whose coding path was asked for last.
struct PathStep {
  /// Where the map or the array begins.
  let container: Int
  /// The element or pair that the way goes through, where it begins, and its value.
  var number = 0
  var element: Int
  var value = 0
  /// Where that ends; 0 where nothing was looked at.
  var end = 0
}

extension DecodingState {
  /// The steps from the whole value to the one at `offset`.
  ///
  /// - Complexity: O(heads before it). Whoever goes forward through a value, and tries what each element is, pays that once for
  ///   all: at each level, the search goes on where it was last.
  func codingPath(to offset: Int) -> [any CodingKey] {
    var path: [any CodingKey] = []
    var here = 0
    while here < offset {
      let head = head(at: here)
      guard head.kind == .map || head.kind == .array else { break }
      let level = path.count
      var step = PathStep(container: here, element: head.end)
      if level < lastPath.count, lastPath[level].container == here, lastPath[level].element <= offset {
        step = lastPath[level]
      }
      while step.end <= offset {
        if step.end > 0 {
          step.number += 1
          step.element = step.end
        }
        guard step.number < head.count else { return path }
        step.value = head.kind == .map ? end(ofValueAt: step.element) : step.element
        step.end = end(ofValueAt: step.value)
        guard step.end > step.element else { return path }
      }
      lastPath.removeSubrange(min(level, lastPath.count)...)
      lastPath.append(step)
      path.append(head.kind == .map ? key(at: step.element) : PlaceKey(index: step.number))
      here = step.value
    }
    return path
  }

  /// The key of a map's pair, as a coding path shows it.
  func key(at offset: Int) -> any CodingKey {
    let head = head(at: offset)
    if let text = text(head) { return PlaceKey(stringValue: text) }
    if let number = head.integer(Int.self) { return PlaceKey(intValue: number) }
    let key = bytes.extracting(offset..<max(offset, end(ofValueAt: offset)))
    return PlaceKey(stringValue: (try? FuseJSON.text(from: key)) ?? "")
  }
}
